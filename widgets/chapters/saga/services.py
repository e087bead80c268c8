"""The services, each with its own database, and what is on its way between them.

Framed is what is on disk: the rows, and below them the requests that were handled. What is in memory stands unframed.
Under an orchestrator the services stand in a column beside it; without one they stand to the left and right in turn,
so that the way from any of them to any other is free.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from patterns.engine.world import Timer, World
from patterns.saga.actions import Row
from patterns.saga.database import Database
from patterns.saga.orchestrator import Waiting
from patterns.saga.records import Handled
from widgets.kit.old import Seats, cuts, messages
from widgets.scene import Box, Label, Mark

from .words import SIGNS, Group, in_short, message_role, saga_role

WIDTH = 296
CARD, HEADER, ROW, SEEN, GAP = 128, 24, 21, 16, 12
BOSS = 84
MOST_ROWS, MOST_SEEN, MOST_WAITING = 4, 2, 8
NARROW = 9
"""Letters of what the orchestrator waits for that leave room for how often it asked."""
NEAR = 3  # pixels that a link keeps from what it joins


class Card(NamedTuple):
    """A service's place, from its top left corner."""

    x: float
    y: float
    high: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + CARD / 2, self.y + self.high / 2


def card_height(service: Database, seen: bool) -> float:
    return HEADER + 4 + min(MOST_ROWS, len(service.rows)) * ROW + (MOST_SEEN * SEEN + 2 if seen else 0)


def height(group: Group, seen: bool = True) -> float:
    """What the services of a group take, with or without what they have handled."""
    return sum(card_height(each, seen) + GAP for each in group.services) - GAP


def draw(world: World, before: World | None, group: Group, x: float, y: float, seen: bool = True) -> list[Mark]:
    """The marks of a group, `WIDTH` wide; what is other than in `before` shows what it was."""
    places: dict[str, Card] = {}
    top = y
    for at, service in enumerate(group.services):
        left = not group.orchestrator and at % 2 == 0
        places[service.id] = Card(x if left else x + WIDTH - CARD, top, card_height(service, seen))
        top += places[service.id].high + GAP
    marks: list[Mark] = []
    for service in group.services:
        marks += _card(world, before, service, places[service.id], seen)
    if group.orchestrator:
        marks += _orchestrator(world, group, x, y, top - GAP - y)
    return [*marks, *_links(world, group, places, x + BOSS)]


# A service and its database


def _card(world: World, before: World | None, service: Database, card: Card, seen: bool) -> Iterator[Mark]:
    name, x, y = service.id, card.x, card.y
    yield Box(
        id=f"disk:{name}",
        x=x,
        y=y + HEADER,
        w=CARD,
        h=card.high - HEADER,
        role="line",
        title=f"on the disk of {name}: its rows, and what it has handled",
    )
    yield _header(world, name, x, y, CARD)
    yield from _timers(world, name, x, y + HEADER - 3, CARD)
    was = {row.key: row for row in before[name].rows} if before else {}
    rows = service.rows[:MOST_ROWS]
    for at, row in enumerate(rows):
        yield _row(world, service, row, was.get(row.key, row), x + 3, y + HEADER + 3 + at * ROW)
    if seen:
        y += HEADER + 3 + len(rows) * ROW
        yield from _seen(service, x + 5, y + 12)


def _header(world: World, name: str, x: float, y: float, w: float) -> Mark:
    """A process: what it has in memory is gone when it crashes."""
    down, paused = name in world.down, name in world.paused
    short = name.rstrip("'")
    state = "crashed: its memory is gone, its disk is not" if down else "stands still" if paused else "up"
    return Box(
        id=f"process:{name}",
        x=x,
        y=y,
        w=w,
        h=HEADER,
        text=f"✕ {short}" if down else f"❚❚ {short}" if paused else short,
        role="down" if down else "ink",
        tone="dashed" if down or paused else "soft",
        title=f"{name}: {state}",
    )


def _timers(world: World, name: str, x: float, y: float, w: float) -> Iterator[Mark]:
    """Each running timer as a thin bar that runs out."""
    running = [timer for timer in world.timers if timer.process == name and timer.due > timer.set]
    for at, timer in enumerate(sorted(running, key=lambda each: each.name)):
        left = max(0, timer.due - world.clock)
        part = min(1.0, left / (timer.due - timer.set))
        yield Box(
            id=f"timer:{name}:{timer.name}",
            x=x,
            y=y - 3 * at,
            w=round(max(2.0, w * part), 1),
            h=3,
            role="accent",
            tone="solid",
            title=_timer_in_words(name, timer, left),
        )


def _timer_in_words(name: str, timer: Timer, left: int) -> str:
    return f"{name}'s {timer.name} timer: {left} ms left"


def _row(world: World, service: Database, row: Row, was: Row, x: float, y: float) -> Mark:
    """A row: its value before and after where this step changed it, and whose mark is on it."""
    changed = (row.value, row.version) != (
        was.value,
        was.version,
    )  # written, if with what it was already: a lost update
    value = f"{was.value} → {row.value}" if changed else f"{row.value}"
    text = f"{row.key} {value}" + (f" · {row.pending}" if row.pending else "")
    marked = f", marked by {row.pending}: not final" if row.pending else ""
    return Box(
        id=f"row:{service.id}:{row.key}",
        x=x,
        y=y,
        w=CARD - 6,
        h=ROW - 2,
        text=text,
        role="accent" if changed else saga_role(world, row.pending) if row.pending else "ink",
        tone="solid" if changed else "dashed" if row.pending else "outline",
        title=f"{service.id}: {row.key} is {row.value}" + (f", it was {was.value}" if changed else "") + marked,
    )


def _seen(service: Database, x: float, y: float) -> Iterator[Mark]:
    """What it has handled, a line a step: what came of the request, and of its compensation."""
    lines: dict[tuple[str, str], str] = {}
    for each in service.handled:
        what = (each.saga, each.step)
        lines[what] = lines.get(what, f"{each.saga.rstrip(chr(39))} {each.step}") + f" {_sign(each)}"
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
        yield Label(
            id=f"handled:{service.id}:{at}",
            x=x,
            y=y + at * SEEN,
            text=text,
            size="small",
            role="soft",
            title=f"handled by {service.id}: {title}",
        )


def _sign(each: Handled) -> str:
    return SIGNS.get(each.outcome, each.outcome)


# The orchestrator


def _orchestrator(world: World, group: Group, x: float, y: float, high: float) -> Iterator[Mark]:
    """Its process, as high as all services, and in its memory what it waits for: a crash wipes that."""
    boss = group.orchestrator
    assert boss is not None
    down = boss.id in world.down
    yield Box(
        id="memory",
        x=x,
        y=y + HEADER,
        w=BOSS,
        h=high - HEADER,
        role="down" if down else "line",
        tone="dashed",
        title=f"in the memory of {boss.id}: what it waits for; a crash wipes it, and leaves its log on disk",
    )
    yield replace(_header(world, boss.id, x, y, BOSS), text="✕ crashed" if down else boss.id)
    yield from _timers(world, boss.id, x, y + HEADER - 3, BOSS)
    words = ("memory", "wiped") if down else ("waits for",) if boss.waiting else ("waits for", "nothing")
    for at, word in enumerate(words):
        yield Label(
            id=f"memory:{at}",
            x=x + 5,
            y=y + HEADER + 16 + at * SEEN,
            text=word,
            size="small",
            role="bad" if down else "soft",
        )
    for at, waiting in enumerate(boss.waiting[:MOST_WAITING]):
        yield _waiting(world, waiting, at, x + 5, y + HEADER + 32)
    if len(boss.waiting) > MOST_WAITING:
        more, y = f"and {len(boss.waiting) - MOST_WAITING} more", y + HEADER + 32 + MOST_WAITING * SEEN
        yield Label(id="waiting:more", x=x + 5, y=y, text=more, size="small", role="soft")


def _waiting(world: World, waiting: Waiting, at: int, x: float, y: float) -> Mark:
    words = in_short(world, waiting.command)
    tries = f" ×{waiting.tries}" if waiting.tries > 1 and len(words) <= NARROW else ""
    return Label(
        id=f"waiting:{at}",
        x=x,
        y=y + at * SEEN,
        text=words + tries,
        size="small",
        role=saga_role(world, waiting.command.saga),
        title=f"waits for {waiting.to} to answer: {waiting.command}, sent {waiting.tries} times",
    )


# What is on its way


def _links(world: World, group: Group, places: dict[str, Card], boss: float) -> list[Mark]:
    """Messages and cuts, link by link: each link has its own two ends."""
    marks: list[Mark] = []
    names = [each.id for each in group.processes]
    packets = [packet for packet in world.packets if packet.sender in names and packet.to in names]
    broken = {(a, b) for a, b in world.cuts if a in names and b in names}
    pairs = dict.fromkeys([(p.sender, p.to) for p in packets] + sorted(broken))
    drawn: set[frozenset[str]] = set()
    for sender, to in pairs:
        if frozenset((sender, to)) in drawn:
            continue
        drawn.add(frozenset((sender, to)))
        at: Seats = dict(zip((sender, to), _ends(sender, to, places, boss), strict=True))
        here = replace(
            world,
            packets=tuple(p for p in packets if {p.sender, p.to} == {sender, to}),
            cuts=frozenset(cut for cut in broken if {*cut} == {sender, to}),
        )
        marks += cuts(here, at, NEAR)
        marks += messages(here, at, NEAR, lambda body: message_role(world, body), lambda body: in_short(world, body))
    return marks


def _ends(a: str, b: str, places: dict[str, Card], boss: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the link between two processes leaves the one and reaches the other; from an orchestrator, whose right edge
    is at x = `boss`, straight to the service."""
    if a in places and b in places:
        return _leaves(places[a], places[b].middle), _leaves(places[b], places[a].middle)
    card = places[a] if a in places else places[b]
    level = card.y + HEADER / 2
    ends = (boss, level), (card.x, level)
    return ends if b in places else ends[::-1]


def _leaves(card: Card, towards: tuple[float, float]) -> tuple[float, float]:
    """Where the straight way from the middle of a card to a point leaves the card."""
    (x, y), (tx, ty) = card.middle, towards
    dx, dy = tx - x, ty - y
    part = min(CARD / 2 / abs(dx) if dx else 9.0, card.high / 2 / abs(dy) if dy else 9.0)
    return round(x + dx * part, 1), round(y + dy * part, 1)


def in_words(world: World, group: Group) -> str:
    """Who is there, and what is in the databases."""
    words = []
    for process in group.processes:
        state = "has crashed" if process.id in world.down else "stands still" if process.id in world.paused else "is up"
        rows = ", ".join(
            f"{row}{f' marked by {row.pending}' * bool(row.pending)}" for row in getattr(process, "rows", ())
        )
        words.append(f"{process.id} {state}{f' and has {rows}' if rows else ''}")
    return "; ".join(words)
