"""Results as a small table, in place of a dictionary with sixteen digits.

table({"limit": 6, "shares": {"A": 0.25, "B": 0.75}})       a row for each name
table(needless, "scheme", "keys that move and need not")    the same, with heads

`Rows` has any number of columns, and cells with links.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Table:
    """Names and values: a table in a notebook, lines in a terminal."""

    def __init__(self, rows: Mapping[Any, Any], *heads: str) -> None:
        if len(heads) not in (0, 2):
            raise ValueError(
                f"heads are {heads!r}; allowed are two, one for the names and one for the values, or an empty list"
            )
        self.rows = {str(name): shown(value) for name, value in rows.items()}
        self.heads = heads

    def _repr_html_(self) -> str:
        def row(cells: Iterable[str], tag: str) -> str:
            side = 'style="text-align:left"'
            return f"<tr>{''.join(f'<{tag} {side}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

        head = f"<thead>{row(self.heads, 'th')}</thead>" if self.heads else ""
        return f"<table>{head}<tbody>{''.join(row(cells, 'td') for cells in self.rows.items())}</tbody></table>"

    def __repr__(self) -> str:
        lines = [*([self.heads] if self.heads else []), *self.rows.items()]
        wide = max((len(name) for name, _ in lines), default=0)
        return "\n".join(f"{name:<{wide}}  {value}" for name, value in lines)


def table(rows: Mapping[Any, Any], *heads: str) -> Table:
    """`rows` as a table, with heads for its names and its values if they are given."""
    return Table(rows, *heads)


class Rows:
    """A table whose cells may hold links and other Markdown: Markdown in a notebook, lines in a terminal."""

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


def shown(value: Any) -> str:
    """A value in a few words: three digits of a fraction, the names of a list, `A 0.25, B 0.75`."""
    if isinstance(value, float):
        return f"{value:,.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return str(value)
