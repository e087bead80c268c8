// @ts-check
// How each kind of mark is drawn: the nodes it is made of, and how its words and its numbers reach them.
// Colours and strokes are classes, to which player.css gives their look. No mark knows a pattern.

import { put, svg, write } from "./dom.js";
import { along, split, TINY, TOKEN, wayOf } from "./labels.js";
import { fit, narrowed, SMALL, wide } from "./text.js";

/** @typedef {import("./frame.js").AnyMark} AnyMark */
/** @typedef {Record<string, number>} Numbers */
/** @typedef {{ scale: number, stretch: number }} Sheet how many pixels of the screen a pixel of the panel is, and how much more from side to side */
/** @typedef {{ make: (g: Element) => any, words: (n: any, m: any, sheet: Sheet) => void, place: (n: any, v: any, m: any) => void }} Kind */

/** The kinds, bottom to top. */
export const LAYERS = ["arc", "ticks", "box", "line", "label", "message", "disc"];
const NUMBERS = ["x", "y", "x2", "y2", "r", "r2", "w", "h", "start", "end", "wide", "part", "bend"];
/** @type {Record<string, Numbers>} */
const DEFAULTS = { disc: { r: 30 }, line: { wide: 1.5 }, arc: { wide: 3 }, ticks: { wide: 1.5 }, message: { part: 0 } };

/** @param {AnyMark} mark @returns {Numbers} */
export function numbersOf(mark) {
  const numbers = { ...DEFAULTS[mark.k] };
  for (const name of NUMBERS) {
    const value = /** @type {any} */ (mark)[name];
    if (value !== undefined) numbers[name] = value;
  }
  return numbers;
}

/** @param {Numbers} a @param {Numbers} b */
export const differ = (a, b) => NUMBERS.some((name) => a[name] !== b[name]);

/** @param {number} x @param {number} y @param {number} r @param {number} turn */
const point = (x, y, r, turn) => [x + r * Math.sin(2 * Math.PI * turn), y - r * Math.cos(2 * Math.PI * turn)];

/** @param {any} numbers */
function arcPath({ x, y, r, start, end }) {
  const span = Math.max(0, Math.min(end - start, 1));
  if (span === 0 || r <= 0) return "";
  const half = start + span / 2;
  const large = span / 2 > 0.5 ? 1 : 0; // drawn in two halves, so that a whole circle is drawn too
  const [[a, b], [c, d], [e, f]] = [start, half, start + span].map((turn) => point(x, y, r, turn));
  const to = (/** @type {number} */ u, /** @type {number} */ v) =>
    `A${r} ${r} 0 ${large} 1 ${u.toFixed(2)} ${v.toFixed(2)}`;
  return `M${a.toFixed(2)} ${b.toFixed(2)}${to(c, d)}${to(e, f)}`;
}

/** A wall from one point to another: a zigzag. @param {any} numbers */
function wallPath({ x, y, x2, y2 }) {
  const length = Math.hypot(x2 - x, y2 - y) || 1;
  const [ux, uy] = [(x2 - x) / length, (y2 - y) / length];
  const teeth = Math.max(2, Math.round(length / 11));
  let d = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  for (let i = 1; i < teeth; i++) {
    const [along, out] = [(length * i) / teeth, i % 2 ? 4.5 : -4.5];
    d += `L${(x + ux * along - uy * out).toFixed(1)} ${(y + uy * along + ux * out).toFixed(1)}`;
  }
  return `${d}L${x2.toFixed(1)} ${y2.toFixed(1)}`;
}

const curvePath = (/** @type {import("./labels.js").Curve} */ [a, b, c]) =>
  `M${a[0].toFixed(1)} ${a[1].toFixed(1)}Q${b[0].toFixed(1)} ${b[1].toFixed(1)} ${c[0].toFixed(1)} ${c[1].toFixed(1)}`;

/** In a token, around (0, 0). @type {Record<string, string>} */
const GLYPH = {
  yes: "M-4 .5-1.2 3.5 4.2-3.2",
  no: "M-3.4-3.4 3.4 3.4M3.4-3.4-3.4 3.4",
  commit: "M-4 .5-1.2 3.5 4.2-3.2",
  append: "M-4.2 0H4.2M0-4.2V4.2",
  beat: "M-5 0H-2L-.6-4 1.2 4 2.4 0H5",
};
/** What stands in a token: what the view says, else a glyph or a letter of the message's own words. @param {any} mark */
function signOf({ sign, text = "" }) {
  if (sign) return sign;
  const [first] = text.split(/[\s:]/);
  if (first === "✓" || GLYPH[first]) return first === "✓" ? "yes" : first;
  return text.includes("?") ? "?" : [...first].slice(0, first.length < 3 ? 2 : 1).join("");
}
const CROWN = "M-9 3.5-10-5-4.6-1.2 0-6.5 4.6-1.2 10-5 9 3.5Z";
const LEAD = 5; // pixels between a leader's two rings

/** @type {Record<string, Kind>} */
export const DRAW = {
  disc: {
    make: (g) => ({
      halo: svg("circle", g, { class: "dp-halo" }),
      ring: svg("circle", g, { class: "dp-ring" }),
      body: svg("circle", g, { class: "dp-body" }),
      crown: svg("path", g, { class: "dp-crown", d: CROWN }),
      text: svg("text", g, { class: "dp-on dp-name", "text-anchor": "middle" }),
      sub: svg("text", g, { class: "dp-on dp-sub", "text-anchor": "middle" }),
      caption: svg("text", g, { class: "dp-caption", "text-anchor": "middle" }),
    }),
    words(n, m, { scale }) {
      const r = (m.r ?? 30) - (m.role === "leader" ? LEAD : 0);
      const least = SMALL / scale;
      const inside = m.sub && wide(m.sub, least) <= 1.85 * r;
      n.size = fit(m.text ?? "", r * 1.7, least, r < 20 ? 13 : 16, 650);
      n.small = Math.max(least, SMALL);
      write(n.text, m.text ?? "");
      write(n.sub, inside ? m.sub : "");
      n.said = [inside ? "" : m.sub, m.caption].filter(Boolean).join(", ");
      put(n.text, { "font-size": n.size });
      put(n.sub, { "font-size": n.small });
      put(n.caption, { "font-size": n.small });
      n.leads = m.role === "leader";
      n.shift = inside ? -0.05 * n.size : n.size * 0.36;
    },
    place(n, v) {
      const r = Math.max(0, v.r);
      put(n.halo, { cx: v.x, cy: v.y, r: r + 5 });
      put(n.ring, { cx: v.x, cy: v.y, r });
      put(n.body, { cx: v.x, cy: v.y, r: Math.max(0, n.leads ? r - LEAD : r) });
      put(n.crown, { transform: `translate(${v.x} ${v.y - r - 5})` });
      put(n.text, { x: v.x, y: v.y + n.shift });
      put(n.sub, { x: v.x, y: v.y + n.small });
      const { dx, dy, anchor } = n.side ?? { dx: 0, dy: r + 26, anchor: "middle" };
      put(n.caption, { x: v.x + dx, y: v.y + dy, "text-anchor": anchor });
    },
  },
  box: {
    make: (g) => ({
      halo: svg("rect", g, { class: "dp-halo" }),
      body: svg("rect", g, { class: "dp-body" }),
      text: svg("text", g, { class: "dp-on" }),
      right: svg("text", g, { class: "dp-on dp-right", "text-anchor": "end" }),
    }),
    words(n, m, { scale, stretch }) {
      const least = SMALL / scale;
      const [left, right = ""] = (m.text ?? "").split("\t");
      const weight = m.tone === "row" || (m.role ?? "ink") === "ink" ? 400 : 600; // as in player.css
      const aside = wide(right, least, 600); // of the two, both are narrowed
      const tight = m.w * stretch < wide(left, least, weight) + aside + 15;
      n.inset = m.tone === "row" || right ? (tight ? 2 : 5) : 0;
      const room = m.w * stretch - 2 * (n.inset || 1) - (right ? 3 : 0);
      const part = aside && Math.min(aside, (room * aside) / (aside + wide(left, least, weight)));
      n.size = fit(left, room - part, least, SMALL, weight);
      narrowed(n.text, left, room - part, n.size, weight);
      narrowed(n.right, right, part, least, 600);
      for (const node of [n.text, n.right]) put(node, { "font-size": n.size });
      put(n.text, { "text-anchor": n.inset ? "start" : "middle" });
      n.row = m.tone === "row";
    },
    place(n, v) {
      const [w, h] = [Math.max(0, v.w), Math.max(0, v.h)];
      const round = Math.min(5, h / 2, w / 2);
      put(n.halo, { x: v.x - 1.25, y: v.y - 1.25, width: w + 2.5, height: h + 2.5, rx: round + 1 }); // off the row above
      if (n.row) put(n.body, { x: v.x, y: v.y + h - 0.5, width: w, height: 1, rx: 0 });
      else put(n.body, { x: v.x, y: v.y, width: w, height: h, rx: round });
      const y = v.y + h / 2 + n.size * 0.36;
      put(n.text, { x: n.inset ? v.x + n.inset : v.x + w / 2, y });
      put(n.right, { x: v.x + w - n.inset, y });
    },
  },
  line: {
    make: (g) => ({
      body: svg("path", g, { class: "dp-stroke" }),
      head: svg("path", g, { class: "dp-arrow" }),
      hit: svg("line", g, { class: "dp-hit" }),
      text: svg("text", g, { class: "dp-beside" }),
    }),
    words(n, m, { scale }) {
      write(n.text, m.text ?? "");
      put(n.text, { "font-size": Math.max(SMALL, SMALL / scale) });
      n.arrow = m.arrow;
      n.wall = m.tone === "wall";
    },
    place(n, v) {
      const length = Math.hypot(v.x2 - v.x, v.y2 - v.y) || 1;
      const [ux, uy] = [(v.x2 - v.x) / length, (v.y2 - v.y) / length];
      const size = n.arrow && length > 4 ? 6 + v.wide : 0;
      const [bx, by] = [v.x2 - ux * size, v.y2 - uy * size];
      put(n.body, { d: n.wall ? wallPath(v) : `M${v.x} ${v.y}L${bx} ${by}`, "stroke-width": v.wide });
      if (n.wall) put(n.body, { pathLength: 1 }); // so that it can be drawn bit by bit
      put(n.hit, { x1: v.x, y1: v.y, x2: bx, y2: by });
      const [sx, sy] = [ux * size * 0.6, uy * size * 0.6];
      put(n.head, { d: size ? `M${v.x2} ${v.y2}L${bx - sy} ${by + sx}L${bx + sy} ${by - sx}Z` : "" });
      put(n.text, {
        x: v.x2 - uy * 8,
        y: v.y2 + ux * 8 + 4,
        "text-anchor": uy > 0.35 ? "end" : uy < -0.35 ? "start" : "middle",
      });
    },
  },
  message: {
    make(g) {
      const ahead = svg("path", g, { class: "dp-ahead" });
      const trail = svg("path", g, { class: "dp-trail" });
      const token = svg("g", g, { class: "dp-token" });
      const body = svg("circle", token);
      return {
        ahead,
        trail,
        token,
        body,
        glyph: svg("path", token, { class: "dp-glyph" }),
        text: svg("text", token, { "text-anchor": "middle" }),
      };
    },
    words(n, m, { scale }) {
      const size = Math.max(1, 1 / scale);
      n.r = (m.tone === "soft" ? 0.55 : 1) * TOKEN * size;
      const sign = m.tone === "soft" ? "" : signOf(m);
      put(n.glyph, { d: GLYPH[sign] ?? "", transform: `scale(${size})` });
      write(n.text, GLYPH[sign] ? "" : [...sign].slice(0, 2).join(""));
      put(n.text, { "font-size": SMALL * size, y: 4.6 * size });
    },
    place(n, v) {
      put(n.body, { r: n.tiny ? n.r * TINY : n.r });
      n.token.classList.toggle("dp-tiny", Boolean(n.tiny));
      n.token.classList.toggle("dp-none", Boolean(n.none));
      const curve = wayOf(v);
      const t = Math.max(0.001, Math.min(0.999, n.at ?? v.part));
      const [before, after] = split(curve, t);
      put(n.trail, { d: curvePath(before) });
      put(n.ahead, { d: n.gone ? "" : curvePath(after) });
      const [x, y] = along(curve, t);
      put(n.token, { transform: `translate(${x.toFixed(1)} ${(y + (n.fallen ?? 0)).toFixed(1)})` });
    },
  },
  arc: {
    make: (g) => ({
      body: svg("path", g, { class: "dp-stroke" }),
      text: svg("text", g, { class: "dp-beside", "text-anchor": "middle" }),
    }),
    words(n, m, { scale }) {
      write(n.text, m.text ?? "");
      put(n.text, { "font-size": Math.max(SMALL, SMALL / scale) });
    },
    place(n, v) {
      put(n.body, { d: arcPath(v), "stroke-width": v.wide });
      if (!n.text.textContent) return;
      const [x, y] = point(v.x, v.y, v.r + v.wide + 10, (v.start + v.end) / 2);
      put(n.text, { x, y: y + 4 });
    },
  },
  ticks: {
    make: (g) => ({ body: svg("path", g, { class: "dp-stroke" }) }),
    words() {},
    place(n, v, m) {
      let d = "";
      for (const turn of m.at) {
        const [[a, b], [c, e]] = [v.r, v.r2].map((r) => point(v.x, v.y, r, turn));
        d += `M${a.toFixed(1)} ${b.toFixed(1)}L${c.toFixed(1)} ${e.toFixed(1)}`;
      }
      put(n.body, { d, "stroke-width": v.wide });
    },
  },
  label: {
    make: (g) => ({ text: svg("text", g) }),
    words(n, m, { scale }) {
      const size = Math.max(
        SMALL / scale,
        { small: SMALL, normal: 13, large: 17 }[/** @type {"small"} */ (m.size ?? "normal")],
      );
      put(n.text, {
        class: `dp-label${m.strong ? " dp-strong" : ""}`,
        "text-anchor": m.anchor ?? "start",
        "font-size": size,
      });
      n.size = size;
      n.broad = wide(m.text ?? "", size, m.strong ? 650 : 400);
      narrowed(n.text, m.text ?? "", n.broad, size);
    },
    place: (n, v) => put(n.text, { x: v.x, y: v.y }),
  },
};
