"""Boxes and small labels: records, fields, rows of a table, stacked from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from patterns.engine.process import Process
from widgets.scene import Box, Label, Mark, Role, Tone

Row = Box | Sequence[Box]
"""One line: a box, or several side by side."""
HIGH, PITCH = 18, 19


def box(id: str, text: str, role: Role, tone: Tone, title: str) -> Box:
    """A box that `stack` gives its place."""
    return Box(id=id, x=0, y=0, w=0, h=HIGH, text=text, role=role, tone=tone, title=title)


def small(
    id: str,
    x: float,
    y: float,
    text: str,
    role: Role = "soft",
    anchor: Literal["start", "middle", "end"] = "start",
    *,
    strong: bool = False,
    title: str = "",
    of: str = "",
) -> Label:
    """A small label."""
    return Label(id=id, x=x, y=y, text=text, size="small", role=role, anchor=anchor, strong=strong, title=title, of=of)


def boxes_of(rows: Iterable[Row]) -> list[Box]:
    """The boxes of all rows."""
    return [one for row in rows for one in ([row] if isinstance(row, Box) else row)]


def stack(rows: Sequence[Row], x: float, y: float, width: float, *, of: str = "", pitch: float = PITCH) -> list[Mark]:
    """Rows below one another from this corner; a click on any of them is a click on the mark `of`."""
    marks: list[Mark] = []
    for at, row in enumerate(rows):
        side = [row] if isinstance(row, Box) else row
        each = (width - 2 * (len(side) - 1)) / len(side)
        for place, one in enumerate(side):
            left = round(x + place * (each + 2), 1)
            marks.append(replace(one, x=left, y=y + at * pitch, w=round(each, 1), h=pitch - 2, of=of or one.of))
    return marks


def fitted(rows: list[Row], most: int, id: str) -> list[Row]:
    """As many rows as have room; what comes below is counted, and named in the last row's title."""
    if len(rows) <= most:
        return rows
    hidden = rows[most - 1 :]
    titles = "; ".join(one.title for one in boxes_of(hidden))
    return [*rows[: most - 1], box(id, f"{len(hidden)} more", "soft", "dashed", titles)]


# Words that fit

NARROW, BROAD = frozenset("ijl|.,:;'!()[]It f-r"), frozenset("mwMWOQGAHNUD@%+→↩")


NARROWED = 0.8
"""The part of its width that a text in a picture keeps, where it has too little room (text.js)."""


def wide(text: str) -> float:
    """About how many pixels a text takes in small type; rather more than less."""
    return sum(4.8 if sign in NARROW else 10.8 if sign in BROAD else 7.8 for sign in text)


def cut(text: str, room: float) -> str:
    """As much of a text as has room, when the player has narrowed it."""
    room /= NARROWED
    if wide(text) <= room:
        return text
    while text and wide(text) > room - 9:
        text = text[:-1]
    return f"{text.rstrip()}…"


def fitting(name: str, value: str, room: float) -> str:
    """A row of a ledger, a name and its value, of which as much is shown as has room."""
    name = cut(name, room - min(wide(value) * NARROWED, room / 3) - 5)
    return f"{name}\t{cut(value, room - wide(name) * NARROWED - 5)}"


# Fields


def on_disk(process: Process) -> Mapping[str, Any]:
    """The durable fields of a process, each by its name in words."""
    return {field.replace("_", " "): getattr(process, field) for field in process.durable_fields}


def in_memory(process: Process) -> Mapping[str, Any]:
    """The fields of a process that a crash resets, each by its name in words."""
    fields = [field for field in process.__struct_fields__ if field not in process.kept_fields and field[0] != "_"]
    return {field.replace("_", " "): getattr(process, field) for field in fields}


def shown(value: Any) -> str:
    """A field's value in a few words.

    >>> shown(("S1", "S2")), shown(frozenset()), shown(None), shown(True), shown((("x", 1), ("y", 2)))
    ('S1, S2', '–', '–', 'yes', 'x: 1, y: 2')
    """
    if value.__class__ is int or value.__class__ is str:
        return str(value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "–"
    if isinstance(value, Iterable) and not isinstance(value, str):  # a Table, too, which gives pairs
        items = sorted(value, key=str) if isinstance(value, frozenset) else list(value)
        pairs = all(isinstance(each, tuple) and len(each) == 2 for each in items)
        return ", ".join(f"{each[0]}: {shown(each[1])}" if pairs else shown(each) for each in items) or "–"
    if isinstance(value, msgspec.Struct) and type(value).__str__ is object.__str__:
        return " ".join(map(shown, msgspec.structs.astuple(value)))
    return str(value)
