"""Rows with heads: a table in Markdown where a notebook shows it, lines in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from widgets.results import shown


class Rows:
    """A table whose cells may hold links and other Markdown."""

    def __init__(self, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self.heads = tuple(heads)
        self.rows = [tuple(shown(cell) for cell in row) for row in rows]

    def _repr_markdown_(self) -> str:
        lines = [self.heads, (":--",) * len(self.heads), *self.rows]
        return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)

    def __repr__(self) -> str:
        lines = [self.heads, *(tuple(map(_plain, row)) for row in self.rows)]
        wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, wide)).rstrip() for line in lines)


def _plain(cell: str) -> str:
    """A cell without the signs of Markdown."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cell).replace("**", "").replace("<br>", " ")
