"""What the questions of notebooks/09_cqrs.ipynb say is what happens in the runs they stand in."""

from __future__ import annotations

from typing import Any

import pytest
from locked import locked

from patterns.cqrs.lesson import BUGS, GALLERY
from patterns.cqrs.messages import Shown
from patterns.cqrs.properties import page_of
from patterns.engine.step import Step
from widgets.chapters.cqrs import questions as ask
from widgets.question import Question, locked_steps

RUNS = {
    "Ann orders, and looks at her list": [ask.WHICH],
    "A query waits until its deadline": [ask.STALE],
    "Row first, then a crash": [ask.CRASH],
    "An event cannot be read": [ask.PARKED],
    "A new version is filled beside the old one": [ask.LETTERS, ask.SWITCH],
}


def is_right(question: Question, word: str) -> bool:
    """Whether the right option, and no other one, has this word."""
    return [word in option.text for option in question.options] == [
        option == question.right for option in question.options
    ]


def step_of(question: Question) -> Step[Any, Any]:
    title = next(title for title, questions in RUNS.items() if question in questions)
    return locked(GALLERY[title](), question)


def end_of(title: str) -> Any:
    return GALLERY[title]().branch[-1].state


@pytest.mark.parametrize("title", RUNS)
def test_each_question_locks_a_step_of_its_run(title: str) -> None:
    assert [*locked_steps(GALLERY[title](), RUNS[title]).values()] == RUNS[title]


def test_the_phone_asks_for_the_position_that_the_command_returned() -> None:
    step = step_of(ask.WHICH)
    assert step.state.call("ann").reply.position == step.event.body.wanted == 3
    assert step.state.call("ann").reply.version == 1
    assert step.state.call("bob").reply.position == 4
    assert ask.WHICH.right.text.endswith("returned, 3")


def test_the_order_is_counted_twice_after_row_first() -> None:
    step = step_of(ask.CRASH)
    assert page_of(step.state).tables["sellers.1"].rows["mocha"].value == 1
    end = page_of(end_of("Row first, then a crash"))
    assert end.tables["sellers.1"].rows["mocha"].value == 2
    assert ask.CRASH.right.text.startswith("2")


def test_the_event_of_the_same_shelf_is_parked_and_that_of_another_is_applied() -> None:
    page = page_of(step_of(ask.PARKED).state)
    assert [event.position for event in page.tables["shelf.1"].parked] == [3, 4]
    assert page.tables["shelf.1"].rows["java"].value == 4
    assert is_right(ask.PARKED, "behind 3")


def test_the_phone_is_shown_the_old_list_and_how_old_it_is() -> None:
    shown = step_of(ask.STALE).state.call("ann's phone").reply
    assert shown == Shown("orders", "ann", None, position=1, wanted=2, stale=True)
    assert is_right(ask.STALE, "old list")


def test_no_letter_is_sent_again_by_the_new_version() -> None:
    step = step_of(ask.LETTERS)
    assert page_of(step.state).letters.count("ann-1") == 1
    assert page_of(step.state).tables["orders.2"].rows["ann"].value == ("ann-1 mocha",)
    assert is_right(ask.LETTERS, "its own checkpoint")


def test_before_the_switch_the_new_version_has_what_was_there_when_the_rebuild_began() -> None:
    step = step_of(ask.SWITCH)
    assert step.parent is not None
    page = page_of(step.parent.state)
    began = page.tables["orders.2"].began
    assert began < page.checkpoints["orders.2"] < page.checkpoints["orders.1"]
    assert page.live["orders"] == 1
    assert is_right(ask.SWITCH, "catch up")


def test_checkpoint_first_never_counts_the_order() -> None:
    end = page_of(end_of("Checkpoint first, then a crash"))
    assert end.tables["sellers.1"].rows.get("mocha") is None
    assert end.checkpoints["sellers.1"] == 2
    assert ask.BEFORE.right.text == "never"


def test_a_number_before_the_commit_ends_the_wait_too_early() -> None:
    broken = BUGS["positions are taken before the commit"].found().counterexample
    shown = next(call.reply for call in broken.history.state.calls if isinstance(call.reply, Shown))
    assert not shown.stale
    assert shown.position > shown.wanted
    assert shown.value is None
    assert is_right(ask.NUMBERS, "without")
