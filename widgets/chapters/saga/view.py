"""The picture of sagas: each as a path, forward and back; and the services, each with its own database.

Orchestrated, the saga log stands under the path; choreographed, the outboxes do. Where a world holds both styles of the
same saga, each has a panel: path, services, and log or outboxes.
"""

from __future__ import annotations

from typing import Any

from patterns.engine.step import Step
from patterns.engine.trace import received
from patterns.engine.world import World
from patterns.saga.choreography import Peer
from patterns.saga.messages import Ack
from patterns.saga.orchestrator import Orchestrator
from patterns.saga.stages import COMPENSATING, FORWARD, PAST_PIVOT, STUCK, phase_of, told
from patterns.saga.standing import observer
from widgets.kit.old import costs_of, is_fault, sends_of
from widgets.scene import Era, Fact, Mark, Panel, Scene
from widgets.spacetime import moment_of

from . import kept, path, services
from .words import Group, groups, message_role, shown

__all__ = ["costs_of", "facts_of", "quiet", "scene_of", "sends_of", "signs", "title"]

title = "Saga"
quiet = "acknowledgements"
signs = {
    "colour": "a saga; blue and filled: changed in this step",
    "box in the path": "what the logs say of a step; under it, what undoes it",
    "bar under a step": "its effect is in its service's database now, whatever the logs say",
    "upright line": "the point of no return: dashed until it is passed",
    "frame under a service": "its disk: rows, and the requests it has handled",
    "✓ ✕ ↩ – !": "done, refused, undone or to be undone, nothing to do, failed for now",
    "A1 → ← ✓ ↩ !": "of a saga: goes forward, back, is completed, compensated, stuck",
    "· A1 behind a row": "marked by A1: not final, a semantic lock",
    "thin bar under a name": "a timer that runs out",
    "✕ before a name": "crashed: its memory is gone, its disk is not",
    "A1' stock'": "side by side: the same, choreographed",
}

WorldStep = Step[World, Any]
HEIGHT, EDGE = 450, 6
KEPT = kept.HEAD + 5 * kept.ROW
"""What a log or the outboxes take side by side: as many lines as two parallel branches fill at once."""


def scene_of(step: WorldStep) -> Scene:
    world, packet = step.state, received(step)
    return Scene(
        panels=_panels(step),
        clock=f"{world.clock:,} ms",
        moment=moment_of(step, message_role(world, packet.body) if packet else "ink"),
        era=_era(world),
        lanes=world.names,
        quiet=packet is not None and isinstance(packet.body, Ack),
        fault=is_fault(step),
    )


def _panels(step: WorldStep) -> tuple[Panel, ...]:
    before = step.parent.state if step.parent else None
    both = groups(step.state)
    if len(both) > 1:
        return tuple(_side(step.state, before, group) for group in both)
    return _paths(step, before, both[0]), _services(step.state, before, both[0])


def _drawn(world: World, group: Group, y: float) -> tuple[list[Mark], float]:
    """The paths of a group from y downwards, and where they end."""
    marks: list[Mark] = []
    for definition, instance in shown(group):
        marks += path.draw(world, path.Path(definition, instance, group.orchestrator is not None, EDGE, y))
        y += path.height(definition)
    return marks, y


def _label(world: World, group: Group) -> str:
    return "; ".join(path.in_words(world, definition, instance) for definition, instance in shown(group))


def _paths(step: WorldStep, before: World | None, group: Group) -> Panel:
    """The paths; below them the saga log or the outboxes, and what is seen from outside."""
    world = step.state
    marks, y = _drawn(world, group, 0)
    bottom = max(float(HEIGHT), y + kept.HEAD + 4 * kept.ROW + kept.height() + 16)
    high = bottom - kept.height() - 12 - y
    marks += kept.draw(world, before, group, EDGE, y + 2, high)
    marks += kept.outside(step, EDGE, bottom - kept.height())
    seen = "; ".join(observer(world)) or "nothing half done"
    label = f"{_label(world, group)}. Who reads all databases now sees: {seen}"
    return Panel(id="saga", width=path.WIDTH + 2 * EDGE, height=bottom, marks=tuple(marks), label=label)


def _services(world: World, before: World | None, group: Group) -> Panel:
    high = services.height(group)
    room = max(float(HEIGHT), high + 24)
    marks = services.draw(world, before, group, EDGE, 8 + (room - high - 24) / 2)
    title = "Services; framed: their disks"
    return Panel(
        id="services",
        width=services.WIDTH + 2 * EDGE,
        height=room,
        marks=tuple(marks),
        label=services.in_words(world, group),
        title=title,
    )


def _side(world: World, before: World | None, group: Group) -> Panel:
    """One of two styles side by side: its path, its services below, and what it keeps to remember where it stands."""
    marks, y = _drawn(world, group, 0)
    marks += services.draw(world, before, group, EDGE, y + 6, seen=False)
    y += services.height(group, seen=False) + 14
    marks += kept.draw(world, before, group, EDGE, y, KEPT)
    return Panel(
        id=group.style,
        width=services.WIDTH + 2 * EDGE,
        height=y + KEPT + 4,
        marks=tuple(marks),
        label=f"{_label(world, group)}. {services.in_words(world, group)}",
        title=group.style.capitalize(),
    )


def _era(world: World) -> Era | None:
    """What the sagas shown are doing; red while one of them goes back or is stuck."""
    found = [each for group in groups(world) for _, each in shown(group) if each]
    if not found:
        return None
    phases = [phase_of(told(world, each)) for each in found]
    label = phases[0]
    if len(found) > 1:
        label = ", ".join(f"{each.saga} {path.sign(phase)}" for each, phase in zip(found, phases, strict=True))
    if {COMPENSATING, STUCK} & {*phases}:
        return Era(key=label, label=label, role="bad", tone="dashed" if STUCK in phases else "solid")
    under_way = {FORWARD, PAST_PIVOT} & {*phases}
    role = "good" if not under_way else "c1" if FORWARD in phases else "c3"
    return Era(key=label, label=label, role=role, tone="solid" if under_way else "soft")


# Before and after


def facts_of(world: World) -> tuple[Fact, ...]:
    return tuple(fact for process in world.processes for fact in _facts(world, process))


def _facts(world: World, process: Any) -> list[Fact]:
    who, down = process.id, process.id in world.down
    if isinstance(process, Orchestrator):
        facts = [Fact(who, "saga log", _last(process.log, 2), "disk")]
        waits = ", ".join(f"{each.command} (try {each.tries})" for each in process.waiting)
        return [*facts, Fact(who, "waits for", "crashed" if down else waits or "nothing", "memory")]
    facts = [
        Fact(who, row.key, f"{row.value}{f', marked by {row.pending}' * bool(row.pending)}", "disk")
        for row in process.rows
    ]
    handled = [f"{each.saga} {'undo ' if each.undo else ''}{each.step}: {each.outcome}" for each in process.handled]
    facts.append(Fact(who, "handled", _last(handled), "disk"))
    if isinstance(process, Peer):
        facts.append(Fact(who, "journal", _last(process.log, 2), "disk"))
        facts.append(Fact(who, "outbox", _last([f"{row.event} → {row.to}" for row in process.outbox]), "disk"))
        facts.append(Fact(who, "inbox", _last([f"{each.number} of {each.sender}" for each in process.inbox]), "disk"))
        tried = ", ".join(f"{each.step} of {each.saga} {each.times} times" for each in process.attempts)
        facts.append(Fact(who, "tried in vain", "crashed" if down else tried or "nothing", "memory"))
    elif process.failed or down:
        failed = ", ".join(f"{each.what} {each.times} times" for each in process.failed)
        facts.append(Fact(who, "failed so far", "crashed" if down else failed, "memory"))
    return facts


def _last(lines: Any, most: int = 4) -> str:
    """The last of some lines, and how many come before."""
    words = [str(each) for each in lines]
    more = [f"{len(words) - most} more"] if len(words) > most else []
    return "; ".join([*more, *words[-most:]]) or "empty"
