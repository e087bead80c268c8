"""The first exercise: `lookup(points, position)`, a binary search with wrap-around."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from patterns.consistent_hashing.events import Advance, Look
from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.history import History
from patterns.engine.judge import Answer, Case, Mistake, Verdict, answer_of, judge

from .cases import CountedPoints, Points, counted, points_of, positions_of, rings, tell_ring


def lookup_cases() -> Iterator[Case]:
    """(points, position), smallest ring first."""
    for ring in rings():
        points = points_of(ring)
        for position in positions_of(ring):
            yield points, position


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


def judge_lookup(function: Callable[[Points, int], Any]) -> Verdict:
    """Judge `lookup(points, position) -> node`: the node of the first point at the position or clockwise from it.

    Tried on every position of small rings and around the points of large ones. A right answer that looks at every
    point is accepted, with the remark that a binary search looks at few.
    """
    cases = list(lookup_cases())
    verdict = judge(
        function,
        lookup_solution,
        cases,
        tell=_tell_lookup,
        mistakes=LOOKUP_MISTAKES,
        show=_show_lookup,
        prepare=counted,
        what="lookups",
    )
    return verdict._replace(hint=_remark(function)) if verdict.accepted else verdict


def _remark(function: Callable[[Points, int], Any]) -> str:
    ring = max(rings(), key=lambda ring: len(ring.positions))
    points = CountedPoints(points_of(ring))
    answer_of(function, (points, ring.placement.size // 2))
    needed = len(points).bit_length()
    if points.looks <= 4 * needed:
        return f"It looks at {points.looks} of {len(points):,} points."
    return f"It looks at {points.looks:,} of {len(points):,} points; a binary search looks at about {needed}."


def _tell_lookup(case: Case, right: Any, answer: Answer) -> str:
    points, position = case
    return f"{tell_ring(points)}, position {position} belongs to {right}; yours {answer}."


def _show_lookup(case: Case) -> History[Any, Any] | None:
    """The right lookup of the case, as a run of the tier: a key that stands at the position, walked to its owner."""
    points, position = case
    ring = next(ring for ring in rings() if points_of(ring) == points)
    if ring.placement.bits > 5:
        return None
    key = next(key for key in map("key {}".format, range(10_000)) if ring.position_of(key) == position)
    placement = ring.placement
    tier = CacheTier(list(ring.names), [key], vnodes=placement.vnodes, bits=placement.bits, pool=())
    history = History(tier)
    history.run([Look(key), Advance()])
    return history


def _first_after(points: Points, position: int) -> int:
    return bisect_left(points, (position, ""))


LOOKUP_MISTAKES = (
    Mistake(
        "no wrap",
        "Past the last point your search runs off the end. The circle is closed: after the last point comes the first.",
        lambda points, position: points[_first_after(points, position)][1],
    ),
    Mistake(
        "no wrap: the last point",
        "What lies behind the last point does not belong to it: the walk goes on past the top, to the first point.",
        lambda points, position: points[min(_first_after(points, position), len(points) - 1)][1],
    ),
    Mistake(
        "no wrap: no answer",
        "Past the last point your function gives no node. The circle is closed: after the last point comes the first.",
        lambda points, position: next((node for stop, node in points if stop >= position), None),
    ),
    Mistake(
        "no wrap: none left",
        "Past the last point there is no next one left to take. The circle is closed: after the last point comes the "
        "first.",
        lambda points, position: next(node for stop, node in points if stop >= position),
    ),
    Mistake(
        "first server instead of first point",
        "Your answer is the first server of those with a point clockwise. Look for the first point; its node owns "
        "the position, whatever the order of the servers.",
        lambda points, position: min((node for stop, node in points if stop >= position), default=points[0][1]),
    ),
    Mistake(
        "always the first point",
        "Your answer does not depend on the position: it is always the first point's node.",
        lambda points, position: points[0][1],
    ),
    Mistake(
        "off by one: the point before",
        "Your search ends one point too early: a position belongs to the next point clockwise, not to the one before.",
        lambda points, position: points[_first_after(points, position) - 1][1],
    ),
    Mistake(
        "off by one: a point's own position",
        "A position at which a point stands belongs to that point: search for the first not before it (>=, not >).",
        lambda points, position: points[bisect_right(points, position, key=lambda point: point[0]) % len(points)][1],
    ),
    Mistake(
        "off by one: the point after",
        "Your search ends one point too late.",
        lambda points, position: points[(_first_after(points, position) + 1) % len(points)][1],
    ),
    Mistake(
        "nearest point",
        "Your answer is the nearest point on either side. The walk goes one way only: clockwise.",
        lambda points, position: min(points, key=lambda point: abs(point[0] - position))[1],
    ),
    Mistake(
        "last of equal points",
        "Of points at one position the first counts: your search ends at the last of them.",
        lambda points, position: _last_of_equal(points, position),
    ),
    Mistake(
        "index instead of node",
        "Your answer is the index of the point. It is right as far as it goes: give the node, points[index][1].",
        lambda points, position: _first_after(points, position) % len(points),
    ),
    Mistake(
        "point instead of node",
        "Your answer is the point, a pair. Give its node, the second of the two.",
        lambda points, position: points[_first_after(points, position) % len(points)],
    ),
)


def _last_of_equal(points: Points, position: int) -> str:
    stop = points[_first_after(points, position) % len(points)][0]
    return points[bisect_right(points, stop, key=lambda point: point[0]) - 1][1]
