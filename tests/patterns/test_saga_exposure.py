"""A saga and two-phase commit with the same steps and delays: how long rows are locked, what others can read.

Messages take 10 ms, and to the last participant `delay` more: every number below is counted by hand from that.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from patterns.engine.exposure import Exposure
from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way
from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.saga import RETRIABLE, Add, Move, SagaMachine, step
from patterns.saga import saga as define
from patterns.saga.lesson import GALLERY
from patterns.saga.lesson import exposure as saga
from patterns.saga.messages import Done
from patterns.saga.readings import observer, steps_in_effect
from patterns.two_phase_commit.lesson import exposure as two_phases

DELAYS = (0, 30, 100)


def total_ms(found: Iterable[Exposure], seen: str) -> int:
    """How long a reader finds `seen`, all rows' times added up, in ms."""
    return sum(each.ms for each in found if each.seen == seen)


def seen_ms(run: History[World, Any], seen: str) -> int:
    """How long a reader finds this, all rows' times added up, in ms."""
    return total_ms(saga.exposed(run), seen)


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
    assert total_ms(two_phases.exposed(run), two_phases.LOCKED) == n * (20 + delay)


@pytest.mark.parametrize("delay", DELAYS)
def test_in_a_saga_no_row_is_locked_and_what_may_be_taken_back_can_be_read(delay: int) -> None:
    """Garcia-Molina and Salem 1987, section 1: a saga's steps commit one by one, and others see them."""
    run = saga.transferred(3, delay)
    assert seen_ms(run, "locked") == 0
    # The first is done 40 + delay ms before the last, the second 20 + delay.
    assert seen_ms(run, "tentative") == 40 + 20 + 2 * delay
    assert str(run.state.calls[0].reply) == "A1 completed"


def test_parallel_steps_can_be_taken_back_for_a_shorter_time() -> None:
    """Garcia-Molina and Salem 1987, section 8."""
    one_by_one, at_once = saga.transferred(4), saga.transferred(4, parallel=True)
    assert seen_ms(at_once, "tentative") < seen_ms(one_by_one, "tentative")


def test_a_refused_saga_shows_for_a_while_what_never_was() -> None:
    run = saga.transferred(3, refused=True)
    assert str(run.state.calls[0].reply) == "A1 compensated"
    assert {each.row for each in saga.exposed(run) if each.seen == "tentative"} == {"P1.ann", "P2.bob"}
    assert {row.value for name in ("P1", "P2", "P3") for row in run.state[name].rows} == {100}


def test_with_semantic_locks_nothing_is_read_unmarked_and_marks_stay_longer_than_locks() -> None:
    """Richardson 2018, 4.3.2: the countermeasure gives some of the waiting back."""
    for delay in DELAYS:
        run = saga.transferred(3, delay, lock="wait")
        assert seen_ms(run, "tentative") == 0
        assert seen_ms(run, "locked") > total_ms(
            two_phases.exposed(two_phases.transferred(3, delay)), two_phases.LOCKED
        )


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
        with pytest.raises(ValueError, match="is -5 ms"):
            transferred(3, -5)


# What a reader finds in each row


def test_a_row_can_be_read_all_along_and_is_final_when_the_pivot_is_done() -> None:
    """Garcia-Molina and Salem 1987, section 1: a saga gives up its locks, and shows partial results."""
    lines = {
        row: [each for each in saga.exposed(GALLERY["Everything succeeds"]()) if each.row == row]
        for row in ("stock.beans", "payment.ann")
    }
    for line in lines.values():
        assert [each.seen for each in line] == [saga.COMMITTED, saga.TENTATIVE, saga.COMMITTED]
        assert all(one.ends == other.begins for one, other in pairwise(line))
    assert lines["stock.beans"][1].ms > lines["payment.ann"][1].ms, "what was done first is open longest"


def test_with_a_semantic_lock_the_same_is_marked() -> None:
    seen = {each.seen for each in saga.exposed(GALLERY["No update is lost: a semantic lock makes wait"]())}
    assert seen == {saga.COMMITTED, saga.LOCKED}
    assert {each.seen for each in saga.exposed(GALLERY["Two sagas raise one limit"]())} == {
        saga.COMMITTED,
        saga.TENTATIVE,
    }


def test_who_only_looks_leaves_what_is_committed() -> None:
    for each in GALLERY["Two sagas raise one limit"]().branch:
        service = each.state["accounts"]
        if not any(done.step == "raise" for done in service.handled):
            assert saga.readable(each.state)["accounts.limit"] == saga.COMMITTED


def test_a_saga_without_a_pivot_is_past_return_when_a_retriable_step_is_done() -> None:
    """Richardson 2018, 4.3.2: retriable steps follow where nothing can fail any more."""
    definition = define(
        "send",
        step("take", at="stock", do=Move("beans", "out", 1), undo=Move("out", "beans", 1)),
        step("pack", at="yard", do=Add("parcels", 1), kind=RETRIABLE),
        step("ship", at="vans", do=Add("loads", 1), kind=RETRIABLE),
    )
    history = Script(SagaMachine(sagas=[definition])).ask("A").finish().history
    seen = {steps_in_effect(each.state, "A1"): each.state for each in history.branch}
    taken, packed = seen[frozenset({"take"})], seen[frozenset({"take", "pack"})]
    assert observer(taken)[0].endswith("what is seen may be taken back")
    assert saga.readable(taken)["stock.beans"] == saga.TENTATIVE
    assert observer(packed)[0].endswith("the rest will follow")
    assert saga.readable(packed)["stock.beans"] == saga.COMMITTED


def test_what_is_whole_may_still_be_taken_back_when_its_orchestrator_gave_up_on_the_last_step() -> None:
    run = Script(SagaMachine(sagas=["short"], tries=1)).ask("A").until(on_its_way(Done, step="charge"))
    assert saga.readable(run.world)["payment.ann"] == saga.COMMITTED
    run.lose(Done).until(fired("O.gave up"))
    assert steps_in_effect(run.world, "A1") == {"reserve", "charge"}
    assert saga.readable(run.world)["payment.ann"] == saga.TENTATIVE
    assert steps_in_effect(run.finish().world, "A1") == frozenset()


@pytest.mark.parametrize("title", GALLERY)
def test_what_can_be_read_is_said_of_every_row_all_the_time(title: str) -> None:
    history = GALLERY[title]()
    end = history.branch[-1].state.clock
    rows = saga.readable(history.state)
    for row in rows:
        line = [each for each in saga.exposed(history) if each.row == row]
        assert line[0].begins == 0
        assert line[-1].ends == end
        assert sum(each.ms for each in line) == end
