"""What the saga chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from locked import locked

from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.trace import mover, received
from patterns.saga import DEFINITIONS, SagaMachine
from patterns.saga.lesson import BUGS, GALLERY
from patterns.saga.lesson import exposure as sagas
from patterns.saga.log import progress
from patterns.saga.messages import Do, Event, Undo
from patterns.saga.properties import no_dirty_reads
from patterns.saga.readings import observer
from patterns.two_phase_commit.lesson import exposure as two_phases
from widgets.chapters.saga import questions as ask
from widgets.question import Question


def step_of(title: str, question: Question) -> Step[Any, Any]:
    return locked(GALLERY[title](), question)


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def rows(step: Step[Any, Any], service: str) -> dict[str, int]:
    return {row.key: row.value for row in step.state[service].rows}


def before(step: Step[Any, Any]) -> Step[Any, Any]:
    assert step.parent is not None
    return step.parent


def asked_of(step: Step[Any, Any]) -> Any:
    packet = received(step)
    assert packet is not None
    return packet.body


def asked_if(step: Step[Any, Any]) -> Any:
    packet = received(step)
    return packet.body if packet else None


def log(step: Step[Any, Any]) -> list[tuple[str, str]]:
    return [(record.what, record.step) for record in step.state["orchestrator"].log]


# The guided run: the order is not approved


def test_what_the_warehouse_has_reserved_is_seen_while_its_answer_is_on_the_way() -> None:
    """Garcia-Molina and Salem 1987, section 1: a saga's steps are visible before it ends."""
    reserved = step_of("The order is not approved", ask.SEEN)
    assert (mover(reserved), rules(reserved)) == ("stock", ["S.do"])
    assert (rows(before(reserved), "stock")["beans"], rows(reserved, "stock")["beans"]) == (3, 2)
    assert observer(before(reserved).state) == (), "the picture does not give it away"
    assert ("done", "reserve") not in log(reserved)
    assert "reserve" in observer(reserved.state)[0]
    assert "taken back" in observer(reserved.state)[0]


def test_the_charge_is_undone_before_the_reservation() -> None:
    """Garcia-Molina and Salem 1987, section 4: compensations run in reverse."""
    history = GALLERY["The order is not approved"]()
    step = step_of("The order is not approved", ask.FIRST_UNDONE)
    assert rules(step) == ["O.refused", "O.back", "O.undo"]
    assert step.notes[2].values["step"] == "charge"
    undone = [note.values["step"] for each in history.steps for note in each.notes if note.rule == "S.undo"]
    assert undone == ["charge", "reserve"]


def test_afterwards_the_rows_are_as_before_and_what_happened_is_on_file() -> None:
    history = GALLERY["The order is not approved"]()
    last = step_of("The order is not approved", ask.GONE)
    assert (mover(last), rules(last)) == ("stock", ["S.undo"])
    assert log(history.branch[-1])[-1][0] == "ended"
    for service, row, value in (("stock", "beans", 3), ("payment", "ann", 100)):
        assert rows(last, service)[row] == rows(history.steps[0], service)[row] == value
        assert [each.version for each in last.state[service].rows] == [2, 2]
        assert [each.outcome for each in last.state[service].handled] == ["done", "undone"]
    ended = history.branch[-1].state["orchestrator"]
    assert progress(DEFINITIONS["order"], "A1", ended.log).phase == "compensated"


# Forward, and again


def test_past_the_pivot_the_orchestrator_asks_for_shipping_again_and_waits_twice_as_long() -> None:
    """Garcia-Molina and Salem 1987, section 5: forward recovery."""
    asks = [
        each.state.clock
        for each in GALLERY["Shipping fails for a while"]().steps
        for note in each.notes
        if note.rule in ("O.start", "O.forward") and note.values.get("step", "ship") == "ship"
    ]
    first, second = (later - earlier for earlier, later in pairwise(asks))
    assert 1.5 * first < second < 2.5 * first  # a random part is added to each wait
    step = step_of("Shipping fails for a while", ask.FORWARD)
    assert progress(DEFINITIONS["order"], "A1", step.state["orchestrator"].log).phase == "past the pivot"
    assert rules(step) == ["O.failed"]
    assert rules(GALLERY["Shipping fails for a while"]().branch[step.depth + 1]) == ["O.forward"]
    assert not any("undo" in note.rule for each in GALLERY["Shipping fails for a while"]().steps for note in each.notes)


def test_asked_again_after_the_crash_the_bank_answers_and_charges_nothing() -> None:
    """Richardson 2018, 3.3.6: a message that was handled before is recognised."""
    step = step_of("The orchestrator crashes", ask.AGAIN)
    at_bank = before(step)
    assert log(at_bank)[-1] == ("started", "charge")
    assert asked_of(step) == Do("A1", "charge", DEFINITIONS["order"]["charge"].do, "compensatable")
    assert rules(step) == ["S.again"]
    assert rows(step, "payment") == rows(at_bank, "payment") == {"ann": 70, "shop": 30}


def test_a_request_after_its_compensation_does_nothing() -> None:
    """Richardson 2018, 4.3.2: version file."""
    step = step_of("A compensation overtakes its request", ask.LATE)
    assert log(before(step))[-1][0] == "ended"
    assert (mover(step), rules(step)) == ("payment", ["S.cancelled"])
    assert rows(step, "payment")["ann"] == 100


# Side by side


def test_the_warehouse_waits_for_the_bank_where_nobody_is_in_charge() -> None:
    """The run of the notebook: both styles, the same refusal."""
    history = GALLERY["Both styles: the order is not approved"]()
    step = step_of("Both styles: the order is not approved", ask.HEARS)
    assert mover(step) == "stock'"
    event = asked_of(step)
    assert isinstance(event, Event)
    assert (event.record.what, event.record.step) == ("refused", "approve")
    assert "S.undo" not in rules(step)
    undone = [
        (each.depth, note.values["step"])
        for each in history.branch
        if mover(each).endswith("'")
        for note in each.notes
        if note.rule == "S.undo"
    ]
    assert [name for _, name in undone] == ["charge", "reserve"]
    assert undone[1][0] > undone[0][0] > step.depth


def test_undoing_at_once_is_among_the_planted_bugs() -> None:
    found = BUGS["undoes at once"].found().counterexample
    assert found is not None
    assert found.property.name == "compensations run in reverse order"


# Two sagas at once


def test_what_b_used_cannot_be_taken_back_from_a() -> None:
    """Richardson 2018, 4.3.1: a dirty read."""
    step = step_of("One saga cancels while another orders", ask.DIRTY)
    assert no_dirty_reads.reason(None, before(step).state) is None, "no broken promise gives it away"
    branch = GALLERY["One saga cancels while another orders"]().branch
    tried = next(each for each in branch[step.depth :] if isinstance(asked_if(each), Undo))
    assert (mover(tried), rules(tried)) == ("customers", ["S.cannot undo"])
    assert rows(step, "customers")["credit"] == 0
    assert no_dirty_reads.reason(None, step.state)
    assert tried.state["delivery"].handled[-1].step == "deliver"  # B's pivot is done
    assert "O.stuck" in rules(GALLERY["One saga cancels while another orders"]().branch[-1])


def test_two_sagas_raise_100_by_50_each_and_it_is_150() -> None:
    """Richardson 2018, 4.3.1: a lost update."""
    step = step_of("Two sagas raise one limit", ask.LOST)
    assert rows(before(step), "accounts")["limit"] == 150
    assert step.notes[0].values["saga"] == "B1"
    assert rows(step, "accounts")["limit"] == 150
    last = GALLERY["Two sagas raise one limit"]().branch[-1].state["orchestrator"]
    assert [record.detail for record in last.log if record.what == "ended"] == ["completed", "completed"]


# Two-phase commit or saga


def test_the_slow_third_keeps_the_first_ones_row_locked_in_two_phases_and_in_a_saga_nothing() -> None:
    """Bernstein, Hadzilacos, Goodman 1987, 7.4; Garcia-Molina and Salem 1987, section 1."""
    locked = [each for each in two_phases.exposed(two_phases.transferred(3, 100)) if each.seen == "locked"]
    assert {each.ms for each in locked if each.row == "P1.ann"} == {120}
    assert {each.begins for each in locked if each.row == "P1.ann"} == {10}
    assert not any(each.seen == "locked" for each in sagas.exposed(sagas.transferred(3, 100)))
    marked = sagas.exposed(sagas.transferred(3, 100, lock="wait"))
    assert max(each.ms for each in marked if each.seen == "locked") > 120  # the longer chain of messages


# Broken


def test_an_orchestrator_that_forgets_the_step_under_way_leaves_it_done() -> None:
    bug = BUGS["forgets the step under way"]
    found = bug.found().counterexample
    assert found is not None
    assert found.property.name == "each saga has ended as the logs say"
    last = found.history.branch[-1].state
    assert [each.outcome for each in last["stock"].handled] == ["done"]
    assert bug.machine.params.budget == {"crash": 1, "drop": 1}
    right = bug.clean()
    assert right.complete
    assert right.counterexample is None


# Once more


def test_a_refused_branch_gives_the_seat_back() -> None:
    """The trip of the last question: flight and room at the same time."""
    history = GALLERY["A parallel branch is refused"]()
    seats = [rows(each, "airline")["seats"] for each in history.branch]
    assert min(seats) == seats[0] - 1
    assert seats[-1] == seats[0]
    alone = SagaMachine(sagas=["trip"], rows={"airline": {"seats": 1}}, refuse=["hotel"])
    last_seat = [rows(each, "airline")["seats"] for each in Script(alone).ask("A").finish().history.branch]
    assert 0 in last_seat
    assert last_seat[-1] == 1


QUESTIONS = {name: each for name, each in vars(ask).items() if isinstance(each, Question)}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_has_one_right_option_and_a_reason_for_each(name: str) -> None:
    assert all(option.because for option in QUESTIONS[name].options)
    assert QUESTIONS[name].right.text


def test_there_are_as_many_questions_as_the_chapter_asks() -> None:
    assert len(QUESTIONS) == 13
