"""Scripted runs: usual things happen until a step is as wanted; what cannot be reached is said."""

from __future__ import annotations

import pytest

from patterns.engine.history import History
from patterns.engine.scripted import LONG, Unreached, arrive, lose, slowed, to_the_end, until
from patterns.engine.trace import mover
from patterns.engine.world import Delay
from patterns.leader_election import BullyElection, ChangRobertsElection


def election() -> History[object, object]:
    """One that comes to rest."""
    return History(ChangRobertsElection(ids=(1, 2, 3), latency=(10, 10), seed=0))


def test_a_run_goes_on_until_a_new_step_is_as_wanted() -> None:
    run = election()
    until(run, lambda step: step.state.clock == 20)
    assert run.step.state.clock == 20
    assert run.step.parent.state.clock < 20
    with pytest.raises(Unreached, match="stood still at <Step"):
        until(run, lambda step: step.state.clock == 7)


def test_a_run_to_the_end_stands_at_its_start_and_one_without_an_end_is_given_up() -> None:
    run = to_the_end(election())
    assert (run.step.depth, run.machine.usual(run.branch[-1].state)) == (0, None)
    with pytest.raises(Unreached, match=f"goes on after {LONG} steps"):
        to_the_end(History(BullyElection(n=2)))  # heartbeats for ever


def test_messages_of_a_kind_arrive_or_are_lost_to_whom_the_script_says() -> None:
    run = election()
    while not any(packet.to == "P2" for packet in run.state.packets):
        run.advance()
    kind = type(run.state.packets[0].body)
    arrive(run, kind, "P2")
    assert mover(run.step) == "P2"
    lose(run, kind, "P3")
    assert {packet.to for packet in run.state.packets}.isdisjoint({"P3"})
    lose(run, kind)
    assert not run.state.packets
    with pytest.raises(Unreached, match=f"no {kind.__name__} is on its way to P2"):
        arrive(run, kind, "P2")


def test_every_message_to_a_slow_process_is_delayed_once() -> None:
    run = slowed(election(), "P2", 7)
    late = [step for step in run.branch if isinstance(step.event, Delay)]
    assert late
    assert {step.event.by for step in late} == {7}
    assert {step.parent.state.packet(step.event.id).to for step in late} == {"P2"}
    to_p2 = {p.id for step in run.branch for p in step.state.packets if p.to == "P2"}
    assert sorted(step.event.id for step in late) == sorted(to_p2)


def test_no_delay_is_the_usual_run() -> None:
    usual = election()
    while usual.advance() is not None:
        pass
    assert slowed(election(), "P2", 0).code == usual.code


def test_what_cannot_be_slow_is_refused() -> None:
    with pytest.raises(ValueError, match="by is -1 ms; it must not be negative"):
        slowed(election(), "P2", -1)
    with pytest.raises(ValueError, match="there is no process 'P9'; the processes are P1, P2, P3"):
        slowed(election(), "P9", 1)
    with pytest.raises(Unreached, match=f"goes on after {LONG} steps"):
        slowed(History(BullyElection(n=2)), "P2", 1)
