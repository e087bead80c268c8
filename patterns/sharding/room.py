"""The parcel room as a machine of values: pigeonholes (keys) in shards on machines, and how they move.

    run = Script(ParcelRoom(scheme="range"))
    run.do(Split("America/"), Join("D"), Plan()).finish()        # the planned moves happen one after the other

A shard's load is the heat of its keys. The marks of a picture that choices are about are `shard:3` and `machine:A`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.params import Count, refuse
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always, AlwaysNext, Property
from patterns.engine.step import Note

from .hashes import partition_of, slot_of, token_of
from .hot import salted
from .maps import MAPS, KafkaMap, RangeMap, ShardMap, SlotMap, TokenMap, moved_keys
from .plan import Move, Planner, fewest_moves
from .ranges import Piece, Range, RangeCache, scan
from .rules import RULES

ZONES: tuple[str, ...] = tuple(
    "Africa/Cairo Africa/Lagos America/Bogota America/Chicago America/Denver America/Halifax America/Havana "  # noqa: SIM905
    "America/Lima America/Toronto Asia/Dubai Asia/Kolkata Asia/Tokyo Europe/Berlin Europe/Paris Pacific/Fiji".split()
)
"""Time zones as keys: as in the whole list, most of them are in America."""
SALT = 4


class Event(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Something that happens to the room."""


class Join(Event, frozen=True):
    """A machine joins."""

    machine: str


class Drain(Event, frozen=True):
    """A machine is to give away all its shards."""

    machine: str


class Plan(Event, frozen=True):
    """The planner looks at the loads and lists its moves."""


class Advance(Event, frozen=True):
    """The next planned move happens."""


class Split(Event, frozen=True):
    """A range is cut in two; the second begins with this key."""

    key: str


class Merge(Event, frozen=True):
    """A range and the next one become one."""

    shard: int


class Salt(Event, frozen=True):
    """From now on a key's writes are spread over four keys."""

    key: str


class Read(Event, frozen=True):
    """A client reads a key."""

    key: str


class Scan(Event, frozen=True):
    """A client reads all keys in order, by the ranges that it knows."""


class Find(Event, frozen=True):
    """A client asks for all keys that begin so."""

    prefix: str


class Room(msgspec.Struct, frozen=True):
    """The shard map, and what is on it."""

    map: ShardMap
    keys: tuple[str, ...]
    heat: tuple[tuple[str, int], ...] = ()
    """Keys with more than one operation in a second."""
    drained: frozenset[str] = frozenset()
    salts: tuple[tuple[str, int], ...] = ()
    plan: tuple[Move, ...] = ()
    """The moves that are planned and have not happened yet."""
    epoch: int = 1
    """Rises with every change of the map."""
    pieces: tuple[Piece, ...] = ()
    """The ranges that the client knows."""
    kind: str = ""
    """What happened last, its event's name."""
    moved: tuple[str, ...] = ()
    """The keys that moved last."""
    asked: tuple[int, ...] = ()
    """The shards that were asked last."""
    scanned: tuple[str, ...] | None = None
    """What the last scan read; None if the last event was no scan."""

    @property
    def salt(self) -> dict[str, int]:
        return dict(self.salts)

    def stored(self, key: str) -> tuple[str, ...]:
        """The keys under which a key is stored: several if it is salted."""
        return salted(key, self.salt.get(key, 1))

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

    def holders(self, key: str) -> list[int]:
        """The shards that hold a key: exactly one."""
        return self.map.ranges.holders(key) if isinstance(self.map, RangeMap) else [self.map.shard_of(key)]


class ParcelRoom(ValueMachine[Room, Event]):
    """Pigeonholes on machines, cut into shards."""

    name, view = "parcel_room", "sharding"
    rules = {rule: said for rule, said in RULES.items() if rule.startswith("K.")}
    planner: ClassVar[type[Planner]] = Planner
    cache: ClassVar[type[RangeCache]] = RangeCache
    map_type: ClassVar[type[ShardMap] | None] = None
    """What is used instead of the scheme's map: one with a rule of its own."""

    class Params(AnyParams, frozen=True):
        scheme: Literal["range", "slots", "modulo", "directory", "kafka", "tokens"] = "range"
        """How a key finds its shard."""
        machines: tuple[str, ...] = ("A", "B", "C")
        """The machines at the start."""
        pool: tuple[str, ...] = ("D",)
        """Machines that can join."""
        keys: tuple[str, ...] | None = None
        """The keys; time zones if not given."""
        shards: Annotated[int, Meta(ge=1, le=64)] = 6
        """How many ranges, slots or token ranges there are. With modulo there is one shard for each machine."""
        heat: dict[str, Count] = {}
        """Operations in a second of keys that have more than one."""
        threshold: Annotated[float, Meta(ge=0)] = 0.0
        """The planner leaves machines alone whose load is within this part of the average."""

        def __post_init__(self) -> None:
            if not self.machines or len(set(self.machines)) < len(self.machines):
                refuse("machines", self.machines, "one or more names, each once")

    params: Params
    always: tuple[Property, ...]

    def start(self) -> Room:
        params = self.params
        keys = ZONES if params.keys is None else params.keys
        kind = self.map_type or MAPS[params.scheme]
        return Room(kind.begin(params.machines, params.shards, keys), keys, tuple(params.heat.items()))

    # What may not happen

    def known(self, state: Room, event: Join) -> str:
        return f"{event.machine} is there already" if event.machine in state.map.machines else ""

    def cannot_leave(self, state: Room, event: Drain) -> str:
        if event.machine not in state.map.machines:
            return f"{event.machine} is not there"
        left = {*state.map.machines} - state.drained - {event.machine}
        return "" if left and event.machine not in state.drained else f"{event.machine} is drained, or the last one"

    def hashed(self, state: Room, event: Event) -> str:
        return "" if isinstance(state.map, RangeMap) else "the keys have no order here: a hash scatters them"

    def cannot_split(self, state: Room, event: Split) -> str:
        return "a range starts there already" if event.key in self._starts(state) else ""

    def cannot_merge(self, state: Room, event: Merge) -> str:
        return "" if 0 <= event.shard < len(state.map.owners) - 1 else "no range follows"

    def unplanned(self, state: Room, event: Advance) -> str:
        return "" if state.plan else "no move is planned"

    def fixed(self, state: Room, event: Plan) -> str:
        return "with modulo no shard can move by itself" if self.params.scheme in ("modulo", "kafka") else ""

    def salted(self, state: Room, event: Salt) -> str:
        return "the key is salted already" if event.key in state.salt else ""

    # What is offered

    def busy(self, state: Room) -> Iterable[str]:
        """The first keys of regions, and keys with heat."""
        regions = dict.fromkeys(f"{key.partition('/')[0]}/" for key in state.keys if "/" in key)
        return [*regions, *(key for key, _ in state.heat)]

    def cuts(self, state: Room) -> Iterator[str]:
        """For each range that holds several keys, the key in its middle."""
        if isinstance(state.map, RangeMap):
            for at in range(len(state.map.owners)):
                inside = sorted(key for key in state.keys if state.map.shard_of(key) == at)
                if len(inside) > 1:
                    yield inside[len(inside) // 2]

    def _starts(self, state: Room) -> tuple[str, ...]:
        return state.map.ranges.starts if isinstance(state.map, RangeMap) else ()

    # What happens

    @act(Advance, "the next planned move", unless=[unplanned])
    def advance(self, state: Room, event: Advance) -> Happened[Room]:
        move, *rest = state.plan
        after = self._changed(state, state.map.moved(int(move.shard), move.taker), event)
        note = Note("K.move", {**move._asdict(), "keys": len(after.moved), "left": len(rest)})
        return replace(after, plan=tuple(rest)), [note]

    @act(Join, "**{machine}** joins", "join", offers=lambda self, state: self.params.pool, unless=[known])
    def join(self, state: Room, event: Join) -> Happened[Room]:
        after = self._changed(state, state.map.joined(event.machine), event)
        values = {"machine": event.machine, "moved": len(after.moved), "keys": len(state.keys)}
        return after, [Note("K.join.all" if after.moved else "K.join", values)]

    @act(
        Drain,
        "drain **{machine}**",
        "drain",
        about="machine:{machine}",
        offers=lambda self, state: state.map.machines,
        unless=[cannot_leave, fixed],
    )
    def drain(self, state: Room, event: Drain) -> Happened[Room]:
        note = Note("K.drain", {"machine": event.machine})
        return self._quiet(replace(state, drained=state.drained | {event.machine}), event), [note]

    @act(Plan, "plan moves", "plan", unless=[fixed])
    def make_plan(self, state: Room, event: Plan) -> Happened[Room]:
        plan = tuple(self.planned(state))
        values = {"moves": len(plan), "shards": tuple(move.shard for move in plan)}
        return self._quiet(replace(state, plan=plan), event), [Note("K.plan" if plan else "K.plan.none", values)]

    def planned(self, state: Room) -> list[Move]:
        """What the planner lists in this state."""
        loads = state.loads()
        load = {str(at): (machine, loads[at]) for at, machine in enumerate(state.map.owners)}
        return self.planner().plan(load, capacities(state), self.params.threshold)

    @act(Split, "split at **{key}**", "split", offers=cuts, unless=[hashed, cannot_split])
    def split(self, state: Room, event: Split) -> Happened[Room]:
        assert isinstance(state.map, RangeMap)
        before = state.loads()[state.map.shard_of(event.key)]
        after = self._changed(state, state.map.split(event.key), event)
        at = state.map.shard_of(event.key)
        values = {"key": event.key, "before": before, "left": after.loads()[at], "right": after.loads()[at + 1]}
        return after, [Note("K.split", values)]

    @act(
        Merge,
        "merge shard {shard} with the next",
        "merge",
        about="shard:{shard}",
        offers=lambda self, state: range(len(state.map.owners) - 1),
        unless=[hashed, cannot_merge],
    )
    def merge(self, state: Room, event: Merge) -> Happened[Room]:
        assert isinstance(state.map, RangeMap)
        label, other = state.map.label(event.shard), state.map.label(event.shard + 1)
        after = self._changed(state, state.map.merged(event.shard), event)
        return after, [Note("K.merge", {"label": label, "other": other, "moved": len(after.moved)})]

    @act(Salt, "salt **{key}**", "salt", offers=lambda self, state: dict(state.heat), unless=[salted])
    def spread(self, state: Room, event: Salt) -> Happened[Room]:
        after = replace(state, salts=(*state.salts, (event.key, SALT)))
        values = {"key": event.key, "salt": SALT, "heat": dict(state.heat).get(event.key, 1)}
        return self._quiet(after, event), [Note("K.salt", values)]

    @act(Read, "read **{key}**", "read", offers=lambda self, state: dict(state.heat) or state.keys[:1])
    def read(self, state: Room, event: Read) -> Happened[Room]:
        asked = tuple(state.map.shard_of(name) for name in state.stored(event.key))
        values = {"key": event.key, "keys": len(asked), "machines": self._machines(state, asked)}
        return self._quiet(state, event, asked), [Note("K.read", values)]

    @act(Find, "find all of **{prefix}**", "find", offers=busy)
    def find(self, state: Room, event: Find) -> Happened[Room]:
        asked = state.map.asked_for(event.prefix)
        found = sum(key.startswith(event.prefix) for key in state.keys)
        values = {"prefix": event.prefix, "keys": found, "machines": self._machines(state, asked)}
        return self._quiet(state, event, asked), [Note("K.find", values)]

    @act(Scan, "scan all keys", "scan", unless=[hashed])
    def scan(self, state: Room, event: Scan) -> Happened[Room]:
        assert isinstance(state.map, RangeMap)
        ranges, keys = state.map.ranges, sorted(state.keys)

        def ask(key: str, known: Range | None) -> tuple[Piece, list[str]]:
            true = ranges[ranges.at(key)]
            return (true, state.epoch), [each for each in keys if true.holds(each)]

        found, pieces, asked = scan(self.cache, state.pieces, ask)
        stale = sum(piece not in state.pieces for piece in pieces) if state.pieces else 0
        after = replace(self._quiet(state, event, tuple(range(len(ranges)))), pieces=pieces, scanned=tuple(found))
        return after, [Note("K.scan", {"keys": len(found), "asked": asked, "stale": stale})]

    def _machines(self, state: Room, shards: Iterable[int]) -> tuple[str, ...]:
        return tuple(sorted({state.map.owners[shard] for shard in shards}))

    def _changed(self, state: Room, map: ShardMap, event: Event) -> Room:
        moved = moved_keys(state.map, map, state.keys)
        return replace(self._quiet(state, event), map=map, epoch=state.epoch + 1, moved=moved)

    def _quiet(self, state: Room, event: Event, asked: tuple[int, ...] = ()) -> Room:
        return replace(state, kind=type(event).__name__, moved=(), asked=asked, scanned=None)


def capacities(state: Room) -> dict[str, float]:
    """Each machine's capacity for the planner: 1, and 0 if it is drained."""
    return {name: 0.0 if name in state.drained else 1.0 for name in state.map.machines}


# What must hold


def _not_in_one(state: Room) -> str | None:
    starts = state.map.ranges.starts if isinstance(state.map, RangeMap) else ()
    for key in (*state.keys, *starts):
        if len(holders := state.holders(key)) != 1:
            return f"{key!r} is in {len(holders)} ranges"
    return None


def _disagree(state: Room) -> str | None:
    """Another client of the same system, with its published function."""
    shards = len(state.map.owners)
    for key in state.keys:
        match state.map:
            case SlotMap():
                other = slot_of(key, shards)
            case KafkaMap():
                other = partition_of(key, shards)
            case TokenMap():
                other = (token_of(key) + (1 << 63)) * shards >> 64
            case _:
                return None
        if other != state.map.shard_of(key):
            return f"one client sends {key!r} to shard {state.map.shard_of(key)}, another one to shard {other}"
    return None


def _moved_between_others(before: Room, after: Room) -> str | None:
    new = {*after.map.machines} - {*before.map.machines}
    if after.kind != "Join" or not new:
        return None
    for key in after.moved:
        if after.map.owner(key) not in new:
            return f"{key} moves from {before.map.owner(key)} to {after.map.owner(key)}, and neither is new"
    return None


def _scan_is_wrong(state: Room) -> str | None:
    if state.scanned is None or list(state.scanned) == sorted(state.keys):
        return None
    missing = sorted({*state.keys} - {*state.scanned})
    return f"the scan leaves out {', '.join(missing)}" if missing else "the scan reads a key twice"


def _moves_too_much(state: Room) -> str | None:
    if state.kind != "Plan":
        return None
    loads, load = state.machine_loads(), state.loads()
    equal = len({*load}) == 1
    counts = {name: state.map.owners.count(name) for name in state.map.machines}
    if equal and len(state.plan) > (fewest := fewest_moves(counts, capacities(state))):
        return f"the plan has {len(state.plan)} moves of equal shards, and {fewest} are enough"
    for move in state.plan:
        weight = load[int(move.shard)]
        loads[move.giver] -= weight
        loads[move.taker] += weight
        if move.giver not in state.drained and loads[move.taker] > loads[move.giver] + weight:
            return f"shard {move.shard} makes {move.taker} fuller than {move.giver} was: it would move back"
    return None


one_range = Always("each key is in exactly one range", _not_in_one)
agreed = Always("all clients send a key to the same shard", _disagree)
few_move = AlwaysNext("when a machine joins, keys move to it and nowhere else", _moved_between_others)
whole_scan = Always("a scan reads each key once, in order", _scan_is_wrong)
moves_pay = Always("each planned move pays, and there are no more than needed", _moves_too_much)
ROOM_ALWAYS: tuple[Property, ...] = (one_range, agreed, few_move, whole_scan, moves_pay)
ParcelRoom.always = tuple(each for each in ROOM_ALWAYS if each is not few_move)  # modulo moves keys among the others
