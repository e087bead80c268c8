"""The services, each with its own database, and the messages between them.

A frame is a disk: the rows, and below them the requests that were handled. Memory stands unframed.
Under an orchestrator the services stand in a column beside it; without one they stand to the left and right in turn,
so that the way from any of them to any other is free.
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
    between,
    box,
    cuts,
    messages,
    running,
    small,
    stack,
    state_of,
    timer_in_words,
)
from widgets.scene import Box, Mark, Role, Tone

from .words import SIGNS, Group, saga_role

WIDTH = 296
CARD, HEADER, ROW, SEEN, GAP = 128, 24, 21, 16, 12
BOSS = 84
MOST_ROWS, MOST_SEEN, MOST_WAITING = 4, 2, 8
NARROW = 9
"""Letters of what the orchestrator waits for that leave room for how often it asked."""
NEAR = 3  # pixels that a link keeps from what it joins
_STATES: Mapping[str, tuple[str, Role, Tone, str]] = {
    "crashed": ("✕ ", "down", "dashed", "has crashed"),
    "paused": ("❚❚ ", "ink", "dashed", "is paused"),
    "up": ("", "ink", "soft", "is up"),
}
"""The state of a process -> its sign, its look, and in a sentence."""


class Card(NamedTuple):
    """A service's place, from its top left corner."""

    x: float
    y: float
    high: float

    @property
    def middle(self) -> Point:
        return self.x + CARD / 2, self.y + self.high / 2

    def leaves(self, towards: Point) -> Point:
        """Where the straight way from the middle of the card to a point leaves the card."""
        (x, y), (tx, ty) = self.middle, towards
        dx, dy = tx - x, ty - y
        part = min(CARD / 2 / abs(dx) if dx else 9.0, self.high / 2 / abs(dy) if dy else 9.0)
        return round(x + dx * part, 1), round(y + dy * part, 1)


def card_height(service: Database, seen: bool) -> float:
    return HEADER + 4 + min(MOST_ROWS, len(service.rows)) * ROW + (MOST_SEEN * SEEN + 2 if seen else 0)


def height(group: Group, seen: bool = True) -> float:
    """What the services of a group take, with or without what they have handled."""
    return sum(card_height(each, seen) + GAP for each in group.services) - GAP


def draw(view: ProcessView, group: Group, x: float, y: float, seen: bool = True) -> list[Mark]:
    """The marks of a group, `WIDTH` wide."""
    places: dict[str, Card] = {}
    top, boss = y, group.orchestrator
    for at, service in enumerate(group.services):
        left = not boss and at % 2 == 0
        places[service.id] = Card(x if left else x + WIDTH - CARD, top, card_height(service, seen))
        top += places[service.id].high + GAP
    marks: list[Mark] = []
    for service in group.services:
        marks += _card(view, service, places[service.id], seen)
    if boss:
        marks += _orchestrator(view, boss, x, y, top - GAP - y)
    return [*marks, *_links(view, group, places, x + BOSS)]


def _header(view: ProcessView, name: str, x: float, y: float, w: float) -> Iterator[Mark]:
    """A process, and its timers as thin bars that run out."""
    sign, role, tone, words = _STATES[state_of(view.world, name)]
    left_over = ": its memory is gone, its disk is not" if name in view.world.down else ""
    header = box(f"process:{name}", sign + name.rstrip("'"), role, tone, f"{name} {words}{left_over}")
    yield from stack([header], x, y, w, pitch=HEADER + 2)
    for at, (timer, left) in enumerate(running(view.world, name)):
        wide, y3 = round(max(2.0, w * min(1.0, left / view.whole(timer))), 1), y + HEADER - 3 - 3 * at
        id, title = f"timer:{name}:{timer.name}", timer_in_words(timer, left)
        yield Box(id=id, x=x, y=y3, w=wide, h=3, role="accent", tone="solid", title=title)


# A service and its database


def _card(view: ProcessView, service: Database, card: Card, seen: bool) -> Iterator[Mark]:
    name, x, y = service.id, card.x, card.y
    title = f"on the disk of {name}: its rows, and what it has handled"
    yield Box(id=f"disk:{name}", x=x, y=y + HEADER, w=CARD, h=card.high - HEADER, role="line", title=title)
    yield from _header(view, name, x, y, CARD)
    before = view.before(service)
    was = {row.key: row for row in before.rows} if before else {}
    rows = [_row(view, name, row, was.get(row.key, row)) for row in service.rows[:MOST_ROWS]]
    yield from stack(rows, x + 3, y + HEADER + 3, CARD - 6, pitch=ROW)
    if seen:
        yield from _seen(service, x + 5, y + HEADER + 15 + len(rows) * ROW)


def _row(view: ProcessView, service: str, row: Row, was: Row) -> Box:
    """A row: its value before and after if this step changed it, and whose mark is on it."""
    # A write changes the version, even if it writes the value that was there: a lost update.
    changed = (row.value, row.version) != (was.value, was.version)
    text = f"{row.key} {was.value} → {row.value}" if changed else f"{row.key} {row.value}"
    title = f"{service}: {row.key} is {row.value}" + (f", it was {was.value}" if changed else "")
    role, tone = _look(view, row, changed)
    if row.pending:
        text, title = f"{text} · {row.pending}", f"{title}, marked by {row.pending}: not final"
    return box(f"row:{service}:{row.key}", text, role, tone, title)


def _look(view: ProcessView, row: Row, changed: bool) -> tuple[Role, Tone]:
    if changed:
        return "accent", "solid"
    return (saga_role(view.world, row.pending), "dashed") if row.pending else ("ink", "outline")


def _seen(service: Database, x: float, y: float) -> Iterator[Mark]:
    """What it has handled, a line for each step: what came of the request, and of its compensation."""
    lines: dict[tuple[str, str], str] = {}
    for each in service.handled:
        what, sign = (each.saga, each.step), SIGNS.get(each.outcome, each.outcome)
        lines[what] = lines.get(what, f"{each.saga.rstrip(chr(39))} {each.step}") + f" {sign}"
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


def _orchestrator(view: ProcessView, boss: Orchestrator, x: float, y: float, high: float) -> Iterator[Mark]:
    """Its process, as high as all services, and in its memory what it waits for: a crash wipes that."""
    down = boss.id in view.world.down
    title = f"in the memory of {boss.id}: what it waits for; a crash wipes it, and leaves its log on disk"
    memory = Box(id="memory", x=x, y=y + HEADER, w=BOSS, h=high - HEADER, tone="dashed", title=title)
    yield replace(memory, role="down" if down else "line")
    header, *timers = _header(view, boss.id, x, y, BOSS)
    yield replace(header, text="✕ crashed" if down else boss.id)
    yield from timers
    left, top = x + 5, y + HEADER + 16
    words = ("memory", "wiped") if down else ("waits for",) if boss.waiting else ("waits for", "nothing")
    for at, word in enumerate(words):
        yield small(f"memory:{at}", left, top + at * SEEN, word, "bad" if down else "soft")
    for at, waiting in enumerate(boss.waiting.values()[:MOST_WAITING]):
        yield _waiting(view, waiting, at, left, top + SEEN)
    if (more := len(boss.waiting) - MOST_WAITING) > 0:
        yield small("waiting:more", left, top + (MOST_WAITING + 1) * SEEN, f"and {more} more")


def _waiting(view: ProcessView, waiting: Waiting, at: int, x: float, y: float) -> Mark:
    words, command = view.short(waiting.command), waiting.command
    tries = f" ×{waiting.tries}" if waiting.tries > 1 and len(words) <= NARROW else ""
    title = f"waits for {waiting.to} to answer: {command}, sent {waiting.tries} times"
    return small(f"waiting:{at}", x, y + at * SEEN, words + tries, saga_role(view.world, command.saga), title=title)


# What is on its way


def _links(view: ProcessView, group: Group, places: Mapping[str, Card], boss: float) -> list[Mark]:
    """Messages and cuts within the group; the orchestrator's right edge is at x = `boss`."""
    names = {each.id for each in group.processes}
    here = replace(
        view.world,
        packets=tuple(packet for packet in view.world.packets if {packet.sender, packet.to} <= names),
        cuts=frozenset(cut for cut in view.world.cuts if {*cut} <= names),
    )

    def ends(a: str, b: str) -> Ends:
        if a in places and b in places:
            return between(places[a].leaves(places[b].middle), places[b].leaves(places[a].middle), NEAR)
        card = places.get(a) or places[b]
        level = card.y + HEADER / 2
        service, orchestrator = (card.x, level), (boss, level)
        return between(orchestrator, service, NEAR) if b in places else between(service, orchestrator, NEAR)

    return [*cuts(here, ends), *messages(here, ends, view.colour, view.short)]


def in_words(view: ProcessView, group: Group) -> str:
    """The processes and the rows of their databases, in words."""
    words = []
    for process in group.processes:
        rows = [f"{row}{f' marked by {row.pending}' * bool(row.pending)}" for row in getattr(process, "rows", ())]
        has = f" and has {', '.join(rows)}" if rows else ""
        words.append(f"{process.id} {_STATES[state_of(view.world, process.id)][-1]}{has}")
    return "; ".join(words)
