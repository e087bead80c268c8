"""What the pictures of all simulated processes share: seats round a circle, messages on their way, cuts, clients.

Pure, like every view; which role a message or a process plays is said by the view that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import dist, hypot
from typing import Any

from patterns.engine.step import Step
from patterns.engine.trace import lost, sent, written
from patterns.engine.world import Crash, Cut, Delay, Drop, Duplicate, Packet, Pause, World
from widgets.scene import Arc, Fact, Label, Line, Mark, Role, around

Seats = Mapping[str, tuple[float, float]]
FAULTS = (Crash, Cut, Pause, Drop, Duplicate, Delay)
NEAR, FAR = 0.24, 0.63  # parts of its link on which a message is drawn, so that it never lies under a process; not
# mirrored, so that the words of two messages about to leave and to reach one process stand apart
LETTER = 7  # pixels that a letter of a message's words takes


def seats(names: Sequence[str], x: float, y: float, r: float) -> dict[str, tuple[float, float]]:
    """Where each process sits: on a circle, the first at the top, clockwise."""
    return {name: around(x, y, r, i / len(names)) for i, name in enumerate(names)}


def between(a: tuple[float, float], b: tuple[float, float], radius: float) -> tuple[tuple[float, float], ...]:
    """The ends of the link between two seats, outside of both."""
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    ux, uy = (b[0] - a[0]) / length * radius, (b[1] - a[1]) / length * radius
    return (round(a[0] + ux, 1), round(a[1] + uy, 1)), (round(b[0] - ux, 1), round(b[1] - uy, 1))


def travelled(packet: Packet, clock: int) -> float:
    """The part of its way that a packet has behind it; a late one waits at the end."""
    span = packet.due - packet.sent
    return 1.0 if span <= 0 else min(1.0, max(0.0, (clock - packet.sent) / span))


def messages(
    world: World, at: Seats, radius: float, role_of: Callable[[Any], Role], words_of: Callable[[Any], str]
) -> list[Mark]:
    """Every packet on its way as an arrow along its link, two ways side by side; thin where `words_of` it are none."""
    marks: list[Mark] = []
    beside = _words_beside(world, at, words_of)
    for packet in world.packets:
        (x, y), (x2, y2) = between(at[packet.sender], at[packet.to], radius)
        part = NEAR + (FAR - NEAR) * travelled(packet, world.clock)
        length = hypot(x2 - x, y2 - y) or 1.0
        sx, sy = x - (y2 - y) / length * 6, y + (x2 - x) / length * 6  # beside the link: answers come on its other side
        words = words_of(packet.body)
        marks.append(
            Line(
                id=f"message:{packet.id}",
                x=round(sx, 1),
                y=round(sy, 1),
                x2=round(sx + (x2 - x) * part, 1),
                y2=round(sy + (y2 - y) * part, 1),
                arrow=True,
                wide=2.2 if words else 1.2,
                role=role_of(packet.body),
                tone="outline" if words else "soft",
                text=beside.get(packet.id, ""),
                title=f"{packet.body}, {packet.sender} → {packet.to}, due at {packet.due} ms",
            )
        )
    return marks


def _words_beside(world: World, at: Seats, words_of: Callable[[Any], str]) -> dict[int, str]:
    """What stands beside each packet's arrow. Of those so near to one another on a link that their words would cover
    each other, the foremost has the words of all, in the order they arrive."""
    beside: dict[int, str] = {}
    foremost: dict[tuple[str, str], Packet] = {}
    for packet in world.packets:
        words, link = words_of(packet.body), (packet.sender, packet.to)
        if not words:
            continue
        ahead = foremost.get(link)
        if ahead is not None:
            apart = (FAR - NEAR) * (travelled(ahead, world.clock) - travelled(packet, world.clock))
            if apart * dist(at[packet.sender], at[packet.to]) < LETTER * max(len(words), len(beside[ahead.id])):
                first, said = beside[ahead.id].partition(" ")[0], beside[ahead.id].split(", ")
                more = words.removeprefix(f"{first} ")  # append 1, 1-2
                if words not in said and more not in said[1:]:  # what is sent again is said once
                    beside[ahead.id] += f", {more}"
                continue
        foremost[link] = packet
        beside[packet.id] = words
    return beside


def cuts(world: World, at: Seats, radius: float) -> list[Mark]:
    """Every cut link, crossed out in the middle; a one-way cut is an arrow that does not get through."""
    marks: list[Mark] = []
    for a, b in sorted(world.cuts):
        both = (b, a) in world.cuts
        if both and b < a:
            continue
        (x, y), (x2, y2) = between(at[a], at[b], radius)
        title = f"{a} and {b} are cut off from each other" if both else f"nothing gets from {a} to {b}"
        marks.append(Line(id=f"cut:{a}:{b}", x=x, y=y, x2=x2, y2=y2, role="bad", tone="dashed", wide=1.2, title=title))
        mx, my, sign = (x + x2) / 2, (y + y2) / 2 + 5, "✕" if both else "⊘"
        marks.append(Label(id=f"cutsign:{a}:{b}", x=mx, y=my, text=sign, role="bad", anchor="middle", strong=True))
    return marks


def timer_arc(world: World, process: str, timer: str, at: Seats, r: float, longest: int, role: Role) -> list[Mark]:
    """A running timer as an arc that runs out; a whole circle is `longest` ms."""
    running = world.timer(process, timer)
    if running is None:
        return []
    left = max(0, running.due - world.clock)
    x, y = at[process]
    part = round(min(1.0, left / longest), 3)
    title = f"{process}'s {timer} timer: {left} ms left"
    return [Arc(id=f"timer:{process}:{timer}", x=x, y=y, r=r, start=0, end=part, role=role, tone="soft", title=title)]


def calls(world: World, x: float, y: float, most: int = 3) -> list[Mark]:
    """What each client asked last and what it got, a line each."""
    marks: list[Mark] = []
    for i, call in enumerate(world.calls[:most]):
        got = "waits" if call.waits else str(call.reply)
        text = f"client {call.client}: {call.body} → {call.to}: {got}"
        role = "ink" if call.waits else "soft"
        marks.append(Label(id=f"client:{call.client}", x=x, y=y + 18 * i, text=text, size="small", role=role))
    return marks


def is_fault(step: Step[World, Any]) -> bool:
    """Whether something went wrong in this step. A message lost because its receiver was down or cut off is no new
    fault."""
    packet = lost(step)
    if packet is not None and step.parent is not None:
        before = step.parent.state
        return packet.to not in before.down and (packet.sender, packet.to) not in before.cuts
    return isinstance(step.event, FAULTS)


def sends_of(step: Step[World, Any]) -> tuple[Fact, ...]:
    """What was sent in the step, one line for each message and all it went to."""
    lines: dict[tuple[str, str], list[str]] = {}
    for packet in sent(step) if step.parent else ():
        lines.setdefault((packet.sender, str(packet.body)), []).append(packet.to)
    return tuple(Fact(who, "sends", f"{body} → {', '.join(to)}", "in flight") for (who, body), to in lines.items())


def costs_of(step: Step[World, Any]) -> dict[str, int]:
    """Messages sent and forced writes to disk."""
    return {"messages": len(sent(step)), "disk writes": int(bool(written(step)))}
