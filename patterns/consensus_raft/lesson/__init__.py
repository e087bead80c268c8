"""What the course adds to Raft."""

from collections.abc import Mapping
from typing import Any

from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.snapshots import SnapshotCluster
from patterns.consensus_raft.stepdown import StepDownCluster
from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones

from . import broken, snapshots
from . import gallery as runs
from .commit_exercise import COMMIT
from .milestones import MILESTONES as RAFT_MILESTONES
from .vote_exercise import VOTE

MACHINES = {
    "Raft": RaftCluster(),
    "Raft with pre-vote and step-down": StepDownCluster(),
    "Raft with snapshots": SnapshotCluster(),
}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {
    RaftCluster: RAFT_MILESTONES,
    SnapshotCluster: snapshots.MILESTONES,
}
GALLERY = {**runs.GALLERY, **snapshots.GALLERY}
BUGS = {**broken.BUGS, **snapshots.BUGS}
EXERCISES = {exercise.name: exercise for exercise in (VOTE, COMMIT)}
CHAPTER = Chapter("consensus_raft", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
