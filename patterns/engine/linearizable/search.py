"""Is a concurrent history linearizable? Wing & Gong's search (1993) with Lowe's memory of where it has been (2017)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, NamedTuple

from .models import Model, answers
from .operations import Operation, Time

BOUND = 1_000_000
"""Configurations looked at before a search gives up; checking is NP-complete (Gibbons & Korach 1997, section 3)."""


class Undecided(RuntimeError):
    """The search came to its bound before it had an answer."""


class Configuration(NamedTuple):
    """A place in the search: what has been ordered so far, and the state it leads to."""

    at: int
    """How many returns are accounted for."""
    taken: int
    """One bit for each operation under way that has been ordered, in the slots of a Schedule."""
    state: Any
    operation: Operation | None
    """The one ordered last."""
    before: Configuration | None

    @property
    def path(self) -> list[Configuration]:
        """The configurations that led here, the start left out: one for each operation ordered."""
        found = []
        here = self
        while here.before is not None:
            found.append(here)
            here = here.before
        found.reverse()
        return found

    @property
    def order(self) -> list[Operation]:
        return [step.operation for step in self.path if step.operation is not None]


class Candidate(NamedTuple):
    """An operation that may be ordered next."""

    bit: int
    first: int
    """The bit that must be ordered before it, or 0: of equal pending operations one is as good as another."""
    read_only: bool
    operation: Operation


class Schedule(NamedTuple):
    """Which operations may be ordered before which return.

    An operation is ordered at the latest just before some return, its own at the latest (Lowe 2017, 4: just in
    time), so only those under way then are candidates. Each has a slot, one bit, while it is under way.
    """

    returns: list[Operation]
    """The operations that returned, in the order of their returns."""
    bits: list[int]
    """The bit of each."""
    candidates: list[list[Candidate]]
    """For each return the operations under way just before it, the soonest to return first."""
    optional: int
    """The bits of pending operations, which need not be ordered at all."""

    @classmethod
    def of(cls, operations: Sequence[Operation], model: Model) -> Schedule:
        """The schedule of operations given in the order of their calls."""
        schedule = cls(sorted((o for o in operations if o.returned is not None), key=_returned), [], [], 0)
        optional, slots, called = 0, 0, 0
        free: list[int] = []
        under_way: list[Candidate] = []
        alike: dict[Hashable, int] = {}
        for ending in schedule.returns:
            while called < len(operations) and operations[called].called <= _returned(ending):
                operation = operations[called]
                called += 1
                reused = bool(free) and not operation.pending  # a pending operation's slot is its own for ever
                bit = free.pop() if reused else 1 << slots
                slots += not reused
                first = 0
                if operation.pending:
                    optional |= bit
                    first = alike.get(operation.input, 0)
                    alike[operation.input] = bit
                under_way.append(Candidate(bit, first, model.read_only(operation), operation))
            under_way.sort(key=lambda candidate: _returned(candidate.operation))
            schedule.candidates.append(under_way)
            bit = next(one.bit for one in under_way if one.operation is ending)
            schedule.bits.append(bit)
            free.append(bit)
            under_way = [one for one in under_way if one.bit != bit]
        return schedule._replace(optional=optional)


def _returned(operation: Operation) -> Time:
    return float("inf") if operation.returned is None else operation.returned


class Outcome(NamedTuple):
    """What a search found: `end`, where an order was found, or how far it came."""

    schedule: Schedule
    end: Configuration | None
    furthest: list[Configuration]
    """Every configuration at the return that none could pass; the start at least."""
    states: dict[int, set[Any]]
    """The states in which it had accounted for so many returns, and no more yet."""
    looked_at: int
    """Configurations."""

    @property
    def stuck(self) -> Operation:
        """The operation that could not be ordered by its return, whatever the order of the others."""
        return self.schedule.returns[self.furthest[0].at]


def search(operations: Sequence[Operation], model: Model, starts: Collection[Hashable], bound: int = BOUND) -> Outcome:
    """Look for an order of operations (given in the order of their calls) from one of the starting states.

    Raises Undecided after `bound` configurations.
    """
    schedule = Schedule.of(operations, model)
    returns, bits, candidates, optional = schedule
    last = len(returns)
    apply = model.apply
    # Where the search has been: at a return, with these ordered, in this state; and which pending operations had
    # been spent to get there. To get there again with those spent, and perhaps more, opens nothing new.
    seen: dict[tuple[int, int, Any], list[int]] = {}
    now: list[Configuration] = [Configuration(0, 0, state, None, None) for state in starts]
    later: list[Configuration] = []  # with one pending operation more: only looked at when nothing else is left
    furthest = list(now)
    states: dict[int, set[Any]] = {0: set(starts)}
    looked_at = 0
    while now or later:
        if not now:
            now, later = later, now
        here = now.pop()
        at, taken, state = here[:3]
        if at == last:
            return Outcome(schedule, here, furthest, states, looked_at)
        looked_at += 1
        if looked_at > bound:
            raise Undecided(
                f"no answer after {bound:,} configurations of {len(operations)} operations, {optional.bit_count()} "
                f"of them pending; check a shorter history, or give a larger bound"
            )
        for bit, operation, after in _next(candidates[at], taken, state, apply):
            then, ordered = at, taken | bit
            while then < last and ordered & bits[then]:
                ordered ^= bits[then]
                then += 1
            been = seen.setdefault((then, ordered & ~optional, after), [])
            spent = ordered & optional
            if any(before & spent == before for before in been):
                continue
            been.append(spent)
            found = Configuration(then, ordered, after, operation, here)
            (later if bit & optional else now).append(found)
            for passed in range(at + 1, then + 1):
                states.setdefault(passed, set()).add(after)
            if then > furthest[0].at:
                furthest = [found]
            elif then == furthest[0].at:
                furthest.append(found)
    return Outcome(schedule, None, furthest, states, looked_at)


def _next(
    candidates: list[Candidate], taken: int, state: Any, apply: Callable[[Any, Any], tuple[Any, Any]]
) -> list[tuple[int, Operation, Any]]:
    """The operations that can be ordered next: bit, operation, state after it. The most promising comes last."""
    found = []
    for bit, first, read_only, operation in reversed(candidates):
        if taken & bit or taken & first != first:
            continue
        after, output = apply(state, operation.input)
        if operation.returned is None:
            if after != state:  # what changes nothing need not be ordered
                found.append((bit, operation, after))
        elif output == operation.output or not answers(operation.input):
            if read_only:
                # It fits here and is in nobody's way: where there is an order from here, there is one with it first.
                return [(bit, operation, after)]
            found.append((bit, operation, after))
    return found
