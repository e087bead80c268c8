"""The exercises accept what is right, however it is written, and know the usual mistakes when they see them."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest

from patterns.consistent_hashing.lesson.exercises import EXERCISES, bounded_cases, bounded_solution, lookup_cases
from patterns.consistent_hashing.lesson.mistakes import LOOKUP_MISTAKES
from patterns.consistent_hashing.lesson.rings import CountedPoints

LOOKUP, PLACE_ALL = EXERCISES["lookup"], EXERCISES["place_all"]


def test_the_cases_begin_small_and_hold_what_is_hard() -> None:
    """Wrap-around, a position at a point, points at one position, a ring too large to be walked."""
    cases = list(lookup_cases())
    sizes = [len(points) for points, _ in cases]
    assert sizes[0] == 1
    assert sizes[-1] == 1600
    assert any(position > points[-1][0] for points, position in cases)
    assert any(position in dict(points) for points, position in cases)
    assert any(one[0] == other[0] for points, _ in cases for one, other in pairwise(points))
    for points, positions, capacity in bounded_cases():
        assert capacity * len({node for _, node in points}) >= len(positions), "there is room for all"


@pytest.mark.parametrize("mistake", LOOKUP_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_lookup_is_shown_on_a_small_ring_as_the_walk_it_should_be(mistake) -> None:
    verdict = LOOKUP.judge(mistake.function)
    assert "On the ring" in verdict.failing, "the smallest case that fails is small"
    assert verdict.history is not None
    assert verdict.history.state.walk.done
    assert verdict.history.state.last.node in verdict.failing, "the run shows the right owner"


def test_the_same_mistakes_are_known_in_other_words() -> None:
    def no_wrap(points, position):
        low, high = 0, len(points)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if points[middle][0] < position else (low, middle)
        return points[low][1]

    def strictly_after(points, position):
        for stop, node in points:
            if stop > position:
                return node
        return points[0][1]

    def first_server(points, position):
        for server in sorted({node for _, node in points}):
            if any(node == server and stop >= position for stop, node in points):
                return server
        return points[0][1]

    def falls_off(points, position):
        for stop, node in points:
            if stop >= position:
                return node

    def ignores_the_bound(points, positions, capacity):
        return [points[bisect_left(points, (position,)) % len(points)][1] for position in positions]

    assert LOOKUP.judge(no_wrap).mistake == "no wrap"
    assert LOOKUP.judge(strictly_after).mistake == "off by one: a point's own position"
    assert LOOKUP.judge(first_server).mistake == "first server instead of first point"
    assert LOOKUP.judge(falls_off).mistake == "no wrap: no answer"
    assert PLACE_ALL.judge(ignores_the_bound).mistake == "no bound"


def test_other_right_answers_are_accepted_with_a_remark_on_their_work() -> None:
    def linear(points, position):
        return next((node for stop, node in points if stop >= position), points[0][1])

    def with_bisect(points, position):
        return points[bisect_left(points, (position, "")) % len(points)][1]

    slow, fast = LOOKUP.judge(linear), LOOKUP.judge(with_bisect)
    assert slow.accepted
    assert fast.accepted
    assert "a binary search looks at about 11" in slow.hint
    assert "binary" not in fast.hint
    assert "of 1,600 points" in fast.hint
    tupled = PLACE_ALL.judge(lambda *case: tuple(bounded_solution(*case)))
    assert tupled.accepted


def test_an_endless_loop_ends_and_is_named() -> None:
    def stuck(points, position):
        low, high = 0, len(points)
        while low < high:
            middle = (low + high) // 2
            if points[middle][0] < position:
                low = middle
            else:
                high = middle
        return points[low % len(points)][1]

    verdict = LOOKUP.judge(stuck)
    assert not verdict.accepted
    assert "A loop does not end" in verdict.hint
    assert "position 6" in verdict.failing


def test_points_cannot_be_changed_and_look_like_a_list() -> None:
    points = CountedPoints([(1, "A"), (5, "B")])
    assert repr(points) == "[(1, 'A'), (5, 'B')]"
    assert points[-1] == (5, "B")
    assert points[:1] == ((1, "A"),)
    with pytest.raises(TypeError):
        points[0] = (2, "C")

    def sorts_it(points, position):
        points.sort()

    verdict = LOOKUP.judge(sorts_it)
    assert "AttributeError" in verdict.failing
