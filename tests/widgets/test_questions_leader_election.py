"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.milestones import find, fired
from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.trace import mover, received
from patterns.leader_election import leaders
from patterns.leader_election.lesson import BUGS, GALLERY, costs
from patterns.leader_election.properties import acknowledged_writes_stay
from widgets.chapters.leader_election import questions as ask
from widgets.question import Question

UNFENCED, FENCED = "Lease: a paused leader without fencing", "Lease: a paused leader with fencing"


def asked(title: str, question: Question) -> tuple[History[Any, Any], Step[Any, Any], Step[Any, Any]]:
    """The run, the step before the locked one, and the locked one."""
    run = GALLERY[title]()
    assert question.at is not None
    step = find(run, question.at)
    assert step is not None
    assert step.parent is not None
    return run, step.parent, step


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def test_p2_answers_p1_in_the_middle_of_its_own_election() -> None:
    _, before, step = asked("Bully: the leader crashes and comes back", ask.ANSWER)
    packet = received(step)
    assert packet is not None
    assert (packet.sender, packet.to, str(packet.body)) == ("P1", "P2", "election")
    assert (before.state["P2"].role, before.state["P2"].answered) == ("candidate", False)
    assert rules(step) == ["B.answer", "B.begun"]


def test_p4_comes_back_and_takes_over_from_p3_without_asking() -> None:
    _, before, step = asked("Bully: the leader crashes and comes back", ask.BACK)
    assert [leader.id for leader in leaders(before.state)] == ["P3"]
    assert mover(step) == "P4"
    assert rules(step) == ["B.back", "B.top"]


def test_p2_leads_beside_p5_after_30_ms_without_an_answer() -> None:
    _, before, step = asked("Bully: P1 and P2 are cut off", ask.ALONE)
    assert before.state["P2"].timeout == 30
    assert [leader.id for leader in leaders(before.state)] == ["P5"]
    assert {leader.id for leader in leaders(step.state)} == {"P2", "P5"}
    assert mover(step) == "P2"


def test_p2_begins_an_election_when_it_hears_of_p5_and_follows_p5_in_the_end() -> None:
    run, before, step = asked("Bully: P1 and P2 are cut off", ask.HEALED)
    assert {leader.id for leader in leaders(before.state)} == {"P2", "P5"}
    assert rules(step) == ["B.rival", "B.ask"]
    assert run.branch[-1].state["P2"].leader == "P5"


def test_p5_gets_its_own_id_back_before_another_process_knows_that_it_leads() -> None:
    _, _, step = asked("Chang-Roberts: the worst order", ask.OWN)
    assert rules(step) == ["CR.won", "R.tell"]
    assert mover(step) == "P5"
    assert [process.id for process in step.state.processes if process.leader] == ["P5"]


def test_chang_roberts_needs_about_a_fifth_of_the_others_messages_on_average() -> None:
    (one_way,), (both_ways,) = costs("chang_roberts", [33]), costs("hirschberg_sinclair", [33])
    assert 4 < both_ways.average / one_way.average < 7


def test_b_wakes_up_and_writes_before_it_sees_that_its_lease_is_over() -> None:
    run, before, step = asked(UNFENCED, ask.WAKES)
    assert (mover(step), rules(step)) == ("B", ["H.write"])
    read = find(run, fired("H.has", who="B"))
    assert read is not None
    assert before.state.clock - read.state.clock == 332
    assert before.state["B"].term == 200
    assert rules(run.branch[step.depth + 2]) == ["H.end"]


@pytest.mark.parametrize(("title", "rule"), [(UNFENCED, "S.stale"), (FENCED, "S.refuse")])
def test_with_and_without_fencing_the_same_write_is_refused_and_accepted(title: str, rule: str) -> None:
    """Kleppmann 2016: only the storage's check makes the difference."""
    _, _, refused = asked(FENCED, ask.FENCE)
    step = GALLERY[title]().branch[refused.depth]
    assert rules(step) == [rule]
    assert [step.notes[0].values[name] for name in ("holder", "token", "highest")] == ["B", 1, 2]


def test_without_fencing_a_line_is_lost_with_no_fault_at_all() -> None:
    bug = BUGS["unfenced writes"]
    broken = bug.found().counterexample
    assert broken.property is acknowledged_writes_stay
    assert {type(step.event).__name__ for step in broken.history.branch[1:]} == {"Fire", "Deliver"}
    assert bug.machine.params.budget == {}


def test_under_raft_s2_leads_term_1_and_s3_term_2_from_its_third_vote_until_the_cut_is_healed() -> None:
    """Raft 5.2: at most one leader in a term."""
    run, before, step = asked("Raft: the leader is cut off", ask.RAFT)
    assert [leader.id for leader in leaders(before.state)] == ["S2"]
    assert {leader.id: leader.current_term for leader in leaders(step.state)} == {"S2": 1, "S3": 2}
    assert step.notes[0].rule == "C.vote"
    assert find(run, fired("C.2", term=2)) is step


def test_a_holder_that_allows_for_its_slow_clock_stops_before_its_lease_expires() -> None:
    """The notebook: 66 ms of a clock at a third of true time are 200 ms, the whole lease."""
    machine = GALLERY["Lease: a slow clock"]().machine
    for drift, two in ((0, True), (67, False)):
        run = Script(machine.again(drift=drift)).wait(2_000).history
        assert any(len(leaders(step.state)) > 1 for step in run.branch) == two
    assert machine.again(drift=67).start()["B"].lease_length() == 66


def test_every_option_has_a_reason() -> None:
    questions = [question for question in vars(ask).values() if isinstance(question, Question)]
    assert len(questions) == 12
    assert all(option.because for question in questions for option in question.options)
