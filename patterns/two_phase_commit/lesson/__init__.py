"""What the course adds to two-phase commit."""

from .broken import BUGS, NO_FAULTS, Bug, running
from .exercises import decision_solution, judge_decision, judge_recovery, recovery_solution
from .gallery import GALLERY
from .measure import PUBLISHED, blocked_time, blocked_times, count, counts, messages_of_three_phases
from .milestones import MILESTONES

__all__ = [
    "BUGS",
    "GALLERY",
    "MILESTONES",
    "NO_FAULTS",
    "PUBLISHED",
    "Bug",
    "blocked_time",
    "blocked_times",
    "count",
    "counts",
    "decision_solution",
    "judge_decision",
    "judge_recovery",
    "messages_of_three_phases",
    "recovery_solution",
    "running",
]
