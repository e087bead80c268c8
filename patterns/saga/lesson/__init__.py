"""What the course adds."""

from .broken import BUGS, Bug, running, small
from .exercises import compensation_solution, idempotence_solution, judge_compensations, judge_idempotence
from .gallery import GALLERY, SIDE_BY_SIDE
from .isolation import ANOMALIES, COUNTERMEASURES, Anomaly, Countermeasure
from .measure import CURVES, Cost, chain, cost, costs, exposed, readable
from .milestones import MILESTONES

__all__ = [
    "ANOMALIES",
    "BUGS",
    "COUNTERMEASURES",
    "CURVES",
    "GALLERY",
    "MILESTONES",
    "SIDE_BY_SIDE",
    "Anomaly",
    "Bug",
    "Cost",
    "Countermeasure",
    "chain",
    "compensation_solution",
    "cost",
    "costs",
    "exposed",
    "idempotence_solution",
    "judge_compensations",
    "judge_idempotence",
    "readable",
    "running",
    "small",
]
