"""What the course adds to sharding."""

from collections.abc import Mapping
from typing import Any

from patterns.engine.chapter import Chapter
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones
from patterns.sharding.gather import ScatterGather
from patterns.sharding.index import SignUps
from patterns.sharding.resharding import Resharding
from patterns.sharding.room import ParcelRoom

from .broken import BUGS
from .exercises import EXERCISES
from .gallery import GALLERY
from .milestones import GATHER, MOVE, ROOM, SIGN_UPS

MACHINES: Mapping[str, Machine[Any, Any]] = {
    "A slot moves": Resharding(),
    "Key by key": Resharding(way="key by key"),
    "Shards on machines": ParcelRoom(heat={"America/Lima": 24}),
    "A question to all shards": ScatterGather(),
    "One e-mail for one customer": SignUps(),
}
Kinds = Mapping[type[Machine[Any, Any]], Milestones]
MILESTONES: Kinds = {Resharding: MOVE, ParcelRoom: ROOM, ScatterGather: GATHER, SignUps: SIGN_UPS}
CHAPTER = Chapter("sharding", MACHINES, MILESTONES, GALLERY, BUGS, EXERCISES)

__all__ = ["BUGS", "CHAPTER", "EXERCISES", "GALLERY", "MACHINES", "MILESTONES"]
