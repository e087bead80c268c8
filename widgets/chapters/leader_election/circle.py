"""Processes round a circle: the complete graph of the bully algorithm, and the rings with their links."""

from __future__ import annotations

from typing import Any

from patterns.engine.world import World
from patterns.leader_election import (
    Answer,
    Bully,
    Candidacy,
    Coordinator,
    Elected,
    Election,
    From,
    HirschbergSinclair,
    Reply,
)
from patterns.leader_election.lease_messages import Busy, Refused
from widgets.kit.old import Seats, between, cuts, messages, seats
from widgets.scene import Arc, Disc, Fact, Line, Mark, Panel, Role

WIDTH, HEIGHT = 340, 372
X, Y, RADIUS = 170, 182, 122
MOST_WITH_CAPTIONS = 9
"""Up to here there is room for words under each disc."""

ROLES = {Election: "candidate", Answer: "follower", Coordinator: "leader", Candidacy: "candidate", From: "candidate"}


def leader_role(world: World, name: str) -> Role:
    """The colour of who leads or is followed, by its place; they come round again after eight."""
    return f"c{world.names.index(name) % 8 + 1}"


def message_role(message: Any) -> Role:
    """What a message is about: standing for election, being refused, or leading."""
    if isinstance(message, Reply):
        return "good" if message.ok else "bad"
    if isinstance(message, Busy | Refused):
        return "bad"
    return ROLES.get(type(message), "leader" if isinstance(message, Elected) else "accent")


def in_short(message: Any) -> str:
    """A message in a few words; a heartbeat has none."""
    match message:
        case Election():
            return "election"
        case Answer():
            return "answer"
        case Coordinator():
            return "I lead"
        case Candidacy(uid=uid):
            return f"{uid}"
        case From(value=value, num=num, maxnum=most):
            return f"{value}, {num} of {most}"
        case Reply(value=value, ok=ok):
            return f"{'ok' if ok else 'no'} {value}"
        case Elected(leader=leader):
            return f"{leader} leads"
    return ""


def complete(world: World) -> Panel:
    """All know one another: no links but those on which something happens."""
    return _panel(world, _seats(world), [])


def ring(world: World) -> Panel:
    """Clockwise is the order of the ids: each process and the next have a link."""
    at = _seats(world)
    links: list[Mark] = []
    for process in world.processes:
        (x, y), (x2, y2) = between(at[process.id], at[process.right], _radius(world) + 4)  # type: ignore[attr-defined]
        title = f"{process.id}'s neighbour clockwise is {process.right}"  # type: ignore[attr-defined]
        links.append(Line(id=f"link:{process.id}", x=x, y=y, x2=x2, y2=y2, role="line", wide=1.5, title=title))
    return _panel(world, at, links)


def _seats(world: World) -> Seats:
    return seats(world.names, X, Y, RADIUS)


def _radius(world: World) -> int:
    """A disc's; smaller where many sit."""
    n = len(world.processes)
    return 26 if n <= MOST_WITH_CAPTIONS else max(6, 200 // n)


def _panel(world: World, at: Seats, links: list[Mark]) -> Panel:
    radius = _radius(world)
    marks = [*links, *cuts(world, at, radius + 4)]
    for process in world.processes:
        marks += _process(world, process, at)
    marks += messages(world, at, radius + 4, message_role, in_short)
    label = "; ".join(_in_words(world, process) for process in world.processes)
    return Panel(id="processes", width=WIDTH, height=HEIGHT, marks=tuple(marks), label=label)


def _process(world: World, process: Any, at: Seats) -> list[Mark]:
    x, y = at[process.id]
    down, paused, roomy = process.id in world.down, process.id in world.paused, len(at) <= MOST_WITH_CAPTIONS
    disc = Disc(
        id=f"process:{process.id}",
        x=x,
        y=y,
        r=_radius(world),
        text=process.id if len(at) <= 2 * MOST_WITH_CAPTIONS else "",
        sub=f"→ {process.leader}" if roomy and process.leader not in ("", process.id) and not down else "",
        caption=caption(world, process) if roomy else "",
        above=y < Y - RADIUS / 2,
        role=role_of(world, process),
        tone="dashed" if down or paused else "solid" if process.role == "leader" else "outline",
        heavy=process.role == "leader" and not down,
        title=_in_words(world, process),
    )
    return [*_timers(world, process.id, at, _radius(world) + 7), disc]


def role_of(world: World, process: Any) -> Role:
    """A process has the colour of whom it goes by."""
    if process.id in world.down:
        return "down"
    return leader_role(world, process.leader) if process.leader else str(process.role)


def caption(world: World, process: Any) -> str:
    """Its part in the election: a sign and a word."""
    if process.id in world.down:
        return "✕ crashed"
    if process.id in world.paused:
        return "❚❚ paused"
    if process.role == "leader":
        return "★ leads"
    if process.role == "candidate":
        reach = f", {process.maxnum} far" if isinstance(process, HirschbergSinclair) else ""
        return f"◇ stands{reach}"
    return ""


def _timers(world: World, name: str, at: Seats, r: float) -> list[Mark]:
    """The timers that run, each as an arc that runs out; a whole circle is the time it was set for."""
    x, y = at[name]
    arcs: list[Mark] = []
    for timer in world.timers:
        if timer.process != name or timer.due <= timer.set:
            continue
        left = max(0, timer.due - world.clock)
        title = f"{name}'s {timer.name} timer: {left} ms left"
        part = round(min(1.0, left / (timer.due - timer.set)), 3)
        arcs.append(
            Arc(id=f"timer:{name}:{timer.name}", x=x, y=y, r=r, start=0, end=part, role="ink", tone="soft", title=title)
        )
    return arcs


def _in_words(world: World, process: Any) -> str:
    if process.id in world.down:
        return f"{process.id} has crashed"
    paused = ", paused" if process.id in world.paused else ""
    if process.role == "leader":
        return f"{process.id} leads{paused}"
    stands = " stands for election and" if process.role == "candidate" else ""
    return f"{process.id}{stands} {f'goes by {process.leader}' if process.leader else 'knows of no leader'}{paused}"


# Before and after


def facts_of(world: World) -> tuple[Fact, ...]:
    return tuple(fact for process in world.processes for fact in _facts(world, process))


def _facts(world: World, process: Any) -> list[Fact]:
    who = process.id
    if who in world.down:
        return [Fact(who, "role", "crashed", "memory")]
    facts = [Fact(who, "role", process.role, "memory"), Fact(who, "leader", process.leader or "none", "memory")]
    if isinstance(process, Bully) and process.role == "candidate":
        facts.append(Fact(who, "somebody higher answered", "yes" if process.answered else "no", "memory"))
    if isinstance(process, HirschbergSinclair) and process.role == "candidate":
        told = ", ".join("ok" if ok else "no" for _, ok in process.replies)
        facts.append(Fact(who, "asks how far", str(process.maxnum), "memory"))
        facts.append(Fact(who, "replies", told or "none", "memory"))
    return facts
