"""The second exercise: `place_all(points, positions, capacity)`, consistent hashing with bounded loads."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

from patterns.engine.judge import Answer, Case, Mistake, Verdict, judge

from .cases import Points, counted, points_of, positions_of, rings, tell_ring
from .lookup import lookup_solution


def bounded_cases() -> Iterator[Case]:
    """(points, positions, capacity), smallest first; the capacity is 1.25 times the mean, rounded up."""
    for ring in rings():
        points = points_of(ring)
        every = positions_of(ring)
        nodes = len(ring.nodes)
        for keys in (1, 2, 3, 5, 8, 16, 40):
            # a fixed stride stands for chance: positions spread over the circle, some of them twice
            positions = tuple(every[(7 * at * at + 3 * at) % len(every)] for at in range(keys))
            yield points, positions, ceil(1.25 * keys / nodes)


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


def judge_bounded(function: Callable[[Points, Sequence[int], int], Any]) -> Verdict:
    """Judge `place_all(points, positions, capacity) -> list of nodes`: keys placed in turn, none above the capacity."""
    return judge(
        function,
        bounded_solution,
        bounded_cases(),
        tell=_tell_bounded,
        mistakes=BOUNDED_MISTAKES,
        prepare=counted,
        what="rings full of keys",
        same=lambda right, given: list(given) == right,
    )


def _tell_bounded(case: Case, right: Any, answer: Answer) -> str:
    points, positions, capacity = case
    keys = ", ".join(map(str, positions)) if len(positions) <= 8 else f"{len(positions)} positions"
    told = f"{tell_ring(points)}, keys at {keys}, with room for {capacity} on each node,"
    if answer.problem or not isinstance(answer.value, list | tuple) or len(answer.value) != len(right):
        return f"{told} go to {', '.join(right[:8])}{' ...' if len(right) > 8 else ''}; yours {answer}."
    at = next(at for at, (one, other) in enumerate(zip(right, answer.value, strict=True)) if one != other)
    return f"{told} key {at + 1}, at {positions[at]}, goes to {right[at]}; yours goes to {answer.value[at]}."


def _walk_on(
    full: Callable[[Counter[Any], Any, int], bool],
    count: Callable[[Points, int], Any] = lambda points, at: points[at][1],
    start: Callable[[int], int] = lambda at: at,
    on: Callable[[Points, int], int] = lambda points, at: (at + 1) % len(points),
) -> Callable[[Points, Sequence[int], int], list[str]]:
    """Bounded loads with one part changed: what is full, what is counted, where to go on from, and how."""

    def place_all(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
        loads: Counter[Any] = Counter()
        placed = []
        for position in positions:
            at = bisect_left(points, (position, "")) % len(points)
            if full(loads, count(points, at), capacity):
                at = start(at)
            while full(loads, count(points, at), capacity):
                at = on(points, at)
            loads[count(points, at)] += 1
            placed.append(points[at][1])
        return placed

    return place_all


def _at_capacity(loads: Counter[Any], what: Any, capacity: int) -> bool:
    return loads[what] >= capacity


def _least_loaded(points: Points, positions: Sequence[int], capacity: int) -> list[str]:
    loads, placed = Counter({node: 0 for _, node in points}), []
    for position in positions:
        node = points[bisect_left(points, (position, "")) % len(points)][1]
        if loads[node] >= capacity:
            node = min(sorted(loads), key=loads.__getitem__)
        loads[node] += 1
        placed.append(node)
    return placed


BOUNDED_MISTAKES = (
    Mistake(
        "no bound",
        "Every key is on its first node, full or not: before a key is placed, its node's load must be below the "
        "capacity.",
        lambda points, positions, capacity: [lookup_solution(points, position) for position in positions],
    ),
    Mistake(
        "one too many",
        "A node takes one key more than it has room for: it is full when its load equals the capacity (>=, not >).",
        _walk_on(lambda loads, what, capacity: loads[what] > capacity),
    ),
    Mistake(
        "one too few",
        "A node is called full while it has room for one more.",
        _walk_on(lambda loads, what, capacity: loads[what] + 1 >= capacity > 1 or loads[what] >= capacity),
    ),
    Mistake(
        "no wrap",
        "A key that walks past the last point runs off the end: after the last point comes the first.",
        _walk_on(_at_capacity, on=lambda points, at: [*range(len(points))][at + 1]),
    ),
    Mistake(
        "back to the first point",
        "A key whose node is full starts again at the first point of the circle. It walks on from where it stands.",
        _walk_on(_at_capacity, start=lambda at: 0),
    ),
    Mistake(
        "points counted instead of nodes",
        "Each point has a count of its own, so a node with many points takes many times its room: count by node.",
        _walk_on(_at_capacity, count=lambda points, at: at),
    ),
    Mistake(
        "least loaded node",
        "A key whose node is full goes to the emptiest node. That is even, but a lookup cannot find it again: the "
        "next node clockwise with room is what the rule says.",
        _least_loaded,
    ),
    Mistake(
        "counter-clockwise",
        "A key whose node is full walks back. The walk goes one way only: clockwise.",
        _walk_on(_at_capacity, on=lambda points, at: at - 1),
    ),
)
