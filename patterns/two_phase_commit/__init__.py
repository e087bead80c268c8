"""Two-phase commit: several databases commit one transaction together, or none of them does."""

from .coordinator import Coordinator, Open
from .doubt import blocked, coordinator, in_doubt, outcomes, participants, transactions
from .machine import PROTOCOLS, TwoPhaseCommit
from .messages import Done, Move, NameTaken, NotCoordinator, Prepare, Reply, Transfer
from .participant import Branch, Participant

__all__ = [
    "PROTOCOLS",
    "Branch",
    "Coordinator",
    "Done",
    "Move",
    "NameTaken",
    "NotCoordinator",
    "Open",
    "Participant",
    "Prepare",
    "Reply",
    "Transfer",
    "TwoPhaseCommit",
    "blocked",
    "coordinator",
    "in_doubt",
    "outcomes",
    "participants",
    "transactions",
]
