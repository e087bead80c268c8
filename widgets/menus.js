// The menus of a player, one at a time: what can be done about a mark, what to fill in, branches, keys and signs.

const KEYS = [
  ["→", "one step forward"], ["←", "one step back"], ["Space", "play, pause"], ["Home, End", "first, last step"],
  ["Page Up, Page Down", "ten steps back, forward"], ["1 … 9", "let that one of what can happen next happen"],
  ["Esc", "close a menu; put out the lights of cause and effect"], ["?", "this page"],
];
const TRACK = [
  ["? on the track", "a question stands there"], ["red line on the track", "a promise is broken"],
];
const LEGEND = [ // of runs of processes that send messages
  ["●", "arrived message (its line starts where it was sent)"], ["✕", "crash, or a lost message"], ["▶", "restart"],
  ["◆", "a timer ran out"], ["■", "a client's request"],
  ["solid line", "done, kept, committed"], ["dashed line", "not yet, down, on trial"],
  ["disk", "survives a crash"], ["memory", "lost in a crash"], ["in flight", "sent, not yet arrived"],
];

class Menus {
  constructor(view) {
    this.view = view;
    this.box = h("div", { class: "dp-menu", role: "dialog", hidden: true, "aria-label": "Menu" });
  }

  get shut() {
    return this.box.hidden;
  }

  open(name, at, ...children) {
    this.view.pause();
    this.opener = at ?? document.activeElement;
    const menu = this.box;
    menu.replaceChildren(h("div", { class: "dp-menuhead" }, h("h4", {}, name), h("button", { type: "button", "aria-label": "Close", onclick: () => this.close() }, "✕")), ...children);
    menu.setAttribute("aria-label", name);
    menu.hidden = false;
    const card = this.view.root.getBoundingClientRect(), anchor = at?.getBoundingClientRect();
    const left = anchor ? anchor.left - card.left : card.width - menu.offsetWidth - 12;
    const below = anchor ? anchor.bottom - card.top + 6 : 48;
    const over = below + menu.offsetHeight > card.height && anchor ? anchor.top - card.top - menu.offsetHeight - 6 : below;
    menu.style.left = `${Math.max(8, Math.min(left, card.width - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.max(8, over)}px`;
    (menu.querySelector("[autofocus], summary, .dp-act, .dp-branch") ?? menu.querySelector("button"))?.focus({ preventScroll: true });
  }

  close() {
    if (this.box.hidden) return;
    this.box.hidden = true;
    (this.opener?.isConnected ? this.opener : this.view.root).focus({ preventScroll: true });
  }

  /** A choice on its button: its words, when it is due, or why it can do nothing. */
  fill(node, choice) {
    const [label, note] = node.children;
    const shut = choice.why_not || (!this.view.head.live && choice.taken === undefined ? "needs a kernel" : "");
    const look = `${choice.label}|${shut}|${choice.when}|${choice.taken}`;
    node.onclick = () => (shut ? this.view.tell(`Not now: ${shut}`) : this.view.choose(choice));
    if (node.look === look) return;
    node.look = look;
    label.replaceChildren(...rich(choice.label));
    note.textContent = shut || [choice.ask && this.view.head.live ? "or type another" : "", choice.when, choice.taken !== undefined ? "taken" : ""].filter(Boolean).join(" · ");
    node.classList.toggle("dp-shut", Boolean(shut));
    node.setAttribute("aria-disabled", shut ? "true" : "false");
  }

  list(choices) {
    return h("div", {}, choices.map((choice) => {
      const node = h("button", { type: "button", class: "dp-act" }, h("span"), h("span", { class: "dp-soft" }));
      this.fill(node, choice);
      return node;
    }));
  }

  showChoices(name, choices, at) {
    this.open(name, at, this.list(choices));
  }

  showGroups(groups, at) {
    this.open("What else can be done", at, ...[...groups].map(([name, choices]) =>
      h("details", {}, h("summary", {}, `${name} (${choices.length})`), this.list(choices))));
  }

  showMarkMenu(id, at) {
    const mark = [...this.view.run.picture(this.view.n).values()].map((panel) => panel.marks.get(id)).find(Boolean);
    const choices = this.view.run.choices(this.view.n).filter((choice) => choice.about?.includes(id));
    this.showChoices(mark?.title || mark?.text || id, choices, at);
  }

  showFill(choice) {
    const input = h("input", { type: "text", value: choice.fill ?? "", autofocus: true, "aria-label": choice.ask, autocomplete: "off", spellcheck: "false" });
    const form = h("form", { onsubmit: (event) => (event.preventDefault(), this.view.choose(choice, input.value)) },
      h("label", {}, `${choice.ask} `, input), h("button", { type: "submit", class: "dp-main" }, "Go"));
    this.open(plain(choice.label), this.opener, form);
    input.select();
  }

  showHelp(pasted = "", problem = "") {
    const list = (rows) => h("dl", {}, rows.flatMap(([term, meaning]) => [h("dt", {}, term), h("dd", {}, meaning)]));
    const code = h("input", { type: "text", placeholder: "paste a replay code", "aria-label": "Replay code", spellcheck: "false", value: pasted, autofocus: Boolean(problem) });
    const open = h("form", { hidden: !this.view.head.live, onsubmit: (event) => {
      event.preventDefault();
      this.close();
      this.view.ask({ kind: "open", code: code.value });
    } }, h("label", {}, "Open a run: ", code), h("button", { type: "submit" }, "Open"));
    const refused = problem ? h("p", { class: "dp-problem", role: "alert" }, problem) : "";
    this.open("Keys and signs", null, h("h5", {}, "Keys"), list(KEYS), h("h5", {}, "Signs"), list([...(this.view.head.signs ?? []), ...TRACK, ...(this.view.head.lanes.length ? LEGEND : [])]), open, refused);
  }

  showBranches() {
    const leaves = this.view.run.leaves(), longest = Math.max(1, ...leaves.map((leaf) => leaf.depth)), seen = new Set();
    const rows = leaves.map((leaf, i) => {
      const path = this.view.run.branch(leaf.n), own = path.filter((frame) => !seen.has(frame.n)), fork = own[0];
      path.forEach((frame) => seen.add(frame.n));
      const from = i ? fork.depth - 1 : 0;
      const bar = h("span", { class: "dp-twig", "aria-hidden": "true", style: `--from:${from / longest};--to:${leaf.depth / longest}` });
      const name = i ? `step ${fork.depth}: ${plain(fork.event)}` : "the first run";
      const current = this.view.path.at(-1) === leaf;
      const go = () => (this.close(), (this.view.path = path), (this.view.redraw = true), this.view.go(i ? fork.n : leaf.n, { quick: true }));
      return h("button", { type: "button", class: "dp-branch", "aria-current": current ? "true" : "false", onclick: go }, bar, h("span", {}, `${current ? "▸ " : ""}${name}`), h("span", { class: "dp-soft" }, `${leaf.depth} steps`));
    });
    this.open("Branches: what was tried", this.view.ui.branches, h("div", {}, rows));
  }

  roam(by) {
    const items = [...this.box.querySelectorAll("button, input, summary")].filter((item) => item.offsetParent);
    items[(items.indexOf(document.activeElement) + by + items.length) % items.length]?.focus();
  }
}
