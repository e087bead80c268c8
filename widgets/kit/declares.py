"""The picture of a process without a view of its own: from its declaration, and each value legible."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any, get_args, get_origin

from msgspec.structs import fields, replace

from widgets.scene import Box

from .boxes import Row, cut
from .storage import HIGH, WIDE, high, lines_of, side_by_side
from .view import ProcessView

NARROW = 100
"""Pixels of a column in which a name and several values have no room side by side."""


class DeclaredView(ProcessView):
    """In narrow columns, a field of several values has them on a line of their own, below its name.

    This follows from the types of the fields, so that nothing moves from one step to the next.
    """

    @cached_property
    def below(self) -> frozenset[str]:
        """The fields, in words, whose values stand below their names."""
        processes, rows = self.world.processes, self.rows_of(frozenset())
        side = side_by_side(len(processes), rows)
        kinds: set[Any] = {type(process) for process in processes}
        several = frozenset[str]().union(*map(several_of, kinds))
        more = self.rows_of(several)
        fits = high(more) <= HIGH and (len(processes) <= side or lines_of(more) == lines_of(rows))
        return several if fits and WIDE / side < NARROW else frozenset()

    def rows_of(self, below: frozenset[str]) -> tuple[int, int]:
        """How many rows a disk has and a memory, if these fields have two."""

        def most(regions: Iterable[Iterable[str]]) -> int:
            return max(1, *(sum(1 + (name in below) for name in names) for names in regions))

        processes = self.world.processes
        return most(map(self.on_disk, processes)), most(map(self.in_memory, processes))

    @property
    def rows(self) -> tuple[int, int]:
        return self.rows_of(self.below)

    def field(self, process: Any, empty: Box, name: str, value: str) -> list[Row]:
        if name not in self.below:
            return super().field(process, empty, name, value)
        room = self.room(process)
        above = replace(empty, id=f"{empty.id}:name", text=cut(name, room))
        return [above, replace(empty, text=f"\t{cut(value, room)}")]


@lru_cache(maxsize=64)
def several_of(kind: type) -> frozenset[str]:
    """The fields, in words, whose type says that they hold several values: tuples, sets, tables."""
    try:
        every = fields(kind)
    except NameError:  # an annotation that is there for a type checker only
        return frozenset()
    return frozenset(each.name.replace("_", " ") for each in every if any(map(_several, _parts(each.type))))


def _parts(kind: Any) -> tuple[Any, ...]:
    """The type itself, and the types that its brackets name: the members of a union, the items of a tuple."""
    return (get_origin(kind) or kind, *(get_origin(each) or each for each in get_args(kind)))


def _several(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Iterable) and not issubclass(kind, str)
