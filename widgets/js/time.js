// @ts-check
// Time, which is the slider: eras by their hue, a line a process, an arrow a message, and a rail with faults, questions
// and the thumb, all on one axis. Short runs take the full width, long ones scroll. What lies ahead is pale; behind an
// open question nothing is drawn. A click on an event lights its causal past and future (Lamport 1978).

import { h, plain, put, svg } from "./dom.js";
import { causesOf, cone } from "./run.js";
import { cut, wide } from "./text.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {{ role: string, hue: string }} LaneLook */

const ERA = 25;
const RAIL = 30;
const EDGE = 16; // pixels before the first step and after the last one
const LEAST = 9; // pixels of a step; where a run has no room for that it scrolls
const THUMB = 20;
const SIZE = 12.5;
const AFTER = "after your answer";

/** Kind of event -> its path around (0, 0); the help names them. @type {Record<string, string>} */
const GLYPH = {
  deliver: "M4.2 0A4.2 4.2 0 1 1-4.2 0 4.2 4.2 0 1 1 4.2 0Z",
  fire: "M0-6L6 0 0 6-6 0Z",
  request: "M-4.5-4.5H4.5V4.5H-4.5Z",
  crash: "M-5-5L5 5M5-5L-5 5",
  restart: "M-4-5.5L6 0-4 5.5Z",
  drop: "M-4-4L4 4M4-4L-4 4",
  local: "M3 0A3 3 0 1 1-3 0 3 3 0 1 1 3 0Z",
  quiet: "M2.4 0A2.4 2.4 0 1 1-2.4 0 2.4 2.4 0 1 1 2.4 0Z",
};

/** The pixels from one lane to the next. @param {number} lanes */
export const pitch = (lanes) => Math.max(13, Math.min(17, 119 / Math.max(1, lanes)));

/** The height of time for so many lanes. @param {number} lanes @param {boolean} eras */
export const timeHeight = (lanes, eras) => Math.round((eras || lanes ? ERA : 4) + lanes * pitch(lanes) + RAIL);

export class Time {
  /**
   * @param {(n: number, lights: boolean) => void} onPick
   * @param {import("./dom.js").Undo} undo
   */
  constructor(onPick, undo) {
    this.names = svg("svg", null, { class: "dp-names", "aria-hidden": "true" });
    this.svg = svg("svg", null, { "aria-hidden": "true" });
    this.rail = h("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Step" });
    this.axis = h("div", { class: "dp-axis" }, this.svg, this.rail);
    this.run = h("div", { class: "dp-run", tabindex: -1 }, this.axis);
    this.tip = h("div", { class: "dp-tip", "aria-hidden": "true", hidden: true });
    this.box = h("div", { class: "dp-time" }, this.names, this.run, this.tip);
    this.onPick = onPick;
    this.room = 0;
    this.veiled = 0; // from where on an open question hides what comes
    this.scrolled = 0; // kept, for to ask the box would make the browser lay out the page
    /** @type {Frame[]} */
    this.path = [];
    /** @type {Map<number, number[]>} */
    this.causes = new Map();
    /** @type {Map<number, any>} */
    this.events = new Map();
    /** @type {number | null} */
    this.lit = null;
    this.lock = Number.POSITIVE_INFINITY;
    /** @type {string[]} */
    this.lanes = [];
    /** @type {(frame: Frame, lane: string) => LaneLook} */
    this.look = () => ({ role: "ink", hue: "" });
    /** @type {{ from: number, to: number }[]} */
    this.others = [];
    /** @type {Frame | undefined} */
    this.here = undefined;
    /** @type {number | null} */
    this.focus = null;
    this.asks = false;
    this.whole = this.gut = this.step = this.low = 0;
    /** @type {Map<number, number>} depth -> column */
    this.place = new Map();
    this.listen(undo);
  }

  /** @param {import("./dom.js").Undo} undo */
  listen(undo) {
    let drags = false;
    const at = (/** @type {PointerEvent} */ event) => {
      const x = event.clientX - this.axis.getBoundingClientRect().left;
      return Math.max(0, Math.min(this.path.length - 1, Math.round((x - EDGE) / (this.step || 1))));
    };
    const pick = (/** @type {number} */ column, lights = false) =>
      this.path[column] && this.onPick(this.path[column].n, lights);
    undo.on(this.run, "scroll", () => {
      this.scrolled = this.run.scrollLeft;
      this.seat();
    });
    undo.on(this.svg, "pointerdown", (event) => {
      drags = true;
      this.svg.setPointerCapture(event.pointerId);
      const glyph = event.target.closest(".dp-event");
      pick(at(event), Boolean(glyph));
    });
    undo.on(this.svg, "pointermove", (event) => {
      const column = at(event);
      if (drags && this.path[column] !== this.here) pick(column);
      this.hint(drags ? -1 : column);
    });
    for (const end of ["pointerup", "pointercancel"]) undo.on(this.svg, end, () => (drags = false));
    undo.on(this.svg, "pointerleave", () => this.hint(-1));
    undo.on(this.rail, "input", () => pick(Number(this.rail.value)));
  }

  /** What stands where the pointer is. @param {number} column */
  hint(column) {
    const frame = this.path[column];
    this.tip.hidden = !frame;
    if (!frame) return;
    this.tip.textContent = frame.depth >= this.lock ? AFTER : `${frame.depth} · ${plain(frame.event)}`;
    const x = this.gut + this.x(column) - this.scrolled;
    const half = this.tip.offsetWidth / 2 + 4;
    this.tip.style.left = `${Math.max(half, Math.min(this.gut + this.room - half, x))}px`;
  }

  /** @param {number} column */
  x(column) {
    return EDGE + column * this.step;
  }

  /** Where a depth stands; a hidden step stands at the one before it. @param {number} depth */
  column(depth) {
    for (let d = depth; d >= 0; d--) {
      const column = this.place.get(d);
      if (column !== undefined) return column;
    }
    return 0;
  }

  /** @param {string} lane */
  y(lane) {
    return ERA + (this.lanes.indexOf(lane) + 0.5) * pitch(this.lanes.length);
  }

  /**
   * Draw a branch: its frames from the root on, without the ones that are hidden.
   * @param {Frame[]} path
   * @param {string[]} lanes
   * @param {number} lock the depth of the first open question; nothing from there on is drawn
   * @param {(frame: Frame, lane: string) => LaneLook} look
   * @param {{ from: number, to: number }[]} others the depths of other branches
   */
  draw(path, lanes, lock, look, others) {
    Object.assign(this, { path, lanes, lock, look, others });
    if (this.room) this.redraw();
  }

  /** @param {number} width of the whole */
  resize(width) {
    this.whole = width;
    this.room = width; // until the names have theirs
    if (this.path.length) this.redraw();
  }

  redraw() {
    const { path, lanes } = this;
    const n = path.length;
    const eras = path.some((frame) => frame.era);
    this.gut = lanes.length ? Math.min(132, Math.max(...lanes.map((lane) => wide(lane, SIZE, 650))) + 22) : 0;
    this.room = this.whole - this.gut;
    this.step = n > 1 ? Math.max(LEAST, (this.room - 2 * EDGE) / (n - 1)) : 0;
    this.place = new Map(path.map((frame, i) => [frame.depth, i]));
    const width = Math.max(this.room, this.x(n - 1) + EDGE);
    const height = timeHeight(lanes.length, eras);
    this.low = height - RAIL;
    this.axis.style.width = `${width}px`;
    put(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    put(this.names, { width: this.gut, height });
    put(this.rail, {
      max: n - 1,
      style: `left:${EDGE - THUMB / 2}px;width:${Math.max(THUMB, this.x(n - 1) - EDGE + THUMB)}px`,
    });
    this.svg.replaceChildren();
    this.names.replaceChildren();
    this.events.clear();
    this.causes = causesOf(path, lanes);
    const last = path.findIndex((frame) => frame.depth >= this.lock);
    const told = last < 0 ? path : path.slice(0, last);
    this.drawEras(told);
    this.drawLanes(told);
    for (const frame of told) if (frame.moment && lanes.includes(frame.moment.lane)) this.drawEvent(frame);
    this.pale = svg("rect", this.svg, { class: "dp-pale", y: 0, height: this.low });
    this.drawRail(path, told, width);
    this.lit = null;
    if (this.here) this.mark(this.here, this.focus, this.asks);
  }

  /** @param {Frame[]} told */
  drawEras(told) {
    const half = this.step / 2;
    for (let i = 0; i < told.length; ) {
      const era = told[i].era;
      let j = i + 1;
      while (j < told.length && told[j].era?.key === era?.key && told[j].era?.tone === era?.tone) j++;
      if (era) {
        const x = i ? this.x(i) - half : 0;
        const end = j === this.path.length ? this.x(j - 1) + EDGE : this.x(j - 1) + half;
        const g = svg("g", this.svg, { class: `dp-era r-${era.role ?? "ink"}` });
        svg("rect", g, { class: "dp-ground", x, y: 0, width: Math.max(1, end - x - 1), height: this.low });
        svg("path", g, { class: "dp-bar", d: `M${x} 1.5H${end - 1}` });
        const names = [era.label, era.label.replace(/^.*? · /, ""), era.label.replace(/[:·].*$/, "").trim()];
        const name = names.find((each) => wide(each, SIZE, 600) < end - x - 10) ?? "";
        svg("text", g, { x: x + 6, y: 17, "font-size": SIZE }).textContent = name;
        svg("title", g).textContent = era.label;
      }
      i = j;
    }
  }

  /** @param {Frame[]} told */
  drawLanes(told) {
    for (const lane of this.lanes) {
      const y = this.y(lane);
      const name = svg("text", this.names, { class: "dp-lanename", x: 12, y: y + 4.5, "font-size": SIZE });
      name.textContent = cut(lane, this.gut - 16, SIZE, 650);
      for (let i = 0; i < told.length; ) {
        const { role, hue } = this.look(told[i], lane);
        let j = i + 1;
        for (let next; j < told.length && (next = this.look(told[j], lane)) && next.role === role && next.hue === hue; )
          j++;
        const x2 =
          j < told.length ? this.x(j) : Math.min(this.x(j - 1) + EDGE, this.x(j - 1) + Math.max(this.step / 2, 6));
        svg("path", this.svg, { class: `dp-lane l-${role} r-${hue || "soft"}`, d: `M${i ? this.x(i) : 0} ${y}H${x2}` });
        i = j;
      }
    }
  }

  /** @param {Frame} frame */
  drawEvent(frame) {
    const { depth } = frame;
    const moment = /** @type {import("./frame.js").Moment} */ (frame.moment);
    const lost = moment.kind === "drop";
    const x = this.x(this.column(depth));
    let y = this.y(moment.lane);
    const g = svg("g", this.svg, {
      class: `dp-event r-${moment.role ?? "ink"} k-${moment.kind}${frame.quiet ? " dp-quiet" : ""}`,
    });
    const sent = moment.sent ?? -1;
    let at = x;
    if (sent >= 0 && moment.sender && this.lanes.includes(moment.sender)) {
      const [x1, y1] = [this.x(this.column(sent)), this.y(moment.sender)];
      if (lost) [at, y] = [x1 + (x - x1) * 0.7, y1 + (y - y1) * 0.7];
      svg("path", g, { class: "dp-hop", d: `M${x1} ${y1}L${at} ${y}` });
    }
    const kind = frame.quiet && moment.kind === "deliver" ? "quiet" : moment.kind;
    svg("path", g, { class: "dp-glyph", d: GLYPH[kind] ?? GLYPH.local, transform: `translate(${at} ${y})` });
    svg("circle", g, { class: "dp-hit", cx: at, cy: y, r: 9 });
    this.events.set(depth, g);
  }

  /** @param {Frame[]} path @param {Frame[]} told @param {number} width */
  drawRail(path, told, width) {
    const y = this.low + RAIL / 2;
    const end = this.x(path.length - 1);
    for (const { from, to } of this.others) {
      const x = this.x(this.column(from));
      svg("path", this.svg, {
        class: "dp-fork",
        d: `M${x} ${y}q5 9 14 9H${Math.max(x + 20, this.x(Math.min(this.column(to), path.length - 1)))}`,
      });
    }
    svg("path", this.svg, { class: "dp-rail", d: `M${EDGE} ${y}H${end}` });
    this.done = svg("path", this.svg, { class: "dp-rail dp-done" });
    if (told.length < path.length) {
      const x = this.x(told.length) - this.step / 2;
      svg("rect", this.svg, { class: "dp-veil", x, y: 0, width: Math.max(0, width - x), height: this.low });
      this.veiled = this.x(told.length) + 12; // right of the cursor, which stands there before the question
      if (width - this.veiled > 140 && this.low > 40)
        svg("text", this.svg, {
          class: "dp-after",
          x: this.veiled,
          y: this.low / 2 + 4,
          "font-size": SIZE,
        }).textContent = AFTER;
      this.seat();
    }
    let held = true;
    for (const frame of path.slice(0, told.length + 1)) {
      const breaks = held && frame.always.some(Boolean); // only where it begins to be broken
      held = !frame.always.some(Boolean);
      const x = this.x(this.column(frame.depth));
      if (frame.ask) {
        const g = svg("g", this.svg, { class: `dp-flag-ask${frame.depth < this.lock ? " dp-answered" : ""}` });
        svg("circle", g, { cx: x, cy: y, r: 8.5 });
        svg("text", g, { x, y: y + 4.5, "text-anchor": "middle", "font-size": SIZE }).textContent = "?";
      } else if (frame.depth >= this.lock) break;
      else if (breaks) svg("circle", this.svg, { class: "dp-flag-no", cx: x, cy: y, r: 6 });
      else if (frame.fault) svg("path", this.svg, { class: "dp-flag-fault", d: `M${x - 4} ${y - 4}l8 8m0-8-8 8` });
    }
    this.now = svg("path", this.svg, { class: "dp-now" });
  }

  /**
   * Show where the cursor stands; the frame that is in focus has its past and future lit.
   * @param {Frame} frame
   * @param {number | null} focus
   * @param {boolean} asks it stands before a question
   */
  mark(frame, focus, asks) {
    Object.assign(this, { here: frame, focus, asks });
    if (!this.room || !this.pale) return;
    const column = this.column(frame.depth) + (asks ? 1 : 0);
    const x = this.x(column);
    const from = asks ? x : x + 1;
    put(this.pale, { x: from, width: Math.max(0, this.x(this.path.length - 1) + EDGE - from) });
    put(this.now, { d: `M${x} ${this.lanes.length ? ERA - 3 : 2}V${this.low + RAIL / 2}` });
    put(this.done, { d: `M${EDGE} ${this.low + RAIL / 2}H${x}` });
    this.rail.value = String(column);
    this.rail.classList.toggle("dp-no", !asks && frame.always.some(Boolean));
    const left = x - this.scrolled;
    if (left < 20 || left > this.room - (asks ? AFTER.length * 8 : 20)) this.scrollTo(x - this.room / 2);
    if (focus !== this.lit) this.light((this.lit = focus));
  }

  /** @param {number} x */
  scrollTo(x) {
    const most = Math.max(0, this.x(this.path.length - 1) + EDGE - this.room);
    if (Math.abs(Math.max(0, Math.min(most, x)) - this.scrolled) < 1) return;
    this.scrolled = Math.max(0, Math.min(most, x));
    this.run.scrollLeft = this.scrolled;
  }

  /** The words on the veil stand where the strip is scrolled to, or nowhere: never half. */
  seat() {
    const words = this.svg.querySelector(".dp-after");
    if (!words) return;
    const x = Math.max(this.veiled, this.scrolled + 12);
    const fits = x + wide(AFTER, SIZE, 400) < this.scrolled + this.room - 4;
    put(words, { x, visibility: fits ? "visible" : "hidden" });
  }

  /** @param {number | null} focus */
  light(focus) {
    const frame = focus === null ? undefined : this.path.find((each) => each.n === focus);
    const lit = frame ? cone(this.causes, frame.depth) : null;
    for (const [depth, g] of this.events) {
      const self = depth === frame?.depth;
      const past = lit?.past.has(depth) ?? false;
      const future = lit?.future.has(depth) ?? false;
      g.classList.toggle("dp-dim", lit !== null && !self && !past && !future);
      g.classList.toggle("dp-self", self && lit !== null);
      g.classList.toggle("dp-past", past);
      g.classList.toggle("dp-future", future);
    }
  }
}
