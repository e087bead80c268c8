// @ts-check
// The player of one run: picture, words, controls and time on one screen. It has the run's frames and steps by itself;
// only what makes new steps is asked of the kernel (kernel.js). One state, and one way to change it: `update`.

import { built } from "./card.js";
import { isFault } from "./choices.js";
import { Controls } from "./controls.js";
import { plain, rich, sentence, Undo } from "./dom.js";
import { Kernel } from "./kernel.js";
import { press } from "./keys.js";
import { least, tall } from "./layout.js";
import { Menus } from "./menus.js";
import { accused, Run } from "./run.js";
import { signOf } from "./signs.js";
import { hueOf, Stage } from "./stage.js";
import { Time, timeHeight } from "./time.js";
import { heard, Words } from "./words.js";

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
    this.kernel = new Kernel(this);
    this.controls = new Controls(this);
    this.menus = new Menus(this);
    this.words = new Words(this);
    this.time = new Time((n, lights) => this.visit(n, lights), this.undo);
    const { ui, root } = built(this);
    this.ui = ui;
    this.root = root;
    this.stage = new Stage(ui.stage, (id, at) => this.menus.showMark(id, at));
    this.hasQuiet = [...this.run.frames.values()].some((frame) => frame.quiet);
    const eras = [...this.run.frames.values()].some((frame) => frame.era);
    this.root.style.setProperty("--time", `${timeHeight(this.head.lanes.length, eras)}px`);
    this.controls.settle();
    host.append(this.root);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.saving = undefined;
    this.hiddenShown = -1;
    this.go(model.get("cursor"), { quick: true });
    this.listen();
  }

  listen() {
    const { undo, model } = this;
    const heard = /** @type {Record<string, (message: any) => void>} */ ({
      "change:frames": () => this.reload(),
      "change:answers": () => this.heed(model.get("answers")),
      "change:cursor": () => this.follow(model.get("cursor")),
      "msg:custom": (message) => this.kernel.hear(message),
    });
    for (const [name, handler] of Object.entries(heard)) {
      model.on(name, handler);
      undo.add(() => model.off(name, handler));
    }
    undo.on(this.root, "keydown", (event) => press(this, event));
    undo.on(this.root, "keyup", (event) => {
      if (event.key === " " && event.target.closest(".dp-option")) event.preventDefault(); // Space never answers
    });
    undo.on(this.root, "click", (event) => {
      if (!this.menus.shut && !event.target.closest(".dp-menu, [aria-haspopup]")) this.menus.close();
    });
    undo.resized(this.ui.stage, () => this.measure());
    undo.resized(this.time.box, ({ contentRect }) => this.time.resize(contentRect.width));
    undo.add(() => this.controls.pause());
    undo.add(() => this.stage.leaveAll());
    undo.add(() => [this.saving, this.kernel.late].forEach((timer) => clearTimeout(timer)));
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
      title: Boolean(head.title),
    }));
    this.words.wide = this.words.next.clientWidth || this.words.wide;
    const high = width < NARROW ? Math.min(690, tall(sizes, width)) : width < SIDE ? Math.max(304, least(sizes)) : 0;
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
    const last = path[path.length - 1]; // always shown: the end of the rail is the end of the run
    return hidesQuiet ? path.filter((frame) => !frame.quiet || frame.n === n || frame === last) : path;
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

  /** The replay code of what is shown. */
  get code() {
    const leaf = this.state.path[this.state.path.length - 1];
    const code = this.run.codes[leaf.n];
    return code ? code + (leaf === this.frame ? "" : `@${this.frame.depth}`) : "";
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
      wrong: asked ? new Set() : accused(frame, head.lanes),
    };
    if (redraw || path !== this.state.path || shownQuiet !== this.hiddenShown) {
      const lock = this.lock?.depth ?? Number.POSITIVE_INFINITY;
      this.time.draw(this.shown, head.lanes, lock, (at, lane) => this.look(at, lane), this.others());
    }
    this.time.mark(frame, focus, Boolean(asked));
    this.controls.show();
    this.announce();
    this.stage.show(
      shown,
      !quick,
      () => this.showWords(),
      () => this.words.fit(),
    );
  }

  showWords() {
    const { asked, answers } = this.state;
    const { frame, words } = this;
    words.showNext(this.run.choices(frame.n), this.ahead, Boolean(asked)); // first: the words have the room that it leaves
    words.show(frame, {
      asked,
      answer: answers[frame.n],
      always: this.head.always,
      hue: hueOf(frame) ?? "soft",
      hueOf: (who) => this.look(frame, who).hue,
      sign: signOf(this.run, frame),
      todo: this.todo,
    });
  }

  /** What a learner can do at the start. */
  get todo() {
    if (!this.head.live) return this.ahead ? " Step forward." : "";
    if (this.ahead || !this.frame.rests) return " Step forward, or choose what happens.";
    return this.offered(false).length ? " Press **Request…**, and choose." : " Choose what happens.";
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
    if (asked) this.controls.pause();
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
    else if (by > 0 && this.canGrow) this.kernel.send({ kind: "ahead", at: this.state.n, steps: 1 });
  }

  /** @param {number} sign */
  toEnd(sign) {
    this.controls.pause();
    const shown = this.shown;
    this.go(shown[sign < 0 ? 0 : shown.length - 1].n, { quick: true });
  }

  /** @param {number} n @param {boolean} lights */
  visit(n, lights) {
    this.controls.pause();
    this.go(n, { quick: true, change: { focus: null } });
    if (lights && this.state.n === n) this.update({ focus: n }, { quick: true });
  }

  /** Take another branch. @param {Frame[]} path @param {number} n */
  take(path, n) {
    this.state.path = [];
    this.go(n, { quick: true, path, redraw: false });
  }

  toggleQuiet() {
    this.update({ hidesQuiet: !this.state.hidesQuiet }, { quick: true, redraw: true });
    this.tell(
      this.state.hidesQuiet ? `${this.head.quiet} are hidden: steps may be left out` : `${this.head.quiet} are shown`,
    );
  }

  /** Another run. */
  reload() {
    const { model } = this;
    this.controls.pause();
    this.head = model.get("head");
    this.run = new Run(model.get("frames"), model.get("words"), model.get("codes"));
    this.hasQuiet = [...this.run.frames.values()].some((frame) => frame.quiet);
    const eras = [...this.run.frames.values()].some((frame) => frame.era);
    this.root.style.setProperty("--time", `${timeHeight(this.head.lanes.length, eras)}px`);
    this.controls.settle();
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
}

export default {
  /** @param {{ model: any, el: HTMLElement }} place */
  render({ model, el }) {
    const view = new PlayerView(model, el);
    return () => view.leave();
  },
};
