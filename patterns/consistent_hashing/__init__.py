"""Consistent hashing: the ring, what came beside it, and a cache tier that grows without going cold."""

from .bounded import Assignment, bounded_loads, capacities, peak_to_mean, place_bounded
from .errors import DuplicateNode, NoNodes, RouterError, UnknownNode
from .events import RULES, Advance, Crash, Event, Join, Leave, Look, Place, Read, ReadAll, Reweight
from .hashes import HASHES, avalanche
from .lesson.exercises import judge_bounded, judge_lookup
from .others import ROUTERS, Jump, Maglev, Modulo, MultiProbe, Rendezvous, jump_hash, maglev_table
from .placement import Ketama, Node, Placement
from .ring import Arc, Change, Move, Ring, Walk, moves_between
from .router import Moved, Router, moved_keys
from .state import Joining, KeyMove, Outcome, Point, Tier
from .tier import CITIES, CacheTier

__all__ = [
    "CITIES",
    "HASHES",
    "ROUTERS",
    "RULES",
    "Advance",
    "Arc",
    "Assignment",
    "CacheTier",
    "Change",
    "Crash",
    "DuplicateNode",
    "Event",
    "Join",
    "Joining",
    "Jump",
    "Ketama",
    "KeyMove",
    "Leave",
    "Look",
    "Maglev",
    "Modulo",
    "Move",
    "Moved",
    "MultiProbe",
    "NoNodes",
    "Node",
    "Outcome",
    "Place",
    "Placement",
    "Point",
    "Read",
    "ReadAll",
    "Rendezvous",
    "Reweight",
    "Ring",
    "Router",
    "RouterError",
    "Tier",
    "UnknownNode",
    "Walk",
    "avalanche",
    "bounded_loads",
    "capacities",
    "judge_bounded",
    "judge_lookup",
    "jump_hash",
    "maglev_table",
    "moved_keys",
    "moves_between",
    "peak_to_mean",
    "place_bounded",
]
