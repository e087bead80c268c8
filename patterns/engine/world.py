"""A world as a value (processes, messages on their way, timers, cuts, clients that wait) and its events.

Everything here is immutable and without history: two runs that lead to the same world give equal worlds.
Times are integer milliseconds. `simulation.py` has what moves a world on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from typing_extensions import TypeVar as WithDefault

    P = WithDefault("P", default=Any)
else:
    P = TypeVar("P")  # the processes of a world: `World[Server]`; a bare `World` has any

B = TypeVar("B")


class Packet(msgspec.Struct, frozen=True, order=True, gc=False):
    """A message on its way. Packets are ordered by the time they are due, then by the order they were sent in."""

    due: int
    """When it arrives, in ms, if nothing intervenes."""
    id: int
    sent: int
    """When it was sent, in ms."""
    sender: str
    to: str
    body: Any
    copy_of: int = -1
    """The id of the packet that was sent, of which this is a duplicate; -1 for none."""


class Timer(msgspec.Struct, frozen=True, order=True, gc=False):
    """A timer that runs: it fires at `due`, in ms. `set` is when it was set. With a subject its name is `votes:T1`."""

    due: int
    id: int
    set: int
    process: str
    name: str


class Call(msgspec.Struct, frozen=True, gc=False):
    """The last request of a client, and its answer once there is one. A client asks one thing at a time."""

    client: str
    to: str
    body: Any
    asked: int
    """When it was first asked, in ms."""
    reply: Any = None
    replied: int = -1
    """When it was answered, in ms; -1 while the client waits."""

    @property
    def waits(self) -> bool:
        return self.replied < 0


class World(msgspec.Struct, Generic[P], frozen=True, gc=False):
    """Everything there is at one moment."""

    clock: int
    processes: tuple[P, ...]
    """In a fixed order. A crashed process has its volatile fields lost already."""
    packets: tuple[Packet, ...] = ()
    """Messages on their way, the one that is due first at the front."""
    timers: tuple[Timer, ...] = ()
    """The one that is due first at the front."""
    down: frozenset[str] = frozenset()
    """Crashed processes."""
    paused: frozenset[str] = frozenset()
    """Processes that stand still with their memory: messages and timers wait for them."""
    cuts: frozenset[tuple[str, str]] = frozenset()
    """Links that carry nothing: (sender, to)."""
    calls: tuple[Call, ...] = ()
    """The last call of each client, by the client's name."""
    budget: tuple[tuple[str, int], ...] | None = None
    """How many faults of each kind are left; None: any number."""
    next_id: int = 0
    """The id of the next packet or timer: packets from here on were not yet sent."""

    def __getitem__(self, process: str) -> P:
        """The process of that name. Raises KeyError."""
        for each in self.processes:
            if each.id == process:  # type: ignore[attr-defined]
                return each
        raise KeyError(f"there is no {process!r} in this world: {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple([process.id for process in self.processes])  # type: ignore[attr-defined]

    @property
    def up(self) -> tuple[P, ...]:
        """The processes that are not crashed."""
        return tuple(process for process in self.processes if process.id not in self.down)  # type: ignore[attr-defined]

    def packet(self, id: int) -> Packet | None:
        """The packet of that id, if it is still on its way."""
        return next((packet for packet in self.packets if packet.id == id), None)

    def timer(self, process: str, name: str) -> Timer | None:
        """That process's timer of that name, if it runs."""
        return next((timer for timer in self.timers if timer.process == process and timer.name == name), None)

    def call(self, client: str) -> Call | None:
        """The last call of that client, if it made any."""
        return next((call for call in self.calls if call.client == client), None)

    def left(self, fault: str) -> int | None:
        """How many faults of this kind are left; None for any number."""
        if self.budget is None:
            return None
        for kind, left in self.budget:
            if kind == fault:
                return left
        return 0

    def key(self) -> Hashable:
        """What a search tells worlds apart by: everything but times and ids.

        Asynchrony lets any message be late and any timer slow, so what can happen next does not depend on times -
        as long as no process reads `now`. Where links are first in, first out, `lines` belongs to it too.
        """
        packets: frozenset[Any] = frozenset([(p.sender, p.to, p.body) for p in self.packets])
        if len(packets) < len(self.packets):
            counts: dict[Any, int] = {}
            for p in self.packets:
                what = (p.sender, p.to, p.body)
                counts[what] = counts.get(what, 0) + 1
            packets = frozenset(counts.items())
        timers = frozenset([(t.process, t.name) for t in self.timers])
        return (self.processes, packets, timers, self.down, self.paused, self.cuts, self.asked(), self.budget)

    def asked(self) -> tuple[tuple[Any, ...], ...]:
        """What clients asked and were answered, without times."""
        return tuple([(c.client, c.to, c.body, c.reply, c.waits) for c in self.calls])

    def lines(self) -> tuple[tuple[str, str, Any], ...]:
        """The messages on their way, those of each link in the order in which they were sent."""
        packets = sorted(self.packets, key=lambda packet: (packet.sender, packet.to, packet.id))
        return tuple([(packet.sender, packet.to, packet.body) for packet in packets])


# What clients asked


def called(calls: tuple[Call, ...], call: Call) -> tuple[Call, ...]:
    """The calls with a new one; asked again while it waits, it keeps the time at which it was asked first."""
    earlier = next((each for each in calls if each.client == call.client and each.waits), call)
    others = [each for each in calls if each.client != call.client]
    return tuple(sorted([*others, replace(call, asked=earlier.asked)], key=lambda each: each.client))


def answered(
    calls: tuple[Call, ...], replies: Iterable[tuple[str, Any]], clock: int, answers: Callable[[Call, Any], bool]
) -> tuple[Call, ...]:
    """The calls with their answers; the first reply to a client that `answers` its call counts."""
    for client, reply in replies:
        calls = tuple(
            replace(call, reply=reply, replied=clock)
            if call.waits and call.client == client and answers(call, reply)
            else call
            for call in calls
        )
    return calls


# What can happen. `Simulation` says what each does.


class Event(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Something that can happen to a world."""


class Deliver(Event, frozen=True):
    """A packet arrives."""

    id: int


class Fire(Event, frozen=True):
    """A timer runs out."""

    process: str
    timer: str


class Crash(Event, frozen=True):
    """A process stops: its volatile fields and timers are lost; what it sent is still on its way."""

    process: str


class Restart(Event, frozen=True):
    """A crashed process begins again from its disk."""

    process: str


class Pause(Event, frozen=True):
    """A process pauses (a long garbage collection, a suspended machine) and keeps its memory."""

    process: str


class Resume(Event, frozen=True):
    """A paused process goes on; what it missed is late."""

    process: str


class Cut(Event, frozen=True):
    """Nothing gets from `a` to `b` any more, and unless it is one way, nothing from `b` to `a`."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    one_way: bool = False


class Heal(Event, frozen=True):
    """All cuts are mended."""


class Drop(Event, frozen=True):
    """A packet is lost."""

    id: int


class Duplicate(Event, frozen=True):
    """A second copy of a packet is on its way."""

    id: int


class Delay(Event, frozen=True):
    """A packet takes `by` ms longer."""

    id: int
    by: int = 100


class Request(Event, Generic[B], frozen=True):
    """A client asks a process. The same client asking the same again, while it waits, is a retry.

    To decode replay codes, a simulation's `events` name its own messages: `Request[Put | Get]`.
    """

    client: str
    to: str
    body: B


WorldEvent = Deliver | Fire | Crash | Restart | Pause | Resume | Cut | Heal | Drop | Duplicate | Delay
PACKET_EVENTS = (Deliver, Drop, Duplicate, Delay)
"""Those that name a packet by its `id`."""
FAULTS = ("crash", "pause", "cut", "drop", "duplicate", "delay")
"""The kinds of faults a budget counts."""


def agenda(world: World) -> Iterator[Packet | Timer]:
    """Packets and timers in the order they are due; at the same ms what has arrived comes before what runs out."""
    packets, timers = iter(world.packets), iter(world.timers)
    packet, timer = next(packets, None), next(timers, None)
    while packet is not None or timer is not None:
        if timer is None or (packet is not None and packet.due <= timer.due):
            assert packet is not None
            yield packet
            packet = next(packets, None)
        else:
            yield timer
            timer = next(timers, None)
