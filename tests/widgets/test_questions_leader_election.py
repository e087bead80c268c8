"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.step import Step
from patterns.engine.trace import mover, received
from patterns.leader_election import BUGS, GALLERY, NO_FAULTS, costs, leaders
from patterns.leader_election.properties import acknowledged_writes_stay
from widgets.chapters.leader_election import questions as ask
from widgets.question import Question


def step_of(title: str, depth: int) -> Step[Any, Any]:
    return GALLERY[title]().steps[depth]


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def test_p2_answers_p1_in_the_middle_of_its_own_election() -> None:
    step = step_of("bully: the leader crashes and comes back", 9)
    packet = received(step)
    assert packet is not None
    assert (packet.sender, packet.to, str(packet.body)) == ("P1", "P2", "election")
    assert step.parent is not None
    assert (step.parent.state["P2"].role, step.parent.state["P2"].answered) == ("candidate", False)
    assert rules(step) == ["B.answer", "B.begun"]


def test_p4_comes_back_and_takes_over_from_p3_without_asking() -> None:
    step = step_of("bully: the leader crashes and comes back", 21)
    assert step.parent is not None
    assert [leader.id for leader in leaders(step.parent.state)] == ["P3"]
    assert mover(step) == "P4"
    assert rules(step) == ["B.back", "B.top"]


def test_p2_leads_beside_p5_after_30_ms_without_an_answer() -> None:
    step = step_of("bully: a partition elects two", 37)
    assert step.parent is not None
    assert step.parent.state["P2"].timeout == 30
    assert [leader.id for leader in leaders(step.parent.state)] == ["P5"]
    assert {leader.id for leader in leaders(step.state)} == {"P2", "P5"}
    assert mover(step) == "P2"


def test_p5_gets_its_own_id_back_before_anybody_knows_that_it_leads() -> None:
    step = step_of("Chang-Roberts: the worst order", 20)
    assert rules(step) == ["CR.won", "R.tell"]
    assert mover(step) == "P5"
    assert [process.id for process in step.state.processes if process.leader] == ["P5"]


def test_chang_roberts_needs_about_a_fifth_of_the_others_messages_on_average() -> None:
    (one_way,), (both_ways,) = costs("chang_roberts", [33]), costs("hirschberg_sinclair", [33])
    assert 4 < both_ways.average / one_way.average < 7


def test_b_wakes_up_and_writes_before_it_sees_that_its_lease_is_over() -> None:
    step = step_of("lease: without fencing a write is lost", 23)
    assert (mover(step), rules(step)) == ("B", ["H.write"])
    history = GALLERY["lease: without fencing a write is lost"]()
    assert history.steps[22].state.clock - history.steps[9].state.clock == 332
    assert history.steps[0].state["B"].term == 200
    assert rules(history.steps[25]) == ["H.end"]


@pytest.mark.parametrize(
    ("title", "rule"),
    [
        ("lease: without fencing a write is lost", "S.stale"),
        ("lease: a paused leader is refused", "S.refuse"),
    ],
)
def test_with_and_without_fencing_the_same_write_is_refused_and_taken(title: str, rule: str) -> None:
    """Kleppmann 2016: only the storage's check makes the difference."""
    step = step_of(title, 26)
    assert rules(step) == [rule]
    assert step.notes[0].values["holder"] == "B"
    assert (step.notes[0].values["token"], step.notes[0].values["highest"]) == (1, 2)


def test_without_fencing_a_line_is_lost_with_no_fault_at_all() -> None:
    bug = BUGS["no fencing loses a write"]
    found = bug.search()
    assert found.counterexample is not None
    assert found.counterexample.property is acknowledged_writes_stay
    events = {type(step.event).__name__ for step in found.counterexample.history.steps[1:]}
    assert events == {"Fire", "Deliver"}
    assert bug.machine.params["budget"] == dict(NO_FAULTS)


def test_under_raft_two_lead_in_different_terms() -> None:
    """Raft 5.2: at most one leader in a term."""
    both = next(step for step in GALLERY["Raft: a partition"]().steps if len(leaders(step.state)) > 1)
    assert len({leader.current_term for leader in leaders(both.state)}) == 2


def test_every_question_has_one_right_option_and_a_reason_for_each() -> None:
    questions = [question for question in vars(ask).values() if isinstance(question, Question)]
    assert len(questions) == 10
    assert all(option.because for question in questions for option in question.options)
