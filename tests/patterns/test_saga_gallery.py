"""The scripted runs, told in words: read `golden/saga_*.txt` as their documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.milestones import fired
from patterns.engine.properties import AtRest
from patterns.saga import ALWAYS, ISOLATION, RULES
from patterns.saga.lesson import GALLERY
from patterns.saga.properties import adds_up, all_ended, no_dirty_reads, no_fuzzy_reads, no_lost_updates
from patterns.saga.readings import observer, sums

TOLD = {
    "everything_succeeds": "Everything succeeds",
    "the_order_is_not_approved": "The order is not approved",
    "shipping_fails_for_a_while": "Shipping fails for a while",
    "the_orchestrator_crashes": "The orchestrator crashes",
    "a_compensation_is_stuck": "A compensation is stuck",
    "a_compensation_overtakes_its_request": "A compensation overtakes its request",
    "a_parallel_branch_is_refused": "A parallel branch is refused",
    "choreographed_the_order_is_not_approved": "Choreographed: the order is not approved",
    "choreographed_an_event_is_lost": "Choreographed: an event is lost",
    "lost_update": "Two sagas raise one limit",
    "dirty_read": "One saga cancels while another orders",
}
CHOREOGRAPHY = [rule for rule in RULES if rule.startswith("C.")]
DEADLOCK = "Two sagas wait for each other"
"""Which of two turns back depends on times: see tests/patterns/test_saga_both_styles.py."""
BOTH = [title for title in GALLERY if f"Choreographed: {title[0].lower()}{title[1:]}" in GALLERY and title != DEADLOCK]


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


@pytest.mark.parametrize("name", TOLD)
def test_the_run_is_told_as_before(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"saga_{name}", narration(GALLERY[TOLD[name]]()))


@pytest.mark.parametrize("title", GALLERY)
def test_a_run_keeps_what_sagas_promise_unless_it_is_there_to_show_an_anomaly(title: str) -> None:
    """MP 4.3.1: three runs break what sagas do not promise."""
    history, broken = GALLERY[title](), set()
    for each in (*ALWAYS, *ISOLATION):
        memory = each.begin(history.branch[0].state)
        for before, step in pairwise(history.branch):
            memory = each.follow(memory, before.state, step.event, step.state, step.notes)
            if each.reason(memory, step.state) and (not isinstance(each, AtRest) or step is history.branch[-1]):
                broken.add(each.name)
    expected = {
        "Two sagas raise one limit": {no_lost_updates.name, adds_up.name},
        "One saga cancels while another orders": {no_dirty_reads.name},
        "A read is not repeatable": {no_fuzzy_reads.name},
    }
    assert broken == expected.get(title, set())


@pytest.mark.parametrize("title", BOTH)
def test_both_styles_come_to_the_same_end_by_the_same_definition(title: str) -> None:
    """MP 4.2: choreography and orchestration are two ways to coordinate one saga."""
    choreographed = f"Choreographed: {title[0].lower()}{title[1:]}"
    ends = [GALLERY[name]().branch[-1].state for name in (title, choreographed)]
    assert sums(ends[0]) == sums(ends[1])
    assert [str(call.reply) for call in ends[0].calls] == [str(call.reply) for call in ends[1].calls]


def test_an_observer_sees_the_money_gone_and_nothing_shipped() -> None:
    """MP 4.3: the updates of a saga's steps are visible to others while it runs."""
    seen = [observer(step.state) for step in GALLERY["Everything succeeds"]().branch]
    steps = [re.findall(r"reserve\b|charge|approve|ship\b", line) for lines in seen for line in lines]
    assert ["reserve", "charge", "approve", "ship"] in steps, "each step is named, those that can be seen first"
    assert seen[-1] == ()


def test_a_dirty_read_leaves_a_saga_that_only_a_human_can_end() -> None:
    """MP 4.3.1: the credit that was freed for a moment is spent, and cannot be taken back."""
    end = GALLERY["One saga cancels while another orders"]().branch[-1].state
    assert [str(call.reply) for call in end.calls] == ["A1 stuck", "B1 completed"]
    assert sums(end)["delivery.out"] == 2
    for countermeasure in ("a semantic lock refuses", "a semantic lock makes wait", "the pessimistic view"):
        end = GALLERY[f"No dirty read happens: {countermeasure}"]().branch[-1].state
        assert all_ended(end)
        assert sums(end)["delivery.out"] == 1


@pytest.mark.parametrize(
    ("title", "limit", "outcomes"),
    [
        ("Two sagas raise one limit", 150, ["A1 completed", "B1 completed"]),
        ("No update is lost: the updates commute", 200, ["A1 completed", "B1 completed"]),
        ("No update is lost: a semantic lock makes wait", 200, ["A1 completed", "B1 completed"]),
        ("No update is lost: a semantic lock refuses", 150, ["A1 completed", "B1 compensated"]),
        ("No update is lost: the value is read again", 150, ["A1 completed", "B1 compensated"]),
    ],
)
def test_of_two_that_raise_a_limit_by_50_one_is_lost_unless_something_is_done(
    title: str, limit: int, outcomes: Any
) -> None:
    """MP 4.3.1, lost updates: one saga overwrites without reading what another has changed."""
    end = GALLERY[title]().branch[-1].state
    assert sums(end)["accounts.limit"] == limit
    assert [str(call.reply) for call in end.calls] == outcomes


def test_a_client_is_told_whether_it_cancelled_in_time() -> None:
    """temporalio/sdk-java#305: the compensations run although the caller has cancelled."""
    for title, outcome in (
        ("The client cancels in time", "A1 compensated"),
        ("The client cancels too late", "A1 completed"),
        ("Choreographed: the client cancels too late", "A1 completed"),
    ):
        end = GALLERY[title]().branch[-1].state
        assert [str(call.reply) for call in end.calls] == [outcome, outcome]


def test_a_client_that_was_told_stuck_is_told_the_end_when_it_asks_again() -> None:
    for title, outcome in (("A compensation is stuck", "A1 compensated"), ("Shipping keeps failing", "A1 completed")):
        for each in (title, f"Choreographed: {title[0].lower()}{title[1:]}"):
            told = [str(step.state.call("A").reply) for step in GALLERY[each]().branch[1:]]
            assert list(dict.fromkeys(told)) == ["None", "A1 stuck", outcome]


def test_the_choreographed_runs_are_told_by_rules_of_their_own() -> None:
    for title in GALLERY:
        steps = GALLERY[title]().branch
        assert any(map(fired(*CHOREOGRAPHY), steps)) == title.startswith(("Choreographed", "Both")), title
