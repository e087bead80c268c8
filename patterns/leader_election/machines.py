"""The elections as simulations. All times are in ms.

A run keeps the timing that an algorithm assumes: everything happens when it is due. An exhaustive search knows no
times: `timing`, and `true_clocks` of the lease, say which orders of events it leaves out.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from string import ascii_uppercase
from typing import Annotated, Any, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.milestones import messages
from patterns.engine.params import Count, Ms, refuse
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Fire, World

from . import bully
from .bully import Bully
from .lease import Holder, LockServer, Storage, UnfencedStorage
from .lease_messages import Granted
from .properties import (
    acknowledged_writes_stay,
    all_know,
    highest_alive_leads,
    highest_wins,
    one_coordinator,
    one_holder_a_token,
    one_leader,
    tokens_never_fall,
)
from .ring import ChangRoberts, HirschbergSinclair, RingProcess
from .rules import RULES

MANY = 512

Id = Annotated[int, Meta(ge=1)]
Wait = Annotated[int, Meta(ge=0, extra={"unit": "ms"})]


class BullyElection(Simulation):
    """Processes P1, P2, ... that all know one another. The live process with the highest id leads."""

    name = "leader_election.bully"
    view = "leader_election"
    rules = RULES
    always = (one_coordinator, highest_alive_leads)
    prompt = frozenset({"start"})
    process: ClassVar[type[Bully]] = Bully
    """What runs: a subclass has a rule of its own, or a learner's."""

    class Params(Simulation.Params, frozen=True):
        n: Annotated[int, Meta(ge=1, le=MANY, extra={"unit": "processes"})] = 5
        """How many processes there are."""
        starts: tuple[Id, ...] = (1,)
        """The ids of the processes that begin an election at the start."""
        timeout: Wait = 0
        """How long a process waits for answers; 0: twice the longest latency, just enough."""
        heartbeat: Wait = 50
        """How often a coordinator sends heartbeats; 0: never."""

        def check(self) -> None:
            if any(rank > self.n for rank in self.starts):
                refuse("starts", self.starts, f"ids from 1 to {self.n}")

    params: Params

    def processes(self) -> Sequence[Bully]:
        starts, heartbeat = self.params.starts, self.params.heartbeat
        timeout = self.params.timeout or max(1, 2 * self.latency[1])
        ranks = tuple(range(1, self.params.n + 1))
        return [
            self.process(bully.name(rank), rank, ranks, starts=rank in starts, timeout=timeout, heartbeat=heartbeat)
            for rank in ranks
        ]


class RingElection(Simulation):
    """Processes on a ring, each named after its id: P3 has id 3. Clockwise is the order of `ids`."""

    view = "leader_election"
    rules = RULES
    always = (one_leader, highest_wins, all_know)
    process: ClassVar[type[RingProcess]]

    class Params(Simulation.Params, frozen=True):
        ids: tuple[Id, ...] = (3, 1, 5, 2, 4)
        """The ids, clockwise. They should be distinct; equal ids show why."""
        initiators: tuple[Id, ...] | None = None
        """The ids of the processes that begin by themselves; None: all."""

        def check(self) -> None:
            if not 1 <= len(self.ids) <= MANY:
                refuse("ids", self.ids, f"1 to {MANY} ids")
            if self.initiators is not None and not 0 < len({*self.initiators} & {*self.ids}) == len({*self.initiators}):
                refuse("initiators", self.initiators, f"None, or one or more of the ids {self.ids}")

    params: Params

    def processes(self) -> Sequence[RingProcess]:
        ids = self.params.ids
        initiators = ids if self.params.initiators is None else self.params.initiators
        names = [f"P{uid}" + "'" * ids[:at].count(uid) for at, uid in enumerate(ids)]
        clockwise = [*names[1:], names[0]]
        return [
            self.process(id=names[at], uid=uid, right=clockwise[at], left=names[at - 1], initiator=uid in initiators)
            for at, uid in enumerate(ids)
        ]


class ChangRobertsElection(RingElection):
    """Ids travel one way round the ring, by Chang and Roberts."""

    name = "leader_election.chang_roberts"
    process = ChangRoberts


class HirschbergSinclairElection(RingElection):
    """Ids travel both ways, twice as far in each phase, by Hirschberg and Sinclair."""

    name = "leader_election.hirschberg_sinclair"
    process = HirschbergSinclair


class LeaseElection(Simulation):
    """A lock server `lock`, holders A, B, ... that want to lead, and the `storage` that the leader writes to."""

    name = "leader_election.lease"
    view = "leader_election"
    rules = RULES
    always = (one_leader, one_holder_a_token, tokens_never_fall, acknowledged_writes_stay)
    server: ClassVar[type[LockServer]] = LockServer
    holder: ClassVar[type[Holder]] = Holder
    storage: ClassVar[type[Storage]] = Storage

    class Params(Simulation.Params, frozen=True):
        holders: Annotated[int, Meta(ge=1, le=9)] = 2
        """How many processes want to lead."""
        term: Ms = 200
        """How long a lease lasts."""
        holder_term: Wait = 0
        """How long holders take a lease to last; 0: as long as it does. Both sides must mean the same time."""
        lock_delay: Wait = 0
        """How long the lock server grants nothing after a lease has expired."""
        drift: Annotated[int, Meta(ge=0, le=99, extra={"unit": "%"})] = 0
        """How slow a holder allows its clock to be."""
        fencing: bool = True
        """The storage refuses old tokens."""
        retry: Ms = 60
        """How soon a holder asks again."""
        work: Ms = 40
        """How long a leader takes to prepare a line, and how long it waits for the storage's answer."""
        writes: Count = 2
        """How many lines a leader writes with one token."""
        fifo: bool = True
        true_clocks: bool = False
        """In a search, the server's lease expires only after the holder's: all clocks run alike."""

        def check(self) -> None:
            believed = self.holder_term or self.term
            if believed * (100 - self.drift) // 100 < 2:
                refuse("drift", self.drift, f"a drift that leaves the holder at least 2 of the lease's {believed} ms")

    params: Params

    def processes(self) -> Sequence[Process]:
        params = self.params
        storage = self.storage if params.fencing else UnfencedStorage
        settings = {name: getattr(params, name) for name in ("drift", "retry", "work", "writes")}
        names = ascii_uppercase[: params.holders]
        settings["term"] = params.holder_term or params.term
        holders = [self.holder(id=name, lock="lock", storage="storage", **settings) for name in names]
        return [self.server(id="lock", term=params.term, delay=params.lock_delay), *holders, storage(id="storage")]

    # For a search

    def may_happen(self, world: World, event: Any) -> bool:
        expires = self.params.true_clocks and event == Fire("lock", "expire")
        return super().may_happen(world, event) and not (expires and self.may_be_believed(world))

    def may_be_believed(self, world: World) -> bool:
        """Whether a holder that is not paused believes its lease, or will when the answer arrives."""
        return any(
            world.timer(each.id, "lease") or (each.pending and messages(world, Granted, to=each.id, asked=each.asked))
            for each in world.processes
            if isinstance(each, Holder) and each.id not in world.paused
        )

    def key(self, world: World) -> Hashable:
        """As every world's, but `asked_at` only sets how long a timer runs."""
        processes = tuple(replace(p, asked_at=0) if isinstance(p, Holder) else p for p in world.processes)
        return super().key(replace(world, processes=processes))
