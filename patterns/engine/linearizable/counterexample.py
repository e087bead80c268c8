"""Why a history is not linearizable: the few operations that suffice, in words and as a small diagram."""

from __future__ import annotations

from typing import Any

from patterns.engine.sentences import wrapped

from .diagram import draw, shown
from .models import Model, answer_in_words
from .operations import Operation
from .search import Outcome
from .shrink import CROWDED, Failing


class Counterexample:
    """A small part of a history that has no order.

    The operations left out cannot help. They came later, or no operation in this part saw them (`Model.saw`), or the
    states that they can have left sum them up. An operation still under way when things went wrong is shown without its
    answer. Within a bounded effort no further operation can be left out: without it, the rest could be put in order, or
    an operation in this part saw it.
    """

    def __init__(self, model: Model, failing: Failing, of: int) -> None:
        self.model = model
        self.operations = tuple(failing.operations)
        """In the order of their calls."""
        self.of = of
        """How many operations the whole history has."""
        self.since = failing.since
        """None; or the time up to which everything was summed up in `starts`."""
        self.starts = tuple(sorted(failing.starts, key=repr))
        """The states it may start from: the model's own, or what the past can have left."""
        self.stuck = failing.outcome.stuck
        """The operation that cannot be placed."""
        self.attempts = _attempts(failing.outcome, model)
        """For each answer it could have had, the shortest possible order of others before it: (order, answer)."""

    @property
    def words(self) -> str:
        """Which operation cannot be placed and why, a sentence a line."""
        stuck, say = self.stuck, self._say
        assert stuck.returned is not None
        lines = [f"{say(stuck)}, from {shown(stuck.called)} to {shown(stuck.returned)}, cannot be placed:"]
        if self.since is not None:
            held = " or ".join(
                str(sorted(state, key=repr) if isinstance(state, frozenset) else state) for state in self.starts
            )
            lines.insert(0, f"Whatever the order of all that came before {shown(self.since)}, it left {held}.")
        got = answer_in_words(stuck.output)
        for order, answer in self.attempts:
            place = f"after {_last([say(one) for one in order])}" if order else "at the start"
            lines.append(f"- {place} it would return {answer_in_words(answer)} instead of {got}")
        over = sorted((one.returned, say(one)) for one in self.operations if one.returned and one.precedes(stuck))
        if over:
            listed = _last([f"{said} (at {shown(time)})" for time, said in over])
            lines.append(f"These had ended before it was called, so they stand before it: {listed}.")
        return "\n".join(lines)

    @property
    def diagram(self) -> str:
        """The operations as intervals, one line for each client; ✗ marks the operation that has no place. Of many, the
        last."""
        return draw(self.operations[-2 * CROWDED :], self.model.say, self.stuck)

    def __str__(self) -> str:
        few = len(self.operations)
        fails = "this one cannot be put" if few == 1 else f"these {few} cannot be put"
        words = "\n".join(wrapped(line, "  ") for line in self.words.splitlines())
        return f"Not linearizable: of {self.of:,} operations {fails} in order.\n\n{self.diagram}\n\n{words}"

    def _say(self, operation: Operation) -> str:
        return f"{operation.client}'s {self.model.say(operation)}"


def _last(listed: list[str]) -> str:
    """A list in words; of a long one the last that matter most."""
    left_out = len(listed) - CROWDED
    return ", ".join([f"{left_out} more", *listed[left_out:]] if left_out > 0 else listed)


def _attempts(outcome: Outcome, model: Model) -> list[tuple[tuple[Operation, ...], Any]]:
    orders = sorted(((place.order, place.state) for place in outcome.furthest), key=lambda found: len(found[0]))
    shortest: dict[str, tuple[tuple[Operation, ...], Any]] = {}
    for order, state in orders:
        answer = model.apply(state, outcome.stuck.input)[1]
        shortest.setdefault(repr(answer), (tuple(order), answer))
    return list(shortest.values())
