"""Where each step of a saga stands: what the logs say of it, and beside it what its service's database says.

The two differ while an answer is on its way, or lost. A pure reading of a world, for pictures and checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from patterns.engine.world import World

from .definition import Saga
from .records import Instance, Progress, progress, to_compensate
from .standing import definition_of, steps_standing

WAITING, ASKED, DONE, REFUSED, OPEN, NEVER = "waiting", "asked", "done", "refused", "unknown", "never"
"""Of a step: what it comes after is not done; its turn; it was done; it was refused; whether it was done is not known,
and nobody waits for that any more; it will not be done, since its saga has turned back."""
DUE, TURN, UNDONE, STUCK = "due", "turn", "undone", "stuck"
"""Of a compensation: what builds on the step is undone first; its turn; it was undone; it fails, and needs a human."""
FORWARD, PAST_PIVOT, COMPENSATING = "forward", "past the pivot", "compensating"
"""Phases of a saga that has not ended; else `stuck`, `completed` or `compensated`."""


class Stage(NamedTuple):
    """Where a step stands."""

    state: str
    undo: str
    """Of its compensation; empty where there is none to run."""
    stands: bool
    """Whether its effect is in its service's database now, whatever the logs say."""


def told(world: World, instance: Instance) -> Progress:
    """What the logs say of a saga: the orchestrator's; or all journals of a choreography, read together."""
    definition = definition_of(world, instance.definition)
    records = (record for process in world.processes for record in getattr(process, "log", ()))
    return progress(definition, instance.saga, records)


def phase_of(at: Progress) -> str:
    """Where a saga stands as a whole."""
    if at.phase == "backward":
        return COMPENSATING
    return PAST_PIVOT if at.phase == "forward" and at.definition.pivot and at.pivot_passed else at.phase


def stages(world: World, instance: Instance) -> Mapping[str, Stage]:
    """Where each step of a saga stands, by its name."""
    at, stands = told(world, instance), steps_standing(world, instance.saga)
    begun = {*at.started, *at.done, *at.ready()}
    standing = [name for name in at.definition.names if name in begun and name not in {*at.undone, *at.refused}]
    turn = to_compensate(at.definition, standing)
    return {
        name: Stage(_state(at, name, name in begun), _undo(at, name, standing, turn), name in stands)
        for name in at.definition.names
    }


def planned(definition: Saga) -> Mapping[str, Stage]:
    """Where the steps stand of a saga that has not begun."""
    return {name: Stage(WAITING, "", False) for name in definition.names}


def _state(at: Progress, name: str, begun: bool) -> str:
    if name in at.refused:
        return REFUSED
    if name in at.done:
        return DONE
    if at.turned_back:
        return OPEN if name in at.started else NEVER
    return ASKED if begun else WAITING


def _undo(at: Progress, name: str, standing: list[str], turn: tuple[str, ...]) -> str:
    if name in at.undone:
        return UNDONE
    if name in at.stuck:
        return STUCK
    if not at.turned_back or at.ended or name not in standing:  # who has ended undoes nothing more, right or wrong
        return ""
    return TURN if name in turn else DUE
