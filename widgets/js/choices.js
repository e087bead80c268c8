// @ts-check
// What can be done, in groups: most likely first, long groups folded, the impossible apart.

import { groupBy } from "./dom.js";

/** @typedef {import("./run.js").Choice} Choice */
/** @typedef {{ name: string, choices: Choice[], folded?: boolean }} Section */

/** Faults: what breaks something, and what mends it. Everything else is asked for. */
const FAULTS = new Set([
  "crash",
  "restart",
  "cut",
  "heal",
  "pause",
  "resume",
  "cut one way",
  "drop",
  "duplicate",
  "delay",
]);
const FOLDED = new Set(["cut", "cut one way", "pause", "resume", "drop", "duplicate", "delay"]);

/** @param {Choice} choice */
export const isFault = (choice) => FAULTS.has(choice.group);

/**
 * Choices as groups: those that can happen, most likely first; long or rare groups folded; and those that cannot.
 * @param {Choice[]} choices
 * @param {string[]} [first] groups that come first, of a mark's own menu: what happens by itself is listed elsewhere
 * @returns {{ sections: Section[], cannot: Choice[] }}
 */
export function grouped(choices, first = []) {
  const can = choices.filter((choice) => !choice.why_not);
  const groups = groupBy(can, (choice) => choice.group);
  const names = [...groups.keys()].sort((a, b) => rank(a, first) - rank(b, first));
  /** @type {Section[]} */
  const sections = [];
  for (const name of names) {
    const all = /** @type {Choice[]} */ (groups.get(name));
    const liked = all.filter((choice) => choice.likely);
    const rest = all.filter((choice) => !choice.likely);
    if (liked.length && rest.length > 6 && name !== "next")
      sections.push({ name, choices: liked }, { name: `${name}, of another`, choices: rest, folded: true });
    else
      sections.push({
        name,
        choices: [...liked, ...rest],
        folded: (FOLDED.has(name) && all.length > 2) || all.length > (name === "next" && first.length ? 2 : 12),
      });
  }
  return {
    sections: [...sections.filter((each) => !each.folded), ...sections.filter((each) => each.folded)],
    cannot: choices.filter((choice) => choice.why_not),
  };
}

/** @param {string} name @param {string[]} first */
function rank(name, first) {
  const at = first.indexOf(name);
  return at < 0 ? first.length : at;
}
