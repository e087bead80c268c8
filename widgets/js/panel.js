// @ts-check
// One panel of the picture: its marks joined by id, so that what stays is moved and never made anew; where messages
// rest, captions stand, and labels find a free place.

import { groupBy, put, svg, write } from "./dom.js";
import { along, apart, placed, settled, split, TINY, wayOf } from "./labels.js";
import { TITLE } from "./layout.js";
import { DRAW, differ, LAYERS, numbersOf } from "./marks.js";
import { narrowed, SMALL, wide } from "./text.js";

/** @typedef {import("./frame.js").AnyMark} AnyMark */
/** @typedef {import("./run.js").PanelPicture} PanelPicture */
/** @typedef {import("./labels.js").Obstacles} Obstacles */
/** @typedef {{ mark: any, now: Record<string, number>, g: any, nodes: any, look: string, title?: Element, live?: boolean, stale?: boolean }} Item */
/** @typedef {{ item: Item, from: Record<string, number>, to: Record<string, number> }} Move */
/** @typedef {{ text: string, role: string, anchors: import("./labels.js").Point[], must: boolean }} Say */

const HIGH = 21; // of a label
const SETTLED = ["disc", "message"]; // whose places depend on their neighbours
const HALO = 9; // beyond a disc: its halo, its timers

export class PanelStage {
  /**
   * @param {HTMLElement} parent
   * @param {(id: string, at: Element) => void} onPick
   * @param {(id: string | null) => void} onPoint
   */
  constructor(parent, onPick, onPoint) {
    this.svg = svg("svg", null, { role: "group", class: "dp-panel" });
    this.title = svg("text", this.svg, { class: "dp-label dp-title", x: 4 });
    this.layers = Object.fromEntries(LAYERS.map((kind) => [kind, svg("g", this.svg)]));
    this.ghosts = svg("g", this.svg, { class: "dp-ghosts" });
    this.svg.insertBefore(this.ghosts, this.layers.disc);
    this.pills = svg("g", this.svg, { class: "dp-pills", "aria-hidden": "true" });
    parent.append(this.svg);
    /** @type {Map<string, Item>} */
    this.drawn = new Map();
    this.onPick = onPick;
    this.onPoint = onPoint;
    this.scale = 1;
    this.stretch = 1;
    this.size = { width: 1, height: 1 };
    this.sides = "";
    /** @type {Obstacles} */
    this.obstacles = { rounds: [], rects: [] };
  }

  /**
   * @param {{ width: number, height: number }} size of the panel's own pixels
   * @param {import("./layout.js").Place} place
   * @param {number} scale
   * @param {{ label: string, title: string }} head
   */
  frame(size, place, scale, head) {
    const top = head.title ? TITLE / Math.min(1, scale) : 0;
    const width = size.width * place.stretch;
    put(this.svg, {
      viewBox: `0 ${-top} ${width} ${size.height + top}`,
      width: (width * scale).toFixed(1),
      height: ((size.height + top) * scale).toFixed(1),
      style: `left:${place.x.toFixed(1)}px;top:${place.y.toFixed(1)}px`,
      "aria-label": head.label,
    });
    const type = Math.max(SMALL, SMALL / scale);
    narrowed(this.title, head.title ?? "", place.room / scale - 4, type, 600);
    put(this.title, { "font-size": type, y: -top + 14 / Math.min(1, scale) });
    if (scale !== this.scale || place.stretch !== this.stretch)
      for (const item of this.drawn.values()) item.mark = null; // its type has another size
    this.scale = scale;
    this.stretch = place.stretch;
    this.size = { width, height: size.height };
  }

  /**
   * Show these marks; the moves that a motion may draw, from where each mark was.
   * @param {Map<string, AnyMark>} marks
   * @param {Set<string>} live what a click can do something about
   * @param {Set<string>} changed what the step is about
   * @param {Set<string>} wrong whom a broken promise names
   * @returns {Move[]}
   */
  show(marks, live, changed, wrong) {
    for (const [id, item] of this.drawn) {
      const mark = marks.get(id);
      if (mark && mark.k === item.g.dataset.kind) continue;
      item.g.remove();
      this.drawn.delete(id);
    }
    /** @type {Move[]} */
    const moves = [];
    for (const [id, mark] of marks) {
      const item = this.drawn.get(id) ?? this.enter(mark);
      const fresh = item.mark === undefined;
      if (item.mark !== mark) {
        const to = this.numbers(mark);
        DRAW[mark.k].words(item.nodes, mark, { scale: this.scale, stretch: this.stretch });
        if (!fresh && item.mark && differ(item.now, to)) moves.push({ item, from: item.now, to });
        this.dress(item, mark);
        item.now = to;
        item.stale = true;
      }
      this.enliven(item, live.has(mark.of ?? id));
      item.g.classList.toggle("dp-changed", changed.has(id) || wrong.has(id));
      item.g.classList.toggle("dp-wrong", wrong.has(id));
    }
    this.seat();
    this.crowd();
    moves.push(...this.settle());
    for (const item of this.drawn.values())
      if (item.stale || SETTLED.includes(item.mark.k)) {
        DRAW[item.mark.k].place(item.nodes, item.now, item.mark);
        item.stale = false;
      }
    return moves;
  }

  /** @param {AnyMark} mark @returns {Item} */
  enter(mark) {
    const g = svg("g", this.layers[mark.k], { "data-id": mark.id, "data-kind": mark.k });
    /** @type {Item} */
    const item = { g, nodes: DRAW[mark.k].make(g), now: this.numbers(mark), mark: undefined, look: "" };
    this.drawn.set(mark.id, item);
    return item;
  }

  /** Where a mark is: nearer to its neighbours, or farther, than its view says, if the panel is stretched. @param {AnyMark} mark */
  numbers(mark) {
    const numbers = numbersOf(mark);
    for (const name of ["x", "x2", "w"]) if (name in numbers) numbers[name] *= this.stretch;
    return numbers;
  }

  /** The way of a message. @param {any} mark */
  way(mark) {
    return wayOf(/** @type {any} */ (this.numbers(mark)));
  }

  /** @param {Item} item @param {any} mark */
  dress(item, mark) {
    item.mark = mark;
    const hue = mark.hue ? ` r-${mark.hue}` : "";
    const look = `dp-mark dp-${mark.k} r-${mark.role ?? "ink"}${hue} t-${mark.tone ?? "outline"}${mark.heavy ? " dp-heavy" : ""}${mark.reply ? " dp-reply" : ""}`;
    if (look !== item.look) item.live = undefined;
    item.look = look;
    if (mark.title && !item.title) item.title = svg("title", item.g);
    if (item.title) write(item.title, mark.title ?? "");
    if (item.live !== undefined) this.named(item);
  }

  /** What a screen reader hears of a mark: its words, or nothing where it only repeats what another one says. @param {Item} item */
  named({ g, mark, live }) {
    const button = live && !mark.of; // the keyboard comes to the whole, not to each of its parts
    const words = mark.title || (button || mark.k === "disc" ? mark.text || mark.id : "");
    if (words) put(g, { role: button ? "button" : "img", "aria-label": words });
    for (const name of words ? ["aria-hidden"] : ["role", "aria-label"]) g.removeAttribute(name);
    if (!words) put(g, { "aria-hidden": "true" });
  }

  /** @param {Item} item @param {boolean} live */
  enliven(item, live) {
    if (item.live === live) return;
    item.live = live;
    const { g, mark } = item;
    g.setAttribute("class", item.look + (live ? " dp-live" : ""));
    const points = live || mark.k === "message";
    g.onpointerenter = points ? () => this.onPoint(mark.id) : null;
    g.onpointerleave = points ? () => this.onPoint(null) : null;
    this.named(item);
    if (!live) {
      for (const name of ["tabindex", "aria-haspopup"]) g.removeAttribute(name);
      g.onclick = null;
      return;
    }
    const whole = mark.of ?? mark.id;
    if (!mark.of) put(g, { tabindex: -1, "aria-haspopup": "menu" });
    else g.removeAttribute("aria-haspopup");
    g.onclick = () => this.onPick(whole, this.drawn.get(whole)?.g ?? g);
  }

  /** Where captions stand: where no other disc, box or edge is. The same as long as the discs stand where they do. */
  seat() {
    const discs = [...this.drawn.values()].filter(
      (item) => item.mark.k === "disc" && (item.nodes.said || item.nodes.side),
    );
    const all = [...this.drawn.values()].filter((item) => item.mark.k === "disc").map((item) => item.now);
    const key = `${this.scale}|${all.map((v) => `${v.x},${v.y},${v.r}`)}`;
    if (key !== this.sides) for (const item of this.drawn.values()) item.nodes.side = undefined;
    this.sides = key;
    const high = 16 * Math.max(1, 1 / this.scale);
    const middle = (/** @type {"x" | "y"} */ axis) =>
      all.reduce((sum, v) => sum + v[axis], 0) / Math.max(1, all.length);
    const [mx, my] = [middle("x"), middle("y")]; // messages pass there
    for (const { nodes, now, mark } of discs) {
      nodes.broad = wide(nodes.said, nodes.small, 600);
      const w = nodes.broad;
      if (!nodes.side) {
        const out = now.r + HALO + 3;
        const room = Math.max(w, 84);
        const sides = [
          { dx: 0, dy: out + high * 0.8, anchor: "middle", x: -room / 2, y: out },
          { dx: 0, dy: -out - 3, anchor: "middle", x: -room / 2, y: -out - high },
          { dx: out, dy: 4, anchor: "start", x: out, y: -high / 2 },
          { dx: -out, dy: 4, anchor: "end", x: -out - room, y: -high / 2 },
        ];
        if (mark.above) sides.unshift(...sides.splice(1, 1));
        const bad = (/** @type {typeof sides[0]} */ side, /** @type {number} */ at) => {
          const rect = { x: now.x + side.x, y: now.y + side.y, w: room, h: high };
          let sum = at;
          if (rect.x < 0 || rect.x + room > this.size.width) sum += side.anchor === "middle" ? 0.5 : 200;
          if (
            side.anchor !== "middle" &&
            Math.hypot(rect.x + room / 2 - mx, rect.y - my) < Math.hypot(now.x - mx, now.y - my)
          )
            sum += 30;
          if (rect.y < 0 || rect.y + high > this.size.height) sum += 200;
          for (const v of all) {
            const [gx, gy] = [
              Math.max(rect.x - v.x, 0, v.x - rect.x - room),
              Math.max(rect.y - v.y, 0, v.y - rect.y - high),
            ];
            if (v !== now && Math.hypot(gx, gy) < v.r + HALO) sum += 100;
          }
          return sum;
        };
        nodes.side = sides.map((side, at) => ({ side, bad: bad(side, at) })).sort((a, b) => a.bad - b.bad)[0].side;
      }
    }
    const below = discs.filter(({ nodes }) => nodes.side?.anchor === "middle");
    for (const item of discs) {
      const { nodes, now } = item;
      const whole = nodes.broad;
      for (const other of below.includes(item) ? below : []) {
        const between = Math.abs(now.x - other.now.x);
        if (Math.abs(now.y + nodes.side.dy - other.now.y - other.nodes.side.dy) > high || !between) continue;
        const both = whole + wide(other.nodes.said, other.nodes.small, 600) + 8;
        if (both > 2 * between) nodes.broad = Math.min(nodes.broad, (whole * 2 * between) / both);
      }
      if (nodes.side.anchor === "middle") {
        const [least, most] = [nodes.broad / 2 + 2, this.size.width - nodes.broad / 2 - 2]; // it is never outside
        nodes.side = { ...nodes.side, dx: Math.max(least, Math.min(most, now.x)) - now.x };
      }
    }
    this.align(below.filter(({ nodes }) => nodes.said));
    for (const { nodes } of discs) narrowed(nodes.caption, nodes.said, nodes.broad, nodes.small, 600);
  }

  /** Captions of one line that lie on each other since the edge pushed one: they make way, and are narrowed at the last. @param {Item[]} captions */
  align(captions) {
    const lines = groupBy(captions, ({ now, nodes }) => String(Math.round((now.y + nodes.side.dy) / 8)));
    for (const line of lines.values()) {
      line.sort((a, b) => a.now.x - b.now.x);
      const { at, part } = apart(
        line.map(({ now, nodes }) => ({ x: now.x + nodes.side.dx, w: nodes.broad })),
        this.size.width,
      );
      for (const [i, { now, nodes }] of line.entries()) {
        nodes.broad *= part;
        nodes.side = { ...nodes.side, dx: at[i] - now.x };
      }
    }
  }

  /** Labels in less room than they ask for: up to the edge of the box that they stand in, and to their neighbours. */
  crowd() {
    const items = [...this.drawn.values()];
    const boxes = items.filter(({ mark }) => mark.k === "box");
    const labels = items
      .filter(({ mark }) => mark.k === "label" && mark.text)
      .map(({ mark, now, nodes }) => {
        const weight = mark.strong ? 650 : 400;
        const broad = wide(mark.text, nodes.size, weight);
        const back = mark.anchor === "middle" ? broad / 2 : mark.anchor === "end" ? broad : 0;
        return { mark, nodes, weight, broad, back, x: now.x, y: now.y, l: now.x - back, r: now.x - back + broad };
      });
    for (const { mark, nodes, weight, broad, back, x, y, l, r } of labels) {
      let [lo, hi] = [0, this.size.width];
      for (const { now: box, mark: of } of boxes) {
        if (y - 0.6 * nodes.size > box.y + box.h || y < box.y + 2) continue; // it lies in another line
        if (box.x <= x && x <= box.x + box.w) {
          if (y <= box.y + box.h) [lo, hi] = [Math.max(lo, box.x + 1), Math.min(hi, box.x + box.w - 1)];
        } else if (of.text && box.x > x + 12) hi = Math.min(hi, box.x - 3);
        else if (of.text) lo = Math.max(lo, box.x + box.w + 3);
      }
      for (const other of labels) {
        if (
          Math.abs(other.x - x) < 24 ||
          Math.abs(other.y - y) >= 0.8 * nodes.size ||
          other.l >= r + 4 ||
          other.r <= l - 4
        )
          continue;
        const facing = broad - back && other.back; // each may give way
        const part = (broad - back) / (broad - back + other.back);
        if (other.x > x) hi = Math.min(hi, facing ? x + (other.x - x - 6) * part : other.l - 4);
        else
          lo = Math.max(
            lo,
            back && other.broad > other.back
              ? x - ((x - other.x - 6) * back) / (back + other.broad - other.back)
              : other.r + 4,
          );
      }
      const room = mark.anchor === "middle" ? 2 * Math.min(x - lo, hi - x) : mark.anchor === "end" ? x - lo : hi - x;
      nodes.broad = Math.max(8, Math.min(broad, room));
      narrowed(nodes.text, mark.text, nodes.broad, nodes.size, weight);
    }
  }

  /** Where messages rest; the moves of those that rested elsewhere. */
  settle() {
    this.obstacles = this.solid();
    const messages = [...this.drawn.values()].filter((item) => item.mark.k === "message");
    const ways = messages.map(({ mark, now, nodes }) => ({
      id: mark.id,
      curve: wayOf(/** @type {any} */ (now)),
      part: now.part,
      r: nodes.r,
    }));
    const rests = settled(ways, this.obstacles);
    const moves = [];
    for (const item of messages) {
      const { t: at, tiny, none } = rests.get(item.mark.id) ?? { t: item.now.part, tiny: false, none: false };
      Object.assign(item.nodes, { tiny, none });
      if (item.nodes.at !== undefined && item.nodes.at !== at)
        moves.push({ item, from: { ...item.now, at: item.nodes.at }, to: { ...item.now, at } });
      item.nodes.at = at;
      const [x, y] = along(wayOf(/** @type {any} */ (item.now)), at);
      this.obstacles.rounds.push({ x, y, r: item.nodes.r * (tiny ? TINY : 1) + 1 });
    }
    return moves;
  }

  /** What no message and no label may lie on. @returns {Obstacles} */
  solid() {
    /** @type {Obstacles} */
    const solid = { rounds: [], rects: [] };
    const high = 16 * Math.max(1, 1 / this.scale);
    for (const { mark, now, nodes, g } of this.drawn.values()) {
      if (mark.k === "disc") {
        solid.rounds.push({ x: now.x, y: now.y, r: now.r + (g.classList.contains("dp-changed") ? HALO + 1 : 4) });
        if (nodes.leads) solid.rects.push({ x: now.x - 11, y: now.y - now.r - 14, w: 22, h: 14 });
        if (nodes.said) {
          const { dx, dy, anchor } = nodes.side ?? { dx: 0, dy: now.r + 26, anchor: "middle" };
          const w = nodes.broad + 4;
          const x = now.x + dx - (anchor === "middle" ? w / 2 : anchor === "end" ? w - 2 : 2);
          solid.rects.push({ x, y: now.y + dy - high * 0.8, w, h: high });
        }
      } else if (mark.k === "box") solid.rects.push({ x: now.x, y: now.y, w: now.w, h: now.h, soft: !mark.text });
      else if (mark.k === "label" && mark.text) {
        const w = nodes.broad + 4;
        const x = now.x - (mark.anchor === "middle" ? w / 2 : mark.anchor === "end" ? w - 2 : 2);
        solid.rects.push({ x, y: now.y - nodes.size, w, h: nodes.size * 1.25 });
      } else if (mark.k === "arc") {
        for (const each of this.drawn.values())
          if (each.mark.k === "disc" && each.now.x === now.x && each.now.y === now.y)
            solid.rounds.push({ x: now.x, y: now.y, r: now.r + (now.wide ?? 3) / 2 });
      } else if (mark.tone === "wall") {
        const n = Math.ceil(Math.hypot(now.x2 - now.x, now.y2 - now.y) / 10);
        for (let i = 0; i <= n; i++)
          solid.rounds.push({ x: now.x + ((now.x2 - now.x) * i) / n, y: now.y + ((now.y2 - now.y) * i) / n, r: 7 });
      }
    }
    return solid;
  }

  // what is said of messages

  /** @param {Say[]} says */
  label(says) {
    this.pills.replaceChildren();
    const taken = { rounds: [...this.obstacles.rounds], rects: [...this.obstacles.rects] };
    for (const say of says) this.pill(say, taken);
  }

  /** @param {Say} say @param {Obstacles} taken */
  pill({ text, role, anchors, must }, taken) {
    const size = Math.max(1, 1 / this.scale);
    const [w, high] = [wide(text, SMALL * size, 600) + 16 * size, HIGH * size];
    const top = -(this.title.textContent ? TITLE / Math.min(1, this.scale) : 0);
    const rect = placed({ w, h: high }, anchors, this.size, taken, must);
    if (!rect) return null;
    taken.rects.push(rect);
    const g = svg("g", this.pills, { class: `dp-pill r-${role}`, "data-top": top });
    svg("rect", g, { x: rect.x, y: rect.y, width: w, height: high, rx: high / 2 });
    svg("text", g, {
      x: rect.x + w / 2,
      y: rect.y + high * 0.71,
      "text-anchor": "middle",
      "font-size": SMALL * size,
    }).textContent = text;
    return g;
  }

  /** What was delivered or lost: its way, and a cross where it was lost. @param {any[]} gone @param {boolean} lost */
  haunt(gone, lost) {
    this.ghosts.replaceChildren();
    for (const mark of gone) {
      const curve = this.way(mark);
      const end = lost ? LOST : 1;
      const [[a, b, c]] = split(curve, Math.min(0.999, end));
      const g = svg("g", this.ghosts, { class: `r-${mark.role ?? "ink"}` });
      svg("path", g, { class: "dp-gone", d: `M${a}Q${b} ${c}` });
      if (!lost) continue;
      const [x, y] = along(curve, end);
      svg("path", this.ghosts, { class: "dp-cross", d: `M${x - 6} ${y - 6}l12 12m0-12-12 12` });
      this.obstacles.rounds.push({ x, y, r: 11 });
    }
  }

  /** A ring that goes out from a disc. @param {string} id @param {string} role */
  pulse(id, role) {
    const disc = this.drawn.get(id)?.now;
    if (!disc) return;
    const ring = svg("circle", this.svg, { class: `dp-pulse n-${role}`, cx: disc.x, cy: disc.y, r: disc.r });
    ring.onanimationend = () => ring.remove();
  }

  clear() {
    this.pills.replaceChildren();
    this.ghosts.replaceChildren();
    for (const ring of this.svg.querySelectorAll(".dp-pulse")) ring.remove();
  }

  remove() {
    this.svg.remove();
  }
}

export const LOST = 0.52; // the part of its way at which a lost message is lost
