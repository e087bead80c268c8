"""Charts: numbers in, a plotly figure out. What the numbers mean is the caller's; nothing of a protocol is known here.

Plotly takes half a second to import; it is imported when the first chart is made.
"""

from .consistent_hashing import balance, load, mixing, moved
from .elections import Spread, growth, split_votes, waits
from .saga import Stretch, exposure, locked
from .two_phase_commit import commit_costs, time_blocked

__all__ = [
    "Spread",
    "Stretch",
    "balance",
    "commit_costs",
    "exposure",
    "growth",
    "load",
    "locked",
    "mixing",
    "moved",
    "split_votes",
    "time_blocked",
    "waits",
]
