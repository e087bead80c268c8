"""What the judges of the exercises say, beyond what every chapter's exercises keep (tests/test_chapters.py)."""

from __future__ import annotations

import numpy as np

from patterns.leader_election import leaders
from patterns.leader_election.lesson import EXERCISES

ON_ELECTION, MAY_PASS = EXERCISES["on_election"], EXERCISES["may_pass"]


def test_a_solution_may_answer_in_other_types() -> None:
    assert ON_ELECTION.judge(lambda me, sender, electing: [1, 0 if electing else 1])
    assert MAY_PASS.judge(lambda token, highest: int(not token < highest))
    assert MAY_PASS.judge(lambda token, highest: np.bool_(token >= highest))


def test_a_check_that_is_right_for_small_tokens_only_is_refused() -> None:
    """Two such checks were accepted while the judge tried tokens up to 6 only."""
    assert not MAY_PASS.judge(lambda token, highest: token % 8 >= highest % 8)
    assert not MAY_PASS.judge(lambda token, highest: highest <= token <= highest + 6)


def test_a_refusal_shows_a_shortest_run_that_goes_wrong() -> None:
    verdict = ON_ELECTION.judge(lambda me, sender, electing: (not electing, not electing))
    assert "In a run: P1 and P2 lead at once." in verdict.failing
    assert verdict.history is not None
    assert len(leaders(verdict.history.state)) == 2
    verdict = MAY_PASS.judge(lambda token, highest: True)
    assert "a write with token 1 was accepted after one with token 2" in verdict.failing
