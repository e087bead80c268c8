"""Two readings of a world: what the logs say of a saga, and which of its effects are in the databases.

They differ while an answer is on its way, or lost. No process of the pattern can read either, for nobody reads all
disks at one moment: both are for checks and for pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from patterns.engine.world import World

from .actions import holder
from .database import WAIT, Database, Handled
from .definition import COMPENSATABLE, Saga
from .log import DONE, REFUSED, STUCK, UNDONE, Instance, Progress, progress, to_compensate

WAITING, ASKED, OPEN, NEVER = "waiting", "asked", "unknown", "never"
"""States of a step that is neither done nor refused. WAITING: a step before it is not done. ASKED: it is its turn.
OPEN: it may have been done, and no process waits for an answer. NEVER: its saga has turned back."""
DUE, TURN = "due", "turn"
"""Of a compensation that is neither undone nor stuck: another step is undone first; it is its turn."""


def databases(world: World) -> tuple[Database, ...]:
    """The services, crashed ones included: a disk survives."""
    return tuple(process for process in world.processes if isinstance(process, Database))


def instances(world: World) -> tuple[Instance, ...]:
    """The sagas that some process has on its disk as begun."""
    return tuple(each for process in world.processes for each in getattr(process, "instances", ()))


def definition_of(world: World, name: str) -> Saga:
    """The definition of that name. Raises KeyError."""
    for process in world.processes:
        for each in getattr(process, "definitions", ()):
            if each.name == name:
                return each  # type: ignore[no-any-return]
    raise KeyError(f"no process knows a saga {name!r}")


# What the logs say


def logged(world: World, instance: Instance) -> Progress:
    """What the logs say of a saga: the orchestrator's; or all journals of a choreography, read together."""
    definition = definition_of(world, instance.definition)
    records = (record for process in world.processes for record in getattr(process, "log", ()))
    return progress(definition, instance.saga, records)


class StepState(NamedTuple):
    """Where a step is."""

    state: str
    undo: str = ""
    """Of its compensation; empty without a compensation to run."""
    in_effect: bool = False
    """Whether its effect is in its service's database now, whatever the logs say."""


def step_states(world: World, instance: Instance) -> Mapping[str, StepState]:
    """Where each step of a saga is, by its name."""
    at, in_effect = logged(world, instance), steps_in_effect(world, instance.saga)
    begun = {*at.started, *at.done, *at.ready()}
    not_undone = [name for name in at.definition.names if name in begun and name not in {*at.undone, *at.refused}]
    return {
        name: StepState(_state(at, name, name in begun), _undo(at, name, not_undone), name in in_effect)
        for name in at.definition.names
    }


def _state(at: Progress, name: str, begun: bool) -> str:
    if name in at.refused:
        return REFUSED
    if name in at.done:
        return DONE
    if name in at.stuck and not at.turned_back:
        return STUCK
    if at.turned_back:
        return OPEN if name in at.started else NEVER
    return ASKED if begun else WAITING


def _undo(at: Progress, name: str, not_undone: list[str]) -> str:
    if name in at.undone:
        return UNDONE
    if name in at.stuck and at.turned_back:
        return STUCK
    if not at.turned_back or at.ended or name not in not_undone:  # a saga that has ended undoes nothing more
        return ""
    return TURN if name in to_compensate(at.definition, not_undone) else DUE


# What the databases say


def handled(world: World, saga: str) -> Iterator[tuple[Database, Handled]]:
    """What services made of a saga's requests: for each in the order of handling."""
    for service in databases(world):
        for each in service.handled:
            if each.saga == saga:
                yield service, each


def steps_in_effect(world: World, saga: str) -> frozenset[str]:
    """The steps of a saga whose effects are in the databases: done, and not undone."""
    of = [each for _, each in handled(world, saga)]
    return frozenset(each.step for each in of if each.outcome == DONE) - frozenset(
        each.step for each in of if each.outcome == UNDONE
    )


def waits(world: World) -> dict[str, str]:
    """A saga -> the saga whose mark on a row its next step waits for."""
    found: dict[str, str] = {}
    for instance in instances(world):
        at = logged(world, instance)
        for name, stage in step_states(world, instance).items():
            step = at.definition[name]
            service = next(each for each in databases(world) if each.id == step.at)
            if stage.state == ASKED and service.locking == WAIT:
                found[instance.saga] = holder(service.rows, step.do, instance.saga) or found.get(instance.saga, "")
    return found


def sums(world: World) -> dict[str, int]:
    """The value of every row: `stock.beans` -> 3."""
    return {f"{service.id}.{row.key}": row.value for service in databases(world) for row in service.rows}


def effect(definition: Saga, steps: frozenset[str]) -> dict[str, int]:
    """What these steps add to each row, one saga running alone: `stock.beans` -> -1."""
    total: Counter[str] = Counter()
    for each in definition.steps:
        if each.name in steps:
            for key, amount in each.do.adds:
                total[f"{each.at}.{key}"] += amount
    return total


def past_pivot(definition: Saga, in_effect: frozenset[str]) -> bool:
    """Whether the pivot or a retriable step is done: from there the saga only goes forward."""
    return any(each.kind != COMPENSATABLE and each.name in in_effect for each in definition.steps)


def observer(world: World) -> tuple[str, ...]:
    """What somebody who reads all databases now sees of sagas that are neither whole nor gone, in words.

    A saga has no isolation: every step is visible at once, and may be taken back (Garcia-Molina and Salem 1987,
    section 1; Richardson 2018, 4.3).
    """
    lines = []
    for instance in instances(world):
        definition = definition_of(world, instance.definition)
        in_effect = steps_in_effect(world, instance.saga)
        if not in_effect or len(in_effect) == len(definition.steps):
            continue
        done = [f"{each.name} ({each.do})" for each in definition.steps if each.name in in_effect]
        missing = [each.name for each in definition.steps if each.name not in in_effect]
        what = "the rest will follow" if past_pivot(definition, in_effect) else "what is seen may be taken back"
        lines.append(f"{instance.saga}: {', '.join(done)} can be seen; {', '.join(missing)} cannot; {what}")
    return tuple(lines)
