"""Logs and outboxes, which remember sagas apart from the databases; and the view from outside: a reader, clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from patterns.engine.world import Call, World
from patterns.saga.choreography import Outgoing, Peer
from patterns.saga.log import ENDED, PIVOT_PASSED, Record
from patterns.saga.messages import Begin
from patterns.saga.orchestrator import Orchestrator
from patterns.saga.readings import observer
from widgets.kit import ProcessView, box, cut, fitting, small, stack, wide
from widgets.scene import Box, Mark

from .groups import Group, saga_role
from .path import WIDTH

ROW, HEAD = 18, 18
LOG = 300
"""How wide the log and the outboxes are; beside them stands what is seen from outside."""
COLUMN = (LOG - 8) / 2
LETTERS = 33
"""As many fit on a line of small text."""
OUTSIDE = WIDTH - LOG - 14
"""How wide what stands beside them is."""
READER, CLIENT = 6, 1
"""Lines for the reader, and for clients."""
LINE = 15


def draw(view: ProcessView, group: Group, x: float, y: float, high: float) -> list[Mark]:
    """What tells a style where its sagas stand, on disk: one log, or an outbox for each service."""
    rows = max(1, int((high - HEAD) // ROW))
    if group.orchestrator:
        return _records(view, group.orchestrator, x, y, rows)
    return _outboxes(view, [each for each in group.services if isinstance(each, Peer)], x, y, rows)


def _records(view: ProcessView, boss: Orchestrator, x: float, y: float, rows: int) -> list[Mark]:
    """The orchestrator's saga log on its disk, two columns from top to bottom; of a long one the end."""
    first = max(0, len(boss.log) - 2 * rows)
    title = f"Saga log on disk, from line {first + 1}" if first else f"Saga log, on {boss.id}'s disk"
    boxes = [_record(view.world, boss.log[at], at) for at in range(first, len(boss.log))]
    marks: list[Mark] = [
        small("log", x, y + 12, cut(title, LOG), strong=True, title=f"The saga log, on the disk of {boss.id}"),
        *stack(boxes[:rows], x, y + HEAD, COLUMN, pitch=ROW),
        *stack(boxes[rows:], x + COLUMN + 8, y + HEAD, COLUMN, pitch=ROW),
    ]
    return marks if boxes else [*marks, small("log:empty", x, y + HEAD + 12, "empty")]


def _record(world: World, record: Record, at: int) -> Box:
    step = "" if record.what == PIVOT_PASSED else record.step  # the line before it has the pivot's name
    what = record.detail if record.what == ENDED else record.what
    words, room = f"{record.saga} {step}".strip(), COLUMN - 8
    if step and wide(words) + wide(what) + 24 > room:
        words = step  # its colour says whose it is
    title = f"line {at + 1} of the saga log: {record}"
    return box(f"record:{at}", fitting(words, what, room), saga_role(world, record.saga), "row", title)


def _outboxes(view: ProcessView, peers: Sequence[Peer], x: float, y: float, rows: int) -> list[Mark]:
    """The events in the outboxes: on the disks of services, not acknowledged yet."""
    lines = [(peer, row) for peer in peers for row in peer.outbox]
    title = f"Outboxes, on disk{f' ({rows} of {len(lines)})' if len(lines) > rows else ''}"
    boxes = [_outgoing(view, peer, row) for peer, row in lines[:rows]]
    told = "The outboxes, on the disks of the services"
    marks: list[Mark] = [
        small("outbox", x, y + 12, title, strong=True, title=told),
        *stack(boxes, x, y + HEAD, LOG, pitch=ROW),
    ]
    return marks if lines else [*marks, small("outbox:empty", x, y + HEAD + 12, "empty: every event is acknowledged")]


def _outgoing(view: ProcessView, peer: Peer, row: Outgoing) -> Box:
    published = row.event.number in peer.published
    sent = "published, not acknowledged" if published else "not published yet"
    title = f"number {row.event.number} in the outbox of {peer.id}: {row.event}, to {row.to}; {sent}"
    text = fitting(f"{peer.id} → {row.to}", str(row.event), LOG - 12)
    role, tone = saga_role(view.world, row.event.saga), "row" if published else "dashed"
    return box(f"outgoing:{peer.id}:{row.event.number}", text, role, tone, title)  # type: ignore[arg-type]


def lines(group: Group) -> tuple[str, ...]:
    """The records of the log, or the events of the outboxes, one line for each."""
    if group.orchestrator:
        log = group.orchestrator.log
        return tuple(" ".join(filter(None, (each.saga, each.step, each.what))) for each in log)
    peers = [each for each in group.services if isinstance(each, Peer)]
    return tuple(f"{peer.id} → {row.to}: {row.event}" for peer in peers for row in peer.outbox)


# Seen from outside


def outside(world: World, x: float, y: float) -> Iterator[Mark]:
    """What a reader of all databases sees now, and which answers the clients got."""
    seen = observer(world) or ("nothing half done",)
    title = "What a reader of all databases sees now"
    yield small("reader", x, y, "A reader now sees", strong=True, title=title)
    for at, line in enumerate(_lines(seen)):
        yield small(f"reader:{at}", x, y + (at + 1) * LINE, line, "ink", title="; ".join(seen))
    told = _told([call for call in world.calls if isinstance(call.body, Begin)])
    text = told if len(told) <= LETTERS else told.replace("completed", "✓").replace("compensated", "↩")
    yield small("client", x, y + (READER + 1) * LINE + 4, cut(text, OUTSIDE), title=told)


def _lines(seen: Sequence[str]) -> list[str]:
    """The view from outside, in as many lines as there is room for, shared by the sagas."""
    lines: list[str] = []
    each = max(1, READER // len(seen))
    for saga in seen[:READER]:
        words = wrap(saga.replace("what is seen may be", "all may be"), LETTERS)
        lines += words if len(words) <= each else [*words[: each - 1], f"{words[each - 1][: LETTERS - 1]}…"]
    return lines


def _told(calls: Sequence[Call]) -> str:
    """Which clients wait, and what the others were told: `A1 completed` is for A."""
    waits = ", ".join(call.client for call in calls if call.waits)
    replies = ", ".join(str(call.reply) for call in calls if not call.waits)
    parts = [*([f"waiting: {waits}"] if waits else []), *([f"told: {replies}"] if replies else [])]
    return "; ".join(parts) or "no client has asked yet"


def height() -> float:
    """What `outside` takes, from its first baseline."""
    return (READER + CLIENT) * LINE + 8
