"""What happened in one step of a simulation, and why: pure functions of a step, for views, costs and checks."""

from __future__ import annotations

from typing import Any

from .process import Process
from .step import Step
from .world import (
    Call,
    Crash,
    Deliver,
    Drop,
    Duplicate,
    Fire,
    Packet,
    Pause,
    Request,
    Restart,
    Resume,
    World,
)

WorldStep = Step[World, Any]


def mover(step: WorldStep) -> str:
    """The process that the event was about; empty at the root, for a cut, a heal and a fault of a single message."""
    match step.event:
        case Deliver():
            packet = received(step)
            return packet.to if packet else ""
        case Fire(process) | Crash(process) | Restart(process) | Pause(process) | Resume(process):
            return process
        case Request(_, to):
            return to
    return ""


def moved(step: WorldStep) -> tuple[Process, Process] | None:
    """The process that moved, before and after; None where none did."""
    name = mover(step)
    if not name or step.parent is None:
        return None
    return step.parent.state[name], step.state[name]


def received(step: WorldStep) -> Packet | None:
    """The packet that arrived in this step."""
    return _packet_before(step) if isinstance(step.event, Deliver) else None


def lost(step: WorldStep) -> Packet | None:
    """The packet that was lost in this step."""
    return _packet_before(step) if isinstance(step.event, Drop) else None


def _packet_before(step: WorldStep) -> Packet | None:
    return step.parent.state.packet(step.event.id) if step.parent and step.event else None


def sent(step: WorldStep) -> tuple[Packet, ...]:
    """The packets sent in this step, in the order they were sent. The root's are those sent at the start."""
    if isinstance(step.event, Duplicate):
        return ()
    first = step.parent.state.next_id if step.parent else 0
    return tuple(sorted((p for p in step.state.packets if p.id >= first), key=lambda packet: packet.id))


def written(step: WorldStep) -> tuple[str, ...]:
    """The durable fields written in this step: one forced write to the disk of the mover where there are any."""
    processes = moved(step)
    return processes[1].written_since(processes[0]) if processes else ()


def answered(step: WorldStep) -> tuple[Call, ...]:
    """The calls that were answered in this step."""
    if step.parent is None:
        return ()
    waited = {call.client for call in step.parent.state.calls if call.waits}
    if isinstance(step.event, Request):
        waited.add(step.event.client)
    return tuple(call for call in step.state.calls if not call.waits and call.client in waited)


def noted(step: WorldStep, rule: str, value: str) -> tuple[Any, ...]:
    """The values of this name that were noted under a rule up to this step, oldest first."""
    return tuple(note.values[value] for each in step.path for note in each.notes if note.rule == rule)


def cause(step: WorldStep) -> WorldStep | None:
    """The step that sent what arrived or was lost here, or set the timer that fired; None where nothing did."""
    if step.parent is None:
        return None
    world = step.parent.state
    match step.event:
        case Deliver() | Drop():
            packet = _packet_before(step)
            return _maker(step, packet.id if packet.copy_of < 0 else packet.copy_of) if packet else None
        case Fire(process, name):
            timer = world.timer(process, name)
            return _maker(step, timer.id) if timer else None
    return None


def _maker(step: WorldStep, id: int) -> WorldStep | None:
    """The step that gave out this id."""
    at: WorldStep | None = step
    while at is not None:
        first = at.parent.state.next_id if at.parent else 0
        if first <= id < at.state.next_id:
            return at
        at = at.parent
    return None
