"""The judges of the exercises: the solution is accepted, every usual mistake is refused with its own hint."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.leader_election import (
    bully_answer_solution,
    fencing_solution,
    judge_bully_answer,
    judge_fencing,
    leaders,
)
from patterns.leader_election.lesson.exercises import BULLY_MISTAKES, FENCING_MISTAKES

JUDGES = pytest.mark.parametrize("judge", [judge_bully_answer, judge_fencing])


def test_the_solutions_are_accepted_after_a_search_of_every_run() -> None:
    for verdict in (judge_bully_answer(bully_answer_solution), judge_fencing(fencing_solution)):
        assert verdict.accepted, verdict
        assert verdict.what == "states"
        assert verdict.tried > 500


def test_a_solution_may_answer_in_other_types() -> None:
    assert judge_bully_answer(lambda me, sender, electing: [1, 0 if electing else 1])
    assert judge_fencing(lambda token, highest: int(not token < highest))


@pytest.mark.parametrize("mistake", BULLY_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_answer_rule_is_refused_with_its_hint(mistake: Any) -> None:
    verdict = judge_bully_answer(mistake.function)
    assert not verdict.accepted
    assert verdict.attempted
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.history is not None


@pytest.mark.parametrize("mistake", FENCING_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_fencing_check_is_refused_with_its_hint(mistake: Any) -> None:
    verdict = judge_fencing(mistake.function)
    assert not verdict.accepted
    assert verdict.attempted
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.history is not None


def test_a_refusal_shows_a_shortest_run_that_goes_wrong() -> None:
    verdict = judge_bully_answer(lambda me, sender, electing: (not electing, not electing))
    assert "In a run: P1 and P2 lead at once." in verdict.failing
    assert verdict.history is not None
    assert len(leaders(verdict.history.state)) == 2
    verdict = judge_fencing(lambda token, highest: True)
    assert "a write with token 1 was taken after one with token 2" in verdict.failing


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
    assert not judge("a function").accepted
