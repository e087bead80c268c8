// @ts-check
// What opens, one at a time: what can be done (grouped, most likely first, the impossible folded away with its reason),
// branches, the replay code, the promises, keys and signs.

import { groupBy, h, plain, rich } from "./dom.js";

/** @typedef {import("./run.js").Choice} Choice */
/** @typedef {{ name: string, choices: Choice[], folded?: boolean }} Section */

const KEYS = [
  ["→ ←", "one step forward, back"],
  ["Home End", "first, last step"],
  ["Page Up Page Down", "ten steps back, forward"],
  ["Space", "play, pause; never answers"],
  ["1 … 9", "answer; or let that one of what can happen next happen"],
  ["↑ ↓", "from mark to mark in the picture, in a menu from line to line"],
  ["Enter", "on the slider: light what this step follows from, and what follows from it"],
  ["Esc", "close what is open; put out the lights"],
  ["?", "this page"],
];
const TRACK = [
  ["? on the rail", "a question stands there"],
  ["● red", "a promise is broken"],
  ["✕ red", "a fault"],
];
const LEGEND = [
  // of runs of processes that send messages
  ["two rings and a crown", "leads, or has decided"],
  ["dashed ring", "candidate, or in doubt"],
  ["hatched", "crashed: its memory is gone, its disk is not"],
  ["halo", "what this step is about"],
  ["filled token, hollow token", "a message, an answer"],
  ["in the diagram", "○ arrived, ◆ a timer ran out, ■ a request, ▶ restart, ✕ crash or lost"],
  ["disk", "survives a crash"],
  ["memory", "lost in a crash"],
];

/** Faults: what breaks something, and what mends it. Everything else is asked for. */
const FAULTS = new Set([
  "crash",
  "restart",
  "cut",
  "heal",
  "pause",
  "resume",
  "cut one way",
  "drop",
  "duplicate",
  "delay",
]);
const FOLDED = new Set(["cut", "cut one way", "pause", "resume", "drop", "duplicate", "delay"]);

/** @param {Choice} choice */
export const isFault = (choice) => FAULTS.has(choice.group);

/**
 * Choices as groups: those that can happen, most likely first; long or rare groups folded; and those that cannot.
 * @param {Choice[]} choices
 * @param {string[]} [first] groups that come first
 * @returns {{ sections: Section[], cannot: Choice[] }}
 */
export function grouped(choices, first = []) {
  const can = choices.filter((choice) => !choice.why_not);
  const groups = groupBy(can, (choice) => choice.group);
  const names = [...groups.keys()].sort((a, b) => rank(a, first) - rank(b, first));
  /** @type {Section[]} */
  const sections = [];
  for (const name of names) {
    const all = /** @type {Choice[]} */ (groups.get(name));
    const liked = all.filter((choice) => choice.likely);
    const rest = all.filter((choice) => !choice.likely);
    if (liked.length && rest.length > 6 && name !== "next")
      sections.push({ name, choices: liked }, { name: `${name}, of another`, choices: rest, folded: true });
    else
      sections.push({
        name,
        choices: [...liked, ...rest],
        folded: (FOLDED.has(name) && all.length > 2) || all.length > 12,
      });
  }
  return {
    sections: [...sections.filter((each) => !each.folded), ...sections.filter((each) => each.folded)],
    cannot: choices.filter((choice) => choice.why_not),
  };
}

/** @param {string} name @param {string[]} first */
function rank(name, first) {
  const at = first.indexOf(name);
  return at < 0 ? first.length : at;
}

export class Menus {
  /** @param {any} view the player */
  constructor(view) {
    this.view = view;
    this.box = h("div", { class: "dp-menu", role: "dialog", hidden: true, "aria-label": "Menu" });
    /** @type {any} */
    this.opener = null;
  }

  get shut() {
    return this.box.hidden;
  }

  /** @param {string} name @param {any} at what it belongs to @param {any[]} children */
  open(name, at, ...children) {
    const again = !this.shut && at && this.opener === at;
    this.close();
    if (again) return;
    this.view.pause();
    this.opener = at ?? document.activeElement;
    const menu = this.box;
    const close = h("button", { type: "button", "aria-label": "Close", onclick: () => this.close() }, "✕");
    menu.replaceChildren(h("div", { class: "dp-menuhead" }, h("h4", {}, name), close), ...children);
    menu.setAttribute("aria-label", name);
    menu.hidden = false;
    this.stand(at);
    const first = /** @type {HTMLElement | null} */ (
      menu.querySelector("[autofocus], .dp-act:not(.dp-shut), .dp-branch, summary")
    );
    (first ?? close).focus({ preventScroll: true });
  }

  /** Beside the mark that it belongs to, never on it; above or below a button. @param {any} at */
  stand(at) {
    const { box: menu, view } = this;
    const card = view.root.getBoundingClientRect();
    const anchor = at?.getBoundingClientRect();
    const within = (/** @type {number} */ v, /** @type {number} */ size, /** @type {number} */ all) =>
      Math.max(8, Math.min(all - size - 8, v));
    const [w, hh] = [menu.offsetWidth, menu.offsetHeight];
    let [x, y] = [card.width - w - 8, 44];
    if (anchor && at.closest(".dp-stage")) {
      const right = anchor.right - card.left + 14;
      x = right + w < card.width ? right : anchor.left - card.left - 14 - w;
      y = anchor.top - card.top - 20;
    } else if (anchor) {
      x = anchor.left - card.left;
      y = anchor.bottom - card.top + 6;
      if (y + hh > card.height) y = anchor.top - card.top - hh - 6;
    }
    menu.style.left = `${within(x, w, card.width)}px`;
    menu.style.top = `${within(y, hh, card.height)}px`;
  }

  close() {
    if (this.box.hidden) return;
    this.box.hidden = true;
    (this.opener?.isConnected ? this.opener : this.view.root).focus({ preventScroll: true });
  }

  /** A choice on its button: its words, when it is due, or why it can do nothing. @param {any} node @param {Choice} choice @param {string} [note] */
  fill(node, choice, note = "") {
    const [label, said] = [...node.children].slice(-2);
    const shut =
      choice.why_not ||
      (choice.index !== -2 && !this.view.can.ask && choice.taken === undefined ? "needs a kernel" : "");
    const look = `${choice.label}|${shut}|${choice.when}|${choice.taken}|${note}`;
    node.onclick = () => (shut ? this.view.tell(`Not now: ${shut}`) : this.view.choose(choice));
    if (node.look === look) return;
    node.look = look;
    label.replaceChildren(...rich(choice.label));
    node.title = plain(choice.label);
    said.textContent =
      (shut && choice.why_not) ||
      note ||
      [choice.ask && this.view.can.ask ? "or type another" : "", choice.when, choice.taken !== undefined ? "taken" : ""]
        .filter(Boolean)
        .join(" · ");
    node.classList.toggle("dp-shut", Boolean(shut));
    node.classList.toggle("dp-own", note === "this run");
    if (shut) node.setAttribute("aria-disabled", "true");
    else node.removeAttribute("aria-disabled");
  }

  /** @param {Choice[]} choices */
  list(choices) {
    return h(
      "div",
      { class: "dp-list" },
      choices.map((choice) => {
        const node = h(
          "button",
          { type: "button", class: "dp-act" },
          h("span", { class: "dp-label" }),
          h("span", { class: "dp-soft" }),
        );
        this.fill(node, choice, choice.likely && choice.group !== "next" ? "♛ leads" : "");
        return node;
      }),
    );
  }

  /** @param {string} name @param {Choice[]} choices @param {any} at @param {string[]} [first] */
  showChoices(name, choices, at, first) {
    const { sections, cannot } = grouped(choices, first);
    const many = sections.length > 1;
    this.open(
      name,
      at,
      ...sections.map((section) =>
        section.folded
          ? h(
              "details",
              {},
              h("summary", {}, `${section.name} (${section.choices.length})`),
              this.list(section.choices),
            )
          : h(
              "div",
              { role: "group", "aria-label": section.name },
              many ? h("h5", {}, title(section.name)) : null,
              this.list(section.choices),
            ),
      ),
      this.folded(cannot),
    );
  }

  /** @param {Choice[]} cannot */
  folded(cannot) {
    if (!cannot.length) return "";
    return h(
      "details",
      { class: "dp-cannot" },
      h("summary", {}, `${cannot.length} that cannot happen now`),
      this.list(cannot),
    );
  }

  /** @param {Choice[]} choices @param {any} at */
  showMore(choices, at) {
    this.showChoices("What else can happen", choices, at);
  }

  /** @param {string} id @param {any} at */
  showMark(id, at) {
    const { view } = this;
    const marks = [...view.run.picture(view.state.n).values()].map((panel) => panel.marks.get(id));
    const mark = marks.find(Boolean);
    const choices = view.run.choices(view.state.n).filter((/** @type {Choice} */ choice) => choice.about?.includes(id));
    this.showChoices(mark?.title || mark?.text || id, choices, at, ["crash", "restart", "next"]);
  }

  /** @param {any} at */
  showUntil(at) {
    const { view } = this;
    const items = view.head.until.map((/** @type {string} */ name) =>
      h(
        "button",
        { type: "button", class: "dp-act", onclick: () => (this.close(), view.runUntil(name)) },
        h("span", { class: "dp-label" }, name),
        h("span", { class: "dp-soft" }),
      ),
    );
    this.open("Run until…", at, h("div", { class: "dp-list" }, items));
  }

  /** @param {Choice} choice */
  showFill(choice) {
    const input = h("input", {
      type: "text",
      value: choice.fill ?? "",
      autofocus: true,
      "aria-label": choice.ask,
      autocomplete: "off",
      spellcheck: "false",
    });
    const form = h(
      "form",
      { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), this.view.choose(choice, input.value)) },
      h("label", {}, `${choice.ask} `, input),
      h("button", { type: "submit", class: "dp-main" }, "Go"),
    );
    this.open(plain(choice.label), this.opener?.isConnected ? this.opener : null, form);
    input.select();
  }

  /** @param {any} at */
  showPromises(at) {
    const { view } = this;
    this.open(
      "What must always hold",
      at,
      h(
        "ul",
        {},
        view.head.always.map((/** @type {string} */ name, /** @type {number} */ i) => {
          const reason = view.frame.always[i];
          return h(
            "li",
            { class: reason ? "dp-no" : "dp-ok" },
            h("span", { class: "dp-sign" }, reason ? "✕" : "✓"),
            h("span", {}, reason ? h("b", {}, name) : name, ...(reason ? [": ", ...rich(reason)] : [])),
          );
        }),
      ),
    );
  }

  /** @param {any} at */
  showSource(at) {
    const said = this.view.frame.say.filter((/** @type {string[]} */ [, , source]) => source);
    this.open(
      "Where this is written",
      at,
      ...said.map((/** @type {string[]} */ [, rule, source]) => h("p", { class: "dp-rule" }, `${rule} · ${source}`)),
    );
  }

  /** All that is said of the step, and all that changed. @param {Node[]} rows @param {any} at */
  showAll(rows, at) {
    const said = this.view.frame.say.map((/** @type {string[]} */ [text]) => h("p", {}, ...rich(text)));
    this.open("This step", at, ...said, h("table", { class: "dp-facts" }, h("tbody", {}, ...rows)));
  }

  /** Branches, the replay code, heartbeats, keys and signs. @param {any} at @param {string} [pasted] @param {string} [problem] */
  showRun(at, pasted = "", problem = "") {
    const { view } = this;
    const item = (/** @type {string} */ text, /** @type {() => void} */ onclick, note = "", more = {}) =>
      h(
        "button",
        { type: "button", class: "dp-act", onclick, ...more },
        h("span", { class: "dp-label" }, text),
        h("span", { class: "dp-soft" }, note),
      );
    const quiet = view.hasQuiet
      ? item(
          `${view.state.hidesQuiet ? "✓ " : ""}${view.head.quiet} hidden`,
          () => (this.close(), view.toggleQuiet()),
          "",
          { role: "checkbox", "aria-checked": String(view.state.hidesQuiet), class: "dp-act dp-quietbox" },
        )
      : "";
    const code = view.code
      ? h(
          "div",
          { class: "dp-codes" },
          item("Copy the replay code of this run", () => view.copyCode(), "", { class: "dp-act dp-code" }),
          h(
            "code",
            {
              class: "dp-codetext",
              tabindex: 0,
              role: "textbox",
              "aria-readonly": "true",
              "aria-label": "Replay code of this run",
            },
            view.code,
          ),
        )
      : "";
    const field = h("input", {
      type: "text",
      placeholder: "paste a replay code",
      "aria-label": "Replay code",
      spellcheck: "false",
      autocomplete: "off",
      value: pasted,
      autofocus: Boolean(problem),
    });
    const open = h(
      "form",
      {
        hidden: !view.can.ask,
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          this.close();
          view.send({ kind: "open", code: field.value });
        },
      },
      h("label", {}, "Open a run: ", field),
      h("button", { type: "submit" }, "Open"),
    );
    const refused = problem ? h("p", { class: "dp-problem", role: "alert" }, problem) : "";
    this.open(
      "This run",
      at,
      h(
        "div",
        { class: "dp-list" },
        quiet,
        item("Keys and signs", () => this.showHelp(at), "?"),
      ),
      this.branches(),
      code,
      open,
      refused,
    );
  }

  showHelp(/** @type {any} */ at = null) {
    const { head } = this.view;
    const list = (/** @type {string[][]} */ rows) =>
      h(
        "dl",
        {},
        rows.flatMap(([term, meaning]) => [h("dt", {}, term), h("dd", {}, meaning)]),
      );
    this.close();
    this.open(
      "Keys and signs",
      at,
      h(
        "div",
        { class: "dp-sheet" },
        h(
          "div",
          {},
          h("h5", {}, "Signs"),
          list([...(head.signs ?? []), ...(head.lanes.length ? LEGEND : []), ...TRACK]),
        ),
        h("div", {}, h("h5", {}, "Keys"), list(KEYS)),
      ),
    );
  }

  branches() {
    const { view } = this;
    const leaves = view.run.leaves();
    if (leaves.length < 2) return "";
    const longest = Math.max(1, ...leaves.map((/** @type {any} */ leaf) => leaf.depth));
    const seen = new Set();
    const rows = leaves.map((/** @type {any} */ leaf, /** @type {number} */ i) => {
      const path = view.run.branch(leaf.n);
      const fork = path.find((/** @type {any} */ frame) => !seen.has(frame.n));
      for (const frame of path) seen.add(frame.n);
      const from = i ? fork.depth - 1 : 0;
      const bar = h("span", {
        class: "dp-twig",
        "aria-hidden": "true",
        style: `--from:${from / longest};--to:${leaf.depth / longest}`,
      });
      const current = view.state.path[view.state.path.length - 1] === leaf;
      const go = () => (this.close(), view.take(path, i ? fork.n : leaf.n));
      return h(
        "button",
        { type: "button", class: "dp-branch", "aria-current": current ? "true" : "false", onclick: go },
        bar,
        h("span", {}, `${current ? "▸ " : ""}${i ? `step ${fork.depth}: ${plain(fork.event)}` : "the first run"}`),
        h("span", { class: "dp-soft" }, `${leaf.depth} steps`),
      );
    });
    return h("div", { role: "group", "aria-label": "Branches" }, h("h5", {}, "Branches: what was tried"), rows);
  }

  /** @param {number} by */
  roam(by) {
    const items = /** @type {HTMLElement[]} */ ([...this.box.querySelectorAll("button, input, summary")]).filter(
      (item) => item.offsetParent,
    );
    items[
      (items.indexOf(/** @type {HTMLElement} */ (document.activeElement)) + by + items.length) % items.length
    ]?.focus();
  }
}

/** @param {string} name */
const title = (name) => (name === "next" ? "Now" : name[0].toUpperCase() + name.slice(1));
