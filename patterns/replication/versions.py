"""Versions without an order: vectors, siblings, and values with a dot each.

Version vectors: Parker et al. 1983; Dynamo 2007, 4.4. Dots: Preguiça et al. 2012, sections 4 and 5. A vector counts,
for each replica, the writes that it coordinated. A dot is one of these writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from patterns.engine.table import Table
from patterns.engine.values import Value

Vector = Table[int]
# A replica, and the number of a write there.
Dot = tuple[str, int]
Order = Literal["before", "after", "same", "concurrent"]


def compare(a: Mapping[str, int], b: Mapping[str, int]) -> Order:
    """How version `a` stands to `b`. A replica that a vector does not name counts 0 (Dynamo 4.4).

    >>> compare({"x": 2}, {"x": 2, "y": 1}), compare({"x": 2, "y": 1}, {"x": 2, "z": 1})
    ('before', 'concurrent')
    """
    names = {*a, *b}
    less = any(a.get(name, 0) < b.get(name, 0) for name in names)
    more = any(a.get(name, 0) > b.get(name, 0) for name in names)
    return "concurrent" if less and more else "before" if less else "after" if more else "same"


def joined(a: Vector, b: Vector) -> Vector:
    """The least vector that has seen all that either has seen: the higher count of each replica."""
    counts = dict(a)
    for name, count in b:
        counts[name] = max(count, counts.get(name, 0))
    return Table(tuple(sorted(counts.items())))


def has_seen(vector: Vector, dot: Dot) -> bool:
    """Whether the write is one of those that the vector counts."""
    name, number = dot
    return (vector.get(name) or 0) >= number


def next_dot(vector: Vector, name: str) -> Dot:
    """The next write at this replica."""
    return name, (vector.get(name) or 0) + 1


class Plain(Value):
    """One vector for all siblings together, as in Riak before version 2: it cannot tell which of them a client saw."""

    seen: Vector = Table()
    values: tuple[str, ...] = ()

    def written(self, name: str, value: str, context: Vector) -> Plain:
        dot = next_dot(self.seen, name)
        knows_all = compare(dict(context), dict(self.seen)) in ("same", "after")
        return Plain(self.seen.put(*dot), (value,) if knows_all else tuple(sorted({*self.values, value})))

    def merged(self, other: Plain) -> Plain:
        order = compare(dict(self.seen), dict(other.seen))
        if order == "concurrent":
            return Plain(joined(self.seen, other.seen), tuple(sorted({*self.values, *other.values})))
        return other if order == "before" else self

    @property
    def shown(self) -> tuple[str, ...]:
        return self.values


class Dotted(Value):
    """Values with a dot each, and the vector of all writes seen: what is seen and not here was replaced or removed.

    The dotted version vector set of Preguiça et al., and the optimized observed-remove set of Bieniusa et al. 2012.
    """

    seen: Vector = Table()
    entries: frozenset[tuple[Dot, str]] = frozenset()

    def written(self, name: str, value: str, context: Vector) -> Dotted:
        """A write replaces exactly the values that its client had seen."""
        dot = next_dot(self.seen, name)
        unseen = frozenset(entry for entry in self.entries if not has_seen(context, entry[0]))
        return Dotted(self.seen.put(*dot), unseen | {(dot, value)})

    def added(self, name: str, item: str) -> Dotted:
        """An item with a new dot replaces its older dots."""
        dot = next_dot(self.seen, name)
        others = frozenset(entry for entry in self.entries if entry[1] != item)
        return Dotted(self.seen.put(*dot), others | {(dot, item)})

    def removed(self, item: str) -> Dotted:
        """Takes out the dots of the item that are here. The vector keeps them as seen."""
        return Dotted(self.seen, frozenset(entry for entry in self.entries if entry[1] != item))

    def merged(self, other: Dotted) -> Dotted:
        """An entry that only one side has stays if the other side has not seen its dot."""
        both = self.entries & other.entries
        mine = {entry for entry in self.entries if not has_seen(other.seen, entry[0])}
        theirs = {entry for entry in other.entries if not has_seen(self.seen, entry[0])}
        return Dotted(joined(self.seen, other.seen), both | mine | theirs)

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(sorted({value for _, value in self.entries}))


class Tombstones(Value):
    """The observed-remove set with tombstones (Shapiro et al. 2011, specification 15): simple, and it only grows."""

    seen: Vector = Table()
    added_dots: frozenset[tuple[Dot, str]] = frozenset()
    removed_dots: frozenset[tuple[Dot, str]] = frozenset()

    def added(self, name: str, item: str) -> Tombstones:
        dot = next_dot(self.seen, name)
        return Tombstones(self.seen.put(*dot), self.added_dots | {(dot, item)}, self.removed_dots)

    def removed(self, item: str) -> Tombstones:
        return replace(self, removed_dots=self.removed_dots | {entry for entry in self.added_dots if entry[1] == item})

    def merged(self, other: Tombstones) -> Tombstones:
        added, removed = self.added_dots | other.added_dots, self.removed_dots | other.removed_dots
        return Tombstones(joined(self.seen, other.seen), added, removed)

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(sorted({item for _, item in self.added_dots - self.removed_dots}))


class Counter(Value):
    """A grow-only counter: a count for each replica (Shapiro et al. 2011, specification 6)."""

    seen: Vector = Table()

    def counted(self, name: str) -> Counter:
        return Counter(self.seen.put(*next_dot(self.seen, name)))

    def merged(self, other: Counter) -> Counter:
        """The higher count of each replica: merging twice adds nothing."""
        return Counter(joined(self.seen, other.seen))

    @property
    def shown(self) -> tuple[str, ...]:
        return (str(sum(self.seen.values())),)


class Stamped(Value, order=True):
    """Last write wins: the value with the highest stamp; equal stamps by the replica's name, the same everywhere."""

    time: int = 0
    by: str = ""
    value: str | None = None

    def merged(self, other: Stamped) -> Stamped:
        return max(self, other)

    @property
    def seen(self) -> Vector:
        return Table()

    @property
    def shown(self) -> tuple[str, ...]:
        return () if self.value is None else (self.value,)


Data = Plain | Dotted | Tombstones | Counter | Stamped
# Parameter `data` -> an empty one.
KINDS: Mapping[str, Data] = {
    "last write": Stamped(),
    "siblings": Plain(),
    "dotted siblings": Dotted(),
    "counter": Counter(),
    "set": Dotted(),
    "set with tombstones": Tombstones(),
}
