"""What a run can be run until."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones, fired, first, when
from patterns.engine.world import World
from patterns.leader_election.machines import BullyElection, LeaseElection, RingElection
from patterns.leader_election.properties import agreed_leader, leaders
from patterns.leader_election.raft import RaftElection


def two_lead(world: World) -> bool:
    """Whether two or more believe that they lead."""
    return len(leaders(world)) > 1


ELECTED: Milestones = {"a leader is elected": first(when(leaders)), "two lead at once": first(when(two_lead))}
AGREED: Milestones = {**ELECTED, "all follow one leader": first(when(agreed_leader))}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {
    BullyElection: {
        **AGREED,
        "an election begins": fired("B.ask", "B.top"),
        "a process misses the coordinator's heartbeats": fired("B.silent"),
    },
    RingElection: {**AGREED, "a lower id goes no further": fired("CR.stop", "HS.no")},
    LeaseElection: {
        **ELECTED,
        "a lease expires": fired("L.expire", "L.delay"),
        "a write is acknowledged": fired("H.wrote"),
        "an old token is refused": fired("S.refuse"),
        "an old token is accepted": fired("S.stale"),
    },
    RaftElection: {**ELECTED, "a vote is refused": fired("RV.1", "RV.2.voted", "RV.2.log")},
}
