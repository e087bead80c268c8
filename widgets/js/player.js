// @ts-check
// The player of one run: picture, words, controls and time on one screen. It has the run's frames and steps by itself;
// only what makes new steps is asked of the kernel. One state, and one way to change it: `update`.

import { h, icon, plain, rich, sentence, svg, Undo } from "./dom.js";
import { tall } from "./layout.js";
import { isFault, Menus } from "./menus.js";
import { Run } from "./run.js";
import { signOf } from "./signs.js";
import { hueOf, Stage } from "./stage.js";
import { Time, timeHeight } from "./time.js";
import { heard, inColumn, Words } from "./words.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./run.js").Choice} Choice */
/**
 * @typedef {object} State
 * @property {number} n the step that is shown
 * @property {Frame[]} path the branch that is shown, to its end
 * @property {Frame | null} asked the step whose question is open, if we stand before it
 * @property {number | null} focus the event whose causes are lit
 * @property {boolean} hidesQuiet
 * @property {boolean} playing
 * @property {boolean} waiting for the kernel
 * @property {boolean} gone the kernel does not answer
 * @property {Record<string, number>} answers
 * @property {string} speed
 */

const SPEEDS = /** @type {Record<string, number>} */ ({ "½×": 2400, "1×": 1200, "2×": 600, "4×": 250 });
const PATIENCE = 1800; // milliseconds in which a kernel says that it heard
const GONE = "The kernel does not answer: it is busy, or gone. If it was restarted, run this cell again.";
const NARROW = 480;
const SIDE = 720;

export class PlayerView {
  /** @param {any} model @param {HTMLElement} host */
  constructor(model, host) {
    this.model = model;
    this.head = model.get("head");
    this.run = new Run(model.get("frames"), model.get("words"), model.get("codes"));
    this.undo = new Undo();
    /** @type {State} */
    this.state = {
      n: 0,
      path: [],
      asked: null,
      focus: null,
      hidesQuiet: Boolean(this.head.hidesQuiet),
      playing: false,
      waiting: false,
      gone: false,
      answers: { ...model.get("answers") },
      speed: "1×",
    };
    // the card, built once
    const button = (
      /** @type {any} */ text,
      /** @type {string} */ name,
      /** @type {(event: any) => void} */ onclick,
      kind = "",
      more = {},
    ) => h("button", { type: "button", "aria-label": name, title: name, class: kind, onclick, ...more }, text);
    const opens = { "aria-haspopup": "dialog" };
    const { head } = this;
    this.menus = new Menus(this);
    this.words = new Words(this);
    this.time = new Time((n, lights) => this.visit(n, lights), this.undo);
    this.asks = "Request…";
    const ui = (this.ui = {
      cost: h("span", { class: "dp-cost" }),
      branches: h("button", {
        type: "button",
        class: "dp-branches",
        ...opens,
        onclick: () => this.menus.showRun(ui.branches),
      }),
      more: button(
        icon("more"),
        "More: branches, replay code, keys and signs",
        () => this.menus.showRun(ui.more),
        "dp-more-button",
        opens,
      ),
      help: button("?", "Keys and signs", () => this.menus.showHelp(ui.help), "", opens),
      stage: h("div", { class: "dp-stage" }),
      said: h("div", { class: "dp-said" }),
      first: button(icon("first"), "First step", () => this.toEnd(-1), "dp-wide"),
      back: button(icon("back"), "Back one step", () => this.move(-1)),
      play: button(icon("play"), "Play", () => this.toggle(), "dp-play"),
      forward: button(icon("forward"), "Forward one step", () => this.move(1)),
      last: button(icon("last"), "Last step", () => this.toEnd(1), "dp-wide"),
      count: h("span", { class: "dp-count" }),
      speed: button("1×", "Speed", () => this.faster(), "dp-speed"),
      until: button("Run until…", "Run until…", () => this.menus.showUntil(ui.until), "", opens),
      ask: button(
        "Request…",
        "Request…",
        () => this.menus.showChoices(this.asks.replace("…", ""), this.offered(false), ui.ask),
        "",
        opens,
      ),
      break: button(
        "Break…",
        "Break…",
        () => this.menus.showChoices("Break, or mend", this.offered(true), ui.break),
        "",
        opens,
      ),
      live: h("div", { class: "dp-sr", "aria-live": "polite" }),
    });
    this.stage = new Stage(ui.stage, (id, at) => this.menus.showMark(id, at));
    const part = (/** @type {string} */ name, /** @type {any[]} */ ...children) =>
      h("div", { class: `dp-${name}` }, ...children);
    this.card = h(
      "div",
      { class: "dp-card" },
      part(
        "head",
        h("b", {}, head.title),
        h("span", { class: "dp-subtitle" }, head.subtitle),
        part("grow"),
        ui.cost,
        ui.branches,
        ui.help,
        ui.more,
      ),
      h("div", { class: "dp-picture" }, ui.stage, ui.said),
      part(
        "controls",
        ui.first,
        ui.back,
        ui.play,
        ui.forward,
        ui.last,
        ui.count,
        part("grow"),
        ui.speed,
        ui.until,
        ui.ask,
        ui.break,
      ),
      this.words.box,
      this.time.box,
    );
    this.root = h(
      "div",
      {
        class: "dp dp-player",
        role: "group",
        tabindex: 0,
        "aria-label": `${head.title} player`,
        "data-lm-suppress-shortcuts": "true",
      },
      this.card,
      this.menus.box,
      ui.live,
    );
    this.root.append(hatched(this.root));
    this.hasQuiet = [...this.run.frames.values()].some((frame) => frame.quiet);
    const eras = [...this.run.frames.values()].some((frame) => frame.era);
    this.root.style.setProperty("--time", `${timeHeight(head.lanes.length, eras)}px`);
    this.settleControls();
    host.append(this.root);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.saving = this.late = this.timer;
    this.code = "";
    this.hiddenShown = -1;
    this.go(model.get("cursor"), { quick: true });
    this.listen();
  }

  /** Which controls there are never changes while a run is shown: so they keep their places. */
  settleControls() {
    const { ui, head } = this;
    const words = this.run.words.filter((word) => word.group !== "next");
    const asks = words.filter((word) => !isFault(/** @type {Choice} */ (word)));
    this.asks = asks.every((word) => word.group === "request") ? "Request…" : "Do…";
    ui.ask.textContent = this.asks;
    Object.assign(ui.ask, { ariaLabel: this.asks, title: this.asks });
    ui.until.hidden = !head.until.length || !head.live;
    ui.ask.hidden = !asks.length || !head.live;
    ui.break.hidden = asks.length === words.length || !head.live;
  }

  listen() {
    const { undo, model } = this;
    const heard = /** @type {Record<string, (message: any) => void>} */ ({
      "change:frames": () => this.reload(),
      "change:answers": () => this.heed(model.get("answers")),
      "change:cursor": () => this.follow(model.get("cursor")),
      "msg:custom": (message) => this.hear(message),
    });
    for (const [name, handler] of Object.entries(heard)) {
      model.on(name, handler);
      undo.add(() => model.off(name, handler));
    }
    undo.on(this.root, "keydown", (event) => this.key(event));
    undo.on(this.root, "keyup", (event) => {
      if (event.key === " " && event.target.closest(".dp-option")) event.preventDefault(); // Space never answers
    });
    undo.on(this.root, "click", (event) => {
      if (!this.menus.shut && !event.target.closest(".dp-menu, [aria-haspopup]")) this.menus.close();
    });
    undo.resized(this.ui.stage, () => this.measure());
    undo.resized(this.time.box, ({ contentRect }) => this.time.resize(contentRect.width));
    undo.add(() => this.pause());
    undo.add(() => this.stage.leaveAll());
    undo.add(() => [this.saving, this.late].forEach((timer) => clearTimeout(timer)));
    this.measure();
    this.time.resize(this.time.box.clientWidth);
  }

  leave() {
    this.undo.run();
    this.root.remove();
  }

  /** The picture takes the room that it has; on a phone it takes the height that it needs. */
  measure() {
    const width = this.root.clientWidth;
    if (!width) return;
    const sizes = [...this.run.picture(this.state.n)].map(([id, { head }]) => ({
      ...(this.run.sizes.get(id) ?? head),
      height: (this.run.sizes.get(id) ?? head).height + (head.title ? 20 : 0),
    }));
    this.words.wide = this.words.next.clientWidth || this.words.wide;
    const high = width < NARROW ? Math.min(690, tall(sizes, width)) : width < SIDE ? 304 : 0;
    if (high) this.root.style.setProperty("--tall", `${high}px`);
    const { clientWidth, clientHeight } = this.ui.stage;
    if (clientWidth === this.stage.width && clientHeight === this.stage.height) return;
    this.stage.resize(clientWidth, clientHeight);
    this.words.fit();
  }

  // where we are

  /** @returns {Frame} */
  get frame() {
    return this.run.frame(this.state.n);
  }

  /** What a page can do: `ask` the kernel; `act`, if it is not before a question. */
  get can() {
    const ask = this.head.live && !this.state.gone;
    return { ask, act: ask && !this.state.asked };
  }

  /** The frames of the branch that are shown: without heartbeats where they are hidden. */
  get shown() {
    const { path, hidesQuiet, n } = this.state;
    return hidesQuiet ? path.filter((frame) => !frame.quiet || frame.n === n) : path;
  }

  /** The first step of the branch whose question is open: nothing beyond it is shown. @returns {Frame | undefined} */
  get lock() {
    return this.state.path.find((frame) => frame.ask && this.state.answers[frame.n] === undefined);
  }

  /** The step after the one that is shown, on the branch that is shown. */
  get ahead() {
    const at = this.state.path.findIndex((frame) => frame.n === this.state.n);
    return this.state.path[at + 1];
  }

  /**
   * The one way to change what is shown.
   * @param {Partial<State>} change
   * @param {{ quick?: boolean, redraw?: boolean }} [how]
   */
  update(change, { quick = false, redraw = false } = {}) {
    const path = this.state.path;
    const shownQuiet = this.hiddenShown;
    Object.assign(this.state, change);
    const { asked, focus, n } = this.state;
    const { run, head, frame } = this;
    this.hiddenShown = this.state.hidesQuiet && frame.quiet ? n : -1; // a hidden step has a place only while it is shown
    const parent = run.parent(frame);
    const live = new Set(asked || !this.can.ask ? [] : run.choices(n).flatMap((choice) => choice.about ?? []));
    const shown = {
      picture: run.picture(n),
      before: parent && run.picture(parent.n),
      frame,
      asked,
      live,
      sizes: run.sizes,
    };
    if (redraw || path !== this.state.path || shownQuiet !== this.hiddenShown) {
      const lock = this.lock?.depth ?? Number.POSITIVE_INFINITY;
      this.time.draw(this.shown, head.lanes, lock, (at, lane) => this.look(at, lane), this.others());
    }
    this.time.mark(frame, focus, Boolean(asked));
    this.controls();
    this.announce();
    this.stage.show(shown, !quick, () => this.showWords());
  }

  showWords() {
    const { asked, answers } = this.state;
    const { frame, words } = this;
    words.show(frame, {
      asked,
      answer: answers[frame.n],
      always: this.head.always,
      hue: hueOf(frame) ?? "soft",
      hueOf: (who) => this.look(frame, who).hue,
      sign: signOf(this.run, frame),
    });
    words.showNext(this.run.choices(frame.n), this.ahead, Boolean(asked));
  }

  /** How a process stands at a step: the shape and the hue of its disc. @param {Frame} frame @param {string} who */
  look(frame, who) {
    for (const { marks } of this.run.picture(frame.n).values()) {
      const disc = marks.get(`process:${who}`);
      if (disc)
        return { role: disc.role ?? "ink", hue: disc.hue || (/^c\d$/.test(disc.role ?? "") ? String(disc.role) : "") };
    }
    return { role: "ink", hue: "" };
  }

  /** The other branches, as lines beneath the rail. */
  others() {
    const { path } = this.state;
    const mine = new Set(path.map((frame) => frame.n));
    return this.run
      .leaves()
      .filter((leaf) => !mine.has(leaf.n))
      .slice(0, 4)
      .map((leaf) => {
        let at = leaf;
        for (let next = this.run.parent(at); next && !mine.has(at.n); next = this.run.parent(at)) at = next;
        return { from: at.depth, to: leaf.depth };
      });
  }

  /** @param {number} n @param {{ quick?: boolean, redraw?: boolean, path?: Frame[], change?: Partial<State> }} [how] */
  go(n, { quick = false, redraw = false, path = this.state.path, change = {} } = {}) {
    const from = this.state.path.length ? this.frame : null;
    if (redraw || !path.some((frame) => frame.n === n)) path = this.run.branch(n, path);
    this.state.path === path || (redraw = true);
    this.state.path = path;
    Object.assign(this.state, change);
    const frame = this.run.frame(n);
    const lock = this.lock;
    const asked = lock && frame.depth >= lock.depth ? lock : null;
    const to = asked ? this.run.frame(asked.parent ?? asked.n) : frame;
    if (this.state.focus !== null && this.state.focus !== to.n) this.state.focus = null;
    this.tell("");
    const near = from !== null && to.depth === from.depth + 1;
    if (asked) this.pause();
    this.update({ n: to.n, asked }, { quick: quick || !near, redraw });
    if (asked) this.words.read.querySelector("p")?.focus({ preventScroll: true });
    clearTimeout(this.saving); // the kernel is told where we stand when we stand still: a step never waits for it
    this.saving = setTimeout(() => this.save("cursor", this.state.n), 120);
  }

  /** @param {string} name @param {any} value */
  save(name, value) {
    if (this.model.get(name) === value) return;
    this.model.set(name, value);
    this.model.save_changes();
  }

  /** The cursor that the kernel sets; not the one that we told it: that would shut a question. @param {number} n */
  follow(n) {
    if (n !== this.state.n && this.run.frames.has(n)) this.go(n);
  }

  /** Said to who hears the page. */
  announce() {
    const { asked, answers } = this.state;
    const { frame } = this;
    if (asked) return this.hush(`Before you see it: ${plain(asked.ask?.prompt ?? "")}`);
    const said = frame.say.length
      ? frame.say.map(([text]) => plain(text))
      : [frame.depth ? plain(sentence(frame.event)) : "Nothing has happened yet."];
    const broken = this.head.always.flatMap((/** @type {string} */ name, /** @type {number} */ i) =>
      frame.always[i] ? [`Broken: ${name}: ${plain(frame.always[i])}.`] : [],
    );
    this.hush(
      [...broken, heard(frame, answers[frame.n]), frame.depth ? `Step ${frame.depth}.` : "The start.", ...said]
        .join(" ")
        .trim(),
    );
  }

  /** @param {string} text */
  hush(text) {
    this.ui.live.textContent = text;
  }

  /** @param {number} option */
  answer(option) {
    const { asked, answers } = this.state;
    if (!asked?.ask?.options[option]) return;
    const now = { ...answers, [asked.n]: option };
    this.save("answers", now);
    this.go(asked.n, { redraw: true, change: { answers: now } });
    this.root.focus({ preventScroll: true });
  }

  // the controls

  controls() {
    const { ui, frame, shown, run } = this;
    const { path, asked, playing, speed } = this.state;
    const at = shown.indexOf(frame);
    const end = at === shown.length - 1;
    const leaf = path[path.length - 1];
    ui.count.replaceChildren(h("b", {}, String(frame.depth)), ` / ${leaf.depth}`);
    this.time.rail.setAttribute(
      "aria-valuetext",
      asked ? "a question" : `step ${frame.depth} of ${leaf.depth}: ${plain(frame.event)}`,
    );
    ui.first.disabled = ui.back.disabled = at === 0;
    ui.forward.disabled = Boolean(asked) || (end && !this.canGrow);
    ui.last.disabled = Boolean(asked) || end;
    ui.play.disabled = ui.forward.disabled && !playing;
    for (const each of [ui.until, ui.ask, ui.break]) each.disabled = !this.can.act;
    this.showSpeed(speed);
    const costs = Object.entries(frame.cost).map(
      ([name, count]) => `${count.toLocaleString("en")} ${count === 1 ? one(name) : name}`,
    );
    ui.cost.textContent = [inColumn(frame.clock) ? "" : frame.clock, ...costs].filter(Boolean).join(" · ");
    const code = run.codes[leaf.n];
    this.code = code ? code + (leaf === frame ? "" : `@${frame.depth}`) : "";
    const leaves = run.leaves();
    ui.branches.hidden = leaves.length < 2;
    ui.branches.textContent = `branch ${leaves.indexOf(leaf) + 1} of ${leaves.length}`;
  }

  /** Whether anything happens next by itself: `rests` is said of a frame where nothing does. */
  get canGrow() {
    return this.can.ask && !this.frame.rests;
  }

  /** What can be asked for here, or broken and mended. @param {boolean} faults */
  offered(faults) {
    return this.run.choices(this.state.n).filter((choice) => choice.group !== "next" && isFault(choice) === faults);
  }

  /** @param {number} by */
  move(by) {
    const { asked } = this.state;
    if (asked && by > 0) return;
    if (asked && by < 0) return this.go(this.state.n, { quick: true }); // the step before the question, and then on back
    const shown = this.shown;
    const to = shown[Math.max(0, Math.min(shown.length - 1, shown.indexOf(this.frame) + by))];
    if (to !== this.frame) this.go(to.n);
    else if (by > 0 && this.canGrow) this.send({ kind: "ahead", at: this.state.n, steps: 1 });
  }

  /** @param {number} sign */
  toEnd(sign) {
    this.pause();
    const shown = this.shown;
    this.go(shown[sign < 0 ? 0 : shown.length - 1].n, { quick: true });
  }

  /** @param {number} n @param {boolean} lights */
  visit(n, lights) {
    this.pause();
    this.go(n, { quick: true, change: { focus: null } });
    if (lights && this.state.n === n) this.update({ focus: n }, { quick: true });
  }

  /** Take another branch. @param {Frame[]} path @param {number} n */
  take(path, n) {
    this.state.path = [];
    this.go(n, { quick: true, path, redraw: false });
  }

  toggle() {
    if (this.state.playing) this.pause();
    else this.play();
  }

  play() {
    const onward = this.shown[this.shown.length - 1] === this.frame; // a run is played to its end; pressed there, it goes on
    const tick = () => {
      this.timer = setTimeout(tick, SPEEDS[this.state.speed]);
      if (this.state.waiting) return;
      const end = this.shown[this.shown.length - 1] === this.frame;
      if (this.state.asked || (end && !(onward && this.canGrow))) this.pause();
      else if (end) this.send({ kind: "ahead", at: this.state.n, steps: 10 });
      else this.move(1);
    };
    this.state.playing = true;
    this.face("pause", "Pause");
    tick();
  }

  pause() {
    clearTimeout(this.timer);
    if (!this.state.playing) return;
    this.state.playing = false;
    this.face("play", "Play");
  }

  /** @param {"play" | "pause"} sign @param {string} name */
  face(sign, name) {
    this.ui.play.replaceChildren(icon(sign));
    Object.assign(this.ui.play, { ariaLabel: name, title: name });
  }

  faster() {
    const names = Object.keys(SPEEDS);
    this.state.speed = names[(names.indexOf(this.state.speed) + 1) % names.length];
    this.showSpeed(this.state.speed);
  }

  /** @param {string} speed */
  showSpeed(speed) {
    this.ui.speed.textContent = speed;
    this.ui.speed.ariaLabel = `Speed ${speed}`;
  }

  toggleQuiet() {
    this.update({ hidesQuiet: !this.state.hidesQuiet }, { quick: true, redraw: true });
    this.tell(
      this.state.hidesQuiet ? `${this.head.quiet} are hidden: steps may be left out` : `${this.head.quiet} are shown`,
    );
  }

  // what the kernel is asked, and what it says

  /** @param {Choice} choice @param {string} [fill] */
  choose(choice, fill) {
    if (choice.ask && fill === undefined && this.can.ask) return this.menus.showFill(choice);
    this.menus.close();
    this.pause();
    if (choice.taken !== undefined && (!choice.ask || fill === undefined)) return this.go(choice.taken);
    this.send({ kind: "do", at: this.state.n, choice: choice.index, ...(fill === undefined ? {} : { fill }) });
  }

  /** @param {string} name */
  runUntil(name) {
    if (!this.state.asked) this.send({ kind: "until", at: this.state.n, name });
  }

  /** @param {Record<string, any>} message */
  send(message) {
    if (!this.head.live) return this.tell("This page has no kernel: it shows the run that was saved.");
    this.state.waiting = true;
    clearTimeout(this.saving); // the message itself says where we stand; told later, it would undo the answer
    clearTimeout(this.late);
    this.late = setTimeout(() => this.unheard(), PATIENCE);
    try {
      this.model.send(message);
    } catch {
      this.unheard();
    }
  }

  /** The kernel did not even say that it heard. */
  unheard() {
    if (!this.state.waiting) return;
    clearTimeout(this.late);
    this.pause();
    this.update({ waiting: false, gone: true }, { quick: true });
    this.tell(GONE);
  }

  /** @param {any} message */
  hear(message) {
    if (message.kind === "heard") {
      clearTimeout(this.late);
      this.late = setTimeout(() => this.state.waiting && this.tell("The kernel is at work…"), 600);
      return;
    }
    const waited = this.state.waiting || this.state.gone;
    Object.assign(this.state, { waiting: false, gone: false });
    clearTimeout(this.late);
    if (message.kind === "refused") return this.refused(message);
    if (message.kind !== "frames") return;
    this.run.words.push(...message.words);
    this.run.add(message.frames);
    Object.assign(this.run.codes, message.codes);
    this.hasQuiet ||= message.frames.some((/** @type {Frame} */ frame) => frame.quiet);
    this.go(waited ? message.cursor : this.state.n, { quick: !waited, redraw: true });
    const after = this.ui.live.textContent ?? "";
    this.tell(message.said, after);
  }

  /** Nothing was done. A replay code that cannot be used stays in its field, to be mended. @param {{ why: string, code?: string }} message */
  refused({ why, code }) {
    this.pause();
    this.update({}, { quick: true });
    if (code !== undefined) this.menus.showRun(this.ui.more, code, why);
    this.tell(why);
  }

  /** Another run. */
  reload() {
    const { model } = this;
    this.pause();
    this.head = model.get("head");
    this.run = new Run(model.get("frames"), model.get("words"), model.get("codes"));
    this.hasQuiet = [...this.run.frames.values()].some((frame) => frame.quiet);
    const eras = [...this.run.frames.values()].some((frame) => frame.era);
    this.root.style.setProperty("--time", `${timeHeight(this.head.lanes.length, eras)}px`);
    this.settleControls();
    Object.assign(this.state, {
      path: [],
      focus: null,
      answers: { ...model.get("answers") },
      waiting: false,
      gone: false,
    });
    this.go(model.get("cursor"), { quick: true });
  }

  /** Answers that were given in another view of this player. @param {Record<string, number>} answers */
  heed(answers) {
    if (JSON.stringify(answers) === JSON.stringify(this.state.answers)) return;
    this.go(this.state.asked?.n ?? this.state.n, { quick: true, redraw: true, change: { answers: { ...answers } } });
  }

  /** @param {string} text @param {string} [after] */
  tell(text, after = "") {
    this.ui.said.replaceChildren(...rich(text).map((part) => part ?? ""));
    this.ui.said.hidden = !text;
    if (text) this.hush(`${plain(text)}. ${after}`);
  }

  async copyCode() {
    try {
      await navigator.clipboard.writeText(this.code ?? "");
      this.menus.close();
      this.tell("replay code copied");
    } catch {
      const text = this.menus.box.querySelector(".dp-codetext"); // no clipboard here: at least it is selected
      if (text) getSelection()?.selectAllChildren(text);
      this.tell("press Ctrl+C to copy the code");
    }
  }

  // keys

  /** @param {KeyboardEvent} event */
  key(event) {
    event.stopPropagation(); // nothing typed here is for the notebook
    const { key } = event;
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.actOf(key, target);
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** What a key does here; nothing if it is the browser's. @param {string} key @param {HTMLElement} target @returns {(() => void) | null | undefined} */
  actOf(key, target) {
    const { menus } = this;
    const button = target.closest("button, summary, [role=button], [role=checkbox]");
    const inMenu = !menus.shut && Boolean(target.closest(".dp-menu"));
    if (key === "Escape") return () => (menus.shut ? this.update({ focus: null }, { quick: true }) : menus.close());
    if (!menus.shut && ["ArrowDown", "ArrowUp"].includes(key)) return () => menus.roam(key === "ArrowDown" ? 1 : -1);
    if (target.matches("input[type=text]")) return null;
    if (target.closest(".dp-stage") && ["ArrowDown", "ArrowUp"].includes(key))
      return () => this.stage.roam(key === "ArrowDown" ? 1 : -1);
    if ((key === "Enter" || key === " ") && target.closest(".dp-stage"))
      return () => menus.showMark(/** @type {any} */ (target).dataset.id, target);
    if (key === "Enter" && target === this.time.rail)
      return () => this.update({ focus: this.state.focus === null ? this.state.n : null }, { quick: true });
    if (key === " ") return button && !button.closest(".dp-options") ? null : () => this.state.asked || this.toggle();
    if (inMenu && /^[1-9]$/.test(key)) return null;
    if (/^[1-9]$/.test(key)) {
      if (this.state.asked) return () => this.answer(Number(key) - 1);
      const nth = /** @type {HTMLElement | undefined} */ (this.words.nextList.children[Number(key) - 1]);
      return nth && (() => nth.click());
    }
    return {
      ArrowRight: () => (this.pause(), this.move(1)),
      ArrowLeft: () => (this.pause(), this.move(-1)),
      Home: () => this.toEnd(-1),
      End: () => this.toEnd(1),
      PageDown: () => this.move(10),
      PageUp: () => this.move(-10),
      "?": () => menus.showHelp(this.ui.help),
    }[key];
  }
}

let hatches = 0;

/** The two hatchings, under ids of this card's own: another's may be out of sight, or gone. @param {HTMLElement} root */
function hatched(root) {
  const sheet = svg("svg", null, { class: "dp-sr", "aria-hidden": "true" });
  hatches += 1;
  for (const [name, ground, line] of [
    ["hatch", "--bg", "--faint"],
    ["veil", "--wash", "--line"],
  ]) {
    const id = `dp-${name}-${hatches}`;
    const pattern = svg("pattern", sheet, {
      id,
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    });
    svg("rect", pattern, { width: 6, height: 6, style: `fill:var(${ground})` });
    svg("path", pattern, { d: "M0 0V6", style: `stroke:var(${line});stroke-width:2` });
    root.style.setProperty(`--${name}`, `url(#${id})`);
  }
  return sheet;
}

/** @param {string} name a cost in the plural */
const one = (name) => name.replace(/^(\w+)s\b(?!.*s$)/, "$1").replace(/s$/, "");

export default {
  /** @param {{ model: any, el: HTMLElement }} place */
  render({ model, el }) {
    const view = new PlayerView(model, el);
    return () => view.leave();
  },
};
