"""Processes and the messages between them: seats, links, messages, cuts, timers.

Everything here is a pure function of a world. Which role a message or a process plays is said by the view that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import hypot
from typing import Any

from patterns.engine.world import Packet, Timer, World
from widgets.scene import Label, Line, Mark, Role, around

Point = tuple[float, float]
Ends = tuple[Point, Point]
EndsOf = Callable[[str, str], Ends]
"""Where the link between two processes leaves the first and reaches the second."""
NEAR, FAR = 0.24, 0.63  # parts of its link on which a message is drawn, so that it never lies under a process; not
# mirrored, so that the words of two messages about to leave and to reach one process stand apart
BESIDE = 6  # pixels between a message and its link: answers come on the other side
LETTER, LINE = 7, 16  # pixels that a letter of a message's words takes, and a line


def circle(names: Sequence[str], middle: Point, r: float) -> dict[str, Point]:
    """Seats on a circle, the first at the top, clockwise."""
    return {name: around(*middle, r, i / len(names)) for i, name in enumerate(names)}


def row(names: Sequence[str], y: float, left: float, right: float) -> dict[str, Point]:
    """Seats in a row, each in the middle of an equal part of the way from `left` to `right`."""
    part = (right - left) / max(1, len(names))
    return {name: (round(left + part * (i + 0.5), 1), y) for i, name in enumerate(names)}


def between(a: Point, b: Point, radius: float) -> Ends:
    """The ends of the link between two seats, outside of both."""
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    ux, uy = (b[0] - a[0]) / length * radius, (b[1] - a[1]) / length * radius
    return (round(a[0] + ux, 1), round(a[1] + uy, 1)), (round(b[0] - ux, 1), round(b[1] - uy, 1))


def travelled(packet: Packet, clock: int) -> float:
    """The part of its way that a packet has behind it; a late one waits at the end."""
    span = packet.due - packet.sent
    return 1.0 if span <= 0 else min(1.0, max(0.0, (clock - packet.sent) / span))


def messages(world: World, ends: EndsOf, colour: Callable[[Any], Role], short: Callable[[Any], str]) -> list[Mark]:
    """Every packet on its way as an arrow along its link, both ways side by side; thin if `short` has no words."""
    beside = _words_beside(world, ends, short)
    return [
        _message(packet, ends(packet.sender, packet.to), world.clock, colour(packet.body), beside.get(packet.id))
        for packet in world.packets
    ]


def _message(packet: Packet, ends: Ends, clock: int, role: Role, words: str | None) -> Mark:
    """One message; `words` is None if it has none, and empty if another message has its words."""
    (x, y), (x2, y2) = ends
    part, length = NEAR + (FAR - NEAR) * travelled(packet, clock), hypot(x2 - x, y2 - y) or 1.0
    sx, sy = x - (y2 - y) / length * BESIDE, y + (x2 - x) / length * BESIDE
    return Line(
        id=f"message:{packet.id}",
        x=round(sx, 1),
        y=round(sy, 1),
        x2=round(sx + (x2 - x) * part, 1),
        y2=round(sy + (y2 - y) * part, 1),
        arrow=True,
        wide=1.2 if words is None else 2.2,
        role=role,
        tone="soft" if words is None else "outline",
        text=words or "",
        title=f"{packet.body}, {packet.sender} → {packet.to}, due at {packet.due} ms",
    )


def _words_beside(world: World, ends: EndsOf, short: Callable[[Any], str]) -> dict[int, str]:
    """The words beside each packet's arrow. If several are so near to one another on a link that their words would
    overlap, the foremost has the words of all, in the order in which they arrive."""
    beside: dict[int, str] = {}
    foremost: dict[tuple[str, str], Packet] = {}
    for packet in world.packets:
        words, link = short(packet.body), (packet.sender, packet.to)
        if not words:
            continue
        beside[packet.id] = ""
        ahead = foremost.get(link)
        if ahead is not None:
            (x, y), (x2, y2) = ends(*link)
            apart = (FAR - NEAR) * (travelled(ahead, world.clock) - travelled(packet, world.clock))
            letters = max(len(words), len(beside[ahead.id]))
            if apart * abs(x2 - x) < LETTER * letters and apart * abs(y2 - y) < LINE:
                first, said = beside[ahead.id].partition(" ")[0], beside[ahead.id].split(", ")
                more = words.removeprefix(f"{first} ")  # append 1, 1-2
                if words not in said and more not in said[1:]:  # what is sent again is said once
                    beside[ahead.id] += f", {more}"
                continue
        foremost[link] = packet
        beside[packet.id] = words
    return beside


def cuts(world: World, ends: EndsOf) -> list[Mark]:
    """Every cut link, crossed out in the middle; a one-way cut is an arrow that does not get through."""
    marks: list[Mark] = []
    for a, b in sorted(world.cuts):
        both = (b, a) in world.cuts
        if both and b < a:
            continue
        (x, y), (x2, y2) = ends(a, b)
        title = f"{a} and {b} are cut off from each other" if both else f"nothing gets from {a} to {b}"
        marks.append(Line(id=f"cut:{a}:{b}", x=x, y=y, x2=x2, y2=y2, role="bad", tone="dashed", wide=1.2, title=title))
        mx, my, sign = (x + x2) / 2, (y + y2) / 2 + 5, "✕" if both else "⊘"
        marks.append(Label(id=f"cutsign:{a}:{b}", x=mx, y=my, text=sign, role="bad", anchor="middle", strong=True))
    return marks


def state_of(world: World, process: str) -> str:
    """`crashed`, `paused` or `up`."""
    return "crashed" if process in world.down else "paused" if process in world.paused else "up"


def running(world: World, process: str) -> list[tuple[Timer, int]]:
    """The timers of a process that run, by name, each with the ms that are left."""
    timers = [timer for timer in world.timers if timer.process == process and timer.due > timer.set]
    return [(timer, max(0, timer.due - world.clock)) for timer in sorted(timers, key=lambda timer: timer.name)]


def timer_in_words(timer: Timer, left: int) -> str:
    """A timer as its mark's title."""
    name, _, about = timer.name.partition(":")
    return f"{timer.process}'s {name} timer{f' for {about}' if about else ''}: {left} ms left"
