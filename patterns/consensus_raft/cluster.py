"""A Raft cluster and its clients on a simulated network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Request, World, WorldEvent

from .clients import Server
from .lesson.milestones import MILESTONES
from .messages import Add, Command, Done, Entry, Get, Put
from .properties import ALWAYS


class RaftCluster(Simulation):
    """Servers S1, S2, ... and clients A, B, ... that put, add to and read the key `x`. All times are in ms."""

    name = "consensus_raft"
    events = WorldEvent | Request[Put | Add | Get]
    always = ALWAYS
    milestones = MILESTONES
    server: ClassVar[type[Server]] = Server
    """What runs on each server: `cluster_of` gives a cluster of others."""
    rules = Server.rules

    def __init__(
        self,
        *,
        servers: int = 5,
        clients: int = 2,
        election_timeout: Sequence[int] = (150, 300),
        heartbeat_interval: int = 50,
        max_entries: int = 100,
        logs: Mapping[str, Sequence[int]] | None = None,
        term: int = 0,
        **network: Any,
    ) -> None:
        """`election_timeout` is the range it is drawn from; `max_entries` limits one AppendEntries. `logs` are the
        terms of the entries that servers begin with, `term` is the term that all begin in: at least the last of the
        logs. `network` is what a `Simulation` takes: seed, latency, budget, speed, fifo.

        Raises ValueError for what cannot be.
        """
        super().__init__(**network)
        low, high = election_timeout
        logs = {name: tuple(terms) for name, terms in (logs or {}).items()}
        _check(servers, clients, (low, high), heartbeat_interval, max_entries)
        self.names = tuple(f"S{n}" for n in range(1, servers + 1))
        self.clients = tuple(chr(ord("A") + n) for n in range(clients))
        self.term = max([term, *(terms[-1] for terms in logs.values() if terms)])
        for name, terms in logs.items():
            if name not in self.names or list(terms) != sorted(terms) or any(each < 1 for each in terms):
                raise ValueError(
                    f"logs has {name!r}: {terms}; allowed are {', '.join(self.names)}, with terms that never fall"
                )
        self.settings: dict[str, Any] = {
            "election_timeout": (low, high),
            "heartbeat_interval": heartbeat_interval,
            "max_entries": max_entries,
        }
        self.logs = logs

    @property
    def params(self) -> dict[str, Any]:
        return {
            "servers": len(self.names),
            "clients": len(self.clients),
            **self.settings,
            "election_timeout": list(self.settings["election_timeout"]),
            "logs": {name: list(terms) for name, terms in self.logs.items()},
            "term": self.term,
            **super().params,
        }

    def processes(self) -> Sequence[Server]:
        return [
            self.server(
                id=name,
                peers=tuple(other for other in self.names if other != name),
                current_term=self.term,
                log=earlier_log(self.logs.get(name, ())),
                **self.settings,
            )
            for name in self.names
        ]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """What each client may ask each server: the same again until it is done, then something new."""
        for client in self.clients:
            call = world.call(client)
            if call is not None and not is_done(call):
                bodies: tuple[Any, ...] = (call.body,)
            else:
                bodies = self.new_requests(client, call.body.serial + 1 if call else 1)
            for body in bodies:
                for name in self.names:
                    yield Request(client, name, body)

    def new_requests(self, client: str, serial: int) -> tuple[Put | Add | Get, ...]:
        """What a client may ask next. Each Put has a value of its own, so that a read tells which it saw."""
        value = 10 * serial + self.clients.index(client)
        return Put(serial, "x", value), Add(serial, "x", 1), Get(serial, "x")

    def answers(self, call: Call, reply: Any) -> bool:
        """By its serial number: an old answer, to an earlier request, may come late."""
        return bool(call.body.serial == reply.serial)


def cluster_of(server: type[Server]) -> type[RaftCluster]:
    """A cluster of another kind of servers: an extension, a planted bug, a learner's own."""
    return type(f"{server.__name__}Cluster", (RaftCluster,), {"server": server, "rules": server.rules})


def is_done(call: Call) -> bool:
    """Whether the client has its answer; being sent on to another server is none."""
    return isinstance(call.reply, Done)


def earlier_log(terms: Sequence[int]) -> tuple[Entry, ...]:
    """A log with entries of these terms: x = 41 is the entry of term 4 at index 1. Logs agree where terms do."""
    client = "an earlier client"
    return tuple(
        Entry(term, Command(client, Put(index, "x", 10 * term + index))) for index, term in enumerate(terms, start=1)
    )


def _check(servers: int, clients: int, timeout: tuple[int, int], heartbeat_interval: int, max_entries: int) -> None:
    if not 1 <= servers <= 9:
        raise ValueError(f"servers is {servers}; allowed are 1 to 9")
    if not 0 <= clients <= 26:
        raise ValueError(f"clients is {clients}; allowed are 0 to 26")
    if not 1 <= timeout[0] <= timeout[1]:
        raise ValueError(f"election_timeout is {timeout[0]}..{timeout[1]} ms; allowed is 1 <= low <= high")
    if heartbeat_interval < 1:
        raise ValueError(f"heartbeat_interval is {heartbeat_interval} ms; it must be at least 1 ms")
    if max_entries < 1:
        raise ValueError(f"max_entries is {max_entries}; it must be at least 1")
