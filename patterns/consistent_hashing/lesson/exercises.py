"""Two exercises, judged on many rings: `lookup` by binary search with wrap-around, then bounded loads.

    def lookup(points, position): ...                    check(EXERCISES["lookup"], lookup)
    def place_all(points, positions, capacity): ...      check(EXERCISES["place_all"], place_all)

`points` is a ring: (position, node) pairs in ascending order, at least one, in a sequence that is read-only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from patterns.consistent_hashing.events import Advance, Look
from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, answer_of
from patterns.engine.history import History
from patterns.engine.script import Script

from .mistakes import BOUNDED_MISTAKES, LOOKUP_MISTAKES
from .rings import CountedPoints, Points, counted, points_of, positions_of, rings, tell_ring


def lookup_cases() -> Iterator[Case]:
    """(points, position), smallest ring first."""
    for ring in rings():
        for position in positions_of(ring):
            yield points_of(ring), position


def lookup_solution(points: Points, position: int) -> str:
    """Binary search for the first point not before the position; past the last one, the first."""
    low, high = 0, len(points)
    while low < high:
        middle = (low + high) // 2
        if points[middle][0] < position:
            low = middle + 1
        else:
            high = middle
    return points[low % len(points)][1]


def _looks(lookup: Rule) -> str:
    """A right answer that looks at every point is accepted, with this remark."""
    ring = max(rings(), key=lambda ring: len(ring.points))
    points = CountedPoints(points_of(ring))
    answer_of(lookup, (points, ring.placement.size // 2))
    looked, needed = f"It looks at {points.looks:,} of {len(points):,} points", len(points).bit_length()
    return f"{looked}." if points.looks <= 4 * needed else f"{looked}; a binary search looks at about {needed}."


def _tell_lookup(case: Case, right: Any, answer: Answer) -> Told:
    points, position = case
    return Told(f"{tell_ring(points)}, and the key at position {position}")


def _show_lookup(case: Case) -> History[Any, Any] | None:
    """The right lookup of the case, as a run of the tier: a key that stands at the position, walked to its owner."""
    points, position = case
    ring = next(ring for ring in rings() if points_of(ring) == points)
    if ring.placement.bits > 5:
        return None
    names = (f"position {position}{' ' * blanks}" for blanks in range(10_000))  # blanks are not seen, and hash
    key = next(key for key in names if ring.position_of(key) == position)
    tier = CacheTier(nodes=ring.names, keys=[key], vnodes=ring.placement.vnodes, bits=ring.placement.bits, pool="")
    return Script(tier).do(Look(key), Advance()).history


def bounded_cases() -> Iterator[Case]:
    """(points, positions, capacity), smallest first; the capacity is 1.25 times the mean, rounded up."""
    for ring in rings():
        every = positions_of(ring)
        for keys in (1, 2, 3, 5, 8, 16, 40):
            # a fixed stride stands for chance: positions spread over the circle, some of them twice
            positions = tuple(every[(7 * at * at + 3 * at) % len(every)] for at in range(keys))
            yield points_of(ring), positions, ceil(1.25 * keys / len(ring.nodes))


def bounded_solution(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
    """Each key to the first node clockwise whose load is below the capacity (Mirrokni et al. 2016, section 1.1)."""
    loads: Counter[str] = Counter()
    placed = []
    for position in positions:
        at = bisect_left(points, (position, ""))
        while loads[points[at % len(points)][1]] >= capacity:
            at += 1
        node = points[at % len(points)][1]
        loads[node] += 1
        placed.append(node)
    return placed


def _tell_bounded(case: Case, right: Any, answer: Answer) -> Told:
    points, positions, capacity = case
    keys = ", ".join(map(str, positions)) if len(positions) <= 8 else f"{len(positions)} positions"
    given = f"{tell_ring(points)}, keys at {keys}, with room for {capacity} on each node"
    if answer.problem or not isinstance(answer.value, list | tuple) or len(answer.value) != len(right):
        return Told(given, f"{', '.join(right[:8])}{' ...' if len(right) > 8 else ''}")
    at = next(at for at, (one, other) in enumerate(zip(right, answer.value, strict=True)) if one != other)
    return Told(f"{given}; key {at + 1}, at {positions[at]}", right[at], f"gives {answer.value[at]}")


EXERCISES: Mapping[str, Exercise] = {
    "lookup": Exercise(
        "lookup",
        lookup_solution,
        lookup_cases,
        LOOKUP_MISTAKES,
        _tell_lookup,
        prepare=counted,
        what="lookups",
        show=_show_lookup,
        remark=_looks,
    ),
    "place_all": Exercise(
        "place_all",
        bounded_solution,
        bounded_cases,
        BOUNDED_MISTAKES,
        _tell_bounded,
        prepare=counted,
        what="rings full of keys",
    ),
}
