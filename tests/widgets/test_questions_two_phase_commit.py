"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from locked import locked

from patterns.engine.history import History
from patterns.engine.milestones import on_its_way
from patterns.engine.planted import planted
from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.trace import mover, received
from patterns.engine.world import Crash, Restart
from patterns.two_phase_commit import coordinator, in_doubt, outcomes
from patterns.two_phase_commit.lesson import BUGS, GALLERY
from patterns.two_phase_commit.lesson.broken import SMALL
from patterns.two_phase_commit.log import Aborted, Collecting, Committed, Prepared
from patterns.two_phase_commit.messages import Abort, Ack, Voted
from patterns.two_phase_commit.participant import Lock
from patterns.two_phase_commit.properties import agreement
from widgets.chapters.two_phase_commit import questions as ask
from widgets.question import Question

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "06_two_phase_commit.ipynb"


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def before(step: Step[Any, Any]) -> Any:
    assert step.parent is not None
    return step.parent.state


@cache
def run(title: str) -> History[Any, Any]:
    return GALLERY[title]()


PAYS = "All banks vote yes"


def where(question: Question, title: str = PAYS) -> Step[Any, Any]:
    return locked(run(title), question)


# The guided run


def test_p1_writes_its_promise_and_locks_the_row_before_its_yes_leaves() -> None:
    """BHG 7.4; Mohan, Lindsay, Obermarck 1986, section 2: the prepare record is forced."""
    step = where(ask.PROMISE)
    participant = step.state["P1"]
    assert rules(step) == ["P.yes"]
    assert [str(account) for record in participant.log for account in record.redo] == ["ann 60"]
    assert participant.locks == (Lock("ann", "T1"),)
    assert participant.balances == before(step)["P1"].balances == {"ann": 100}
    assert not before(step)["P1"].log


def test_the_last_yes_makes_c_write_commit_and_nobody_else_knows() -> None:
    """BHG 7.4: the coordinator's commit record is the decision."""
    step = where(ask.POINT)
    assert rules(step) == ["C.vote", "C.commit", "C.forced"]
    assert isinstance(step.state["C"].log[-1], Committed)
    assert outcomes(before(step), "T1") == {}
    assert outcomes(step.state, "T1") == {"C": "commit"}
    assert {doubt.participant for doubt in in_doubt(step.state)} == {"P1", "P2"}


def test_if_c_crashes_before_the_last_yes_the_transfer_is_aborted() -> None:
    """BHG 7.4: what has no commit record at the coordinator is aborted."""
    before_it = where(ask.POINT).parent
    assert before_it is not None
    history = GALLERY[PAYS]()
    history.jump(history.steps[before_it.depth])
    history.apply(Crash("C"))
    history.apply(Restart("C"))
    assert history.run_until(lambda step: len(outcomes(step.state, "T1")) == 2 and not in_doubt(step.state), 200)
    assert set(outcomes(history.state, "T1").values()) == {"abort"}


def test_c_remembers_until_the_last_acknowledgement() -> None:
    step = where(ask.FORGET)
    last = run(PAYS).steps[step.depth + 1]
    packet = received(step)
    assert packet is not None
    assert (packet.sender, packet.body) == ("P2", Ack("T1"))
    assert coordinator(step.state).open["T1"].missing == {"P1"}
    assert rules(last) == ["C.ack", "C.end"]
    assert not coordinator(last.state).open


# Other runs


def test_one_no_is_enough_while_a_vote_is_on_its_way() -> None:
    step = where(ask.NO, "One bank votes no")
    assert rules(step) == ["C.vote", "C.abort", "C.forced"]
    assert dict(coordinator(before(step)).open["T1"].votes) == {"P3": "yes"}
    assert step.notes[1].values["told"] == ("P2", "P3")
    assert outcomes(before(step), "T1") == {"P1": "abort"}
    assert any(packet.sender == "P2" for packet in before(step).packets)


def test_t2_is_given_up_at_p3_behind_the_lock_of_t1_while_c_is_down() -> None:
    step = where(ask.LOCKED, "The coordinator crashes after its decision")
    assert (mover(step), rules(step)) == ("P3", ["P.tired"])
    assert step.notes[0].values["txn"] == "T2"
    assert step.notes[0].values["timeout"] == 70
    assert "C" in step.state.down
    assert outcomes(step.state, "T1") == {"C": "commit"}
    [promise] = [record for record in step.state["P3"].log if isinstance(record, Prepared)]
    assert [str(account) for account in promise.redo] == ["cho 120"]
    assert step.state["P3"].locks == (Lock("cho", "T1"),)


def test_who_voted_yes_waits_for_c_and_is_right_to() -> None:
    """The first question: in that run the decision was commit, and it was on C's disk alone."""
    history = run("The coordinator crashes after its decision")
    stuck = [step for step in history.steps if "C" in step.state.down]
    assert all({d.participant for d in in_doubt(step.state) if d.txn == "T1"} == {"P1", "P2", "P3"} for step in stuck)
    assert set(outcomes(history.leaves[-1].state, "T1").values()) == {"commit"}


def test_p1_answers_p2_and_p3_so_all_three_commit_before_c_is_back() -> None:
    """BHG 7.4: cooperative termination."""
    step = where(ask.KNOWS, "The coordinator crashes, and one bank knows the decision")
    packet = received(step)
    assert packet is not None
    assert (packet.sender, packet.to) == ("P2", "P1")
    assert rules(step) == ["P.tell"]
    assert outcomes(step.state, "T1") == {"C": "commit", "P1": "commit"}
    assert {doubt.participant for doubt in in_doubt(step.state)} == {"P2", "P3"}
    assert "C" in step.state.down
    steps = run("The coordinator crashes, and one bank knows the decision").branch
    back = next(at for at, later in enumerate(steps) if "C.back" in rules(later))
    assert outcomes(steps[back - 1].state, "T1") == dict.fromkeys(("C", "P1", "P2", "P3"), "commit")


def test_p2_locks_again_and_then_asks() -> None:
    """BHG 7.4: recovery."""
    step = where(ask.BACK, "A bank crashes in doubt, and restarts")
    assert rules(step) == ["P.back", "P.ask"]
    assert before(step)["P2"].locks == ()
    assert step.state["P2"].locks == (Lock("bob", "T1"),)
    assert [type(record) for record in step.state["P2"].log] == [Prepared]
    assert {outcomes(step.state, "T1")[name] for name in ("C", "P1", "P3")} == {"commit"}


def test_the_collecting_record_makes_c_abort_what_it_would_presume_committed() -> None:
    """Mohan, Lindsay, Obermarck 1986, section 4."""
    step = where(ask.COLLECTING, "Presumed commit: the coordinator crashes before its decision")
    assert rules(step) == ["C.back"]
    assert step.notes[0].values["outcome"] == "abort"
    assert [type(record) for record in before(step)["C"].log] == [Collecting]
    assert type(step.state["C"]).presumes == "commit"
    arrived = [packet.body for each in step.path[:-1] if (packet := received(each)) is not None and packet.to == "C"]
    assert arrived == []  # not one vote


def test_p2_aborts_on_its_side_of_the_cut_what_c_and_p1_have_committed() -> None:
    """BHG 7.5: three-phase commit assumes that communication does not fail."""
    step = where(ask.SPLIT, "Three phases: a cut separates two of the banks")
    assert (mover(step), outcomes(before(step), "T1")) == ("C", {})
    steps = run("Three phases: a cut separates two of the banks").branch
    decides = next(later for later in steps if rules(later) and rules(later)[0] == "3.TR3")
    assert decides.depth > step.depth
    assert outcomes(before(decides), "T1") == {"C": "commit", "P1": "commit"}
    poll = before(decides)["P2"].polls["T1"]
    assert [(sender, report.state) for sender, report in poll.reports] == [("P2", "uncertain"), ("P3", "uncertain")]
    ends = {"C": "commit", "P1": "commit", "P2": "abort", "P3": "abort"}
    assert outcomes(steps[-1].state, "T1") == ends
    assert not any(later.state.down for later in steps)


# Break it, and once more


def test_a_lost_commit_is_enough_when_one_in_doubt_gives_up() -> None:
    found = BUGS["decides alone in doubt"].found()
    assert found.counterexample is not None
    assert found.counterexample.property is agreement
    assert found.counterexample.history.machine.params.n == 2  # type: ignore[attr-defined]
    events = [type(step.event).__name__ for step in found.counterexample.history.steps[1:]]
    assert events.count("Drop") == 1
    assert "Crash" not in events


def test_after_a_lost_vote_one_in_doubt_that_gives_up_agrees_with_c() -> None:
    """BHG 7.4: without a vote the coordinator aborts."""
    machine = planted(SMALL.again(budget=None), **BUGS["decides alone in doubt"].changes)
    for voter in ("P1", "P2"):
        script = Script(machine).ask("A").until(on_its_way(Voted, sender=voter)).lose(Voted, sender=voter).finish()
        assert set(outcomes(script.world, "T1").values()) == {"abort"}


def test_who_was_never_asked_aborts_for_all_while_c_is_down() -> None:
    """BHG 7.4: cooperative termination, where one has not voted."""
    history = run("One bank was never asked, and it aborts for all")
    vetoed = next(step for step in history.steps if "P.veto" in rules(step))
    assert mover(vetoed) == "P3"
    assert {doubt.participant for doubt in in_doubt(before(vetoed))} == {"P1", "P2"}
    end = history.leaves[-1]
    assert outcomes(end.state, "T1") == {"P1": "abort", "P2": "abort", "P3": "abort"}
    assert all(isinstance(end.state[name].log[-1], Aborted) for name in ("P1", "P2", "P3"))
    assert "C" in end.state.down


@pytest.mark.parametrize("name", [name for name, value in vars(ask).items() if isinstance(value, Question)])
def test_every_question_is_asked_in_the_notebook_and_gives_a_reason_for_each_option(name: str) -> None:
    question = getattr(ask, name)
    assert len(question.options) == 3
    assert all(option.because for option in question.options)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert sum("".join(cell["source"]).count(f"ask.{name}") for cell in cells) == 1


# Beyond the protocol


def test_a_coordinator_with_an_empty_disk_answers_what_it_presumes() -> None:
    """Mohan, Lindsay, Obermarck 1986, 3: unknown means aborted. P1 has committed, so agreement breaks."""
    title = "The coordinator's disk fails, and a bank in doubt asks"
    step = where(ask.EMPTY, title)
    assert (before(step)["C"].log, outcomes(before(step), "T1")) == ((), {"P1": "commit"})
    assert [(packet.to, packet.body) for packet in step.state.packets] == [("P2", Abort("T1"))]
    assert agreement.reason(None, step.state) is None
    assert agreement.reason(None, run(title).steps[-1].state) == "T1: P1 has committed, P2 has aborted"


def test_after_a_wrong_guess_by_hand_ann_has_paid_and_bob_has_received_nothing() -> None:
    """Jakarta Transactions 2.0, HeuristicMixedException: some have committed, and others have rolled back."""
    title = "An operator decides for a bank in doubt by hand"
    step = where(ask.BY_HAND, title)
    assert before(step).down == {"C"}
    assert {doubt.participant for doubt in in_doubt(before(step))} == {"P1", "P2"}
    assert [lock.account for lock in before(step)["P2"].locks] == ["bob"]
    assert step.state["P2"].locks == ()
    assert outcomes(before(step), "T1") == {"C": "commit"}
    end = run(title).steps[-1].state
    assert outcomes(end, "T1") == {"C": "commit", "P1": "commit", "P2": "abort"}
    assert (end["P1"].balances, end["P2"].balances) == ({"ann": 60}, {"bob": 100})
    assert any(packet.body == Ack("T1", "abort") for each in run(title).steps for packet in each.state.packets)
    assert agreement.reason(None, end)
