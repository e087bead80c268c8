"""The possible events of a simulated world: for a learner in words and with reasons, for a search as bare events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
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
FAR = 100_000
"""ms after which a time is only `much later`: a process that should wait without limit has a timer so long."""
LEADERS_OWN = frozenset({"request", "crash", "cut", "pause"})
"""Menus in which the leader comes first."""


WhyNot = Callable[[World, Any], str]
Requests = Iterable[Any]


Menus = dict[Any, tuple[Choice[Any], ...]]
MOST_MENUS = 256


def choices_of(world: World, requests: Requests, why_not: WhyNot, menus: Menus) -> tuple[Choice[Any], ...]:
    """Everything there is to choose from, what cannot happen with its reason.

    What concerns the leader comes first in its menu, and is marked as likely; requests stay together by client. In
    `menus` are the menus made before, by all that they depend on: in most steps of a run they are the same.
    """
    requests, waiting = tuple(requests), tuple([(call.client, call.body, call.waits) for call in world.calls])
    leader, calm = leader_of(world), (world.down, world.paused, world.cuts, world.budget)
    key = (requests, leader, world.names, waiting, calm)
    if (same := menus.get(key)) is None:
        if len(menus) >= MOST_MENUS:
            menus.clear()
        same = menus[key] = tuple(_in_menus(world, leader, requests, why_not))
    following = [
        _of_timer(world, item, why_not) if isinstance(item, Timer) else _of_packet(world, item, "next", why_not)
        for item in agenda(world)
    ]
    messages = [_of_packet(world, packet, group, why_not) for group in PACKET_GROUPS for packet in world.packets]
    return (*following, *same, *messages)


def _in_menus(world: World, leader: str, requests: Requests, why_not: WhyNot) -> Iterator[Choice[Any]]:
    """Requests of clients, and faults of processes and links."""
    for group in GROUPS[1:]:
        leads = leader if group in LEADERS_OWN else ""
        events = [(event, bool(leads) and _named(event) == leads) for event in events_of(world, group, requests)]
        if leads:
            events.sort(key=lambda each: (getattr(each[0], "client", ""), not each[1]))
        for event, likely in events:
            why = why_not(world, event)
            if group == "request":
                call = world.call(event.client)
                yield _of_request(event, bool(call and call.waits), why, likely)
            else:
                yield _of_processes(event, world.names, group, why, likely)


def _named(event: Any) -> str:
    """The process that is asked, crashed, paused, or cut off from all others."""
    cut_off = event.a if isinstance(event, Cut) else ()
    return cut_off[0] if len(cut_off) == 1 else getattr(event, "process", getattr(event, "to", ""))


def _of_timer(world: World, timer: Timer, why_not: WhyNot) -> Choice[Any]:
    event, who = Fire(timer.process, timer.name), timer.process
    about = (f"process:{who}", f"timer:{who}:{timer.name}")
    return Choice(event, _fires(who, timer.name), "next", _when(world, timer), why_not(world, event), about)


def _of_packet(world: World, packet: Packet, group: str, why_not: WhyNot) -> Choice[Any]:
    event = EVENT_OF_PACKET[group](packet.id)
    words = describe(world, event) if group == "drop" and is_lost(world, packet) else ""
    when = _when(world, packet) if group == "next" else ""
    return _of_message(packet, event, group, when, why_not(world, event), words)


@lru_cache(maxsize=4096)
def _of_message(packet: Packet, event: Any, group: str, when: str, why_not: str, words: str) -> Choice[Any]:
    about = (f"message:{packet.id}", f"process:{packet.to}") if group == "next" else (f"message:{packet.id}",)
    return Choice(event, words or _of_its_way(event, _packet_in_words(packet)), group, when, why_not, about)


@lru_cache(maxsize=64)
def _partitions(names: tuple[str, ...]) -> tuple[Cut, ...]:
    """One process, or two of four and more, cut off from the rest; each partition once."""
    found = []
    for size in (1, 2):
        for side in combinations(names, size):
            rest = tuple(name for name in names if name not in side)
            if len(rest) > size or (len(rest) == size and side < rest):
                found.append(Cut(side, rest))
    return tuple(found)


@lru_cache(maxsize=64)
def _one_way(names: tuple[str, ...]) -> tuple[Cut, ...]:
    return tuple(Cut((a,), (b,), one_way=True) for a in names for b in names if a != b)


def events_of(world: World, group: str, requests: Requests) -> Iterable[Any]:
    """The events of one menu, those that cannot happen now included."""
    return requests if group == "request" else EVENTS_OF[group](world)


EVENTS_OF: Mapping[str, Callable[[World], Iterable[Any]]] = {
    "next": lambda world: [
        Fire(item.process, item.name) if isinstance(item, Timer) else Deliver(item.id) for item in agenda(world)
    ],
    "crash": lambda world: [Crash(name) for name in world.names],
    "restart": lambda world: [Restart(name) for name in world.names],
    "cut": lambda world: _partitions(world.names),
    "heal": lambda world: [Heal()],
    "pause": lambda world: [Pause(name) for name in world.names],
    "resume": lambda world: [Resume(name) for name in world.names],
    "cut one way": lambda world: _one_way(world.names),
    "drop": lambda world: [Drop(packet.id) for packet in world.packets],
    "duplicate": lambda world: [Duplicate(packet.id) for packet in world.packets],
    "delay": lambda world: [Delay(packet.id) for packet in world.packets],
}
"""Menu -> its events; clients' requests are the simulation's own."""
EVENT_OF_PACKET: Mapping[str, Callable[[int], Any]] = {
    "next": Deliver,
    "drop": Drop,
    "duplicate": Duplicate,
    "delay": Delay,
}
NOTHING_TO_UNDO: Mapping[str, Callable[[World], bool]] = {
    "restart": lambda world: not world.down,
    "resume": lambda world: not world.paused,
    "heal": lambda world: not world.cuts,
}


def enabled_in(world: World, requests: Requests, why_not: WhyNot, fifo: bool, group: str = "") -> list[Any]:
    """The events that can happen, of one group or (for a search) of all that make a difference.

    For a search, two packets with the same content are one event. A search needs no delays: any packet may be late
    there.
    """
    if group:
        if (nothing := NOTHING_TO_UNDO.get(group)) is not None and nothing(world):
            return []
        return [event for event in events_of(world, group, requests) if not why_not(world, event)]
    found = _packet_events(world, fifo)
    found += [Fire(timer.process, timer.name) for timer in world.timers if timer.process not in world.paused]
    for menu in _menus(world.budget):
        if (nothing := NOTHING_TO_UNDO.get(menu)) is None or not nothing(world):
            found += [event for event in events_of(world, menu, requests) if not why_not(world, event)]
    return found


@lru_cache(maxsize=4096)
def _menus(budget: tuple[tuple[str, int], ...] | None) -> tuple[str, ...]:
    """The menus of a search, but for single messages, for which something is left in the budget."""
    left = dict(budget or ())
    spent = () if budget is None else [fault for fault in FAULTS if not left.get(fault)]
    return tuple(menu for menu in GROUPS[1:] if menu.removesuffix(" one way") not in spent)


def _packet_events(world: World, fifo: bool) -> list[Any]:
    """The possible events of packets, once for packets of the same content."""
    troubled = world.down or world.cuts or world.paused or fifo
    drops, duplicates = world.left("drop") != 0, world.left("duplicate") != 0
    found: list[Any] = []
    seen = set()
    for packet in world.packets:
        what = (packet.sender, packet.to, packet.body)
        if what in seen:
            continue
        seen.add(what)
        if not troubled or not undeliverable(world, packet, fifo):
            found.append(Deliver(packet.id))
        if drops or (troubled and is_lost(world, packet)):
            found.append(Drop(packet.id))
        if duplicates:
            found.append(Duplicate(packet.id))
    return found


# Why an event cannot happen


def why_not(world: World, event: Any, fifo: bool) -> str:
    """Why the event cannot happen in this world; empty when it can.

    Raises ValueError for what makes no sense: an unknown process, a cut that names one twice.
    """
    kind = type(event)
    if kind in PACKET_EVENTS:
        packet = world.packet(event.id)
        return (
            f"message {event.id} is not on its way" if packet is None else _why_not_packet(world, event, packet, fifo)
        )
    if kind is Cut:
        links = links_of(world, event)
        return "these links are cut already" if links <= world.cuts else _spent(world, "cut")
    if kind is Heal:
        return "" if world.cuts else "nothing is cut"
    name = event.to if kind is Request else event.process
    require_process(world, name)
    down, paused = name in world.down, name in world.paused
    return _WHY_NOT_PROCESS[kind](world, event, name, down, paused)


def _why_not_packet(world: World, event: Any, packet: Packet, fifo: bool) -> str:
    kind = type(event)
    if kind is Deliver:
        return undeliverable(world, packet, fifo)
    if kind is Drop:
        return "" if is_lost(world, packet) else _spent(world, "drop")
    if kind is Delay and event.by < 1:
        raise ValueError(f"a message is delayed by {event.by} ms; it must be at least 1 ms")
    return _spent(world, "delay" if kind is Delay else "duplicate")


def _why_not_request(world: World, event: Any, name: str, down: bool, paused: bool) -> str:
    if down or paused:
        return f"{name} is {'down' if down else 'paused'}"
    call = world.call(event.client)
    waits = call is not None and call.waits and call.body != event.body
    return f"{event.client} still waits for the answer to {call.body}" if call and waits else ""


def _why_not_fire(world: World, event: Any, name: str, down: bool, paused: bool) -> str:
    if world.timer(name, event.timer) is None:
        return f"{name} has no timer {event.timer!r} running"
    return f"{name} is paused" if paused else ""


def _why_not_pause(world: World, event: Any, name: str, down: bool, paused: bool) -> str:
    return f"{name} is {'down' if down else 'paused already'}" if down or paused else _spent(world, "pause")


_WHY_NOT_PROCESS: Mapping[type, Callable[[World, Any, str, bool, bool], str]] = {
    Request: _why_not_request,
    Fire: _why_not_fire,
    Crash: lambda world, _, name, down, paused: f"{name} is down already" if down else _spent(world, "crash"),
    Restart: lambda world, _, name, down, paused: "" if down else f"{name} is up",
    Pause: _why_not_pause,
    Resume: lambda world, _, name, down, paused: "" if paused else f"{name} is not paused",
}


def leader_of(world: World) -> str:
    """The process that leads, by its field `role`; of several the one of the newest `current_term`. Empty for none."""
    leaders = [process for process in world.up if getattr(process, "role", "") == "leader"]
    return max(leaders, key=lambda process: getattr(process, "current_term", 0)).id if leaders else ""


def require_process(world: World, name: str) -> None:
    """Raises ValueError when the world has no process of that name."""
    for process in world.processes:
        if process.id == name:
            return
    raise ValueError(f"there is no process {name!r}; the processes are {', '.join(world.names)}")


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
    return _links(cut, world.names)


@lru_cache(maxsize=1024)
def _links(cut: Cut, names: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    for name in (*cut.a, *cut.b):
        if name not in names:
            raise ValueError(f"there is no process {name!r}; the processes are {', '.join(names)}")
    if len({*cut.a, *cut.b}) < len(cut.a) + len(cut.b):
        raise ValueError(f"the cut between {cut.a} and {cut.b} names one process twice; the sides must be disjoint")
    if not cut.a or not cut.b:
        raise ValueError(f"the cut between {cut.a} and {cut.b} has an empty side; each side needs a process")
    there = {(x, y) for x in cut.a for y in cut.b}
    return frozenset(there if cut.one_way else there | {(y, x) for x, y in there})


def describe(world: World, event: Any) -> str:
    """The event in a few words, as it is about to happen in this world."""
    if type(event) in OF_PROCESSES:
        return _in_words(event, world.names)
    match event:
        case Drop(id):
            packet = world.packet(id)
            down = packet is not None and packet.to in world.down
            cut = packet is not None and (packet.sender, packet.to) in world.cuts
            if why := f": {packet.to} is down" if packet and down else ": the link is cut" if cut else "":
                return f"lose {_message(world, id)}{why}"
        case Fire(process, timer):
            return _fires(process, timer)
    if type(event) in PACKET_EVENTS:
        return _of_its_way(event, _message(world, event.id))
    call = world.call(event.client)
    return _asked(event, bool(call and call.waits))


OF_PROCESSES = frozenset({Crash, Restart, Pause, Resume, Cut, Heal})
"""Events whose words and marks depend on no state of the world: they are made once."""


@lru_cache(maxsize=4096)
def _of_processes(event: Any, names: tuple[str, ...], group: str, why_not: str, likely: bool) -> Choice[Any]:
    return Choice(event, _in_words(event, names), group, "", why_not, _processes(event), likely=likely)


@lru_cache(maxsize=4096)
def _of_request(event: Any, waits: bool, why_not: str, likely: bool) -> Choice[Any]:
    return Choice(event, _asked(event, waits), "request", "", why_not, (f"process:{event.to}",), likely=likely)


@lru_cache(maxsize=4096)
def _in_words(event: Any, names: tuple[str, ...]) -> str:
    match event:
        case Cut(a, b, one_way):
            if one_way:
                return f"cut **{', '.join(a)} → {', '.join(b)}**"
            rest = set(names) - {*a} == {*b}
            return f"cut **{', '.join(a)}** off" + ("" if rest else f" from {', '.join(b)}")
        case Heal():
            return "heal all cuts"
    return f"{type(event).__name__.lower()} **{event.process}**"


@lru_cache(maxsize=4096)
def _asked(event: Any, waits: bool) -> str:
    return f"{event.client} asks {event.to}{' again' if waits else ''}: **{event.body}**"


@lru_cache(maxsize=4096)
def _fires(process: str, timer: str) -> str:
    name, _, about = timer.partition(":")
    return f"**{name}** timer of {process}{' for ' if about else ''}{about} fires"


def _of_its_way(event: Any, message: str) -> str:
    """What happens to a message on its way, in words."""
    return f"{type(event).__name__.lower()} {message}" + (f" by {event.by} ms" if isinstance(event, Delay) else "")


def _message(world: World, id: int) -> str:
    packet = world.packet(id)
    return _packet_in_words(packet) if packet else f"message {id}"


@lru_cache(maxsize=4096)
def _packet_in_words(packet: Packet) -> str:
    return f"**{packet.body}** {packet.sender} → {packet.to}"


def _when(world: World, item: Packet | Timer) -> str:
    if item.due < world.clock:
        return "late"
    return f"{item.due} ms" if item.due - world.clock < FAR else "much later"


@lru_cache(maxsize=4096)
def _processes(event: Any) -> tuple[str, ...]:
    sides = (*event.a, *event.b) if isinstance(event, Cut) and event.one_way else getattr(event, "a", ())
    return tuple(f"process:{name}" for name in sides or ([event.process] if hasattr(event, "process") else []))
