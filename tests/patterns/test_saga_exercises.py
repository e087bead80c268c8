"""What the exercises of this chapter have beyond the contract of all chapters."""

from __future__ import annotations

from patterns.engine.planted import first_broken
from patterns.saga.database import ANSWER_AGAIN, APPLY, DO_NOTHING, Handled, decide
from patterns.saga.lesson import EXERCISES
from patterns.saga.lesson.exercises import (
    COMPENSATION_MISTAKES,
    compensation_cases,
    compensation_solution,
    idempotence_cases,
    idempotence_solution,
)
from patterns.saga.properties import ALWAYS, reverse_order

COMPENSATE, IDEMPOTENT = EXERCISES["compensate_next"], EXERCISES["what_to_do"]


def test_undoing_strictly_in_reverse_is_as_right_as_undoing_branches_together() -> None:
    """Garcia-Molina and Salem 1987, sections 4 and 8: in a sequence there is one order; branches may go either way."""
    assert COMPENSATE.judge(lambda after, log: compensation_solution(after, log)[-1:])
    assert COMPENSATE.judge(lambda after, log: {*compensation_solution(after, log)})


def test_a_refusal_shows_a_shortest_run_that_goes_wrong() -> None:
    verdict = COMPENSATE.judge(COMPENSATION_MISTAKES[0].function)
    assert verdict.history is not None
    broken = first_broken(verdict.history, ALWAYS)
    assert broken is not None
    assert broken.property is reverse_order
    assert len(verdict.history.path) == 7
    verdict = IDEMPOTENT.judge(lambda table, saga, step, undo: "apply")
    assert "In a run: " in verdict.failing


def test_the_services_own_check_is_the_solution() -> None:
    """The table of the exercise says the same as the table of the service."""
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
