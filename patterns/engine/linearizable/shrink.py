"""From a history for which there is no order to the few operations that suffice."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from .models import Model
from .operations import Operation, Time
from .search import Outcome, Undecided, search

CROWDED = 8
"""A counterexample of more operations than this is hard to read; then the past is summed up."""
MANY = 64
"""Operations are looked through with all that they saw only while they are no more than this."""
EFFORT = 100_000
"""Configurations looked at, at most, to leave operations out; what is left then is left."""
TRIAL = 5_000
"""The same for a single try."""


class Failing(NamedTuple):
    """Operations without an order."""

    operations: list[Operation]
    """In the order of their calls."""
    outcome: Outcome
    """Of the search that found no order."""
    starts: Collection[Hashable]
    """The states it started from."""
    since: Time | None = None
    """None; or the time up to which everything before is summed up in `starts`."""


def shrink(history: Sequence[Operation], model: Model, outcome: Outcome) -> Failing:
    """The smallest part found of a history (in the order of calls) for which a search from the start found no order.

    Only operations that cannot explain the rest are taken away: later ones, a past whose possible states are all known,
    and those that no remaining operation has seen.
    """
    shrinker = _Shrinker(model, *_until_it_fails(history, model, outcome))
    found = shrinker.with_all_they_saw()
    if found is None or len(found.operations) > CROWDED:
        summed = shrinker.with_the_past_summed_up()
        if summed is not None and (found is None or len(summed.operations) < len(found.operations)):
            found = summed
    return found or Failing(list(shrinker.history), shrinker.outcome, [model.start])


def _until_it_fails(history: Sequence[Operation], model: Model, outcome: Outcome) -> tuple[list[Operation], Outcome]:
    """The shortest beginning found that fails. An operation that had not returned by then is pending in it.

    The return that could not be passed may not be enough: the search knew the answers of all who were under way.
    """
    returns, end, more = outcome.schedule.returns, outcome.furthest[0].at, 1
    while end < len(returns) - 1:
        until = returns[end].returned
        over = set(map(id, returns[: end + 1]))
        beginning = [
            one if id(one) in over else replace(one, returned=None, output=None)
            for one in history
            if until is None or one.called <= until
        ]
        try:
            found = search(beginning, model, [model.start])
        except Undecided:
            break
        if found.end is None:
            return beginning, found
        end, more = end + more, 2 * more
    return list(history), outcome


class _Shrinker:
    def __init__(self, model: Model, history: Sequence[Operation], outcome: Outcome) -> None:
        self.model = model
        self.history = history
        self.outcome = outcome
        self.effort = EFFORT

    def with_all_they_saw(self) -> Failing | None:
        """The last operations before things went wrong and all that they saw: more and more of them until they fail."""
        for cut in self.cuts():
            since = self.outcome.schedule.returns[cut].returned
            new = [one for one in self.history if one.returned is None or since is None or one.returned >= since]
            taken = set(map(id, new))
            while new and len(taken) <= MANY:
                others = [one for one in self.history if id(one) not in taken]
                new = [one for one in others if any(self.may_have_seen(other, one) for other in new)]
                taken.update(map(id, new))
            if len(taken) > MANY:
                return None
            failing = self.tried([one for one in self.history if id(one) in taken], [self.model.start])
            if failing is not None:
                return self.minimal(failing)
        return None

    def with_the_past_summed_up(self) -> Failing | None:
        """The last operations before things went wrong, from any state that those before can have left.

        An operation under way when the past ends may be part of the past, and so is pending.
        """
        for cut in self.cuts():
            returns = self.outcome.schedule.returns
            over = set(map(id, returns[:cut]))
            since = returns[cut - 1].returned if cut else None
            part = [
                one if since is None or one.called > since else replace(one, returned=None, output=None)
                for one in self.history
                if id(one) not in over
            ]
            failing = self.tried(part, self.outcome.states[cut])
            if failing is not None:
                return self.minimal(failing._replace(since=since))
        return None

    def cuts(self) -> Iterator[int]:
        """Returns to look back to from where things went wrong: farther and farther, in the end to the first."""
        at, back = self.outcome.furthest[0].at, 1
        if at:
            yield at
        while back < at:
            yield at - back
            back *= 2
        yield 0

    def minimal(self, failing: Failing) -> Failing:
        """Leave out what can be: large pieces first, in the end single operations until none can go (delta
        debugging, Zeller & Hildebrandt 2002)."""
        seen_by = {
            id(one): [id(other) for other in failing.operations if self.may_have_seen(other, one)]
            for one in failing.operations
        }
        size = len(failing.operations) // 2
        while size and self.effort > 0:
            first, before = 0, len(failing.operations)
            while first < len(failing.operations):
                gone = _and_whoever_saw(failing.operations[first : first + size], seen_by)
                kept = [one for one in failing.operations if id(one) not in gone]
                smaller = self.tried(kept, failing.starts)
                if smaller is None:
                    first += size
                else:
                    failing = smaller._replace(since=failing.since)
            if size > 1 or len(failing.operations) == before:
                size //= 2
        return failing

    def may_have_seen(self, one: Operation, other: Operation) -> bool:
        return not one.precedes(other) and self.model.saw(one, other)

    def tried(self, operations: list[Operation], starts: Collection[Hashable]) -> Failing | None:
        """These operations, if they fail; None also when that is too hard to see."""
        bound = min(TRIAL, self.effort)
        if bound <= 0 or not operations:
            return None
        try:
            outcome = search(operations, self.model, starts, bound)
        except Undecided:
            self.effort -= bound
            return None
        self.effort -= outcome.looked_at + len(operations)
        return None if outcome.end else Failing(operations, outcome, starts)


def _and_whoever_saw(gone: list[Operation], seen_by: dict[int, list[int]]) -> set[int]:
    """The operations, whoever saw one of them, whoever saw one of those, and so on: the `id` of each."""
    found = set(map(id, gone))
    new = list(found)
    while new:
        more = set(seen_by[new.pop()]) - found
        found |= more
        new.extend(more)
    return found
