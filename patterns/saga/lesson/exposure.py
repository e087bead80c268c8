"""A saga with the steps of a transfer by two-phase commit, to compare: which clients wait, and what readers see.

A saga commits each step at once, so that no row waits for the slowest service. Readers see a step that may still be
undone (Garcia-Molina and Salem 1987, section 1).
"""

from __future__ import annotations

from typing import Any

from patterns.engine.exposure import Exposure, exposures
from patterns.engine.history import History
from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.saga.actions import Add, Look, Nothing
from patterns.saga.database import NO_LOCK
from patterns.saga.definition import Saga, saga, step
from patterns.saga.log import Instance
from patterns.saga.machines import SagaMachine
from patterns.saga.readings import databases, definition_of, instances, logged, past_pivot, steps_in_effect

CUSTOMERS = ("ann", "bob", "cho", "dan", "eve", "fay", "gus", "hal", "ivy")
COMMITTED, TENTATIVE, LOCKED = "committed", "tentative", "locked"
"""What a reader finds in a row: what stays; what may still be taken back, and nothing says so; the same with a mark."""
PATIENCE = 1_000_000  # ms: as good as no timeout, so that what is measured is waiting, not giving up


def transfer(n: int = 3, parallel: bool = False) -> Saga:
    """A transfer from ann at P1 to all others, each at a service of its own: one after the other, or to all others at
    once where it is `parallel`. Raises ValueError for n below 2."""
    if not 2 <= n <= len(CUSTOMERS):
        raise ValueError(f"n is {n}; allowed are 2 to {len(CUSTOMERS)} services")
    names = CUSTOMERS[:n]
    amounts = [10 * (1 - n), *[10] * (n - 1)]
    afters = [(), *((names[0],) if parallel else (before,) for before in names[:-1])]
    return saga(
        "transfer",
        *(
            step(name, at=f"P{at}", do=Add(name, amount), undo=Add(name, -amount), after=after)
            for at, (name, amount, after) in enumerate(zip(names, amounts, afters, strict=True), 1)
        ),
    )


def transferred(
    n: int = 3, delay: int = 0, parallel: bool = False, lock: str = NO_LOCK, refused: bool = False
) -> History[World, object]:
    """The transfer as an orchestrated saga, 10 ms a message and `delay` ms more to the last service; at its end. Where
    it is `refused`, the last service says no, and all is taken back.

    Nobody's patience ends. Raises ValueError for n below 2, an unknown lock, or a negative delay.
    """
    definition = transfer(n, parallel)
    last = definition.names[-1]
    machine = SagaMachine(
        sagas=(definition,),
        rows={each.at: {each.name: 100} for each in definition.steps},
        refuse=(last,) if refused else (),
        lock=lock,
        timeout=PATIENCE,
        latency=(10, 10),
    )
    if delay < 0:
        raise ValueError(f"delay is {delay} ms; allowed is a number from 0")
    return Script(machine).ask("A").finish(late={definition[last].at: delay}).history


def is_final(world: World, instance: Instance, definition: Saga) -> bool:
    """Whether no step of a saga will be undone: it is past the point of no return, or all steps are done and it has not
    turned back. (A saga may give up on a last step that was done.)"""
    in_effect = steps_in_effect(world, instance.saga)
    whole = len(in_effect) == len(definition.steps) and not logged(world, instance).turned_back
    return whole or past_pivot(definition, in_effect)


def readable(world: World) -> dict[str, str]:
    """What a reader finds in each row now: `stock.beans` -> tentative."""
    tentative = set()
    for instance in instances(world):
        definition = definition_of(world, instance.definition)
        if not is_final(world, instance, definition):
            in_effect = steps_in_effect(world, instance.saga)
            for each in definition.steps:
                if each.name in in_effect and not isinstance(each.do, Look | Nothing):
                    tentative |= {(each.at, key) for key in each.do.touches}
    return {
        f"{service.id}.{row.key}": LOCKED
        if row.pending
        else TENTATIVE
        if (service.id, row.key) in tentative
        else COMMITTED
        for service in databases(world)
        for row in service.rows
    }


def exposed(history: History[World, Any]) -> tuple[Exposure, ...]:
    """What a reader finds in each row from the start of a run's branch to its end, row by row, in order of time.

    No reader of a saga's rows waits. A row is `committed`, or `tentative`: a reader sees a value that may be undone.
    With semantic locks a tentative row has a mark that other sagas respect (`locked`).
    """
    return exposures(history, readable)
