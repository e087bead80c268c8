"""Consistent hashing: the ring, what came beside it, and a cache tier that grows without going cold."""

from .errors import DuplicateNode, NoNodes, RouterError, UnknownNode
from .hashes import HASHES, avalanche
from .others import ROUTERS, Jump, Maglev, Modulo, MultiProbe, Rendezvous, jump_hash, maglev_table
from .placement import Ketama, Node, Placement
from .ring import Arc, Change, Move, Ring, Walk, moves_between
from .router import Moved, Router, moved_keys

__all__ = [
    "HASHES",
    "ROUTERS",
    "Arc",
    "Change",
    "DuplicateNode",
    "Jump",
    "Ketama",
    "Maglev",
    "Modulo",
    "Move",
    "Moved",
    "MultiProbe",
    "NoNodes",
    "Node",
    "Placement",
    "Rendezvous",
    "Ring",
    "Router",
    "RouterError",
    "UnknownNode",
    "Walk",
    "avalanche",
    "jump_hash",
    "maglev_table",
    "moved_keys",
    "moves_between",
]
