// @ts-check
// Where messages rest on their way and where their words stand: on nothing else, near what they name, inside the panel.

/** @typedef {[number, number]} Point */
/** @typedef {[Point, Point, Point]} Curve from, bend, to */
/** @typedef {{ x: number, y: number, r: number }} Round */
/** @typedef {{ x: number, y: number, w: number, h: number, soft?: boolean }} Rect `soft`: a token may touch it */
/** @typedef {{ rounds: Round[], rects: Rect[] }} Obstacles */

export const TOKEN = 10.5;
export const TINY = 0.45; // of a token that has no room
const ANYWHERE = Array.from({ length: 57 }, (_, i) => (i % 2 ? 0.03 : -0.03) * Math.ceil(i / 2));
const FREE = 3; // a place as bad as this is not free
const NEAR = 36; // a label stands no farther from what it names, unless it must be said
const TRIES = [0, 0.05, -0.05, 0.1, -0.1, 0.15, -0.15, 0.2, -0.2, 0.26, -0.26, 0.33, -0.33, 0.4, -0.4, 0.48, -0.48];

/** @param {number} a @param {number} b @param {number} t */
export const lerp = (a, b, t) => a + (b - a) * t;
/** @param {Point} p @param {Point} q @param {number} t @returns {Point} */
const mix = (p, q, t) => [lerp(p[0], q[0], t), lerp(p[1], q[1], t)];

/** The point of a curve at `t`. @param {Curve} curve @param {number} t @returns {Point} */
export const along = ([a, b, c], t) => mix(mix(a, b, t), mix(b, c, t), t);

/** The part of a curve before `t`, and the part after it. @param {Curve} curve @param {number} t @returns {[Curve, Curve]} */
export function split([a, b, c], t) {
  const middle = along([a, b, c], t);
  return [
    [a, mix(a, b, t), middle],
    [middle, mix(b, c, t), c],
  ];
}

/**
 * The way of a message: a little to the right of its link, so that answers come on the other side.
 * @param {{ x: number, y: number, x2: number, y2: number, bend?: number }} link
 * @returns {Curve}
 */
export function wayOf({ x, y, x2, y2, bend: up = 0 }) {
  if (up) {
    const aside = x2 > x ? 6 : -6; // there and back part at the feet of the bow
    return [
      [x + aside, y],
      [(x + x2) / 2, (y + y2) / 2 - 2 * up],
      [x2 - aside, y2],
    ];
  }
  const length = Math.hypot(x2 - x, y2 - y) || 1;
  const [nx, ny] = [-(y2 - y) / length, (x2 - x) / length];
  const aside = 5;
  const bend = 6 + length * 0.09;
  return [
    [x + nx * aside, y + ny * aside],
    [(x + x2) / 2 + nx * bend * 2, (y + y2) / 2 + ny * bend * 2],
    [x2 + nx * aside, y2 + ny * aside],
  ];
}

/** How far a rectangle is from a point. @param {Rect} rect @param {number} x @param {number} y */
const gapTo = ({ x: left, y: top, w, h }, x, y) =>
  Math.hypot(Math.max(left - x, 0, x - left - w), Math.max(top - y, 0, y - top - h));

/** @param {Rect} a @param {Rect} b */
const overlap = (a, b) =>
  Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));

/**
 * Where on its way each message rests: near the place that its age gives it, but on nothing else. Where there is no room
 * for a token, it is a tiny one; where there is none for that, only its way is drawn.
 * @param {{ id: string, curve: Curve, part: number, r: number }[]} messages
 * @param {Obstacles} obstacles
 * @returns {Map<string, { t: number, tiny: boolean, none: boolean }>} id -> part of its way
 */
export function settled(messages, obstacles) {
  const found = new Map();
  /** @type {Round[]} */
  const taken = [];
  for (const { id, curve, part, r } of messages) {
    const full = best(curve, part, r, obstacles, taken);
    const small = full.bad < FREE ? null : best(curve, part, r * TINY, obstacles, taken, ANYWHERE);
    const { t, x, y } = small ?? full;
    const none = small !== null && small.bad >= FREE;
    found.set(id, { t, tiny: small !== null, none });
    if (!none) taken.push({ x, y, r: small ? r * TINY : r });
  }
  return found;
}

/**
 * The best place for a token of this size.
 * @param {Curve} curve
 * @param {number} part
 * @param {number} r
 * @param {Obstacles} obstacles
 * @param {Round[]} taken
 * @param {number[]} tries
 */
function best(curve, part, r, obstacles, taken, tries = TRIES) {
  let least = { bad: Number.POSITIVE_INFINITY, t: part, x: 0, y: 0 };
  for (const by of tries) {
    const t = part + by;
    if (t < 0.08 || t > 0.92) continue;
    const [x, y] = along(curve, t);
    let bad = Math.abs(by);
    for (const other of taken) if (Math.hypot(x - other.x, y - other.y) < r + other.r + 2) bad += 10;
    for (const round of obstacles.rounds)
      bad += 3 * Math.max(0, round.r + r + 1 - Math.hypot(x - round.x, y - round.y));
    for (const rect of obstacles.rects) if (!rect.soft && gapTo(rect, x, y) < r + 2) bad += 12;
    if (bad < least.bad) least = { bad, t, x, y };
  }
  return least;
}

/**
 * The free place for a label that is nearest to what it names; none if there is no free one near enough.
 * @param {{ w: number, h: number }} label
 * @param {Point[]} anchors what it names
 * @param {{ width: number, height: number }} panel
 * @param {Obstacles} obstacles
 * @param {boolean} must it has to be said, and may stand farther away
 * @returns {Rect | null}
 */
export function placed(label, anchors, panel, obstacles, must = false) {
  const { w, h } = label;
  const reach = must ? 160 : NEAR;
  const xs = anchors.map(([x]) => x);
  const ys = anchors.map(([, y]) => y);
  const left = Math.max(3, Math.min(...xs) - reach - w);
  const right = Math.min(panel.width - w - 3, Math.max(...xs) + reach);
  const top = Math.max(3, Math.min(...ys) - reach - h);
  const bottom = Math.min(panel.height - h - 3, Math.max(...ys) + reach);
  let best = null;
  let least = Number.POSITIVE_INFINITY;
  for (let y = top; y <= bottom; y += 5)
    for (let x = left; x <= right; x += 6) {
      const rect = { x, y, w, h };
      let bad = Number.POSITIVE_INFINITY;
      for (const [ax, ay] of anchors) bad = Math.min(bad, gapTo(rect, ax, ay));
      if (bad > reach || bad >= least) continue;
      for (const round of obstacles.rounds) if (gapTo(rect, round.x, round.y) < round.r + 1) bad += 1000;
      for (const other of obstacles.rects)
        if (bad < least && overlap(rect, other) > 0) bad += 1000 + overlap(rect, other);
      if (bad < least) {
        least = bad;
        best = rect;
      }
    }
  return least < 1000 ? best : null;
}

const BETWEEN = 6; // pixels between two words of one line

/**
 * Words in one line, from left to right: where the middle of each stands so that none lies on another and none outside,
 * and the part of their width that they keep.
 * @param {{ x: number, w: number }[]} words
 * @param {number} width
 */
export function apart(words, width) {
  const gaps = BETWEEN * (words.length - 1) + 4;
  const sum = words.reduce((all, { w }) => all + w, 0);
  const part = Math.min(1, Math.max(0.1, (width - gaps) / Math.max(1, sum)));
  const half = words.map(({ w }) => (w * part) / 2);
  const at = words.map(({ x }) => x);
  const need = (/** @type {number} */ i) => half[i - 1] + half[i] + BETWEEN;
  for (let i = 0; i < at.length; i++) at[i] = Math.max(at[i], i ? at[i - 1] + need(i) : half[0] + 2);
  for (let i = at.length - 1; i >= 0; i--)
    at[i] = Math.min(at[i], i < at.length - 1 ? at[i + 1] - need(i + 1) : width - half[i] - 2);
  return { at, part };
}
