"""Consistent hashing: the ring, other schemes beside it, and a cache tier that grows without going cold."""

from .bounded import bounded_loads, peak_to_mean
from .events import Advance, Join, Look, Place, ReadAll
from .hashes import avalanche
from .others import ROUTERS, Modulo
from .placement import Node, Placement
from .ring import Ring, moves_between
from .router import moved_keys
from .tier import CacheTier

__all__ = [
    "ROUTERS",
    "Advance",
    "CacheTier",
    "Join",
    "Look",
    "Modulo",
    "Node",
    "Place",
    "Placement",
    "ReadAll",
    "Ring",
    "avalanche",
    "bounded_loads",
    "moved_keys",
    "moves_between",
    "peak_to_mean",
]
