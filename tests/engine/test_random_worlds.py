"""Random worlds: long runs under faults, then repair and progress; every failure comes with its seed."""

from __future__ import annotations

from typing import Any

import pytest
from models.numbers import Count
from models.ping_pong import FiveGossips, PingPong
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
from patterns.engine.properties import Always, Sometimes
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.world import Deliver, Fire, World
from patterns.two_phase_commit.specification import TwoPhase

PROPERTIES = (ANSWERED_IS_EVERYWHERE, A_WRITE_IS_ANSWERED)
SEEDS = range(40)


def overdue(world: World) -> str | None:
    """A message that should have arrived before the present."""
    late = [packet for packet in world.packets if packet.due < world.clock]
    return f"{late[0].body} is late" if late else None


never_late = Always("no message is late", overdue)


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
        ({"steps": 0}, "steps is 0; allowed is a whole number, at least 1"),
        ({"steps": 2.5}, "steps is 2.5"),
        ({"patience": "x"}, "patience is 'x'; allowed is a whole number"),
        ({"uniform": "yes"}, "uniform is 'yes'; allowed is a bool"),
        ({"shrink": None}, "shrink is None; allowed is a bool"),
        ({"faults": {"crash": 0.7, "drop": 0.7}}, "add up to at most 1"),
        ({"faults": {"crash": -0.1}}, "not negative"),
        ({"faults": {"crash": float("nan")}}, "not negative"),
        ({"faults": {"crash": "0.1"}}, "not negative"),
        (
            {"faults": {"crashes": 0.2}},
            "faults is .'crashes': 0.2.; allowed is a mapping from these groups .* crash, cut",
        ),
        ({"faults": ["crash"]}, "faults is .'crash'.; allowed is a mapping"),
        ({"machine": PingPong}, r"machine is <class .*>; allowed is a Machine: write PingPong\(\)"),
        ({"seeds": "ab"}, "seed is 'a'; allowed is a whole number"),
        ({"seeds": 5}, "seeds is 5; allowed is one or more whole numbers"),
        ({"seeds": []}, r"seeds is \[\]; allowed is one or more whole numbers"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], sentence: str) -> None:
    """D08, D16, D17: faults that do not exist never happen, and a check without a run says nothing."""
    with pytest.raises(ValueError, match=sentence):
        random_worlds(**{"machine": PingPong(), "seeds": [1], "properties": (), **arguments})


def test_a_verdict_says_how_much_was_looked_at() -> None:
    text = str(random_worlds(PingPong(), range(3), 10, ()))
    assert text.startswith("3 runs, 30 steps, ")
    assert text.endswith("no property was broken")


def test_progress_in_the_very_last_step_counts() -> None:
    """Counting needs three steps to three: with a patience of three it is reached, with two it is not."""
    third = [Sometimes("third", lambda n: n >= 1 + 3)]
    assert random_worlds(Count(), [1], 1, third, faults={}, patience=3).holds
    assert not random_worlds(Count(), [1], 1, third, faults={}, patience=2).holds


def test_uniform_runs_let_any_message_and_any_timer_come_next() -> None:
    """Without faults the usual run is one run; uniform ones differ from seed to seed, and stay possible."""
    usual = random_worlds(FiveGossips(), [1], 60, [never_late], faults={})
    assert usual.holds
    late = random_worlds(FiveGossips(), [1], 60, [never_late], faults={}, uniform=True, shrink=False)
    assert late.counterexample is not None
    history = late.counterexample.history
    assert History.replay(FiveGossips(), history.code).state == history.state
    assert {type(step.event) for step in history.path[1:]} <= {Deliver, Fire}


def test_the_usual_happens_most_of_the_time() -> None:
    assert 0.5 < 1 - sum(FAULTS.values()) < 0.9


@pytest.mark.slow
def test_a_hundred_thousand_steps_of_faults() -> None:
    """pytest -m slow tests/engine/test_random_worlds.py"""
    result = random_worlds(Replicas(), range(200), 500, PROPERTIES)
    assert result.holds, str(result)
    assert result.steps >= 100_000
