// @ts-check
// The card, built once: its head, its controls and the places of picture, words and time.

import { h, icon, svg } from "./dom.js";

/** @param {import("./player.js").PlayerView} view */
export function built(view) {
  const button = (
    /** @type {any} */ text,
    /** @type {string} */ name,
    /** @type {(event: any) => void} */ onclick,
    kind = "",
    more = {},
  ) => h("button", { type: "button", "aria-label": name, title: name, class: kind, onclick, ...more }, text);
  const opens = { "aria-haspopup": "dialog" };
  const { head, menus, controls } = view;
  const ui = {
    cost: h("span", { class: "dp-cost" }),
    branches: h("button", {
      type: "button",
      class: "dp-branches",
      ...opens,
      onclick: () => menus.showRun(ui.branches),
    }),
    more: button(
      icon("more"),
      "More: branches, replay code, keys and signs",
      () => menus.showRun(ui.more),
      "dp-more-button",
      opens,
    ),
    help: button("?", "Keys and signs", () => menus.showHelp(ui.help), "", opens),
    stage: h("div", { class: "dp-stage" }),
    said: h("div", { class: "dp-said" }),
    first: button(icon("first"), "First step", () => view.toEnd(-1), "dp-wide"),
    back: button(icon("back"), "Back one step", () => view.move(-1)),
    play: button(icon("play"), "Play", () => controls.toggle(), "dp-play"),
    forward: button(icon("forward"), "Forward one step", () => view.move(1)),
    last: button(icon("last"), "Last step", () => view.toEnd(1), "dp-wide"),
    count: h("span", { class: "dp-count" }, h("b", {}), h("span", {})),
    speed: button("1×", "Speed", () => controls.faster(), "dp-speed"),
    until: button("Run until…", "Run until…", () => menus.showUntil(ui.until), "", opens),
    ask: button(
      "Request…",
      "Request…",
      () => menus.showChoices(controls.asks.replace("…", ""), view.offered(false), ui.ask),
      "",
      opens,
    ),
    break: button(
      "Break…",
      "Break…",
      () => menus.showChoices("Break, or mend", view.offered(true), ui.break),
      "",
      opens,
    ),
    live: h("div", { class: "dp-sr", "aria-live": "polite" }),
  };
  const part = (/** @type {string} */ name, /** @type {any[]} */ ...children) =>
    h("div", { class: `dp-${name}` }, ...children);
  const card = h(
    "div",
    { class: "dp-card" },
    part(
      "head",
      h("b", {}, head.title),
      h("span", { class: "dp-subtitle" }, head.subtitle),
      part("grow"),
      ui.cost,
      ui.branches,
      ui.help,
      ui.more,
    ),
    h("div", { class: "dp-picture" }, ui.stage, ui.said),
    part(
      "controls",
      ui.first,
      ui.back,
      ui.play,
      ui.forward,
      ui.last,
      ui.count,
      part("grow"),
      ui.speed,
      ui.until,
      ui.ask,
      ui.break,
    ),
    view.words.box,
    view.time.box,
  );
  const root = h(
    "div",
    {
      class: "dp dp-player",
      role: "group",
      tabindex: 0,
      "aria-label": `${head.title} player`,
      "data-lm-suppress-shortcuts": "true",
    },
    card,
    menus.box,
    ui.live,
  );
  root.append(hatched(root));
  return { ui, root };
}

let hatches = 0;

/** The two hatchings, under ids of this card's own: another's may be out of sight, or gone. @param {HTMLElement} root */
function hatched(root) {
  const sheet = svg("svg", null, { class: "dp-sr", "aria-hidden": "true" });
  hatches += 1;
  for (const [name, ground, line] of [
    ["hatch", "--bg", "--faint"],
    ["veil", "--wash", "--line"],
  ]) {
    const id = `dp-${name}-${hatches}`;
    const pattern = svg("pattern", sheet, {
      id,
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    });
    svg("rect", pattern, { width: 6, height: 6, style: `fill:var(${ground})` });
    svg("path", pattern, { d: "M0 0V6", style: `stroke:var(${line});stroke-width:2` });
    root.style.setProperty(`--${name}`, `url(#${id})`);
  }
  return sheet;
}
