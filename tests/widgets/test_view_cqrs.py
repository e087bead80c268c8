"""The picture of the two sides: cells say what a read model has, and nothing is said by colour alone."""

from __future__ import annotations

from typing import Any

from patterns.cqrs import Cqrs
from patterns.cqrs.lesson import GALLERY
from patterns.cqrs.properties import page_of
from patterns.engine.milestones import find, fired
from patterns.engine.script import Script
from patterns.engine.step import Step
from widgets.chapters.cqrs.view import MOST, CqrsView


def marks(step: Step[Any, Any], panel: str = "kept") -> dict[str, Any]:
    return {mark.id: mark for each in CqrsView.scene_of(step).panels if each.id == panel for mark in each.marks}


def at(title: str, rule: str, **values: Any) -> Step[Any, Any]:
    step = find(GALLERY[title](), fired(rule, **values))
    assert step is not None
    return step


RELOADS = "Ann orders, and looks at her list"
POISON = "An event cannot be read"
REBUILT = "A new version is filled beside the old one"


def test_a_cell_is_filled_when_its_read_model_has_the_event() -> None:
    shown = marks(at(RELOADS, "R.write", model="orders"))
    assert [shown[f"cell:orders.1:{position}"].tone for position in (2, 3, 4)] == ["ghost", "solid", "dashed"]
    assert shown["cell:sellers.1:3"].tone == "dashed"
    assert shown["at:orders.1"].text == "at 3, 1 behind, 20 ms"
    assert shown["at:sellers.1"].text == "at 2, 2 behind, 20 ms"


def test_a_parked_event_has_a_sign_of_its_own_and_is_said_in_words() -> None:
    shown = marks(at(POISON, "R.park", position=4))
    assert [shown[f"cell:shelf.1:{position}"].text for position in (3, 4, 5)] == ["!", "!", ""]
    assert shown["cell:shelf.1:4"].title == "shelf has parked it: event 4"


def test_a_version_that_no_query_reads_is_said_to_be_unread() -> None:
    before, after = marks(at(REBUILT, "R.create")), marks(at(REBUILT, "R.switch"))
    assert (before["at:orders.1"].text, before["at:orders.2"].text) == ("at 3", "at 0, unread")
    assert (after["at:orders.1"].text, after["at:orders.2"].text) == ("at 5, unread", "at 5")


def test_the_newest_events_are_shown_when_there_are_many() -> None:
    run = Script(Cqrs(models=("orders",), coffees=("mocha", "java", "kona", "mocha", "java")))
    for name in ("ann", "bob", "cho", "dan", "eve"):
        run.ask(name)
    events = [int(id.partition(":")[2]) for id in marks(run.step) if id.startswith("event:")]
    assert events == list(range(9 - MOST, 9))


def test_everything_in_the_panel_of_read_models_has_its_place() -> None:
    for title in (RELOADS, REBUILT, POISON):
        for step in GALLERY[title]().branch:
            for panel in CqrsView.scene_of(step).panels:
                for mark in panel.marks:
                    if hasattr(mark, "w"):
                        assert mark.x >= 0
                        assert mark.x + mark.w <= panel.width
                        assert mark.y + mark.h <= panel.height


def test_the_arrival_of_an_answer_or_a_question_for_events_is_quiet() -> None:
    history = GALLERY[RELOADS]()
    quiet = {note.rule for step in history.branch if CqrsView.scene_of(step).quiet for note in step.notes}
    loud = {note.rule for step in history.branch if not CqrsView.scene_of(step).quiet for note in step.notes}
    assert quiet <= {"P.fetch", "W.wait", "R.at"}
    assert {"W.decided", "R.write", "R.show", "R.wait"} <= loud


def test_the_label_says_where_each_read_model_stands() -> None:
    step = at(RELOADS, "R.write", model="orders")
    label = " ".join(panel.label for panel in CqrsView.scene_of(step).panels)
    assert "orders stands at 3, 1 behind, 20 ms: ann ann-1" in label
    assert page_of(step.state).checkpoints["orders.1"] == 3
