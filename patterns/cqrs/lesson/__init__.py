"""What the course adds to CQRS."""

from collections.abc import Mapping
from typing import Any

from patterns.cqrs.machine import Cqrs
from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .milestones import TWO_SIDES

MACHINES = {
    "Three read models": Cqrs(),
    "A new version and a mailer": Cqrs(models=("orders", "mail"), rebuild="orders"),
}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {Cqrs: TWO_SIDES}
CHAPTER = Chapter("cqrs", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
