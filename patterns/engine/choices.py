"""What can happen in a simulated world: for a learner in words and with reasons, for a search as bare events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

from .machine import Choice
from .world import (
    FAULTS,
    PACKET_EVENTS,
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Fire,
    Heal,
    Packet,
    Pause,
    Request,
    Restart,
    Resume,
    Timer,
    World,
    agenda,
)

GROUPS = ("next", "request", "crash", "restart", "cut", "heal", "pause", "resume", "cut one way")
"""The menus in their order; those of single messages follow."""
PACKET_GROUPS = ("drop", "duplicate", "delay")


WhyNot = Callable[[World, Any], str]
Requests = Iterable[Any]


def choices_of(world: World, requests: Requests, why_not: WhyNot) -> tuple[Choice[Any], ...]:
    """Everything there is to choose from, what cannot happen with its reason."""
    requests = tuple(requests)
    return tuple(
        Choice(
            event,
            describe(world, event),
            group,
            _when(world, event),
            why_not(world, event),
            _about(world, event),
        )
        for group in GROUPS + PACKET_GROUPS
        for event in events_of(world, group, requests)
    )


def enabled_in(world: World, requests: Requests, why_not: WhyNot, fifo: bool, group: str = "") -> Iterator[Any]:
    """The events that can happen, of one group or (for a search) of all that make a difference.

    Two packets with the same content are one event for a search, and a delay is none: there any packet may be late.
    """
    if group:
        for event in events_of(world, group, requests):
            if not why_not(world, event):
                yield event
        return
    spent = frozenset() if world.budget is None else frozenset([fault for fault in FAULTS if not world.left(fault)])
    yield from _packet_events(world, spent, fifo)
    for timer in world.timers:
        if timer.process not in world.paused:
            yield Fire(timer.process, timer.name)
    for group in GROUPS[1:]:
        if group.removesuffix(" one way") in spent or _pointless(group, world):
            continue
        for event in events_of(world, group, requests):
            if not why_not(world, event):
                yield event


def _packet_events(world: World, spent: frozenset[str], fifo: bool) -> Iterator[Any]:
    """What can happen to packets, once for those of the same content."""
    untroubled = not (world.down or world.cuts or world.paused or fifo)
    seen = set()
    for packet in world.packets:
        what = (packet.sender, packet.to, packet.body)
        if what in seen:
            continue
        seen.add(what)
        if untroubled or not undeliverable(world, packet, fifo):
            yield Deliver(packet.id)
        if "drop" not in spent or is_lost(world, packet):
            yield Drop(packet.id)
        if "duplicate" not in spent:
            yield Duplicate(packet.id)


def _pointless(group: str, world: World) -> bool:
    """Whether a whole group has nothing to undo."""
    match group:
        case "restart":
            return not world.down
        case "resume":
            return not world.paused
        case "heal":
            return not world.cuts
    return False


def events_of(world: World, group: str, requests: Requests) -> Iterator[Any]:
    """The events of one menu, those that cannot happen now included."""
    match group:
        case "next":
            for item in agenda(world):
                yield Fire(item.process, item.name) if isinstance(item, Timer) else Deliver(item.id)
        case "request":
            yield from requests
        case "crash" | "restart" | "pause" | "resume":
            kind = {"crash": Crash, "restart": Restart, "pause": Pause, "resume": Resume}[group]
            yield from (kind(name) for name in world.names)
        case "cut":
            yield from _partitions(world.names)
        case "cut one way":
            yield from (Cut((a,), (b,), one_way=True) for a in world.names for b in world.names if a != b)
        case "heal":
            yield Heal()
        case "drop":
            yield from (Drop(packet.id) for packet in world.packets)
        case "duplicate":
            yield from (Duplicate(packet.id) for packet in world.packets)
        case "delay":
            yield from (Delay(packet.id) for packet in world.packets)


def why_not(world: World, event: Any, fifo: bool) -> str:
    """Why the event cannot happen in this world; empty when it can.

    Raises ValueError for what makes no sense: an unknown process, a cut that names one twice.
    """
    match event:
        case Deliver(id):
            packet = world.packet(id)
            return undeliverable(world, packet, fifo) if packet else _gone(id)
        case Drop(id):
            packet = world.packet(id)
            if packet is None:
                return _gone(id)
            return "" if is_lost(world, packet) else _spent(world, "drop")
        case Duplicate(id):
            return _spent(world, "duplicate") if world.packet(id) else _gone(id)
        case Delay(id, by):
            if by < 1:
                raise ValueError(f"a message is delayed by {by} ms; it must be at least 1 ms")
            return _spent(world, "delay") if world.packet(id) else _gone(id)
        case Cut():
            links = links_of(world, event)
            return "these links are cut already" if links <= world.cuts else _spent(world, "cut")
        case Heal():
            return "" if world.cuts else "nothing is cut"
        case Request(client, to, body):
            require_process(world, to)
            if to in world.down or to in world.paused:
                return f"{to} is {'down' if to in world.down else 'paused'}"
            call = world.call(client)
            waits = call is not None and call.waits and call.body != body
            return f"{client} still waits for the answer to {call.body}" if call and waits else ""
    return _why_not_process(world, event)


def _why_not_process(world: World, event: Any) -> str:
    name = event.process
    require_process(world, name)
    down, paused = name in world.down, name in world.paused
    match event:
        case Fire(_, timer):
            if world.timer(name, timer) is None:
                return f"{name} has no timer {timer!r} running"
            return f"{name} is paused" if paused else ""
        case Crash():
            return f"{name} is down already" if down else _spent(world, "crash")
        case Restart():
            return "" if down else f"{name} is up"
        case Pause():
            return f"{name} is {'down' if down else 'paused already'}" if down or paused else _spent(world, "pause")
        case Resume():
            return "" if paused else f"{name} is not paused"
    return ""


def require_process(world: World, name: str) -> None:
    """Raises ValueError when the world has no process of that name."""
    if name not in world.names:
        raise ValueError(f"there is no process {name!r}; the processes are {', '.join(world.names)}")


def _gone(id: int) -> str:
    return f"message {id} is not on its way"


def _spent(world: World, fault: str) -> str:
    return f"the budget has no {fault} left" if world.left(fault) == 0 else ""


def undeliverable(world: World, packet: Packet, fifo: bool) -> str:
    """Why this packet cannot arrive now; empty when it can."""
    if packet.to in world.down:
        return f"{packet.to} is down"
    if packet.to in world.paused:
        return f"{packet.to} is paused"
    if (packet.sender, packet.to) in world.cuts:
        return f"the link {packet.sender} → {packet.to} is cut"
    if fifo:
        for other in world.packets:
            if (other.sender, other.to) == (packet.sender, packet.to) and other.id < packet.id:
                return f"{other.body} comes first on this link"
    return ""


def is_lost(world: World, packet: Packet) -> bool:
    """Whether it would be lost if it came now."""
    return packet.to in world.down or (packet.sender, packet.to) in world.cuts


def links_of(world: World, cut: Cut) -> frozenset[tuple[str, str]]:
    """The links that a cut cuts, as (sender, to). Raises ValueError for sides that make no sense."""
    for name in (*cut.a, *cut.b):
        require_process(world, name)
    if len({*cut.a, *cut.b}) < len(cut.a) + len(cut.b):
        raise ValueError(f"the cut between {cut.a} and {cut.b} names one process twice; the sides must be disjoint")
    if not cut.a or not cut.b:
        raise ValueError(f"the cut between {cut.a} and {cut.b} has an empty side; each side needs a process")
    there = {(x, y) for x in cut.a for y in cut.b}
    return frozenset(there if cut.one_way else there | {(y, x) for x, y in there})


def _partitions(names: tuple[str, ...]) -> Iterator[Cut]:
    """One process, or two of four and more, cut off from the rest; each partition once."""
    for size in (1, 2):
        for side in combinations(names, size):
            rest = tuple(name for name in names if name not in side)
            if len(rest) > size or (len(rest) == size and side < rest):
                yield Cut(side, rest)


def describe(world: World, event: Any) -> str:
    """The event in a few words, as it is about to happen in this world."""
    match event:
        case Deliver(id):
            return f"deliver {_message(world, id)}"
        case Drop(id):
            packet = world.packet(id)
            down = packet is not None and packet.to in world.down
            cut = packet is not None and (packet.sender, packet.to) in world.cuts
            why = f": {packet.to} is down" if packet and down else ": the link is cut" if cut else ""
            return f"{'lose' if why else 'drop'} {_message(world, id)}{why}"
        case Duplicate(id):
            return f"duplicate {_message(world, id)}"
        case Delay(id, by):
            return f"delay {_message(world, id)} by {by} ms"
        case Fire(process, timer):
            name, _, about = timer.partition(":")
            return f"**{name}** timer of {process}{' for ' if about else ''}{about} fires"
        case Cut(a, b, one_way):
            if one_way:
                return f"cut **{', '.join(a)} → {', '.join(b)}**"
            rest = set(world.names) - {*a} == {*b}
            return f"cut **{', '.join(a)}** off" + ("" if rest else f" from {', '.join(b)}")
        case Heal():
            return "heal all cuts"
        case Request(client, to, body):
            call = world.call(client)
            again = " again" if call and call.waits else ""
            return f"{client} asks {to}{again}: **{body}**"
    return f"{type(event).__name__.lower()} **{event.process}**"


def _message(world: World, id: int) -> str:
    packet = world.packet(id)
    return f"**{packet.body}** {packet.sender} → {packet.to}" if packet else f"message {id}"


def _when(world: World, event: Any) -> str:
    item = _item(world, event)
    if item is None or not isinstance(event, Deliver | Fire):
        return ""
    return f"{item.due} ms" if item.due >= world.clock else "late"


def _about(world: World, event: Any) -> tuple[str, ...]:
    """The marks it belongs to: `process:S1`, `message:17`, `timer:S1:election`."""
    match event:
        case Deliver(id):
            packet = world.packet(id)
            return (f"message:{id}", *((f"process:{packet.to}",) if packet else ()))
        case Drop(id) | Duplicate(id) | Delay(id):
            return (f"message:{id}",)
        case Fire(process, timer):
            return (f"process:{process}", f"timer:{process}:{timer}")
        case Crash(process) | Restart(process) | Pause(process) | Resume(process):
            return (f"process:{process}",)
        case Cut(a, b, one_way):
            return tuple(f"process:{name}" for name in ((*a, *b) if one_way else a))
        case Request(_, to):
            return (f"process:{to}",)
    return ()


def _item(world: World, event: Any) -> Packet | Timer | None:
    if isinstance(event, Fire):
        return world.timer(event.process, event.timer)
    return world.packet(event.id) if isinstance(event, PACKET_EVENTS) else None
