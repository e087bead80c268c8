// The run as a tree, and the causes of its events.
import assert from "node:assert/strict";
import test from "node:test";
import { accused, causesOf, changedIn, cone, Run } from "../../widgets/js/run.js";

const box = (id, text, more = {}) => ({ k: "box", id, x: 0, y: 0, w: 9, h: 9, text, ...more });
const head = { width: 100, height: 50, label: "a panel", title: "" };
const frame = (n, parent, change = {}, more = {}) => ({
  n,
  parent,
  depth: n,
  event: "",
  say: [],
  facts: [],
  always: [],
  next: [],
  cost: {},
  panels: [{ id: "p", ...(parent === undefined ? { head } : {}), ...change }],
  ...more,
});
const run = () =>
  new Run(
    [
      frame(0, undefined, { set: [box("a", "1"), box("b", "2")] }, { next: [0, [1, "5 ms"]] }),
      frame(1, 0, { set: [box("a", "3")] }, { choice: 1 }),
      frame(2, 1, { gone: ["b"] }),
      frame(3, 0, { set: [box("c", "4")] }, { choice: -1 }),
    ],
    [
      { label: "one", group: "next" },
      { label: "two", group: "next" },
    ],
    {},
  );

test("a picture is put together from what changed since the root", () => {
  const marks = (n) => Object.fromEntries([...run().picture(n).get("p").marks].map(([id, mark]) => [id, mark.text]));
  assert.deepEqual(marks(2), { a: "3" });
  assert.deepEqual(marks(3), { a: "1", b: "2", c: "4" });
});

test("a branch goes on to its leaf, along the one that was preferred", () => {
  const all = run();
  assert.deepEqual(
    all.branch(0).map((each) => each.n),
    [0, 1, 2],
  );
  assert.deepEqual(
    all.branch(0, all.branch(3)).map((each) => each.n),
    [0, 3],
  );
  assert.deepEqual(
    all.leaves().map((each) => each.n),
    [2, 3],
  );
});

test("a choice knows when it is due and where it was taken", () => {
  assert.deepEqual(
    run()
      .choices(0)
      .map(({ label, when, taken }) => [label, when, taken]),
    [
      ["one", "", undefined],
      ["two", "5 ms", 1],
    ],
  );
});

test("what a step changed is what has other words, or is new", () => {
  const all = run();
  assert.deepEqual([...changedIn(all.frame(1), all.picture(1), all.picture(0))], ["a"]);
  assert.deepEqual([...changedIn(all.frame(3), all.picture(3), all.picture(0))], ["c"]);
  assert.deepEqual([...changedIn(all.frame(0), all.picture(0), undefined)], [], "at the start nothing has changed");
});

test("of a mark that is another one, a frame has what is other; null is the default again", () => {
  const all = run();
  all.add([
    frame(4, 0, { changed: { a: { text: "z", role: "bad" } } }),
    frame(5, 4, { changed: { a: { role: null } } }),
  ]);
  assert.deepEqual(all.picture(4).get("p").marks.get("a"), box("a", "z", { role: "bad" }));
  assert.deepEqual(all.picture(5).get("p").marks.get("a"), box("a", "z"));
  assert.deepEqual([...changedIn(all.frame(4), all.picture(4), all.picture(0))], ["a"]);
  assert.deepEqual([...changedIn(all.frame(5), all.picture(5), all.picture(4))], [], "its words are the same");
});

test("a label is changed where it says something else, and not where it first appears", () => {
  const label = (text) => ({ k: "label", id: "l", x: 0, y: 0, text });
  const said = new Run([frame(0, undefined, { head }), frame(1, 0, { set: [label("one")] })], [], {});
  said.add([frame(2, 1, { changed: { l: { text: "two" } } })]);
  assert.deepEqual([...changedIn(said.frame(1), said.picture(1), said.picture(0))], []);
  assert.deepEqual([...changedIn(said.frame(2), said.picture(2), said.picture(1))], ["l"]);
});

test("a broken promise points at the processes that it names, and at none whose name is a part of a word", () => {
  const broken = { always: ["", "the leader of term 1: first S1, now stock'"] };
  assert.deepEqual(
    [...accused(frame(1, 0, {}, broken), ["S1", "S", "stock", "stock'"])],
    ["process:S1", "process:stock'"],
  );
  assert.deepEqual([...accused(frame(1, 0, {}, { always: ["", ""] }), ["S1"])], []);
});

test("a menu stands for its choices, each in its place", () => {
  const words = [{ label: "a" }, { label: "b" }, { label: "c" }, { label: "", several: [1, 2] }];
  const menus = new Run([frame(0, undefined, { head }, { next: [[0, "1 ms"], 3] })], words, {});
  assert.deepEqual(
    menus.choices(0).map(({ label, when, index }) => [label, when, index]),
    [
      ["a", "1 ms", 0],
      ["b", "", 1],
      ["c", "", 2],
    ],
  );
});

test("a panel keeps the room that it ever takes", () => {
  const all = run();
  all.add([frame(4, 2, { head: { ...head, width: 160, height: 20 } })]);
  assert.deepEqual(all.sizes.get("p"), { width: 160, height: 50, round: false });
  const around = { k: "arc", id: "ring", x: 0, y: 0, r: 130, start: 0, end: 1 };
  all.add([frame(5, 2, { set: [around] })]);
  assert.equal(all.sizes.get("p").round, true, "a ring is never stretched");
});

test("a cone is what happened before and after by messages and on the same line, without the event (Lamport 1978)", () => {
  const at = (depth, lane, sent, kind = "deliver") => ({ depth, moment: { lane, kind, sent } });
  const path = [
    at(1, "A", -1, "fire"),
    at(2, "B", 1),
    at(3, "C", -1, "fire"),
    at(4, "A", 2),
    at(5, "C", 1, "drop"),
    at(6, "C", -1, "fire"),
  ];
  const causes = causesOf(path, ["A", "B", "C"]);
  const { past, future } = cone(causes, 2);
  assert.deepEqual([[...past], [...future]], [[1], [4]]);
  assert.deepEqual([...cone(causes, 3).future], [6], "what was lost causes nothing");
});
