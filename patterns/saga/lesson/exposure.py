"""A saga of the same steps as a transfer by two-phase commit, to be laid beside it: who waits for whom, who sees what.

A saga commits each step at once, so that no row waits for the slowest of all; what is committed too early is to be read
and may be taken back (Garcia-Molina and Salem 1987, section 1).
"""

from __future__ import annotations

from patterns.engine.exposure import total_ms
from patterns.engine.history import History
from patterns.engine.scripted import slowed
from patterns.engine.world import World
from patterns.saga.actions import Add
from patterns.saga.database import NO_LOCK
from patterns.saga.definition import Saga, saga, step
from patterns.saga.machines import SagaMachine

from .measure import exposed

CUSTOMERS = ("ann", "bob", "cho", "dan", "eve", "fay", "gus", "hal", "ivy")
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
    run: History[World, object] = History(machine)
    run.apply(next(iter(machine.requests(run.state))))
    return slowed(run, definition[last].at, delay)


def seen_ms(history: History[World, object], seen: str) -> int:
    """How long a reader finds `seen` (committed, tentative or locked) in rows, all rows' times added up, in ms."""
    return total_ms(exposed(history), seen)
