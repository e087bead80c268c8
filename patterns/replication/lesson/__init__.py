"""What the course adds to replication."""

from patterns.engine.chapter import Chapter
from patterns.replication.machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .milestones import MILESTONES

MACHINES = {
    "Primary and backups": PrimaryBackup(),
    "A chain": Chain(),
    "Quorums": Quorum(),
    "Quorums with a stand-in": Quorum(spares=1, repair="later"),
    "Lists that merge": Merging(),
    "Two trees of hashes": AntiEntropy(),
}
CHAPTER = Chapter("replication", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
