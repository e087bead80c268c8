"""Properties: what each kind says of a run, and why where it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from models.numbers import Count, Stair
from models.replicas import ALL_ANSWERED, ANSWERED_IS_EVERYWHERE, ClumsyReplicas, HastyReplicas, Put, Replicas

from patterns.engine.along import Along, AlwaysNext, NeverTwice, Transition
from patterns.engine.counterexample import Watch, Wrong, counterexample
from patterns.engine.history import History
from patterns.engine.minimise import minimise
from patterns.engine.properties import Always, AtRest, NoFailure, Reason, Sometimes
from patterns.engine.step import Note
from patterns.engine.world import Crash, Deliver, Duplicate, Fire, Request, Restart
from patterns.two_phase_commit.specification import Act, TwoPhase


def test_always_gives_the_reason_of_the_state() -> None:
    small = Always("small", lambda n: f"{n} is too much" if n > 3 else None)
    assert small.reason(None, 3) is None
    assert small.reason(None, 4) == "4 is too much"


def test_a_decorator_makes_a_property_of_the_function_below_it() -> None:
    @Always.named("small")
    def small(n: int) -> Reason:
        return f"{n} is too much" if n > 3 else None

    @Along.named("adds up", lambda n: n)
    def adds_up(total: int, step: Transition) -> int:
        return total + step.after

    assert (repr(small), small.reason(None, 3), small.reason(None, 4)) == ("Always('small')", None, "4 is too much")
    assert (adds_up.begin(1), adds_up.follow(1, 1, None, 2, ())) == (1, 3)
    assert Sometimes.named("ten")(lambda n: n == 10).reached(10)


def test_always_next_once_broken_stays_broken() -> None:
    grows = AlwaysNext("grows", lambda a, b: f"{a} -> {b}" if b < a else None)
    memory = grows.begin(1)
    for before, after in ((1, 2), (2, 1), (1, 5)):
        memory = grows.follow(memory, before, None, after, ())
    assert grows.reason(memory, 5) == "2 -> 1"


def test_never_twice_remembers_claims_that_later_states_do_not_show() -> None:
    """Election safety speaks of all times, not of one state (Ongaro and Ousterhout 2014, Figure 3)."""
    leaders = NeverTwice("one leader a term", lambda state, notes: [state] if state else [])
    memory = leaders.begin(None)
    for before, after in ((None, (1, "S1")), ((1, "S1"), None), (None, (2, "S2")), (None, (1, "S3"))):
        assert leaders.reason(memory, after) is None
        memory = leaders.follow(memory, before, None, after, ())
    assert leaders.reason(memory, None) == "1: first S1, now S3"


def test_never_twice_reads_the_notes_of_the_step() -> None:
    votes = NeverTwice("one vote a term", lambda _, notes: [(n.values["term"], n.values["to"]) for n in notes])
    memory = votes.begin(0)
    for to in ("S1", "S2"):
        memory = votes.follow(memory, 0, None, 0, (Note("V", {"term": 1, "to": to}),))
    assert votes.reason(memory, 0) == "1: first S1, now S2"


def test_at_rest_is_asked_only_where_nothing_more_happens() -> None:
    machine = Replicas()
    watch = Watch(machine, [AtRest("nobody waits", lambda world: "C1 waits" if world.calls[0].waits else None)])
    history = History(machine)
    world = history.apply(Request("C1", "P", Put(1))).state
    assert watch.broken(watch.begin(world), world) is None
    world = history.apply(Crash("P")).state
    assert watch.broken(watch.begin(world), world) is None
    while history.advance():
        pass
    broken = watch.broken(watch.begin(world), history.state)
    assert broken is not None
    assert broken[1] == "C1 waits"


# Counterexamples


def hasty_run() -> list[object]:
    """A long way to a client that is told too early."""
    asked = [Request("C1", "P", Put(1)), Duplicate(0), Fire("P", "resend"), Crash("B2"), Restart("B2")]
    return [*asked, Deliver(0), Request("C2", "P", Put(2)), Deliver(3), Deliver(7)]


def test_a_run_is_minimised_to_what_its_failure_needs() -> None:
    """Zeller and Hildebrandt 2002: 1-minimal, no single event can be left out."""
    machine = HastyReplicas()
    found = minimise(machine, hasty_run(), ANSWERED_IS_EVERYWHERE)
    events = [step.event for step in found.history.path[1:]]
    assert [type(event) for event in events] == [Request, Deliver, Deliver]
    assert found.reason == "C1 was told that put 1 is done, but B2 has 0"
    for left_out in range(len(events)):
        rest = events[:left_out] + events[left_out + 1 :]
        with pytest.raises(ValueError, match=r"nothing to minimise|not on its way"):
            minimise(machine, rest, ANSWERED_IS_EVERYWHERE)


def test_a_counterexample_is_a_history_that_stands_at_the_bad_step_and_can_go_on() -> None:
    found = minimise(HastyReplicas(), hasty_run(), ANSWERED_IS_EVERYWHERE)
    history = found.history
    assert history.step is history.steps[-1]
    assert ANSWERED_IS_EVERYWHERE.reason(None, history.state) == found.reason
    history.back()
    assert ANSWERED_IS_EVERYWHERE.reason(None, history.state) is None
    again = History.replay(HastyReplicas(), history.code)
    assert again.path[-1].state == history.state


def test_a_counterexample_reads_as_a_numbered_run() -> None:
    found = minimise(HastyReplicas(), hasty_run(), ANSWERED_IS_EVERYWHERE)
    assert str(found).splitlines() == [
        '"what was answered is on every disk" does not hold after 3 steps: C1 was told that put 1 is done,',
        "but B2 has 0",
        "   1. C1 asks P: put 1",
        "   2. deliver copy 1 P → B1",
        "   3. deliver copied 1 B1 → P",
    ]


def test_a_long_counterexample_prints_its_last_steps_and_its_replay_code() -> None:
    history = History(Replicas())
    while len(history.steps) < 100:
        if history.advance() is None:
            history.apply(Request(f"C{len(history.steps)}", "P", Put(len(history.steps))))
    text = str(counterexample(Replicas(), [step.event for step in history.path[1:]], Wrong(ALL_ANSWERED, "as if")))
    assert len(text.splitlines()) == 42
    assert f"59 earlier steps; replay code {history.code}" in text


def test_a_handler_that_raises_is_a_counterexample_that_stands_before_it() -> None:
    machine = ClumsyReplicas()
    events = [Request("C1", "P", Put(1)), Duplicate(0), Deliver(1), Crash("P"), Restart("P"), Deliver(0)]
    history = History(machine)
    history.run(events)
    double = next(packet.id for packet in history.state.packets if packet.copy_of == 0)
    found = minimise(machine, [*events, Deliver(double)], NoFailure())
    assert found.reason == "deliver copy 1 P → B1 raises AssertionError: B1 has 1 already"
    assert [type(step.event) for step in found.history.path[1:]] == [Request, Duplicate, Deliver]
    assert found.history.state["B1"].value == 1


def test_a_run_without_a_failure_cannot_be_minimised() -> None:
    with pytest.raises(ValueError, match="holds all along these 1 events"):
        minimise(TwoPhase(), [Act("RMPrepare", 0)], TwoPhase.always[0])


def test_a_property_broken_at_the_start_needs_no_event() -> None:
    """ENGINE.md: the minimised run kept eight events that the failure does not need."""
    found = minimise(HastyReplicas(), hasty_run(), Always("nothing works", lambda world: "it works"))
    assert found.history.step.depth == 0
    assert found.reason == "it works"


def test_another_failure_is_not_taken_for_the_broken_property() -> None:
    """D06: leaving out "up" lets "jump" raise. That is another bug, and the shown run must break the named property."""
    low = Always("never above 7", lambda n: "too high" if n > 7 else None)
    found = minimise(Stair(), ["up", "up", "up", "jump"], low)
    assert [step.event for step in found.history.path[1:]] == ["up", "up", "up", "jump"]
    assert (found.property, found.reason) == (low, "too high")
    assert low.reason(None, found.history.state) == "too high"


def test_a_handler_that_raises_breaks_no_other_property() -> None:
    """D07: an event that cannot happen is no failure of a property that holds."""
    holds = Always("holds", lambda n: None)
    for machine, event in ((Stair(), "jump"), (Replicas(), Fire("S9", "election"))):
        with pytest.raises(ValueError, match="'holds' holds all along these 1 events: there is nothing to minimise"):
            minimise(machine, [event], holds)
    assert minimise(Stair(), ["up", "jump"], NoFailure()).reason == "str raises KeyError: 'too low to jump'"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: Always(lambda s: None, "swapped"),
            "name is <function .*>; allowed is a text that says what must hold",
        ),
        (lambda: Always("x", None), "wrong is None; allowed is a function"),
        (lambda: AlwaysNext("x", "y"), "wrong is 'y'; allowed is a function"),
        (lambda: Along("x", 0, len), "begin is 0; allowed is a function"),
        (lambda: Along("x", len, 0), "follow is 0; allowed is a function"),
        (lambda: NeverTwice("x", ()), r"claims is \(\); allowed is a function"),
        (lambda: Sometimes("x", True), "reached is True; allowed is a function"),
        (lambda: Sometimes(1, len), "name is 1; allowed is a text"),
    ],
)
def test_a_property_of_wrong_arguments_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        make()


@pytest.mark.parametrize("holds", [lambda n: n < 3, lambda n: n >= 3])
def test_a_truth_value_is_not_taken_for_a_reason(holds: Callable[[int], Any]) -> None:
    """A learner may return True for what holds, or for what does not: neither says why."""
    watch = Watch(Count(), [Always("below three", holds)])
    wrong = next(n for n in range(5) if holds(n))
    with pytest.raises(TypeError, match=r"the reason that Always\('below three'\) gives is True; allowed is a text"):
        watch.broken((), wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((Stair, [], NoFailure()), r"machine is <class .*Stair'>; allowed is a Machine: write Stair\(\)"),
        ((Stair(), [], NoFailure), r"property is <class .*NoFailure'>; allowed is a Property: write NoFailure\(\)"),
        ((Stair(), [], lambda n: None), "property is <function .*>; allowed is a Property"),
        ((Stair(), None, NoFailure()), "events is None; allowed is a list of events"),
    ],
)
def test_minimise_refuses_wrong_arguments(arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        minimise(*arguments)
