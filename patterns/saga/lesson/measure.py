"""What a saga costs, counted in real runs, and what others can read while it is under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from patterns.engine.exposure import Exposure, exposures
from patterns.engine.history import History
from patterns.engine.trace import sent, written
from patterns.engine.world import World
from patterns.saga.actions import Look, Move, Nothing
from patterns.saga.definition import Saga, saga, step
from patterns.saga.machines import SagaMachine
from patterns.saga.messages import Ack
from patterns.saga.records import Instance
from patterns.saga.stages import told
from patterns.saga.standing import databases, definition_of, instances, past_return, steps_standing

LONG = 10_000
COMMITTED, TENTATIVE, LOCKED = "committed", "tentative", "locked"
"""What a reader finds in a row: what stays; what may still be taken back, and nothing says so; the same with a mark."""


def chain(steps: int) -> Saga:
    """A saga of so many compensatable steps, each at a service of its own."""
    if steps < 1:
        raise ValueError(f"steps is {steps}; a saga has at least one")
    moves = (Move("left", "right", 1), Move("right", "left", 1))
    return saga(f"chain{steps}", *(step(f"T{n}", at=f"S{n}", do=moves[0], undo=moves[1]) for n in range(1, steps + 1)))


class Cost(NamedTuple):
    """What one saga took, with nothing going wrong but a refusal."""

    steps: int
    messages: int
    """Commands and answers, or events; not acknowledgements."""
    acks: int
    """Acknowledgements of events: a broker's part."""
    writes: int
    """Forced writes to disk, of all processes."""
    ms: int
    """From the request to the answer."""


def cost(style: str, steps: int, refused: bool = False, seed: int = 0) -> Cost:
    """The cost of a chain of `steps` in this style; where it is `refused`, at its last step.

    Raises ValueError for a style that there is not, and for no steps.
    """
    machine = SagaMachine(sagas=(chain(steps),), style=style, refuse=(f"T{steps}",) if refused else (), seed=seed)
    history = History(machine)
    history.apply(next(machine.requests(history.state)))
    for _ in range(LONG):
        if history.advance() is None:
            break
    kinds = Counter(isinstance(packet.body, Ack) for each in history.branch for packet in sent(each))
    writes = sum(bool(written(each)) for each in history.branch)
    (call,) = history.state.calls
    return Cost(steps, kinds[False], kinds[True], writes, call.replied - call.asked)


def costs(style: str, steps: Iterable[int], refused: bool = False) -> tuple[Cost, ...]:
    """`cost` for each number of steps: a chart's points."""
    return tuple(cost(style, each, refused) for each in steps)


Curve = Callable[[int], int]
CURVES: Mapping[tuple[str, bool], Mapping[str, Curve]] = {
    # A command and its answer each; a write of the service each, and of the orchestrator as many and one.
    ("orchestrated", False): {"messages": lambda n: 2 * n, "writes": lambda n: 2 * n + 1},
    # ... the last step is refused, and n - 1 are undone.
    ("orchestrated", True): {"messages": lambda n: 4 * n - 2, "writes": lambda n: 4 * n - 1},
    # An event each, to the next service; the last one's to the first, which tells the client. An event is written where
    # it is taken in, together with what is done about it, and once more where its acknowledgement takes it out.
    ("choreographed", False): {"messages": lambda n: n if n > 1 else 0, "writes": lambda n: 2 * n + 1 if n > 1 else 1},
    # n - 1 events forward, the refusal to all others, and n - 2 back.
    ("choreographed", True): {
        "messages": lambda n: 3 * n - 4 if n > 1 else 0,
        "writes": lambda n: 6 * n - 7 if n > 1 else 1,
    },
}
"""(style, refused) -> what is counted -> its number for n steps in a row at n services, counted by hand."""


# What others can read


def is_final(world: World, instance: Instance, definition: Saga) -> bool:
    """Whether nothing of a saga will be taken back: it is past the point of no return, or all of it is done and nobody
    has turned back (who gave up on the last step does not know that it was done)."""
    standing = steps_standing(world, instance.saga)
    whole = len(standing) == len(definition.steps) and not told(world, instance).turned_back
    return whole or past_return(definition, standing)


def readable(world: World) -> dict[str, str]:
    """What a reader finds in each row now: `stock.beans` -> tentative."""
    tentative = set()
    for instance in instances(world):
        definition = definition_of(world, instance.definition)
        if not is_final(world, instance, definition):
            standing = steps_standing(world, instance.saga)
            for each in definition.steps:
                if each.name in standing and not isinstance(each.do, Look | Nothing):
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

    A saga keeps nobody waiting: rows are committed, or they are there to be read and may be taken back (tentative),
    or with semantic locks the same with a mark that others heed (locked).
    """
    return exposures(history, readable)
