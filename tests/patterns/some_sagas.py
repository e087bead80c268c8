"""Sagas that are drawn: graphs and kinds of steps, refusals and failures."""

from __future__ import annotations

from typing import Any

from patterns.engine.randomness import draw, key_of
from patterns.saga import PIVOT, RETRIABLE, Add, Move, saga, step
from patterns.saga.definition import Saga, Step


def some_saga(seed: int) -> Saga:
    """A saga of five compensatable steps at three services, written in any order; which waits for which is drawn."""
    order = sorted("vwxyz", key=lambda name: key_of(seed, "place", name))
    steps = [
        step(
            name,
            at=f"S{draw(1, 3, seed, 'at', name)}",
            do=Move("left", "right", 1),
            undo=Move("right", "left", 1),
            after=[other for other in "vwxyz" if other < name and draw(0, 2, seed, other, name) == 0],
        )
        for name in order
    ]
    return saga(f"saga{seed}", *steps)


def saga_of_all_kinds(seed: int) -> Saga:
    """Compensatable steps, after them all the pivot, retriable ones after it; which waits for which is drawn."""

    def some(names: str, after: list[str], **rest: Any) -> list[Step]:
        return [
            step(
                name,
                at=f"S{draw(1, 3, seed, 'at', name)}",
                after=after + [other for other in names if other < name and draw(0, 2, seed, other, name) == 0],
                **rest,
            )
            for name in names
        ]

    undone, forward = "uvw"[: draw(0, 3, seed, "compensatable")], "yz"[: draw(0, 2, seed, "retriable")]
    steps = some(undone, [], do=Move("left", "right", 1), undo=Move("right", "left", 1))
    steps += some("x", list(undone), do=Add("n", 1), kind=PIVOT)
    return saga(f"saga{seed}", *steps, *some(forward, ["x"], do=Add("n", 1), kind=RETRIABLE))


def faults_of(seed: int, definition: Saga) -> dict[str, Any]:
    """Steps that are refused, and steps and compensations that fail once, for a while, or for ever; all drawn."""
    may_refuse = [each.name for each in definition.steps if each.kind != RETRIABLE]
    may_fail = [*definition.names, *(f"undo {each.name}" for each in definition.steps if each.undo)]
    return {
        "refuse": [name for name in may_refuse if draw(0, 4, seed, "refuse", name) == 0],
        "fails": {name: draw(1, 7, seed, "fails", name) for name in may_fail if draw(0, 3, seed, name) == 0},
        "alarm": draw(0, 4, seed, "alarm"),
        "tries": draw(1, 4, seed, "tries"),
    }
