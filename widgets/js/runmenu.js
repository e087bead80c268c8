// @ts-check
// The menu of this run: heartbeats, branches, and the replay code to copy or to open.

import { h, plain } from "./dom.js";

/** @typedef {import("./player.js").PlayerView} View */

/** @param {View} view @param {any} at @param {string} pasted @param {string} problem */
export function ofRun(view, at, pasted, problem) {
  const item = (/** @type {string} */ text, /** @type {() => void} */ onclick, note = "", more = {}) =>
    h(
      "button",
      { type: "button", class: "dp-act", onclick, ...more },
      h("span", { class: "dp-label" }, text),
      h("span", { class: "dp-soft" }, note),
    );
  const quiet = view.hasQuiet
    ? item(
        `${view.state.hidesQuiet ? "✓ " : ""}${view.head.quiet} hidden`,
        () => (view.menus.close(), view.toggleQuiet()),
        "",
        { role: "checkbox", "aria-checked": String(view.state.hidesQuiet), class: "dp-act dp-quietbox" },
      )
    : "";
  const code = view.code
    ? h(
        "div",
        { class: "dp-codes" },
        item("Copy the replay code of this run", () => view.copyCode(), "", { class: "dp-act dp-code" }),
        h(
          "code",
          {
            class: "dp-codetext",
            tabindex: 0,
            role: "textbox",
            "aria-readonly": "true",
            "aria-label": "Replay code of this run",
          },
          view.code,
        ),
      )
    : "";
  const field = h("input", {
    type: "text",
    placeholder: "paste a replay code",
    "aria-label": "Replay code",
    spellcheck: "false",
    autocomplete: "off",
    value: pasted,
    autofocus: Boolean(problem),
  });
  const open = h(
    "form",
    {
      hidden: !view.can.ask,
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        view.menus.close();
        view.kernel.send({ kind: "open", code: field.value });
      },
    },
    h("label", {}, "Open a run: ", field),
    h("button", { type: "submit" }, "Open"),
  );
  const refused = problem ? h("p", { class: "dp-problem", role: "alert" }, problem) : "";
  return [
    h(
      "div",
      { class: "dp-list" },
      quiet,
      item("Keys and signs", () => view.menus.showHelp(at), "?"),
    ),
    branches(view),
    code,
    open,
    refused,
  ];
}

/** @param {View} view */
function branches(view) {
  const leaves = view.run.leaves();
  if (leaves.length < 2) return "";
  const longest = Math.max(1, ...leaves.map((leaf) => leaf.depth));
  const seen = new Set();
  const rows = leaves.map((leaf, i) => {
    const path = view.run.branch(leaf.n);
    const fork = path.find((frame) => !seen.has(frame.n)) ?? leaf;
    for (const frame of path) seen.add(frame.n);
    const from = i ? fork.depth - 1 : 0;
    const bar = h("span", {
      class: "dp-twig",
      "aria-hidden": "true",
      style: `--from:${from / longest};--to:${leaf.depth / longest}`,
    });
    const current = view.state.path[view.state.path.length - 1] === leaf;
    const go = () => (view.menus.close(), view.take(path, i ? fork.n : leaf.n));
    return h(
      "button",
      { type: "button", class: "dp-branch", "aria-current": current ? "true" : "false", onclick: go },
      bar,
      h("span", {}, `${current ? "▸ " : ""}${i ? `step ${fork.depth}: ${plain(fork.event)}` : "the first run"}`),
      h("span", { class: "dp-soft" }, `${leaf.depth} steps`),
    );
  });
  return h("div", { role: "group", "aria-label": "Branches" }, h("h5", {}, "Branches: what was tried"), rows);
}
