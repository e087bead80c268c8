// @ts-check
// How wide words are, and what of them has room. No type in a picture is smaller than SMALL pixels on the screen.

export const SMALL = 12.5;
const NARROWEST = 0.62; // of its width that a text keeps: as narrow as an extra-condensed face, and as high as ever
export const FONT = 'system-ui, "Helvetica Neue", Arial, "Noto Sans CJK SC", sans-serif';

/** @type {Map<string, number>} */
const known = new Map();
/** @type {CanvasRenderingContext2D | null | undefined} */
let pen;

/**
 * The width of a text at a size of one pixel.
 * @param {string} text
 * @param {number} weight
 */
function ems(text, weight) {
  const key = `${weight}${text}`;
  let width = known.get(key);
  if (width === undefined) {
    pen ??= typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");
    if (pen) pen.font = `${weight} 100px ${FONT}`;
    width = pen ? pen.measureText(text).width / 100 : [...text].length * 0.58;
    if (known.size > 5000) known.clear();
    known.set(key, width);
  }
  return width;
}

/**
 * The width of a text.
 * @param {string} text
 * @param {number} size
 * @param {number} [weight]
 */
export const wide = (text, size, weight = 400) => ems(text, weight) * size;

/**
 * A text that fits into `width`, cut if it must be.
 * @param {string} text
 * @param {number} width
 * @param {number} size
 * @param {number} [weight]
 */
export function cut(text, width, size, weight = 400) {
  if (!text || wide(text, size, weight) <= width) return text;
  const glyphs = [...text];
  while (glyphs.length > 1 && wide(`${glyphs.join("")}…`, size, weight) > width) glyphs.pop();
  return `${glyphs.join("").trimEnd()}…`;
}

/**
 * Write a text into `room`: narrowed if it is too wide, and only then cut.
 * @param {Element} node
 * @param {string} text
 * @param {number} room
 * @param {number} size
 * @param {number} [weight]
 */
export function narrowed(node, text, room, size, weight = 400) {
  const said = cut(text, room / NARROWEST, size, weight);
  if (node.textContent !== said) node.textContent = said;
  // a panel that is not laid out yet has no room at all
  const narrow = said && wide(said, size, weight) > room + 0.5 ? Math.max(room, 1).toFixed(1) : null;
  if (narrow === node.getAttribute("textLength")) return;
  if (narrow === null) node.removeAttribute("textLength");
  else {
    node.setAttribute("textLength", narrow);
    node.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}

/**
 * A size between the least there is and `most` at which `text` fits into `width`.
 * @param {string} text
 * @param {number} width
 * @param {number} least
 * @param {number} most
 * @param {number} [weight]
 */
export const fit = (text, width, least, most, weight = 400) =>
  Math.max(least, Math.min(Math.max(least, most), width / Math.max(0.01, ems(text, weight))));
