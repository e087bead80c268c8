"""Two exercises, judged on many rings: `lookup` by binary search with wrap-around, then bounded loads.

    def lookup(points, position): ...                    judge_lookup(lookup)
    def place_all(points, positions, capacity): ...      judge_bounded(place_all)

`points` is a ring: (position, node) pairs in ascending order, a sequence that is not empty and not to be changed.
The reference solutions are `lookup_solution` and `bounded_solution`.
"""

from .bounded import BOUNDED_MISTAKES, bounded_cases, bounded_solution, judge_bounded
from .cases import CountedPoints, points_of
from .lookup import LOOKUP_MISTAKES, judge_lookup, lookup_cases, lookup_solution

__all__ = [
    "BOUNDED_MISTAKES",
    "LOOKUP_MISTAKES",
    "CountedPoints",
    "bounded_cases",
    "bounded_solution",
    "judge_bounded",
    "judge_lookup",
    "lookup_cases",
    "lookup_solution",
    "points_of",
]
