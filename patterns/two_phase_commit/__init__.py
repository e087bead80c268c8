"""Two-phase commit: several databases commit one transaction together, or none of them does."""

from .coordinator import Coordinator, Open
from .doubt import Doubt, blocked, coordinator, in_doubt, outcomes, participants, transactions
from .log import Aborted, Account, Collecting, Committed, End, Prepared, Ready
from .machine import PROTOCOLS, TwoPhaseCommit
from .messages import (
    Abort,
    Ack,
    Commit,
    Done,
    InDoubt,
    Inquiry,
    Move,
    NotCoordinator,
    PreCommit,
    PreCommitted,
    Prepare,
    StateReport,
    StateRequest,
    Transfer,
    Voted,
)
from .participant import Branch, Lock, Participant
from .presumed import (
    PresumedAbortCoordinator,
    PresumedAbortParticipant,
    PresumedCommitCoordinator,
    PresumedCommitParticipant,
    Reader,
)
from .rules import RULES
from .three_phase import ThreePhaseCoordinator, ThreePhaseParticipant

__all__ = [
    "PROTOCOLS",
    "RULES",
    "Abort",
    "Aborted",
    "Account",
    "Ack",
    "Branch",
    "Collecting",
    "Commit",
    "Committed",
    "Coordinator",
    "Done",
    "Doubt",
    "End",
    "InDoubt",
    "Inquiry",
    "Lock",
    "Move",
    "NotCoordinator",
    "Open",
    "Participant",
    "PreCommit",
    "PreCommitted",
    "Prepare",
    "Prepared",
    "PresumedAbortCoordinator",
    "PresumedAbortParticipant",
    "PresumedCommitCoordinator",
    "PresumedCommitParticipant",
    "Reader",
    "Ready",
    "StateReport",
    "StateRequest",
    "ThreePhaseCoordinator",
    "ThreePhaseParticipant",
    "Transfer",
    "TwoPhaseCommit",
    "Voted",
    "blocked",
    "coordinator",
    "in_doubt",
    "outcomes",
    "participants",
    "transactions",
]
