// @ts-check
// The controls beneath the picture: which there are, how they stand at a step, and playing.

import { isFault } from "./choices.js";
import { icon, plain, write } from "./dom.js";
import { inColumn } from "./words.js";

/** @typedef {import("./run.js").Choice} Choice */

const SPEEDS = /** @type {Record<string, number>} */ ({ "½×": 2400, "1×": 1200, "2×": 600, "4×": 250 });

export class Controls {
  /** @param {import("./player.js").PlayerView} view the player */
  constructor(view) {
    this.view = view;
    this.asks = "Request…";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Which controls there are never changes while a run is shown: so they keep their places. */
  settle() {
    const { ui, head, run } = this.view;
    const words = run.words.filter((word) => word.group !== "next" && !word.several);
    const asks = words.filter((word) => !isFault(/** @type {Choice} */ (word)));
    this.asks = asks.every((word) => word.group === "request") ? "Request…" : "Do…";
    ui.ask.textContent = this.asks;
    Object.assign(ui.ask, { ariaLabel: this.asks, title: this.asks });
    ui.until.hidden = !head.until.length || !head.live;
    ui.ask.hidden = !asks.length || !head.live;
    ui.break.hidden = asks.length === words.length || !head.live;
  }

  show() {
    const { view } = this;
    const { ui, frame, shown, run } = view;
    const { path, asked, playing, speed } = view.state;
    const at = shown.indexOf(frame);
    const end = at === shown.length - 1;
    const leaf = path[path.length - 1];
    const [here, whole] = ui.count.children;
    write(here, String(frame.depth));
    write(whole, ` / ${leaf.depth}`);
    view.time.rail.setAttribute(
      "aria-valuetext",
      asked ? "a question" : `step ${frame.depth} of ${leaf.depth}: ${plain(frame.event)}`,
    );
    ui.first.disabled = ui.back.disabled = at === 0;
    ui.forward.disabled = Boolean(asked) || (end && !view.canGrow);
    ui.last.disabled = Boolean(asked) || end;
    ui.play.disabled = ui.forward.disabled && !playing;
    for (const each of [ui.until, ui.ask, ui.break]) each.disabled = !view.can.act;
    this.showSpeed(speed);
    const costs = Object.entries(frame.cost).map(
      ([name, count]) => `${count.toLocaleString("en")} ${count === 1 ? one(name) : name}`,
    );
    write(ui.cost, [inColumn(frame.clock) ? "" : frame.clock, ...costs].filter(Boolean).join(" · "));
    const leaves = run.leaves();
    ui.branches.hidden = leaves.length < 2;
    if (leaves.length > 1) ui.branches.textContent = `branch ${leaves.indexOf(leaf) + 1} of ${leaves.length}`;
  }

  toggle() {
    if (this.view.state.playing) this.pause();
    else this.play();
  }

  play() {
    const { view } = this;
    const onward = view.shown[view.shown.length - 1] === view.frame; // a run is played to its end; pressed there, it goes on
    const tick = () => {
      this.timer = setTimeout(tick, SPEEDS[view.state.speed]);
      if (view.state.waiting) return;
      const end = view.shown[view.shown.length - 1] === view.frame;
      if (view.state.asked || (end && !(onward && view.canGrow))) this.pause();
      else if (end) view.kernel.send({ kind: "ahead", at: view.state.n, steps: 10 });
      else view.move(1);
    };
    view.state.playing = true;
    this.face("pause", "Pause");
    tick();
  }

  pause() {
    const { state } = this.view;
    clearTimeout(this.timer);
    if (!state.playing) return;
    state.playing = false;
    this.face("play", "Play");
  }

  /** @param {"play" | "pause"} sign @param {string} name */
  face(sign, name) {
    const { play } = this.view.ui;
    play.replaceChildren(icon(sign));
    Object.assign(play, { ariaLabel: name, title: name });
  }

  faster() {
    const { state } = this.view;
    const names = Object.keys(SPEEDS);
    state.speed = names[(names.indexOf(state.speed) + 1) % names.length];
    this.showSpeed(state.speed);
  }

  /** @param {string} speed */
  showSpeed(speed) {
    const { ui } = this.view;
    write(ui.speed, speed);
    ui.speed.ariaLabel = `Speed ${speed}`;
  }
}

/** @param {string} name a cost in the plural */
const one = (name) => name.replace(/^(\w+)s\b(?!.*s$)/, "$1").replace(/s$/, "");
