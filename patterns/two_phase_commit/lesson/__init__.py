"""What the course adds to two-phase commit."""

from collections.abc import Mapping
from typing import Any

from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones
from patterns.two_phase_commit.machine import PROTOCOLS, TwoPhaseCommit

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .milestones import TWO_PHASES

MACHINES = {of.title.capitalize(): TwoPhaseCommit(protocol=name) for name, of in PROTOCOLS.items()}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {TwoPhaseCommit: TWO_PHASES}
CHAPTER = Chapter("two_phase_commit", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
