"""What each process has: a column each, what is on its disk above what is in its memory.

A record keeps its box: one that waits in memory for the next write moves up to the disk with it, and one that a crash
takes with the memory is struck there.
"""

from __future__ import annotations

from typing import Any

from patterns.engine.step import Step
from patterns.engine.world import World
from patterns.two_phase_commit import Coordinator
from widgets.scene import Box, Label, Mark, Panel, Tone

from . import disk, memory
from .boxes import DISK, GAP, MEMORY, MEMORY_HIGH, NARROW, WIDE
from .words import doubt_ms, duration, look_of

HEIGHT = MEMORY + MEMORY_HIGH + 30
MOST_COLUMNS = 5
"""As many processes have a column."""
KEYS: tuple[tuple[float, Tone, str], ...] = (
    (6, "solid", "forced"),
    (86, "soft", "lazy, written"),
    (206, "dashed", "lazy, not yet"),
)


def panel(step: Step[World, Any]) -> Panel:
    world = step.state
    shown = world.processes[:MOST_COLUMNS]
    lazy = disk.written_lazily(step)
    marks: list[Mark] = [
        Label(id="disk", x=6, y=DISK - 7, text="DISK: survives a crash", size="small", strong=True),
        Label(id="memory", x=6, y=MEMORY - 7, text="MEMORY: a crash wipes it", size="small", strong=True),
    ]
    x = 4
    for process in shown:
        column = WIDE if isinstance(process, Coordinator) else NARROW
        marks.append(_name(world, process, x, column - GAP))
        marks += disk.region(step, process, x, column - GAP, lazy)
        marks += memory.region(step, process, x, column - GAP)
        x += column
    if more := len(world.processes) - len(shown):
        text = f"and {more} more"
        marks.append(Label(id="more", x=x - 4, y=DISK - 7, text=text, size="small", role="soft", anchor="end"))
    label = "; ".join(
        f"{process.id} has on disk: {disk.in_words(process)}; in memory: {memory.in_words(world, process)}"
        for process in shown
    )
    return Panel(id="kept", width=max(x, 340), height=HEIGHT, marks=(*marks, *_key()), label=label)


def _name(world: World, process: Any, x: float, width: float) -> Mark:
    look, ms = look_of(world, process), doubt_ms(world, process)
    since = "" if ms is None else duration(ms)
    return Box(
        id=f"name:{process.id}",
        of=f"process:{process.id}",
        x=x,
        y=2,
        w=width,
        h=22,
        text=" ".join(filter(None, (process.id, look.sign, since))),
        role=look.role,
        tone=look.tone,
        title=" ".join(filter(None, (process.id, look.word, since))),
    )


def _key() -> list[Mark]:
    marks: list[Mark] = []
    for x, tone, text in KEYS:
        marks.append(Box(id=f"key:{tone}", x=x, y=HEIGHT - 20, w=20, h=12, tone=tone, role="c1"))
        marks.append(Label(id=f"keytext:{tone}", x=x + 25, y=HEIGHT - 10, text=text, size="small", role="soft"))
    return marks
