// @ts-check
// The address of a step: `chapter.html#run/step`; from the start page `#chapter/run/step` leads there, too.

/** @typedef {{ chapter: string, run: string, step: number | null }} Place */

/** The part of an address that names a step of a run. @param {string} name `chapter/run` @param {number} step */
export const address = (name, step) => `#${name.split("/")[1]}/${step}`;

/**
 * What an address asks for; null if it names no run.
 * @param {string} hash
 * @param {string} chapter the chapter of the page; empty on the start page
 * @returns {Place | null}
 */
export function asked(hash, chapter) {
  const found = /^#(?:(\w+)\/)?([a-z][a-z0-9-]*)(?:\/(\d{1,6}))?$/.exec(hash);
  if (!found || Boolean(found[1]) === Boolean(chapter)) return null; // a page of a chapter shows its own runs
  return { chapter: found[1] ?? chapter, run: found[2], step: found[3] === undefined ? null : Number(found[3]) };
}

/** The page that shows a place. @param {Place} place */
export const page = ({ chapter, run, step }) => `${chapter}.html#${run}${step === null ? "" : `/${step}`}`;
