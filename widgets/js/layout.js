// @ts-check
// Where the panels of a picture stand in the box there is: side by side or below one another, whichever is larger.

export const GAP = 12;
const MOST = 1.7; // a picture grows no larger than this: type would look like a poster's
const PAD = 6;

/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ scale: number, places: { x: number, y: number }[] }} Layout */

/**
 * One scale for all panels, and their top left corners in pixels.
 * @param {Size[]} panels
 * @param {number} width
 * @param {number} height
 * @returns {Layout}
 */
export function arranged(panels, width, height) {
  const n = panels.length;
  if (!n) return { scale: 1, places: [] };
  const wide = width - 2 * PAD;
  const high = height - 2 * PAD;
  const gaps = GAP * (n - 1);
  const sum = (/** @type {keyof Size} */ side) => panels.reduce((all, panel) => all + panel[side], 0);
  const most = (/** @type {keyof Size} */ side) => Math.max(...panels.map((panel) => panel[side]));
  const beside = Math.min(MOST, (wide - gaps) / sum("width"), high / most("height"));
  const below = Math.min(MOST, wide / most("width"), (high - gaps) / sum("height"));
  const row = beside >= below;
  const scale = Math.max(0.05, row ? beside : below);
  const free = row ? width - scale * sum("width") : height - scale * sum("height");
  const space = free / (n + 1); // the same before, between and after
  const places = [];
  let at = space;
  for (const panel of panels) {
    const across = (row ? height - scale * panel.height : width - scale * panel.width) / 2;
    places.push(row ? { x: at, y: across } : { x: across, y: at });
    at += space + scale * (row ? panel.width : panel.height);
  }
  return { scale, places };
}

/**
 * The height that panels below one another take at this width.
 * @param {Size[]} panels
 * @param {number} width
 */
export function tall(panels, width) {
  const scale = Math.min(1.15, (width - 2 * PAD) / Math.max(1, ...panels.map((panel) => panel.width)));
  return Math.ceil(scale * panels.reduce((all, panel) => all + panel.height, 0) + GAP * (panels.length - 1) + 2 * PAD);
}
