"""The tables of a SQLite file, as they stand there: what a picture shows, in a real database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

MOST = 12
"""How many rows of a table are shown: the last ones."""


class Tables:
    """Tables of the file at `path`, for a notebook to show. Without names, all that have rows.

    The file is opened read-only, with `sqlite3` and nothing of this project. Raises ValueError for an unknown table.
    """

    def __init__(self, path: Path | str, *names: str) -> None:
        with closing(sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)) as file:
            there = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in names:
                if name not in there:
                    raise ValueError(f"table {name!r} is not in {Path(path).name}; there are {', '.join(there)}")
            self.tables = {name: self._read(file, name) for name in names or there}
        if not names:
            self.tables = {name: table for name, table in self.tables.items() if table[1]}

    @staticmethod
    def _read(file: sqlite3.Connection, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The names of the columns, and the rows."""
        found = file.execute(f'SELECT * FROM "{name}"')
        return [column for column, *_ in found.description], found.fetchall()

    def _lines(self) -> Iterator[str]:
        for name, (columns, rows) in self.tables.items():
            left_out = f", the last {MOST} of {len(rows):,} rows" if len(rows) > MOST else ""
            yield from (f"**{name}**{left_out}", "", _row(columns), "|" + ":--|" * len(columns))
            yield from (*map(_row, rows[-MOST:]), "")

    def _repr_markdown_(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {row}" for name, (_, rows) in self.tables.items() for row in rows[-MOST:])


def _row(cells: Any) -> str:
    texts = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(f'`{text}`' if text.startswith('{') else text for text in texts)} |"
