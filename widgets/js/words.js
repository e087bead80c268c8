// @ts-check
// The column beside the picture, with one thing to read: the sentence, then only what changed, then what can happen
// next in a place of its own. The words never scroll if there is any other way: what does not fit is one tap away.

import { h, icon, patch, plain, rich, sentence, write } from "./dom.js";
import { wide } from "./text.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./run.js").Choice} Choice */
/** @typedef {[string, string, string, string, string]} Fact who, name, was, now, where */

const LINES = 4; // of what can happen next
const LINE = 18; // pixels of "and 3 more", at least
const NAMED = 130; // pixels that the name of a broken promise may take above the words
const BESIDE = 96; // pixels of a choice's line that are not its words

/** The clock, if it is short: a long one stands above, with the costs. @param {string | undefined} clock */
export const inColumn = (clock = "") => (clock.length > 14 ? "" : clock);

/** Of a list only what is new. @param {string} was @param {string} now @returns {[string, string]} */
export function shortened(was, now) {
  const [before, after] = [was.split(", "), now.split(", ")];
  while (before.length && after.length > 1 && before[0] === after[0]) {
    before.shift();
    after.shift();
  }
  return [before.join(", "), after.join(", ")];
}

/** A changed fact as a row: was, now, and whether a crash spares it. @param {Fact} fact @param {boolean} same its owner was named above @param {string} hue */
function row([who, name, was, now, where], same, hue) {
  const [old, is] = shortened(was, now);
  const grew = Boolean(was) && !old;
  const nothing = ["", "–", "empty", "none"].includes(old);
  return h(
    "tr",
    { class: `r-${hue || "ink"}` },
    h(
      "th",
      { scope: "row", class: who.length + name.length < 14 ? "dp-line" : "" },
      h("b", { class: same ? "dp-sr" : "" }, who),
      name && !same ? ` ${name}` : name,
    ),
    h(
      "td",
      {},
      nothing ? null : h("span", { class: "dp-was" }, h("span", { class: "dp-sr" }, "was "), old),
      h(
        "span",
        { class: "dp-is" },
        nothing ? null : h("span", { class: "dp-sr" }, " now "),
        `${grew ? "+ " : ""}${is || "none"}`,
      ),
      where === "disk" ? h("span", { class: "dp-on-disk" }, "disk") : null,
    ),
  );
}

/** @param {Fact[]} facts @param {(who: string) => string} hue */
const rows = (facts, hue) => facts.map((fact, i) => row(fact, i > 0 && facts[i - 1][0] === fact[0], hue(fact[0])));

export class Words {
  /** @param {any} view the player */
  constructor(view) {
    this.view = view;
    this.where = h("span", { class: "dp-where" });
    this.why = h(
      "button",
      {
        type: "button",
        class: "dp-chip",
        "aria-haspopup": "dialog",
        "aria-label": "Where this is written",
        title: "Where this is written",
        onclick: () => view.menus.showSource(this.why),
      },
      icon("why"),
    );
    this.chip = h("button", {
      type: "button",
      class: "dp-chip dp-promises",
      "aria-haspopup": "dialog",
      onclick: () => view.menus.showPromises(this.chip),
    });
    this.read = h("div", { class: "dp-read" });
    this.moreButton = h("button", {
      type: "button",
      "aria-haspopup": "dialog",
      onclick: () => view.menus.showAll(rows(this.facts, this.hueOf), this.moreButton),
    });
    this.more = h("div", { class: "dp-more", hidden: true }, this.moreButton);
    /** @type {(who: string) => string} */
    this.hueOf = () => "";
    this.nextHead = h("h4", {});
    this.nextList = h("div", { class: "dp-list" });
    this.next = h("div", { class: "dp-next" }, this.nextHead, this.nextList);
    this.box = h(
      "div",
      { class: "dp-words" },
      h("div", { class: "dp-top" }, this.where, this.why, h("span", { class: "dp-grow" }), this.chip),
      this.read,
      this.next,
    );
    /** @type {Fact[]} */
    this.facts = [];
    this.wide = 266; // pixels of the list; measured when the card is
    /** @type {Choice[]} */
    this.listed = [];
  }

  /**
   * What is said of a step; `fit` comes after it.
   * @param {Frame} frame
   * @param {{ asked: Frame | null, answer: number | undefined, always: string[], hue: string, hueOf: (who: string) => string, sign: string, todo: string }} about
   */
  show(frame, { asked, answer, always, hue, hueOf, sign, todo }) {
    this.box.classList.toggle("dp-asking", Boolean(asked));
    write(this.where, asked ? "before you see it" : inColumn(frame.clock));
    this.why.hidden = Boolean(asked) || !frame.say.some(([, , source]) => source);
    const broken = always.flatMap((name, i) =>
      frame.always[i] ? [/** @type {[string, string]} */ ([name, frame.always[i]])] : [],
    );
    this.chip.hidden = !always.length || Boolean(asked); // a promise could answer the question
    this.chip.classList.toggle("dp-no", broken.length > 0);
    write(this.chip, broken.length ? `✗ ${nameOf(broken)}` : `${promises(always.length)} ✓`);
    this.read.className = `dp-read n-${asked ? "ink" : hue}`;
    this.hueOf = hueOf;
    this.facts = asked ? [] : changes(frame.facts, frame.moment?.lane);
    if (asked) {
      this.read.replaceChildren(this.question(asked));
    } else {
      const said = frame.say.length
        ? frame.say
        : [[frame.depth ? sentence(frame.event) : `Nothing has happened yet.${todo}`]];
      const guess = frame.ask && answer !== undefined ? verdict(frame.ask.options, answer) : null;
      this.read.replaceChildren(
        ...broken.map(([name, why]) => h("div", { class: "dp-broken" }, h("b", {}, `${short(name)}: `), ...rich(why))),
        ...(guess ? [guess] : []),
        h("div", { class: "dp-say" }, ...said.map(([text]) => h("p", {}, ...rich(text)))),
        ...(this.facts.length ? [this.table(hueOf)] : []),
        this.more,
        ...(sign ? [h("p", { class: "dp-newsign" }, ...rich(sign))] : []),
      );
    }
  }

  /** @param {(who: string) => string} hueOf */
  table(hueOf) {
    return h("table", { class: "dp-facts" }, h("tbody", {}, ...rows(this.facts, hueOf)));
  }

  /** Of a question all options are in sight: its type is smaller, and the hint on the keys goes. */
  fitQuestion() {
    const { read } = this;
    const hint = /** @type {HTMLElement | null} */ (read.querySelector(".dp-hint"));
    read.classList.remove("dp-long");
    if (hint) hint.hidden = false;
    if (this.over()) read.classList.add("dp-long");
    if (hint) hint.hidden = this.over();
  }

  /** Whether the words are longer than their place. */
  over() {
    return this.excess() > 1;
  }

  excess() {
    return this.read.scrollHeight - this.read.clientHeight;
  }

  /**
   * What does not fit stands behind "and 3 more": facts first, then what else is said; then type is smaller, and of
   * broken promises the first is told. Where a guess is judged, its words take the place of the choices.
   */
  fit() {
    const { read, more } = this;
    this.box.classList.remove("dp-judged");
    read.scrollTop = 0;
    if (read.querySelector(".dp-ask")) this.fitQuestion();
    if (!more.isConnected) return;
    const say = /** @type {HTMLElement[]} */ ([...read.querySelectorAll(".dp-say p + p")]);
    const facts = /** @type {HTMLElement[]} */ ([...read.querySelectorAll(".dp-facts tr")]);
    const table = /** @type {HTMLElement | null} */ (read.querySelector(".dp-facts"));
    const sign = read.querySelector(".dp-newsign");
    const broken = /** @type {HTMLElement[]} */ ([...read.querySelectorAll(".dp-broken")]);
    for (const each of [...say, ...facts, ...broken]) each.hidden = false;
    if (table) table.hidden = false;
    read.classList.remove("dp-long");
    more.hidden = true;
    if (!this.over()) return;
    if (read.querySelector(".dp-guess")) this.box.classList.add("dp-judged");
    if (!this.over()) return;
    read.classList.toggle("dp-long", say.length > 0);
    let left = 0;
    const rest = [...facts.reverse(), ...say.reverse()];
    let sum = this.excess() + LINE; // which stands for what is hidden
    const certain = rest.findIndex((each) => (sum -= each.offsetHeight) <= 0); // all up to this one: laid out once
    for (const [at, each] of rest.entries()) {
      if ((at === 0 || at > certain) && !this.over()) break;
      each.hidden = true;
      left += 1;
      more.hidden = false;
      if (table) table.hidden = facts.every((row) => row.hidden);
      this.moreButton.textContent = `and ${left} more`;
    }
    if (this.over()) sign?.remove();
    if (this.over()) read.classList.add("dp-long");
    for (const each of broken.slice(1).reverse()) each.hidden = this.over(); // the chip above tells of each
  }

  /** @param {Frame} frame */
  question(frame) {
    const ask = /** @type {NonNullable<Frame["ask"]>} */ (frame.ask);
    const options = ask.options.map((option, i) =>
      h(
        "button",
        { type: "button", class: "dp-option", onclick: () => this.view.answer(i) },
        h("kbd", {}, String(i + 1)),
        h("span", {}, ...rich(option.text)),
      ),
    );
    return h(
      "div",
      { class: "dp-ask" },
      h("p", { tabindex: -1 }, ...rich(ask.prompt)),
      h("div", { class: "dp-options" }, ...options),
      h(
        "p",
        { class: "dp-hint" },
        `Press ${options
          .map((_, i) => i + 1)
          .join(", ")
          .replace(/, (\d)$/, " or $1")}, or tap. The run goes on when you have said.`,
      ),
    );
  }

  /**
   * What can happen next: the run's own first, then what comes soonest.
   * @param {Choice[]} choices
   * @param {Frame | undefined} ahead the next step of the run that is shown
   * @param {boolean} hidden
   */
  showNext(choices, ahead, hidden) {
    const own = choices.find((choice) => choice.taken === ahead?.n && choice.taken !== undefined);
    const others = choices.filter((choice) => choice.group === "next" && choice !== own);
    const can = others.filter((choice) => !choice.why_not);
    const list = [...(own ? [own] : []), ...can];
    if (!own && ahead)
      list.unshift(/** @type {any} */ ({ label: ahead.event, group: "next", taken: ahead.n, index: -1, when: "" }));
    this.listed = list;
    this.next.hidden = hidden;
    const offers = this.view.can.act && [true, false].some((faults) => this.view.offered(faults).length > 0);
    const choose = offers ? "Nothing happens by itself now: choose below" : "The run ends here";
    write(this.nextHead, list.length ? "What can happen next" : choose);
    const rest = others.length - can.length;
    const words = (/** @type {Choice} */ choice) => choice.label.replace(/^deliver /, "").replace(/(→ \S+): .*$/, "$1"); // the rest is in its tooltip
    const lines = (/** @type {Choice} */ choice) =>
      Math.min(3, Math.ceil(wide(plain(words(choice)), 14, 600) / (this.wide - BESIDE)));
    let few = list;
    const taken = () =>
      few.reduce((sum, choice) => sum + lines(choice), 0) + (few.length < list.length || rest ? 1 : 0);
    while (few.length && taken() > LINES) few = few.slice(0, -1);
    const more = list.length - few.length + rest;
    patch(
      this.nextList,
      more ? [...few, null] : few,
      () =>
        h(
          "button",
          { type: "button", class: "dp-act" },
          h("span", { class: "dp-dot", "aria-hidden": "true" }),
          h("span", { class: "dp-label" }),
          h("span", { class: "dp-soft" }),
        ),
      (node, choice) => {
        node.classList.toggle("dp-else", !choice);
        node.removeAttribute("aria-haspopup");
        node.classList.toggle("dp-long", choice !== null && lines(choice) > 1);
        if (choice)
          return this.view.menus.fill(
            node,
            { ...choice, label: words(choice) },
            choice.taken !== undefined && choice.taken === ahead?.n ? "this run" : "",
          );
        this.view.menus.fill(node, { label: `${more} more…`, index: -2 });
        node.setAttribute("aria-haspopup", "dialog"); // it opens a menu: the same click must not close it
        node.onclick = () =>
          this.view.menus.showMore([...list.slice(few.length), ...others.filter((each) => each.why_not)], node);
      },
    );
  }
}

/** @param {number} n */
const promises = (n) => `${n} ${n === 1 ? "promise" : "promises"}`;

/** What is broken: by its name, if there is room. @param {[string, string][]} broken */
function nameOf(broken) {
  const name = short(broken[0][0]);
  return broken.length === 1 && wide(name, 13, 650) < NAMED ? name : `${promises(broken.length)} broken`;
}

/** A promise's name without its explanation. @param {string} name */
export const short = (name) => name.split(":")[0];

/** What changed, whoever acted first. @param {any[]} facts @param {string | undefined} actor @returns {Fact[]} */
export function changes(facts, actor) {
  const changed = facts.filter(([, , was, now, where]) => was !== now && where !== "in flight"); // the picture shows what is sent
  return [...changed.filter(([who]) => who === actor), ...changed.filter(([who]) => who !== actor)];
}

/** @param {{ text: string, because: string, right: boolean }[]} options @param {number} answer */
function verdict(options, answer) {
  const mine = options[answer];
  const right = options.find((option) => option.right);
  if (!mine || !right) return null;
  return h(
    "div",
    { class: "dp-guess" },
    h(
      "p",
      {},
      h("b", {}, mine.right ? "✓ As you said: " : "✗ You said: "),
      ...rich(mine.text),
      ". ",
      h("span", { class: "dp-because" }, ...rich(mine.because)),
    ),
    ...(mine.right
      ? []
      : [
          h(
            "p",
            {},
            h("b", {}, "It was: "),
            ...rich(right.text),
            ". ",
            h("span", { class: "dp-because" }, ...rich(right.because)),
          ),
        ]),
  );
}

/** The verdict on a prediction in one line, for who hears it. @param {Frame} frame @param {number | undefined} answer */
export function heard(frame, answer) {
  const mine = answer === undefined ? undefined : frame.ask?.options[answer];
  if (!mine) return "";
  const right = frame.ask?.options.find((option) => option.right);
  return plain(
    mine.right
      ? `As you said: ${mine.text}. ${mine.because} `
      : `You said: ${mine.text}. ${mine.because} It was: ${right?.text}. ${right?.because} `,
  );
}
