"""The exercises, beyond what `tests/test_chapters.py` asks of every exercise."""

from __future__ import annotations

from patterns.engine.faults import FAULT_EVENTS
from patterns.two_phase_commit.lesson import EXERCISES
from patterns.two_phase_commit.lesson.exercises import decision_cases, decision_solution, recovery_cases

DECIDE, TO_ASK = EXERCISES["decide"], EXERCISES["to_ask"]


def test_waiting_for_all_votes_after_a_no_is_right_too() -> None:
    """BHG 7.4, step 3: the coordinator may collect the votes of all before it decides."""

    def patient(votes: dict[str, str], asked: tuple[str, ...], timed_out: bool) -> str:
        if len(votes) < len(asked):
            return "abort" if timed_out else "wait"
        return "abort" if "no" in votes.values() else "commit"

    assert DECIDE.judge(patient).accepted


def test_a_coordinator_that_overrules_a_no_is_shown_an_honest_no() -> None:
    """The run that is opened has the mistake in it and no fault besides."""
    mistake = next(mistake for mistake in DECIDE.mistakes if mistake.name == "no veto")
    history = DECIDE.judge(mistake.function).history
    assert history is not None
    assert any(note.rule == "P.no" for step in history.branch for note in step.notes)
    assert not any(isinstance(step.event, FAULT_EVENTS) for step in history.branch[1:])


def test_a_mistake_that_needs_two_transfers_is_shown_in_a_run_of_two() -> None:
    """P3 has promised T1 and refused T2. With the mistake it comes back and does not know its promise."""
    for name in ("only the last record", "the next record"):
        mistake = next(mistake for mistake in TO_ASK.mistakes if mistake.name == name)
        history = TO_ASK.judge(mistake.function).history
        assert history is not None
        back = next(step for step in history.branch if "Restart" in type(step.event).__name__)
        assert back.state["P3"].locks == ()
        assert [type(record).__name__ for record in back.state["P3"].log] == ["Prepared", "Aborted"]


def test_the_cases_come_small_first_and_each_once() -> None:
    decisions, logs = list(decision_cases()), list(recovery_cases())
    assert len(set(decisions)) == len(decisions) > 100
    assert len(set(logs)) == len(logs) > 100
    sizes = [len(log) for (log,) in logs]
    assert sizes == sorted(sizes)


def test_the_learners_function_cannot_spoil_the_votes() -> None:
    """It is given a new dictionary each time."""

    def spoils(votes: dict[str, str], asked: tuple[str, ...], timed_out: bool) -> str:
        answer = decision_solution(votes, asked, timed_out)
        votes.clear()
        return answer

    assert DECIDE.judge(spoils).accepted
