"""The space-time diagram of any message-passing history (Lamport 1978): where each step stands, and what caused it.

A line a process, time to the right in steps; a message runs from the step that sent it to the step it arrived in.
The player draws it; here is which events there are, and the graph of what could know of what.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import networkx as nx

from patterns.engine.step import Step
from patterns.engine.trace import cause, lost, mover, received
from patterns.engine.world import Crash, Deliver, Drop, Fire, Request, Restart
from widgets.scene import Moment, Role

KINDS: dict[type, str] = {
    Deliver: "deliver",
    Fire: "fire",
    Crash: "crash",
    Restart: "restart",
    Request: "request",
    Drop: "drop",
}


def moment_of(step: Step[Any, Any], role: Role = "ink") -> Moment | None:
    """Where a step stands in the diagram; None for what is on no process's line (a cut, a heal, a delay)."""
    kind = KINDS.get(type(step.event), "local")
    packet = received(step) or lost(step)
    lane = packet.to if packet else mover(step)
    if not lane:
        return None
    sender = cause(step) if packet else None
    return Moment(
        lane=lane,
        kind=kind,
        label=str(packet.body) if packet else "",
        role=role,
        sent=sender.depth if sender else -1,
        sender=packet.sender if packet else "",
    )


def causality(branch: Iterable[Step[Any, Any]]) -> nx.DiGraph[int]:
    """The causal order of a branch's events as a graph over depths: `happened before` is a path (Lamport 1978, 2).

    An event follows the one before it on its process's line, and the event that sent what arrived. What was lost
    has a cause and causes nothing.
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    last: dict[str, int] = {}
    for step in branch:
        moment = moment_of(step)
        if moment is None:
            continue
        graph.add_node(step.depth, lane=moment.lane, kind=moment.kind)
        if moment.kind != "drop" and moment.lane in last:
            graph.add_edge(last[moment.lane], step.depth)
        if moment.sent > 0:
            graph.add_edge(moment.sent, step.depth)
        if moment.kind != "drop":
            last[moment.lane] = step.depth
    return graph


def past(graph: nx.DiGraph[int], depth: int) -> set[int]:
    """Everything that could have had an influence on the event: its causal past, without itself."""
    return set(nx.ancestors(graph, depth))


def future(graph: nx.DiGraph[int], depth: int) -> set[int]:
    """Everything the event could have an influence on, without itself."""
    return set(nx.descendants(graph, depth))
