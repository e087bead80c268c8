"""A run that really happened, as a machine: stepped, drawn and searched like a simulated one, but never changed.

The clock that all processes of one computer share puts their reports in order. Each message is joined to its arrival.
So each record becomes a world and the event that led to it, in the simulator's own terms.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

from msgspec.structs import replace

from patterns.engine.choices import describe
from patterns.engine.faults import apply_fault
from patterns.engine.history import History
from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.process import Process
from patterns.engine.properties import AtRest
from patterns.engine.step import Note, Step
from patterns.engine.world import (
    Call,
    Crash,
    Deliver,
    Drop,
    Fire,
    Packet,
    Pause,
    Request,
    Restart,
    Resume,
    Timer,
    World,
    answered,
    called,
)

from .envelopes import Asked, Began, Fired, Killed, Paused, Received, Record, Resumed

Notes = tuple[Note, ...]
FAULTS: Mapping[type, Callable[[str], Any]] = {Killed: Crash, Paused: Pause, Resumed: Resume}
"""The report of a parent -> the event of a simulated world."""


class Recording(Machine[World, Any]):
    """What `processes` did, by their `records`.

    Name, rules, properties and milestones are those of `like`, except its properties of a state of rest.

    Times are milliseconds since the first record. As in a simulation all processes have started when it begins,
    whenever each of them really did: until then it had neither done nor received anything. One that told nothing at
    all stands there as it was built. A message that nobody ever told to have received is lost: at once where its
    receiver was down, else when it dies.

    Where records are `missing`, a process is from one step to the next as it became meanwhile. The processes of `down`
    died before the first record.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        records: Iterable[Record],
        like: Machine[World, Any],
        missing: int = 0,
        down: Collection[str] = (),
    ) -> None:
        self.missing = missing
        """Records that were told faster than they could be read, or are too old to be kept."""
        self.name = like.name  # type: ignore[misc]
        self.rules = like.rules  # type: ignore[misc]
        self.events = like.events  # type: ignore[misc]
        # a recording ends where somebody stopped it: that nothing more happens there is no rest
        self.always = tuple(promise for promise in like.always if not isinstance(promise, AtRest))
        self.milestones = like.milestones
        self.params, self.view = like.params, like.view  # type: ignore[misc]
        told = _Told(processes, sorted(records, key=lambda record: record.at), like, down)
        self._worlds, self._events, self._notes = told.worlds, told.events, told.notes
        self._place = {world.next_id: place for place, world in enumerate(self._worlds)}  # each has its own

    def start(self) -> World:
        return self._worlds[0]

    def usual(self, state: World) -> Any | None:
        place = self._place[state.next_id]
        return self._events[place] if place < len(self._events) else None

    def apply(self, state: World, event: Any) -> tuple[World, Notes]:
        place = self._place[state.next_id]
        if event is None or event != self.usual(state):
            raise NotEnabled("this run has happened: it can be looked at, not changed")
        return self._worlds[place + 1], self._notes[place]

    def choices(self, state: World) -> tuple[Choice[Any], ...]:
        event = self.usual(state)
        return () if event is None else (Choice(event, self.describe(state, event)),)

    def describe(self, state: World, event: Any) -> str:
        return describe(state, event)

    def again(self, **params: Any) -> Self:
        raise ValueError("what is shown here has really happened; play a replay code in a simulation")

    def history(self) -> History[World, Any]:
        """All its steps, the cursor at the start. It has no replay code: nothing makes the same happen again."""
        history = _Past(self)
        while history.advance():
            pass
        history.jump(0)
        return history


class _Past(History[World, Any]):
    """A history without replay codes."""

    @property
    def code(self) -> str:
        return ""

    def code_of(self, leaf: Step[World, Any]) -> str:
        return ""


class _Told:
    """Worlds, one after the other, and the event and the notes between each two."""

    def __init__(
        self, processes: Sequence[Process], records: list[Record], like: Machine[World, Any], down: Collection[str]
    ) -> None:
        self.events: list[Any] = []
        self.notes: list[Notes] = []
        self.answers = getattr(like, "answers", lambda call, reply: True)
        self.began = records[0].at if records else 0.0
        self.world = World(0, tuple(processes), next_id=1, down=frozenset(down))
        self.next_id = 1
        self.arrivals = _Arrivals(records)
        starts = first_starts(records)
        for record in starts.values():
            self.world = self.after(record, self.world, 0)
        self.world = replace(self.world, next_id=self.next_id)
        self.worlds = [self.world]
        for record in records:
            if record is not starts.get(record.process):
                self.tell(record)

    def ms(self, at: float) -> int:
        return round((at - self.began) * 1000)

    def tell(self, record: Record) -> None:
        name, event, clock = record.process, record.event, self.ms(record.at)
        if (fault := FAULTS.get(type(event))) is not None:
            self.step(fault(name), replace(apply_fault(self.world, fault(name), fifo=False), clock=clock))
            if fault is Crash:
                self.lose(name)
            return
        world = self.world
        happened: Any
        match event:
            case Began():
                happened = Restart(name)
                world = replace(world, down=world.down - {name})
            case Fired(timer):
                happened = Fire(name, timer)
            case Asked(client, body):
                happened = Request(client, name, body)
                world = replace(world, calls=called(world.calls, Call(client, name, body, clock)))
            case Received(sender, body):
                packet = self.packet(sender, name, body, clock)
                happened = Deliver(packet.id)
                world = replace(self.world, packets=tuple(p for p in self.world.packets if p is not packet))
        self.step(
            happened, self.after(record, world, clock), tuple(Note(rule, values) for rule, values in record.notes)
        )
        for down in sorted(self.world.down):
            self.lose(down)

    def after(self, record: Record, world: World, clock: int) -> World:
        """The world after a process became, sent, set and answered what it told."""
        name, sent = record.process, list[Packet]()
        processes = [record.after(process) if process.id == name else process for process in world.processes]
        for to, body in record.sends:
            at = self.arrivals.of(name, to, body, record.at)
            due = clock if at is None else max(clock, self.ms(at))
            sent.append(Packet(due, self.give_id(), clock, name, to, body))
        others = [timer for timer in world.timers if timer.process != name]
        own = [Timer(self.ms(due), self.give_id(), self.ms(set), name, timer) for timer, set, due in record.timers]
        known = {timer.name: timer for timer in world.timers if timer.process == name}
        own = [known[t.name] if t.name in known and known[t.name].set == t.set else t for t in own]
        return replace(
            world,
            clock=clock,
            processes=tuple(processes),
            packets=tuple(sorted([*world.packets, *sent])),
            timers=tuple(sorted([*others, *own])),
            calls=answered(world.calls, record.replies, clock, self.answers),
        )

    def packet(self, sender: str, to: str, body: Any, clock: int) -> Packet:
        """The packet that arrives now. Its sender may have died before it could tell of it."""
        for packet in sorted(self.world.packets, key=lambda packet: packet.id):
            if (packet.sender, packet.to) == (sender, to) and packet.body == body:
                return packet
        packet = Packet(clock, self.give_id(), clock, sender, to, body)
        packets = tuple(sorted([*self.world.packets, packet]))
        self.world = self.worlds[-1] = replace(self.world, packets=packets)
        return packet

    def lose(self, name: str) -> None:
        """Drop the messages on their way to a process that is down: they will not arrive later."""
        for packet in self.world.packets:
            if packet.to == name and packet.due <= self.world.clock:
                rest = tuple(other for other in self.world.packets if other is not packet)
                self.step(Drop(packet.id), replace(self.world, packets=rest))

    def step(self, event: Any, world: World, notes: Notes = ()) -> None:
        self.world = replace(world, next_id=self.give_id() + 1)
        self.next_id = self.world.next_id
        self.worlds.append(self.world)
        self.events.append(event)
        self.notes.append(notes)

    def give_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1


class _Arrivals:
    """When each message that was sent arrived: the first of the same on the same link that came later."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._times: dict[Any, deque[float]] = defaultdict(deque)
        for record in records:
            if isinstance(record.event, Received):
                self._times[record.event.sender, record.process, record.event.body].append(record.at)

    def of(self, sender: str, to: str, body: Any, sent: float) -> float | None:
        times = self._times[sender, to, body]
        while times and times[0] < sent:
            times.popleft()
        return times.popleft() if times else None


def first_starts(records: Iterable[Record]) -> dict[str, Record]:
    """The first start of each process, if that is the first that was told of it."""
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.process, record)
    return {name: record for name, record in first.items() if isinstance(record.event, Began)}
