"""Disks and memories: one column for each process, its memory above its disk.

A box keeps its id: a record that waits in memory for the next write moves down to the disk with it. A crash empties
the memory; the disk stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from widgets.scene import Box, Mark, Panel, Tone

from .boxes import PITCH, Row, boxes_of, fitted, small, stack

TOP, GAP = 44, 8
"""Where the memories begin, below a column's name and the word `memory`; pixels between two columns."""
PAD, BETWEEN = 4, 22
"""Pixels that a region has beside its rows; pixels between the memories and the disks, for a word."""
HIGH = 344
"""The height within which columns stand below one another."""
WIDE = 270
"""The width of the panel."""
MARGIN, APART = 4, 6
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

    @property
    def disk_in_words(self) -> str:
        return _in_words(self.disk)

    @property
    def memory_in_words(self) -> str:
        return "nothing, it has crashed" if self.down else _in_words(self.memory)

    def draw(self, x: float, y: float, memory_high: float, disk_high: float) -> list[Mark]:
        """The memory and below it the disk, from `y` downwards."""
        who, width, low = self.who, self.width - GAP, y + memory_high + BETWEEN
        of, rows = f"process:{who}", int((memory_high - PAD) // PITCH)
        memory = Box(id=f"memory:{who}", of=of, x=x, y=y, w=width, h=memory_high, role="soft", tone="dashed")
        disk = Box(id=f"disk:{who}", of=of, x=x, y=low, w=width, h=disk_high, role="soft", tone="soft")
        if self.down:
            memory = replace(memory, role="down", tone="solid")
            inside: list[Mark] = [
                small(f"gone:{who}", x + width / 2, y + memory_high / 2 + 4, "empty", anchor="middle")
            ]
        else:
            inside = stack(fitted(self.memory, rows, f"below:{who}"), x + 2, y + PAD / 2, width - 4, of=of)
        return [
            replace(memory, title=f"in {who}'s memory: {self.memory_in_words}"),
            *inside,
            replace(disk, title=f"on {who}'s disk: {self.disk_in_words}"),
            *stack(self.disk, x + 2, low + PAD / 2, width - 4, of=of),
        ]

    def titled(self, x: float, y: float) -> Mark:
        """The name above the column."""
        return replace(self.heading, of=f"process:{self.who}", x=x, y=y + 2, w=self.width - GAP, h=20)


def _in_words(rows: Sequence[Row]) -> str:
    return ", ".join(one.text.replace("\t", " ") for one in boxes_of(rows)) or "nothing"


def regions(rows: tuple[int, int]) -> tuple[float, float]:
    """How high a disk is and a memory, with room for so many rows."""
    disk, memory = rows
    return disk * PITCH + PAD, memory * PITCH + PAD


def lines_of(rows: tuple[int, int]) -> int:
    """How many lines of columns have room below one another, at least one."""
    return max(1, int((HIGH + APART) // (high(rows) + APART)))


def high(rows: tuple[int, int]) -> float:
    """How high a column is, with room for so many rows."""
    return TOP + BETWEEN + sum(regions(rows))


def side_by_side(many: int, rows: tuple[int, int]) -> int:
    """How many of so many columns stand side by side: up to three, in two lines if there is room."""
    return min(3, -(-many // 2) if many > 3 and lines_of(rows) > 1 else many)


def columns(shown: Sequence[Column], rows: tuple[int, int], most: int, key: Key = ()) -> Panel:
    """The columns, `most` side by side, with room for so many rows on disk and in memory; below them, how boxes look.

    Further columns stand below the first ones if there is room for them.
    """
    disk, memory = regions(rows)
    tall = high(rows)
    room = most * lines_of(rows)
    marks: list[Mark] = []
    x = y = 0.0
    for at, column in enumerate(shown[:room]):
        line, place = divmod(at, most)
        if place == 0:
            x, y = 2.0, line * (tall + APART)
            marks += words(y + TOP - 6, y + TOP + memory + BETWEEN - 6, line)
        marks += [column.titled(x, y), *column.draw(x, y + TOP, memory, disk)]
        x += column.width
    if (more := len(shown) - room) > 0:
        marks.append(small("more", WIDE - 4, y + TOP - 6, f"and {more} more", anchor="end"))
    bottom = y + tall + (22 if key else MARGIN)
    for left, tone, text in key:
        marks.append(Box(id=f"key:{tone}", x=left, y=bottom - 16, w=20, h=12, tone=tone, role="c1"))
        marks.append(small(f"keytext:{tone}", left + 25, bottom - 6, text))
    return Panel(id="kept", width=WIDE, height=bottom, marks=tuple(marks), label=told_of(shown[:room]))


def told_of(shown: Sequence[Column]) -> str:
    """What each process keeps, in words."""
    return "; ".join(
        f"{each.who} has on disk: {each.disk_in_words}; in memory: {each.memory_in_words}" for each in shown
    )


def words(memory: float, disk: float, line: int = 0) -> list[Mark]:
    """What the upper and what the lower boxes are, above each."""
    nth = f" {line}" if line else ""
    return [
        small(f"memory{nth}", 4, memory, "memory, lost in a crash"),
        small(f"disk{nth}", 4, disk, "disk, survives a crash"),
    ]
