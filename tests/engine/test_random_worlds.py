"""Random worlds: long runs under faults, then repair and progress; every failure comes with its seed."""

from __future__ import annotations

from typing import Any

import pytest
from models.ping_pong import PingPong
from models.replicas import (
    A_WRITE_IS_ANSWERED,
    ANSWERED_IS_EVERYWHERE,
    ClumsyReplicas,
    ForgetfulReplicas,
    HastyReplicas,
    Primary,
    Replicas,
)

from patterns.engine.history import History
from patterns.engine.properties import Sometimes
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.two_phase_commit.specification import TwoPhase

PROPERTIES = (ANSWERED_IS_EVERYWHERE, A_WRITE_IS_ANSWERED)
SEEDS = range(40)


def test_a_right_machine_stands_every_fault_and_makes_progress_once_all_is_repaired() -> None:
    result = random_worlds(Replicas(), SEEDS, 200, PROPERTIES)
    assert result.holds, str(result)
    assert result.runs == len(SEEDS)
    happened = {"Deliver", "Fire", "Drop", "Duplicate", "Delay", "Crash", "Restart", "Pause", "Resume", "Cut", "Heal"}
    assert happened | {"Request"} == set(result.events)
    assert sum(result.events.values()) == result.steps


@pytest.mark.parametrize(
    "machine", [HastyReplicas(), ForgetfulReplicas(), ClumsyReplicas()], ids=lambda m: type(m).__name__
)
def test_every_planted_bug_is_found_and_shown_by_a_short_run(machine: Replicas) -> None:
    result = random_worlds(machine, SEEDS, 200, PROPERTIES)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.history.step.depth <= 6
    assert f"seed {result.failed_seed} fails" in str(result)


def test_the_seed_of_a_failure_is_enough_to_see_it_again() -> None:
    first = random_worlds(HastyReplicas(), SEEDS, 200, PROPERTIES)
    assert first.failed_seed is not None
    again = random_worlds(HastyReplicas(), [first.failed_seed], 200, PROPERTIES)
    assert again.counterexample is not None
    assert first.counterexample is not None
    assert again.counterexample.history.code == first.counterexample.history.code


def test_a_failure_can_be_had_whole() -> None:
    found = random_worlds(HastyReplicas(), SEEDS, 200, PROPERTIES, shrink=False)
    assert found.counterexample is not None
    assert found.counterexample.history.step.depth >= 3
    assert ANSWERED_IS_EVERYWHERE.reason(None, found.counterexample.history.state) == found.counterexample.reason


class Stubborn(Primary):
    """Wrong: sends once, and never again."""

    def put(self, client: str, message: Any) -> None:
        if client not in dict(self.waiting):
            super().put(client, message)

    def spread(self) -> None:
        super().spread()
        self.cancel_timer("resend")


class StubbornReplicas(Replicas):
    primary = Stubborn


def test_what_makes_no_progress_after_the_repair_is_found() -> None:
    """Safety alone is satisfied by doing nothing (Alpern and Schneider 1985)."""
    one_link_fails = {"request": 0.05, "drop": 0.5}
    assert random_worlds(Replicas(), SEEDS, 100, PROPERTIES, faults=one_link_fails, patience=300).holds
    result = random_worlds(StubbornReplicas(), SEEDS, 100, PROPERTIES, faults=one_link_fails, patience=300)
    assert result.counterexample is not None
    assert "a write is answered, within 300 steps after all faults were repaired" in str(result)
    assert result.counterexample.history.state.down == frozenset()


def test_a_machine_without_faults_is_walked_at_random_too() -> None:
    commits = Sometimes("decided", lambda s: s.tm != "init")
    assert random_worlds(TwoPhase(), range(20), 30, [*TwoPhase.always, commits]).holds


def test_without_faults_only_the_usual_happens() -> None:
    result = random_worlds(PingPong(), [1], 50, (), faults={})
    history = History(PingPong(seed=1))
    for _ in range(50):
        history.advance()
    assert result.events == {"Fire": 1, "Deliver": 49}
    assert result.holds


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"faults": {"crash": 0.7, "drop": 0.7}}, "add up to at most 1"),
        ({"faults": {"crash": -0.1}}, "not negative"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        random_worlds(PingPong(), [1], **arguments)


def test_the_usual_happens_most_of_the_time() -> None:
    assert 0.5 < 1 - sum(FAULTS.values()) < 0.9


@pytest.mark.slow
def test_a_hundred_thousand_steps_of_faults() -> None:
    """pytest -m slow tests/engine/test_random_worlds.py"""
    result = random_worlds(Replicas(), range(200), 500, PROPERTIES)
    assert result.holds, str(result)
    assert result.steps >= 100_000
