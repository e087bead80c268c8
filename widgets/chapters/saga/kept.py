"""What is kept of sagas apart from the databases, and what somebody outside sees: logs, outboxes, clients, a reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from msgspec.structs import replace

from patterns.engine.step import Step
from patterns.engine.world import Call, World
from patterns.saga.choreography import Outgoing, Peer
from patterns.saga.lesson.side_by_side import PRIME
from patterns.saga.messages import Begin
from patterns.saga.records import ENDED, PIVOT_PASSED, Record
from patterns.saga.standing import observer
from widgets.scene import Box, Label, Mark

from .words import Group, saga_role

WIDTH, ROW, HEAD = 300, 20, 20
COLUMN = (WIDTH - 6) / 2
LETTERS = 46
"""As many fit on a line of small text."""
READER, CLIENT = 4, 1
"""Lines for the reader, and for clients."""
LINE = 16


def draw(world: World, before: World | None, group: Group, x: float, y: float, high: float) -> list[Mark]:
    """What tells a style where its sagas stand, on disk: one log, or an outbox a service."""
    return (_records if group.orchestrator else _outboxes)(world, before, group, x, y, high)


def _records(world: World, before: World | None, group: Group, x: float, y: float, high: float) -> list[Mark]:
    """The orchestrator's saga log on its disk, two columns from top to bottom; of a long one the end."""
    boss = group.orchestrator
    assert boss is not None
    old = len(before[boss.id].log) if before else 0
    rows = max(1, int((high - HEAD) // ROW))
    first = max(0, len(boss.log) - 2 * rows)
    title = f"Saga log, on disk, from line {first + 1}" if first else "Saga log, on the orchestrator's disk"
    marks: list[Mark] = [Label(id="log", x=x, y=y + 13, text=title, size="small", role="soft", strong=True)]
    for place, record in enumerate(boss.log[first:]):
        at = first + place
        column, row = divmod(place, rows)
        marks.append(_record(world, record, at, at >= old, x + column * (COLUMN + 6), y + HEAD + row * ROW))
    if not boss.log:
        marks.append(Label(id="log:empty", x=x, y=y + HEAD + 13, text="empty", size="small", role="soft"))
    return marks


def _record(world: World, record: Record, at: int, new: bool, x: float, y: float) -> Mark:
    step = "" if record.what == PIVOT_PASSED else record.step  # the line before it has the pivot's name
    what = record.detail if record.what == ENDED else record.what
    words = " ".join(part for part in (record.saga, step, what) if part)
    return Box(
        id=f"record:{at}",
        x=x,
        y=y,
        w=COLUMN,
        h=ROW - 2,
        text=words,
        role="accent" if new else saga_role(world, record.saga),
        tone="solid" if new else "outline",
        title=f"line {at + 1} of the saga log: {record}{', written in this step' if new else ''}",
    )


def _outboxes(world: World, before: World | None, group: Group, x: float, y: float, high: float) -> list[Mark]:
    """What is in the outboxes: events on the disks of services, not acknowledged yet."""
    lines = [(peer, row) for peer in group.services if isinstance(peer, Peer) for row in peer.outbox]
    rows = max(1, int((high - HEAD) // ROW))
    title = f"Outboxes, on the services' disks{f' ({rows} of {len(lines)})' if len(lines) > rows else ''}"
    marks: list[Mark] = [Label(id="outbox", x=x, y=y + 13, text=title, size="small", role="soft", strong=True)]
    for at, (peer, row) in enumerate(lines[:rows]):
        new = before is not None and row not in before[peer.id].outbox
        marks.append(_outgoing(world, peer, row, new, x, y + HEAD + at * ROW))
    if not lines:
        empty = "empty: every event is acknowledged"
        marks.append(Label(id="outbox:empty", x=x, y=y + HEAD + 13, text=empty, size="small", role="soft"))
    return marks


def _outgoing(world: World, peer: Peer, row: Outgoing, new: bool, x: float, y: float) -> Mark:
    event = replace(row.event, saga=row.saga.rstrip(PRIME))
    sent = "published, not acknowledged" if row.number in peer.published else "not published yet"
    return Box(
        id=f"outgoing:{peer.id}:{row.number}",
        x=x,
        y=y,
        w=WIDTH,
        h=ROW - 2,
        text=f"{peer.id.rstrip(PRIME)} → {row.to.rstrip(PRIME)}: {event}",
        role="accent" if new else saga_role(world, row.saga),
        tone="solid" if new else "soft" if row.number in peer.published else "outline",
        title=f"number {row.number} in the outbox of {peer.id}: {row.event}, to {row.to}; {sent}",
    )


# Seen from outside


def outside(step: Step[World, object], x: float, y: float) -> Iterator[Mark]:
    """What somebody sees who reads all databases now, and what the clients were told."""
    world = step.state
    seen = observer(world) or ("nothing half done",)
    yield Label(id="reader", x=x, y=y, text="Who reads all databases now sees", size="small", role="soft", strong=True)
    for at, line in enumerate(_lines(seen)):
        yield Label(id=f"reader:{at}", x=x, y=y + (at + 1) * LINE, text=line, size="small", title="; ".join(seen))
    told = _told([call for call in world.calls if isinstance(call.body, Begin)])
    text = told if len(told) <= LETTERS else f"{told[: LETTERS - 1]}…"
    yield Label(id="client", x=x, y=y + (READER + 1) * LINE + 4, text=text, size="small", role="soft", title=told)


def _lines(seen: Sequence[str]) -> list[str]:
    """What is seen, in as many lines as there is room for, shared by the sagas."""
    lines: list[str] = []
    each = max(1, READER // len(seen))
    for saga in seen[:READER]:
        words = wrap(saga, LETTERS)
        lines += words if len(words) <= each else [*words[: each - 1], f"{words[each - 1][: LETTERS - 1]}…"]
    return lines


def _told(calls: Sequence[Call]) -> str:
    """Which clients wait, and what the others were told: `A1 completed` is for A."""
    waits = ", ".join(call.client for call in calls if call.waits)
    replies = ", ".join(str(call.reply) for call in calls if not call.waits)
    parts = [*([f"waiting: {waits}"] if waits else []), *([f"told: {replies}"] if replies else [])]
    return f"clients {'; '.join(parts)}" if parts else "no client has asked yet"


def height() -> float:
    """What `outside` takes, from its first baseline."""
    return (READER + CLIENT) * LINE + 8
