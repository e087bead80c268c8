"""What the course adds to leader election."""

from patterns.engine.chapter import Chapter
from patterns.leader_election.machines import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
)
from patterns.leader_election.raft import RaftElection

from .assumptions import ASSUMPTIONS
from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .measure import MEASURED, costs
from .milestones import MILESTONES

OLDER_LOGS = {"S1": (1, 1), "S2": (1, 1), "S3": (1, 2), "S4": (1,)}
MACHINES = {
    "Bully": BullyElection(),
    "Chang-Roberts": ChangRobertsElection(initiators=(3, 1, 2)),
    "Hirschberg-Sinclair": HirschbergSinclairElection(),
    "Lease with fencing tokens": LeaseElection(),
    "Raft's election": RaftElection(),
    "Raft's election with older logs": RaftElection(logs=OLDER_LOGS, term=2, max_entries=1),
}
CHAPTER = Chapter("leader_election", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = [
    "ASSUMPTIONS",
    "BUGS",
    "CHAPTER",
    "EXERCISES",
    "GALLERY",
    "MACHINES",
    "MEASURED",
    "MILESTONES",
    "costs",
]
