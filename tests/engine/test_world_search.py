"""Worlds in a search: which are one, what timing leaves out, what is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from models.ping_pong import Ball
from models.replicas import Put, Replicas, asked

from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.process import Process, on_timer
from patterns.engine.simulation import Simulation
from patterns.engine.world import (
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Fire,
    Request,
    Restart,
)

REPOSITORY = Path(__file__).parents[2]


# Two runs to one world


def test_worlds_that_differ_in_times_and_ids_alone_are_one_to_a_search() -> None:
    one, other = asked(), asked()
    one.run([Deliver(0), Deliver(1)])
    other.run([Deliver(1), Deliver(0)])
    assert one.state != other.state
    assert one.machine.key(one.state) == other.machine.key(other.state)


def test_equal_messages_are_counted() -> None:
    history = asked()
    once = history.machine.key(history.state)
    history.apply(Duplicate(0))
    assert history.machine.key(history.state) != once


def test_a_ball_is_described_by_its_own_words() -> None:
    assert str(Ball(3)) == "ball 3"
    assert str(Request("C1", "P", Put(1)).body) == "put 1"


# Timers with a subject


class Waiter(Process):
    """Waits for several answers at the same time, each with a timer of its own."""

    late: tuple[str, ...] = ()

    def on_start(self) -> None:
        self.set_timer("answer", 30, about="T1")
        self.set_timer("answer", 20, about="T2")
        self.set_timer("answer", 40, about="T3")
        self.set_timer("rest", 50)

    @on_timer("answer")
    def answer_is_late(self, about: str) -> None:
        self.late += (about,)
        self.cancel_timer("answer", about="T3")

    @on_timer("rest")
    def rest(self) -> None:
        pass


class Waiting(Simulation):
    name = "waiting"
    rules: ClassVar = {}

    def processes(self) -> Sequence[Process]:
        return (Waiter("W"),)


def test_a_timer_with_a_subject_fires_for_this_subject_alone() -> None:
    history = History(Waiting())
    assert history.state.timer("W", "answer:T1") is not None
    assert [step.event for step in iter(history.advance, None)] == [
        Fire("W", "answer:T2"),
        Fire("W", "answer:T1"),
        Fire("W", "rest"),
    ]
    assert history.state["W"].late == ("T2", "T1"), "the timer about T3 was cancelled, the others were not"


def test_timers_of_two_subjects_are_two_to_a_search() -> None:
    history = History(Waiting())
    assert len({choice.label for choice in history.machine.choices(history.state) if choice.group == "next"}) == 4
    assert history.machine.describe(history.state, Fire("W", "answer:T1")) == "**answer** timer of W for T1 fires"


def test_a_process_that_crashed_for_good_is_not_restarted() -> None:
    history = asked(crash_stop=True)
    history.apply(Crash("B1"))
    assert [*history.machine.repairs(history.state)] == []
    with pytest.raises(NotEnabled, match="B1 has crashed for good"):
        history.apply(Restart("B1"))


@pytest.mark.parametrize("timing", ["asynchronous", "patient", "quiet", "synchronous"])
def test_timing_says_what_a_search_leaves_out_and_changes_no_run(timing: Any) -> None:
    history = asked(timing=timing, budget={"drop": 1, "crash": 1})
    machine, world = history.machine, history.state
    assert world.packets
    tried = list(machine.enabled(world))
    assert any(isinstance(event, Drop) for event in tried) == (timing != "synchronous")
    history.apply(Crash("P"))
    lost = [event for event in machine.enabled(history.state) if isinstance(event, Drop)]
    assert lost, "a message may be lost when its sender crashed in the middle of sending"
    assert asked().state.packets == asked(timing=timing).state.packets


# What a search remembers


class Clock(Process):
    """Does what depends on the time of its own clock."""

    late: bool = False

    def on_start(self) -> None:
        self.set_timer("look", 10)

    @on_timer("look")
    def look(self) -> None:
        self.late = self.now > 15
        self.set_timer("look", 10)


class Clocks(Simulation):
    name = "clocks"
    rules: ClassVar = {}

    def processes(self) -> Sequence[Process]:
        return (Clock("C"),)


def test_a_handler_that_reads_the_clock_runs_anew_in_a_search() -> None:
    machine = Clocks().for_search()
    once, _ = machine.apply(machine.start(), Fire("C", "look"))
    twice, _ = machine.apply(once, Fire("C", "look"))
    assert [once["C"].late, twice["C"].late] == [False, True]


def test_a_search_that_remembers_finds_what_one_finds_that_does_not() -> None:
    class Plain(Replicas):
        def for_search(self) -> Plain:
            return self

    for budget in ({"crash": 1}, {"drop": 1, "duplicate": 1}):
        plain = explore(Plain(backups=2, writes=1, budget=budget), max_states=3_000)
        remembering = explore(Replicas(backups=2, writes=1, budget=budget), max_states=3_000)
        assert remembering[:3] == plain[:3], budget


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            Request("C1", "P", Put("x")),
            "event is Request.*; allowed is an event of Replicas .*Expected `int`, got `str`",
        ),  # type: ignore[arg-type]
        (Request("C1", "P", Put(None)), "Expected `int`, got `null`"),  # type: ignore[arg-type]
        (Request(5, "P", Put(1)), "Expected `str`, got `int`"),  # type: ignore[arg-type]
        (Request("C1", "P", None), "event is Request.*body=None"),
        (Delay(0, 1.5), "Expected `int`, got `float`"),  # type: ignore[arg-type]
        (Cut(("P",), None), "Expected `array`, got `null`"),  # type: ignore[arg-type]
        (Cut(["P"], ["B1"]), "unhashable type: 'list'"),  # type: ignore[arg-type]
    ],
)
def test_an_event_that_no_replay_code_can_bring_back_is_refused(event: Any, said: str) -> None:
    """ENGINE.md, D15: a text where a number belongs was accepted, and the history's own code could not be replayed."""
    history = asked()
    with pytest.raises(ValueError, match=said):
        history.apply(event)
    assert history.step.depth == 1
