// @ts-check
// The page of keys and signs.

import { h } from "./dom.js";

const KEYS = [
  ["→ ←", "one step forward, back"],
  ["Home End", "first, last step"],
  ["Page Up Page Down", "ten steps back, forward"],
  ["Space", "play, pause; never answers"],
  ["1 … 9", "answer; or let that one of what can happen next happen"],
  ["↑ ↓", "from mark to mark in the picture, in a menu from line to line"],
  ["Enter", "on the slider: light what this step follows from, and what follows from it"],
  ["Esc", "close what is open; put out the lights"],
  ["?", "this page"],
];
const TRACK = [
  ["? on the rail", "a question stands there"],
  ["● red", "a promise is broken"],
  ["✕ red", "a fault"],
];
const LEGEND = [
  // of runs of processes that send messages
  ["two rings and a crown", "leads, or has decided"],
  ["dashed ring", "candidate, or in doubt"],
  ["hatched", "crashed: its memory is gone, its disk is not"],
  ["halo", "what this step is about"],
  ["filled token, hollow token", "a message, an answer"],
  ["in the diagram", "○ arrived, ◆ a timer ran out, ■ a request, ▶ restart, ✕ crash or lost"],
  ["disk", "survives a crash"],
  ["memory", "lost in a crash"],
];

/** @param {any} head of the player: its signs, its lanes */
export function help(head) {
  const list = (/** @type {string[][]} */ rows) =>
    h(
      "dl",
      {},
      rows.flatMap(([term, meaning]) => [h("dt", {}, term), h("dd", {}, meaning)]),
    );
  const own = /** @type {string[][]} */ (head.signs ?? []);
  const named = new Set(own.map(([sign]) => sign));
  const others = LEGEND.filter(([sign]) => !named.has(sign)); // a chapter says more exactly what its signs mean
  const part = (/** @type {string} */ name, /** @type {string[][]} */ rows) =>
    rows.length ? h("div", {}, h("h5", {}, name), list(rows)) : null;
  return h(
    "div",
    { class: "dp-sheet" },
    part("Signs of this picture", own),
    part("Signs of every run", [...(head.lanes.length ? others : []), ...TRACK]),
    part("Keys", KEYS),
  );
}
