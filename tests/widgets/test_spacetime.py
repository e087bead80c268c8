"""Where a step stands in the space-time diagram: Lamport, "Time, Clocks, and the Ordering of Events", 1978.

The player (strip.js) lights the causal past and future; tests/browser looks at that.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import RaftCluster
from patterns.engine.history import History
from patterns.engine.world import Crash, Cut, Deliver, Drop, Fire
from widgets.spacetime import moment_of

SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_arrives_after_it_was_sent_by_the_process_that_sent_it(seed: int) -> None:
    """Lamport 1978, section 2, condition (2)."""
    history: History[Any, Any] = History(RaftCluster(seed=seed))
    for _ in range(60):
        history.advance()
    path, arrived = history.path, 0
    for step in path[1:]:
        moment = moment_of(step)
        assert moment is not None
        if not isinstance(step.event, Deliver):
            assert moment.sent == -1
            continue
        packet = step.parent.state.packet(step.event.id)
        assert (moment.lane, moment.sender) == (packet.to, packet.sender)
        assert moment.sent < step.depth, f"seed {seed}, step {step.depth}"
        if moment.sent:
            sending = moment_of(path[moment.sent])
            assert sending is not None
            assert sending.lane == packet.sender, f"seed {seed}, step {step.depth}"
        arrived += 1
    assert arrived > 10


def test_a_lost_message_has_a_cause_and_stands_on_its_receivers_line() -> None:
    history: History[Any, Any] = History(RaftCluster(seed=1))
    history.apply(Fire("S1", "election"))
    packet = history.state.packets[0]
    moment = moment_of(history.apply(Drop(packet.id)))
    assert moment is not None
    assert (moment.kind, moment.lane, moment.sender, moment.sent) == ("drop", packet.to, "S1", 1)


def test_a_crash_is_on_its_process_s_line_and_a_cut_is_on_none() -> None:
    history: History[Any, Any] = History(RaftCluster(seed=1))
    crash, cut = history.apply(Crash("S2")), history.apply(Cut(("S1",), ("S3",)))
    moment = moment_of(crash)
    assert moment is not None
    assert (moment.lane, moment.kind) == ("S2", "crash")
    assert moment_of(cut) is None
