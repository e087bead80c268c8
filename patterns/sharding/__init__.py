"""Sharding: keys on many machines, maps that say where, and a slot that moves while clients write."""

from .gather import ScatterGather
from .hashes import common_slot, partition_of, slot_of, slots_of, token_of
from .hot import price, zipf
from .index import SignUps
from .messages import Begun, Collect, Done, HandIn, Look, Move
from .plan import plan
from .query import Question, slow
from .resharding import Resharding
from .room import ParcelRoom
from .router import Answered, Tried

__all__ = [
    "Answered",
    "Begun",
    "Collect",
    "Done",
    "HandIn",
    "Look",
    "Move",
    "ParcelRoom",
    "Question",
    "Resharding",
    "ScatterGather",
    "SignUps",
    "Tried",
    "common_slot",
    "partition_of",
    "plan",
    "price",
    "slot_of",
    "slots_of",
    "slow",
    "token_of",
    "zipf",
]
