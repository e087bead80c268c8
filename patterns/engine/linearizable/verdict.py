"""`check`: is this history linearizable?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from patterns.engine.arguments import require_hashable, require_instance, require_whole

from .counterexample import Counterexample
from .models import Model
from .operations import Operation, Time, validated
from .search import BOUND, Configuration, Outcome, Undecided, search
from .shrink import shrink

FIRST_BOUNDS = (10_000, 100_000)
"""Each part is searched within these bounds first: an easy part may refute what a hard one leaves open."""


class Verdict:
    """The answer of `check`. It is true when the history is linearizable, and printed it says why it is or is not."""

    def __init__(self, model: Model, order: tuple[Operation, ...], counterexample: Counterexample | None) -> None:
        self.model = model
        self.order = order
        """A witness: an order in which the operations could have happened one at a time. Pending operations that need
        not have taken effect, and failed ones, are not in it. Empty without a witness."""
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

    Parts of the object that do not touch one another (`Model.key`) are checked apart, and a pending operation may have
    taken effect or not. Raises HistoryError for operations that no clients could have made, and TypeError for an input
    that the model does not know. Raises Undecided if no part is refuted and `bound` configurations of one were not
    enough.

    >>> from patterns.engine.linearizable import Operation, Read, Register, Write, check
    >>> write = Operation(client="A", input=Write(1), called=0, returned=10)
    >>> read = Operation(client="B", input=Read(), output=None, called=20, returned=30)
    >>> print(check([write, read], Register()))
    Not linearizable: of 2 operations these 2 cannot be put in order.
    <BLANKLINE>
    A  ├─ write 1 ─┤
    B                 ├─ ✗ read → nothing ─┤
       0           10 20                   30
    <BLANKLINE>
    B's read → nothing, from 20 to 30, cannot be placed:
    - after A's write 1 it would return 1 instead of nothing
    These had ended before it was called, so they stand before it: A's write 1 (at 10).
    """
    require_instance("model", model, Model)
    require_hashable("start", model.start)
    require_whole("bound", bound)
    operations = validated(operations)
    parts: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        model.apply(model.start, operation.input)  # an input it does not know is refused before anything else
        if not operation.failed:
            parts.setdefault(model.key(operation.input), []).append(operation)
    points: list[tuple[Time, Operation]] = []
    undecided = sorted(parts.values(), key=len)
    limits = [*(first for first in FIRST_BOUNDS if first < bound), bound]
    for limit in limits:
        hard, problem = [], None
        for part in undecided:
            try:
                outcome = search(part, model, [model.start], min(bound, max(limit, 10 * len(part))))
            except Undecided as too_hard:
                problem = problem or too_hard
                hard.append(part)
                found = _out_of_nowhere(part, model) if limit == limits[0] else None
                if found is None:
                    continue
                part, outcome = found
            if outcome.end is None:
                failing = shrink(part, model, outcome)
                return Verdict(model, (), Counterexample(model, failing, len(operations)))
            points += _points(outcome.schedule.returns, outcome.end)
        undecided = hard
    if problem is not None:
        raise problem
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


def _out_of_nowhere(part: list[Operation], model: Model) -> tuple[list[Operation], Outcome] | None:
    """An operation that saw none of the others and yet answers what it cannot answer alone: no order has a place for
    it. It read a value that nobody wrote."""
    answered = {(one.input, repr(one.output)): one for one in part if not one.pending}
    for one in answered.values():
        alone = search([one], model, [model.start])
        if alone.end is None and not any(other is not one and model.saw(one, other) for other in part):
            return [one], alone
    return None
