"""`check`: is this history linearizable?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from .counterexample import Counterexample, explain
from .models import Model
from .operations import Operation, Time, validated
from .search import BOUND, Configuration, search


class Verdict:
    """The answer of `check`. It is true when the history is linearizable, and printed it says why it is or is not."""

    def __init__(self, model: Model, order: tuple[Operation, ...], counterexample: Counterexample | None) -> None:
        self.model = model
        self.order = order
        """A witness: an order in which the operations could have happened one at a time. Pending operations that need
        not have taken effect, and failed ones, are not in it. Empty when there is none."""
        self.counterexample = counterexample
        """None when the history is linearizable."""

    def __bool__(self) -> bool:
        return self.counterexample is None

    def __str__(self) -> str:
        if self.counterexample is not None:
            return str(self.counterexample)
        said = (f"{operation.client}: {self.model.say(operation)}" for operation in self.order)
        return "\n".join(["Linearizable, in this order:", *said])

    def __repr__(self) -> str:
        if self.counterexample is None:
            return f"<Verdict: linearizable, {len(self.order)} operations>"
        return f"<Verdict: not linearizable, {self.counterexample.words.splitlines()[0]}>"


def check(operations: Iterable[Operation], model: Model, *, bound: int = BOUND) -> Verdict:
    """Whether clients' operations are linearizable: each as if it took effect at one instant between its call and its
    return (Herlihy & Wing 1990).

    Parts of the object that do not touch one another (`Model.key`) are checked apart, and a pending operation may
    have taken effect or not. Raises HistoryError for operations no clients could have made, TypeError for an
    input the model does not know, and Undecided when `bound` configurations of a part were not enough.

    >>> from patterns.engine.linearizable import Operation, Read, Register, Write, check
    >>> write = Operation(client="A", input=Write(1), called=0, returned=10)
    >>> read = Operation(client="B", input=Read(), output=None, called=20, returned=30)
    >>> print(check([write, read], Register()))
    Not linearizable: of 2 operations these 2 cannot be put in order.
    <BLANKLINE>
    A  ├─ write 1 ─┤
    B                 ├─ ✗ read → None ─┤
       0           10 20                30
    <BLANKLINE>
    B's read → None, from 20 to 30, cannot be placed:
    - after A's write 1 it would return 1, not None
    Over before it was called, so not to be placed after it: A's write 1 (at 10).
    """
    if not isinstance(model, Model):
        raise TypeError(f"model must be a Model, such as Register(); it is {model!r}")
    if bound < 1:
        raise ValueError(f"bound is {bound}; it must be at least one configuration")
    operations = validated(operations)
    parts: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        model.apply(model.start, operation.input)  # an input it does not know is refused before anything else
        if not operation.failed:
            parts.setdefault(model.key(operation.input), []).append(operation)
    points: list[tuple[Time, Operation]] = []
    for part in parts.values():
        outcome = search(part, model, [model.start], bound)
        if outcome.end is None:
            return Verdict(model, (), explain(part, model, outcome, len(operations)))
        points += _points(outcome.schedule.returns, outcome.end)
    points.sort(key=lambda point: point[0])  # stable, and so true to the order within each part
    return Verdict(model, tuple(operation for _, operation in points), None)


def _points(returns: list[Operation], end: Configuration) -> list[tuple[Time, Operation]]:
    """When each operation of an order can have taken effect: just before the return the search was waiting for.

    Such points of all the parts together make one order (the proof of locality, Herlihy & Wing 1990, Theorem 1).
    """
    points = []
    for step in end.path:
        assert step.before is not None
        assert step.operation is not None
        waiting_for = returns[step.before.at].returned
        assert waiting_for is not None
        points.append((waiting_for, step.operation))
    return points
