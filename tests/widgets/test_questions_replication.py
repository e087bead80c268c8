"""What the chapter's questions say of its runs is what happens in them; its charts show what they were given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from locked import locked

from patterns.engine.clients import Done
from patterns.engine.milestones import find, fired
from patterns.engine.step import Step
from patterns.replication.configuration import SERVICE
from patterns.replication.lesson import BUGS, GALLERY
from widgets.chapters.replication import charts
from widgets.chapters.replication import questions as ask
from widgets.chapters.replication.view import VIEW
from widgets.question import Question

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "02_replication.ipynb"
GONE = "The primary answers, and crashes"
CUT = "A deposed primary comes back with an entry of its own"
CHAIN = "A middle server crashes with an update on its way"
FOUND = "A read meets a write that is still under way"
HINT = "A stand-in keeps a hint for a silent phone"
BEER = "One phone removes beer while the other adds it again"


def where(question: Question, title: str) -> Step[Any, Any]:
    return locked(GALLERY[title](), question)


def test_when_x_is_told_done_milk_is_on_anns_disk_alone() -> None:
    world = where(ask.DONE, GONE).state
    assert world.call("X").reply == Done(1, "milk")
    assert [len(world[name].log) for name in ("Ann", "Ben", "Cem")] == [1, 0, 0]


def test_the_next_of_the_set_leads_and_no_client_is_told_that_milk_is_gone() -> None:
    assert where(ask.WHO_LEADS, GONE).state[SERVICE].members == ("Ben", "Cem")
    world = where(ask.GONE, GONE).state
    assert (world.call("X").reply, world.call("Y").reply) == (Done(1, "milk"), Done(1, None))


def test_ann_keeps_milk_and_drops_eggs() -> None:
    step = where(ask.CUT, CUT)
    assert [entry.value for entry in step.state["Ann"].log] == ["milk"]
    assert step.parent is not None
    assert [entry.value for entry in step.parent.state["Ann"].log] == ["milk", "eggs"]
    assert step.parent.state["Ben"].log == step.state["Ann"].log


def test_ann_sends_what_cem_lacks() -> None:
    step = where(ask.BEN_DOWN, CHAIN)
    assert step.state["Cem"].hist == ()
    assert "Ben" in step.state.down


def test_a_second_phone_has_tea_before_y_is_answered() -> None:
    step = where(ask.FOUND, FOUND)
    assert step.state.call("Y").waits
    answered = find(GALLERY[FOUND](), fired("Q.answer", client="Y"))
    assert answered is not None
    assert [name for name in ("Ann", "Ben", "Cem") if answered.state[name].version.value == "tea"] == ["Ann", "Cem"]


def test_the_full_quorums_do_not_meet() -> None:
    step = where(ask.MEET, HINT)
    assert step.state.call("Y").reply.value is None
    scene = VIEW.scene_of(step)
    assert scene.era is not None
    assert scene.era.label == "do not meet"
    arcs = {mark.id for panel in scene.panels for mark in panel.marks if mark.id.startswith(("w:", "r:"))}
    assert arcs == {"w:Ann", "w:Dan", "r:Ben", "r:Cem"}


def test_beer_stays_once_on_both_lists() -> None:
    assert where(ask.BEER, BEER).state["Ann"].has.shown == ()
    end = GALLERY[BEER]().branch[-1].state
    assert [end[name].has.shown for name in ("Ann", "Ben")] == [("beer",), ("beer",)]


def test_without_write_back_the_search_finds_a_value_that_is_seen_and_then_not() -> None:
    world = BUGS["a read does not write back"].found().counterexample.history.state
    assert (world.call("X").waits, world.call("Y").reply.value, world.call("Z").reply.value) == (True, "tea", None)


def test_the_notebook_asks_every_question_once() -> None:
    code = "".join("".join(c["source"]) for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code")
    for name in [name for name, value in vars(ask).items() if isinstance(value, Question)]:
        assert code.count(f"ask.{name}]") + code.count(f"ask.{name},") + code.count(f"ask.{name})") == 1, name


# The picture


def test_an_acknowledged_write_that_is_gone_stands_in_the_picture() -> None:
    era = VIEW.scene_of(GALLERY[GONE]().branch[-1]).era
    assert era is not None
    assert era.role == "bad"
    assert "acknowledged and gone: milk" in era.label


def test_entries_that_are_not_acknowledged_are_dashed() -> None:
    step = where(ask.CUT, CUT).parent
    assert step is not None
    marks = {mark.id: mark for panel in VIEW.scene_of(step).panels for mark in panel.marks}
    assert (marks["entry:Ann:1"].tone, marks["entry:Ann:2"].tone) == ("soft", "dashed")


def test_the_compared_nodes_of_a_tree_tell_equal_from_different_by_role_and_words() -> None:
    history = GALLERY["Two trees of hashes are compared branch by branch"]()
    step = next(step for step in history.branch if step.state["Ann"].compared and len(step.state["Ann"].compared) == 3)
    marks = {mark.id: mark for panel in VIEW.scene_of(step).panels for mark in panel.marks}
    for level, place, differs in step.state["Ann"].compared:
        node = marks[f"node:Ann:{level}:{place}"]
        assert (node.role, "differs" in node.title) == (("bad", True) if differs else ("good", False))


# The charts


def test_the_staleness_chart_shows_the_formula_as_bars_and_the_draws_as_strokes() -> None:
    bars, strokes = charts.staleness({"R = 1": (0.33, 0.34), "R = 2": (1.0, 1.0)}).data
    assert (list(bars.x), list(strokes.x)) == ([33, 100], [34, 100])


def test_the_loss_chart_names_how_many_of_how_many_are_gone() -> None:
    _, gone = charts.losses({"async": (0, 10, 3), "sync": (20, 8, 0)}).data
    assert list(gone.text) == ["3 of 10", "0 of 8"]


def test_lines_that_end_at_one_place_are_named_above_the_chart() -> None:
    figure = charts.lines({"tree": [(1, 2), (3, 4)], "scan": [(1, 3), (3, 4)]}, "x", "y", "t", log=True)
    assert [line.name for line in figure.data] == ["tree", "scan"]
    assert figure.layout.showlegend
    assert figure.layout.legend.y > 1


@pytest.mark.parametrize(
    ("chart", "given", "said"),
    [
        (charts.staleness, ({"R": (1.2, 1)},), "allowed are chances"),
        (charts.staleness, ({},), "nothing to show"),
        (charts.losses, ({"a": (1, 2, 3)},), "allowed are at most as many"),
        (charts.losses, ({},), "nothing to show"),
        (charts.lines, ({"a": []}, "x", "y", "t"), "nothing to show"),
        (charts.lines, ({}, "x", "y", "t"), "nothing to show"),
    ],
)
def test_a_chart_refuses_what_it_cannot_show(chart: Any, given: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        chart(*given)
