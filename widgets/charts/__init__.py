"""Charts: numbers in, a plotly figure out. What the numbers mean is the caller's; nothing of a protocol is known here.

Plotly takes half a second to import; it is imported when the first chart is made.
"""

from .consistent_hashing import balance, load, mixing, moved
from .elections import Spread, growth, split_votes, waits

__all__ = ["Spread", "balance", "growth", "load", "mixing", "moved", "split_votes", "waits"]
