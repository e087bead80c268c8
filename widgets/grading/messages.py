"""What the grader and the process that runs a notebook's cells send each other: a task, then a JSON line an event."""

from __future__ import annotations

from typing import Literal

import msgspec

from widgets.cells import Cell

CELL = 30.0
"""Seconds that a cell may take at least: imports take a while, however quick the exercises are."""
DID_NOT_END = "did not end"
CHECK = "check"
"""The name of the function that judges an exercise."""

Status = Literal["accepted", "refused", "undecided", "not attempted", "error"]


class Graded(msgspec.Struct):
    """An exercise and its grade."""

    exercise: str
    chapter: str
    status: Status
    mistake: str = ""
    """The name of the recognised usual mistake, or `did not end`."""
    hint: str = ""
    failing: str = ""
    """The smallest case that fails; with `error`, the errors of the cells that the exercise needs."""
    undecided: str = ""
    tried: int = 0
    """How many cases were tried."""
    states: int = 0
    """How many states were searched."""
    cell: int = 0
    """The cell of the check, from 1; 0 if no cell checks it."""


class Failed(msgspec.Struct):
    """A cell that raises, or that Python cannot read."""

    cell: int
    error: str


class Task(msgspec.Struct):
    """All that the process is told."""

    cells: list[Cell]
    seconds: float
    checked: list[bool] = []
    """The checks that an earlier process came to, in order: whether each was accepted."""
    skipped: list[int] = []
    """Numbers of cells that an earlier process did not come out of."""

    @property
    def cell_seconds(self) -> float:
        return max(self.seconds, CELL)


class Ready(msgspec.Struct, tag="ready"):
    """The process is about to run the first cell."""


class Running(msgspec.Struct, tag="cell"):
    """A cell begins."""

    cell: int


class Raised(msgspec.Struct, tag="raised"):
    """A cell has ended with an error."""

    cell: int
    error: str


class Checking(msgspec.Struct, tag="check"):
    """A check begins."""

    exercise: str
    chapter: str
    cell: int


class Judged(msgspec.Struct, tag="verdict"):
    """A check has ended."""

    graded: Graded


class Declared(msgspec.Struct, tag="declared"):
    """The exercises that the notebook has: (chapter, name)."""

    exercises: list[tuple[str, str]]


Message = Ready | Running | Raised | Checking | Judged | Declared
MESSAGES = msgspec.json.Decoder(Message)
