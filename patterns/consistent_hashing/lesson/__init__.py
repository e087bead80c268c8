"""What the course adds to consistent hashing."""

from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.chapter import Chapter

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY, RACKS, TWELVE
from .milestones import MILESTONES

MACHINES = {
    "Consistent hashing": CacheTier(keys=TWELVE, vnodes=2),
    "Copies and racks": CacheTier(nodes=RACKS, copies=3, vnodes=3),
    "hash mod N": CacheTier(keys=TWELVE, scheme="modulo"),
    "Rendezvous hashing": CacheTier(scheme="rendezvous"),
}
CHAPTER = Chapter("consistent_hashing", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
