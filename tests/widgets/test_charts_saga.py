"""The charts that lay a saga beside two-phase commit show the stretches they are given, in order, told apart twice."""

from __future__ import annotations

from typing import Any

import pytest

from widgets.chapters.saga import charts
from widgets.chapters.saga.charts import LOOKS

TWO_PHASES = [("P1.ann", 0, 10, "committed"), ("P1.ann", 10, 30, "locked"), ("P2.bob", 0, 30, "locked")]
SAGA = [("P1.ann", 0, 10, "tentative"), ("P1.ann", 10, 60, "committed")]
RUNS = {"two-phase commit": TWO_PHASES, "saga": SAGA}


def lines_of(figure: Any) -> dict[str, list[str]]:
    """Each run, and its rows from the top."""
    axes = [figure.layout.yaxis, figure.layout.yaxis2]
    assert all(axis.autorange == "reversed" and axis.categoryorder == "array" for axis in axes)
    names = [each.text for each in figure.layout.annotations]
    return {name: list(axis.categoryarray) for name, axis in zip(names, axes, strict=True)}


def drawn(figure: Any) -> set[tuple[str, str, int, int, str]]:
    """Every bar: run, row, from, until, and the name of what a reader finds."""
    runs = dict(zip(("y", "y2"), lines_of(figure), strict=True))
    return {
        (runs[bars.yaxis], row, begins, begins + long, bars.name)
        for bars in figure.data
        for row, begins, long in zip(bars.y, bars.base, bars.x, strict=True)
    }


def test_every_stretch_is_a_bar_from_its_begin_to_its_end() -> None:
    expected = {(run, row, a, b, LOOKS[seen].name) for run, rows in RUNS.items() for row, a, b, seen in rows}
    assert drawn(charts.exposure(RUNS)) == expected


def test_runs_and_rows_stand_in_the_order_they_are_given_in_from_the_top_on_one_scale() -> None:
    figure = charts.exposure(RUNS)
    assert list(lines_of(figure).items()) == [("two-phase commit", ["P1.ann", "P2.bob"]), ("saga", ["P1.ann"])]
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert figure.layout.xaxis.range[1] >= 60


def test_what_a_reader_finds_is_told_by_hatching_and_thickness_not_by_colour_alone() -> None:
    bars = charts.exposure(RUNS).data
    looks = {(each.marker.pattern.shape, each.width) for each in bars}
    assert len(looks) == len({each.name for each in bars}) == 3
    assert len({each.marker.color for each in bars}) == 3


def test_only_what_is_found_is_in_the_legend() -> None:
    names = [bars.name for bars in charts.exposure({"saga": SAGA}).data if bars.showlegend]
    assert names == [LOOKS["tentative"].name, LOOKS["committed"].name]


def test_what_several_runs_show_is_in_the_legend_once() -> None:
    names = [bars.name for bars in charts.exposure(RUNS).data if bars.showlegend]
    assert sorted(names) == sorted(look.name for look in LOOKS.values())


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: charts.exposure({}), "runs is empty"),
        (lambda: charts.exposure({"saga": []}), r"runs\['saga'\] is empty"),
        (
            lambda: charts.exposure({"saga": [("a", 0, 1, "dirty")]}),
            "'saga' has 'dirty' in a; allowed are locked, tentative, committed",
        ),
        (lambda: charts.exposure({"saga": [("a", 2, 1, "locked")]}), "of a from 2 to 1 ms; it must not end before"),
    ],
)
def test_numbers_that_make_no_chart_are_refused_with_the_reason(make: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()
