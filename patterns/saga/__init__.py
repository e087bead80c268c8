"""Saga: a long transaction as a sequence of small ones, each with a compensation that undoes what it did."""

from .actions import Action, Add, Look, Move, Nothing, Overwrite, Reread, Row
from .choreography import Peer
from .database import Handled
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, DefinitionError, Saga, Step, saga, step
from .examples import DEFINITIONS
from .log import Instance, Progress, Record, progress
from .machines import CHOREOGRAPHED, ORCHESTRATED, SagaMachine
from .messages import Accepted, Begin, Elsewhere, Ended, Repair, Reply
from .orchestrator import BackwardAfterCrash, Orchestrator, Service
from .properties import ALWAYS, ISOLATION
from .readings import observer, steps_standing, sums
from .rules import RULES

__all__ = [
    "ALWAYS",
    "CHOREOGRAPHED",
    "COMPENSATABLE",
    "DEFINITIONS",
    "ISOLATION",
    "ORCHESTRATED",
    "PIVOT",
    "RETRIABLE",
    "RULES",
    "Accepted",
    "Action",
    "Add",
    "BackwardAfterCrash",
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
    "steps_standing",
    "sums",
]
