"""The usual mistakes of both exercises, each with its hint and a function that makes it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from patterns.engine.exercise import Mistake

from .rings import Points


def first_after(points: Points, position: int) -> int:
    """The index of the first point at the position or after it; past the last point, their number."""
    return bisect_left(points, (position, ""))


def _last_of_equal(points: Points, position: int) -> str:
    stop = points[first_after(points, position) % len(points)][0]
    return points[bisect_right(points, stop, key=lambda point: point[0]) - 1][1]


LOOKUP_MISTAKES = (
    Mistake(
        "no wrap",
        "Past the last point your search runs off the end. The circle is closed: after the last point comes the first.",
        lambda points, position: points[first_after(points, position)][1],
    ),
    Mistake(
        "no wrap: the last point",
        "A key behind the last point does not belong to that point. The walk goes on past the top, to the first point.",
        lambda points, position: points[min(first_after(points, position), len(points) - 1)][1],
    ),
    Mistake(
        "no wrap: no answer",
        "Past the last point your function gives no node. The circle is closed: after the last point comes the first.",
        lambda points, position: next((node for stop, node in points if stop >= position), None),
    ),
    Mistake(
        "no wrap: none left",
        "Past the last point there is none left to take. The circle is closed: after the last point comes the first.",
        lambda points, position: next(node for stop, node in points if stop >= position),
    ),
    Mistake(
        "first server instead of first point",
        "Your answer is the first server of those with a point clockwise. Look for the first point: its node owns "
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
        lambda points, position: points[first_after(points, position) - 1][1],
    ),
    Mistake(
        "off by one: a point's own position",
        "A position at which a point stands belongs to that point: search for the first not before it (>=, not >).",
        lambda points, position: points[bisect_right(points, position, key=lambda point: point[0]) % len(points)][1],
    ),
    Mistake(
        "off by one: the point after",
        "Your search ends one point too late.",
        lambda points, position: points[(first_after(points, position) + 1) % len(points)][1],
    ),
    Mistake(
        "nearest point",
        "Your answer is the nearest point on either side. The walk goes one way only: clockwise.",
        lambda points, position: min(points, key=lambda point: abs(point[0] - position))[1],
    ),
    Mistake(
        "last of equal points",
        "Of points at one position the first counts: your search ends at the last of them.",
        _last_of_equal,
    ),
    Mistake(
        "index instead of node",
        "Your answer is the right index. Give the node that stands there: points[index][1].",
        lambda points, position: first_after(points, position) % len(points),
    ),
    Mistake(
        "point instead of node",
        "Your answer is the point, a pair. Give its node, the second of the two.",
        lambda points, position: points[first_after(points, position) % len(points)],
    ),
)


def _walking(
    full: Callable[[int, int], bool] = lambda load, capacity: load >= capacity,
    count: Callable[[Points, int], Any] = lambda points, at: points[at][1],
    start: Callable[[int], int] = lambda at: at,
    on: Callable[[Points, int], int] = lambda points, at: (at + 1) % len(points),
) -> Callable[[Points, Sequence[int], int], list[str]]:
    """Bounded loads with one part changed: what is full, what is counted, where to go on from, and how."""

    def place_all(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
        loads: Counter[Any] = Counter()
        placed = []
        for position in positions:
            at = first_after(points, position) % len(points)
            if full(loads[count(points, at)], capacity):
                at = start(at)
            while full(loads[count(points, at)], capacity):
                at = on(points, at)
            loads[count(points, at)] += 1
            placed.append(points[at][1])
        return placed

    return place_all


def _least_loaded(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
    loads, placed = Counter({node: 0 for _, node in points}), []
    for position in positions:
        node = points[first_after(points, position) % len(points)][1]
        if loads[node] >= capacity:
            node = min(sorted(loads), key=loads.__getitem__)
        loads[node] += 1
        placed.append(node)
    return placed


BOUNDED_MISTAKES = (
    Mistake(
        "no bound",
        "Every key is on its first node, full or not. Before you place a key, its node's load must be below the "
        "capacity.",
        _walking(full=lambda load, capacity: False),
    ),
    Mistake(
        "one too many",
        "A node takes one key more than it has room for: it is full when its load equals the capacity (>=, not >).",
        _walking(full=lambda load, capacity: load > capacity),
    ),
    Mistake(
        "one too few",
        "A node is called full while it has room for one more.",
        _walking(full=lambda load, capacity: load + 1 >= capacity > 1 or load >= capacity),
    ),
    Mistake(
        "no wrap",
        "A key that walks past the last point runs off the end: after the last point comes the first.",
        _walking(on=lambda points, at: [*range(len(points))][at + 1]),
    ),
    Mistake(
        "back to the first point",
        "A key whose node is full starts again at the first point of the circle. It walks on from where it stands.",
        _walking(start=lambda at: 0),
    ),
    Mistake(
        "points counted instead of nodes",
        "Each point has a count of its own, so a node with many points takes many times its room: count by node.",
        _walking(count=lambda points, at: at),
    ),
    Mistake(
        "least loaded node",
        "A key whose node is full goes to the emptiest node. That is even, but a lookup cannot find the key again: the "
        "rule is the next node clockwise with room.",
        _least_loaded,
    ),
    Mistake(
        "counter-clockwise",
        "A key whose node is full walks back. The walk goes one way only: clockwise.",
        _walking(on=lambda points, at: at - 1),
    ),
)
