// The player: stage, words, time and controls of one run. It has the run's frames and steps by itself; only what makes
// new steps is asked of the kernel. After run.js, stage.js, strip.js, words.js and menus.js in one module; see frames.py for what a frame holds.

const MENUS = 6; // so many menus of choices have a button; what comes after them shares one
const SPEEDS = { "½×": 1800, "1×": 900, "2×": 450, "4×": 225 };
class PlayerView {
  constructor(model, host) {
    this.model = model;
    this.head = model.get("head");
    this.run = new Run(model);
    this.answers = { ...model.get("answers") };
    this.focus = null; // the event whose causes are lit
    this.waiting = false;
    this.build(host);
    this.path = [];
    if (this.head.hidesQuiet) this.hideQuiet(true);
    this.go(model.get("cursor"), { quick: true });
    const heard = {
      "change:frames": () => this.reload(),
      "change:answers": () => this.heed(model.get("answers")),
      "change:cursor": () => model.get("cursor") !== this.n && this.run.frames.has(model.get("cursor")) && this.go(model.get("cursor")), // not what we said ourselves: it would shut a question
      "msg:custom": (message) => this.hear(message),
    };
    for (const [name, handler] of Object.entries(heard)) model.on(name, handler);
    this.leave = () => {
      this.pause();
      for (const [name, handler] of Object.entries(heard)) model.off(name, handler);
    };
  }

  // the card, built once

  build(host) {
    const button = (text, name, onclick, kind = "") => h("button", { type: "button", "aria-label": name, title: name, class: kind, onclick }, text);
    const part = (name, ...children) => h("section", { class: `dp-part dp-part-${name}` }, ...children);
    const ui = (this.ui = {});
    ui.position = h("span", { class: "dp-soft dp-where" });
    ui.branches = h("button", { type: "button", class: "dp-branches", "aria-haspopup": "menu", onclick: () => this.menus.showBranches() });
    ui.quiet = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleQuiet() }, `hide ${this.head.quiet}`);
    ui.stage = h("div", { class: "dp-stage" });
    ui.step = h("h4");
    ui.guess = h("div", { class: "dp-guess" });
    ui.say = h("div", { class: "dp-say" });
    ui.ask = h("div", { class: "dp-ask" });
    ui.factsHead = h("h4");
    ui.facts = h("tbody");
    ui.always = h("ul");
    ui.next = h("div", { class: "dp-next" });
    ui.nextHead = h("h4");
    ui.aside = h("aside", { tabindex: -1 },
      part("say", ui.step, ui.ask, ui.guess, ui.say),
      part("facts", ui.factsHead, h("table", {}, ui.facts)),
      part("always", h("h4", {}, "Always"), ui.always),
      part("next", ui.nextHead, ui.next));
    ui.first = button(icon("first"), "First step", () => this.toEnd(-1));
    ui.back = button(icon("back"), "Back one step", () => this.move(-1));
    ui.play = button(icon("play"), "Play", () => this.toggle(), "dp-main");
    ui.forward = button(icon("forward"), "Forward one step", () => this.move(1));
    ui.last = button(icon("last"), "Last step", () => this.toEnd(1));
    ui.scrub = h("input", { type: "range", min: 0, "aria-label": "Step", oninput: () => this.scrub() });
    ui.flags = h("div", { class: "dp-flags", "aria-hidden": "true" });
    ui.count = h("span", { class: "dp-soft dp-count" });
    ui.speed = h("select", { "aria-label": "Speed", title: "Speed" }, Object.keys(SPEEDS).map((name) => h("option", { selected: name === "1×" }, name)));
    ui.until = h("select", { "aria-label": "Run until", onchange: () => this.runUntil() }, h("option", { value: "" }, "run until…"), this.head.until.map((name) => h("option", { value: name }, name)));
    ui.until.hidden = !this.head.until.length || !this.head.live;
    ui.groups = h("span", { class: "dp-groups" });
    ui.said = h("span", { class: "dp-said" });
    ui.cost = h("span", { class: "dp-soft dp-cost" });
    ui.code = button("", "Copy the replay code of this run", () => this.copyCode(), "dp-code");
    ui.live = h("div", { class: "dp-sr", "aria-live": "polite" });
    this.menus = new Menus(this);
    ui.strip = h("div", { class: "dp-time" });
    this.root = h("div", { class: "dp", role: "group", tabindex: 0, "aria-label": `${this.head.title} player`, "data-lm-suppress-shortcuts": "true" },
      h("div", { class: "dp-card" },
      h("header", {}, h("b", {}, this.head.title), h("span", { class: "dp-soft" }, this.head.subtitle), ui.position, h("span", { class: "dp-grow" }), ui.branches, ui.quiet, button("?", "Keys and signs", () => this.menus.showHelp())),
      h("main", {}, ui.stage, h("div", { class: "dp-side" }, ui.aside)),
      ui.strip,
      h("footer", {},
        h("div", { class: "dp-row" }, ui.first, ui.back, ui.play, ui.forward, ui.last, h("span", { class: "dp-track" }, ui.scrub, ui.flags), ui.count, ui.speed),
        h("div", { class: "dp-row" }, ui.until, ui.groups, ui.said, h("span", { class: "dp-grow" }), ui.cost, ui.code))),
      this.menus.box, ui.live);
    this.root.onkeydown = (event) => this.key(event);
    host.append(this.root);
    this.stage = new Stage(ui.stage, (id, at) => this.menus.showMarkMenu(id, at));
    this.strip = new Strip(ui.strip, (n) => this.visit(n));
    ui.quiet.hidden = ![...this.run.frames.values()].some((frame) => frame.quiet);
  }

  // where we are

  get frame() {
    return this.run.frames.get(this.n);
  }

  /** The frames of the branch that are shown: without heartbeats where they are hidden. */
  get shown() {
    return this.hidingQuiet ? this.path.filter((frame) => !frame.quiet || frame.n === this.n) : this.path;
  }

  /** The first step of the branch whose question is open: nothing beyond it is shown. */
  get lock() {
    return this.path.find((frame) => frame.ask && this.answers[frame.n] === undefined);
  }

  go(n, { quick = false } = {}) {
    const from = this.frame;
    if (!this.path.some((frame) => frame.n === n) || this.stale) {
      this.path = this.run.branch(n, this.path);
      this.stale = false;
      this.redraw = true;
    }
    const frame = this.run.frames.get(n), lock = this.lock;
    this.tell("");
    this.asked = lock && frame.depth >= lock.depth ? lock : null;
    if (this.asked) return this.question(this.asked, quick);
    this.show(n, quick || !from || Math.abs(frame.depth - from.depth) !== 1);
  }

  /** The step before the question, with the question in place of its words. */
  question(frame, quick) {
    this.pause();
    this.show(frame.parent, quick);
    this.ui.ask.querySelector("button")?.focus({ preventScroll: true });
  }

  show(n, quick) {
    if (this.focus !== null && n !== this.focus) this.focus = null;
    this.n = n;
    const frame = this.frame, choices = this.run.choices(n);
    const live = new Set(this.asked ? [] : choices.flatMap((choice) => choice.about ?? []));
    this.stage.show(this.run.picture(n), live, !quick);
    if (this.redraw) {
      this.strip.draw(this.visiblePath(), this.head.lanes);
      this.flags();
      this.redraw = false;
    }
    this.strip.mark(frame, this.focus);
    this.words(frame);
    showFacts(this.ui, this.asked ? [] : frame.facts);
    showPromises(this.ui, this.head.always, frame.always);
    this.next(choices);
    this.controls(frame);
    clearTimeout(this.saving); // the kernel is told where we stand when we stand still: a step never waits for it
    this.saving = setTimeout(() => this.save("cursor", this.n), 120);
  }

  save(name, value) {
    if (this.model.get(name) === value) return;
    this.model.set(name, value);
    this.model.save_changes();
  }

  /** What time shows: the branch, not beyond a question that is open. */
  visiblePath() {
    const lock = this.lock;
    return lock ? this.shown.filter((frame) => frame.depth < lock.depth) : this.shown;
  }

  // the words beside the picture

  words(frame) {
    const { ui } = this;
    ui.step.textContent = this.asked ? "Before you see it" : frame.depth ? `Step ${frame.depth} · ${plain(frame.event)}` : "The start";
    ui.ask.hidden = !this.asked;
    ui.say.hidden = Boolean(this.asked);
    ui.guess.hidden = true;
    if (this.asked) return this.drawQuestion(this.asked);
    const said = frame.say.length ? frame.say : [[frame.depth ? sentence(frame.event) : "Nothing has happened yet. Step forward, or choose what happens.", "", ""]];
    patch(ui.say, said, () => h("div"), (node, [text, rule, source]) => {
      node.replaceChildren(h("p", {}, rich(text)), source ? h("p", { class: "dp-rule" }, `${rule} · ${source}`) : "");
    });
    if (frame.ask) this.drawGuess(frame);
    ui.live.textContent = [
      frame.depth ? `Step ${frame.depth}.` : "The start.", ...said.map(([text]) => plain(text)),
      ...frame.always.map((reason, i) => (reason ? `Broken: ${this.head.always[i]}: ${reason}` : "")),
    ].join(" ").trim();
  }

  drawQuestion(frame) {
    const choose = (i) => {
      this.answers = { ...this.answers, [frame.n]: i };
      this.save("answers", this.answers);
      this.redraw = true;
      this.go(frame.n);
      this.root.focus({ preventScroll: true });
    };
    this.ui.ask.replaceChildren(h("p", {}, rich(frame.ask.prompt)),
      ...frame.ask.options.map((option, i) => h("button", { type: "button", class: "dp-option", onclick: () => choose(i) }, rich(option.text))));
    this.ui.live.textContent = `Before you see it: ${plain(frame.ask.prompt)}`;
  }

  drawGuess(frame) {
    const mine = frame.ask.options[this.answers[frame.n]], right = frame.ask.options.find((option) => option.right);
    if (!mine) return;
    this.ui.guess.hidden = false;
    this.ui.guess.className = `dp-guess ${mine.right ? "dp-good" : "dp-other"}`;
    this.ui.guess.replaceChildren(
      h("p", {}, h("b", {}, mine.right ? "✓ As you said: " : "You said: "), ...rich(mine.text)),
      h("p", {}, rich(mine.because)),
      ...(mine.right ? [] : [h("p", {}, h("b", {}, "It was: "), ...rich(right.text)), h("p", {}, rich(right.because))]));
  }

  next(choices) {
    const { ui } = this, here = choices.filter((choice) => choice.group === "next");
    ui.nextHead.textContent = here.every((choice) => choice.why_not) && this.head.live ? "Nothing happens by itself now: choose below" : "What can happen next";
    ui.nextHead.parentNode.hidden = Boolean(this.asked) || !here.length;
    patch(ui.next, here, () => h("button", { type: "button", class: "dp-act" }, h("span"), h("span", { class: "dp-soft" })), (node, choice) => this.menus.fill(node, choice));
    const groups = Map.groupBy(choices.filter((choice) => choice.group !== "next"), (choice) => choice.group);
    const names = [...groups.keys()], open = names.length > MENUS ? [...names.slice(0, MENUS - 1), "more"] : names;
    patch(ui.groups, open, () => h("button", { type: "button", "aria-haspopup": "menu" }), (node, name) => {
      node.textContent = `${name}…`;
      node.disabled = Boolean(this.asked); // in its place all the same: controls never move
      const rest = new Map([...groups].slice(MENUS - 1));
      node.onclick = () => (name === "more" ? this.menus.showGroups(rest, node) : this.menus.showChoices(name, groups.get(name), node));
    });
  }

  // the controls

  controls(frame) {
    const { ui } = this, shown = this.shown, at = shown.indexOf(frame), end = at === shown.length - 1;
    ui.position.textContent = frame.clock ?? "";
    ui.count.textContent = `${frame.depth} / ${this.path.at(-1).depth}`;
    ui.scrub.max = shown.length - 1;
    ui.scrub.value = at;
    ui.scrub.style.setProperty("--part", shown.length > 1 ? at / (shown.length - 1) : 0);
    ui.scrub.setAttribute("aria-valuetext", `step ${frame.depth} of ${this.path.at(-1).depth}`);
    ui.first.disabled = ui.back.disabled = at === 0;
    ui.forward.disabled = end && !this.canGrow(frame);
    ui.last.disabled = end;
    ui.play.disabled = ui.forward.disabled && !this.timer;
    ui.cost.textContent = Object.entries(frame.cost).map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(" · ");
    const leaf = this.path.at(-1), code = this.run.codes[leaf.n];
    this.code = code ? code + (leaf === frame ? "" : `@${frame.depth}`) : "";
    ui.code.textContent = this.code;
    ui.code.hidden = !this.code;
    const leaves = this.run.leaves();
    ui.branches.hidden = leaves.length < 2;
    ui.branches.textContent = `branch ${leaves.indexOf(leaf) + 1} of ${leaves.length} ▾`;
  }

  flags() {
    const shown = this.shown, last = Math.max(1, shown.length - 1), lock = this.lock;
    const flagged = shown.map((frame, i) => [frame, i]).filter(([frame]) => (frame.fault || frame.always.some(Boolean) || frame.ask) && (!lock || frame.depth <= lock.depth));
    patch(this.ui.flags, flagged, () => h("i"), (node, [frame, i]) => {
      node.style.left = `${(100 * i) / last}%`;
      node.className = frame.always.some(Boolean) ? "dp-flag-no" : frame.fault ? "dp-flag-fault" : "dp-flag-ask";
    });
  }

  /** Whether anything happens next by itself: `rests` is said of a frame where nothing does. */
  canGrow(frame) {
    return this.head.live && !frame.rests;
  }

  move(by) {
    const shown = this.shown, at = shown.indexOf(this.frame), to = shown[Math.max(0, Math.min(shown.length - 1, at + by))];
    if (to !== this.frame) this.go(to.n);
    else if (by > 0 && !this.asked && this.canGrow(this.frame)) this.ask({ kind: "ahead", at: this.n, steps: 1 });
    else if (by > 0 && this.asked) this.ui.ask.querySelector("button")?.focus();
  }

  toEnd(sign) {
    this.pause();
    this.go((sign < 0 ? this.shown[0] : this.shown.at(-1)).n);
  }

  scrub() {
    this.pause();
    this.go(this.shown[Number(this.ui.scrub.value)].n, { quick: true });
  }

  visit(n) {
    this.pause();
    this.focus = n;
    this.go(n, { quick: true });
  }

  toggle() {
    this.timer ? this.pause() : this.play();
  }

  play() {
    const onward = this.shown.at(-1) === this.frame; // a run is played to its end; pressed there, it goes on
    const tick = () => {
      this.timer = setTimeout(tick, SPEEDS[this.ui.speed.value]);
      if (this.waiting) return;
      const end = this.shown.at(-1) === this.frame;
      if (end && !(onward && this.canGrow(this.frame))) return this.pause();
      if (end) this.ask({ kind: "ahead", at: this.n, steps: 10 });
      else this.move(1);
    };
    this.face("pause", "Pause");
    tick();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.face("play", "Play");
  }

  face(sign, name) {
    this.ui.play.replaceChildren(icon(sign));
    Object.assign(this.ui.play, { ariaLabel: name, title: name });
  }

  hideQuiet(hidden) {
    this.hidingQuiet = hidden;
    this.ui.quiet.setAttribute("aria-pressed", String(hidden));
    this.redraw = true;
  }

  toggleQuiet() {
    this.hideQuiet(!this.hidingQuiet);
    this.go(this.n, { quick: true });
  }

  // what the kernel is asked, and what it says

  choose(choice, fill) {
    this.menus.close();
    this.pause();
    if (choice.ask && fill === undefined && this.head.live) return this.menus.showFill(choice);
    if (choice.taken !== undefined && !choice.ask) return this.go(choice.taken);
    this.ask({ kind: "do", at: this.n, choice: choice.index, ...(fill === undefined ? {} : { fill }) });
  }

  ask(message) {
    if (!this.head.live) return this.tell("This page has no kernel: it shows the run that was saved.");
    this.waiting = true;
    clearTimeout(this.saving); // the message itself says where we stand; told later, it would undo the answer
    clearTimeout(this.late);
    this.late = setTimeout(() => this.waiting && this.tell("Waiting for the kernel…"), 1000);
    this.model.send(message);
  }

  runUntil() {
    const name = this.ui.until.value;
    this.ui.until.value = "";
    if (name && !this.asked) this.ask({ kind: "until", at: this.n, name });
  }

  hear(message) {
    const waited = this.waiting;
    this.waiting = false;
    clearTimeout(this.late);
    if (message.kind === "refused") return this.refused(message);
    if (message.kind !== "frames") return;
    this.run.words.push(...message.words);
    this.run.add(message.frames);
    Object.assign(this.run.codes, message.codes);
    this.stale = this.redraw = true;
    this.ui.quiet.hidden &&= !message.frames.some((frame) => frame.quiet);
    this.go(waited ? message.cursor : this.n, { quick: !waited });
    this.tell(message.said, this.ui.live.textContent);
  }

  /** Nothing was done. A replay code that cannot be used stays in its field, to be mended. */
  refused({ why, code }) {
    this.pause();
    if (code !== undefined) this.menus.showHelp(code, why);
    this.tell(why);
  }

  reload() {
    this.pause();
    this.run = new Run(this.model);
    this.answers = { ...this.model.get("answers") };
    Object.assign(this, { path: [], n: undefined, focus: null, redraw: true });
    this.go(this.model.get("cursor"), { quick: true });
  }

  /** Answers that were given in another view of this player. */
  heed(answers) {
    if (answers === this.answers) return;
    this.answers = { ...answers };
    this.redraw = true;
    this.go(this.n, { quick: true });
  }

  tell(text, after = "") {
    this.ui.said.textContent = plain(text);
    if (text) this.ui.live.textContent = `${plain(text)}. ${after}`;
  }

  async copyCode() {
    try {
      await navigator.clipboard.writeText(this.code);
      this.tell("replay code copied");
    } catch {
      getSelection().selectAllChildren(this.ui.code); // no clipboard here: at least it is selected
      this.tell("press Ctrl+C to copy the code");
    }
  }

  // keys

  key(event) {
    event.stopPropagation(); // nothing typed here is for the notebook
    const { target, key } = event, typing = target.matches("input[type=text], select");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") return this.menus.shut ? this.visitNone() : this.menus.close();
    if (!this.menus.shut && ["ArrowDown", "ArrowUp"].includes(key)) return event.preventDefault(), this.menus.roam(key === "ArrowDown" ? 1 : -1);
    if (typing || (key === " " && target.matches("button, [role=button]"))) return;
    const acts = {
      ArrowRight: () => this.move(1), ArrowLeft: () => this.move(-1), Home: () => this.toEnd(-1), End: () => this.toEnd(1),
      PageDown: () => this.move(10), PageUp: () => this.move(-10), " ": () => this.toggle(), "?": () => this.menus.showHelp(),
    };
    const nth = /^[1-9]$/.test(key) ? (this.asked ? this.ui.ask.querySelectorAll("button") : this.ui.next.children)[key - 1] : null;
    const act = acts[key] ?? (nth ? () => nth.click() : null);
    if (!act) return;
    event.preventDefault();
    if (["ArrowRight", "ArrowLeft"].includes(key)) this.pause();
    act();
  }

  visitNone() {
    this.focus = null;
    this.strip.mark(this.frame, null);
  }
}

export default {
  render({ model, el }) {
    const view = new PlayerView(model, el);
    return () => view.leave();
  },
};
