"""What the course adds to event sourcing."""

from collections.abc import Mapping
from typing import Any

from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones
from patterns.event_sourcing.history import ShelfHistory
from patterns.event_sourcing.shop import Shop

from .broken import BUGS, NUMBERED
from .exercises import EXERCISES
from .gallery import GALLERY, VOUCHERS
from .milestones import ONE_STREAM, SHOP

MACHINES: Mapping[str, Machine[Any, Any]] = {
    "Two pickers and one writer": Shop(),
    "A voucher for two shelves": VOUCHERS,
    "Positions before the commit": NUMBERED.again(budget=None, timing="asynchronous"),
    "One stream": ShelfHistory(),
}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {Shop: SHOP, ShelfHistory: ONE_STREAM}
CHAPTER = Chapter("event_sourcing", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
