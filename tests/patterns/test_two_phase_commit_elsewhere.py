"""Cases that other systems met: each is a scene here, with the issue it comes from."""

from __future__ import annotations

import pytest

from patterns.engine.milestones import fired, when
from patterns.engine.script import Script
from patterns.two_phase_commit import TwoPhaseCommit, in_doubt, outcomes
from patterns.two_phase_commit.lesson.milestones import all_ended
from patterns.two_phase_commit.log import Committed
from patterns.two_phase_commit.messages import Commit


def decided(protocol: str = "basic") -> Script:
    """Two banks voted yes, and C has just logged its commit: the messages are on their way."""
    return Script(TwoPhaseCommit(n=2, protocol=protocol)).ask("A").until(fired("C.commit"))


@pytest.mark.parametrize("protocol", ["basic", "presumed_abort", "presumed_commit"])
def test_a_commit_reaches_a_bank_that_restarted_since_its_yes(protocol: str) -> None:
    """vitessio/vitess#16576."""
    run = decided(protocol).crash("P2").restart("P2").until(when(all_ended))
    assert (run.world["P1"].balances, run.world["P2"].balances) == ({"ann": 60}, {"bob": 140})


def test_a_bank_that_restarts_while_c_is_gone_locks_its_row_at_once_and_waits() -> None:
    """MySQL bug 12161, CUBRID CBRD-27079, PostgreSQL's PREPARE TRANSACTION. And C, which has told nobody before its
    crash, commits when it is back (horizontal-scaling-convex#101; BHG 7.4)."""
    run = decided().crash("C").lose(Commit).crash("P1").restart("P1")
    assert [lock.account for lock in run.world["P1"].locks] == ["ann"]
    run.wait(2_000)
    assert {doubt.participant for doubt in in_doubt(run.world)} == {"P1", "P2"}
    run.restart("C").until(when(all_ended))
    assert outcomes(run.world, "T1") == {"C": "commit", "P1": "commit", "P2": "commit"}


def test_a_decision_that_arrives_three_times_is_carried_out_once() -> None:
    """narayana#102 (JBTM-1260)."""
    run = decided().duplicate(Commit, to="P2").duplicate(Commit, to="P2").until(when(all_ended)).settle()
    assert run.world["P2"].balances == {"bob": 140}
    assert [record for record in run.world["P2"].log if isinstance(record, Committed)] == [Committed("T1")]
