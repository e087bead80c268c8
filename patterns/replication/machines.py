"""The ways of replication as machines. The replicas are phones, and the data is a shopping list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.params import Count as Number
from patterns.engine.params import Ms, refuse
from patterns.engine.process import Process
from patterns.engine.sentences import rules_of
from patterns.engine.simulation import Simulation
from patterns.engine.table import Table
from patterns.engine.world import Packet, Request, World, WorldEvent

from . import properties
from .chain import Link
from .client import Count, Read, Remove, Replicated, Write, one_copy
from .configuration import SERVICE, Configured, Join, Suspect
from .merging import Copy, LoseDisk, Meet
from .merkle import Forget, Put, Shelf, Sync
from .primary import Replica
from .quorum import Held, Keeper, Query, Store, Version
from .versions import KINDS

NAMES = ("Ann", "Ben", "Cem", "Dan", "Eve")
RULES = rules_of(__package__)


def rules(*prefixes: str) -> dict[str, Any]:
    return {name: rule for name, rule in RULES.items() if name.partition(".")[0] in prefixes}


def all_of(kind: type[Any], names: Sequence[str], **settings: Any) -> list[Any]:
    """A process of this kind for each name, which knows the others."""
    return [kind(id=name, peers=tuple(other for other in names if other != name), **settings) for name in names]


class PrimaryBackup(Configured):
    """A primary ships its log to backups; the note on the fridge says who counts."""

    name = "primary_backup"
    rules = rules("PB", "CF")
    events = WorldEvent | Request[Write | Read | Suspect]
    always = properties.PRIMARY
    replica: ClassVar[type[Replica]] = Replica

    class Params(Configured.Params, frozen=True):
        n: Annotated[int, Meta(ge=2, le=5, extra={"unit": "replicas"})] = 3
        """How many replicas there are."""
        mode: Literal["sync", "semi", "async"] = "sync"
        """What an acknowledgement waits for: all of the in-sync set, one backup, or nothing."""
        timeout: Ms = 60
        """How long the primary waits for a member of the set."""

    params: Params

    def processes(self) -> Sequence[Process]:
        names, settings = NAMES[: self.params.n], {"mode": self.params.mode, "timeout": self.params.timeout}
        team = all_of(self.replica, names, service=SERVICE, epoch=1, members=names, **settings)
        return [*team, self.configuration(id=SERVICE, replicas=names, members=names)]


class Chain(Configured):
    """Updates enter at the head and are answered by the tail."""

    name = "chain_replication"
    rules = rules("CH", "CF")
    events = WorldEvent | Request[Write | Read | Suspect | Join]
    always = properties.CHAIN
    link: ClassVar[type[Link]] = Link

    class Params(Configured.Params, frozen=True):
        fifo: bool = True
        """Messages of one link never overtake one another: the paper assumes it."""
        crash_stop: bool = True
        """A crashed server stays down: the paper assumes it."""
        n: Annotated[int, Meta(ge=2, le=4, extra={"unit": "replicas"})] = 3
        """How many servers the chain has at first."""
        spare: bool = True
        """One more server can join at the end."""
        wrong: bool = False
        """The monitor may suspect a server that is up: the paper assumes that it never does."""
        guard: Literal["none", "ask"] = "none"
        """What the tail does before it answers a query: nothing, or ask whether it is still in the chain."""

    params: Params

    def processes(self) -> Sequence[Process]:
        names, chain = NAMES[: self.params.n + self.params.spare], NAMES[: self.params.n]
        team = all_of(self.link, names, service=SERVICE, guard=self.params.guard, members=chain)
        return [*team, self.configuration(id=SERVICE, replicas=names, members=chain)]

    def requests(self, world: World[Any]) -> Iterator[Request[Any]]:
        yield from super().requests(world)
        outside = [p.id for p in world.up if isinstance(p, Link) and p.epoch == 1 and p.id not in p.members]
        if SERVICE not in world.down:
            members = world[SERVICE].members
            yield from (Request("M", SERVICE, Join(who)) for who in outside if who not in members)


class Quorum(Replicated):
    """Any replica coordinates; reads and writes wait for some of N."""

    name = "quorum"
    rules = rules("Q")
    events = WorldEvent | Request[Write | Read]
    always = (one_copy,)
    keeper: ClassVar[type[Keeper]] = Keeper

    class Params(Replicated.Params, frozen=True):
        n: Annotated[int, Meta(ge=1, le=5, extra={"unit": "replicas"})] = 3
        """N: how many replicas keep the line."""
        spares: Annotated[int, Meta(ge=0, le=2)] = 0
        """How many more phones stand in for a silent one (sloppy quorum)."""
        r: Annotated[int, Meta(ge=0, le=5)] = 0
        """R: how many answers a read waits for; 0 for a majority."""
        w: Annotated[int, Meta(ge=0, le=5)] = 0
        """W: how many replicas a write waits for; 0 for a majority."""
        repair: Literal["none", "later", "first"] = "first"
        """What a read does with old versions: nothing, write back after its answer, or before it."""
        ask_first: bool = True
        """A write asks for the newest version first."""
        timeout: Ms = 60
        """How long a coordinator waits."""

        def check(self) -> None:
            for name, value in (("r", self.r), ("w", self.w)):
                if value > self.n:
                    refuse(name, value, f"0 to n, which is {self.n}")
            if self.n + self.spares > len(NAMES):
                refuse("spares", self.spares, f"0 to {len(NAMES) - self.n}, with n = {self.n}")

    params: Params

    def processes(self) -> Sequence[Process]:
        p = self.params
        names, settings = NAMES[: p.n + p.spares], {"repair": p.repair, "ask_first": p.ask_first}
        quorum = {"replicas": names[: p.n], "spares": names[p.n :], "read": p.r, "write": p.w}
        return all_of(self.keeper, names, patience=p.timeout, **quorum, **settings)

    # For a search

    def spent(self, world: World[Any], packet: Packet) -> bool:
        """What changes no version and no operation."""
        body, keeper = packet.body, world[packet.to]
        if body.op.startswith("hint"):
            return False
        asks = isinstance(body, Query | Store)
        op = world[packet.sender].ops.get(body.op) if asks else keeper.ops.get(body.op)
        over = op is None or (op.phase == "answered" and self.params.repair != "later")
        over = over or (isinstance(body, Query | Held) and op.phase == "store")
        return over and not (isinstance(body, Store) and (body.hint or body.version > keeper.version))


_WRITES = {"X": ("milk", "oat milk", "read"), "Y": ("2 milk", "tea", "read")}
_SET = {"X": ("beer", "remove beer", "read"), "Y": ("beer", "milk", "read")}
# Parameter `data` -> what clients ask.
USUAL = {
    **dict.fromkeys(("last write", "siblings", "dotted siblings"), _WRITES),
    **dict.fromkeys(("set", "set with tombstones"), _SET),
    "counter": dict.fromkeys("XY", ("count", "count", "read")),
}


class Merging(Replicated):
    """Every replica takes every operation, and sends its state to the others."""

    name = "merging"
    rules = rules("M")
    events = WorldEvent | Request[Write | Read | Remove | Count | Meet | LoseDisk]
    always = properties.MERGING
    copy: ClassVar[type[Copy]] = Copy

    class Params(Replicated.Params, frozen=True):
        n: Annotated[int, Meta(ge=1, le=4, extra={"unit": "replicas"})] = 2
        """How many replicas there are."""
        data: Literal["last write", "siblings", "dotted siblings", "counter", "set", "set with tombstones"] = (
            "dotted siblings"
        )
        """What they keep, and how it merges."""
        meets: Number = 1
        """How often the monitor may have a replica send its state again: 0 for never, else any number."""
        losses: Number = 0
        """How many disks may be lost."""

    params: Params

    @property
    def plans(self) -> Mapping[str, tuple[str, ...]]:
        return self.params.clients or USUAL[self.params.data]

    def processes(self) -> Sequence[Process]:
        return all_of(self.copy, NAMES[: self.params.n], data=self.params.data)

    def requests(self, world: World[Any]) -> Iterator[Request[Any]]:
        yield from super().requests(world)
        lost = sum(p.life - 1 for p in world.processes)
        for copy in world.up:
            if self.params.meets and copy.has != KINDS[copy.data]:
                yield Request("M", copy.id, Meet())
            if lost < self.params.losses and copy.state is not None:
                yield Request("M", copy.id, LoseDisk())


class AntiEntropy(Simulation):
    """Two replicas of many keys compare trees of hashes."""

    name, view = "anti_entropy", "replication"
    rules = rules("MT")
    events = WorldEvent | Request[Put | Forget | Sync]
    always = properties.TREES
    shelf: ClassVar[type[Shelf]] = Shelf
    # Where an older row could be, on which a tombstone waits.
    keeps: ClassVar[tuple[str, ...]] = ("rows", "hints")

    class Params(Simulation.Params, frozen=True):
        leaves: Literal[1, 2, 4, 8, 16] = 8
        """How many leaves a tree has."""
        keys: tuple[str, ...] = ("milk", "eggs", "tea", "bread", "beer", "salt", "rice", "figs")
        """What both replicas hold at first."""
        puts: tuple[tuple[Literal["Ann", "Ben"], str, str], ...] = (
            ("Ann", "milk", "2"),
            ("Ben", "tea", "3"),
            ("Ann", "beer", ""),
        )
        """Writes that clients A, B, ... may make: replica, key, value; an empty value removes the key."""
        hints: tuple[str, ...] = ()
        """The keys that only Ann has at first: it keeps their rows as hints, because Ben was silent."""
        syncs: Number = 3
        """How often the monitor may have a replica compare itself with the other."""

    params: Params

    def processes(self) -> Sequence[Process]:
        rows = {key: Version(1, "Ann", "1") for key in sorted(self.params.keys)}
        hints = Table(tuple((key, row) for key, row in rows.items() if key in self.params.hints))
        ann, ben = all_of(self.shelf, NAMES[:2], leaves=self.params.leaves, rows=Table(tuple(rows.items())))
        return [replace(ann, hints=hints), replace(ben, rows=Table(tuple(r for r in ben.rows if r[0] not in hints)))]

    def requests(self, world: World[Shelf]) -> Iterator[Request[Any]]:
        for at, (who, key, value) in enumerate(self.params.puts):
            client = chr(ord("A") + at)
            if world.call(client) is None and who not in world.down:
                yield Request(client, who, Put(key, value, 1))
        begun = sum(shelf.begun for shelf in world.processes)
        for shelf in world.up:
            if begun < self.params.syncs:
                yield Request("M", shelf.id, Sync())
            for key, row in shelf.rows:
                if not row.value and self.may_forget(world, key):
                    yield Request("M", shelf.id, Forget(key))

    def may_forget(self, world: World[Shelf], key: str) -> bool:
        """A tombstone may go when no replica has an older row, or a hint of one, and none is on its way."""
        kept = [getattr(shelf, where).get(key) for shelf in world.processes for where in self.keeps]
        return not world.packets and not any(row.value for row in kept if row)
