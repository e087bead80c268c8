"""A slow process gets every message later, and nothing else is other than it was."""

from __future__ import annotations

import pytest

from patterns.engine.history import History
from patterns.engine.slow import slowed
from patterns.engine.world import Delay
from patterns.leader_election import ChangRobertsElection


def election() -> History[object, object]:
    """One that comes to rest."""
    return History(ChangRobertsElection(ids=(1, 2, 3), latency=(10, 10), seed=0))


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
    with pytest.raises(RuntimeError, match="goes on after 2 steps"):
        slowed(election(), "P2", 1, most=2)
