// Which run and step an address asks for.
import assert from "node:assert/strict";
import test from "node:test";
import { address, asked, page } from "../../widgets/js/address.js";

test("an address names a run of the page, and a step", () => {
  assert.deepEqual(asked("#guided/3", "saga"), { chapter: "saga", run: "guided", step: 3 });
  assert.deepEqual(asked("#no-drain", "saga"), { chapter: "saga", run: "no-drain", step: null });
  assert.deepEqual(asked(address("saga/guided", 7), "saga"), { chapter: "saga", run: "guided", step: 7 });
});

test("an address with a chapter leads to the page of this chapter", () => {
  const to = asked("#two_phase_commit/guided/3", "");
  assert.deepEqual(to, { chapter: "two_phase_commit", run: "guided", step: 3 });
  assert.equal(page(to), "two_phase_commit.html#guided/3");
  assert.equal(page(asked("#saga/guided", "")), "saga.html#guided");
});

test("other addresses ask for nothing", () => {
  for (const hash of ["", "#", "#A b", "#guided/x", "#/3", "#guided/3/4/5"])
    assert.equal(asked(hash, "saga"), null, hash);
  assert.equal(asked("#map", ""), null, "a part of the start page");
  assert.equal(asked("#%E0%A4%A", "saga"), null, "a damaged address");
});
