"""The scripted runs, told in words: read `golden/saga_*.txt` as their documentation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.saga import ALWAYS, ISOLATION, RULES, SagaMachine, observer, sums
from patterns.saga.lesson import GALLERY, SIDE_BY_SIDE
from patterns.saga.lesson.milestones import fired
from patterns.saga.properties import adds_up, all_ended
from patterns.saga.rules import CHOREOGRAPHY

TOLD = (
    "everything succeeds",
    "the order is not approved",
    "shipping fails for a while",
    "the orchestrator crashes",
    "a compensation is stuck",
    "a compensation overtakes its request",
    "a parallel branch is refused",
    "choreographed: the order is not approved",
    "choreographed: an event is lost",
    "lost update",
    "dirty read",
)


def narration(history: History[Any, Any]) -> str:
    """A run as text: the time, what happened, the rules that fired, and what an observer sees that is half done."""
    machine, lines = history.machine, []
    for before, step in pairwise(history.branch):
        lines.append(f"{step.state.clock:5} ms  {machine.describe(before.state, step.event)}")
        lines += [f"          {machine.say(note)}" for note in step.notes]
        was, now = observer(before.state), observer(step.state)
        if was != now:
            lines += [f"       => {line}" for line in now or ("nothing is half done",)]
    return "\n".join(lines).replace("**", "") + "\n"


@pytest.mark.parametrize("title", TOLD)
def test_the_run_is_told_as_before(title: str, golden: Callable[[str, str], None]) -> None:
    name = title.replace(":", "").replace(" ", "_")
    golden(f"saga_{name}", narration(GALLERY[title]()))


@pytest.mark.parametrize("title", GALLERY)
def test_every_run_stands_at_its_start_and_can_be_replayed(title: str) -> None:
    history = GALLERY[title]()
    assert history.step.depth == 0
    again = History.replay(SagaMachine(), history.code)
    assert again.branch[-1].state == history.branch[-1].state


@pytest.mark.parametrize("title", GALLERY)
def test_every_run_keeps_what_sagas_promise(title: str) -> None:
    """And the two that are there to show an anomaly break what sagas do not promise (MP 4.3.1)."""
    history = GALLERY[title]()
    first = adds_up.begin(history.branch[0].state)
    broken = {
        each.name
        for step in history.branch
        for each in (*ALWAYS, *ISOLATION)
        if (each not in ALWAYS[:1] or step is history.branch[-1]) and each.reason(first, step.state)
    }
    expected = {
        "lost update": {"no saga overwrites what it has not seen", adds_up.name},
        "dirty read": {"no saga uses what another takes back"},
    }
    assert broken == expected.get(title, set())


@pytest.mark.parametrize("title", SIDE_BY_SIDE)
def test_both_styles_come_to_the_same_end_by_the_same_definition(title: str) -> None:
    """MP 4.2: choreography and orchestration are two ways to coordinate one saga."""
    ends = [GALLERY[name]().branch[-1].state for name in SIDE_BY_SIDE[title]]
    assert sums(ends[0]) == sums(ends[1])
    assert [str(call.reply) for call in ends[0].calls] == [str(call.reply) for call in ends[1].calls]


def test_an_observer_sees_the_money_gone_and_nothing_shipped() -> None:
    """MP 4.3: the updates of a saga's steps are visible to others while it runs."""
    seen = [observer(step.state) for step in GALLERY["everything succeeds"]().branch]
    assert (
        "A1: reserve (1 beans → reserved), charge (30 ann → shop) can be seen, approve, ship cannot; "
        "what is seen may be taken back",
    ) in seen
    assert any("ship cannot; the rest will follow" in line for lines in seen for line in lines)
    assert seen[-1] == ()


def test_a_dirty_read_leaves_a_saga_that_only_a_human_can_end() -> None:
    """MP 4.3.1: the credit that was freed for a moment is spent, and cannot be taken back."""
    end = GALLERY["dirty read"]().branch[-1].state
    assert [str(call.reply) for call in end.calls] == ["A1 stuck", "B1 completed"]
    assert sums(end)["delivery.out"] == 2
    for countermeasure in (", semantic lock", ", semantic lock that is waited for", ", pessimistic view"):
        end = GALLERY["dirty read" + countermeasure]().branch[-1].state
        assert all_ended(end)
        assert sums(end)["delivery.out"] == 1


@pytest.mark.parametrize(
    ("how", "limit", "outcomes"),
    [
        ("", 150, ["A1 completed", "B1 completed"]),
        (", commutative updates", 200, ["A1 completed", "B1 completed"]),
        (", semantic lock that is waited for", 200, ["A1 completed", "B1 completed"]),
        (", semantic lock", 150, ["A1 completed", "B1 compensated"]),
        (", re-read value", 150, ["A1 completed", "B1 compensated"]),
    ],
)
def test_of_two_that_raise_a_limit_by_50_one_is_lost_unless_something_is_done(
    how: str, limit: int, outcomes: Any
) -> None:
    """MP 4.3.1, lost updates: one saga overwrites without reading what another has changed."""
    end = GALLERY["lost update" + how]().branch[-1].state
    assert sums(end)["accounts.limit"] == limit
    assert [str(call.reply) for call in end.calls] == outcomes


def test_every_milestone_is_reached_in_the_gallery() -> None:
    steps = [step for title in GALLERY for step in GALLERY[title]().branch]
    missing = [name for name, reached in SagaMachine.milestones.items() if not any(map(reached, steps))]
    assert missing == []


def test_the_choreographed_runs_are_told_by_rules_of_their_own() -> None:
    for title in GALLERY:
        steps = GALLERY[title]().branch
        assert any(map(fired(*CHOREOGRAPHY), steps)) == title.startswith("choreographed"), title
    assert set(CHOREOGRAPHY) < set(RULES)
