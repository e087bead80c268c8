"""What a saga costs, beside what is counted by hand; and what others can read meanwhile."""

from __future__ import annotations

from itertools import pairwise

import pytest

from patterns.engine.scripted import to_the_end, until
from patterns.engine.world import Drop
from patterns.saga import RETRIABLE, Add, Move, SagaMachine, observer, saga, step, steps_standing
from patterns.saga.lesson import CURVES, GALLERY, chain, cost, costs, exposed, readable
from patterns.saga.lesson.gallery import begun, completes, lost_update
from patterns.saga.lesson.measure import COMMITTED, LOCKED, TENTATIVE
from patterns.saga.lesson.milestones import fired
from patterns.saga.machines import STYLES
from patterns.saga.messages import Done


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_messages_and_writes_are_those_counted_by_hand(style: str, refused: bool) -> None:
    for each in costs(style, range(1, 8), refused):
        counted = {"messages": each.messages, "writes": each.writes}
        assert counted == {what: curve(each.steps) for what, curve in CURVES[style, refused].items()}, each


def test_choreography_sends_fewer_messages_and_its_broker_acknowledges_each() -> None:
    """Richardson 2018, 4.2: events go straight to who needs them, not by way of an orchestrator."""
    for steps in range(2, 8):
        orchestrated, choreographed = cost("orchestrated", steps), cost("choreographed", steps)
        assert choreographed.messages < orchestrated.messages
        assert choreographed.acks == choreographed.messages
        assert orchestrated.acks == 0


def test_a_cost_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="steps is 0"):
        cost("orchestrated", 0)
    with pytest.raises(ValueError, match="style is 'improvised'"):
        cost("improvised", 2)
    assert chain(3).names == ("T1", "T2", "T3")


def test_a_row_can_be_read_all_along_and_is_final_when_the_pivot_is_done() -> None:
    """Garcia-Molina and Salem 1987, section 1: a saga gives up its locks, and shows partial results."""
    lines = {row: [each for each in exposed(completes()) if each.row == row] for row in ("stock.beans", "payment.ann")}
    for line in lines.values():
        assert [each.seen for each in line] == [COMMITTED, TENTATIVE, COMMITTED]
        assert all(one.ends == other.begins for one, other in pairwise(line))
    assert lines["stock.beans"][1].ms > lines["payment.ann"][1].ms, "what was done first is open longest"


def test_with_a_semantic_lock_the_same_is_marked() -> None:
    seen = {each.seen for each in exposed(lost_update(lock="wait"))}
    assert seen == {COMMITTED, LOCKED}
    assert {each.seen for each in exposed(lost_update())} == {COMMITTED, TENTATIVE}


def test_who_only_looks_leaves_what_is_committed() -> None:
    for each in lost_update().branch:
        service = each.state["accounts"]
        if not any(done.step == "raise" for done in service.handled):
            assert readable(each.state)["accounts.limit"] == COMMITTED


def test_a_saga_without_a_pivot_is_past_return_when_a_retriable_step_is_done() -> None:
    """Richardson 2018, 4.3.2: retriable steps follow where nothing can fail any more."""
    definition = saga(
        "send",
        step("take", at="stock", do=Move("beans", "out", 1), undo=Move("out", "beans", 1)),
        step("pack", at="yard", do=Add("parcels", 1), kind=RETRIABLE),
        step("ship", at="vans", do=Add("loads", 1), kind=RETRIABLE),
    )
    history = to_the_end(begun(SagaMachine(sagas=[definition])))
    seen = {steps_standing(each.state, "A1"): each.state for each in history.branch}
    taken, packed = seen[frozenset({"take"})], seen[frozenset({"take", "pack"})]
    assert observer(taken)[0].endswith("what is seen may be taken back")
    assert readable(taken)["stock.beans"] == TENTATIVE
    assert observer(packed)[0].endswith("the rest will follow")
    assert readable(packed)["stock.beans"] == COMMITTED


def test_what_is_whole_may_still_be_taken_back_when_its_orchestrator_gave_up_on_the_last_step() -> None:
    run = begun(SagaMachine(sagas=["short"], tries=1))
    until(run, lambda step: any(isinstance(p.body, Done) and p.body.step == "charge" for p in step.state.packets))
    assert readable(run.state)["payment.ann"] == COMMITTED
    run.apply(Drop(run.state.packets[0].id))
    until(run, fired("O.gave up"))
    assert steps_standing(run.state, "A1") == {"reserve", "charge"}
    assert readable(run.state)["payment.ann"] == TENTATIVE
    assert steps_standing(to_the_end(run).branch[-1].state, "A1") == frozenset()


@pytest.mark.parametrize("title", GALLERY)
def test_what_can_be_read_is_said_of_every_row_all_the_time(title: str) -> None:
    history = GALLERY[title]()
    end = history.branch[-1].state.clock
    rows = readable(history.state)
    for row in rows:
        line = [each for each in exposed(history) if each.row == row]
        assert line[0].begins == 0
        assert line[-1].ends == end
        assert sum(each.ms for each in line) == end
