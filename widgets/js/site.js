// @ts-check
// A page of the static site: its runs are loaded when they come near, and each step has an address.

import { address, asked, page } from "./address.js";
import { h } from "./dom.js";
import { living } from "./living.js";
import { handed, loaded, UNLOADED } from "./load.js";
import { outcome } from "./outcome.js";
import { PlayerView } from "./player.js";
import { question } from "./question.js";
import { Saved } from "./saved.js";

const NEAR = "600px"; // so far from sight a run is loaded
const NOTED = 1600; // milliseconds in which a button says what it did
const STEP = /\bat=\d+\)(?![\s\S]*\bat=\d+\))/; // in a cell, the last one

/** @type {WeakMap<Element, { view: PlayerView, model: Saved }>} */
const shown = new WeakMap();
const chapter = () => document.body.dataset.chapter ?? "";

/** Show a run on a stage, at a step of it. @param {HTMLElement} stage @param {string} name @param {number} step */
async function show(stage, name, step) {
  stage.dataset.run = name;
  stage.dataset.at = String(step);
  const state = await loaded(name).catch(() => null);
  if (stage.dataset.run !== name) return; // meanwhile another one was chosen
  const host = /** @type {HTMLElement} */ (stage.querySelector(".host"));
  if (state === null) {
    shown.get(stage)?.view.leave();
    shown.delete(stage);
    host.replaceChildren(h("p", { role: "alert" }, UNLOADED));
    return;
  }
  const cursor = state.frames.some((/** @type {{ n: number }} */ { n }) => n === step) ? step : state.cursor;
  const known = shown.get(stage);
  if (known?.model.name === name) known.model.tell("cursor", cursor);
  else {
    known?.view.leave();
    const model = new Saved(name, { ...state, cursor });
    host.replaceChildren();
    shown.set(stage, { view: new PlayerView(model, host), model });
    stage.classList.add("is-live");
    model.on("set:cursor", (/** @type {number} */ at) => {
      history.replaceState(null, "", address(name, at));
      stands(stage, at);
    });
  }
  stands(stage, cursor);
}

/** The stage stands at a step: the cell that goes on with it says so. @param {HTMLElement} stage @param {number} step */
function stands(stage, step) {
  stage.dataset.at = String(step);
  const cell = stage.querySelector(".cell");
  write(stage, ".cell", (cell?.textContent ?? "").replace(STEP, `at=${step})`));
}

/** @param {Element} stage @param {string} where @param {string} text */
function write(stage, where, text) {
  const place = stage.querySelector(where);
  if (place && place.textContent !== text) place.textContent = text;
}

/** The stage beside a line of a list. @param {Element} line */
const besides = (line) => /** @type {HTMLElement} */ (line.closest(".browser")?.querySelector(".stage"));

/** A line of a list is the chosen one: what the page says of its run. @param {HTMLElement} line */
function describe(line) {
  const stage = besides(line);
  line.closest(".list")?.querySelector("[aria-current]")?.removeAttribute("aria-current");
  line.setAttribute("aria-current", "true");
  const { code = "", sentence = "", breaks = "", reason = "", verdict = "" } = line.dataset;
  const title = line.querySelector("span")?.textContent ?? "";
  stage.setAttribute("aria-label", title);
  stage.hidden = false;
  line.closest(".browser")?.querySelector(".unchosen")?.remove();
  write(stage, ".title", title);
  write(stage, ".cell", code);
  write(stage, ".sentence", sentence);
  write(stage, ".breaks b", reason ? "Broken:" : "Never happens:");
  write(stage, ".breaks span", reason ? `${breaks}: ${reason}.` : `${breaks}.`);
  write(stage, ".verdict", verdict);
}

/** @param {HTMLElement} line @param {number | null} step */
async function choose(line, step) {
  describe(line);
  await show(besides(line), line.dataset.run ?? "", step ?? Number(line.dataset.at));
}

/** Go where the address says. */
async function heed() {
  const to = asked(location.hash, chapter());
  if (!to) return;
  if (to.chapter !== chapter()) {
    if (document.querySelector(`a[href="${to.chapter}.html"]`)) location.replace(page(to));
    return;
  }
  const name = `${to.chapter}/${to.run}`;
  const line = document.querySelector(`.list a[data-run="${CSS.escape(name)}"]`);
  const stage = line ? besides(line) : document.getElementById(to.run);
  if (!stage?.classList.contains("stage")) return; // a part of the page: the browser goes there
  open(stage.closest(".veil"));
  if (line instanceof HTMLElement) await choose(line, to.step);
  else await show(stage, name, to.step ?? Number(stage.dataset.at));
  (line ? stage.closest(".browser") : stage)?.scrollIntoView({ block: "start", behavior: "instant" });
}

/** The questions of the page, and below them what became of each. */
function ask() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-question]"))) {
    const { question: asks, outcomes } = JSON.parse(place.querySelector("script")?.textContent ?? "{}");
    const before = outcomes[outcomes.length - 1];
    const model = new Saved("", { question: asks, taken: -1, ...before });
    model.on("set:taken", (/** @type {number} */ at) => {
      model.set("tone", outcomes[at].tone);
      model.tell("said", outcomes[at].said);
      model.tell("taken", at);
    });
    const veil = document.querySelector(`[data-veil="${place.dataset.question}"]`);
    veil?.classList.add("is-shut");
    model.on("set:taken", () => open(veil));
    question.render({ model, el: place });
    for (const below of document.querySelectorAll(`[data-outcome="${place.dataset.question}"]`))
      outcome.render({ model, el: /** @type {HTMLElement} */ (below) });
  }
}

/** What stood behind a question is shown. @param {Element | null | undefined} veil */
const open = (veil) => veil?.classList.remove("is-shut");

/** @param {MouseEvent} event */
function clicked(event) {
  const target = /** @type {Element} */ (event.target);
  if (target.closest(".lid button")) open(target.closest(".veil"));
  const line = target.closest(".list a");
  const plainly = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (line instanceof HTMLElement && plainly) {
    event.preventDefault();
    history.replaceState(null, "", address(line.dataset.run ?? "", Number(line.dataset.at)));
    choose(line, null);
    const { top } = besides(line).getBoundingClientRect();
    if (top > innerHeight / 2) besides(line).scrollIntoView({ block: "start" });
  }
  const button = target.closest(".copy-link, .copy-cell");
  const stage = button?.closest(".stage");
  if (button instanceof HTMLElement && stage instanceof HTMLElement) copy(button, stage);
}

/** @param {HTMLElement} button @param {HTMLElement} stage */
async function copy(button, stage) {
  const { run = "", at } = stage.dataset;
  const cell = stage.querySelector(".cell");
  const isLink = button.classList.contains("copy-link");
  if (isLink) history.replaceState(null, "", address(run, Number(at)));
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(isLink ? location.href : (cell?.textContent ?? ""));
    button.textContent = "Copied";
  } catch {
    if (cell && !isLink) getSelection()?.selectAllChildren(cell); // no clipboard here
    button.textContent = isLink ? "It is in the address bar" : "Press Ctrl+C";
  }
  setTimeout(() => (button.textContent = before), NOTED);
}

export default function start() {
  Object.assign(globalThis, { patternsRun: handed });
  ask();
  for (const line of document.querySelectorAll(".browser:not(:has(.unchosen)) .list li:first-child a"))
    if (line instanceof HTMLElement) describe(line);
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting || !(target instanceof HTMLElement)) continue;
        near.unobserve(target);
        const { run = "", at } = target.dataset;
        if (!shown.has(target)) show(target, run, Number(at));
      }
    },
    { rootMargin: NEAR },
  );
  heed().finally(() => document.querySelectorAll(".stage[data-run]").forEach((stage) => near.observe(stage)));
  living();
  document.addEventListener("click", clicked);
  addEventListener("hashchange", heed);
}
