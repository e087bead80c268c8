"""What the course adds to sagas."""

from collections.abc import Mapping
from typing import Any

from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones
from patterns.saga.machines import CHOREOGRAPHED, SagaMachine

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .milestones import MILESTONES as REACHED
from .side_by_side import SideBySide

MACHINES = {
    "Orchestrated": SagaMachine(),
    "Choreographed": SagaMachine(style=CHOREOGRAPHED),
    "Both styles": SideBySide(),
}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {SagaMachine: REACHED, SideBySide: REACHED}
CHAPTER = Chapter("saga", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
