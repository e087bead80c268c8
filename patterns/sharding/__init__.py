"""Sharding: keys on many machines, maps that say where, and a slot that moves while clients write."""

from .gather import ScatterGather
from .messages import Done, HandIn
from .plan import fewest_moves, plan
from .resharding import Resharding
from .room import ParcelRoom

__all__ = ["Done", "HandIn", "ParcelRoom", "Resharding", "ScatterGather", "fewest_moves", "plan"]
