// What a learner would stumble over in the step that is shown: overlapping, covered or cut texts, small type, words that
// do not fit. Run in the page of a saved run; `walk` goes through all its steps and returns what it found.

const SMALLEST = 12.49;

/** @param {Element} e */
const seen = (e) => {
  if (e.closest(".dp-sr, [hidden], defs, title, .dp-tip, noscript")) return false;
  const style = getComputedStyle(e);
  return style.visibility !== "hidden" && style.display !== "none";
};

function texts(root) {
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !seen(e)) continue;
    const svg = e.closest("svg");
    const size = parseFloat(getComputedStyle(e).fontSize) * (svg ? e.getScreenCTM().a : 1);
    const range = document.createRange();
    range.selectNodeContents(node);
    const narrowed = e.hasAttribute("textLength"); // a range knows nothing of it
    for (const box of narrowed ? [e.getBoundingClientRect()] : range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      const trim = Math.max(0, (box.height - size * 0.98) / 2); // letters, not leading
      found.push({
        text: node.textContent.trim().slice(0, 40),
        e,
        svg,
        size,
        l: box.left,
        r: box.right,
        t: box.top + trim,
        b: box.bottom - trim,
      });
    }
  }
  return found;
}

const hit = (a, b) => Math.min(a.r, b.r) - Math.max(a.l, b.l) > 1.5 && Math.min(a.b, b.b) - Math.max(a.t, b.t) > 1.5;
const gap = (rect, x, y) => Math.hypot(Math.max(rect.l - x, 0, x - rect.r), Math.max(rect.t - y, 0, y - rect.b));

/** What is wrong with the step that is shown; with all of the card, or only with what a step changes. */
function look(root, whole) {
  const problems = [];
  const stage = root.querySelector(".dp-picture").getBoundingClientRect();
  const card = root.getBoundingClientRect();
  const all = (whole ? [root] : [root.querySelector(".dp-stage"), root.querySelector(".dp-words")]).flatMap(texts);
  const inStage = all.filter((each) => each.e.closest(".dp-stage"));
  const time = all.filter((each) => each.e.closest(".dp-time"));
  for (const list of [inStage, time, all.filter((each) => each.e.closest(".dp-words"))])
    for (let i = 0; i < list.length; i++)
      for (let j = i + 1; j < list.length; j++)
        if (list[i].e !== list[j].e && hit(list[i], list[j]))
          problems.push(["overlap", `${list[i].text} | ${list[j].text}`]);
  const rounds = [...root.querySelectorAll(".dp-disc > .dp-body, .dp-token:not(.dp-none) > circle")].map((e) => {
    const box = e.getBoundingClientRect();
    return {
      e,
      own: e.closest(".dp-mark"),
      x: (box.left + box.right) / 2,
      y: (box.top + box.bottom) / 2,
      r: box.width / 2,
    };
  });
  for (const text of inStage)
    for (const round of rounds)
      if (!round.own.contains(text.e) && gap(text, round.x, round.y) < round.r - 1.5)
        problems.push(["covered", `${text.text} / ${round.own.dataset.id}`]);
  for (let i = 0; i < rounds.length; i++)
    for (let j = i + 1; j < rounds.length; j++) {
      const [a, b] = [rounds[i], rounds[j]];
      const token = a.own.dataset.kind === "message" || b.own.dataset.kind === "message";
      if (token && Math.hypot(a.x - b.x, a.y - b.y) < a.r + b.r - 4)
        problems.push(["covered", `${a.own.dataset.id} / ${b.own.dataset.id}`]);
    }
  for (const text of all) {
    const of = text.e.closest(".dp-stage") ? stage : card;
    if (text.size < SMALLEST) problems.push(["small", `${text.text} ${text.size.toFixed(1)}`]);
    if (
      !text.e.closest(".dp-run, .dp-read, .dp-subtitle, .dp-cost, .dp-act") &&
      (text.l < of.left - 1 || text.r > of.right + 1 || text.t < of.top - 1 || text.b > of.bottom + 1)
    )
      problems.push(["outside", text.text]);
    if (text.svg && text.e.closest(".dp-stage") && /…$/.test(text.text)) problems.push(["cut", text.text]);
  }
  for (const e of root.querySelectorAll(".dp-words .dp-label, .dp-chip, .dp-where"))
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth) problems.push(["cut", e.textContent.slice(0, 50)]);
  const read = root.querySelector(".dp-read");
  return { problems, high: card.height, scrolls: read.scrollHeight > read.clientHeight + 1 };
}

/** Where the controls stand, and the discs of processes. */
function places(root) {
  const card = root.getBoundingClientRect();
  const found = {};
  for (const e of root.querySelectorAll(
    ".dp-controls > :not(.dp-grow), .dp-more-button, .dp-picture, .dp-words, .dp-next, .dp-time, .dp-run",
  )) {
    const box = e.getBoundingClientRect();
    if (box.width)
      found[e.className || e.ariaLabel || e.tagName] = [box.left - card.left, box.top - card.top]
        .map(Math.round)
        .join();
  }
  for (const e of root.querySelectorAll('[data-id^="process:"] > .dp-body')) {
    const box = e.getBoundingClientRect();
    found[e.parentNode.dataset.id] = [(box.left + box.right) / 2 - card.left, (box.top + box.bottom) / 2 - card.top]
      .map(Math.round)
      .join();
  }
  return found;
}

/** Show a run: `state` is what a saved page holds. */
function show(player, state) {
  window.leave?.();
  document.body.replaceChildren();
  window.leave = player.render({
    model: {
      get: (name) => state[name],
      set: (name, value) => (state[name] = value),
      save_changes() {},
      on() {},
      off() {},
      send() {},
    },
    el: document.body,
  });
  return document.querySelector(".dp");
}

/** Every `every`th step of a run: what was found, how high the card is, in how many steps the words scroll. */
window.walk = async (player, state, every) => {
  const root = show(player, state);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const press = (key) => root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const slider = root.querySelector("input[type=range]");
  const go = (at) => {
    slider.value = String(at);
    slider.dispatchEvent(new Event("input"));
  };
  press("Home");
  const found = { problems: [], steps: 0, scrolls: 0, high: 0 };
  let first = null;
  let before = "";
  for (let step = 0; ; ) {
    const asked = root.querySelector(".dp-ask");
    const where = root.querySelector(".dp-count").textContent + (asked ? "?" : "");
    if (where === before) break;
    const { problems, high, scrolls } = look(root, before === "");
    before = where;
    found.problems.push(...problems.map(([kind, what]) => [kind, where, what]));
    found.steps += 1;
    found.high = Math.max(found.high, high);
    found.scrolls += scrolls ? 1 : 0;
    const now = places(root);
    first ??= now;
    for (const name in now) {
      first[name] ??= now[name];
      if (first[name] !== now[name]) found.problems.push(["moved", where, `${name}: ${first[name]} -> ${now[name]}`]);
    }
    if (asked) press("1");
    else if (every === 1) press("ArrowRight");
    else go((step = Math.min(step + every, Number(slider.max))));
  }
  return found;
};
