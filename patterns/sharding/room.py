"""The parcel room as a machine of values: pigeonholes (keys) in shards on machines, and how they move.

    run = Script(ParcelRoom(scheme="range"))
    run.do(Split("America/Lima"), Join("D"), Plan()).finish()        # the planned moves happen one after the other

A shard's load is the heat of its keys. The marks of a picture that choices are about are `machine:A`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.along import AlwaysNext
from patterns.engine.params import Count, refuse
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always
from patterns.engine.step import Note

from .hot import salted
from .maps import MAPS, RangeMap, ShardMap, moved_keys, published
from .plan import Move, Planner, fewest_moves
from .ranges import Range, scan
from .rules import RULES

ZONES: tuple[str, ...] = tuple(
    "Africa/Cairo Africa/Lagos America/Bogota America/Chicago America/Denver America/Halifax America/Havana "  # noqa: SIM905
    "America/Lima America/Toronto Asia/Dubai Asia/Kolkata Asia/Tokyo Europe/Berlin Europe/Paris Pacific/Fiji".split()
)
"""Time zones as keys: as in the whole list, most of them are in America."""
SALT = 4  # keys over which a hot one is spread


class Event(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Something that happens to the room."""


class Join(Event, frozen=True):
    """A machine joins."""

    machine: str


class Plan(Event, frozen=True):
    """The planner looks at the loads and lists its moves."""


class Advance(Event, frozen=True):
    """The next planned move happens."""


class Split(Event, frozen=True):
    """A range is cut in two; the second begins with this key."""

    key: str


class Salt(Event, frozen=True):
    """From now on a key's writes are spread over four keys."""

    key: str


class Ask(Event, frozen=True):
    """A client reads a key, or all keys that begin so."""

    what: str


class Scan(Event, frozen=True):
    """A client reads all keys in order, by the ranges that it knows."""


class Room(msgspec.Struct, frozen=True):
    """The shard map, its keys and their load, and the last event."""

    map: ShardMap
    keys: tuple[str, ...]
    heat: tuple[tuple[str, int], ...] = ()
    """(key, operations in a second) of keys that have more than one."""
    salts: tuple[str, ...] = ()
    """The keys that are spread."""
    plan: tuple[Move, ...] = ()
    """The moves that have not happened yet."""
    epoch: int = 1
    known: tuple[str, ...] = ()
    """The starts of the ranges that a client knows."""
    kind: str = ""
    """The name of the last event."""
    moved: tuple[str, ...] = ()
    """The keys that it moved."""
    asked: tuple[int, ...] = ()
    """The shards that it asked."""
    what: str = ""
    """What it asked them for."""
    scanned: tuple[str, ...] | None = None
    """The keys that a scan read; None if it was no scan."""

    def stored(self, key: str) -> tuple[str, ...]:
        """The keys under which a key is stored: several if it is salted."""
        return salted(key, SALT if key in self.salts else 1)

    def loads(self) -> tuple[float, ...]:
        """Operations in a second of each shard, by its number."""
        loads, heat = [0.0] * len(self.map.owners), dict(self.heat)
        for key in self.keys:
            names = self.stored(key)
            for name in names:
                loads[self.map.shard_of(name)] += heat.get(key, 1) / len(names)
        return tuple(loads)

    def machine_loads(self) -> dict[str, float]:
        """Operations in a second of each machine."""
        loads = dict.fromkeys(self.map.machines, 0.0)
        for machine, load in zip(self.map.owners, self.loads(), strict=True):
            loads[machine] += load
        return loads


class ParcelRoom(ValueMachine[Room, Event]):
    """Pigeonholes on machines, cut into shards."""

    name, view = "parcel_room", "sharding"
    rules = {rule: said for rule, said in RULES.items() if rule.startswith("K.")}
    planner: ClassVar[type[Planner]] = Planner
    map_type: ClassVar[type[ShardMap] | None] = None  # instead of the scheme's map

    class Params(AnyParams, frozen=True):
        scheme: Literal["range", "slots", "modulo", "directory", "kafka", "tokens"] = "range"
        """How a key finds its shard."""
        machines: tuple[str, ...] = ("A", "B", "C")
        """The machines at the start."""
        keys: tuple[str, ...] = ZONES
        """The keys."""
        shards: Annotated[int, Meta(ge=1, le=64)] = 6
        """How many ranges, slots or token ranges there are. With modulo there is one shard for each machine."""
        heat: dict[str, Count] = {}
        """Operations in a second of keys that have more than one."""

        def check(self) -> None:
            if not self.machines or len(set(self.machines)) < len(self.machines):
                refuse("machines", self.machines, "one or more names, each once")

    params: Params

    def start(self) -> Room:
        params = self.params
        kind = self.map_type or MAPS[params.scheme]
        return Room(kind.begin(params.machines, params.shards, params.keys), params.keys, tuple(params.heat.items()))

    # What may not happen, and what is offered

    def known(self, state: Room, event: Join) -> str:
        return f"{event.machine} is there already" if event.machine in state.map.machines else ""

    def scattered(self, state: Room, event: Event) -> str:
        return "" if isinstance(state.map, RangeMap) else "the keys have no order here: a hash scatters them"

    def cannot_split(self, state: Room, event: Split) -> str:
        return "a range starts there already" if event.key in state.map.labels else ""

    def unplanned(self, state: Room, event: Advance) -> str:
        return "" if state.plan else "no move is planned"

    def rigid(self, state: Room, event: Plan) -> str:
        return "with modulo no shard can move by itself" if self.params.scheme in ("modulo", "kafka") else ""

    def listed(self, state: Room, event: Salt) -> str:
        return "a directory has one place for each key" if self.params.scheme == "directory" else ""

    def newcomers(self, state: Room) -> Iterable[str]:
        return "ABCDEFGH"[len(state.map.machines) : len(state.map.machines) + 1]

    def hot(self, state: Room) -> Iterable[str]:
        return (key for key, _ in state.heat if key not in state.salts)

    def things(self, state: Room) -> Iterable[str]:
        """Regions, and the hot keys."""
        return [*dict.fromkeys(f"{key.partition('/')[0]}/" for key in state.keys if "/" in key), *dict(state.heat)]

    def middles(self, state: Room) -> Iterator[str]:
        """Of each range that holds several keys, the key in its middle."""
        for at in range(len(state.map.owners)) if isinstance(state.map, RangeMap) else ():
            inside = sorted(key for key in state.keys if state.map.shard_of(key) == at)
            yield from inside[len(inside) // 2 :][: len(inside) > 1]

    # What happens

    @act(Advance, "the next planned move", unless=[unplanned])
    def advance(self, state: Room, event: Advance) -> Happened[Room]:
        move, *rest = state.plan
        after = self._changed(state, state.map.moved(int(move.shard), move.taker), event)
        values = {**move._asdict(), "shard": state.map.named(int(move.shard)), "keys": len(after.moved)}
        return replace(after, plan=tuple(rest)), [Note("K.move", {**values, "left": len(rest)})]

    @act(Join, "**{machine}** joins", "join", offers=newcomers, unless=[known])
    def join(self, state: Room, event: Join) -> Happened[Room]:
        after = self._changed(state, state.map.joined(event.machine), event)
        values = {"machine": event.machine, "moved": len(after.moved), "keys": len(state.keys)}
        return after, [Note("K.join.all" if after.moved else "K.join", values)]

    @act(Plan, "plan moves", "plan", unless=[rigid])
    def make_plan(self, state: Room, event: Plan) -> Happened[Room]:
        load = {str(at): each for at, each in enumerate(zip(state.map.owners, state.loads(), strict=True))}
        plan = tuple(self.planner().plan(load, dict.fromkeys(state.map.machines, 1.0)))
        values = {"moves": len(plan), "shards": tuple(state.map.named(int(move.shard)) for move in plan)}
        return self._after(replace(state, plan=plan), event), [Note("K.plan" if plan else "K.plan.none", values)]

    @act(Split, "split at **{key}**", "split", offers=middles, unless=[scattered, cannot_split])
    def split(self, state: Room, event: Split) -> Happened[Room]:
        assert isinstance(state.map, RangeMap)
        at, before = state.map.shard_of(event.key), state.loads()
        after = self._changed(state, state.map.split(event.key), event)
        left, right = after.loads()[at : at + 2]
        return after, [Note("K.split", {"key": event.key, "before": before[at], "left": left, "right": right})]

    @act(Salt, "salt **{key}**", "salt", offers=hot, unless=[listed])
    def salt(self, state: Room, event: Salt) -> Happened[Room]:
        values = {"key": event.key, "salt": SALT, "heat": dict(state.heat).get(event.key, 1)}
        return self._after(replace(state, salts=(*state.salts, event.key)), event), [Note("K.salt", values)]

    @act(Ask, "ask for **{what}**", "ask", offers=things)
    def ask(self, state: Room, event: Ask) -> Happened[Room]:
        one, what = event.what in state.keys, event.what
        asked = tuple(map(state.map.shard_of, state.stored(what))) if one else state.map.asked_for(what)
        machines = tuple(sorted({state.map.owners[shard] for shard in asked}))
        keys = len(state.stored(what)) if one else sum(key.startswith(what) for key in state.keys)
        values = {"what": what, "keys": keys, "machines": machines}
        return replace(self._after(state, event, asked), what=what), [Note("K.ask", {**values, "shards": len(asked)})]

    @act(Scan, "scan all keys", "scan", unless=[scattered])
    def scan(self, state: Room, event: Scan) -> Happened[Room]:
        assert isinstance(state.map, RangeMap)
        ranges = state.map.ranges
        found, asked = scan(ranges, sorted(state.keys), lambda this: self.goes_on(state, this))
        after = self._after(replace(state, known=ranges.starts), event, tuple(range(len(ranges))))
        return replace(after, scanned=tuple(found)), [Note("K.scan", {"keys": len(found), "asked": asked})]

    def goes_on(self, state: Room, this: Range) -> str | None:
        """A scan goes on where this range ends, not where the next one that the client knows starts: it may be old."""
        return this.end

    def _changed(self, state: Room, map: ShardMap, event: Event) -> Room:
        moved = moved_keys(state.map, map, state.keys)
        return replace(self._after(state, event), map=map, epoch=state.epoch + 1, moved=moved, plan=())

    def _after(self, state: Room, event: Event, asked: tuple[int, ...] = ()) -> Room:
        return replace(state, kind=type(event).__name__, moved=(), asked=asked, scanned=None)


# What must hold


@Always.named("each key is in exactly one range")
def one_range(state: Room) -> str | None:
    """Keys, and the keys at which ranges start."""
    for key in (*state.keys, *(state.map.labels if isinstance(state.map, RangeMap) else ())):
        if len(holders := state.map.holders(key)) != 1:
            return f"{key!r} is in {len(holders)} ranges"
    return None


@Always.named("all clients send a key to the same shard")
def agreed(state: Room) -> str | None:
    """Asked of the keys that a client asks for."""
    other = published(state.map)
    for key in state.keys if state.kind == "Ask" else ():
        if key.startswith(state.what) and state.map.shard_of(key) != other.shard_of(key):
            return f"one client sends {key!r} to shard {state.map.shard_of(key)}, another to {other.shard_of(key)}"
    return None


@AlwaysNext.named("when a machine joins, keys move to it and nowhere else")
def few_move(before: Room, after: Room) -> str | None:
    new = {*after.map.machines} - {*before.map.machines}
    for key in after.moved if new else ():
        if after.map.owner(key) not in new:
            return f"{key} moves from {before.map.owner(key)} to {after.map.owner(key)}, and neither is new"
    return None


@Always.named("a scan reads each key once, in order")
def whole_scan(state: Room) -> str | None:
    if state.scanned is None or list(state.scanned) == sorted(state.keys):
        return None
    missing = sorted({*state.keys} - {*state.scanned})
    return f"the scan leaves out {', '.join(missing)}" if missing else "the scan reads a key twice"


@Always.named("each planned move pays, and there are no more than needed")
def moves_pay(state: Room) -> str | None:
    loads, weights = state.machine_loads(), state.loads()
    counts = {name: state.map.owners.count(name) for name in loads}
    fewest = fewest_moves(counts, dict.fromkeys(loads, 1.0))
    if len({*weights}) == 1 and len(state.plan) > fewest:
        return f"the plan has {len(state.plan)} moves of equal shards, and {fewest} are enough"
    for shard, giver, taker in state.plan:
        loads[giver] -= weights[int(shard)]
        loads[taker] += weights[int(shard)]
        if loads[taker] > loads[giver] + weights[int(shard)]:
            return f"shard {shard} makes {taker} fuller than {giver} was: it would move back"
    return None


ParcelRoom.always = (one_range, agreed, whole_scan, moves_pay)  # modulo breaks few_move
