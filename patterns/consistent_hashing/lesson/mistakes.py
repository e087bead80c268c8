"""The usual mistakes of both exercises, each with its hint and a function that makes it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from patterns.engine.exercise import mistakes_of

from .rings import Points


def first_after(points: Points, position: int) -> int:
    """The index of the first point at the position or after it; past the last point, their number."""
    return bisect_left(points, (position, ""))


def _last_of_equal(points: Points, position: int) -> str:
    stop = points[first_after(points, position) % len(points)][0]
    return points[bisect_right(points, stop, key=lambda point: point[0]) - 1][1]


def _at(other: Callable[[Points, int], int]) -> Callable[[Points, int], str]:
    """The node at another point than the first one at the position or after it."""
    return lambda points, position: points[other(points, first_after(points, position))][1]


def _floor(points: Points, position: int) -> str:
    """The node of the last point at the position or before it."""
    return points[bisect_right(points, position, key=lambda point: point[0]) - 1][1]


def _halving(least: int = 0, skip: int = 0, equal: bool = False) -> Callable[[Points, int], str]:
    """A search in halves with one part changed: where it begins, what it skips, whether it stops at an equal point."""

    def lookup(points: Points, position: int) -> str:
        low, high = least, len(points)
        while low < high:
            middle = (low + high) // 2
            if equal and points[middle][0] == position:
                return points[middle][1]
            low, high = (middle + 1, high) if points[middle][0] < position else (low, middle - skip)
        return points[low % len(points)][1]

    return lookup


LOOKUP_MISTAKES = mistakes_of(
    __package__,
    "lookup",
    {
        "no wrap": _at(lambda points, at: at),
        "no wrap: the last point": _at(lambda points, at: min(at, len(points) - 1)),
        "no wrap: no answer": lambda points, position: next((node for stop, node in points if stop >= position), None),
        "no wrap: none left": lambda points, position: next(node for stop, node in points if stop >= position),
        "no wrap: before the first point": _at(lambda points, at: at if 0 < at < len(points) else -1),
        "first server instead of first point": lambda points, position: min(
            (node for stop, node in points if stop >= position), default=points[0][1]
        ),
        "always the first point": _at(lambda points, at: 0),
        "off by one: the point before": [_at(lambda points, at: at - 1), _floor],
        "by the number of points": lambda points, position: points[position % len(points)][1],
        "off by one: a point's own position": lambda points, position: _at(lambda points, at: at % len(points))(
            points, position + 1
        ),
        "off by one: the point after": _at(lambda points, at: (at + 1) % len(points)),
        "off by one: the middle is dropped": _halving(skip=1),
        "off by one: the first point is out of reach": _halving(least=1),
        "any of equal points": _halving(equal=True),
        "nearest point": lambda points, position: min(points, key=lambda point: abs(point[0] - position))[1],
        "last of equal points": _last_of_equal,
        "index instead of node": lambda points, position: first_after(points, position) % len(points),
        "point instead of node": lambda points, position: points[first_after(points, position) % len(points)],
    },
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


def _if_full(elsewhere: Callable[..., list[str]]) -> Callable[[Points, Sequence[int], int], list[str]]:
    """Bounded loads that look at one node: where it is full, `elsewhere(points, at, loads)` says where the key goes."""

    def place_all(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
        placed = list[str]()
        for position in positions:
            at, loads = first_after(points, position) % len(points), Counter(placed)
            placed += [points[at][1]] if loads[points[at][1]] < capacity else elsewhere(points, at, loads)
        return placed

    return place_all


def _emptiest(points: Points, at: int, loads: Counter[str]) -> list[str]:
    return [min(sorted({node for _, node in points}), key=loads.__getitem__)]


def _first_with_room(points: Points, at: int, loads: Counter[str]) -> list[str]:
    room = loads[points[at][1]]  # it is full: its load is the capacity
    return [next(node for node in sorted({node for _, node in points}) if loads[node] < room)]


def _in_turn(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
    """The machines filled one after the other, wherever the keys stand."""
    names = list(dict.fromkeys(node for _, node in points))
    return [names[min(at // capacity, len(names) - 1)] for at in range(len(positions))]


BOUNDED_MISTAKES = mistakes_of(
    __package__,
    "place_all",
    {
        "no bound": _walking(full=lambda load, capacity: False),
        "one too many": _walking(full=lambda load, capacity: load > capacity),
        "one too few": _walking(full=lambda load, capacity: load + 1 >= capacity > 1 or load >= capacity),
        "no wrap": _walking(on=lambda points, at: [*range(len(points))][at + 1]),
        "back to the first point": _walking(start=lambda at: 0),
        "points counted instead of nodes": _walking(count=lambda points, at: at),
        "one point further": _if_full(lambda points, at, loads: [points[(at + 1) % len(points)][1]]),
        "left out": _if_full(lambda *given: []),
        "in ascending order": lambda points, positions, capacity: _walking()(points, sorted(positions), capacity),
        "least loaded node": _if_full(_emptiest),
        "first by name": _if_full(_first_with_room),
        "in turn": _in_turn,
        "counter-clockwise": _walking(on=lambda points, at: at - 1),
    },
)
