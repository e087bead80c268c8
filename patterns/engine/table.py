"""A small mapping as a value: what a process keeps about each of its peers, clients, transactions or keys."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from operator import itemgetter
from typing import Generic, TypeVar

import msgspec

V = TypeVar("V")

FEW = 8
"""In so many rows a name is found sooner by a look at each."""


class Table(msgspec.Struct, Generic[V], frozen=True, gc=False):
    """Name -> value. Nothing changes it: `put` gives another table.

    >>> Table().put("S2", 7)["S2"]
    7
    """

    rows: tuple[tuple[str, V], ...] = ()
    """Sorted by name, so that equal tables are equal values."""

    @classmethod
    def filled(cls, names: tuple[str, ...], value: V) -> Table[V]:
        """Every name with the same value."""
        return Table(tuple((name, value) for name in sorted(names)))

    def put(self, name: str, value: V) -> Table[V]:
        """This table with `name` set to `value`."""
        rows, at = self.rows, self._place(name)
        after = at + 1 if at < len(rows) and rows[at][0] == name else at
        return Table(rows[:at] + ((name, value),) + rows[after:])  # noqa: RUF005 - of many rows this is the fastest

    def get(self, name: str) -> V | None:
        """The value of `name`, None where it has none."""
        rows = self.rows
        if len(rows) > FEW:
            at = self._place(name)
            return rows[at][1] if at < len(rows) and rows[at][0] == name else None
        for key, value in rows:
            if key == name:
                return value
        return None

    def __getitem__(self, name: str) -> V:
        """The value of `name`. Raises KeyError where it has none."""
        if len(self.rows) > FEW and (found := self.get(name)) is not None:
            return found
        for key, value in self.rows:
            if key == name:
                return value
        raise KeyError(name)

    def _place(self, name: str) -> int:
        return bisect_left(self.rows, name, key=_name)

    def without(self, name: str) -> Table[V]:
        """This table without `name`; the same table where it has none."""
        rest = tuple([row for row in self.rows if row[0] != name])
        return self if len(rest) == len(self.rows) else Table(rest)

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple([key for key, _ in self.rows])

    def values(self) -> tuple[V, ...]:
        return tuple([value for _, value in self.rows])

    def __iter__(self) -> Iterator[tuple[str, V]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


_name = itemgetter(0)
