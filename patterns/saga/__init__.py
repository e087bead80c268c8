"""Saga: a long transaction as a sequence of small ones, each with a compensation that undoes what it did."""

from .actions import Action, Add, Look, Move, Nothing, Overwrite, Reread, Row
from .choreography import Peer
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, DefinitionError, Saga, Step, saga, step
from .examples import DEFINITIONS
from .machines import SagaMachine
from .messages import Begin, Elsewhere, Ended, Repair, Reply
from .orchestrator import Orchestrator, Service
from .records import Handled, Instance, Progress, Record, progress
from .rules import RULES
from .standing import observer

__all__ = [
    "COMPENSATABLE",
    "DEFINITIONS",
    "PIVOT",
    "RETRIABLE",
    "RULES",
    "Action",
    "Add",
    "Begin",
    "DefinitionError",
    "Elsewhere",
    "Ended",
    "Handled",
    "Instance",
    "Look",
    "Move",
    "Nothing",
    "Orchestrator",
    "Overwrite",
    "Peer",
    "Progress",
    "Record",
    "Repair",
    "Reply",
    "Reread",
    "Row",
    "Saga",
    "SagaMachine",
    "Service",
    "Step",
    "observer",
    "progress",
    "saga",
    "step",
]
