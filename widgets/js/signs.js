// @ts-check
// The first sign of each kind is named when it first appears in a run.

import { touched } from "./run.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./run.js").Run} Run */

/** A kind of sign, how to tell it, and what is said. @type {[string, (mark: any) => boolean, string][]} */
const SIGNS = [
  [
    "message",
    (mark) => mark.k === "message",
    "The disc that leaves is a **message** on its way. Tap it, or a process. **?** explains all signs.",
  ],
  [
    "timer",
    (mark) => mark.k === "arc" && mark.id.startsWith("timer:"),
    "The ring that runs out is a **timer**. **?** explains all signs.",
  ],
  [
    "down",
    (mark) => mark.k === "disc" && mark.role === "down",
    "**Hatched** is crashed: its memory is gone, its disk is not.",
  ],
  ["candidate", (mark) => mark.k === "disc" && mark.role === "candidate", "A **dashed ring** is a candidate."],
  ["leader", (mark) => mark.k === "disc" && mark.role === "leader", "**Two rings and a crown** lead."],
  ["cut", (mark) => mark.id.startsWith("cut:") || mark.tone === "wall", "**Red**: nothing gets through here."],
];

/** @type {WeakMap<Run, Map<number, Set<string>>>} */
const seen = new WeakMap();

/** @param {Run} run @param {Frame} frame @returns {Set<string>} the kinds seen up to a step */
function kinds(run, frame) {
  let known = seen.get(run);
  if (!known) seen.set(run, (known = new Map()));
  const missing = [];
  for (let at = /** @type {Frame | undefined} */ (frame); at && !known.has(at.n); at = run.parent(at)) missing.push(at);
  for (const at of missing.reverse()) {
    const before = at.parent === undefined ? new Set() : (known.get(at.parent) ?? new Set());
    const now = touched(at, run.picture(at.n)).flatMap(({ marks }) =>
      SIGNS.filter(([kind, is]) => !before.has(kind) && marks.some(is)).map(([kind]) => kind),
    );
    known.set(at.n, now.length ? new Set([...before, ...now]) : before);
  }
  return known.get(frame.n) ?? new Set();
}

/** What is said of a sign that appears for the first time in this step; empty if there is none. @param {Run} run @param {Frame} frame */
export function signOf(run, frame) {
  const now = kinds(run, frame);
  const parent = run.parent(frame);
  const before = parent ? kinds(run, parent) : new Set();
  return SIGNS.find(([kind]) => now.has(kind) && !before.has(kind))?.[2] ?? "";
}
