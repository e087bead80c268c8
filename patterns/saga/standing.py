"""What the databases say, all read at one moment: which steps stand, what the rows add up to, what an observer sees.

No process of the pattern can do this, for nobody reads all databases at once: it is for checks and for pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

from patterns.engine.world import World

from .actions import Add, Move, Overwrite, Reread
from .database import Database
from .definition import COMPENSATABLE, Saga
from .records import DONE, UNDONE, Handled, Instance


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


def handled(world: World, saga: str) -> Iterator[tuple[Database, Handled]]:
    """What services made of a saga's requests: for each in the order of handling."""
    for service in databases(world):
        for each in service.handled:
            if each.saga == saga:
                yield service, each


def steps_standing(world: World, saga: str) -> frozenset[str]:
    """The steps of a saga whose effects are in the databases: done, and not undone."""
    of = [each for _, each in handled(world, saga)]
    return frozenset(each.step for each in of if each.outcome == DONE) - frozenset(
        each.step for each in of if each.outcome == UNDONE
    )


def state_of(world: World, instance: Instance) -> str:
    """What the databases have of a saga: all of it, nothing, or the names of the steps that stand."""
    standing = steps_standing(world, instance.saga)
    names = definition_of(world, instance.definition).names
    if not standing:
        return "nothing"
    return "all" if len(standing) == len(names) else ", ".join(name for name in names if name in standing)


def sums(world: World) -> dict[str, int]:
    """The value of every row: `stock.beans` -> 3."""
    return {f"{service.id}.{row.key}": row.value for service in databases(world) for row in service.rows}


def past_return(definition: Saga, standing: frozenset[str]) -> bool:
    """Whether a step stands that cannot be undone, the pivot or what is retriable: from there it goes only forward."""
    return any(each.kind != COMPENSATABLE and each.name in standing for each in definition.steps)


def observer(world: World) -> tuple[str, ...]:
    """What somebody who reads all databases now sees of sagas that are neither whole nor gone, in words.

    A saga has no isolation: every step is visible at once, and may be taken back (Garcia-Molina and Salem 1987,
    section 1; Richardson 2018, 4.3).
    """
    lines = []
    for instance in instances(world):
        definition = definition_of(world, instance.definition)
        standing = steps_standing(world, instance.saga)
        if not standing or len(standing) == len(definition.steps):
            continue
        done = [f"{each.name} ({each.do})" for each in definition.steps if each.name in standing]
        missing = [each.name for each in definition.steps if each.name not in standing]
        what = "the rest will follow" if past_return(definition, standing) else "what is seen may be taken back"
        lines.append(f"{instance.saga}: {', '.join(done)} can be seen, {', '.join(missing)} cannot; {what}")
    return tuple(lines)


def effect(definition: Saga, steps: frozenset[str]) -> dict[str, int]:
    """What these steps add to each row, one saga running alone: `stock.beans` -> -1."""
    total: dict[str, int] = {}

    def add(at: str, key: str, amount: int) -> None:
        total[f"{at}.{key}"] = total.get(f"{at}.{key}", 0) + amount

    for each in definition.steps:
        if each.name not in steps:
            continue
        match each.do:
            case Move(source, to, amount):
                add(each.at, source, -amount)
                add(each.at, to, amount)
            case Add(key, amount) | Overwrite(key, amount) | Reread(key, amount):
                add(each.at, key, amount)
    return total
