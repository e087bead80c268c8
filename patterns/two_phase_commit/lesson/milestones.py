"""What a run can be told to run until: predicates on a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.step import Step
from patterns.engine.world import World
from patterns.two_phase_commit.doubt import blocked, coordinator, in_doubt, participants, transactions

Milestones = Mapping[str, Callable[[Step[Any, Any]], bool]]


def fired(*rules: str) -> Callable[[Step[Any, Any]], bool]:
    """Whether one of these rules fired in the step."""
    return lambda step: any(note.rule in rules for note in step.notes)


def first(holds: Callable[[World], Any]) -> Callable[[Step[World, Any]], bool]:
    """Whether it holds from this step on, and did not before."""
    return lambda step: bool(holds(step.state)) and (step.parent is None or not holds(step.parent.state))


def all_ended(world: World) -> bool:
    """Whether something was begun, and nobody is busy with anything any more."""
    busy = in_doubt(world) or coordinator(world).open or any(process.branches for process in participants(world))
    return bool(world.calls or transactions(world)) and not busy


MILESTONES: Milestones = {
    "all have voted": lambda step: fired("C.commit", "3.pre")(step),
    "the coordinator has decided": fired("C.commit", "C.abort"),
    "somebody votes no": fired("P.no", "P.tired"),
    "somebody is in doubt": first(in_doubt),
    "somebody asks, being in doubt": fired("P.ask", "3.poll", "3.poll.back"),
    "blocked: all that are up are in doubt": first(blocked),
    "somebody waits for a lock": fired("P.wait"),
    "a participant takes the coordinator's place": fired("3.poll"),
    "all is done": first(all_ended),
}
