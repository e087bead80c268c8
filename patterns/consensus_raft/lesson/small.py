"""A cluster so small that every run of it can be looked at: few terms, few requests, a budget of faults.

Within its bounds nothing is left to chance: messages arrive in any order or never, timers run out at any moment, and
whatever the budget allows may break at any point.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.messages import Add, AppendEntries, AppendEntriesReply, Get, Put, RequestVoteReply
from patterns.consensus_raft.state import ServerState
from patterns.engine.simulation import Simulation
from patterns.engine.world import FAULTS, Crash, Deliver, Duplicate, Fire, Packet, Request, Restart, World


class SmallCluster(RaftCluster):
    """A cluster for searches.

    Any server may stand for election up to `max_term`; with `elections`, each only in the terms named there. `scripts`
    has what each client asks in turn, `put`, `add` or `get`, of servers that take themselves for leaders; with
    `retries` again and again. Without `replicate` logs stay as they are: elections alone are looked at. Without
    `heartbeats` a leader sends only what it has to. Of the faults there are crashes and duplicates, as many as the
    `budget` says; losses need none, since a message may be left undelivered for ever, and neither do cuts and pauses.

    Raises ValueError for what cannot be.
    """

    def __init__(
        self,
        *,
        max_term: int = 1,
        elections: Mapping[str, Sequence[int]] | None = None,
        scripts: Mapping[str, Sequence[str]] | None = None,
        retries: bool = False,
        replicate: bool = True,
        heartbeats: bool = False,
        **params: Any,
    ) -> None:
        params.setdefault("servers", 3)
        params["clients"] = len(scripts or {})
        params["budget"] = {**dict.fromkeys(FAULTS, 0), **(params.get("budget") or {})}
        super().__init__(**params)
        for name in elections or {}:
            if name not in self.names:
                raise ValueError(f"elections has {name!r}; the servers are {', '.join(self.names)}")
        for client, script in (scripts or {}).items():
            if client not in self.clients or not {*script} <= {"put", "add", "get"}:
                raise ValueError(
                    f"scripts has {client!r}: {script}; clients are {', '.join(self.clients)}, and put, add or get"
                )
        self.max_term = max_term
        self.elections = None if elections is None else {name: tuple(terms) for name, terms in elections.items()}
        self.scripts = {client: tuple(script) for client, script in (scripts or {}).items()}
        self.retries = retries
        self.replicate = replicate
        self.heartbeats = heartbeats

    @property
    def params(self) -> dict[str, Any]:
        return {
            "max_term": self.max_term,
            "elections": None if self.elections is None else {n: list(terms) for n, terms in self.elections.items()},
            "scripts": {client: list(script) for client, script in self.scripts.items()},
            "retries": self.retries,
            "replicate": self.replicate,
            "heartbeats": self.heartbeats,
            **super().params,
        }

    def requests(self, world: World) -> Iterator[Request[Any]]:
        for request in super().requests(world):
            call = world.call(request.client)
            if world[request.to].role == "leader" and (self.retries or call is None or not call.waits):
                yield request

    def new_requests(self, client: str, serial: int) -> tuple[Put | Add | Get, ...]:
        script = self.scripts[client]
        return tuple(
            request
            for request in super().new_requests(client, serial)
            if serial <= len(script) and type(request).__name__.lower() == script[serial - 1]
        )

    # What a search tries

    def enabled(self, world: World, group: str = "") -> Iterator[Any]:
        if group:
            yield from super().enabled(world, group)
            return
        tried: set[Any] = set()
        for packet in world.packets:
            what = (packet.sender, packet.to, packet.body)
            if packet.to in world.down or self.is_spent(world, packet) or what in tried:
                continue
            tried.add(what)
            yield Deliver(packet.id)
            if world.left("duplicate"):
                yield Duplicate(packet.id)
        for timer in world.timers:
            if self.may_fire(world, timer.process, timer.name):
                yield Fire(timer.process, timer.name)
        for request in self.requests(world):
            if not self.why_not(world, request):
                yield request
        yield from (Restart(name) for name in sorted(world.down))
        if world.left("crash"):
            yield from (Crash(server.id) for server in world.up)

    def may_fire(self, world: World, process: str, timer: str) -> bool:
        """Within the bounds: an election, or a heartbeat when nothing of this leader is on its way."""
        if timer == "election":
            term = world[process].current_term + 1
            return term <= self.max_term if self.elections is None else term in self.elections.get(process, ())
        return self.heartbeats and not any(
            packet.sender == process and type(packet.body) is AppendEntries for packet in world.packets
        )

    def is_spent(self, world: World, packet: Packet) -> bool:
        """Whether the packet can do nothing any more: an answer that comes too late, or a refused vote."""
        body = packet.body
        kind = type(body)
        if kind is AppendEntries:
            return not self.replicate
        if kind is RequestVoteReply:
            server: ServerState = world[packet.to]
            counts = body.vote_granted and server.role == "candidate" and body.term == server.current_term
            return body.term <= server.current_term and not counts
        if kind is AppendEntriesReply:
            server = world[packet.to]
            return body.term <= server.current_term and (server.role != "leader" or body.term < server.current_term)
        return False

    def key(self, world: World) -> Hashable:
        """Worlds that differ only in spent packets have the same future."""
        live = tuple([packet for packet in world.packets if not self.is_spent(world, packet)])
        return Simulation.key(self, world if len(live) == len(world.packets) else replace(world, packets=live))


def small_cluster_of(server: type[Server]) -> type[SmallCluster]:
    """A small cluster of another kind of servers."""
    return type(f"Small{server.__name__}Cluster", (SmallCluster,), {"server": server, "rules": server.rules})
