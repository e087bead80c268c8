"""The judges of the exercises: the solution is accepted, every usual mistake is refused with its own hint."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.saga.lesson import compensation_solution, idempotence_solution, judge_compensations, judge_idempotence
from patterns.saga.lesson.exercises import (
    COMPENSATION_MISTAKES,
    IDEMPOTENCE_MISTAKES,
    compensation_cases,
    idempotence_cases,
)
from patterns.saga.records import ANSWER_AGAIN, APPLY, DO_NOTHING, Handled, decide

JUDGES = pytest.mark.parametrize("judge", [judge_compensations, judge_idempotence])


def test_the_solutions_are_accepted_after_a_search_of_every_run() -> None:
    for verdict in (judge_compensations(compensation_solution), judge_idempotence(idempotence_solution)):
        assert verdict.accepted, verdict
        assert verdict.what == "states"
        assert verdict.tried > 300


def test_undoing_strictly_in_reverse_is_as_right_as_side_by_side() -> None:
    """Garcia-Molina and Salem 1987, sections 4 and 8: in a sequence there is one order; branches may go either way."""
    assert judge_compensations(lambda after, log: compensation_solution(after, log)[-1:])
    assert judge_compensations(lambda after, log: {*compensation_solution(after, log)})


@pytest.mark.parametrize("mistake", COMPENSATION_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_order_of_compensations_is_refused_with_its_hint(mistake: Any) -> None:
    verdict = judge_compensations(mistake.function)
    assert not verdict.accepted
    assert verdict.attempted
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.history is not None


@pytest.mark.parametrize("mistake", IDEMPOTENCE_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_idempotence_check_is_refused_with_its_hint(mistake: Any) -> None:
    verdict = judge_idempotence(mistake.function)
    assert not verdict.accepted
    assert verdict.attempted
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.history is not None


def test_a_refusal_shows_a_shortest_run_that_goes_wrong() -> None:
    verdict = judge_compensations(COMPENSATION_MISTAKES[0].function)
    assert "In a run: stock undid reserve of A1 while charge, which came after it, stands." in verdict.failing
    assert verdict.history is not None
    assert len(verdict.history.path) == 7
    verdict = judge_idempotence(lambda table, saga, step, undo: "apply")
    assert "In a run: " in verdict.failing


def test_the_services_own_check_is_the_solution() -> None:
    """In the table of the exercise and in the service's the same is written."""
    words = {APPLY, ANSWER_AGAIN, DO_NOTHING}
    for table, saga, step, undo in idempotence_cases():
        right = decide([Handled(*line) for line in table], saga, step, undo)
        assert right == idempotence_solution(table, saga, step, undo)
        assert right in words


def test_the_cases_have_every_way_that_a_step_under_way_may_have_ended() -> None:
    logs = [log for _, log in compensation_cases()]
    assert (("started", "reserve"),) in logs, "not answered"
    assert any(("refused", "charge") in log for log in logs)
    assert any(("undone", "flight") in log and ("undone", "hotel") not in log for log in logs)
    assert len({*logs}) > 80


@JUDGES
@pytest.mark.parametrize("blank", [lambda *case: None, lambda *case: ...], ids=["None", "..."])
def test_an_exercise_as_it_was_given_is_not_attempted(judge: Any, blank: Any) -> None:
    assert judge(blank).headline == "Not attempted yet."


@JUDGES
def test_an_exercise_that_raises_not_implemented_is_not_attempted(judge: Any) -> None:
    def given(*case: Any) -> Any:
        raise NotImplementedError

    assert not judge(given).attempted


@JUDGES
def test_what_fails_is_answered_in_words(judge: Any) -> None:
    verdict = judge(lambda *case: 1 // 0)
    assert not verdict.accepted
    assert "stops with ZeroDivisionError" in verdict.failing
    assert not judge(lambda: True)
    assert not judge(lambda *case: "perhaps")
    assert not judge("a function").accepted
