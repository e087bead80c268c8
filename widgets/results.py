"""Results as a small table, in place of a dictionary with sixteen digits.

table({"limit": 6, "shares": {"A": 0.25, "B": 0.75}})       a row for each name
table(needless, "scheme", "keys that move and need not")    the same, with heads
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any


class Table:
    """Names and values: a table in a notebook, lines in a terminal."""

    def __init__(self, rows: Mapping[Any, Any], *heads: str) -> None:
        if len(heads) not in (0, 2):
            raise ValueError(f"heads are {heads!r}; allowed are none, or one for the names and one for the values")
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
