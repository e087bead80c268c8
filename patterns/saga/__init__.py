"""Saga: a long transaction as a sequence of small ones, each with a compensation that undoes what it did."""

from patterns.engine.exposure import Exposure

from .actions import Action, Add, Look, Move, Nothing, Overwrite, Reread, Row
from .choreography import Peer
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, DefinitionError, Saga, Step, saga, step
from .examples import DEFINITIONS
from .lesson.broken import BUGS, NO_FAULTS, Bug, running, small
from .lesson.exercises import (
    compensation_solution,
    idempotence_solution,
    judge_compensations,
    judge_idempotence,
)
from .lesson.gallery import GALLERY, SIDE_BY_SIDE
from .lesson.isolation import ANOMALIES, COUNTERMEASURES, Anomaly, Countermeasure
from .lesson.measure import CURVES, Cost, chain, cost, costs, exposed, readable
from .machines import CHOREOGRAPHED, ORCHESTRATED, SagaMachine
from .messages import Accepted, Begin, Elsewhere, Ended, Repair, Reply
from .orchestrator import BackwardAfterCrash, Orchestrator, Service
from .properties import ALWAYS, ISOLATION
from .records import Handled, Instance, Progress, Record, progress
from .rules import RULES
from .standing import observer, steps_standing, sums

__all__ = [
    "ALWAYS",
    "ANOMALIES",
    "BUGS",
    "CHOREOGRAPHED",
    "COMPENSATABLE",
    "COUNTERMEASURES",
    "CURVES",
    "DEFINITIONS",
    "GALLERY",
    "ISOLATION",
    "NO_FAULTS",
    "ORCHESTRATED",
    "PIVOT",
    "RETRIABLE",
    "RULES",
    "SIDE_BY_SIDE",
    "Accepted",
    "Action",
    "Add",
    "Anomaly",
    "BackwardAfterCrash",
    "Begin",
    "Bug",
    "Cost",
    "Countermeasure",
    "DefinitionError",
    "Elsewhere",
    "Ended",
    "Exposure",
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
    "chain",
    "compensation_solution",
    "cost",
    "costs",
    "exposed",
    "idempotence_solution",
    "judge_compensations",
    "judge_idempotence",
    "observer",
    "progress",
    "readable",
    "running",
    "saga",
    "small",
    "step",
    "steps_standing",
    "sums",
]
