"""A simulation moves a world on: one event, one process, one new world. Deterministic for a seed.

Subclass `Simulation` and say which processes there are. The rest of a machine is there: the possible events, the
reasons why others are impossible, and faults with or without a budget. The same seed gives the same run on every
computer.

Time: messages take a random latency, timers a random span, drawn statelessly from the seed, who is concerned and when.
Usually the event that is due first happens next, a message before a timer of the same ms. Choosing something that is
due later moves the clock there, and all that was due earlier is late: that is how an asynchronous network behaves. A
message that comes to a crashed process or a cut link is lost when it is due; until then a restart or a heal saves it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from .choices import Menus, choices_of, describe, enabled_in, is_lost, undeliverable, why_not
from .faults import FAULT_EVENTS, apply_fault
from .machine import Choice, Machine, NotEnabled
from .params import Count, refuse
from .params import Params as AnyParams
from .process import Effects, Process
from .randomness import key_of, mix
from .remembered import Remembered
from .step import Note
from .world import (
    PACKET_EVENTS,
    Call,
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Fire,
    Heal,
    Packet,
    Request,
    Restart,
    Resume,
    Timer,
    World,
    WorldEvent,
    agenda,
    answered,
    called,
)

Notes = tuple[Note, ...]
_OTHERS = frozenset({*FAULT_EVENTS, Restart, Request})  # all but the two that happen by themselves
_TYPED = frozenset({Request, Cut, Delay})  # those with fields that name nothing in the world


Timing = Literal["asynchronous", "patient", "quiet", "synchronous"]
TIMINGS: Mapping[Timing, str] = {
    "asynchronous": "Any message may be late and any timer may fire at any moment.",
    "patient": "A process's timer fires only when no message is on its way to it or from it.",
    "quiet": "A timer fires only when no message at all is on its way: silence is a loss or a crash.",
    "synchronous": "As quiet, and a message is lost only when its sender has crashed, in the middle of sending, or a "
    "cut is in its way: the assumption of three-phase commit.",
}
"""Parameter `timing` -> what a search takes for granted."""

Latency = Annotated[int, Meta(ge=0, extra={"unit": "ms"})]
Percent = Annotated[int, Meta(ge=1, extra={"unit": "%"})]
Fault = Literal["crash", "pause", "cut", "drop", "duplicate", "delay"]


class Simulation(Machine[World, Any]):
    """Processes on a simulated network. A subclass gives `name`, `rules`, `processes()`, and more if it likes."""

    events = WorldEvent
    """With client requests: `WorldEvent | Request[Put | Get]`."""

    class Params(AnyParams, frozen=True):
        seed: int = 0
        """Draws every latency and every timer's span."""
        latency: tuple[Latency, Latency] = (5, 15)
        """The shortest and the longest time that a message takes."""
        budget: dict[Fault, Count] | None = None
        """How many faults of each kind may happen. A kind that is left out cannot happen; None: no limit."""
        speed: dict[str, Percent] = {}
        """How fast a process's clock runs."""
        fifo: bool = False
        """Messages of one link never overtake one another."""
        crash_stop: bool = False
        """A crashed process never restarts."""
        timing: Timing = "asynchronous"
        """What a search takes for granted, see `TIMINGS`; it changes nothing in a run, where all happens when due."""

        def check(self) -> None:
            low, high = self.latency
            if low > high:
                refuse("latency", self.latency, "a shortest and a longest time in ms, the shortest first")

    params: Params
    prompt: ClassVar[frozenset[str]] = frozenset()
    """Timers that may fire at any moment, whatever `timing` says: they stand for no time-out."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.fifo = self.params.fifo
        self._crash_stop = self.params.crash_stop
        self.speed = self.params.speed
        self.latency = self.params.latency
        self._all_may_happen = self.params.timing == "asynchronous" and type(self).may_happen is Simulation.may_happen
        self._remembered: Remembered | None = None
        self._typed: set[Any] = set()  # events whose fields have the types that they declare
        self._index: dict[str, int] = {}
        self._keys: dict[tuple[str, str, str], int] = {}  # what _key has found
        self._menus: Menus = {}

    # What a subclass gives

    def processes(self) -> Sequence[Process]:
        """The processes, as built, in the order they start and are shown in."""
        raise NotImplementedError

    def requests(self, world: World) -> Iterable[Request[Any]]:
        """The client requests to offer in this world. Any other request can be applied too."""
        return ()

    def answers(self, call: Call, reply: Any) -> bool:
        """Whether a reply answers what the client waits for; of a late one to an earlier request it takes no notice."""
        return True

    # The machine

    def start(self) -> World:
        processes = tuple(self.processes())
        names = [process.id for process in processes]
        if not names or len(set(names)) < len(names) or not all(names):
            raise ValueError(f"processes are {names}; allowed are one or more, each with a name of its own")
        self._index = {name: i for i, name in enumerate(names)}
        for name in self.speed:
            if name not in self._index:
                raise ValueError(f"speed names {name!r}; the processes are {', '.join(names)}")
        budget = None if self.params.budget is None else tuple(sorted(self.params.budget.items()))
        world = World(0, processes, budget=budget)
        for name in names:
            after, effects = world[name].after_start(0)
            world, _ = self._settle(world, name, after, effects, 0, world.packets, world.timers)
        return world

    def apply(self, world: World, event: Any) -> tuple[World, Notes]:
        """What happens to the world. Raises NotEnabled when it cannot happen, ValueError when it makes no sense."""
        kind = type(event)
        if kind is Deliver:
            return self._deliver(world, event)
        if kind is Fire:
            return self._fire(world, event)
        if kind not in _OTHERS:
            raise NotEnabled(f"{event!r} is nothing that can happen in {type(self).__name__}")
        if kind in _TYPED:
            self._require_types(event)
        if self._remembered is None and (why := self.why_not(world, event)):  # a search takes only what is enabled
            raise NotEnabled(why)
        if kind is Restart:
            return self._restart(world, event)
        if kind is Request:
            return self._request(world, event)
        after = apply_fault(world, event, self.fifo)
        if kind is Crash and self._remembered is not None:
            after = replace(after, processes=tuple([self._remembered.first(each) for each in after.processes]))
        return after, ()

    def usual(self, world: World) -> Any | None:
        packets, timers = world.packets, world.timers
        if world.down or world.cuts or world.paused:
            return self._usual_among_faults(world)
        if packets and (not timers or packets[0].due <= timers[0].due):
            return Deliver(packets[0].id)
        return Fire(timers[0].process, timers[0].name) if timers else None

    def _usual_among_faults(self, world: World) -> Any | None:
        for item in agenda(world):
            if isinstance(item, Timer):
                if item.process not in world.paused:
                    return Fire(item.process, item.name)
            elif item.to in world.down or (item.sender, item.to) in world.cuts:
                return Drop(item.id)
            elif item.to not in world.paused:
                return Deliver(item.id)
        return None

    def why_not(self, world: World, event: Any) -> str:
        """Why the event cannot happen in this world; empty when it can.

        Raises ValueError for what makes no sense: an unknown process, a cut that names one twice.
        """
        if self._crash_stop and type(event) is Restart and event.process in world.down:
            return f"{event.process} has crashed for good"
        return why_not(world, event, self.fifo)

    def index(self, process: str) -> int:
        """The process's place in the world. Raises ValueError if no process has this name."""
        try:
            return self._index[process]
        except KeyError:
            known = ", ".join(self._index)
            raise ValueError(f"there is no process {process!r}; the processes are {known}") from None

    def _require_types(self, event: Any) -> None:
        """Raises ParameterError for an event that a replay code could not bring back: a text where a number belongs."""
        try:
            if event not in self._typed:
                msgspec.convert(msgspec.to_builtins(event), self.events)
                self._typed.add(event)
        except (msgspec.ValidationError, TypeError) as problem:
            refuse("event", event, f"an event of {type(self).__name__} ({problem})")

    # One process moves

    def _moved(self, process: Process, method: str, given: tuple[Any, ...], now: int) -> tuple[Process, Effects]:
        """The process after one of its `after_...` methods, and the effects."""
        known = self._remembered
        if known is None:
            return getattr(process, method)(*given, now)  # type: ignore[no-any-return]
        key = (method, known.number(process), given)
        done = known.moves.get(key)
        if done is None:
            after, effects = getattr(process, method)(*given, now)
            done = known.first(after), effects
            if not effects.clock_was_read:
                known.moves[key] = done
        return done

    def _deliver(self, world: World, event: Deliver) -> tuple[World, Notes]:
        packets, id, at = world.packets, event.id, 0
        for packet in packets:  # mostly the first
            if packet.id == id:
                break
            at += 1
        else:
            raise NotEnabled(f"message {id} is not on its way")
        if (world.down or world.cuts or world.paused or self.fifo) and (why := undeliverable(world, packet, self.fifo)):
            raise NotEnabled(why)
        clock = packet.due if packet.due > world.clock else world.clock
        to = packet.to
        local = self._local(to, clock) if self.speed else clock
        process = world.processes[self._index[to]]
        after, effects = self._moved(process, "after_message", (packet.sender, packet.body), local)
        rest = packets[1:] if at == 0 else packets[:at] + packets[at + 1 :]
        return self._settle(world, to, after, effects, clock, rest, world.timers)

    def _fire(self, world: World, event: Fire) -> tuple[World, Notes]:
        name = event.process
        timer = world.timer(name, event.timer)
        if timer is None or world.paused:
            if why := self.why_not(world, event):
                raise NotEnabled(why)
            assert timer is not None
        clock = max(world.clock, timer.due)
        process = world.processes[self._index[name]]
        after, effects = self._moved(process, "after_timer", (timer.name,), self._local(name, clock))
        rest = tuple([other for other in world.timers if other is not timer])
        return self._settle(world, name, after, effects, clock, world.packets, rest)

    def _settle(
        self,
        world: World,
        name: str,
        after: Process,
        effects: Effects,
        clock: int,
        packets: tuple[Packet, ...],
        timers: tuple[Timer, ...],
    ) -> tuple[World, Notes]:
        """The world after `name` became `after`, with its effects done."""
        next_id = world.next_id
        i = self._index[name]
        processes = world.processes
        if after is not processes[i]:
            processes = (*processes[:i], after, *processes[i + 1 :])
        if effects.sends:
            packets = self._send(packets, name, effects.sends, clock, next_id)
            next_id += len(effects.sends)
        if effects.timers:
            timers = self._set_timers(timers, name, effects.timers, clock, next_id)
            next_id += len(effects.timers)
        calls = world.calls
        if effects.replies and calls:
            calls = answered(calls, effects.replies, clock, self.answers)
        moved = World(
            clock, processes, packets, timers, world.down, world.paused, world.cuts, calls, world.budget, next_id
        )
        return moved, tuple(effects.notes)

    def _send(
        self, packets: tuple[Packet, ...], sender: str, sends: list[tuple[str, Any]], clock: int, id: int
    ) -> tuple[Packet, ...]:
        low, high = self.latency
        span = high - low + 1
        line = list(packets)
        for to, body in sends:
            if to not in self._index:
                self.index(to)
            due = clock + low + (mix(self._key("latency", sender, to), clock) % span if span > 1 else 0)
            if self.fifo:
                due = max([due, *(other.due for other in line if other.sender == sender and other.to == to)])
            packet = Packet(due, id, clock, sender, to, body)
            if line and due < line[-1].due:
                insort(line, packet)
            else:
                line.append(packet)
            id += 1
        return tuple(line)

    def _set_timers(
        self,
        timers: tuple[Timer, ...],
        process: str,
        changes: Mapping[str, tuple[int, int] | None],
        clock: int,
        id: int,
    ) -> tuple[Timer, ...]:
        line = [timer for timer in timers if timer.process != process or timer.name not in changes]
        for nth, (name, span) in enumerate(changes.items()):
            if span is None:
                continue
            low, high = span
            wait = low
            if low < high:
                wait += mix(self._key("timer", process, name), clock) % (high - low + 1)
            if self.speed:
                wait = -(-wait * 100 // self.speed.get(process, 100))
            insort(line, Timer(clock + wait, id + nth, clock, process, name))
        return tuple(line)

    def _key(self, kind: str, who: str, what: str) -> int:
        """The key of a link's latencies or a timer's spans. What varies along a run is the clock, and only the clock:
        in a branch of a run, what has nothing to do with the change is drawn as before."""
        key = self._keys.get((kind, who, what))
        if key is None:
            key = self._keys[kind, who, what] = key_of(self.params.seed, kind, who, what)
        return key

    def _local(self, process: str, clock: int) -> int:
        """What the process's own clock shows."""
        return clock * self.speed.get(process, 100) // 100 if self.speed else clock

    def _restart(self, world: World, event: Restart) -> tuple[World, Notes]:
        name, clock = event.process, world.clock
        after, effects = self._moved(world[name], "after_restart", (), self._local(name, clock))
        up = replace(world, down=world.down - {name})
        return self._settle(up, name, after, effects, clock, up.packets, up.timers)

    def _request(self, world: World, event: Request[Any]) -> tuple[World, Notes]:
        clock = world.clock
        asking = replace(world, calls=called(world.calls, Call(event.client, event.to, event.body, clock)))
        local = self._local(event.to, clock)
        after, effects = self._moved(world[event.to], "after_request", (event.client, event.body), local)
        return self._settle(asking, event.to, after, effects, clock, world.packets, world.timers)

    # What can happen, in words (choices.py) and without (for a search)

    def choices(self, world: World) -> tuple[Choice[Any], ...]:
        return choices_of(world, self.requests(world), self.why_not, self._menus)

    def enabled(self, world: World, group: str = "") -> Iterable[Any]:
        if group:
            return enabled_in(world, self.requests(world), self.why_not, self.fifo, group)
        world = self.without_spent(world)
        found = enabled_in(world, self.requests(world), self.why_not, self.fifo)
        if self._all_may_happen:
            return found
        return [event for event in found if self.may_happen(world, event)]

    def describe(self, world: World, event: Any) -> str:
        return describe(world, event)

    def for_search(self) -> Self:
        self.start()  # knows its processes from here on
        twin = copy(self)
        twin._remembered = Remembered()
        return twin

    def key(self, world: World) -> Hashable:
        world = self.without_spent(world)
        key = world.key() if self._remembered is None else self._remembered.key(world)
        return (key, world.lines()) if self.fifo else key

    def spent(self, world: World, packet: Packet) -> bool:
        """Whether this packet can change nothing any more. A search passes over it."""
        return False

    def without_spent(self, world: World) -> World:
        """The world without the packets that can change nothing."""
        if type(self).spent is Simulation.spent or self.fifo:  # with fifo, the packets behind it wait for it
            return world
        live = tuple([packet for packet in world.packets if not self.spent(world, packet)])
        return world if len(live) == len(world.packets) else replace(world, packets=live)

    def may_happen(self, world: World, event: Any) -> bool:
        """Whether a search tries this event: what the parameter `timing` takes for granted does not happen."""
        timing = self.params.timing
        if isinstance(event, Fire):
            if timing == "asynchronous" or event.timer in self.prompt:
                return True
            if timing == "patient":
                return not any(event.process in (packet.sender, packet.to) for packet in world.packets)
            return not world.packets
        if timing == "synchronous" and isinstance(event, Drop):
            packet = world.packet(event.id)
            assert packet is not None
            return is_lost(world, packet) or packet.sender in world.down
        return True

    def repairs(self, world: World) -> Iterator[Any]:
        """Heal, resume and restart everything; a process that crashed for good stays down."""
        if world.cuts:
            yield Heal()
        yield from (Resume(name) for name in world.names if name in world.paused)
        if not self.params.crash_stop:
            yield from (Restart(name) for name in world.names if name in world.down)

    def signature(self, world: World, event: Any) -> Hashable:
        """A packet by its sender, receiver and content: ids change when an earlier event is left out."""
        packet = world.packet(event.id) if isinstance(event, PACKET_EVENTS) else None
        return (event, None) if packet is None else (event, (packet.sender, packet.to, packet.body))

    def find_event(self, world: World, signature: Any) -> Any | None:
        event, what = signature
        if what is None:
            return event
        for packet in world.packets:
            if (packet.sender, packet.to, packet.body) == what:
                return replace(event, id=packet.id)
        return None
