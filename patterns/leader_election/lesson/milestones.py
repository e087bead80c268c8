"""What a run can be told to run until: predicates on a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.step import Step
from patterns.engine.world import World
from patterns.leader_election.properties import agreed_leader, leaders

Milestones = Mapping[str, Callable[[Step[Any, Any]], bool]]


def fired(*rules: str) -> Callable[[Step[Any, Any]], bool]:
    """Whether one of these rules fired in the step."""
    return lambda step: any(note.rule in rules for note in step.notes)


def _first(holds: Callable[[World], Any]) -> Callable[[Step[World, Any]], bool]:
    """Whether it holds from this step on, and did not before."""
    return lambda step: bool(holds(step.state)) and (step.parent is None or not holds(step.parent.state))


ELECTION: Milestones = {
    "a leader is elected": _first(leaders),
    "all follow one leader": _first(agreed_leader),
    "two lead at once": _first(lambda world: len(leaders(world)) > 1),
}
BULLY: Milestones = {
    **ELECTION,
    "an election begins": fired("B.ask", "B.top"),
    "a silent coordinator is noticed": fired("B.silent"),
}
LEASE: Milestones = {
    "a leader is elected": _first(leaders),
    "a lease runs out": fired("L.expire"),
    "two lead at once": _first(lambda world: len(leaders(world)) > 1),
    "a write is acknowledged": fired("H.wrote"),
    "an old token is refused": fired("S.refuse"),
    "an old token is taken": fired("S.stale"),
}
