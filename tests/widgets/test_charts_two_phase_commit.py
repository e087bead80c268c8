"""Charts of atomic commitment hold the counts, and the published numbers stand beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from patterns.two_phase_commit.lesson.measure import Case, blocked_times, count, published_total
from widgets import charts as style
from widgets.chapters.two_phase_commit import charts

COUNTED = {"basic": {"commit": (12, 7), "abort": (10, 6)}, "three phases": {"commit": (15, 11)}}
PUBLISHED = {"basic": {"commit": (12, 7), "abort": (None, None)}, "three phases": {"commit": (15, None)}}
BLOCKED = {"two phases": [(400, 425), (0, 25)], "three phases": [(0, 127), (400, 189)]}
FIGURES = {
    "costs": lambda: charts.commit_costs(COUNTED),
    "costs and published": lambda: charts.commit_costs(COUNTED, PUBLISHED, "a table"),
    "time blocked": lambda: charts.time_blocked(BLOCKED),
}


def parts(figure: Any) -> dict[str, Any]:
    return {part.name: part for part in figure.data}


def rows(part: Any) -> dict[tuple[str, str], int]:
    """(protocol, how it ends) -> what is drawn there."""
    return dict(zip(zip(*part.y, strict=True), part.x, strict=True))


# What a transaction costs


def test_a_bar_for_each_protocol_and_outcome_says_its_number() -> None:
    drawn = parts(charts.commit_costs(COUNTED))
    assert list(drawn) == ["messages", "forced writes"]
    assert rows(drawn["messages"]) == {("basic", "commit"): 12, ("basic", "abort"): 10, ("three phases", "commit"): 15}
    assert rows(drawn["forced writes"]) == {
        ("basic", "commit"): 7,
        ("basic", "abort"): 6,
        ("three phases", "commit"): 11,
    }
    assert drawn["messages"].text == ("12", "10", "15")


def test_commits_have_one_colour_and_aborts_another_and_both_are_named() -> None:
    bars = parts(charts.commit_costs(COUNTED))["messages"]
    commit, abort, again = bars.marker.color
    assert commit == again != abort
    assert list(bars.y[1]) == ["commit", "abort", "commit"]


def test_what_is_published_is_a_stroke_where_it_is_said_and_nowhere_else() -> None:
    figure = charts.commit_costs(COUNTED, PUBLISHED, "Table I")
    drawn = parts(figure)
    assert rows(drawn["published messages"]) == {("basic", "commit"): 12, ("three phases", "commit"): 15}
    assert rows(drawn["published forced writes"]) == {("basic", "commit"): 7}
    assert drawn["published messages"].marker.symbol == "line-ns"
    assert [note.text for note in figure.layout.annotations] == ["┃ Table I"]
    assert not charts.commit_costs(COUNTED).layout.annotations


@pytest.mark.parametrize("case", ["commit", "abort"])
@pytest.mark.parametrize(
    ("protocol", "readers"),
    [("basic", 0), ("presumed_abort", 0), ("presumed_commit", 0), ("read_only", 1)],
)
@pytest.mark.parametrize("n", [3, 5])
def test_what_the_protocols_cost_is_what_is_published(n: int, protocol: str, readers: int, case: Case) -> None:
    """Mohan, Lindsay, Obermarck 1986, Table I for commits; sections 2 to 4 for aborts."""
    counted = count(protocol, case, n, readers)["total"]
    published = published_total(protocol, case, n, readers)
    if case == "abort" and protocol.startswith("presumed_commit"):
        assert published == (None, None), "the paper does not say what the coordinator writes"
    else:
        assert published == (counted.messages, counted.forced)


def test_three_phase_commit_sends_five_messages_to_and_from_each_participant() -> None:
    """BHG 7.5: request, vote, pre-commit, acknowledgement, commit."""
    assert published_total("three_phase", "commit", 3) == (count("three_phase", "commit", 3)["total"].messages, None)
    assert published_total("three_phase", "abort", 3) == (None, None)


# How long a crash blocks


def test_a_line_a_protocol_goes_from_the_soonest_repair_to_the_latest_and_has_its_name_at_its_end() -> None:
    two, three = charts.time_blocked(BLOCKED).data
    assert (two.x, two.y) == ((0, 400), (25, 425))
    assert (three.x, three.y) == ((0, 400), (127, 189))
    assert [text.strip() for text in two.text] == ["", "two phases"]
    assert two.line.dash != three.line.dash  # not told by colour alone


def test_two_phases_are_blocked_until_the_repair_and_three_are_not() -> None:
    """Skeen 1981: a blocking protocol waits for the failed site; a nonblocking one does not."""
    lines: dict[str, list[tuple[int, int]]] = {}
    for each in blocked_times((400, 1_000)):
        lines.setdefault(each.scenario, []).append((each.repair, each.in_doubt))
    drawn = {part.name: part.y for part in charts.time_blocked(lines).data}
    assert drawn["two phases, no bank knows"][1] - drawn["two phases, no bank knows"][0] > 500
    assert len(set(drawn["two phases, one bank knows"])) == 1
    assert len(set(drawn["three phases"])) == 1


# Refused, and legible


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: charts.commit_costs({}), "counted is empty"),
        (lambda: charts.commit_costs({"basic": {}}), r"counted\['basic'\] is empty"),
        (lambda: charts.commit_costs({"basic": {"commit": (1, -1)}}), "'basic', 'commit' costs"),
        (lambda: charts.commit_costs(COUNTED, {"four phases": {"commit": (1, 1)}}), "published has 'four phases'"),
        (lambda: charts.commit_costs(COUNTED, {"three phases": {"abort": (1, 1)}}), "'abort'; counted has no such row"),
        (lambda: charts.time_blocked({}), "found is empty"),
        (lambda: charts.time_blocked({"two phases": []}), r"found\['two phases'\] is empty"),
        (
            lambda: charts.time_blocked({"two phases": [(0, -1)]}),
            r"'two phases' has \(0, -1\); allowed are times of 0 ms or more",
        ),
    ],
)
def test_numbers_that_make_no_chart_are_refused_with_the_reason(make: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_every_chart_is_legible_on_white_and_on_black(make: Any) -> None:
    figure = make()
    layout, template = figure.layout, figure.layout.template.layout
    assert layout.title.text
    assert {template.paper_bgcolor, template.plot_bgcolor} == {"rgba(0,0,0,0)"}
    assert all(axis.title.text for axis in figure.select_xaxes())
    assert not template.showlegend, "series are named where they stand"
    found = json.loads(figure.to_json())
    assert min(sizes(found)) >= 12
    colours = {part.line.color for part in figure.data if part.type == "scatter" and part.mode.startswith("lines")}
    assert colours <= set(style.PALETTE)


def sizes(part: Any, name: str = "") -> Iterator[float]:
    """The sizes of all fonts in a figure."""
    if isinstance(part, dict):
        if name.endswith("font") and "size" in part:
            yield part["size"]
        for key, value in part.items():
            yield from sizes(value, key)
    if isinstance(part, list):
        for value in part:
            yield from sizes(value, name)
