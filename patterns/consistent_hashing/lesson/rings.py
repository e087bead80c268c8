"""The rings that exercises are tried on, from the smallest up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from patterns.consistent_hashing.placement import Placement
from patterns.consistent_hashing.ring import Ring
from patterns.engine.exercise import Case, Endless

Points = Sequence[tuple[int, str]]
"""A ring as the exercises show it: (position, node) pairs in ascending order."""


class CountedPoints(Sequence[tuple[int, str]]):
    """A ring's points that count how often they are looked at, and end a call that looks without end."""

    def __init__(self, points: Points) -> None:
        self._points = tuple(points)
        self.looks = 0

    def __getitem__(self, at: Any) -> Any:
        self.looks += len(range(*at.indices(len(self._points)))) if isinstance(at, slice) else 1
        if self.looks > 200 * (10 + len(self._points)):
            raise Endless(f"looked at {len(self._points)} points {self.looks:,} times")
        return self._points[at]

    def __len__(self) -> int:
        return len(self._points)

    def __repr__(self) -> str:
        return repr(list(self._points))


def counted(case: Case) -> Case:
    return CountedPoints(case[0]), *case[1:]


@lru_cache(maxsize=1)
def rings() -> tuple[Ring, ...]:
    """Rings from the smallest up: circles of 16 and 32 positions, where points share positions; then large ones."""
    small = [
        Ring([f"{letter}{trial}" for letter in "ABCD"[:nodes]], Placement(bits=bits, vnodes=vnodes))
        for nodes in (1, 2, 3, 4)
        for bits, vnodes in ((4, 1), (4, 2), (5, 3))
        for trial in range(4)
    ]
    large = [Ring([f"cache-{node}" for node in range(nodes)], Placement(vnodes=160)) for nodes in (3, 10)]
    return (*small, *large)


@lru_cache
def points_of(ring: Ring) -> tuple[tuple[int, str], ...]:
    return tuple((point.position, point.node) for point in ring.points)


def positions_of(ring: Ring) -> list[int]:
    """Every position of a small circle; of a large one each seventh point, its neighbours, and both ends."""
    if ring.placement.bits <= 5:
        return list(range(ring.placement.size))
    near = {(stop + step) % ring.placement.size for stop in ring.positions[::7] for step in (-1, 0, 1)}
    return sorted(near | {0, ring.placement.size - 1})


def tell_ring(points: Points) -> str:
    """A ring in words; of one with many points only their number."""
    if len(points) > 12:
        return f"On a ring of {len(points):,} points"
    return "On the ring " + ", ".join(f"{node} at {position}" for position, node in points)
