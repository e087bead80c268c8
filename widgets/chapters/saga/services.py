"""The processes of a group in a row, each with its database below it, the messages between them above it.

The orchestrator, if there is one, stands first, above its memory. A frame is a disk: the rows, and below them the
requests that were handled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from patterns.saga.actions import Row
from patterns.saga.database import Database
from patterns.saga.orchestrator import Orchestrator, Waiting
from widgets.kit import (
    Ends,
    Point,
    ProcessView,
    arched,
    box,
    cut,
    cuts,
    messages,
    running,
    small,
    stack,
    state_of,
    timer_in_words,
)
from widgets.scene import Box, Mark, Role, Tone

from .groups import SIGNS, Group, are_several, saga_role
from .path import WIDTH

BAND, LOW, HEADER, ROW, SEEN, GAP = 46, 32, 20, 18, 15, 6
"""What the messages take above the processes, less where two groups stand; a header, a row, a handled request; pixels
between two processes."""
MOST_ROWS, MOST_SEEN = 4, 2
BROAD = 0.2
"""So much wider is the orchestrator than a service."""
NARROW = 9
"""Letters of what the orchestrator waits for that leave room for how often it asked."""
NEAR = 12  # pixels beside the middle of a process where its links begin
_STATES: Mapping[str, tuple[str, Role, Tone, str]] = {
    "crashed": ("✕ ", "down", "outline", "has crashed"),
    "paused": ("❚❚ ", "soft", "dashed", "is paused"),
    "up": ("", "soft", "soft", "is up"),
}
"""The state of a process -> its sign, its look, and in a sentence."""


class Card(NamedTuple):
    """A process's place, from its top left corner: its header, and below it its database or its memory."""

    x: float
    y: float
    wide: float
    high: float


def card_height(service: Database, seen: bool) -> float:
    return HEADER + 4 + min(MOST_ROWS, len(service.rows)) * ROW + (MOST_SEEN * SEEN + 2 if seen else 0)


def height(group: Group, seen: bool = True) -> float:
    """What a group takes, with or without what its services have handled."""
    return (BAND if seen else LOW) + max(card_height(each, seen) for each in group.services)


def draw(view: ProcessView, group: Group, x: float, y: float, seen: bool = True) -> list[Mark]:
    """The marks of a group, `WIDTH` wide."""
    high, boss, left = height(group, seen), group.orchestrator, x
    unit = min(150.0, WIDTH / (len(group.processes) + BROAD * bool(boss)))
    places: dict[str, Card] = {}
    for process in group.processes:
        wide = unit * (1 + BROAD * (process is boss))
        band = BAND if seen else LOW
        places[process.id] = Card(round(left, 1), y + band, round(wide - GAP, 1), high - band)
        left += wide + (WIDTH - unit * (len(group.processes) + BROAD * bool(boss))) / max(1, len(group.processes) - 1)
    seats = {name: (card.x + card.wide / 2, card.y) for name, card in places.items()}
    marks: list[Mark] = []
    for service in group.services:
        marks += _card(view, service, places[service.id], seen)
    if boss:
        marks += _orchestrator(view, boss, places[boss.id])
    return [*marks, *_links(view, group, seats)]


def _header(view: ProcessView, name: str, x: float, y: float, w: float) -> Iterator[Mark]:
    """A process, and its timers as thin bars that run out: two below its name, the others above it."""
    sign, role, tone, words = _STATES[state_of(view.world, name)]
    kept = ": its memory is gone, its disk is not" if name in view.world.down else ""
    header = box(f"process:{name}", cut(sign + name, w - 6), role, tone, f"{name} {words}{kept}")
    yield from stack([header], x, y, w, pitch=HEADER + 2)
    for at, (timer, left) in enumerate(running(view.world, name)):
        wide = round(max(2.0, w * min(1.0, left / view.whole(timer))), 1)
        y3 = y + (HEADER - 2 - 3 * at if at < 2 else 3 * at - 5)
        id, title = f"timer:{name}:{timer.name}", timer_in_words(timer, left)
        yield Box(id=id, x=x, y=y3, w=wide, h=2, role="soft", tone="solid", title=title)


# A service and its database


def _card(view: ProcessView, service: Database, card: Card, seen: bool) -> Iterator[Mark]:
    name, x, y, w = service.id, card.x, card.y, card.wide
    title = f"on the disk of {name}: its rows, and the requests that it has handled"
    yield Box(id=f"disk:{name}", x=x, y=y + HEADER, w=w, h=card.high - HEADER, role="soft", title=title)
    yield from _header(view, name, x, y, w)
    before = view.before(service)
    was = {each.key: each for each in before.rows} if before else {}
    rows = [_row(view, name, each, was.get(each.key, each)) for each in service.rows[:MOST_ROWS]]
    yield from stack(rows, x + 2, y + HEADER + 2, w - 4, pitch=ROW)
    if seen:
        yield from _seen(view, service, x + 5, y + HEADER + 13 + len(rows) * ROW)


def _row(view: ProcessView, service: str, row: Row, was: Row) -> Box:
    """A row and its value; one that is marked is filled, and says by which saga.

    A write with the value that was there, a lost update perhaps, is seen by the version alone.
    """
    text, title = f"{row.key}\t{row.value}", f"{service}: {row.key} is {row.value}"
    again = row.value == was.value and row.version != was.version
    title += ", written once more with the value that it had" if again else ""
    if not row.pending:
        return box(f"row:{service}:{row.key}", text, "accent" if again else "ink", "row", title)
    text, title = f"{row.key} · {row.pending}\t{row.value}", f"{title}, marked by {row.pending}: not final"
    return box(f"row:{service}:{row.key}", text, saga_role(view.world, row.pending), "soft", title)


def _seen(view: ProcessView, service: Database, x: float, y: float) -> Iterator[Mark]:
    """What it has handled, a line for each step: what came of the request, and of its compensation."""
    several = are_several(view.world)
    lines: dict[tuple[str, str], str] = {}
    for each in service.handled:
        what, sign = (each.saga, each.step), SIGNS.get(each.outcome, each.outcome)
        name = f"{each.saga} {each.step}" if several else each.step
        lines[what] = lines.get(what, name) + f" {sign}"
    words = list(lines.items())
    if len(words) > MOST_SEEN:
        more = len(words) - MOST_SEEN + 1
        words = [(("", ""), f"{more} others"), *words[-MOST_SEEN + 1 :]]
    for at, ((saga, step), text) in enumerate(words):
        title = "; ".join(
            f"{'undo ' if each.undo else ''}{each.step} of {each.saga}: {each.outcome} {each.reason}".strip()
            for each in service.handled
            if not saga or (each.saga, each.step) == (saga, step)
        )
        yield small(f"handled:{service.id}:{at}", x, y + at * SEEN, text, title=f"handled by {service.id}: {title}")


# The orchestrator


def _orchestrator(view: ProcessView, boss: Orchestrator, card: Card) -> Iterator[Mark]:
    """In its memory what it waits for: a crash wipes that."""
    down, x, y, w = boss.id in view.world.down, card.x, card.y, card.wide
    title = f"in the memory of {boss.id}: what it waits for; a crash wipes it, and leaves its log on disk"
    look: tuple[Role, Tone] = ("down", "outline") if down else ("soft", "dashed")
    yield Box(id="memory", x=x, y=y + HEADER, w=w, h=card.high - HEADER, role=look[0], tone=look[1], title=title)
    yield from _header(view, boss.id, x, y, w)
    left, top = x + 5, y + HEADER + 14
    words = ("empty",) if down else ("waits for",) if boss.waiting else ("waits for", "nothing")
    for at, word in enumerate(words):
        yield small(f"memory:{at}", left, top + at * SEEN, word)
    lines, waits = int((card.high - HEADER - 14) // SEEN), boss.waiting.values()
    told = len(waits) if len(waits) <= lines else lines - 1
    for at, waiting in enumerate(waits[:told]):
        yield _waiting(view, waiting, at, left, top + SEEN)
    if told < len(waits):
        yield small("waiting:more", left, top + (told + 1) * SEEN, f"and {len(waits) - told} more")


def _waiting(view: ProcessView, waiting: Waiting, at: int, x: float, y: float) -> Mark:
    words, command = view.short(waiting.command), waiting.command
    tries = f" ×{waiting.tries}" if waiting.tries > 1 and len(words) <= NARROW else ""
    title = f"waits for {waiting.to} to answer: {command}, sent {waiting.tries} times"
    return small(f"waiting:{at}", x, y + at * SEEN, words + tries, saga_role(view.world, command.saga), title=title)


# What is on its way


def _links(view: ProcessView, group: Group, seats: Mapping[str, Point]) -> list[Mark]:
    """Messages and cuts within the group."""
    names = {each.id for each in group.processes}
    here = replace(
        view.world,
        processes=group.processes,
        packets=tuple(packet for packet in view.world.packets if {packet.sender, packet.to} <= names),
        cuts=frozenset(cut for cut in view.world.cuts if {*cut} <= names),
    )

    def ends(a: str, b: str) -> Ends:
        (x, y), (x2, y2) = seats[a], seats[b]
        aside = NEAR if x < x2 else -NEAR
        return (x + aside, y - 2), (x2 - aside, y2 - 2)

    return [*cuts(here, ends, seats), *arched(messages(here, ends, view.colour, view.short, view.token), 4, 1 / 16)]


def in_words(view: ProcessView, group: Group) -> str:
    """The processes and the rows of their databases, in words."""
    words = []
    for process in group.processes:
        rows = [f"{row}{f' marked by {row.pending}' * bool(row.pending)}" for row in getattr(process, "rows", ())]
        has = f" and has {', '.join(rows)}" if rows else ""
        words.append(f"{process.id} {_STATES[state_of(view.world, process.id)][-1]}{has}")
    return "; ".join(words)
