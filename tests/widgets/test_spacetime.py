"""The space-time diagram and its causal order: Lamport, "Time, Clocks, and the Ordering of Events", 1978."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest

from patterns.consensus_raft import RaftCluster
from patterns.engine.history import History
from patterns.engine.world import Crash, Cut, Deliver, Drop, Fire
from widgets.spacetime import causality, future, moment_of, past

SEEDS = range(5)


def run(seed: int, steps: int = 60) -> History[Any, Any]:
    history = History(RaftCluster(seed=seed))
    for _ in range(steps):
        history.advance()
    return history


@pytest.mark.parametrize("seed", SEEDS)
def test_happened_before_is_a_partial_order_that_agrees_with_the_steps(seed: int) -> None:
    """Lamport 1978, section 2: the relation is irreflexive, and every run is one of its linear extensions."""
    graph = causality(run(seed).path)
    assert nx.is_directed_acyclic_graph(graph), f"seed {seed}"
    assert all(cause < effect for cause, effect in graph.edges), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_arrives_after_it_was_sent_by_the_process_that_sent_it(seed: int) -> None:
    """Lamport 1978, section 2, condition (2)."""
    history = run(seed)
    graph = causality(history.path)
    for step in history.path[1:]:
        if isinstance(step.event, Deliver):
            moment = moment_of(step)
            assert moment is not None
            packet = step.parent.state.packet(step.event.id)
            assert (moment.lane, moment.sender) == (packet.to, packet.sender)
            if moment.sent:
                assert moment.sent in past(graph, step.depth), f"seed {seed}, step {step.depth}"
                assert graph.nodes[moment.sent]["lane"] == packet.sender
                assert step.depth in future(graph, moment.sent)


def test_events_of_one_process_are_in_order_and_events_that_no_message_joins_are_concurrent() -> None:
    """Lamport 1978, section 2, conditions (1) and (3), and the definition of concurrent events."""
    history = History(RaftCluster(seed=1))
    timers = [Fire(name, "election") for name in ("S1", "S2", "S1")]
    history.run(timers)
    graph = causality(history.path)
    assert past(graph, 3) == {1}
    assert past(graph, 2) == set()
    assert future(graph, 1) == {3}


def test_what_was_lost_has_a_cause_and_causes_nothing() -> None:
    history = History(RaftCluster(seed=1))
    history.apply(Fire("S1", "election"))
    packet = history.state.packets[0]
    history.run([Drop(packet.id), Fire(packet.to, "election")])
    graph = causality(history.path)
    assert past(graph, 2) == {1}
    assert future(graph, 2) == set()
    assert past(graph, 3) == set()


def test_a_crash_is_on_its_process_s_line_and_a_cut_is_on_none() -> None:
    history = History(RaftCluster(seed=1))
    crash, cut = history.apply(Crash("S2")), history.apply(Cut(("S1",), ("S3",)))
    moment = moment_of(crash)
    assert moment is not None
    assert (moment.lane, moment.kind) == ("S2", "crash")
    assert moment_of(cut) is None
