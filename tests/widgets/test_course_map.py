"""The concept map says true things about patterns that exist, and its picture can be read."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import networkx
import pytest
from msgspec.structs import replace

from patterns.engine.params import ParameterError
from widgets.course import concept_map as course
from widgets.course.concept_map import COURSE, NARROW, WIDE, Edge, Layout, centre, concept_map, line, size

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = {path.parents[1].name for path in ROOT.glob("patterns/*/lesson/__init__.py")}
LAYOUTS = pytest.mark.parametrize("layout", [WIDE, NARROW], ids=["wide", "narrow"])
Point = tuple[float, float]


def test_each_chapter_is_on_the_map_with_its_notebook() -> None:
    assert set(COURSE.patterns) == CHAPTERS
    for name in COURSE.patterns:
        assert (ROOT / "notebooks" / COURSE.notebook(name)).is_file()


def test_the_map_is_one_piece_and_a_pair_of_patterns_has_one_line() -> None:
    lines = networkx.Graph((edge.tail, edge.head) for edge in COURSE.edges)
    assert set(lines) == set(COURSE.patterns)
    assert networkx.is_connected(lines)
    assert len({frozenset((edge.tail, edge.head)) for edge in COURSE.edges}) == len(COURSE.edges)


@pytest.mark.parametrize("edge", COURSE.edges, ids=lambda edge: f"{edge.tail} {edge.head}")
def test_a_line_has_a_sentence_and_a_source_that_exists(edge: Edge) -> None:
    assert edge.kind in COURSE.kinds
    assert len(edge.because.split()) >= 8
    for path in re.findall(r"\b(?:patterns|notebooks)/[\w/.]+\w", edge.source):
        assert (ROOT / path).is_file(), path
    assert re.search(r"\d{4}|specification|/", edge.source)


def test_the_dependency_of_cqrs_on_event_sourcing_is_one_of_the_code() -> None:
    assert course.built_on("cqrs") == ("event_sourcing",)
    assert "from patterns.event_sourcing" in (ROOT / "patterns/cqrs/shop.py").read_text(encoding="utf-8")


def test_a_pattern_builds_on_others_directly_and_through_others_in_an_order_of_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert course.built_on("consensus_raft") == ("replication", "leader_election")
    assert course.built_on("saga") == ()
    more = Edge("replication", "sharding", "builds on", "", "")
    monkeypatch.setattr(course, "COURSE", replace(COURSE, edges=(*COURSE.edges, more)))
    monkeypatch.setattr(course, "_builds", course._builds.__wrapped__)
    assert course.built_on("consensus_raft") == ("sharding", "replication", "leader_election")


def test_the_questions_link_the_chapters_that_a_pattern_builds_on() -> None:
    rows = dict(zip(COURSE.patterns, course.questions().rows, strict=True))
    at = course.questions().heads.index("builds on")
    assert rows["consensus_raft"][at].split("<br>") == [course.linked("replication"), course.linked("leader_election")]
    assert rows["saga"][at] == "-"


@pytest.mark.parametrize("reader", COURSE.readers)
def test_a_reader_reads_a_pattern_after_those_that_it_builds_on(reader: str) -> None:
    order = COURSE.readers[reader].order
    assert len(set(order)) == len(order)
    for at, name in enumerate(order):
        assert not {*course.built_on(name)} & {*order[at:]}


def test_the_first_course_has_every_chapter_in_its_order() -> None:
    assert COURSE.readers["First course"].order == tuple(COURSE.patterns)


# Minutes


def test_the_minutes_are_those_of_the_notebook() -> None:
    assert (course.minutes("consensus_raft"), course.minutes("two_phase_commit")) == (90, 60)
    assert course.minutes("event_sourcing") == 90  # "About 90 minutes."


def test_a_reading_takes_the_sum_of_its_chapters_and_less_if_some_are_done() -> None:
    order = COURSE.readers["Interview next week"].order
    total = sum(map(course.minutes, order))
    [(*_, whole, left)] = course.reading("Interview next week", done={order[0]}).rows
    assert (whole, left) == (course.in_words(total), course.in_words(total - course.minutes(order[0])))


def test_a_notebook_that_names_no_time_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/07_saga.ipynb").write_text('{"cells": [{"source": "**You need** Python. An hour later"}]}')
    (tmp_path / "notebooks/09_cqrs.ipynb").write_text('{"cells": [{"source": "An hour. **You need** Python."}]}')
    monkeypatch.setattr(course, "ROOT", tmp_path)
    assert course.minutes.__wrapped__("saga") == 60
    with pytest.raises(ValueError, match=r"09_cqrs\.ipynb does not say"):
        course.minutes.__wrapped__("cqrs")


def test_the_notebooks_are_found_beside_the_package_or_above_a_notebook_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a browser the package is installed apart from the notebooks."""
    assert course.repository() == ROOT
    (tmp_path / "files/notebooks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "files/notebooks")
    assert course.repository(tmp_path / "site-packages/widgets/course/concept_map.py") == tmp_path / "files"


@pytest.mark.parametrize(("minutes", "said"), [(60, "1 h"), (90, "1 h 30 min"), (45, "45 min"), (0, "")])
def test_minutes_in_words(minutes: int, said: str) -> None:
    assert course.in_words(minutes) == said


# The picture


def turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    (a, b), (c, d) = one, other
    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0


@LAYOUTS
def test_no_two_lines_cross_and_none_goes_through_a_box(layout: Layout) -> None:
    lines = {edge: line(edge, layout) for edge in COURSE.edges}
    assert not [(one, other) for one, other in combinations(lines, 2) if cross(lines[one], lines[other])]
    half_width, half_height = layout.box[0] / 2, layout.box[1] / 2
    for name in COURSE.patterns:
        x, y = centre(name, layout)
        corners = [(x - half_width, y - half_height), (x + half_width, y - half_height)]
        corners += [(x + half_width, y + half_height), (x - half_width, y + half_height)]
        sides = [*pairwise([*corners, corners[0]]), (corners[0], corners[2]), (corners[1], corners[3])]
        assert not [edge for edge, drawn in lines.items() for side in sides if cross(drawn, side)], name


@LAYOUTS
def test_the_boxes_are_apart_and_inside_the_picture(layout: Layout) -> None:
    width, height = size(layout)
    places = [centre(name, layout) for name in COURSE.patterns]
    assert all(0 < x < width and 0 < y < height for x, y in places)
    for (x, y), (other_x, other_y) in combinations(places, 2):
        assert abs(x - other_x) >= layout.box[0] + 10 or abs(y - other_y) >= layout.box[1] + 10


def test_a_box_opens_its_notebook_and_a_chapter_that_is_done_is_marked() -> None:
    page = concept_map(done={"saga"}).markup()
    found = re.findall(r'<a class="box( done)?"[^>]* href="([^"]*)"', page)
    assert sorted(found) == sorted(
        2 * [(" done" if "saga" in link else "", link) for link in map(COURSE.notebook, COURSE.patterns)]
    )
    assert 'href="chapters/saga.html"' in concept_map(link=lambda name: f"chapters/{name}.html").markup()


def test_each_line_can_be_asked_why_and_two_maps_on_a_page_do_not_share_their_signs() -> None:
    both = concept_map().markup() + concept_map().markup()
    signs = re.findall(r'data-line="(map\d+-\d+)" aria-label="([^"]+)"', both)
    assert len(signs) == 4 * len(COURSE.edges)  # wide and narrow
    assert len({sign for sign, _ in signs}) == 2 * len(COURSE.edges)
    assert all(both.count(edge.because.replace("'", "&#x27;")) == 4 for edge in COURSE.edges)


@pytest.mark.parametrize("ask", [lambda: course.built_on("paxos"), lambda: course.reading("paxos")])
def test_an_unknown_name_is_refused_with_those_that_there_are(ask: object) -> None:
    with pytest.raises(ParameterError, match="paxos"):
        ask()  # type: ignore[operator]


def test_an_unknown_chapter_is_an_error_that_names_the_argument_chapter() -> None:
    with pytest.raises(ParameterError, match="chapter is 'paxos'; allowed is one of consistent_hashing, "):
        course.minutes("paxos")


@pytest.mark.parametrize("ask", [concept_map, course.questions, lambda done: course.reading(done=done)])
@pytest.mark.parametrize("done", ["saga", None, 7])
def test_chapters_that_are_done_are_a_list_or_a_set_and_not_one_name(ask: Any, done: Any) -> None:
    with pytest.raises(ParameterError, match=f"done is {done!r}; allowed is a list or a set"):
        ask(done)


def test_an_abbreviation_keeps_its_capitals_inside_a_sentence_and_a_word_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edges = (Edge("saga", "cqrs", "completes", "So.", ""), Edge("saga", "sharding", "completes", "So.", ""))
    monkeypatch.setattr(course, "COURSE", replace(COURSE, edges=edges))
    assert repr(concept_map()).splitlines() == ["Saga completes CQRS. So.", "Saga completes sharding. So."]


def test_each_arrow_of_a_map_has_a_head_on_the_same_map() -> None:
    page = concept_map().markup()
    used = re.findall(r"marker-end=\"url\(#([^)]+)\)\"", page)
    assert len(used) == 2 * sum(edge.kind != "competes with" for edge in COURSE.edges)
    assert {*used} == {*re.findall(r'<marker id="([^"]+)"', page)}


def test_the_tables_link_each_notebook() -> None:
    for table in (course.questions(), course.reading("First course")):
        assert {*re.findall(r"\]\(([^)]*)\)", table._repr_markdown_())} == {*map(COURSE.notebook, COURSE.patterns)}
