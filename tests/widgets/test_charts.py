"""Charts hold the numbers they are given, name them, and are as legible on a dark page as on a white one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from widgets import charts as style
from widgets.chapters.consensus_raft import charts as raft_charts
from widgets.chapters.consistent_hashing import charts
from widgets.chapters.leader_election import charts as election_charts
from widgets.chapters.saga import charts as saga_charts
from widgets.charts import extremes, figure_of

LOADS = {"1 point": {"A": 403, "B": 41, "C": 155}, "160 points": {"A": 199, "B": 205, "C": 195}}
FLIPS = {"fnv1a": [0.0, 0.0, 0.5, 1.0], "blake2b": [0.5, 0.49, 0.51, 0.5]}
FOUND = {"one way": [(4, 7, 8.5, 10), (2, 3, 3, 3)], "both ways": [(2, 12, 12, 12)]}
THEORY = {"one way": {"best: 2n - 1": {2: 3, 4: 7}}}
CSS = Path(style.__file__).with_name("player.css").read_text(encoding="utf-8")

FIGURES = {
    "load": lambda: charts.load(LOADS),
    "load of many": lambda: charts.load({"ring": {f"n{at}": at for at in range(30)}}),
    "balance": lambda: charts.balance({1: [2.0, 3.0], 16: [1.2]}, {1: 4.0, 16: 1.5}, "a bound"),
    "moved": lambda: charts.moved({"ring": 0.24, "modulo": 0.75}, 0.25),
    "moved and even": lambda: charts.moved({"ring": 0.24, "modulo": 0.75}, 0.25, {"ring": 1.1, "modulo": 1.02}),
    "mixing": lambda: charts.mixing(FLIPS),
    "growth": lambda: election_charts.growth(FOUND, THEORY),
    "split votes": lambda: raft_charts.split_votes({"150 to 150 ms": 0.95, "150 to 300 ms": 0.06}),
    "waits": lambda: raft_charts.waits({"150 to 150 ms": [1000, 300], "150 to 300 ms": [160, 170]}, 1000),
    "exposure": lambda: saga_charts.exposure(
        {
            "two phases": [("P1.ann", 0, 9, "locked")],
            "saga": [("P1.ann", 0, 9, "tentative"), ("P1.ann", 9, 10, "committed")],
        }
    ),
    "mixing and load": lambda: charts.mixing(FLIPS, {name: {"A": 1, "B": 9} for name in FLIPS}),
}


def texts(figure: Any) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]


def test_a_bar_a_node_says_its_number_and_the_mean_is_marked() -> None:
    figure = charts.load(LOADS)
    assert [dict(zip(bars.y[1], bars.x, strict=True)) for bars in figure.data] == list(LOADS.values())
    assert [bars.y[0][0] for bars in figure.data] == list(LOADS)
    assert figure.data[0].text == ("403", "41", "155")
    assert [line.x0 for line in figure.layout.shapes] == [599 / 3]
    assert texts(figure) == ["mean 200"]


def test_means_that_differ_are_not_drawn_as_one() -> None:
    assert not charts.load({"a": {"A": 1, "B": 3}, "b": {"A": 1, "B": 4}}).layout.shapes


def test_many_nodes_are_a_dot_each_and_their_extremes_have_names() -> None:
    nodes = {f"n{at}": 100 + at for at in range(100)}
    figure = charts.load({"10 points": nodes, "100 points": {"A": 1}})
    assert figure.data[0].x == tuple(nodes.values())
    assert figure.data[0].customdata == tuple(nodes)
    assert texts(figure)[:2] == ["n0 100", "n99 199"]


def test_balance_has_a_dot_a_ring_the_medians_and_the_bound() -> None:
    rings, medians, bound = charts.balance({16: [1.2, 1.3, 1.7], 1: [3.0, 2.0]}, {1: 4.0, 16: 1.5}, "a bound").data
    assert sorted(zip(rings.x, rings.y, strict=True)) == [(1, 2.0), (1, 3.0), (16, 1.2), (16, 1.3), (16, 1.7)]
    assert (medians.x, medians.y) == ((1, 16), (2.5, 1.3))
    assert (bound.x, bound.y) == ((1, 16), (4.0, 1.5))
    assert [line.name for line in (rings, medians, bound)] == ["one ring each", "median", "a bound"]


def test_shares_of_moved_keys_are_in_per_cent_beside_the_ideal() -> None:
    figure = charts.moved({"ring": 0.239, "modulo": 0.75}, 0.25, {"ring": 1.08, "modulo": 1.02})
    moved, fullest = figure.data
    assert (moved.y, moved.text) == (("ring", "modulo"), ("23.9 %", "75.0 %"))
    assert moved.x == pytest.approx((23.9, 75.0))
    assert (fullest.x, fullest.text) == ((1.08, 1.02), ("1.08", "1.02"))
    assert texts(figure) == ["ideal 25.0 %", "even"]
    assert [line.x0 for line in figure.layout.shapes] == [25.0, 1.0]


def test_a_hash_that_mixes_stands_under_one_that_does_not_with_what_comes_of_it() -> None:
    figure = charts.mixing(FLIPS, {"fnv1a": {"A": 0, "B": 900}, "blake2b": {"A": 450, "B": 450}})
    profiles, loads = figure.data[0::2], figure.data[1::2]
    assert {bars.name: list(bars.y) for bars in profiles} == FLIPS
    assert [dict(zip(bars.x, bars.y, strict=True)) for bars in loads] == [{"A": 0, "B": 900}, {"A": 450, "B": 450}]
    assert [text for text in texts(figure) if text] == ["fnv1a", "blake2b"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: charts.load({}), "loads is empty"),
        (lambda: charts.load({"ring": {}}), r"loads\['ring'\] is empty"),
        (lambda: charts.balance({}), "ratios is empty"),
        (lambda: charts.balance({4: []}), r"ratios\[4\] is empty"),
        (lambda: charts.balance({0: [1.0]}), "0 virtual nodes; a node has at least one"),
        (lambda: charts.moved({}), "shares is empty"),
        (lambda: charts.moved({"ring": 24.0}), "the part of 'ring' is 24.0; it is from 0 to 1"),
        (lambda: charts.moved({"ring": 0.2}, -0.1), "the part of 'ideal' is -0.1"),
        (lambda: charts.moved({"ring": 0.2}, 0.2, {"jump": 1.0}), "fullest names jump; shares names ring"),
        (lambda: charts.mixing({}), "flips is empty"),
        (lambda: charts.mixing(FLIPS, {"md5": {"A": 1}}), "loads names md5; flips names fnv1a, blake2b"),
    ],
)
def test_numbers_that_make_no_chart_are_refused_with_the_reason(make: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()


# legible in both themes


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_every_chart_has_a_title_axis_titles_a_see_through_background_and_no_small_text(make: Any) -> None:
    figure = make()
    layout, template = figure.layout, figure.layout.template.layout
    assert layout.title.text
    assert layout.height >= 140
    assert {template.paper_bgcolor, template.plot_bgcolor} == {"rgba(0,0,0,0)"}
    assert [axis.title.text for axis in figure.select_xaxes() if axis.title.text]
    assert not template.showlegend, "series are named where they stand"
    assert min(font_sizes(json.loads(figure.to_json()))) >= 12


def font_sizes(part: Any, name: str = "") -> Iterator[float]:
    """The sizes of all fonts in a figure."""
    if isinstance(part, dict):
        if name.endswith("font") and "size" in part:
            yield part["size"]
        for key, value in part.items():
            yield from font_sizes(value, key)
    if isinstance(part, list):
        for value in part:
            yield from font_sizes(value, name)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.1)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*style.PALETTE, style.INK, style.ACCENT, style.GOOD, style.BAD])
def test_a_colour_is_as_legible_on_white_as_on_black(colour: str) -> None:
    on_white, on_dark = contrast(colour, "#ffffff"), contrast(colour, "#111111")
    assert min(on_white, on_dark) > 4.3, f"{on_white:.2f}:1 on white, {on_dark:.2f}:1 on dark"


@pytest.mark.parametrize("number", range(1, 9))
def test_the_palette_is_the_players(number: int) -> None:
    """Each colour lies between the light and the dark value that player.css gives the role."""
    light, dark = re.findall(rf"--c{number}: (#[0-9a-f]{{6}})", CSS)[:2]
    colour = style.PALETTE[number - 1]
    channels = [[int(value[at : at + 2], 16) for at in (1, 3, 5)] for value in (light, colour, dark)]
    parts = [(mid - low) / (high - low) for low, mid, high in zip(*channels, strict=True)]
    assert all(0 <= part <= 0.5 for part in parts)
    assert max(parts) - min(parts) < 0.03, "on the line from one to the other"


def test_plotly_is_imported_with_the_first_chart_and_not_before() -> None:
    code = "import sys, widgets.chapters.saga.charts; print('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_growth_has_a_mean_with_a_bar_from_least_to_most_for_each_n_and_the_curves_of_theory() -> None:
    one_way, curve, both_ways = election_charts.growth(FOUND, THEORY).data
    assert one_way.y == (3, 8.5)
    assert [list(row) for row in one_way.customdata] == [[2, 3, 3], [4, 7, 10]]
    assert (one_way.error_y.array, one_way.error_y.arrayminus) == ((0, 1.5), (0, 1.5))
    assert one_way.text == ("", "  one way")
    assert (curve.x, curve.y, curve.line.color) == ((2, 4), (3, 7), one_way.line.color)
    assert both_ways.line.color != one_way.line.color
    assert 1 < both_ways.x[0] / one_way.x[0] < 1.05


@pytest.mark.parametrize(
    ("found", "curves", "said"),
    [
        ({}, {}, "found is empty"),
        ({"a": []}, {}, r"found\['a'\] is empty"),
        ({"a": [(2, 3, 2, 4)]}, {}, "'a' at 2 is 3, 2, 4; allowed are ascending numbers"),
        ({"a": [(2, 0, 2, 4)]}, {}, "above 0"),
        ({"a": [(2, 1, 2, 4)]}, {"b": {"n": {2: 2}}}, "curves names b; found names a"),
    ],
)
def test_growth_of_nothing_or_of_what_is_no_spread_is_refused(found: Any, curves: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        election_charts.growth(found, curves)


def test_a_line_of_waits_climbs_with_each_run_and_ends_below_where_runs_were_given_up() -> None:
    figure = raft_charts.waits({"narrow": [1000, 300, 1000, 200], "wide": [160]}, 1000)
    narrow, wide = figure.data
    assert (list(narrow.x), list(narrow.y)) == ([0, 200, 300, 1000], [0, 25.0, 50.0, 50.0])
    assert (list(wide.x), list(wide.y)) == ([0, 160, 1000], [0, 100.0, 100.0])
    assert narrow.line.dash != wide.line.dash  # not told by colour alone


def test_waits_that_were_all_given_up_are_a_line_on_the_ground() -> None:
    assert list(raft_charts.waits({"none": [1000, 1000]}, 1000).data[0].y) == [0, 0]


def test_a_share_of_split_votes_is_a_share() -> None:
    assert list(raft_charts.split_votes({"narrow": 0.95, "wide": 0.05}).data[0].text) == ["95 %", "5 %"]
    with pytest.raises(ValueError, match="the part of 'narrow' is 95"):
        raft_charts.split_votes({"narrow": 95})
    with pytest.raises(ValueError, match="found is empty"):
        raft_charts.waits({}, 1000)
    with pytest.raises(ValueError, match=r"found\['none'\] is empty"):
        raft_charts.waits({"none": []}, 1000)


def test_a_title_says_what_was_found_and_a_given_one_stays() -> None:
    found = {"modulo": 75.0, "ring": 24.6}
    assert extremes("", found, "{most} moves {high} %, {least} {low} %", "{:.0f}") == "modulo moves 75 %, ring 25 %"
    assert extremes("Mine", found, "{most}", "{}") == "Mine"


def test_a_chart_has_no_bar_of_buttons_in_any_front_end() -> None:
    """One of its buttons sends the chart to a third party."""
    import plotly.io  # type: ignore[import-untyped]

    figure_of("t", 300, "x", "y")
    assert plotly.io.renderers["plotly_mimetype"].config["displayModeBar"] is False
    assert plotly.io.renderers.default == "plotly_mimetype+still", "and nowhere else is a figure drawn by a script"


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_where_no_script_runs_a_still_picture_says_what_the_chart_says(make: Any) -> None:
    figure = make()
    picture = figure._repr_mimebundle_()["text/html"]
    drawn = [*ElementTree.fromstring(picture).iter()]
    texts = {part.text for part in drawn if part.text}
    assert {figure.layout.title.text, *(axis.title.text for axis in figure.select_xaxes() if axis.title.text)} <= texts
    assert {note.text for note in figure.layout.annotations} <= texts
    bars = [part for part in figure.data if part.type == "bar"]
    assert {text for part in bars for text in part.text or ()} <= texts
    shapes = [part for part in drawn if part.tag.endswith("rect")]
    assert len(shapes) >= sum(len(part.x) for part in bars)
    box = [float(number) for number in drawn[0].attrib["viewBox"].split()]
    inside = [(float(part.attrib["x"]), float(part.attrib["y"])) for part in shapes]
    assert all(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in inside)
