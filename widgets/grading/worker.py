"""The process that runs a notebook's cells, seen from inside. It interrupts a cell or a rule that takes too long."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec

from patterns.engine.exercise import ENDLESS, Exercise, Verdict
from widgets.grading.messages import (
    CHECK,
    DID_NOT_END,
    Checking,
    Declared,
    Graded,
    Judged,
    Message,
    Raised,
    Ready,
    Running,
    Status,
    Task,
)
from widgets.progress import chapter_of

MOST_CHECKS = 50
"""Checks in a notebook: a loop of checks ends."""


class _Given:
    """What `check` gives while a notebook is graded: true if the attempt is accepted, and nothing to look at."""

    def __init__(self, accepted: bool) -> None:
        self.accepted = accepted

    def __bool__(self) -> bool:
        return self.accepted

    def __repr__(self) -> str:
        return "accepted" if self.accepted else "not accepted"


class _Checks:
    """Stands in for `widgets.exercise.check`."""

    def __init__(self, task: Task, tell: Callable[[Message], None]) -> None:
        self.task, self.tell, self.cell, self.count = task, tell, 0, 0

    def __call__(self, exercise: Exercise, attempt: Any) -> _Given:
        if self.count >= MOST_CHECKS:
            raise RuntimeError(f"{CHECK} is called more than {MOST_CHECKS} times")
        self.count += 1
        if self.count <= len(self.task.checked):
            return _Given(self.task.checked[self.count - 1])
        chapter = chapter_of(exercise)
        self.tell(Checking(exercise.name, chapter, self.cell))
        with _limit(self.task.seconds):
            verdict = exercise.judge(attempt)
        self.tell(Judged(_graded(verdict, exercise.name, chapter, self.cell)))
        _interrupt_after(self.task.cell_seconds)  # the rest of the cell
        return _Given(verdict.accepted)


def _graded(verdict: Verdict, name: str, chapter: str, cell: int) -> Graded:
    status: Status = "refused"
    if verdict.accepted:
        status = "accepted"
    elif not verdict.attempted:
        status = "not attempted"
    elif verdict.undecided:
        status = "undecided"
    mistake = verdict.mistake or (DID_NOT_END if verdict.hint == ENDLESS else "")
    said = (mistake, verdict.hint, verdict.failing, verdict.undecided)
    return Graded(name, chapter, status, *said, verdict.tried, verdict.states, cell)


def work(channel: int) -> NoReturn:
    """Do the task on stdin, and tell on the file descriptor `channel` what comes of it."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from widgets import exercise as judges

    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)

    def tell(message: Message) -> None:
        os.write(channel, msgspec.json.encode(message) + b"\n")

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    checks = judges.check = _Checks(task, tell)  # type: ignore[assignment]
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what the notebook prints belongs to nobody
        os.dup2(nothing, stream)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    tell(Ready())
    for cell in task.cells:
        if cell.number in task.skipped:
            continue
        checks.cell = cell.number
        tell(Running(cell.number))
        for source in cell.statements if cell.calls(CHECK) else [cell.source]:  # two checks may stand in one cell
            with _limit(task.cell_seconds):
                ran = shell.run_cell(source, silent=True)
            if problem := ran.error_before_exec or ran.error_in_exec:
                tell(Raised(cell.number, _in_words(problem, task.cell_seconds)))
    tell(Declared(_exercises_in(shell.user_ns)))
    os._exit(0)  # threads and processes of the notebook do not hold it up


def _in_words(problem: BaseException, seconds: float) -> str:
    if isinstance(problem, KeyboardInterrupt):
        return f"no end after {seconds:g} seconds"
    return f"{type(problem).__name__}: {problem}"[:500]


def _exercises_in(names: Mapping[str, Any]) -> list[tuple[str, str]]:
    tables = [value for value in names.values() if isinstance(value, dict) and value]
    found = [value for table in tables for value in table.values() if isinstance(value, Exercise)]
    return list(dict.fromkeys((chapter_of(exercise), exercise.name) for exercise in found))


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    _interrupt_after(seconds)
    try:
        yield
    finally:
        _interrupt_after(0)


def _interrupt_after(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)
