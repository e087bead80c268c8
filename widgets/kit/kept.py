"""Disks and memories: one column for each process, its disk above its memory.

A box keeps its id: a record that waits in memory for the next write moves up to the disk with it. In the step of a
crash, everything in the memory is struck.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from widgets.scene import Box, Line, Mark, Panel, Tone

from .boxes import PITCH, Row, boxes_of, fitted, small, stack

TOP, GAP = 48, 2
"""Where the disks begin; pixels between two columns."""
PAD, BETWEEN = 8, 28
"""Pixels that a region has beside its rows; pixels between the disks and the memories."""
HIGH = 372
"""The height within which columns stand below one another."""
LEAST, WITH_KEY = 180, 340
"""The width of the panel, if the columns need no more."""
MARGIN, APART = 6, 14
"""Pixels below the columns; pixels between two lines of columns."""

Key = Sequence[tuple[float, Tone, str]]
"""Where a sample box stands, how it looks, and what that means."""


class Column(NamedTuple):
    """One process."""

    who: str
    heading: Box
    width: float
    disk: list[Row]
    memory: list[Row]
    down: bool
    wiped: bool
    """It crashed in this step: `memory` is what it had."""

    @property
    def disk_in_words(self) -> str:
        return _in_words(self.disk)

    @property
    def memory_in_words(self) -> str:
        return "nothing, it has crashed" if self.down else _in_words(self.memory)

    def draw(self, x: float, y: float, disk_high: float, memory_high: float) -> list[Mark]:
        """The heading, the disk and the memory, from `y` downwards."""
        who, width, top = self.who, self.width - GAP, y + TOP
        low = top + disk_high + BETWEEN
        of, rows = f"process:{who}", int((memory_high - PAD) // PITCH)
        disk = Box(id=f"disk:{who}", of=of, x=x, y=top, w=width, h=disk_high, role="soft")
        memory = replace(disk, id=f"memory:{who}", y=low, h=memory_high, tone="dashed")
        inside = stack(fitted(self.memory, rows, f"below:{who}"), x + 2, low + 4, width - 4, of=of)
        if self.wiped:
            struck = [replace(mark, role="down", tone="dashed", title=f"wiped: {mark.title}") for mark in inside]
            inside = [*struck, *self._cross(x, low, width, memory_high)]
        elif self.down:
            inside = [small(f"gone:{who}", x + width / 2, low + 24, "✕ empty", "down", "middle")]
        return [
            replace(self.heading, of=of, x=x, y=y + 2, w=width, h=22),
            replace(disk, title=f"on {who}'s disk: {self.disk_in_words}"),
            *stack(self.disk, x + 2, top + 4, width - 4, of=of),
            replace(memory, role="down" if self.down else "soft", title=f"in {who}'s memory: {self.memory_in_words}"),
            *inside,
        ]

    def _cross(self, x: float, y: float, width: float, high: float) -> list[Mark]:
        right, low, title = x + width, y + high, f"the crash wiped {self.who}'s memory"
        return [
            Line(id=f"wiped:{self.who}:1", x=x, y=y, x2=right, y2=low, role="bad", wide=2, title=title),
            Line(id=f"wiped:{self.who}:2", x=x, y=low, x2=right, y2=y, role="bad", wide=2, title=title),
        ]


def _in_words(rows: Sequence[Row]) -> str:
    return ", ".join(one.text for one in boxes_of(rows)) or "nothing"


def lines_of(rows: tuple[int, int]) -> int:
    """How many lines of columns have room below one another, at least one."""
    high = TOP + BETWEEN + sum(rows) * PITCH + 2 * PAD
    return max(1, int((HIGH + APART) // (high + APART)))


def columns(shown: Sequence[Column], rows: tuple[int, int], most: int, key: Key = ()) -> Panel:
    """The columns, `most` side by side, with room for so many rows on disk and in memory; below them, how boxes look.

    Further columns stand below the first ones if there is room for them.
    """
    disk, memory = (count * PITCH + PAD for count in rows)
    high = TOP + disk + BETWEEN + memory
    room = most * lines_of(rows)
    marks: list[Mark] = []
    x = y = right = 0.0
    for at, column in enumerate(shown[:room]):
        line, place = divmod(at, most)
        if place == 0:
            x, y = 4.0, line * (high + APART)
            marks += _headings(line, y + TOP - 7, y + TOP + disk + BETWEEN - 7)
        marks += column.draw(x, y, disk, memory)
        x += column.width
        right = max(right, x)
    if (more := len(shown) - room) > 0:
        marks.append(small("more", right - 4, y + TOP - 7, f"and {more} more", anchor="end"))
    bottom = y + high + (30 if key else MARGIN)
    for left, tone, text in key:
        marks.append(Box(id=f"key:{tone}", x=left, y=bottom - 20, w=20, h=12, tone=tone, role="c1"))
        marks.append(small(f"keytext:{tone}", left + 25, bottom - 10, text))
    label = "; ".join(
        f"{each.who} has on disk: {each.disk_in_words}; in memory: {each.memory_in_words}" for each in shown[:room]
    )
    return Panel(
        id="kept", width=max(right, WITH_KEY if key else LEAST), height=bottom, marks=tuple(marks), label=label
    )


def _headings(line: int, disk: float, memory: float) -> list[Mark]:
    nth = f" {line}" if line else ""
    return [
        small(f"disk{nth}", 6, disk, "DISK: survives a crash", "ink", strong=True),
        small(f"memory{nth}", 6, memory, "MEMORY: a crash wipes it", "ink", strong=True),
    ]
