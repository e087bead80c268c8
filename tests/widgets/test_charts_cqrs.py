"""The charts of the CQRS chapter show the values that they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patterns.cqrs.lesson.measure import Lag, Moment
from patterns.cqrs.lesson.real import Cost
from widgets.chapters.cqrs import charts

LAGS = [Lag(10.0, 1, 1, 20), Lag(40.0, 1, 23, 905), Lag(10.0, 5, 1, 20), Lag(40.0, 5, 3, 60)]
MOMENTS = [Moment(0, 9, 8, None, 1), Moment(40, 10, 9, 4, 1), Moment(80, 10, 10, 10, 2), Moment(120, 12, 10, 11, 2)]
COSTS = [Cost(10, 0.1, 0.01), Cost(100, 1.0, 0.01)]


def test_the_chart_of_lag_has_a_line_for_each_size_in_events_and_in_time() -> None:
    lines = [(line.name, [*line.x], [*line.y]) for line in charts.lag(LAGS).data]
    assert lines == [
        ("1 event in a write", [10.0, 40.0], [1, 23]),
        ("1 event in a write", [10.0, 40.0], [20, 905]),
        ("5 events in a write", [10.0, 40.0], [1, 3]),
        ("5 events in a write", [10.0, 40.0], [20, 60]),
    ]


def test_the_chart_of_a_rebuild_marks_the_switch() -> None:
    figure = charts.rebuild(MOMENTS)
    lines = {line.name: [*line.y] for line in figure.data}
    assert lines == {"store": [9, 10, 10, 12], "old version": [8, 9, 10, 10], "new version": [None, 4, 10, 11]}
    assert any("80 ms" in note.text for note in figure.layout.annotations)


def test_the_chart_of_a_query_has_both_ways_to_answer() -> None:
    lines = {line.name: [*line.y] for line in charts.query_cost(COSTS).data}
    assert lines == {"from the events": [0.1, 1.0], "from the read model": [0.01, 0.01]}


@pytest.mark.parametrize("draw", [charts.lag, charts.rebuild, charts.query_cost])
def test_a_chart_of_nothing_is_refused(draw: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match="is empty"):
        draw([])
