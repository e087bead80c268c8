// @ts-check
// What the kernel is asked, and what it says.

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./run.js").Choice} Choice */

const PATIENCE = 1800; // milliseconds in which a kernel says that it heard
const GONE = "The kernel does not answer: it is busy, or gone. If it was restarted, run this cell again.";

export class Kernel {
  /** @param {import("./player.js").PlayerView} view the player */
  constructor(view) {
    this.view = view;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.late = undefined;
  }

  /** @param {Choice} choice @param {string} [fill] */
  choose(choice, fill) {
    const { view } = this;
    if (choice.ask && fill === undefined && view.can.ask) return view.menus.showFill(choice);
    view.menus.close();
    view.controls.pause();
    if (choice.taken !== undefined && (!choice.ask || fill === undefined)) return view.go(choice.taken);
    this.send({ kind: "do", at: view.state.n, choice: choice.index, ...(fill === undefined ? {} : { fill }) });
  }

  /** @param {string} name */
  runUntil(name) {
    const { view } = this;
    if (!view.state.asked) this.send({ kind: "until", at: view.state.n, name });
  }

  /** @param {Record<string, any>} message */
  send(message) {
    const { view } = this;
    if (!view.head.live) return view.tell("This page has no kernel: it shows the run that was saved.");
    view.state.waiting = true;
    clearTimeout(view.saving); // the message itself says where we stand; told later, it would undo the answer
    clearTimeout(this.late);
    this.late = setTimeout(() => this.unheard(), PATIENCE);
    try {
      view.model.send(message);
    } catch {
      this.unheard();
    }
  }

  /** The kernel did not even say that it heard. */
  unheard() {
    const { view } = this;
    if (!view.state.waiting) return;
    clearTimeout(this.late);
    view.controls.pause();
    view.update({ waiting: false, gone: true }, { quick: true });
    view.tell(GONE);
  }

  /** @param {any} message */
  hear(message) {
    const { view } = this;
    if (message.kind === "heard") {
      clearTimeout(this.late);
      this.late = setTimeout(() => view.state.waiting && view.tell("The kernel is at work…"), 600);
      return;
    }
    const waited = view.state.waiting || view.state.gone;
    Object.assign(view.state, { waiting: false, gone: false });
    clearTimeout(this.late);
    if (message.kind === "refused") return this.refused(message);
    if (message.kind !== "frames") return;
    view.run.words.push(...message.words);
    view.run.add(message.frames);
    Object.assign(view.run.codes, message.codes);
    view.hasQuiet ||= message.frames.some((/** @type {Frame} */ frame) => frame.quiet);
    view.go(waited ? message.cursor : view.state.n, { quick: !waited, redraw: true });
    const after = view.ui.live.textContent ?? "";
    view.tell(message.said, after);
  }

  /** Nothing was done. A replay code that cannot be used stays in its field, to be mended. @param {{ why: string, code?: string }} message */
  refused({ why, code }) {
    const { view } = this;
    view.controls.pause();
    view.update({}, { quick: true });
    if (code !== undefined) view.menus.showRun(view.ui.more, code, why);
    view.tell(why);
  }
}
