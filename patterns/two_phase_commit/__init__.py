"""Two-phase commit: several databases commit one transaction together, or none of them does."""

from .coordinator import Coordinator, Open
from .machine import PROTOCOLS, TwoPhaseCommit
from .messages import Done, Move, NameTaken, NotCoordinator, Prepare, Reply, Transfer
from .participant import Branch, Participant
from .readings import blocked, coordinator, in_doubt, outcomes, participants, transactions

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
