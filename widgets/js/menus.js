// @ts-check
// What opens, one at a time: what can be done (grouped, most likely first, the impossible folded away with its reason),
// branches, the replay code, the promises, keys and signs.

import { grouped } from "./choices.js";
import { h, plain, rich } from "./dom.js";
import { help } from "./help.js";
import { ofRun } from "./runmenu.js";

/** @typedef {import("./run.js").Choice} Choice */

export class Menus {
  /** @param {import("./player.js").PlayerView} view the player */
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
    this.view.controls.pause();
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
    Object.assign(menu.style, { left: "0", top: "0" }); // from where it is measured
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
    node.onclick = () => (shut ? this.view.tell(`Not now: ${shut}`) : this.view.kernel.choose(choice));
    if (node.look === look) return;
    node.look = look;
    label.replaceChildren(...rich(choice.label));
    node.title = plain(choice.label);
    said.textContent =
      (shut && choice.why_not) ||
      note ||
      [choice.ask && this.view.can.ask ? "or type another" : "", choice.taken !== undefined ? "taken" : choice.when]
        .filter(Boolean)
        .join(" · "); // not both: the words beside them would be cut
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
              h(
                "summary",
                {},
                `${section.name === "next" ? "happens by itself" : section.name} (${section.choices.length})`,
              ),
              this.list(section.choices),
            )
          : h(
              "div",
              { role: "group", "aria-label": section.name },
              many && section.choices.length > 1 ? h("h5", {}, title(section.name)) : null,
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
    this.showChoices(mark?.title || mark?.text || id, choices, at, FIRST);
  }

  /** @param {any} at */
  showUntil(at) {
    const { view } = this;
    const items = view.head.until.map((/** @type {string} */ name) =>
      h(
        "button",
        { type: "button", class: "dp-act", onclick: () => (this.close(), view.kernel.runUntil(name)) },
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
      {
        onsubmit: (/** @type {Event} */ event) => (
          event.preventDefault(), this.view.kernel.choose(choice, input.value)
        ),
      },
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
            h("span", { class: "dp-sign" }, reason ? "✗" : "✓"),
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
    this.open("This run", at, ...ofRun(this.view, at, pasted, problem));
  }

  showHelp(/** @type {any} */ at = null) {
    this.close();
    this.open("Keys and signs", at, help(this.view.head));
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

/** In the menu of a mark. */
const FIRST = ["crash", "restart", "request", "pause", "resume"];

/** @param {string} name */
const title = (name) => (name === "next" ? "Now" : name[0].toUpperCase() + name.slice(1));
