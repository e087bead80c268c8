"""The exercises accept the reference solutions, refuse seeded wrong answers with the right hint, and stay silent on
what is not attempted yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patterns.engine.faults import FAULT_EVENTS
from patterns.engine.judge import Verdict
from patterns.two_phase_commit.lesson import decision_solution, judge_decision, judge_recovery, recovery_solution
from patterns.two_phase_commit.lesson.exercises import (
    DECISION_MISTAKES,
    RECOVERY_MISTAKES,
    decision_cases,
    recovery_cases,
)

Judge = Callable[[Any], Verdict]
JUDGES: list[Any] = [judge_decision, judge_recovery]


@pytest.mark.parametrize(
    ("judge", "solution"), [(judge_decision, decision_solution), (judge_recovery, recovery_solution)]
)
def test_the_solution_is_accepted(judge: Judge, solution: Any) -> None:
    verdict = judge(solution)
    assert verdict.accepted, verdict
    assert verdict.what == "states"
    assert verdict.tried > 500


def test_to_wait_for_all_votes_after_a_no_is_right_too() -> None:
    """BHG 7.4, step 3: the coordinator may collect the votes of all before it decides."""

    def patient(votes: dict[str, str], asked: tuple[str, ...], timed_out: bool) -> str:
        if len(votes) < len(asked):
            return "abort" if timed_out else "wait"
        return "abort" if "no" in votes.values() else "commit"

    assert judge_decision(patient).accepted


@pytest.mark.parametrize("mistake", DECISION_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_usual_mistake_in_the_decision_is_recognised(mistake: Any) -> None:
    verdict = judge_decision(mistake.function)
    assert (verdict.accepted, verdict.mistake, verdict.hint) == (False, mistake.name, mistake.hint)
    assert verdict.history is not None, "a run shows it"
    assert "In " in verdict.failing


@pytest.mark.parametrize("mistake", RECOVERY_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_usual_mistake_in_the_recovery_is_recognised(mistake: Any) -> None:
    verdict = judge_recovery(mistake.function)
    assert (verdict.accepted, verdict.mistake, verdict.hint) == (False, mistake.name, mistake.hint)
    needs_two = mistake.name in ("only the last record", "the next record")
    assert (verdict.history is None) == needs_two, "a run of one transfer shows it, unless it needs two"


def test_who_overrules_a_no_is_shown_an_honest_no() -> None:
    """The run that is opened has the mistake in it and no fault besides."""
    mistake = next(mistake for mistake in DECISION_MISTAKES if mistake.name == "no veto")
    history = judge_decision(mistake.function).history
    assert history is not None
    assert any(note.rule == "P.no" for step in history.branch for note in step.notes)
    assert not any(isinstance(step.event, FAULT_EVENTS) for step in history.branch[1:])


def _blank(*case: Any) -> Any:
    raise NotImplementedError


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("function", [_blank, lambda *case: None, lambda *case: ...])
def test_what_is_not_attempted_yet_is_no_failure(judge: Judge, function: Any) -> None:
    assert not judge(function).attempted


@pytest.mark.parametrize("judge", JUDGES)
def test_what_raises_or_is_no_function_is_answered_in_words(judge: Judge) -> None:
    assert "stops with ZeroDivisionError" in judge(lambda *case: 1 / 0).failing
    assert not judge(3).accepted
    assert not judge(lambda *case: 7).accepted


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

    assert judge_decision(spoils).accepted
