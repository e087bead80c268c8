"""What the course adds to the token ring."""

from patterns.engine.chapter import Chapter
from token_ring.machine import TokenRing

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .milestones import MILESTONES

MACHINES = {"A ring of three stations": TokenRing()}
CHAPTER = Chapter("token_ring", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
