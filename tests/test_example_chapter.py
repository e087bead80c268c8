"""The example chapter in use: what `patterns/README.md` promises of a chapter of 150 lines."""

from __future__ import annotations

from token_ring import TokenRing
from token_ring.lesson import BUGS, CHAPTER, EXERCISES
from token_ring.machine import answered, one_inside

from patterns.engine.explore import explore
from patterns.engine.milestones import fired
from patterns.engine.random_worlds import random_worlds
from patterns.engine.script import Script
from widgets import play
from widgets.exercise import check


def test_a_player_runs_until_a_milestone_with_the_default_view() -> None:
    player = play(Script(TokenRing()).ask("B").history)
    frames = len(player.frames)
    player.history.run_until(CHAPTER.milestones_of(player.history.machine)["a station enters"], 50)
    assert player.history.step.notes[0].rule == "T.enter"
    assert frames == 2


def test_every_run_with_a_duplicate_and_a_lost_message_is_safe() -> None:
    found = explore(TokenRing(laps=1, budget={"duplicate": 1, "drop": 1}), [one_inside, answered])
    assert found.complete
    assert found.holds, found


def test_random_worlds_hold_the_invariant() -> None:
    runs = random_worlds(TokenRing(laps=9), range(20), 120, [one_inside])
    assert runs.holds, runs
    assert runs.events["Duplicate"] > 20


def test_a_learner_is_shown_two_stations_inside() -> None:
    judged = check(EXERCISES["may_take"], lambda number, seen: True)
    assert judged.verdict.mistake == "takes any"
    assert sum(station.inside for station in judged.verdict.history.state.processes) == 2
    assert judged.player is not None


def test_the_bug_is_shown_in_a_shortest_run() -> None:
    broken = BUGS["takes any token"].found().counterexample
    assert len(broken.history.path) == 9
    assert not any(fired("T.old")(step) for step in broken.history.path)
