"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from patterns.consistent_hashing.events import Join, Leave, Place, ReadAll
from patterns.consistent_hashing.lesson import BUGS, GALLERY
from patterns.consistent_hashing.lesson.gallery import TWELVE
from patterns.consistent_hashing.others import Modulo, hash_of
from patterns.consistent_hashing.placement import Placement
from patterns.consistent_hashing.properties import copies_are_on_distinct_nodes
from patterns.consistent_hashing.ring import Ring
from patterns.consistent_hashing.router import moved_keys
from patterns.consistent_hashing.state import Tier
from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.planted import planted
from widgets.chapters.consistent_hashing import questions as ask
from widgets.question import locked_steps

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_consistent_hashing.ipynb"


@pytest.fixture
def run() -> History[Tier, object]:
    return History(CacheTier(nodes="ABC", keys=TWELVE, vnodes=2))


def angle(state: Tier, key: str) -> float:
    return 360 * state.turn(state.position(key))


def between(low: float, high: float, state: Tier) -> set[str]:
    return {key for key in state.keys if low < angle(state, key) <= high}


def test_the_twelve_keys_are_those_of_the_notebook() -> None:
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"]}
    assert tuple(re.findall(r"\w+/\w+", cells["twelve-keys"])) == TWELVE


def test_each_question_locks_the_step_that_answers_it() -> None:
    joins = GALLERY["A fourth machine joins the ring, and three of twelve keys move"]()
    locked = locked_steps(joins, [ask.GIVERS, ask.TAKES, ask.MISSES])
    events = [type(joins.steps[number].event) for number in locked]
    assert events == [Join, Place, ReadAll]
    cold = GALLERY["A fourth machine joins under hash mod N, and nine of twelve keys move"]()
    [number] = locked_steps(cold, [ask.MODULO])
    assert cold.steps[number].event == Join("D")


def test_two_points_take_keys_from_two_machines(run: History[Tier, object]) -> None:
    run.run([Join("D"), Place(), Place()])
    assert {giver for _, giver, _ in run.state.last.all_moved} == {"A", "C"}


def test_the_misses_are_the_keys_of_d(run: History[Tier, object]) -> None:
    run.run([Join("D"), Place(), Place()])
    assert set(run.state.cold()) == {key for key in TWELVE if run.state.owner(key) == "D"}
    assert run.run([ReadAll()]).state.last.misses == 3


def test_ds_first_point_takes_the_keys_behind_it_and_no_other(run: History[Tier, object]) -> None:
    run.run([Join("D"), Place()])
    moved = run.state.last.moved
    assert {key for key, _, _ in moved} == between(219.1, 251.5, run.state) != set()
    assert {(giver, taker) for _, giver, taker in moved} == {("A", "D")}


def test_modulo_moves_nine_of_the_twelve_five_of_them_between_old_machines() -> None:
    gone = moved_keys(Modulo("ABC"), Modulo("ABCD"), TWELVE)
    assert len(gone) == 9
    assert sum(move.taker != "D" for move in gone) == 5
    assert set(TWELVE) - {move.key for move in gone} == {key for key in TWELVE if hash_of(key) % 12 < 3}


def test_without_the_distinct_rule_a_leaving_machine_is_the_first_to_show_it() -> None:
    broken = planted(BUGS["two copies on one machine"].machine, keys=TWELVE, pool="DE")
    found = explore(broken, max_states=1_000).counterexample
    assert found is not None
    assert found.property.name == copies_are_on_distinct_nodes.name
    assert [step.event for step in found.history.path[1:]] == [Leave("A")]
    assert "on B, B" in found.reason


def test_without_the_distinct_rule_nothing_is_wrong_at_the_start_nor_when_d_joins() -> None:
    run = History(planted(BUGS["two copies on one machine"].machine, pool="DE"))
    run.run([Join("D"), Place(), Place()])
    assert [copies_are_on_distinct_nodes.reason(None, step.state) for step in run.path] == [None] * 4


def test_the_points_stand_round_the_circle_as_the_question_says(run: History[Tier, object]) -> None:
    assert f"belong to {', '.join(point.node for point in run.state.points())}." in ask.SAME_NODE.prompt


def test_three_quarters_of_all_zones_move_under_modulo() -> None:
    zones = sorted(available_timezones())
    assert len(moved_keys(Modulo("ABC"), Modulo("ABCD"), zones)) / len(zones) == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize(("vnodes", "givers"), [(1, 1), (160, 9)])
def test_a_tenth_node_takes_from_one_owner_with_one_point_and_from_all_with_many(vnodes: int, givers: int) -> None:
    nine, ten = (Ring(names, Placement(vnodes=vnodes)) for names in ("ABCDEFGHI", "ABCDEFGHIJ"))
    gone = moved_keys(nine, ten, sorted(available_timezones()))
    assert {move.taker for move in gone} == {"J"}
    assert len({move.giver for move in gone}) == givers
