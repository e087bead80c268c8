"""A saga and two-phase commit with the same steps and delays: how long rows are locked, what others can read.

Messages take 10 ms, and to the last participant `delay` more: every number below is counted by hand from that.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from patterns.saga.lesson import exposure as saga
from patterns.two_phase_commit.lesson import exposure as two_phases

DELAYS = (0, 30, 100)


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("n", [2, 3, 5])
def test_in_two_phases_each_row_is_locked_from_the_vote_until_the_slowest_has_voted_and_all_are_told(
    n: int, delay: int
) -> None:
    """Bernstein, Hadzilacos, Goodman 1987, 7.4: a participant in doubt can neither commit nor abort."""
    run = two_phases.transferred(n, delay)
    rows = {each.row: each for each in two_phases.exposed(run) if each.seen == "locked"}
    assert len(rows) == n
    # The slow one's request, its vote, the decision; the slow one votes late and is told late.
    assert {each.ms for each in rows.values()} == {delay + 10 + 10}
    assert two_phases.locked_ms(run) == n * (20 + delay)


@pytest.mark.parametrize("delay", DELAYS)
def test_in_a_saga_no_row_is_locked_and_what_may_be_taken_back_can_be_read(delay: int) -> None:
    """Garcia-Molina and Salem 1987, section 1: a saga's steps commit one by one, and others see them."""
    run = saga.transferred(3, delay)
    assert saga.seen_ms(run, "locked") == 0
    # The first is done 40 + delay ms before the last, the second 20 + delay.
    assert saga.seen_ms(run, "tentative") == 40 + 20 + 2 * delay
    assert str(run.state.calls[0].reply) == "A1 completed"


def test_parallel_steps_can_be_taken_back_for_a_shorter_time() -> None:
    """Garcia-Molina and Salem 1987, section 8."""
    one_by_one, at_once = saga.transferred(4), saga.transferred(4, parallel=True)
    assert saga.seen_ms(at_once, "tentative") < saga.seen_ms(one_by_one, "tentative")


def test_a_refused_saga_shows_for_a_while_what_never_was() -> None:
    run = saga.transferred(3, refused=True)
    assert str(run.state.calls[0].reply) == "A1 compensated"
    assert {each.row for each in saga.exposed(run) if each.seen == "tentative"} == {"P1.ann", "P2.bob"}
    assert {row.value for name in ("P1", "P2", "P3") for row in run.state[name].rows} == {100}


def test_with_semantic_locks_nothing_is_read_unmarked_and_marks_stay_longer_than_locks() -> None:
    """Richardson 2018, 4.3.2: the countermeasure gives some of the waiting back."""
    for delay in DELAYS:
        run = saga.transferred(3, delay, lock="wait")
        assert saga.seen_ms(run, "tentative") == 0
        assert saga.seen_ms(run, "locked") > two_phases.locked_ms(two_phases.transferred(3, delay))


def test_both_move_the_same_money() -> None:
    ours = {row.key: row.value for each in saga.transferred(4).state.processes[1:] for row in each.rows}
    theirs = two_phases.transferred(4).state
    assert ours == {account.name: account.balance for each in theirs.processes[1:] for account in each.accounts}
    assert ours == {"ann": 70, "bob": 110, "cho": 110, "dan": 110}


def test_a_row_of_a_participant_that_is_down_cannot_be_read() -> None:
    run = two_phases.transferred(2)
    assert set(two_phases.readable(run.state).values()) == {"committed"}
    down = replace(run.state, down=frozenset({"P2"}))
    assert two_phases.readable(down) == {"P1.ann": "committed", "P2.bob": "locked"}


def test_what_cannot_be_is_refused() -> None:
    for transferred in (saga.transferred, two_phases.transferred):
        with pytest.raises(ValueError, match="n is 1; allowed are 2 to 9"):
            transferred(1)
        with pytest.raises(ValueError, match="by is -5 ms"):
            transferred(3, -5)
