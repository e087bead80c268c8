// @ts-check
// The picture: its panels in the room there is, and the short motion of each thing that happens. First what happens
// (at most 220 ms), then the picture and the words change at once, then what was sent leaves: under 600 ms in all.
// The next step ends it; with reduced motion there is none.

import { groupBy, put } from "./dom.js";
import { along, lerp } from "./labels.js";
import { arranged } from "./layout.js";
import { DRAW } from "./marks.js";
import { LOST, PanelStage } from "./panel.js";
import { changedIn } from "./run.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./run.js").Picture} Picture */
/** @typedef {import("./panel.js").Move} Move */
/**
 * @typedef {object} Shown
 * @property {Picture} picture
 * @property {Picture | undefined} before the picture of the step before
 * @property {Frame} frame
 * @property {Frame | null} asked the step that a question stands before
 * @property {Set<string>} live
 * @property {Map<string, { width: number, height: number, round: boolean }>} sizes
 * @property {Set<string>} wrong the processes that a broken promise names
 */

const FLIGHT = 220;
const LEAVE = 170;
const DRAWN = 380; // of a wall
const easeInOut = (/** @type {number} */ t) => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);
const easeOut = (/** @type {number} */ t) => 1 - (1 - t) ** 3;

/** The hue of what a step is about: red for a fault. @param {Frame} frame */
export const hueOf = (frame) =>
  frame.fault
    ? "bad"
    : /^c\d$/.test(frame.moment?.role ?? "")
      ? frame.moment?.role
      : /^c\d$/.test(frame.era?.role ?? "")
        ? frame.era?.role
        : "soft";

export class Stage {
  /**
   * @param {HTMLElement} parent
   * @param {(id: string, at: Element) => void} onPick
   */
  constructor(parent, onPick) {
    this.parent = parent;
    this.onPick = onPick;
    /** @type {Map<string, PanelStage>} */
    this.panels = new Map();
    /** @type {(() => void)[]} */
    this.cancels = [];
    /** @type {(() => void) | null} */
    this.rest = null; // what is left of a motion, done at once if it is cut short
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.width = 0;
    this.height = 0;
    /** @type {Shown | null} */
    this.shown = null;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    this.width = width;
    this.height = height;
    if (this.shown) this.show(this.shown, false);
  }

  /**
   * @param {Shown} shown
   * @param {boolean} animate
   * @param {() => void} [then] called when the picture changes, for what changes with it
   * @param {() => void} [last] called when all of it has: what asks the page for sizes, so that it is laid out once
   */
  show(shown, animate, then = () => {}, last = () => {}) {
    this.settle();
    const still = !animate || !this.shown || this.calm.matches;
    const after = () => {
      const moves = this.paint(shown);
      then();
      return moves;
    };
    if (still) {
      after();
      this.say(shown);
      return last();
    }
    for (const panel of this.panels.values()) panel.clear();
    this.rest = () => {
      after();
      this.say(shown);
      last();
    };
    this.happen(shown, () => {
      const moves = after();
      last();
      this.rest = () => this.end(moves, shown);
      this.pulse(shown);
      this.leave(moves, shown);
    });
  }

  /** End a motion at once: everything where it belongs. */
  settle() {
    for (const cancel of this.cancels.splice(0)) cancel();
    const rest = this.rest;
    this.rest = null;
    rest?.();
  }

  /** Put the picture up; where each mark was before. @param {Shown} shown @returns {Move[]} */
  paint(shown) {
    const { picture, before, frame, asked, live, sizes, wrong } = shown;
    this.shown = shown;
    for (const [id, panel] of this.panels) {
      if (picture.has(id)) continue;
      panel.remove();
      this.panels.delete(id);
    }
    const ids = [...picture.keys()];
    const panels = ids.map((id) => ({
      size: sizes.get(id) ?? picture.get(id)?.head ?? { width: 1, height: 1 },
      head: /** @type {any} */ (picture.get(id)?.head),
    }));
    const boxes = panels.map(({ size, head }) => ({ ...size, title: Boolean(head.title) }));
    const { scale, places } = arranged(boxes, this.width, this.height);
    const changed = asked ? new Set() : changedIn(frame, picture, before);
    if (!asked && frame.depth && frame.moment && frame.moment.kind !== "drop")
      changed.add(`process:${frame.moment.lane}`);
    put(this.parent, { class: `dp-stage n-${asked ? "soft" : hueOf(frame)}` });
    /** @type {Move[]} */
    const moves = [];
    ids.forEach((id, at) => {
      let panel = this.panels.get(id);
      if (!panel) this.panels.set(id, (panel = new PanelStage(this.parent, this.onPick, (mark) => this.point(mark))));
      panel.frame(panels[at].size, places[at], scale, panels[at].head);
      moves.push(...panel.show(/** @type {any} */ (picture.get(id)).marks, live, changed, wrong));
    });
    this.rove();
    return moves;
  }

  /** One mark is reached by Tab; arrows up and down go on from there. @param {Element} [to] */
  rove(to) {
    const live = [...this.parent.querySelectorAll("[tabindex]")];
    const one = to ?? live.find((node) => node === document.activeElement) ?? live[0];
    for (const node of live) node.setAttribute("tabindex", node === one ? "0" : "-1");
    return live;
  }

  /** @param {number} by */
  roam(by) {
    const live = this.rove();
    const at = live.indexOf(/** @type {Element} */ (document.activeElement));
    const next = live[(at + by + live.length) % live.length];
    this.rove(next);
    /** @type {HTMLElement | undefined} */ (next)?.focus({ preventScroll: true });
  }

  // motions

  /** The messages that the step took from the picture, panel by panel. @param {Frame} frame @param {Picture | undefined} before */
  gone(frame, before) {
    return frame.panels.map(({ id, gone = [] }) => ({
      id,
      marks: gone
        .map((mark) => /** @type {any} */ (before?.get(id)?.marks.get(mark)))
        .filter((mark) => mark?.k === "message"),
    }));
  }

  /** What happens, before the picture changes. @param {Shown} shown @param {() => void} then */
  happen({ frame, before }, then) {
    const kind = frame.moment?.kind;
    const flying = this.gone(frame, before).flatMap(({ id, marks }) =>
      marks.map((mark) => this.panels.get(id)?.drawn.get(mark.id)).filter(Boolean),
    );
    const items = /** @type {import("./panel.js").Item[]} */ (flying);
    const fly = (/** @type {number} */ to) => {
      const from = items.map((item) => item.nodes.at ?? 0);
      return (/** @type {number} */ k) => items.forEach((item, i) => this.put(item, { at: lerp(from[i], to, k) }));
    };
    if (items.length && kind === "drop") {
      const on = fly(LOST);
      return this.tween(80, on, () =>
        this.tween(
          140,
          (k) =>
            items.forEach((item) => {
              this.put(item, { fallen: 70 * k * k });
              item.g.style.opacity = String(1 - k);
            }),
          then,
        ),
      );
    }
    if (items.length) {
      const on = fly(1);
      return this.tween(FLIGHT, (k) => on(easeInOut(k)), then);
    }
    const lane = frame.moment?.lane ?? "";
    if (kind === "crash") return this.fade([...this.of(`process:${lane}`)], FLIGHT, then);
    if (kind === "fire")
      return this.fade([...this.parent.querySelectorAll(`[data-id^="timer:${CSS.escape(lane)}:"]`)], 180, then);
    if (kind === "request") return this.ask(lane, then);
    then();
  }

  /** The mark of a process, and what belongs to it. @param {string} id */
  *of(id) {
    for (const panel of this.panels.values())
      for (const item of panel.drawn.values())
        if (item.mark.id === id || (item.mark.of === id && item.mark.tone !== "wall" && item.mark.text)) yield item.g;
  }

  /** @param {any[]} nodes @param {number} ms @param {() => void} then */
  fade(nodes, ms, then) {
    this.cancels.push(() => nodes.forEach((node) => (node.style.opacity = "")));
    this.tween(
      ms,
      (k) => nodes.forEach((node) => (node.style.opacity = String(1 - 0.75 * k))),
      () => {
        for (const node of nodes) node.style.opacity = "";
        then();
      },
    );
  }

  /** A client's request comes in from outside. @param {string} lane @param {() => void} then */
  ask(lane, then) {
    const panel = [...this.panels.values()].find((each) => each.drawn.has(`process:${lane}`));
    const disc = panel?.drawn.get(`process:${lane}`)?.now;
    if (!panel || !disc) return then();
    const token = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of Object.entries({ class: "dp-asks", width: 14, height: 14, rx: 3 }))
      token.setAttribute(name, String(value));
    panel.svg.append(token);
    this.cancels.push(() => token.remove());
    const [x, y] = [disc.x < panel.size.width / 2 ? -10 : panel.size.width + 10, disc.y];
    const edge = disc.x + Math.sign(x - disc.x) * (disc.r + 8);
    this.tween(
      FLIGHT,
      (k) => token.setAttribute("transform", `translate(${lerp(x, edge, easeOut(k)) - 7} ${y - 7})`),
      () => {
        token.remove();
        then();
      },
    );
  }

  /** @param {Shown} shown */
  pulse({ frame }) {
    const { moment } = frame;
    if (moment && moment.kind !== "drop")
      for (const panel of this.panels.values()) panel.pulse(`process:${moment.lane}`, hueOf(frame) ?? "soft");
  }

  /** What was sent leaves its sender; what moved moves; a wall draws itself. @param {Move[]} moves @param {Shown} shown */
  leave(moves, shown) {
    const sent = this.fresh(shown).flatMap(({ panel, marks }) => marks.map((mark) => panel.drawn.get(mark.id)));
    const items = /** @type {import("./panel.js").Item[]} */ (sent.filter(Boolean));
    const rests = items.map((item) => item.nodes.at);
    const kind = shown.frame.moment?.kind;
    const starts = items.map((item) => (kind === "duplicate" ? this.twin(item) : 0.02));
    const walls = shown.frame.panels
      .flatMap(({ set = [] }) => set.filter((mark) => mark.tone === "wall"))
      .map((mark) => this.parent.querySelector(`[data-id="${CSS.escape(mark.id)}"] path`));
    const motions = walls.map((wall) =>
      wall?.animate([{ strokeDasharray: "0 1" }, { strokeDasharray: "1 0" }], { duration: DRAWN, easing: "ease-out" }),
    );
    if (kind === "restart") motions.push(...this.rise(`process:${shown.frame.moment?.lane}`));
    this.cancels.push(() => motions.forEach((motion) => motion?.cancel()));
    const go = (/** @type {number} */ k) => {
      items.forEach((item, i) => this.put(item, { at: lerp(starts[i], rests[i], k) }));
      for (const { item, from, to } of moves) this.put(item, { at: item.nodes.at }, between(from, to, k));
    };
    this.rest = () => this.end(moves, shown, items, rests);
    go(0);
    this.tween(
      walls.length ? DRAWN : kind === "restart" || kind === "duplicate" ? FLIGHT : LEAVE,
      (k) => go(easeOut(k)),
      () => this.settle(),
    );
  }

  /** Where the message is of which this one is a copy: the copy comes out of it. @param {import("./panel.js").Item} copy */
  twin({ mark }) {
    for (const panel of this.panels.values())
      for (const { mark: other, nodes } of panel.drawn.values())
        if (other.k === "message" && other.id !== mark.id)
          if (other.sender === mark.sender && other.to === mark.to && other.text === mark.text) return nodes.at;
    return 0.02;
  }

  /** A process that is up again grows into its place. @param {string} id */
  rise(id) {
    return [...this.of(id)].map((g) => {
      Object.assign(g.style, { transformBox: "fill-box", transformOrigin: "center" });
      const small = { transform: "scale(.6)", opacity: 0.2 };
      return g.animate([small, { transform: "scale(1)", opacity: 1 }], { duration: FLIGHT, easing: "ease-out" });
    });
  }

  /** @param {Move[]} moves @param {Shown} shown @param {import("./panel.js").Item[]} [items] @param {number[]} [rests] */
  end(moves, shown, items = [], rests = []) {
    items.forEach((item, i) => this.put(item, { at: rests[i] }));
    for (const { item, to } of moves) this.put(item, to.at === undefined ? {} : { at: to.at }, to);
    this.say(shown);
  }

  /** Draw one mark at these numbers. @param {import("./panel.js").Item} item @param {Record<string, number>} nodes @param {Record<string, number>} [now] */
  put(item, nodes, now = item.now) {
    Object.assign(item.nodes, nodes, now.at === undefined ? {} : { at: now.at });
    DRAW[item.mark.k].place(item.nodes, now, item.mark);
  }

  /** @param {number} ms @param {(k: number) => void} step @param {() => void} then */
  tween(ms, step, then) {
    const began = performance.now();
    let id = 0;
    const frame = (/** @type {number} */ now) => {
      const k = Math.max(0, Math.min(1, (now - began) / ms));
      step(k);
      if (k < 1) id = requestAnimationFrame(frame);
      else then();
    };
    id = requestAnimationFrame(frame);
    this.cancels.push(() => cancelAnimationFrame(id));
  }

  // what is said of messages

  /** The messages that the step sent. @param {Shown} shown */
  fresh({ frame, before, asked }) {
    if (asked || !before) return [];
    return frame.panels.flatMap(({ id, set = [] }) => {
      const panel = this.panels.get(id);
      const old = before.get(id)?.marks;
      const marks = /** @type {any[]} */ (set.filter((mark) => mark.k === "message" && !old?.has(mark.id)));
      return panel ? [{ panel, marks }] : [];
    });
  }

  /** @param {Shown} shown */
  say(shown) {
    const { frame, before, asked, picture } = shown;
    const lost = frame.moment?.kind === "drop";
    const says = new Map(
      [...this.panels.values()].map((panel) => [panel, /** @type {import("./panel.js").Say[]} */ ([])]),
    );
    for (const { panel, marks } of this.fresh(shown)) {
      const groups = groupBy(
        marks.filter((mark) => mark.text),
        (mark) => `${mark.sender}|${mark.text}|${mark.role}`,
      );
      for (const [one, ...more] of groups.values()) {
        const to = [one, ...more].map((mark) => mark.to);
        const whom = to.length > 3 ? "all" : to.join(", ");
        const anchors = [one, ...more].map((mark) => this.at(panel, mark));
        says.get(panel)?.push({
          text: more.length ? `${one.text} → ${whom}` : one.text,
          role: one.role ?? "ink",
          anchors,
          must: true,
        });
      }
    }
    for (const { id, marks } of this.gone(asked ?? frame, asked ? picture : before)) {
      const panel = this.panels.get(id);
      if (!panel) continue;
      if (!asked) panel.haunt(marks, lost);
      for (const mark of marks) {
        if (!mark.text) continue;
        const curve = panel.way(mark);
        const anchors = asked
          ? [this.at(panel, mark)]
          : lost
            ? [along(curve, LOST)]
            : [along(curve, 0.75), along(curve, 0.5)];
        says.get(panel)?.push({
          text: lost && !asked ? `${mark.text}: lost` : mark.text,
          role: lost && !asked ? "bad" : (mark.role ?? "ink"),
          anchors,
          must: Boolean(asked) || lost,
        });
      }
    }
    for (const [panel, list] of says) panel.label(list);
  }

  /** Where a message rests. @param {PanelStage} panel @param {any} mark */
  at(panel, mark) {
    return along(panel.way(mark), panel.drawn.get(mark.id)?.nodes.at ?? mark.part ?? 0);
  }

  /** The words of a message that is pointed at. @param {string | null} id */
  point(id) {
    for (const panel of this.panels.values()) {
      for (const pill of panel.pills.querySelectorAll(".dp-hover")) pill.remove();
      const item = id === null ? undefined : panel.drawn.get(id);
      if (item?.mark.k !== "message") continue;
      const { text, sender, to, role } = item.mark;
      const taken = { rounds: [...panel.obstacles.rounds], rects: [...panel.obstacles.rects] };
      panel
        .pill(
          {
            text: `${text || "message"}  ${sender} → ${to}`,
            role: role ?? "ink",
            anchors: [this.at(panel, item.mark)],
            must: true,
          },
          taken,
        )
        ?.classList.add("dp-hover");
    }
  }

  leaveAll() {
    for (const cancel of this.cancels.splice(0)) cancel();
    this.rest = null;
  }
}

/** @param {Record<string, number>} from @param {Record<string, number>} to @param {number} k */
function between(from, to, k) {
  /** @type {Record<string, number>} */
  const now = {};
  for (const name in to) now[name] = lerp(from[name] ?? to[name], to[name], k);
  return now;
}
