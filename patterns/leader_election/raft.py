"""Raft's election, as it is: the servers of `consensus_raft`, with no client that asks for anything.

Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014, section 5.2.
A majority and a vote on disk take the place of the bully's timing: under a partition at most one side elects.
"""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.properties import election_safety, terms_never_fall
from patterns.engine.properties import Sometimes
from patterns.engine.world import World, WorldEvent

from .chapter import ElectionMachine, algorithm
from .lesson.milestones import ELECTION, fired


@algorithm("raft")
class RaftElection(ElectionMachine, RaftCluster):
    """Servers S1, S2, ... that elect a leader for a term; `server` may be another kind of them, as in a cluster."""

    name = "leader_election"
    events = WorldEvent
    always = (election_safety, terms_never_fall)
    milestones = {
        "a leader is elected": ELECTION["a leader is elected"],
        "two believe that they lead": ELECTION["two lead at once"],
        "a vote is refused": fired("RV.1", "RV.2.voted", "RV.2.log"),
    }

    def __init__(self, *, servers: int = 5, **cluster: Any) -> None:
        """As a `RaftCluster`, without clients."""
        super().__init__(servers=servers, **{**cluster, "clients": 0})


def _led(world: World) -> bool:
    """The newest term has a leader, and it is up."""
    newest = max(server.current_term for server in world.processes)  # type: ignore[attr-defined]
    return any(server.role == "leader" and server.current_term == newest for server in world.up)


newest_term_led = Sometimes("the newest term has a leader", _led)
