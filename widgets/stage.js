// The stage: draws a scene's panels as SVG. Marks are joined by id, so that what stays is moved, never re-created.
// It knows marks, not patterns: colours and strokes are classes that player.css gives their look.

const SVG = "http://www.w3.org/2000/svg";
const MOTION_MS = 320;
const LAYERS = ["arc", "ticks", "box", "disc", "line", "label"]; // bottom to top
const NUMBERS = ["x", "y", "x2", "y2", "r", "r2", "w", "h", "start", "end", "wide"];
const DEFAULTS = {
  disc: { r: 30 }, line: { wide: 1.5 }, arc: { wide: 3 }, ticks: { wide: 1.5 },
};

function svg(tag, parent, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  parent?.append(node);
  return node;
}

function put(node, attributes) {
  for (const name in attributes) node.setAttribute(name, attributes[name]);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A size at which `text` fits into `width`, between 10 and `most` pixels; glyphs are about 0.58 em wide. */
function fit(text, width, most) {
  return Math.max(10, Math.min(most, width / (0.58 * Math.max(1, [...text].length))));
}

/** `text` cut to `width` at `size`; the whole is in the mark's title. */
function cut(text, width, size) {
  const room = Math.max(1, Math.floor(width / (0.6 * size)));
  const glyphs = [...text];
  return glyphs.length <= room ? text : glyphs.slice(0, room - 1).join("") + "…";
}

const point = (x, y, r, turn) => [x + r * Math.sin(2 * Math.PI * turn), y - r * Math.cos(2 * Math.PI * turn)];

function arcPath({ x, y, r, start, end }) {
  const span = Math.max(0, Math.min(end - start, 1));
  if (span === 0 || r <= 0) return "";
  const half = start + span / 2;
  const large = span / 2 > 0.5 ? 1 : 0; // drawn in two halves, so that a whole circle is drawn too
  const [a, b] = point(x, y, r, start), [c, d] = point(x, y, r, half), [e, f] = point(x, y, r, start + span);
  const to = (u, v) => `A${r} ${r} 0 ${large} 1 ${u.toFixed(2)} ${v.toFixed(2)}`;
  return `M${a.toFixed(2)} ${b.toFixed(2)}${to(c, d)}${to(e, f)}`;
}

// One entry a kind of mark: the nodes it is made of, and how numbers and text reach them.
const DRAW = {
  disc: {
    make: (g) => ({
      body: svg("circle", g, { class: "dp-body" }),
      text: svg("text", g, { class: "dp-on", "text-anchor": "middle" }),
      sub: svg("text", g, { class: "dp-on dp-sub", "text-anchor": "middle" }),
      caption: svg("text", g, { class: "dp-caption", "text-anchor": "middle" }),
    }),
    words(n, m) {
      const r = m.r ?? 30;
      const size = fit(m.text ?? "", r * 1.6, r < 20 ? 13 : 16);
      write(n.text, m.text ?? "");
      write(n.sub, m.sub ?? "");
      write(n.caption, m.caption ?? "");
      put(n.text, { "font-size": size });
      put(n.sub, { "font-size": fit(m.sub ?? "", r * 1.75, 11) });
      n.shift = m.sub ? -3 : size * 0.36;
      n.above = m.above;
    },
    place(n, v) {
      put(n.body, { cx: v.x, cy: v.y, r: Math.max(0, v.r) });
      put(n.text, { x: v.x, y: v.y + n.shift });
      put(n.sub, { x: v.x, y: v.y + 13 });
      put(n.caption, { x: v.x, y: n.above ? v.y - v.r - 10 : v.y + v.r + 18 });
    },
  },
  box: {
    make: (g) => ({ body: svg("rect", g, { class: "dp-body" }), text: svg("text", g, { class: "dp-on", "text-anchor": "middle" }) }),
    words(n, m) {
      n.size = fit(m.text ?? "", m.w - 9, 12.5);
      write(n.text, cut(m.text ?? "", m.w - 4, n.size));
      put(n.text, { "font-size": n.size });
    },
    place(n, v) {
      put(n.body, { x: v.x, y: v.y, width: Math.max(0, v.w), height: Math.max(0, v.h), rx: Math.min(5, v.h / 2, v.w / 2) });
      put(n.text, { x: v.x + v.w / 2, y: v.y + v.h / 2 + n.size * 0.36 });
    },
  },
  line: {
    make: (g) => ({
      body: svg("line", g, { class: "dp-stroke" }), head: svg("path", g, { class: "dp-head" }),
      hit: svg("line", g, { class: "dp-hit" }), text: svg("text", g, { class: "dp-beside" }),
    }),
    words(n, m) {
      write(n.text, m.text ?? "");
      n.arrow = m.arrow;
    },
    place(n, v) {
      const length = Math.hypot(v.x2 - v.x, v.y2 - v.y) || 1, ux = (v.x2 - v.x) / length, uy = (v.y2 - v.y) / length;
      const size = n.arrow && length > 4 ? 6 + v.wide : 0, bx = v.x2 - ux * size, by = v.y2 - uy * size;
      const ends = { x1: v.x, y1: v.y, x2: bx, y2: by };
      put(n.body, { ...ends, "stroke-width": v.wide });
      put(n.hit, ends);
      put(n.head, { d: size ? `M${v.x2} ${v.y2}L${bx - uy * size * 0.6} ${by + ux * size * 0.6}L${bx + uy * size * 0.6} ${by - ux * size * 0.6}Z` : "" });
      // Its text stands beside its end, on the right hand: what comes the other way has its own there, too.
      const px = -uy, py = ux, level = Math.abs(px) <= 0.35, short = level && length < 7 * (n.text.textContent ?? "").length;
      const anchor = level ? (ux > 0 === short ? "start" : "end") : px > 0 ? "start" : "end"; // a short one's begins where it begins
      put(n.text, { x: (short ? v.x : v.x2 - ux * 4) + px * 8, y: v.y2 + 4 + py * (level ? 12 : 8) - uy * 4, "text-anchor": anchor });
    },
  },
  arc: {
    make: (g) => ({ body: svg("path", g, { class: "dp-stroke" }), text: svg("text", g, { class: "dp-beside", "text-anchor": "middle" }) }),
    words: (n, m) => write(n.text, m.text ?? ""),
    place(n, v) {
      put(n.body, { d: arcPath(v), "stroke-width": v.wide });
      if (n.text.textContent) {
        const [x, y] = point(v.x, v.y, v.r + v.wide + 10, (v.start + v.end) / 2);
        put(n.text, { x, y: y + 4 });
      }
    },
  },
  ticks: {
    make: (g) => ({ body: svg("path", g, { class: "dp-stroke" }) }),
    words() {},
    place(n, v, m) {
      let d = "";
      for (const turn of m.at) {
        const [a, b] = point(v.x, v.y, v.r, turn), [c, e] = point(v.x, v.y, v.r2, turn);
        d += `M${a.toFixed(1)} ${b.toFixed(1)}L${c.toFixed(1)} ${e.toFixed(1)}`;
      }
      put(n.body, { d, "stroke-width": v.wide });
    },
  },
  label: {
    make: (g) => ({ text: svg("text", g) }),
    words(n, m) {
      write(n.text, m.text ?? "");
      put(n.text, { class: `dp-label dp-${m.size ?? "normal"}${m.strong ? " dp-strong" : ""}`, "text-anchor": m.anchor ?? "start" });
    },
    place: (n, v) => put(n.text, { x: v.x, y: v.y }),
  },
};

function numbersOf(mark) {
  const v = { ...DEFAULTS[mark.k] };
  for (const name of NUMBERS) if (mark[name] !== undefined) v[name] = mark[name];
  return v;
}

class PanelStage {
  constructor(parent, panel) {
    this.figure = document.createElement("figure");
    this.figure.className = "dp-panel";
    this.caption = document.createElement("figcaption");
    this.svg = svg("svg", null, { role: "group" });
    this.layers = Object.fromEntries(LAYERS.map((kind) => [kind, svg("g", this.svg)]));
    this.figure.append(this.caption, this.svg);
    parent.append(this.figure);
    this.drawn = new Map(); // id -> {mark, now (numbers as drawn), g, nodes}
  }

  frame(panel) {
    put(this.svg, { viewBox: `0 0 ${panel.width} ${panel.height}`, "aria-label": panel.label });
    this.figure.style.setProperty("--w", panel.width);
    write(this.caption, panel.title ?? "");
    this.caption.hidden = !panel.title;
  }

  /** Show these marks; returns the moves {item, from, to} that an animation may draw. */
  show(marks, live, onPick) {
    for (const [id, item] of this.drawn) {
      const mark = marks.get(id);
      if (mark && mark.k === item.mark.k) continue;
      item.g.remove();
      this.drawn.delete(id);
    }
    const moves = [];
    for (const [id, mark] of marks) {
      let item = this.drawn.get(id);
      if (!item) item = this.enter(mark);
      else if (item.mark !== mark) {
        const to = numbersOf(mark);
        this.dress(item, mark);
        if (NUMBERS.some((name) => item.now[name] !== to[name])) moves.push({ item, from: item.now, to });
        else DRAW[mark.k].place(item.nodes, item.now, mark);
      }
      this.enliven(item, live.has(mark.of ?? id), onPick);
    }
    return moves;
  }

  enter(mark) {
    const g = svg("g", this.layers[mark.k], { "data-id": mark.id });
    const item = { g, nodes: DRAW[mark.k].make(g), now: numbersOf(mark), mark: null, live: null };
    this.drawn.set(mark.id, item);
    this.dress(item, mark);
    DRAW[mark.k].place(item.nodes, item.now, mark);
    return item;
  }

  dress(item, mark) {
    item.mark = mark;
    item.dressed = `dp-mark dp-${mark.k} r-${mark.role ?? "ink"} t-${mark.tone ?? "outline"}${mark.heavy ? " dp-heavy" : ""}`;
    item.live = null;
    DRAW[mark.k].words(item.nodes, mark);
    const name = mark.title || "";
    if (name && !item.title) item.title = svg("title", item.g);
    if (item.title) write(item.title, name);
  }

  enliven(item, live, onPick) {
    if (item.live === live) return;
    item.live = live;
    item.g.setAttribute("class", item.dressed + (live ? " dp-live" : ""));
    if (!live) {
      for (const name of ["tabindex", "role", "aria-label", "aria-haspopup"]) item.g.removeAttribute(name);
      item.g.onclick = item.g.onkeydown = null;
      return;
    }
    const mark = item.mark;
    const whole = mark.of ?? mark.id; // the keyboard comes to the whole, not to each of its parts
    put(item.g, { tabindex: mark.of ? -1 : 0, role: "button", "aria-haspopup": "menu", "aria-label": mark.title || mark.text || mark.id });
    item.g.onclick = () => onPick(whole, item.g);
    item.g.onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      onPick(whole, item.g);
    };
  }
}

/** The panels of one player. `show` puts a scene up at once or lets what changed move there. */
class Stage {
  constructor(parent, onPick) {
    this.parent = parent;
    this.onPick = onPick;
    this.panels = new Map();
    this.moving = 0;
  }

  /** `panels`: id -> {width, height, label, title, marks: Map}; `live`: ids that a click can do something about. */
  show(panels, live, animate) {
    this.settle();
    for (const [id, stage] of this.panels) {
      if (panels.has(id)) continue;
      stage.figure.remove();
      this.panels.delete(id);
    }
    const moves = [];
    for (const [id, panel] of panels) {
      let stage = this.panels.get(id);
      if (!stage) this.panels.set(id, (stage = new PanelStage(this.parent, panel)));
      if (stage.head !== panel.head) stage.frame((stage.head = panel.head));
      moves.push(...stage.show(panel.marks, live, this.onPick));
    }
    this.moves = moves;
    const still = !animate || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still || !moves.length) return this.settle();
    const began = performance.now();
    const frame = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / MOTION_MS)), eased = part * part * (3 - 2 * part);
      for (const { item, from, to } of moves) {
        const v = {};
        for (const name in to) v[name] = (from[name] ?? to[name]) + (to[name] - (from[name] ?? to[name])) * eased;
        DRAW[item.mark.k].place(item.nodes, v, item.mark);
      }
      if (part < 1) this.moving = requestAnimationFrame(frame);
      else this.settle();
    };
    this.moving = requestAnimationFrame(frame);
  }

  /** End a motion at once: every mark where it belongs. */
  settle() {
    cancelAnimationFrame(this.moving);
    for (const { item, to } of this.moves ?? []) {
      item.now = to;
      DRAW[item.mark.k].place(item.nodes, to, item.mark);
    }
    this.moves = [];
  }
}
