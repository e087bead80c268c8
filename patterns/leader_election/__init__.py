"""Leader election: bully, ring, lease with fencing tokens, and Raft's."""

from .bully import Bully
from .lease import Holder, LockServer, Storage
from .machines import BullyElection, ChangRobertsElection, HirschbergSinclairElection, LeaseElection
from .properties import agreed_leader, leaders
from .raft import RaftElection
from .ring import ChangRoberts, HirschbergSinclair, RingProcess

__all__ = [
    "Bully",
    "BullyElection",
    "ChangRoberts",
    "ChangRobertsElection",
    "HirschbergSinclair",
    "HirschbergSinclairElection",
    "Holder",
    "LeaseElection",
    "LockServer",
    "RaftElection",
    "RingProcess",
    "Storage",
    "agreed_leader",
    "leaders",
]
