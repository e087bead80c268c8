// @ts-check
// What a page knows of a run: its frames as a tree, and the pictures of its steps put together from what changed.

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./frame.js").Word} Word */
/** @typedef {import("./frame.js").AnyMark} AnyMark */
/** @typedef {import("./frame.js").PanelHead} PanelHead */
/** @typedef {{ head: PanelHead, marks: Map<string, AnyMark> }} PanelPicture */
/** @typedef {Map<string, PanelPicture>} Picture */
/** @typedef {Word & { when: string, index: number, taken: number | undefined }} Choice */

const RING = 60; // an arc of this radius goes round more than one disc

export class Run {
  /**
   * @param {Frame[]} frames
   * @param {Word[]} words
   * @param {Record<string, string>} codes
   */
  constructor(frames, words, codes) {
    /** @type {Map<number, Frame>} */
    this.frames = new Map();
    /** @type {Map<number, number[]>} */
    this.children = new Map();
    /** @type {Map<number, Picture>} */
    this.pictures = new Map();
    /** The most that each panel ever takes, and whether there is a ring in it: a picture keeps its place however its panels grow. @type {Map<string, {width: number, height: number, round: boolean}>} */
    this.sizes = new Map();
    this.words = [...words];
    this.codes = { ...codes };
    this.add(frames);
  }

  /** @param {Frame[]} frames */
  add(frames) {
    for (const frame of frames) {
      if (this.frames.has(frame.n)) continue;
      this.frames.set(frame.n, frame);
      this.children.set(frame.n, []);
      if (frame.parent !== undefined) this.children.get(frame.parent)?.push(frame.n);
      for (const { id, head, set = [] } of frame.panels) {
        const most = this.sizes.get(id) ?? { width: 0, height: 0, round: false };
        this.sizes.set(id, {
          width: Math.max(most.width, head?.width ?? 0),
          height: Math.max(most.height, head?.height ?? 0),
          round: most.round || set.some((mark) => mark.k === "ticks" || (mark.k === "arc" && mark.r > RING)),
        });
      }
    }
  }

  /** @param {number} n @returns {Frame} */
  frame(n) {
    const frame = this.frames.get(n);
    if (!frame) throw new Error(`the run has no step ${n}`);
    return frame;
  }

  /** @param {number} n @returns {Picture} */
  picture(n) {
    const missing = [];
    for (let frame = this.frames.get(n); frame && !this.pictures.has(frame.n); frame = this.parent(frame))
      missing.push(frame);
    for (const frame of missing.reverse()) {
      const before = frame.parent === undefined ? undefined : this.pictures.get(frame.parent);
      this.pictures.set(frame.n, applied(frame, before));
    }
    return /** @type {Picture} */ (this.pictures.get(n));
  }

  /** @param {Frame} frame */
  parent(frame) {
    return frame.parent === undefined ? undefined : this.frames.get(frame.parent);
  }

  /**
   * The branch through `n`: from the root to it and on to its leaf, following `preferred` where that goes along.
   * @param {number} n
   * @param {Frame[]} [preferred]
   */
  branch(n, preferred = []) {
    const path = [];
    for (let frame = this.frames.get(n); frame; frame = this.parent(frame)) path.unshift(frame);
    const liked = new Set(preferred.map((frame) => frame.n));
    for (let next = this.children.get(n); next?.length; next = this.children.get(path[path.length - 1].n))
      path.push(this.frame(next.find((child) => liked.has(child)) ?? next[0]));
    return path;
  }

  leaves() {
    return [...this.frames.values()].filter((frame) => !this.children.get(frame.n)?.length);
  }

  /** @param {number} n @returns {Choice[]} */
  choices(n) {
    const children = this.children.get(n) ?? [];
    const words = this.frame(n).next.flatMap(
      (word) => (typeof word === "number" && this.words[word].several) || [word],
    );
    return words.map((word, index) => {
      const [place, when] = Array.isArray(word) ? word : [word, ""];
      const taken = children.find((child) => this.frame(child).choice === index);
      return { ...this.words[place], when, index, taken };
    });
  }
}

/**
 * @param {Frame} frame
 * @param {Picture | undefined} before
 * @returns {Picture}
 */
function applied(frame, before) {
  /** @type {Picture} */
  const panels = new Map();
  for (const change of frame.panels) {
    const old = before?.get(change.id);
    let marks = old?.marks ?? new Map();
    if (change.set || change.changed || change.gone) {
      marks = new Map(marks);
      for (const id of change.gone ?? []) marks.delete(id);
      for (const mark of change.set ?? []) marks.set(mark.id, mark);
      for (const [id, fields] of Object.entries(change.changed ?? {})) marks.set(id, other(marks.get(id), fields));
    }
    panels.set(change.id, { head: /** @type {PanelHead} */ (change.head ?? old?.head), marks });
  }
  return panels;
}

/** A mark with other fields than before; one that is null has its default again. @param {any} mark @param {Record<string, any>} fields */
function other(mark, fields) {
  const now = { ...mark, ...fields };
  for (const name in fields) if (fields[name] === null) delete now[name];
  return now;
}

/**
 * The marks that a step made, or made others of.
 * @param {Frame} frame
 * @param {Picture} picture
 */
export const touched = (frame, picture) =>
  frame.panels.map(({ id, set = [], changed = {} }) => {
    const marks = picture.get(id)?.marks;
    return { id, marks: [...set, ...Object.keys(changed).map((key) => /** @type {AnyMark} */ (marks?.get(key)))] };
  });

/**
 * The ids of the marks of which the step is about: boxes and labels with other words than before, or new ones.
 * @param {Frame} frame
 * @param {Picture} picture
 * @param {Picture | undefined} before
 * @returns {Set<string>}
 */
export function changedIn(frame, picture, before) {
  const changed = new Set();
  for (const { id, marks } of before ? touched(frame, picture) : []) {
    const were = before?.get(id)?.marks;
    for (const mark of were ? marks : []) {
      const old = were?.get(mark.id);
      if (mark.k === "label" && old?.text && mark.text && old.text !== mark.text) changed.add(mark.id);
      if (mark.k !== "box" || !mark.text) continue;
      if (!old || old.text !== mark.text || (mark.tone === "solid" && old.tone !== "solid")) changed.add(mark.id);
    }
  }
  return changed;
}

/**
 * The marks of the processes that a broken promise names.
 * @param {Frame} frame
 * @param {string[]} lanes
 * @returns {Set<string>}
 */
export function accused(frame, lanes) {
  const words = new Set(frame.always.join(" ").split(/[^\p{L}\p{N}'_-]+/u));
  return new Set(lanes.filter((lane) => words.has(lane)).map((lane) => `process:${lane}`));
}

/**
 * What each event of a branch follows from: what happened before on its line, and the sending of its message.
 * @param {Frame[]} path
 * @param {string[]} lanes
 * @returns {Map<number, number[]>} depth -> depths
 */
export function causesOf(path, lanes) {
  const causes = new Map();
  const last = new Map();
  for (const { moment, depth } of path) {
    if (!moment || !lanes.includes(moment.lane)) continue;
    const lost = moment.kind === "drop"; // what was lost has a cause, and causes nothing
    const sent = moment.sent ?? -1;
    causes.set(
      depth,
      (lost ? [sent] : [last.get(moment.lane) ?? -1, sent]).filter((at) => at >= 0),
    );
    if (!lost) last.set(moment.lane, depth);
  }
  return causes;
}

/**
 * The causal past and future of an event (Lamport 1978), without the event itself.
 * @param {Map<number, number[]>} causes
 * @param {number} depth
 */
export function cone(causes, depth) {
  const past = new Set([depth]);
  const future = new Set([depth]);
  const depths = [...causes.keys()];
  for (const at of [...depths].reverse()) if (past.has(at)) for (const cause of causes.get(at) ?? []) past.add(cause);
  for (const at of depths) if (causes.get(at)?.some((cause) => future.has(cause))) future.add(at);
  past.delete(depth);
  future.delete(depth);
  return { past, future };
}
