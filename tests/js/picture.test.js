// Where panels, messages and labels stand.
import assert from "node:assert/strict";
import test from "node:test";
import { grouped } from "../../widgets/js/choices.js";
import { plain } from "../../widgets/js/dom.js";
import { along, apart, placed, settled, split, wayOf } from "../../widgets/js/labels.js";
import { arranged, GAP, least, tall } from "../../widgets/js/layout.js";
import { cut, narrowed, wide } from "../../widgets/js/text.js";
import { changes, shortened } from "../../widgets/js/words.js";

const none = { rounds: [], rects: [] };

test("panels stand side by side in a wide box and below one another in a tall one, inside of it", () => {
  const panels = [
    { width: 300, height: 300 },
    { width: 200, height: 200 },
  ];
  for (const [width, height] of [
    [600, 320],
    [320, 600],
    [50, 900],
  ]) {
    const { scale, places } = arranged(panels, width, height);
    assert.ok(scale > 0);
    places.forEach(({ x, y, stretch }, i) => {
      const wide = panels[i].width * scale * stretch;
      assert.ok(
        x >= 0 && y >= 0 && x + wide <= width && y + panels[i].height * scale <= height,
        `${width} x ${height}`,
      );
    });
    const apart =
      width > height
        ? places[1].x - places[0].x - 300 * scale * places[0].stretch
        : places[1].y - places[0].y - 300 * scale;
    assert.ok(apart >= GAP - 1e-6 || scale < 1, "with a gap between them");
  }
});

test("what has too little room from side to side, or up and down, is stretched that way alone; a ring stays round", () => {
  const [narrow] = arranged([{ width: 500, height: 300 }], 372, 400).places;
  assert.deepEqual([narrow.stretch, narrow.x], [360 / 500, 6]);
  const low = arranged([{ width: 500, height: 300 }], 640, 252);
  assert.deepEqual([low.scale, low.places[0].stretch], [240 / 300, 1.35]);
  const ring = arranged([{ width: 500, height: 300, round: true }], 372, 400);
  assert.deepEqual([ring.scale, ring.places[0].stretch], [360 / 500, 1]);
  assert.equal(
    arranged([{ width: 500, height: 300 }], 112, 400).scale,
    100 / (500 * 0.62),
    "and at last it is smaller",
  );
});

test("panels with titles never reach beyond their box, whatever their scale", () => {
  for (const [width, height] of [
    [600, 320],
    [320, 600],
    [1100, 700],
    [400, 200],
  ]) {
    const panels = [
      { width: 270, height: 340, title: true },
      { width: 270, height: 300 },
    ];
    const { scale, places } = arranged(panels, width, height);
    places.forEach(({ x, y, stretch }, i) => {
      const high = panels[i].height * scale + (panels[i].title ? 20 * Math.max(1, scale) : 0);
      assert.ok(x >= 0 && y >= 0 && x + 270 * scale * stretch <= width && y + high <= height, `${width} x ${height}`);
    });
  }
});

test("panels side by side are as high as their lines need in order not to touch", () => {
  assert.equal(
    least([
      { width: 270, height: 300, title: true },
      { width: 270, height: 100 },
    ]),
    300 * 0.88 + 20 + 12,
  );
});

test("a text that is too wide is narrowed, and only then cut", () => {
  const node = /** @type {any} */ ({
    textContent: "",
    attributes: new Map(),
    getAttribute: (/** @type {string} */ name) => node.attributes.get(name) ?? null,
    setAttribute: (/** @type {string} */ name, /** @type {string} */ value) => node.attributes.set(name, value),
    removeAttribute: (/** @type {string} */ name) => node.attributes.delete(name),
  });
  const whole = wide("committed", 12.5);
  narrowed(node, "committed", whole * 0.8, 12.5);
  assert.deepEqual([node.textContent, node.getAttribute("textLength")], ["committed", (whole * 0.8).toFixed(1)]);
  narrowed(node, "committed", whole * 0.55, 12.5);
  assert.match(node.textContent, /^com.*…$/);
  narrowed(node, "committed", whole, 12.5);
  assert.deepEqual([node.textContent, node.getAttribute("textLength")], ["committed", null]);
});

test("panels below one another take the height that their width asks for", () => {
  assert.equal(
    tall(
      [
        { width: 376, height: 200 },
        { width: 100, height: 100 },
      ],
      388,
    ),
    200 + 100 + GAP + 12,
  );
});

test("a message and its answer take ways apart", () => {
  const there = along(wayOf({ x: 0, y: 0, x2: 100, y2: 0 }), 0.5);
  const back = along(wayOf({ x: 100, y: 0, x2: 0, y2: 0 }), 0.5);
  assert.ok(Math.abs(there[1] - back[1]) > 20);
  assert.deepEqual(along(wayOf({ x: 0, y: 0, x2: 100, y2: 0, bend: 30 }), 0.5), [50, -30]);
});

test("captions of one line make way for one that the edge pushed, and are narrowed only where all have too little room", () => {
  const captions = [
    { x: 30, w: 50 },
    { x: 80, w: 50 },
    { x: 120, w: 70 },
  ];
  for (const [width, narrowed] of [
    [190, false],
    [150, true],
  ]) {
    const { at, part } = apart(captions, width);
    assert.equal(part < 1, narrowed);
    const half = captions.map(({ w }) => (w * part) / 2);
    assert.ok(at[0] - half[0] >= 1.99 && at[2] + half[2] <= width - 1.99, "all are inside");
    for (const i of [1, 2]) assert.ok(at[i] - half[i] - at[i - 1] - half[i - 1] >= 5.99, "none lies on another");
  }
  assert.deepEqual(
    apart(
      [
        { x: 40, w: 50 },
        { x: 150, w: 50 },
      ],
      190,
    ),
    { at: [40, 150], part: 1 },
    "else all stay",
  );
});

test("a curve that is split goes where the whole went", () => {
  const whole = wayOf({ x: 0, y: 0, x2: 100, y2: 50 });
  const [before, after] = split(whole, 0.3);
  const near = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-9;
  assert.ok(near(along(before, 0.5), along(whole, 0.15)) && near(along(after, 0.5), along(whole, 0.65)));
});

test("messages of one link rest apart, and on no disc", () => {
  const curve = wayOf({ x: 0, y: 0, x2: 200, y2: 0 });
  const disc = {
    ...Object.fromEntries([
      ["x", along(curve, 0.5)[0]],
      ["y", along(curve, 0.5)[1]],
    ]),
    r: 15,
  };
  const rests = settled(
    [
      { id: "a", curve, part: 0.5, r: 10.5 },
      { id: "b", curve, part: 0.5, r: 10.5 },
    ],
    { rounds: [disc], rects: [] },
  );
  const [a, b] = ["a", "b"].map((id) => along(curve, rests.get(id).t));
  assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1]) >= 21);
  for (const at of [a, b]) assert.ok(Math.hypot(at[0] - disc.x, at[1] - disc.y) >= disc.r + 10.5);
});

test("a message that has no room on a crowded link is a tiny one", () => {
  const curve = wayOf({ x: 0, y: 0, x2: 60, y2: 0 });
  const rests = settled(
    ["a", "b", "c", "d"].map((id) => ({ id, curve, part: 0.5, r: 10.5 })),
    none,
  );
  assert.equal(rests.get("a").tiny, false);
  assert.ok([...rests.values()].some(({ tiny }) => tiny));
});

test("a label stands near what it names, on nothing else, inside its panel, or not at all", () => {
  const panel = { width: 200, height: 100 };
  const wall = { x: 0, y: 0, w: 200, h: 60 };
  const there = placed({ w: 60, h: 20 }, [[10, 50]], panel, {
    rounds: [{ x: 10, y: 50, r: 12 }],
    rects: [wall],
  });
  assert.ok(there.x >= 0 && there.y >= 60 && there.y + 20 <= 100);
  assert.equal(
    placed({ w: 60, h: 20 }, [[10, 50]], panel, { rounds: [], rects: [{ x: 0, y: 0, w: 200, h: 100 }] }, true),
    null,
  );
  assert.equal(placed({ w: 300, h: 20 }, [[10, 50]], panel, none), null, "it has no room");
});

test("a text is cut only where it has no room", () => {
  assert.equal(cut("abc", wide("abc", 12), 12), "abc");
  assert.match(cut("abcdefgh", wide("abcd", 12), 12), /^a.*…$/);
});

test("of a list only what is new is shown", () => {
  assert.deepEqual(shortened("a, b", "a, b, c"), ["", "c"]);
  assert.deepEqual(shortened("1", "2"), ["1", "2"]);
  assert.deepEqual(shortened("a", "a"), ["a", "a"]);
});

test("facts that did not change are left out, and whoever acted comes first", () => {
  const facts = [
    ["B", "x", "1", "2", "disk"],
    ["A", "y", "1", "1", ""],
    ["A", "z", "", "3", ""],
    ["A", "sends", "", "m", "in flight"],
  ];
  assert.deepEqual(
    changes(facts, "A").map(([who, name]) => who + name),
    ["Az", "Bx"],
  );
});

test("what cannot happen is apart; the leader comes first, and many others are folded away", () => {
  const choice = (label, group, more = {}) => ({
    label,
    group,
    index: 0,
    when: "",
    ...more,
  });
  const asks = Array.from({ length: 9 }, (_, i) => choice(`ask ${i}`, "request", { likely: i === 4 }));
  const { sections, cannot } = grouped(
    [...asks, choice("crash", "crash"), choice("restart", "restart", { why_not: "it is up" })],
    ["crash"],
  );
  assert.deepEqual(
    sections.map(({ name, choices, folded }) => [name, choices.length, Boolean(folded)]),
    [
      ["crash", 1, false],
      ["request", 1, false],
      ["request, of another", 8, true],
    ],
  );
  assert.equal(sections[1].choices[0].label, "ask 4");
  assert.deepEqual(
    cannot.map(({ label }) => label),
    ["restart"],
  );
});

test("plain text has no signs of bold, stressed and code parts, and keeps a star between numbers", () => {
  assert.equal(plain("told *done*: **milk** is in `log`, 2 * 3 = 6"), "told done: milk is in log, 2 * 3 = 6");
});

test("in a mark's own menu what happens by itself is folded: it is listed beside the picture", () => {
  const choice = (group, n) => ({ group, label: `${group} ${n}` });
  const choices = [...[1, 2, 3].map((n) => choice("next", n)), choice("crash", 1)];
  const folded = (first) => grouped(choices, first).sections.map(({ name, folded }) => [name, folded]);
  assert.deepEqual(folded(["crash"]), [
    ["crash", false],
    ["next", true],
  ]);
  assert.deepEqual(folded(), [
    ["next", false],
    ["crash", false],
  ]);
});
