"""What the course adds to Raft."""

from collections.abc import Mapping
from typing import Any

from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.stepdown import StepDownCluster
from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones

from .broken import BUGS
from .commit_exercise import COMMIT
from .gallery import GALLERY
from .milestones import MILESTONES as RAFT_MILESTONES
from .vote_exercise import VOTE

MACHINES = {
    "Raft": RaftCluster(),
    "Raft with pre-vote and step-down": StepDownCluster(),
}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {RaftCluster: RAFT_MILESTONES}
EXERCISES = {exercise.name: exercise for exercise in (VOTE, COMMIT)}
CHAPTER = Chapter("consensus_raft", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
