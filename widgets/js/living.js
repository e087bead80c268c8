// @ts-check
// Pictures that move by themselves: the picture of a player, and one sentence. They stand before a question, never beyond it.

import { h, icon } from "./dom.js";
import { loaded, UNLOADED } from "./load.js";
import { PlayerView } from "./player.js";
import { Saved } from "./saved.js";

const PACE = 1500; // milliseconds for a step
const NARROW = 520; // pixels: less is no room for two panels
const EARLY = 3; // the step of a small picture that stands still
const REST = 3; // so many of them at the end, before it begins again

/** @typedef {import("./frame.js").Frame} Frame */

class Living {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.wanted = false; // whether it shall move
    this.seen = false; // whether it is in sight
    this.rests = 0;
    this.start = 0;
    /** @type {PlayerView | undefined} */
    this.view = undefined;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.button = /** @type {HTMLElement | null} */ (place.querySelector("button"));
    this.button?.addEventListener("click", () => this.want(!this.wanted));
  }

  async load() {
    if (this.view) return;
    const name = this.place.dataset.living ?? "";
    const state = await loaded(name).catch(() => null);
    if (this.view) return;
    if (state === null) {
      this.place.querySelector(".said")?.replaceChildren(UNLOADED); // its still picture stays
      return;
    }
    const host = /** @type {HTMLElement} */ (this.place.querySelector(".host"));
    host.replaceChildren();
    host.inert = true; // it is looked at; to step, a reader opens the page of the run
    this.start = this.button ? state.cursor : early(state);
    const head = { ...state.head, hidesQuiet: true };
    const small = !this.button || host.clientWidth < NARROW;
    const frames = small ? state.frames.map(first(state.frames[0])) : state.frames;
    this.view = new PlayerView(new Saved(name, { ...state, head, frames, cursor: this.start }), host);
    this.say();
  }

  /** @param {boolean} moves */
  want(moves) {
    this.wanted = moves;
    this.button?.replaceChildren(icon(moves ? "pause" : "play"), moves ? " Pause" : " Play");
    this.go();
  }

  /** @param {boolean} seen */
  see(seen) {
    this.seen = seen;
    if (seen) this.load();
    this.go();
  }

  async go() {
    if (this.wanted) await this.load();
    clearInterval(this.timer);
    if (this.wanted && this.seen) this.timer = setInterval(() => this.step(), PACE);
  }

  step() {
    const { view } = this;
    if (!view || document.hidden) return;
    const end = view.state.asked || view.frame === view.shown[view.shown.length - 1];
    if (!end) view.move(1);
    else if (++this.rests >= REST) {
      this.rests = 0;
      view.go(this.button ? this.start : view.run.frame(view.state.path[0].n).n, { quick: true });
    }
    this.say();
  }

  /** The sentence of the step, for a picture that has a place for it. */
  say() {
    const place = this.place.querySelector(".said");
    if (place && this.view) place.replaceChildren(...spoken(this.view));
  }
}

/** A small picture has one panel, the first. @param {Frame} start @returns {(frame: Frame) => Frame} */
function first(start) {
  const [{ id }] = start.panels;
  return (frame) => ({ ...frame, panels: frame.panels.filter((panel) => panel.id === id) });
}

/** The step at which a small picture begins: something has happened, and no question stands before it. @param {Record<string, any>} state */
function early({ frames, cursor }) {
  const lock = frames.find((/** @type {Frame} */ { ask }) => ask);
  return Math.max(cursor, Math.min(frames[0].n + EARLY, (lock ?? frames[frames.length - 1]).n - 1));
}

/** @param {PlayerView} view */
function spoken(view) {
  const said = view.words.box.querySelector(".dp-read p");
  return [
    h("span", {}, `Step ${view.frame.depth}. `),
    ...[...(said?.childNodes ?? [])].map((node) => node.cloneNode(true)),
  ];
}

/** Begin: the large picture moves while it is in sight, a small one while it is pointed at. */
export function living() {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const touch = matchMedia("(hover: none)").matches;
  /** @type {Map<Element, Living>} */
  const all = new Map();
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) all.get(target)?.see(isIntersecting);
    },
    { threshold: 0.6 },
  );
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-living]"))) {
    const picture = new Living(place);
    all.set(place, picture);
    sight.observe(place);
    if (picture.button) {
      if (calm) picture.load();
      picture.want(!calm);
      continue;
    }
    const card = place.closest(".card") ?? place;
    if (touch) {
      if (!calm) picture.want(true);
      continue;
    }
    for (const event of ["pointerenter", "focusin"]) card.addEventListener(event, () => picture.want(!calm));
    for (const event of ["pointerleave", "focusout"]) card.addEventListener(event, () => picture.want(false));
  }
}
