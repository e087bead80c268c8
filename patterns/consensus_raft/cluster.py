"""A Raft cluster and its clients on a simulated network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from string import ascii_uppercase
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from patterns.engine.clients import Misused
from patterns.engine.params import Count, Ms, refuse
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Request, World, WorldEvent

from .clients import Server
from .messages import Add, Command, Done, Entry, Get, NotLeader, Put
from .properties import ALWAYS

Term = Annotated[int, Meta(ge=1)]


class RaftCluster(Simulation):
    """Servers S1, S2, ... and clients A, B, ... that put, add to and read the key `x`. All times are in ms."""

    name = view = "consensus_raft"
    events = WorldEvent | Request[Put | Add | Get]
    always = ALWAYS
    server: ClassVar[type[Server]] = Server
    """What runs on each server. `with_parts(RaftCluster, server=...)` is a cluster of other servers."""
    rules = Server.rules

    class Params(Simulation.Params, frozen=True):
        servers: Annotated[int, Meta(ge=1, le=9)] = 5
        """How many servers the cluster has."""
        clients: Annotated[int, Meta(ge=0, le=26)] = 2
        """How many clients send requests."""
        election_timeout: tuple[Ms, Ms] = (150, 300)
        """The range that each election timeout is drawn from."""
        heartbeat_interval: Ms = 50
        """How often a leader sends heartbeats."""
        max_entries: Annotated[int, Meta(ge=1)] = 100
        """How many entries one AppendEntries can carry."""
        logs: dict[str, tuple[Term, ...]] = {}
        """The terms of the entries that a server begins with."""
        term: Count = 0
        """The term that all servers begin in; at least the last term in `logs`."""

        def check(self) -> None:
            low, high = self.election_timeout
            if low > high:
                refuse("election_timeout", self.election_timeout, "a shortest and a longest time, the shortest first")
            for name, terms in self.logs.items():
                if name not in self.names or any(later < earlier for earlier, later in pairwise(terms)):
                    refuse(f"logs[{name!r}]", terms, f"for each of {', '.join(self.names)} terms that never fall")

        @property
        def names(self) -> tuple[str, ...]:
            """The servers."""
            return tuple(f"S{n}" for n in range(1, self.servers + 1))

    params: Params

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(ascii_uppercase[: self.params.clients])

    def processes(self) -> Sequence[Server]:
        params = self.params
        return [
            self.server(
                id=name,
                peers=tuple(other for other in params.names if other != name),
                current_term=max([params.term, *(terms[-1] for terms in params.logs.values() if terms)]),
                log=earlier_log(params.logs.get(name, ())),
                election_timeout=params.election_timeout,
                heartbeat_interval=params.heartbeat_interval,
                max_entries=params.max_entries,
            )
            for name in params.names
        ]

    # Clients

    def requests(self, world: World[Server]) -> Iterator[Request[Any]]:
        """What each client may ask each server: the same again until it is done or refused, then something new."""
        for client in self.clients:
            call = world.call(client)
            serial = call.body.serial + 1 if call else 1
            bodies = (
                (call.body,)
                if call and not isinstance(call.reply, Done | Misused)
                else self.new_requests(client, serial)
            )
            yield from (Request(client, name, body) for body in bodies for name in self.params.names)

    def new_requests(self, client: str, serial: int) -> tuple[Put | Add | Get, ...]:
        """What a client may ask next. Each Put has its own value, so a read shows which Put it saw."""
        value = 10 * serial + self.clients.index(client)
        return Put(serial, "x", value), Add(serial, "x", 1), Get(serial, "x")

    def usual(self, world: World[Server]) -> Any | None:
        """A client that was sent to another server asks there (section 8); else what is due."""
        for call in world.calls:
            leader = call.reply.leader if isinstance(call.reply, NotLeader) else None
            if leader and not self.why_not(world, again := Request(call.client, leader, call.body)):
                return again
        return super().usual(world)

    def answers(self, call: Call, reply: Any) -> bool:
        """Whether the serial numbers agree: the answer to an earlier request may come late."""
        return bool(call.body.serial == reply.serial)


def is_done(call: Call) -> bool:
    """Whether the client has its answer; NotLeader is no answer."""
    return isinstance(call.reply, Done)


def earlier_log(terms: Sequence[int]) -> tuple[Entry, ...]:
    """A log with entries of these terms: x = 41 is the entry of term 4 at index 1. Logs agree where terms do."""
    client = "an earlier client"
    return tuple(
        Entry(term, Command(client, Put(index, "x", 10 * term + index))) for index, term in enumerate(terms, start=1)
    )
