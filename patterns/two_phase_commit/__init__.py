"""Two-phase commit: several databases commit one transaction together, or none of them does."""

from .coordinator import Coordinator, Open
from .doubt import blocked, coordinator, in_doubt, outcomes, participants, transactions
from .machine import PROTOCOLS, TwoPhaseCommit
from .messages import Done, Move, NotCoordinator, Prepare, Transfer
from .participant import Branch, Participant

__all__ = [
    "PROTOCOLS",
    "Branch",
    "Coordinator",
    "Done",
    "Move",
    "NotCoordinator",
    "Open",
    "Participant",
    "Prepare",
    "Transfer",
    "TwoPhaseCommit",
    "blocked",
    "coordinator",
    "in_doubt",
    "outcomes",
    "participants",
    "transactions",
]
