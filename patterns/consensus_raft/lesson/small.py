"""A cluster so small that every run of it can be looked at: few terms, few requests, a budget of faults.

Within its bounds the search tries everything. Messages arrive in any order or never, timers run out at any moment, and
each fault of the budget may happen at any point.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.cluster import RaftCluster, Term
from patterns.consensus_raft.messages import Add, AppendEntries, AppendEntriesReply, Get, Put, RequestVoteReply
from patterns.engine.params import Count, refuse
from patterns.engine.simulation import Fault
from patterns.engine.world import Drop, Fire, Packet, Request, World


class SmallCluster(RaftCluster):
    """A cluster for searches: without a budget, no fault but losses."""

    name = "consensus_raft_small"

    class Params(RaftCluster.Params, frozen=True):
        servers: Annotated[int, Meta(ge=1, le=9)] = 3
        """How many servers the cluster has."""
        clients: Literal[0] = 0
        """The clients are those in `scripts`."""
        budget: dict[Fault, Count] | None = {}
        """How many faults of each kind may happen. A loss needs no budget: any message may stay undelivered."""
        max_term: Count = 1
        """Servers stand for election up to this term."""
        elections: dict[str, tuple[Term, ...]] | None = None
        """The terms in which each server stands for election, in place of `max_term`."""
        scripts: dict[str, tuple[Literal["put", "add", "get"], ...]] = {}
        """What each client asks in turn, of servers that take themselves for leaders."""
        retry_below: Count = 0
        """A client that waits asks again, if the leader's log has fewer entries than this."""
        replicate: bool = True
        """Without it logs stay as they are: only elections are looked at."""

        def check(self) -> None:
            for name, terms in (self.elections or {}).items():
                if name not in self.names:
                    refuse(f"elections[{name!r}]", terms, f"terms for {', '.join(self.names)}")

    params: Params

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(self.params.scripts)

    def requests(self, world: World[Server]) -> Iterator[Request[Any]]:
        for request in super().requests(world):
            call, server = world.call(request.client), world[request.to]
            waits = call is not None and call.waits
            if server.role == "leader" and (not waits or server.last_log_index < self.params.retry_below):
                yield request

    def new_requests(self, client: str, serial: int) -> tuple[Put | Add | Get, ...]:
        wanted = self.params.scripts[client][serial - 1 : serial]
        offered = super().new_requests(client, serial)
        return tuple(request for request in offered if type(request).__name__.lower() in wanted)

    # What a search tries

    def may_happen(self, world: World[Server], event: Any) -> bool:
        """Within the bounds: elections as `params` allow them, and a leader sends no heartbeats."""
        if isinstance(event, Drop) or not super().may_happen(world, event):
            return False
        if not isinstance(event, Fire):
            return True
        if event.timer == "election":
            return self.may_stand(event.process, world[event.process].current_term + 1)
        return event.timer != "heartbeat"

    def may_stand(self, server: str, term: int) -> bool:
        """Whether the server may stand for election in this term."""
        params = self.params
        return term <= params.max_term if params.elections is None else term in params.elections.get(server, ())

    def spent(self, world: World[Server], packet: Packet) -> bool:
        """Whether the packet can change nothing any more: an answer that comes too late, or a refused vote."""
        body = packet.body
        if type(body) is AppendEntries:
            return not self.params.replicate
        if type(body) not in (RequestVoteReply, AppendEntriesReply):
            return False
        server = world[packet.to]
        late = body.term < server.current_term
        if type(body) is RequestVoteReply:
            counts = body.vote_granted and server.role == "candidate" and not late
            return body.term <= server.current_term and not counts
        return late or (body.term == server.current_term and server.role != "leader")
