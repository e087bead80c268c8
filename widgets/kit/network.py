"""Processes and the messages between them: seats, links, messages, cuts, timers.

Everything here is a pure function of a world. Which role a message or a process plays is said by the view that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import hypot
from typing import Any

from msgspec.structs import replace

from patterns.engine.sentences import names as names_of
from patterns.engine.world import Packet, Timer, World
from widgets.scene import Label, Line, Mark, Message, Role, around

Point = tuple[float, float]
Ends = tuple[Point, Point]
EndsOf = Callable[[str, str], Ends]
"""Where the link between two processes leaves the first and reaches the second."""
NEAR, FAR = 0.3, 0.72  # parts of its link between which a message rests, so that it never lies under a process

LEAST_GAP, WALL = 40, 80  # pixels between two seats for a wall to stand there; how far it goes on beyond those seats


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


def messages(
    world: World,
    ends: EndsOf,
    colour: Callable[[Any], Role],
    short: Callable[[Any], str],
    token: Callable[[Any], tuple[str, bool]] = lambda message: ("", False),
) -> list[Mark]:
    """Every packet on its way, at the part of it that its age gives; a small one if `short` has no words.

    `token` gives the sign of a message, and whether it is an answer.
    """
    marks: list[Mark] = []
    for packet in world.packets:
        (x, y), (x2, y2) = ends(packet.sender, packet.to)
        words, (sign, reply) = short(packet.body), token(packet.body)
        marks.append(
            Message(
                id=f"message:{packet.id}",
                x=x,
                y=y,
                x2=x2,
                y2=y2,
                part=round(NEAR + (FAR - NEAR) * travelled(packet, world.clock), 3),
                sender=packet.sender,
                to=packet.to,
                role=colour(packet.body),
                tone="outline" if words else "soft",
                text=words,
                sign=sign,
                reply=reply,
                title=f"{packet.body}, {packet.sender} → {packet.to}, due at {packet.due} ms",
            )
        )
    return marks


def arched(marks: Sequence[Mark], low: float, slope: float) -> list[Mark]:
    """Messages between processes in a row: over the heads of those between, the farther the higher, answers lower."""
    return [
        replace(mark, bend=low + (0 if mark.reply else 12) + abs(mark.x2 - mark.x) * slope)
        for mark in marks
        if isinstance(mark, Message)
    ]


def cuts(world: World, ends: EndsOf, seats: Mapping[str, Point] | None = None) -> list[Mark]:
    """What passes no messages. With `seats`, a partition is one wall between its sides, if a straight one has room.

    Any other cut link is crossed out in the middle; a one-way cut is a sign that says so.
    """
    marks: list[Mark] = []
    walled: set[tuple[str, str]] = set()
    for side in _sides(world)[1:] if seats else ():
        rest = [name for name in world.names if name not in side]
        if seats and (wall := _wall(side, rest, seats)):
            marks.append(wall)
            walled |= {link for a in side for b in rest for link in ((a, b), (b, a))}
    for a, b in sorted(world.cuts - walled):
        both = (b, a) in world.cuts
        if both and b < a:
            continue
        (x, y), (x2, y2) = ends(a, b)
        title = f"{a} and {b} are cut off from each other" if both else f"nothing gets from {a} to {b}"
        marks.append(Line(id=f"cut:{a}:{b}", x=x, y=y, x2=x2, y2=y2, role="bad", tone="dashed", wide=1.2, title=title))
        mx, my, sign = (x + x2) / 2, (y + y2) / 2 + 5, "✕" if both else "⊘"
        marks.append(Label(id=f"cutsign:{a}:{b}", x=mx, y=my, text=sign, role="bad", anchor="middle", strong=True))
    return marks


def _sides(world: World) -> list[list[str]]:
    """The processes in groups between which nothing passes either way, the largest group first."""
    sides: list[list[str]] = []
    left = [*world.names]
    while left:
        side = [left.pop(0)]
        for name in side:  # grows while it is walked
            linked = [other for other in left if not {(name, other), (other, name)} <= world.cuts]
            side += linked
            left = [other for other in left if other not in linked]
        sides.append(side)
    return sorted(sides, key=len, reverse=True)


def _wall(side: Sequence[str], rest: Sequence[str], seats: Mapping[str, Point]) -> Line | None:
    """A wall in the widest gap that a straight line finds between two groups of seats; None without such a gap."""

    def along(names: Sequence[str], x: float, y: float) -> list[float]:
        return [seats[name][0] * x + seats[name][1] * y for name in names]

    ways = [around(0, 0, 1, turn / 72) for turn in range(72)]
    gap, (x, y) = max((min(along(rest, *way)) - max(along(side, *way)), way) for way in ways)
    if gap < LEAST_GAP:
        return None
    at, every = max(along(side, x, y)) + gap / 2, along([*side, *rest], -y, x)
    near, middle = along(side, -y, x), sum(every) / len(every)
    low, high = max(min(every), min(near) - WALL), min(max(every), max(near) + WALL)
    low, high = min(low, middle - WALL / 2), max(high, middle + WALL / 2)
    who, others = names_of(side), names_of(rest)
    return Line(
        id=f"cut:{','.join(side)}",
        x=round(x * at - y * low, 1),
        y=round(y * at + x * low, 1),
        x2=round(x * at - y * high, 1),
        y2=round(y * at + x * high, 1),
        role="bad",
        tone="wall",
        title=f"{who} and {others} are cut off from each other",
    )


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
