"""Operations as intervals over time, in text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .operations import Operation, Time

Point = tuple[Time, bool]
"""A time, and whether it is a return: of what meets in one instant, calls are drawn first, since it overlaps."""


def draw(operations: Sequence[Operation], say: Callable[[Operation], str], marked: Operation | None = None) -> str:
    """A line for each client (more where it gave up on an operation), the times below.

    Widths tell only the order of calls and returns. An arrow stands where no answer came; `✗` marks one operation.

    >>> write = Operation(client="A", input="write 1", called=0, returned=20)
    >>> read = Operation(client="B", input="read", called=10)
    >>> print(draw([write, read], lambda operation: operation.input))
    A  ├─ write 1 ─┤
    B    ├──── read ───→
       0 10        20
    """
    words = {id(operation): f"{'✗ ' if operation is marked else ''}{say(operation)}" for operation in operations}
    column = _columns(operations, words)
    edge = max(
        max(column.values(), default=0) + 4,
        *(column[_call(one)] + len(words[id(one)]) + 5 for one in operations),
    )
    lines: dict[str, list[str]] = {}
    for one in operations:
        start, end = column[_call(one)], edge if one.returned is None else column[(one.returned, True)]
        bar = f"├{f' {words[id(one)]} '.center(end - start - 1, '─')}{'→' if one.pending else '┤'}"
        rows = lines.setdefault(str(one.client), [""])
        row = next((row for row, drawn in enumerate(rows) if len(drawn) <= start), len(rows))
        rows[row : row + 1] = [(rows[row] if row < len(rows) else "").ljust(start) + bar]
    margin = max(map(len, lines), default=0) + 2
    drawn = [f"{client:{margin}}{row}" for client, rows in lines.items() for row in rows]
    return "\n".join([*drawn, " " * margin + _axis(column)])


def shown(time: Time) -> str:
    """A time as the diagram and the words around it print it."""
    return str(time) if isinstance(time, int) else f"{time:.3f}".rstrip("0").rstrip(".")


def _call(operation: Operation) -> Point:
    return operation.called, False


def _columns(operations: Sequence[Operation], words: dict[int, str]) -> dict[Point, int]:
    """The column of every call and return: as near as the words in the bars and the times on the axis allow."""
    column: dict[Point, int] = {}
    place, room = 0, 0
    returns: dict[Point, list[Operation]] = {}
    for one in operations:
        if one.returned is not None:
            returns.setdefault((one.returned, True), []).append(one)
    for point in sorted({*map(_call, operations), *returns}):
        ends = [column[_call(one)] + len(words[id(one)]) + 5 for one in returns.get(point, ())]
        place = column[point] = max([place + room, *ends])
        room = max(2, len(shown(point[0])) + 1)
    return column


def _axis(column: dict[Point, int]) -> str:
    text, last = "", None
    for (time, _), place in column.items():
        if time != last:
            text = text.ljust(place) + shown(time)
        last = time
    return text
