"""A token ring: stations pass one token on, and only the station that holds it is in the critical section.

The example of a chapter. What the pattern is stands here; what the course adds stands in `lesson`.
"""

from .machine import ALWAYS, RULES, TokenRing
from .station import Enter, Station, Token

__all__ = ["ALWAYS", "RULES", "Enter", "Station", "Token", "TokenRing"]
