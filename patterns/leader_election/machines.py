"""The elections as simulations. All times are in ms; `network` is what a `Simulation` takes: seed, latency, ...

The timing that an algorithm assumes is kept by itself in a run, where things happen when they are due. An exhaustive
search knows no times: there `synchronous` says whether timeouts keep their promise, or may come at any moment.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from patterns.engine.step import Rule
from patterns.engine.world import Fire, Restart, World

from . import bully, lease_rules, ring
from .bully import Bully
from .chapter import ElectionMachine, algorithm
from .lease import Holder, LockServer, Storage, UnfencedStorage
from .lease_messages import Granted
from .lesson.milestones import BULLY, ELECTION, LEASE
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

RULES: Mapping[str, Rule] = {**bully.RULES, **ring.RULES, **lease_rules.RULES}
"""Every rule of the chapter's own algorithms; Raft has its own table."""

MANY = 512


@algorithm("bully")
class BullyElection(ElectionMachine):
    """Processes P1, P2, ... that all know one another; the highest that is alive shall lead."""

    rules = RULES
    milestones = BULLY
    always = (one_coordinator, highest_alive_leads)
    process: ClassVar[type[Bully]] = Bully
    """What runs: a subclass has a rule of its own, or a learner's."""

    def __init__(
        self,
        *,
        n: int = 5,
        starts: Sequence[int] = (1,),
        timeout: int = 0,
        heartbeat: int = 50,
        crash_stop: bool = False,
        synchronous: bool = False,
        **network: Any,
    ) -> None:
        """`n` processes, of which those with ids in `starts` begin an election. `timeout` is how long an answer is
        waited for; 0 for twice the longest latency, just enough. `heartbeat` is how often a coordinator shows that it
        is there; 0 for never. `crash_stop`: who crashes never comes back. `synchronous`: in a search timers run out
        only when no message is on its way, for a timeout is longer than any exchange.

        Raises ValueError for what cannot be.
        """
        super().__init__(**network)
        if not 1 <= n <= MANY:
            raise ValueError(f"n is {n}; allowed are 1 to {MANY} processes")
        for rank in starts:
            if not 1 <= rank <= n:
                raise ValueError(f"starts has {rank}; ids go from 1 to {n}")
        if timeout < 0 or heartbeat < 0:
            raise ValueError(f"timeout is {timeout} ms and heartbeat {heartbeat} ms; neither may be negative")
        self.n, self.starts, self.timeout, self.heartbeat = n, tuple(sorted(set(starts))), timeout, heartbeat
        self.crash_stop, self.synchronous = crash_stop, synchronous

    @property
    def params(self) -> dict[str, Any]:
        return {
            **super().params,
            "n": self.n,
            "starts": list(self.starts),
            "timeout": self.timeout,
            "heartbeat": self.heartbeat,
            "crash_stop": self.crash_stop,
            "synchronous": self.synchronous,
        }

    def processes(self) -> Sequence[Bully]:
        ranks = tuple(range(1, self.n + 1))
        return [
            self.process(
                id=bully.name(rank),
                rank=rank,
                ranks=ranks,
                starts=rank in self.starts,
                timeout=self.timeout or 2 * self.latency[1],
                heartbeat=self.heartbeat,
            )
            for rank in ranks
        ]

    def why_not(self, world: World, event: Any) -> str:
        if self.crash_stop and isinstance(event, Restart) and event.process in world.down:
            return f"{event.process} has crashed for good"
        return super().why_not(world, event)

    def repairs(self, world: World) -> Iterator[Any]:
        return (event for event in super().repairs(world) if not (self.crash_stop and isinstance(event, Restart)))

    def enabled(self, world: World, group: str = "") -> Iterator[Any]:
        events = super().enabled(world, group)
        if self.synchronous and world.packets:
            return (event for event in events if not isinstance(event, Fire) or event.timer == "start")
        return events


class RingElection(ElectionMachine):
    """Processes on a ring, each named after its id: P3 has id 3. Clockwise is the order of `ids`."""

    rules = RULES
    milestones = ELECTION
    always = (one_leader, highest_wins, all_know)
    process: ClassVar[type[RingProcess]]

    def __init__(
        self, *, ids: Sequence[int] = (3, 1, 5, 2, 4), initiators: Sequence[int] | None = None, **network: Any
    ) -> None:
        """`ids` clockwise: they should be distinct, and one given twice shows why. `initiators` are the ids of those
        that begin by themselves; None for all.

        Raises ValueError for what cannot be.
        """
        super().__init__(**network)
        if not 1 <= len(ids) <= MANY or min(ids) < 1:
            raise ValueError(f"ids are {list(ids)}; allowed are 1 to {MANY} of them, each 1 or more")
        for uid in () if initiators is None else initiators:
            if uid not in ids:
                raise ValueError(f"initiators has {uid}; the ids are {list(ids)}")
        self.ids = tuple(ids)
        self.initiators = None if initiators is None else tuple(sorted(set(initiators)))

    @property
    def params(self) -> dict[str, Any]:
        initiators = None if self.initiators is None else list(self.initiators)
        return {**super().params, "ids": list(self.ids), "initiators": initiators}

    def processes(self) -> Sequence[RingProcess]:
        names = [f"P{uid}" + "'" * self.ids[:at].count(uid) for at, uid in enumerate(self.ids)]
        last = len(names) - 1
        return [
            self.process(
                id=name,
                uid=uid,
                right=names[0 if at == last else at + 1],
                left=names[at - 1],
                initiator=self.initiators is None or uid in self.initiators,
            )
            for at, (name, uid) in enumerate(zip(names, self.ids, strict=True))
        ]


@algorithm("chang_roberts")
class ChangRobertsElection(RingElection):
    """One way round, by Chang and Roberts."""

    process = ChangRoberts


@algorithm("hirschberg_sinclair")
class HirschbergSinclairElection(RingElection):
    """Both ways, twice as far in each phase, by Hirschberg and Sinclair."""

    process = HirschbergSinclair


@algorithm("lease")
class LeaseElection(ElectionMachine):
    """A lock server `lock`, holders A, B, ... that want to lead, and the `storage` that the leader writes to."""

    rules = RULES
    milestones = LEASE
    always = (one_leader, one_holder_a_token, tokens_never_fall, acknowledged_writes_stay)
    server: ClassVar[type[LockServer]] = LockServer
    holder: ClassVar[type[Holder]] = Holder
    storage: ClassVar[type[Storage]] = Storage

    def __init__(
        self,
        *,
        holders: int = 2,
        term: int = 200,
        drift: int = 0,
        fencing: bool = True,
        retry: int = 60,
        work: int = 40,
        writes: int = 2,
        synchronous: bool = False,
        **network: Any,
    ) -> None:
        """`term` is how long a lease lasts; `drift` is how slow, in percent, a holder allows its clock to be. Without
        `fencing` the storage looks at no token. `retry`: how soon a holder asks again; `work`: how long a line takes;
        `writes`: lines for each token. `synchronous`: in a search the server's lease runs out only after the holder's,
        as it does where clocks run alike and nobody stands still. Links are first in, first out.

        Raises ValueError for what cannot be.
        """
        super().__init__(**{"fifo": True, **network})
        if not 1 <= holders <= 9:
            raise ValueError(f"holders is {holders}; allowed are 1 to 9")
        if term < 1 or retry < 1 or work < 1 or writes < 0:
            raise ValueError(
                f"term is {term}, retry {retry}, work {work} ms and writes {writes}; "
                f"allowed are times of 1 ms and more, and writes from 0"
            )
        if not 0 <= drift < 100:
            raise ValueError(f"drift is {drift} %; allowed are 0 to 99")
        self.holders = tuple(chr(ord("A") + at) for at in range(holders))
        self.term, self.drift, self.fencing = term, drift, fencing
        self.retry, self.work, self.writes, self.synchronous = retry, work, writes, synchronous

    @property
    def params(self) -> dict[str, Any]:
        return {
            **super().params,
            "holders": len(self.holders),
            "term": self.term,
            "drift": self.drift,
            "fencing": self.fencing,
            "retry": self.retry,
            "work": self.work,
            "writes": self.writes,
            "synchronous": self.synchronous,
        }

    def processes(self) -> Sequence[LockServer | Holder | Storage]:
        storage = self.storage if self.fencing else UnfencedStorage
        settings: dict[str, Any] = {"drift": self.drift, "retry": self.retry, "work": self.work, "writes": self.writes}
        return [
            self.server(id="lock", term=self.term),
            *(
                self.holder(id=name, lock="lock", storage="storage", term=self.term, **settings)
                for name in self.holders
            ),
            storage(id="storage"),
        ]

    # For a search

    def enabled(self, world: World, group: str = "") -> Iterator[Any]:
        events = super().enabled(world, group)
        if self.synchronous and self.may_be_believed(world):
            return (event for event in events if event != Fire("lock", "expire"))
        return events

    def may_be_believed(self, world: World) -> bool:
        """Whether some holder that is not standing still goes by a lease, or will when the answer comes."""
        for name in self.holders:
            if name not in world.paused and world.timer(name, "lease"):
                return True
        return any(
            isinstance(packet.body, Granted)
            and packet.to not in world.paused | world.down
            and world[packet.to].is_awaited(packet.body.asked)
            for packet in world.packets
        )

    def key(self, world: World) -> Hashable:
        """As every world's, but `asked_at` only sets how long a timer runs."""
        processes = tuple(replace(p, asked_at=0) if isinstance(p, Holder) else p for p in world.processes)
        return super().key(replace(world, processes=processes))
