"""The charts' figures: the knee at the projector's capacity, and a rebuild over time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from patterns.cqrs.lesson.measure import HOP, lag, lags, rebuild


def test_below_its_capacity_a_projector_is_one_event_and_two_messages_behind() -> None:
    for gap in (100, 67, 50, 40):
        found = lag(gap)
        assert (found.events, found.ms) == (1, 2 * HOP)


def test_the_knee_is_at_one_write_for_four_messages() -> None:
    """One event needs feed, write, answer and question: 40 ms, so 25 events each second."""
    at, above = lag(4 * HOP), lag(4 * HOP - 1)
    assert (at.rate, at.events) == (25.0, 1)
    assert above.events > 1


def test_above_the_capacity_both_kinds_of_lag_grow_with_the_rate() -> None:
    found = [lag(gap) for gap in (36, 33, 29, 25)]
    assert all(one.events < two.events and one.ms < two.ms for one, two in pairwise(found))


def test_a_larger_transaction_moves_the_knee() -> None:
    assert lag(25, batch=5).events < lag(25, batch=1).events / 4


def test_the_chart_has_a_point_for_each_rate_and_each_size() -> None:
    found = lags(gaps=(100, 40), batches=(1, 5))
    assert [(round(each.rate), each.batch) for each in found] == [(10, 1), (25, 1), (10, 5), (25, 5)]


@pytest.mark.parametrize(("gap", "batch"), [(0, 1), (10, 0)])
def test_a_rate_or_a_size_that_cannot_be_is_refused(gap: int, batch: int) -> None:
    with pytest.raises(ValueError, match="a whole number, at least 1"):
        lag(gap, batch)


def test_a_rebuild_switches_when_the_new_version_is_level_and_then_the_old_one_stops() -> None:
    moments = rebuild()
    switch = next(at for at, moment in enumerate(moments) if moment.live == 2)
    assert moments[0].new is None
    assert all((moment.new or 0) < moment.old for moment in moments[:switch])
    new = moments[switch].new
    assert new is not None
    assert new >= moments[switch - 1].old
    assert {moment.old for moment in moments[switch:]} == {moments[switch].old}
    assert all(one.store <= two.store and (one.new or 0) <= (two.new or 0) for one, two in pairwise(moments))
