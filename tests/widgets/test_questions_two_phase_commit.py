"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.step import Step
from patterns.engine.trace import mover, received
from patterns.engine.world import Crash, Restart
from patterns.two_phase_commit import TwoPhaseCommit, coordinator, in_doubt, outcomes
from patterns.two_phase_commit.lesson import BUGS, GALLERY
from patterns.two_phase_commit.log import Aborted, Collecting, Committed, Prepared
from patterns.two_phase_commit.messages import Ack
from patterns.two_phase_commit.participant import Lock
from patterns.two_phase_commit.properties import agreement
from widgets.chapters.two_phase_commit import questions as ask
from widgets.question import Question

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "06_two_phase_commit.ipynb"


def cell(name: str) -> str:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["id"] == name)


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def before(step: Step[Any, Any]) -> Any:
    assert step.parent is not None
    return step.parent.state


def guided(depth: int) -> Step[Any, Any]:
    return GALLERY["commit"](n=2).steps[depth]  # type: ignore[call-arg]


def step_of(title: str, depth: int) -> Step[Any, Any]:
    return GALLERY[title]().steps[depth]


def test_the_questions_stand_where_these_tests_look() -> None:
    asked = {
        "guided": "{2: ask.PROMISE, 5: ask.POINT, 8: ask.FORGET}",
        "no": "{6: ask.NO}",
        "crash": "{15: ask.LOCKED}",
        "help": "{15: ask.KNOWS}",
        "recovery": "{14: ask.BACK}",
        "presume": "{9: ask.COLLECTING}",
        "split": "{26: ask.SPLIT}",
    }
    for name, questions in asked.items():
        assert f"ask={questions}" in cell(name), name


# The guided run


def test_p1_writes_its_promise_and_locks_the_row_before_its_yes_leaves() -> None:
    """BHG 7.4; Mohan, Lindsay, Obermarck 1986, section 2: the prepare record is forced."""
    step = guided(2)
    participant = step.state["P1"]
    assert rules(step) == ["P.yes"]
    assert [str(account) for record in participant.log for account in record.redo] == ["ann 60"]
    assert participant.locks == (Lock("ann", "T1"),)
    assert participant.balances == before(step)["P1"].balances == {"ann": 100}
    assert not before(step)["P1"].log


def test_the_last_yes_makes_c_write_commit_and_nobody_else_knows() -> None:
    """BHG 7.4: the coordinator's commit record is the decision."""
    step = guided(5)
    assert rules(step) == ["C.vote", "C.commit", "C.forced"]
    assert isinstance(step.state["C"].log[-1], Committed)
    assert outcomes(before(step), "T1") == {}
    assert outcomes(step.state, "T1") == {"C": "commit"}
    assert {doubt.participant for doubt in in_doubt(step.state)} == {"P1", "P2"}


def test_if_c_crashes_before_the_last_yes_the_transfer_is_aborted() -> None:
    """BHG 7.4: what has no commit record at the coordinator is aborted."""
    run = GALLERY["commit"](n=2)  # type: ignore[call-arg]
    run.jump(run.steps[4])
    run.apply(Crash("C"))
    run.apply(Restart("C"))
    assert run.run_until(lambda step: len(outcomes(step.state, "T1")) == 2 and not in_doubt(step.state), 200)
    assert set(outcomes(run.state, "T1").values()) == {"abort"}


def test_c_remembers_until_the_last_acknowledgement() -> None:
    step, last = guided(8), guided(9)
    packet = received(step)
    assert packet is not None
    assert (packet.sender, packet.body) == ("P2", Ack("T1"))
    assert coordinator(step.state).open[0].missing == {"P1"}
    assert rules(last) == ["C.ack", "C.end"]
    assert coordinator(last.state).open == ()


# Other runs


def test_one_no_is_enough_while_a_vote_is_on_its_way() -> None:
    step = step_of("an honest no", 6)
    assert rules(step) == ["C.vote", "C.abort", "C.forced"]
    assert dict(coordinator(before(step)).open[0].votes) == {"P3": "yes"}
    assert step.notes[1].values["told"] == "P2, P3"
    assert outcomes(before(step), "T1") == {"P1": "abort"}
    assert any(packet.sender == "P2" for packet in before(step).packets)


def test_t2_is_given_up_at_p3_behind_the_lock_of_t1_while_c_is_down() -> None:
    step = step_of("blocked behind a crash", 15)
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
    run = GALLERY["blocked behind a crash"]()
    stuck = [step for step in run.steps if "C" in step.state.down]
    assert all({d.participant for d in in_doubt(step.state) if d.txn == "T1"} == {"P1", "P2", "P3"} for step in stuck)
    assert set(outcomes(run.leaves[-1].state, "T1").values()) == {"commit"}


def test_p1_which_has_heard_tells_p2() -> None:
    """BHG 7.4: cooperative termination."""
    step = step_of("one participant knows", 15)
    packet = received(step)
    assert packet is not None
    assert (packet.sender, packet.to) == ("P2", "P1")
    assert rules(step) == ["P.tell"]
    assert outcomes(step.state, "T1") == {"C": "commit", "P1": "commit"}
    assert {doubt.participant for doubt in in_doubt(step.state)} == {"P2", "P3"}
    assert "C" in step.state.down


def test_p2_locks_again_and_then_asks() -> None:
    """BHG 7.4: recovery."""
    step = step_of("a participant crashes in doubt", 14)
    assert rules(step) == ["P.back", "P.ask"]
    assert before(step)["P2"].locks == ()
    assert step.state["P2"].locks == (Lock("bob", "T1"),)
    assert [type(record) for record in step.state["P2"].log] == [Prepared]
    assert {outcomes(step.state, "T1")[name] for name in ("C", "P1", "P3")} == {"commit"}


def test_the_collecting_record_makes_c_abort_what_it_would_presume_committed() -> None:
    """Mohan, Lindsay, Obermarck 1986, section 4."""
    step = step_of("presumed commit: the collecting record", 9)
    assert rules(step) == ["C.back"]
    assert step.notes[0].values["outcome"] == "aborted"
    assert [type(record) for record in before(step)["C"].log] == [Collecting]
    assert type(step.state["C"]).presumes == "commit"
    run = GALLERY["presumed commit: the collecting record"]()
    arrived = [packet.body for each in run.steps[:9] if (packet := received(each)) is not None and packet.to == "C"]
    assert arrived == []  # not one vote


def test_p2_aborts_on_its_side_of_the_cut_what_c_and_p1_have_committed() -> None:
    """BHG 7.5: three-phase commit assumes that communication does not fail."""
    step = step_of("three phases: a partition splits", 26)
    assert (mover(step), rules(step)[0]) == ("P2", "3.TR3")
    assert outcomes(before(step), "T1") == {"C": "commit", "P1": "commit"}
    assert outcomes(step.state, "T1")["P2"] == "abort"
    assert not step.state.down
    [poll] = before(step)["P2"].polls
    assert [(report.state, sender) for report, sender in zip(poll.reports, poll.senders, strict=True)] == [
        ("uncertain", "P2"),
        ("uncertain", "P3"),
    ]


# Break it, and once more


def test_a_lost_commit_is_enough_when_one_in_doubt_gives_up() -> None:
    found = BUGS["decides alone in doubt"].search()
    assert found.counterexample is not None
    assert found.counterexample.property is agreement
    assert found.counterexample.history.machine.params.n == 2  # type: ignore[attr-defined]
    events = [type(step.event).__name__ for step in found.counterexample.history.steps[1:]]
    assert events.count("Drop") == 1
    assert "Crash" not in events


def test_who_was_never_asked_aborts_for_all_while_c_is_down() -> None:
    """BHG 7.4: cooperative termination, where one has not voted. The run is the notebook's own."""
    run = last_run()
    vetoed = next(step for step in run.steps if "P.veto" in rules(step))
    assert mover(vetoed) == "P3"
    assert {doubt.participant for doubt in in_doubt(before(vetoed))} == {"P1", "P2"}
    end = run.leaves[-1]
    assert outcomes(end.state, "T1") == {"P1": "abort", "P2": "abort", "P3": "abort"}
    assert all(isinstance(end.state[name].log[-1], Aborted) for name in ("P1", "P2", "P3"))
    assert "C" in end.state.down


def last_run() -> History[Any, Any]:
    played: list[History[Any, Any]] = []
    source = cell("last").replace("display(last_guess.outcome)", "")
    exec(source, {"TwoPhaseCommit": TwoPhaseCommit, "in_doubt": in_doubt, "play": lambda run, **_: played.append(run)})
    return played[0]


@pytest.mark.parametrize("name", [name for name, value in vars(ask).items() if isinstance(value, Question)])
def test_every_question_is_asked_in_the_notebook_and_gives_a_reason_for_each_option(name: str) -> None:
    question = getattr(ask, name)
    assert len(question.options) == 3
    assert all(option.because for option in question.options)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert sum("".join(cell["source"]).count(f"ask.{name}") for cell in cells) == 1
