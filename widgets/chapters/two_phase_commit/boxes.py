"""Where the boxes stand: a column for each process, its disk above its memory, rows from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from patterns.two_phase_commit.log import Logged
from widgets.scene import Box, Mark, Role, Tone

from .words import record_in_short

WIDE, NARROW, GAP = 102, 92, 2
"""How wide a column is: the coordinator's, which has a cell for each vote, and a participant's."""
HIGH, PITCH = 19, 21
DISK, DISK_ROWS = 48, 7
MEMORY_ROWS = 5
DISK_HIGH, MEMORY_HIGH = DISK_ROWS * PITCH + 8, MEMORY_ROWS * PITCH + 8
MEMORY = DISK + DISK_HIGH + 28

Row = Box | Sequence[Box]
"""What stands in one line: a box, or several side by side."""


def box(id: str, text: str, role: Role, tone: Tone, title: str) -> Box:
    """A box that `stack` gives its place."""
    return Box(id=id, x=0, y=0, w=0, h=HIGH, text=text, role=role, tone=tone, title=title)


def stack(rows: Sequence[Row], x: float, y: float, width: float, who: str) -> list[Mark]:
    """Rows below one another in a region that begins here; a click on any is one on the process."""
    marks: list[Mark] = []
    for at, row in enumerate(rows):
        side = [row] if isinstance(row, Box) else row
        each = (width - 4 - 2 * (len(side) - 1)) / len(side)
        for place, one in enumerate(side):
            left = round(x + 2 + place * (each + 2), 1)
            marks.append(replace(one, x=left, y=y + 4 + at * PITCH, w=round(each, 1), of=f"process:{who}"))
    return marks


def record_ids(process: Logged) -> list[str]:
    """An id for each record, first of the log, then of what waits: the same before and after it is written."""
    seen: dict[str, int] = {}
    ids = []
    for record in (*process.log, *process.buffer):
        text = record_in_short(record)
        seen[text] = seen.get(text, 0) + 1
        ids.append(f"record:{process.id}:{text}:{seen[text]}")
    return ids
