"""The code cells of a notebook, as far as a page shows what they show: players, predictions, outcomes, printed words.

A cell is executed with the cells that it needs and no others: those that bind or change what it uses.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from widgets.cells import cell_of, needed
from widgets.exercise import Outcome, Prediction

NEEDS_A_KERNEL = re.compile(r"\bawait\b|\bcontrols=")
IS_SHOWN = re.compile(r"\bplay\(|\bpredict\(|\bTables\(")


class Cell(NamedTuple):
    """A cell of a notebook: its id, its kind (`code` or `markdown`), its source."""

    id: str
    kind: str
    source: str


def cells_of(notebook: Path) -> list[Cell]:
    """The cells of a notebook file, in order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [Cell(each["id"], each["cell_type"], "".join(each["source"])) for each in cells]


class Notebook:
    """A notebook whose cells are executed one by one, each at most once, all in one namespace."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cells = cells_of(path)
        self._code = [cell_of(at, cell.source) for at, cell in enumerate(self.cells) if cell.kind == "code"]
        self._at = {cell.id: at for at, cell in enumerate(self.cells)}
        self._done: dict[str, tuple[list[Any], str]] = {}
        self._shown: list[Any] = []
        self._names: dict[str, Any] = {"display": self._display, "__name__": "__main__"}

    def _display(self, *shown: Any) -> None:
        self._shown += shown

    def shows(self, cell: Cell) -> bool:
        """Whether a page can show something of this code cell without a kernel."""
        needed = [cell, *self.needed(cell)] if IS_SHOWN.search(cell.source) else []
        return bool(needed) and not any(NEEDS_A_KERNEL.search(each.source) for each in needed)

    def executed(self, cell: Cell) -> tuple[list[Any], str]:
        """The objects that the cell shows, in order, and the text that it prints."""
        for each in self.needed(cell):
            if each.id not in self._done:
                self._done[each.id] = self._execute(each)
        return self._done[cell.id]

    def outcomes(self, cell: Cell) -> list[Outcome]:
        """The outcomes of earlier predictions that the cell shows, without executing it."""
        tree = ast.walk(ast.parse(cell.source))
        names = [node.value.id for node in tree if _is_outcome(node)]  # type: ignore[attr-defined]
        return [self._names[name].outcome for name in names if isinstance(self._names.get(name), Prediction)]

    def needed(self, cell: Cell) -> list[Cell]:
        """The cell, after the cells that it needs, in the order of the notebook."""
        upto = [each for each in self._code if each.number <= self._at[cell.id]]
        return [self.cells[each.number] for each in needed(upto, upto[-1:])]

    def code(self, cell: Cell) -> str:
        """The cell for a learner who goes on in a notebook, with all that it needs; it opens at the step `at=0`."""
        parts = [each.source for each in self.needed(cell) if each.id != cell.id]
        return "\n\n".join([*parts, _opening(cell.source)])

    def _execute(self, cell: Cell) -> tuple[list[Any], str]:
        tree = ast.parse(cell.source)
        value = tree.body.pop().value if isinstance(tree.body[-1], ast.Expr) else None  # type: ignore[attr-defined]
        self._shown, printed = [], StringIO()
        with redirect_stdout(printed):
            exec(compile(tree, cell.id, "exec"), self._names)
            if value is not None:
                self._shown.append(eval(compile(ast.Expression(value), cell.id, "eval"), self._names))
        return self._shown, printed.getvalue()


def _is_outcome(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "outcome" and isinstance(node.value, ast.Name)


def _opening(source: str) -> str:
    """The source, in which its last `play(...)` has `at=0` too."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    plays = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "play"]
    if not plays:
        return source
    last = max(plays, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))
    lines = source.splitlines()
    line = lines[(last.end_lineno or 1) - 1].encode()
    end = (last.end_col_offset or 1) - 1
    lines[(last.end_lineno or 1) - 1] = (line[:end] + b", at=0" + line[end:]).decode()
    return "\n".join(lines)
