// @ts-check
// Where the panels of a picture stand in the box there is: side by side or below one another, whichever is larger.
// Where there is less room than they ask for, they are not only made smaller: type does not shrink, so what stands in a
// panel moves nearer from side to side alone, or apart, whichever gives its words more room. Only a ring stays round.

export const GAP = 12;
export const TITLE = 20; // pixels that a panel's title takes above it
const MOST = 1.7; // a picture grows no larger than this: type would look like a poster's
const PAD = 6;
const NEAREST = 0.62; // of their distance from side to side that marks keep at least
const APART = 1.35;
const LEGIBLE = 0.88; // the scale at which lines of a panel do not touch yet

/** @typedef {{ width: number, height: number, title?: boolean, round?: boolean }} Size */
/** @typedef {{ x: number, y: number, stretch: number, room: number }} Place `room`: pixels that its title has */
/** @typedef {{ scale: number, places: Place[] }} Layout */

/** @param {Size} panel @param {number} scale */
const high = ({ height, title }, scale) => height * scale + (title ? TITLE * Math.max(1, scale) : 0);

/** The scale at which panels of this height, `titles` of them one below another, fill `room`. @param {number} sum @param {number} titles @param {number} room */
const filling = (sum, titles, room) => {
  const scale = (room - titles * TITLE) / sum;
  return scale <= 1 ? scale : room / (sum + titles * TITLE);
};

/**
 * Panels in a row, or one below another: the scale, and how far each is stretched from side to side.
 * @param {Size[]} panels
 * @param {number} width
 * @param {number} height
 * @param {boolean} row
 */
function fitted(panels, width, height, row) {
  const most = (/** @type {(panel: Size) => number} */ of) => Math.max(...panels.map(of));
  const sum = (/** @type {(panel: Size) => number} */ of) => panels.reduce((all, panel) => all + of(panel), 0);
  const titles = row ? Number(panels.some((panel) => panel.title)) : sum((panel) => Number(Boolean(panel.title)));
  const gaps = GAP * (panels.length - 1);
  const [free, tall] = row ? [width - gaps, height] : [width, height - gaps];
  const down = filling(
    (row ? most : sum)((panel) => panel.height),
    titles,
    tall,
  );
  const across = (/** @type {(panel: Size) => number} */ of) => (row ? sum : most)((panel) => panel.width * of(panel));
  const whole = Math.min(MOST, free / across(() => 1), down);
  if (whole >= 1) return { scale: whole, stretches: panels.map(() => 1) };
  const least = across((panel) => (panel.round ? 1 : NEAREST));
  const scale = Math.max(0.05, Math.min(1, free / least, down));
  const round = row ? sum((panel) => (panel.round ? panel.width : 0)) : 0;
  const others = row ? sum((panel) => (panel.round ? 0 : panel.width)) : 0;
  const stretches = panels.map((panel) => {
    if (panel.round) return 1;
    const stretch = row ? (free / scale - round) / others : free / scale / panel.width;
    return Math.max(NEAREST, Math.min(APART, stretch));
  });
  return { scale, stretches };
}

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
  const [wide, tall] = [width - 2 * PAD, height - 2 * PAD];
  const [beside, below] = [true, false].map((row) => fitted(panels, wide, tall, row));
  const worth = (/** @type {typeof beside} */ { scale, stretches }) => scale * Math.min(1, ...stretches);
  const row = worth(beside) >= worth(below);
  const { scale, stretches } = row ? beside : below;
  const sizes = panels.map((panel, i) => [panel.width * scale * stretches[i], high(panel, scale)]);
  const used = sizes.reduce((all, [w, h]) => all + (row ? w : h), 0);
  const space = ((row ? width : height) - used) / (n + 1); // the same before, between and after
  const places = [];
  let at = space;
  for (const [i, [w, h]] of sizes.entries()) {
    const across = row ? (height - h) / 2 : (width - w) / 2;
    const room = row ? w + space - PAD : width - across - PAD;
    places.push({ x: row ? at : across, y: row ? across : at, stretch: stretches[i], room });
    at += space + (row ? w : h);
  }
  return { scale, places };
}

/**
 * The height that panels below one another take at this width.
 * @param {Size[]} panels
 * @param {number} width
 */
export function tall(panels, width) {
  const widest = Math.max(1, ...panels.map((panel) => panel.width));
  const scale = Math.max(1, Math.min(1.15, (width - 2 * PAD) / widest));
  return Math.ceil(panels.reduce((all, panel) => all + high(panel, scale), 0) + GAP * (panels.length - 1) + 2 * PAD);
}

/** The height that panels side by side need for their lines not to touch. @param {Size[]} panels */
export const least = (panels) => Math.ceil(Math.max(0, ...panels.map((panel) => high(panel, LEGIBLE))) + 2 * PAD);
