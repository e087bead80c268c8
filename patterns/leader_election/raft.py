"""Raft's election: the servers of `consensus_raft`, without clients.

Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014, section 5.2.
A majority and a vote on disk replace the bully's timing: under a partition at most one side elects a leader.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.properties import election_safety, terms_never_fall
from patterns.engine.world import WorldEvent


class RaftElection(RaftCluster):
    """Servers S1, S2, ... that elect a leader for a term."""

    name = "leader_election.raft"
    view = "leader_election"
    events = WorldEvent
    rules = {name: rule for name, rule in RaftCluster.rules.items() if not name.startswith(("CL.", "RI.", "L.2"))}
    """All but the rules about clients' requests."""
    always = (election_safety, terms_never_fall)

    class Params(RaftCluster.Params, frozen=True):
        clients: Annotated[int, Meta(ge=0, le=0)] = 0
        """An election needs no clients."""

    params: Params
