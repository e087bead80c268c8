"""What faults do to a world: loss and delay, crashes, cuts, pauses, budgets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from models.ping_pong import PingPong, Player
from models.replicas import asked

from patterns.engine import trace
from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.world import (
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Fire,
    Heal,
    Pause,
    Restart,
    Resume,
    World,
)

REPOSITORY = Path(__file__).parents[2]


def choice(history: History[World, Any], event: Any) -> Any:
    return next(c for c in history.machine.choices(history.state) if c.event == event)


# Faults


def test_a_crash_loses_memory_and_timers_and_leaves_what_is_on_its_way() -> None:
    """Cachin, Guerraoui, Rodrigues 2011, section 2.2: crash with recovery."""
    history = asked()
    before = history.state
    assert before["P"].waiting
    assert before.timer("P", "resend")
    world = history.apply(Crash("P")).state
    assert world["P"].waiting == ()
    assert world["P"].value == 1
    assert world.timers == ()
    assert world.packets == before.packets


def test_a_restart_begins_with_what_is_on_disk() -> None:
    history = History(PingPong())
    for _ in range(5):
        history.advance()
    hits = history.state["A"].hits
    assert hits > 0
    assert history.state["A"].warm
    history.run([Crash("A"), Restart("A")])
    assert history.state["A"] == Player("A", "B", True, hits=hits)
    assert history.state.timer("A", "serve") is not None  # on_restart is on_start, unless overridden


def test_a_message_to_a_crashed_process_is_lost_when_it_is_due() -> None:
    history = asked()
    history.apply(Crash("B1"))
    assert choice(history, Deliver(0)).why_not == "B1 is down"
    assert history.machine.usual(history.state) == Drop(0)
    step = history.advance()
    assert step
    assert history.machine.describe(step.parent.state, step.event) == "lose **copy 1** P → B1: B1 is down"
    assert history.state.clock == 10
    assert trace.lost(step) == step.parent.state.packet(0)


def test_a_restart_in_time_saves_the_message() -> None:
    history = asked()
    history.run([Crash("B1"), Restart("B1"), Deliver(0)])
    assert history.state["B1"].value == 1


def test_nothing_crosses_a_cut_and_a_one_way_cut_lets_the_other_way_through() -> None:
    history = asked()
    history.apply(Cut(("B1",), ("P", "B2")))
    assert history.state.cuts == {("B1", "P"), ("P", "B1"), ("B1", "B2"), ("B2", "B1")}
    assert choice(history, Deliver(0)).why_not == "the link P → B1 is cut"
    history.apply(Heal())
    history.apply(Cut(("B1",), ("P",), one_way=True))
    history.apply(Deliver(0))
    answer = next(packet for packet in history.state.packets if packet.sender == "B1")
    with pytest.raises(NotEnabled, match="the link B1 → P is cut"):
        history.apply(Deliver(answer.id))


def test_a_paused_process_misses_nothing_and_is_late() -> None:
    """A process that pauses for a garbage collection and wakes up (Gray and Cheriton 1989, on leases)."""
    history = asked()
    history.apply(Pause("P"))
    while history.advance():
        pass
    assert history.state["P"].waiting
    assert len(history.state.packets) == 2
    assert choice(history, Fire("P", "resend")).why_not == "P is paused"
    history.apply(Resume("P"))
    while history.advance():
        pass
    assert history.state.call("C1").reply == "ok"


def test_a_dropped_message_never_arrives_and_a_duplicate_arrives_twice() -> None:
    history = asked()
    history.run([Drop(0), Duplicate(1)])
    copies = [packet for packet in history.state.packets if packet.to == "B2"]
    assert [(packet.id, packet.copy_of, packet.due) for packet in copies] == [(1, -1, 10), (2 + 1, 1, 10)]
    assert history.state.packet(0) is None
    history.run([Deliver(1), Deliver(3)])
    assert [packet.body.value for packet in history.state.packets if packet.sender == "B2"] == [1, 1]


def test_a_delayed_message_is_overtaken() -> None:
    history = asked()
    history.apply(Delay(0, 50))
    assert [packet.id for packet in history.state.packets] == [1, 0]
    assert history.state.packet(0).due == 60
    with pytest.raises(ValueError, match="delayed by 0 ms; it must be at least 1 ms"):
        history.apply(Delay(0, 0))


def test_a_budget_says_what_is_left_and_then_refuses() -> None:
    history = asked(budget={"crash": 1, "drop": 1})
    history.run([Crash("B1"), Restart("B1")])
    assert choice(history, Crash("B1")).why_not == "the budget has no crash left"
    assert choice(history, Duplicate(0)).why_not == "the budget has no duplicate left"
    assert choice(history, Drop(0)).why_not == ""
    with pytest.raises(NotEnabled, match="no crash left"):
        history.apply(Crash("P"))


def test_losing_a_message_at_a_crashed_process_costs_no_budget() -> None:
    history = asked(budget={"crash": 1})
    history.run([Crash("B1"), Drop(0)])
    assert history.state.left("drop") == 0
    with pytest.raises(NotEnabled, match="no drop left"):
        history.apply(Drop(1))
