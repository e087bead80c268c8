"""Reference solutions of notebooks/01_consistent_hashing.ipynb. Try first: the judge gives better hints than this page.

Paste one into the exercise's cell, or `from solutions.consistent_hashing import lookup`, and run the check.
"""

from bisect import bisect_left
from collections import Counter


def lookup(points, position):
    """Write it 1: the first point at the position or clockwise from it.

    The invariant of the search: every point before `low` stands before the position, every point from `high` on does
    not. When the two meet they stand at the answer, or one past the last point, and there `%` closes the circle.
    """
    low, high = 0, len(points)
    while low < high:
        middle = (low + high) // 2
        if points[middle][0] < position:
            low = middle + 1
        else:
            high = middle
    return points[low % len(points)][1]


def place_all(points, positions, capacity):
    """Write it 2: bounded loads. A key whose node is full walks on, point by point, to one that has room.

    Loads are counted by node, not by point, and a node is full when it has exactly its capacity. Together the nodes
    have room for more than all keys, so the walk ends.
    """
    loads, placed = Counter(), []
    for position in positions:
        at = bisect_left(points, (position, "")) % len(points)  # "" comes before every name, so ties go to the first
        while loads[points[at][1]] >= capacity:
            at = (at + 1) % len(points)
        loads[points[at][1]] += 1
        placed.append(points[at][1])
    return placed
