"""What the judges of the exercises say, beyond what every chapter's exercises keep (tests/test_chapters.py)."""

from __future__ import annotations

import numpy as np

from patterns.engine.planted import first_broken
from patterns.leader_election import leaders
from patterns.leader_election.lesson import EXERCISES
from patterns.leader_election.properties import tokens_never_fall

ON_ELECTION, MAY_PASS = EXERCISES["on_election"], EXERCISES["may_pass"]


def test_a_list_may_stand_for_a_tuple() -> None:
    assert ON_ELECTION.judge(lambda me, sender, electing: [True, not electing])


def test_a_right_answer_of_another_type_is_refused_with_the_type_that_is_wanted() -> None:
    verdict = MAY_PASS.judge(lambda token, highest: int(not token < highest))
    assert not verdict
    assert "a whole number" in verdict.hint
    assert "a truth value" in verdict.hint
    verdict = MAY_PASS.judge(lambda token, highest: np.bool_(token >= highest))
    assert not verdict
    assert "numpy.bool" in verdict.hint
    assert "a truth value" in verdict.hint


def test_a_check_that_is_right_for_small_tokens_only_is_refused() -> None:
    """Two such checks were accepted while the judge tried tokens up to 6 only."""
    assert not MAY_PASS.judge(lambda token, highest: token % 8 >= highest % 8)
    assert not MAY_PASS.judge(lambda token, highest: highest <= token <= highest + 6)


def test_a_refusal_shows_a_shortest_run_that_goes_wrong() -> None:
    verdict = ON_ELECTION.judge(lambda me, sender, electing: (not electing, not electing))
    assert verdict.history is not None
    assert len(leaders(verdict.history.state)) == 2
    verdict = MAY_PASS.judge(lambda token, highest: True)
    assert verdict.history is not None
    assert first_broken(verdict.history, (tokens_never_fall,)) is not None
