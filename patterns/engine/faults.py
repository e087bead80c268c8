"""What faults do to a world: no process takes a step, but packets, cuts and who is up change."""

from __future__ import annotations

from bisect import insort
from typing import Any

from msgspec.structs import replace

from .choices import is_lost, links_of
from .world import Crash, Cut, Delay, Drop, Duplicate, Heal, Packet, Pause, Resume, World

FAULT_EVENTS = (Drop, Duplicate, Delay, Crash, Pause, Resume, Cut, Heal)


def apply_fault(world: World, event: Any, fifo: bool) -> World:
    """The world after a fault, or after its end, that can happen in it."""
    match event:
        case Drop(id):
            return _drop(world, _packet(world, id))
        case Duplicate(id):
            return _duplicate(world, _packet(world, id), fifo)
        case Delay(id, by):
            return _delay(world, _packet(world, id), by, fifo)
        case Crash(name):
            return _crash(world, name)
        case Pause(name):
            return replace(world, paused=world.paused | {name}, budget=_spend(world, "pause"))
        case Resume(name):
            return replace(world, paused=world.paused - {name})
        case Cut():
            return replace(world, cuts=world.cuts | links_of(world, event), budget=_spend(world, "cut"))
        case Heal():
            return replace(world, cuts=frozenset())
    raise TypeError(f"{event!r} is no fault")


def _drop(world: World, packet: Packet) -> World:
    rest = _without(world, packet)
    if is_lost(world, packet):  # by itself, when it would have arrived
        return replace(world, packets=rest, clock=max(world.clock, packet.due))
    return replace(world, packets=rest, budget=_spend(world, "drop"))


def _delay(world: World, packet: Packet, by: int, fifo: bool) -> World:
    due = max(world.clock, packet.due) + by
    behind = {other.id for other in _link(world, packet) if other.id > packet.id} if fifo else set()
    late = {packet.id, *behind}  # first in, first out: what was sent later on this link waits, too
    line = [replace(each, due=max(each.due, due)) if each.id in late else each for each in world.packets]
    return replace(world, packets=tuple(sorted(line)), budget=_spend(world, "delay"))


def _duplicate(world: World, packet: Packet, fifo: bool) -> World:
    original = packet.id if packet.copy_of < 0 else packet.copy_of
    due = max(other.due for other in _link(world, packet)) if fifo else packet.due
    line = [*world.packets]
    insort(line, replace(packet, id=world.next_id, due=due, copy_of=original))
    return replace(world, packets=tuple(line), budget=_spend(world, "duplicate"), next_id=world.next_id + 1)


def _crash(world: World, name: str) -> World:
    return replace(
        world,
        processes=tuple(process.crashed() if process.id == name else process for process in world.processes),
        timers=tuple(timer for timer in world.timers if timer.process != name),
        down=world.down | {name},
        paused=world.paused - {name},
        budget=_spend(world, "crash"),
    )


def _link(world: World, packet: Packet) -> list[Packet]:
    """The packets on their way over the same link, this packet included."""
    return [other for other in world.packets if (other.sender, other.to) == (packet.sender, packet.to)]


def _packet(world: World, id: int) -> Packet:
    packet = world.packet(id)
    assert packet is not None
    return packet


def _without(world: World, packet: Packet) -> tuple[Packet, ...]:
    return tuple(other for other in world.packets if other is not packet)


def _spend(world: World, fault: str) -> tuple[tuple[str, int], ...] | None:
    if world.budget is None:
        return None
    return tuple((kind, left - (kind == fault)) for kind, left in world.budget)
