"""The store's log as blocks in the order of positions, how far its reader is, and what readers and pickers keep."""

from __future__ import annotations

from collections.abc import Iterator

from patterns.engine.sentences import counted
from patterns.event_sourcing.event_store import EventStore
from patterns.event_sourcing.properties import lost, pickers, readers, store_of
from patterns.event_sourcing.store import Recorded
from widgets.kit import ProcessView, small
from widgets.scene import Box, Mark, Role

from .labels import WRITERS, kind_of, role_of, today

BOTTOM, BLOCK, MOST, LINE = 410, 68, 8, 18
"""The picture's height, a block's width, how many blocks are shown, and the height of a line of words."""


def marks(view: ProcessView, top: float) -> tuple[list[Mark], str]:
    """The marks below `top`, and the same in words."""
    store = store_of(view.world)
    shown: list[Mark] = [small("log", 6, top + 14, "The log, on the store's disk", "ink", strong=True)]
    events = {event.position: event for event in store.log.events}
    taken = dict(_taken(store))
    last = max([0, *taken, *events])
    first, late = max(0, last - MOST), {event.position for event in lost(view.world)}
    for position in range(first + 1, last + 1):
        x = 6 + (position - first - 1) * BLOCK
        if event := events.get(position):
            shown += _block(event, x, top + 24, position in late)
        else:
            shown.append(_empty(position, taken.get(position, ""), x, top + 24))
        shown.append(small(f"at:{position}", x + BLOCK / 2 - 4, top + 100, f"pos {position}", "soft", "middle"))
    for reader, _ in readers(view.world):
        reached = max(0, (reader.reached or reader.checkpoint or reader.origin)[-1] - first)
        shown.append(small("reached", 6 + max(0, reached - 1) * BLOCK, top + 117, f"▲ {reader.id}", "ink", strong=True))
    lines = list(_lines(view))
    for at, (id, text, role) in enumerate(lines):
        shown.append(small(id, 6 + 280 * (at % 2), top + 138 + LINE * (at // 2), text, role))
    said = [*map(_in_words, events.values()), *(text for _, text, _ in lines)]
    return shown, "; ".join(said) or "the log is empty"


def _block(event: Recorded, x: float, y: float, late: bool) -> list[Mark]:
    does, role = ", ".join(today(event)) or "none", "bad" if late else role_of(event)
    title = _in_words(event) + (": it appeared below a position that its reader had passed" if late else "")
    return [
        Box(id=f"event:{event.position}", x=x, y=y, w=BLOCK - 8, h=32, text=does, role=role, tone="soft", title=title),
        small(f"stream:{event.position}", x + BLOCK / 2 - 4, y + 46, event.stream, "ink", "middle"),
        small(f"version:{event.position}", x + BLOCK / 2 - 4, y + 61, f"ver {event.version}", "ink", "middle"),
    ]


def _empty(position: int, writer: str, x: float, y: float) -> Box:
    text, title = "hole", f"position {position} stays empty"
    if writer:
        text, title = "open", f"{writer}'s transaction has taken position {position}"
    role = WRITERS.get(writer, "soft")
    return Box(id=f"event:{position}", x=x, y=y, w=BLOCK - 8, h=32, text=text, role=role, tone="dashed", title=title)


def _taken(store: EventStore) -> Iterator[tuple[int, str]]:
    """(position, writer) of each position that was given out; no writer once its transaction has ended."""
    yield from ((position, "") for position in range(1, getattr(store, "taken", 0) + 1))
    for _, each in getattr(store, "open", ()):
        yield from ((each.position + nth, each.sender) for nth in range(len(each.append.events)) if each.position)


def _lines(view: ProcessView) -> Iterator[tuple[str, str, Role]]:
    for picker in pickers(view.world):
        if (append := picker.decided) is not None:
            text = f"{picker.id}: {append.kinds}, expects {append.expected}"
            yield f"decided:{picker.id}", text, WRITERS[picker.id]
    for reader, table in readers(view.world):
        for name, shelf in table.rows:
            yield f"row:{name}", f"{name} has {counted(shelf.bags, 'bag')}", "ink"
        if reader.buffer or reader.queue:
            yield "waits", f"{reader.id}: {len(reader.queue)} queued, {len(reader.buffer)} buffered", "soft"


def _in_words(event: Recorded) -> str:
    return f"position {event.position}: {kind_of(event)}, version {event.version} of {event.stream}"
