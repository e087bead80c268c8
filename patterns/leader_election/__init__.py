"""Leader election: bully, ring, lease with fencing tokens, and Raft's."""

from .bully import Answer, Bully, Coordinator, Election, Heartbeat
from .lease import Holder, LockServer, Storage, UnfencedStorage
from .lease_messages import Acquire, Busy, Granted, Read, Refused, Renew, Stored, Write, Written
from .machines import BullyElection, ChangRobertsElection, HirschbergSinclairElection, LeaseElection
from .properties import agreed_leader, leaders
from .raft import RaftElection
from .ring import Candidacy, ChangRoberts, Elected, From, HirschbergSinclair, Reply, RingProcess
from .rules import RULES

__all__ = [
    "RULES",
    "Acquire",
    "Answer",
    "Bully",
    "BullyElection",
    "Busy",
    "Candidacy",
    "ChangRoberts",
    "ChangRobertsElection",
    "Coordinator",
    "Elected",
    "Election",
    "From",
    "Granted",
    "Heartbeat",
    "HirschbergSinclair",
    "HirschbergSinclairElection",
    "Holder",
    "LeaseElection",
    "LockServer",
    "RaftElection",
    "Read",
    "Refused",
    "Renew",
    "Reply",
    "RingProcess",
    "Storage",
    "Stored",
    "UnfencedStorage",
    "Write",
    "Written",
    "agreed_leader",
    "leaders",
]
