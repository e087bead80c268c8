"""Grade the exercises of a notebook from the command line, by the judges of its `check(...)` cells.

    python -m widgets.grade NOTEBOOK [--seconds 120]

On stdout stands one JSON object:

    {"notebook": "07_saga.ipynb", "accepted": 1, "exercises": [
      {"exercise": "compensate_next", "chapter": "saga", "status": "accepted", ...},
      {"exercise": "what_to_do", "chapter": "saga", "status": "refused", "mistake": "undoes twice", "hint": ...,
       "failing": ...}],
     "cells": [{"cell": 12, "error": "NameError: name 'x' is not defined"}]}

- `status` is `accepted`, `refused`, `undecided`, `not attempted` or `error`. With `error` nothing was judged: a cell
  that the exercise needs raises.
- Each exercise that the notebook imports or checks is listed. An exercise without its check cell is not attempted. If
  an exercise is checked more than once, the last verdict counts. Predictions are not graded.
- The exit code is 0 if the notebook was graded, whatever the grades are. It is 2 for a wrong argument.

Only cells on which a check depends are run, in a fresh process without a kernel. Each exercise has a limit of seconds.
After that a rule that does not end is refused, and the next exercise is judged. The other cells have the same limit, or
30 seconds if that is longer.

**The command runs the notebook's code with your rights, and that code could also forge its grade.** If you do not trust
its author, run the command in a container that has neither a network nor your files.

The judges work under other graders, too: `check` gives a value that is true if the attempt is accepted. README.md has
the cell for nbgrader, the file for Otter, and the line for a CI job.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec

from patterns.engine.exercise import ENDLESS
from widgets.cells import Cell, code_cells, needed
from widgets.grading.messages import (
    CHECK,
    DID_NOT_END,
    Checking,
    Declared,
    Failed,
    Graded,
    Judged,
    Raised,
    Ready,
    Running,
    Task,
)
from widgets.grading.process import Gone, told

SECONDS = 120.0


class Grades(msgspec.Struct):
    """The grades of a notebook."""

    notebook: str
    accepted: int
    exercises: list[Graded]
    cells: list[Failed]


def grade(notebook: str | Path, seconds: float = SECONDS) -> Grades:
    """The grades of a notebook's exercises. It runs the notebook's code with your rights.

    `seconds` is the limit of each exercise. Raises OSError if the file cannot be read. Raises ValueError if the file is
    not a notebook, or if `seconds` is out of range.
    """
    if not 0 < seconds <= 86_400:
        raise ValueError(f"seconds is {seconds:g}; allowed is more than 0, and at most 86400")
    path = Path(notebook)
    cells = code_cells(path)
    checks = [cell for cell in cells if cell.calls(CHECK)]
    exercises = [cell for cell in cells if "EXERCISES" in cell.binds]
    run = _Run(path, needed(cells, [*checks, *exercises]), seconds)
    run.go()
    failed = [Failed(cell.number, cell.problem) for cell in cells if cell.problem]
    failed = sorted([*failed, *run.failed], key=lambda each: each.cell)
    given = {(each.chapter, each.exercise): each for each in run.graded}
    for chapter, name in run.declared:
        given.setdefault((chapter, name), _not_judged(chapter, name, cells, checks, failed))
    order = {key: at for at, key in enumerate(run.declared)}
    listed = sorted(given.values(), key=lambda each: order.get((each.chapter, each.exercise), len(order)))
    return Grades(path.name, sum(each.status == "accepted" for each in listed), listed, failed)


def _not_judged(
    chapter: str, name: str, cells: Sequence[Cell], checks: Sequence[Cell], failed: Sequence[Failed]
) -> Graded:
    """An exercise without a verdict: its cell raises, or the notebook has no cell for it."""
    mine = next((cell for cell in checks if f'"{name}"' in cell.source or f"'{name}'" in cell.source), None)
    if mine is None:
        return Graded(name, chapter, "not attempted", hint="No cell of the notebook checks it.")
    numbers = {cell.number for cell in needed([cell for cell in cells if cell.number <= mine.number], [mine])}
    numbers |= {cell.number for cell in cells if cell.problem and f"def {name}" in cell.source}
    errors = [f"cell {each.cell}: {each.error}" for each in failed if each.cell in numbers]
    return Graded(name, chapter, "error", failing="; ".join(errors), cell=mine.number)


class _Run:
    """The cells are run in a process, and after a hang the rest of them in another process."""

    def __init__(self, notebook: Path, cells: list[Cell], seconds: float) -> None:
        self.folder = notebook.resolve().parent
        self.task = Task(cells, seconds)
        self.graded: list[Graded] = []
        self.failed: list[Failed] = []
        self.declared: list[tuple[str, str]] = []

    def go(self) -> None:
        while self.task.cells and not self._went_to_the_end():
            pass

    def _went_to_the_end(self) -> bool:
        """Run a process; whether it came to the end. If not, the cell or check that it hung in is done with."""
        started = False
        at: Running | Checking | None = None
        for message in told(self.task, self.folder):
            match message:
                case Ready():
                    started = True
                case Running() | Checking():
                    at = message
                case Raised():
                    self._fail(message.cell, message.error)
                case Judged():
                    self._done(message.graded)
                    at = Running(message.graded.cell)
                case Declared():
                    self.declared = message.exercises
                    return True
                case Gone() if isinstance(at, Checking):
                    why = (DID_NOT_END, ENDLESS) if message.hung else ("", "")
                    self._done(Graded(at.exercise, at.chapter, "refused", *why, message.words, cell=at.cell))
                case Gone() if isinstance(at, Running):
                    self._fail(at.cell, message.words)
                    self.task.skipped.append(at.cell)
                case Gone() if not started:
                    raise RuntimeError(f"the process that runs the cells did not start: {message.words}")
        return at is None

    def _done(self, graded: Graded) -> None:
        self.graded.append(graded)
        self.task.checked.append(graded.status == "accepted")

    def _fail(self, cell: int, error: str) -> None:
        if all(each.cell != cell for each in self.failed):
            self.failed.append(Failed(cell, error))


# The command


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: see the top of this page."""
    parser = argparse.ArgumentParser("python -m widgets.grade", description="Grade the exercises of a notebook.")
    parser.add_argument("notebook", metavar="NOTEBOOK", help="the notebook; its code runs with your rights")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="limit of each exercise (default: %(default)g)")
    given = parser.parse_args(arguments)
    try:
        grades = grade(given.notebook, given.seconds)
    except OSError as problem:
        parser.error(f"{given.notebook} cannot be read: {problem.strerror}")
    except ValueError as problem:
        parser.error(str(problem))
    print(msgspec.json.format(msgspec.json.encode(grades), indent=2).decode())


if __name__ == "__main__":
    main()
