"""Leader election: bully, ring, lease with fencing tokens, and Raft's; what each assumes, and how it breaks."""

from .assumptions import ASSUMPTIONS, Assumption
from .bully import Answer, Bully, Coordinator, Election, Heartbeat
from .chapter import ALGORITHMS, ElectionMachine
from .lease import Holder, LockServer, Storage, UnfencedStorage
from .lease_messages import Acquire, Busy, Granted, Read, Refused, Renew, Stored, Write, Written
from .lesson.broken import BUGS, NO_FAULTS, Bug, in_first_requests, running
from .lesson.exercises import (
    bully_answer_solution,
    fencing_solution,
    judge_bully_answer,
    judge_fencing,
)
from .lesson.gallery import GALLERY
from .lesson.measure import COUNTED, CURVES, Cost, cost, costs, messages
from .machines import (
    RULES,
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
    RingElection,
)
from .properties import agreed_leader, leaders
from .raft import RaftElection
from .ring import Candidacy, ChangRoberts, Elected, From, HirschbergSinclair, Reply, RingProcess

__all__ = [
    "ALGORITHMS",
    "ASSUMPTIONS",
    "BUGS",
    "COUNTED",
    "CURVES",
    "GALLERY",
    "NO_FAULTS",
    "RULES",
    "Acquire",
    "Answer",
    "Assumption",
    "Bug",
    "Bully",
    "BullyElection",
    "Busy",
    "Candidacy",
    "ChangRoberts",
    "ChangRobertsElection",
    "Coordinator",
    "Cost",
    "Elected",
    "Election",
    "ElectionMachine",
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
    "RingElection",
    "RingProcess",
    "Storage",
    "Stored",
    "UnfencedStorage",
    "Write",
    "Written",
    "agreed_leader",
    "bully_answer_solution",
    "cost",
    "costs",
    "fencing_solution",
    "in_first_requests",
    "judge_bully_answer",
    "judge_fencing",
    "leaders",
    "messages",
    "running",
]
