"""The exhaustive search: what it finds, what it says of its bounds, how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from models.numbers import Claims, Count, Stair
from models.replicas import (
    A_WRITE_IS_ANSWERED,
    ALL_ANSWERED,
    ANSWERED_IS_EVERYWHERE,
    ClumsyReplicas,
    ForgetfulReplicas,
    HastyReplicas,
    Replicas,
    answered_but_missing,
)
from models.token import B_IS_FIRST, OneSender, TwoSenders

from patterns.engine import remembered
from patterns.engine.along import AlwaysNext, NeverTwice
from patterns.engine.explore import Progress, explore
from patterns.engine.properties import Always, Property, Sometimes
from patterns.engine.random_worlds import random_worlds
from patterns.engine.world import Crash, Cut, Deliver, Pause, Request
from patterns.two_phase_commit.specification import COMMITTED, PREPARED, Act, TCommit, TwoPhase, TwoPhaseState

PROPERTIES = (ANSWERED_IS_EVERYWHERE, A_WRITE_IS_ANSWERED)


def one_of_each(machine: type[Replicas]) -> Replicas:
    """Two backups, one write, one crash: small enough to be searched whole."""
    return machine(backups=2, writes=1, budget={"crash": 1})


def no_resends(world: Any) -> bool:
    """The searches stay among worlds with at most two copies of a message, or resending would never end."""
    return len(world.packets) <= 3


# What it finds


def test_a_right_machine_is_seen_whole_and_everything_that_can_happen_happens() -> None:
    result = explore(one_of_each(Replicas), PROPERTIES, within=no_resends)
    assert result.complete_within
    assert result.holds
    assert result.never == ()


def test_an_answer_before_every_backup_has_it_is_found_by_the_shortest_run() -> None:
    result = explore(one_of_each(HastyReplicas), PROPERTIES)
    assert result.counterexample is not None
    assert [type(step.event) for step in result.counterexample.history.path[1:]] == [Request, Deliver, Deliver]
    assert result.cut_by == "a counterexample"
    assert not result.holds


def test_an_acknowledgement_from_memory_needs_a_crash_to_be_found() -> None:
    result = explore(one_of_each(ForgetfulReplicas), PROPERTIES)
    assert result.counterexample is not None
    run = [type(step.event) for step in result.counterexample.history.path[1:]]
    assert run == [Request, Deliver, Deliver, Deliver, Deliver, Crash]
    quiet = explore(ForgetfulReplicas(backups=2, writes=1, budget={}), PROPERTIES, within=no_resends)
    assert quiet.holds


def test_a_handler_that_raises_is_found_unasked() -> None:
    result = explore(one_of_each(ClumsyReplicas), ())
    assert result.counterexample is not None
    assert result.counterexample.property.name == "no handler fails"
    assert "raises AssertionError: B1 has 1 already" in result.counterexample.reason


def test_a_property_that_remembers_is_followed_along_every_run() -> None:
    """Two runs to one state may remember differently: both are searched."""
    told = NeverTwice("the manager decides once", lambda s, _: [("decision", s.tm)] if s.tm != "init" else [])
    result = explore(TwoPhase(), [*TwoPhase.always, told])
    assert result.holds
    assert result.states == 288  # the decision shows in the state, so memory adds none
    never_prepared = AlwaysNext("nobody prepares", lambda a, b: f"{b.rms}" if PREPARED in b.rms else None)
    found = explore(TwoPhase(), [never_prepared]).counterexample
    assert found is not None
    assert [step.event for step in found.history.path[1:]] == [Act("RMPrepare", 0)]


def test_the_shortest_of_all_counterexamples_is_shown() -> None:
    nobody_commits = Always("nobody commits", lambda s: f"{s.rms}" if COMMITTED in s.rms else None)
    found = explore(TwoPhase(), [nobody_commits]).counterexample
    assert found is not None
    assert len(found.history.path) - 1 == 3 + 3 + 1 + 1  # prepare, receive, decide, commit


def test_at_rest_speaks_of_states_in_which_nothing_more_happens() -> None:
    """Without resending nothing is asked of a crashed run: the client may wait for ever."""
    result = explore(one_of_each(Replicas), [ALL_ANSWERED], within=no_resends)
    assert result.counterexample is not None
    assert Crash("P") in [step.event for step in result.counterexample.history.path[1:]]
    calm = explore(Replicas(backups=2, writes=1, budget={}), [ALL_ANSWERED], within=no_resends)
    assert calm.holds


def test_what_never_happens_is_reported_and_what_does_has_a_shortest_witness() -> None:
    commits = Sometimes("all commit", lambda s: s.rms == (COMMITTED,) * 3)
    flies = Sometimes("all fly", lambda s: s.rms == ("flying",) * 3)
    result = explore(TwoPhase(), [commits, flies])
    assert result.never == ("all fly",)
    assert not result.holds
    assert result.counterexample is None
    witness = result.witnesses["all commit"]
    assert witness.state.rms == (COMMITTED,) * 3
    assert witness.step.depth == 3 + 3 + 1 + 3
    assert "never happened: all fly" in str(result)


def test_a_property_broken_at_the_start_needs_no_step() -> None:
    found = explore(TCommit(), [Always("nothing works", lambda s: "it works")]).counterexample
    assert found is not None
    assert found.history.step.depth == 0


# What it tells apart


def test_worlds_that_differ_only_in_which_process_is_paused_are_two() -> None:
    """The token is on its way or has come. The pause is to come, is over, or holds A or R."""
    machine = OneSender(budget={"pause": 1})
    start = machine.start()
    paused = [machine.apply(start, Pause(name))[0] for name in ("A", "R")]
    assert machine.key(paused[0]) != machine.key(paused[1])
    assert explore(machine, ()).states == 2 * 4


@pytest.mark.parametrize("known", [remembered.KNOWN, 3])
@pytest.mark.parametrize("fifo", [False, True])
def test_numbered_keys_tell_the_same_worlds_apart(known: int, fifo: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search numbers the parts of worlds. Each world's plain key has one numbered key, and the other way round."""
    monkeypatch.setattr(remembered, "KNOWN", known)
    budget = {"crash": 1, "pause": 1, "cut": 1, "drop": 1, "duplicate": 1}
    machine = Replicas(backups=1, writes=2, budget=budget, fifo=fifo)
    remembering = machine.for_search()
    pairs = set()

    def key(world: Any) -> Any:
        pairs.add((machine.key(world), remembering.key(world)))
        return machine.key(world)

    assert explore(machine, (), symmetry=key, max_states=2_000).states == 2_000
    assert len(pairs) > 2_000
    assert len({plain for plain, _ in pairs}) == len({numbered for _, numbered in pairs}) == len(pairs)


def test_equal_messages_of_two_senders_are_two_events() -> None:
    """A and B send equal tokens. Which of them comes first, R remembers."""
    result = explore(TwoSenders(budget={}), [B_IS_FIRST])
    assert result.complete
    assert result.never == ()
    assert result.states == 1 + 2 + 2


def test_a_one_way_cut_spends_a_cut() -> None:
    machine = OneSender(budget={"cut": 1})
    world, _ = machine.apply(machine.start(), Cut(("A",), ("R",), one_way=True))
    assert world.left("cut") == 0
    assert machine.why_not(world, Cut(("R",), ("A",), one_way=True)) == "the budget has no cut left"
    spent = Always(
        "each cut has cost a cut of the budget", lambda w: f"{sorted(w.cuts)}" if w.cuts and w.left("cut") else None
    )
    assert explore(machine, [spent]).holds


# Its bounds


def test_symmetric_states_are_merged() -> None:
    """Resource managers are interchangeable (Ip and Dill 1996: states that differ only in names are one)."""

    def sorted_managers(state: TwoPhaseState) -> Any:
        managers = ((state.rms[i], state.prepared >> i & 1, i in state.msgs) for i in range(3))
        return (tuple(sorted(managers)), state.tm, COMMITTED in state.msgs, "aborted" in state.msgs)

    whole, merged = explore(TwoPhase()), explore(TwoPhase(), symmetry=sorted_managers)
    assert (whole.states, merged.states) == (288, 80)
    assert merged.complete
    assert merged.depth == whole.depth


@pytest.mark.parametrize(
    ("bounds", "cut_by"),
    [({"max_states": 100}, "max_states = 100"), ({"max_depth": 5}, "max_depth = 5")],
)
def test_a_search_says_which_bound_cut_it_short(bounds: dict[str, int], cut_by: str) -> None:
    result = explore(TwoPhase(), **bounds)
    assert result.cut_by == cut_by
    assert not result.complete
    assert result.states < 288
    assert result.depth <= bounds.get("max_depth", 11)
    assert f"cut short by {cut_by}" in str(result)


def test_a_bound_that_is_just_wide_enough_cuts_nothing_short() -> None:
    assert explore(TwoPhase(), max_states=288).complete
    assert explore(TwoPhase(), max_states=287).states == 287
    assert explore(TwoPhase(), max_depth=11).states == 288


def test_states_outside_the_constraint_are_checked_and_not_followed() -> None:
    """As a state constraint of TLC (Lamport 2002, section 14.3)."""
    result = explore(TwoPhase(), within=lambda s: s.tm == "init")
    assert result.complete_within
    assert not result.complete
    assert 0 < result.beyond < result.states < 288
    assert "Every state within the bound was seen: " in str(result)
    assert "Every state was seen" not in str(result)
    decided = Always("undecided", lambda s: s.tm if s.tm != "init" else None)
    assert explore(TwoPhase(), [decided], within=lambda s: s.tm == "init").counterexample is not None


def test_a_state_beyond_the_bound_is_not_said_never_to_happen() -> None:
    """D09: counting stops at 5, so nothing is known of 10."""
    ten = Sometimes("ten", lambda n: n == 10)
    result = explore(Count(), [ten], within=lambda n: n < 5)
    assert (result.complete, result.complete_within, result.beyond) == (False, True, 1)
    assert not result.holds
    assert "not seen within these bounds: ten" in str(result)
    assert "never" not in str(result)


def test_a_bound_that_cuts_nothing_off_leaves_the_search_complete() -> None:
    result = explore(TwoPhase(), within=lambda s: True)
    assert (result.complete, result.beyond) == (True, 0)
    last = explore(TwoPhase(), within=lambda s: any(True for _ in TwoPhase().enabled(s)))
    assert last.complete, "outside the bound are only states from which nothing can happen"


def test_symmetry_together_with_a_memory_is_refused() -> None:
    """D02: the memory keeps the name that the state forgets. With the two merged, the double claim is never seen."""
    once = NeverTwice("one leader", lambda state, notes: [("leader", note.values["who"]) for note in notes])
    found = explore(Claims(), [once])
    assert found.counterexample is not None
    assert found.counterexample.reason == "leader: first A, now B"
    with pytest.raises(ValueError, match=r"symmetry is .*; allowed is None together with NeverTwice\('one leader'\)"):
        explore(Claims(), [once], symmetry=lambda state: state)


def test_symmetry_together_with_a_property_of_single_steps_finds_what_breaks_it() -> None:
    backwards = AlwaysNext("nobody speaks", lambda before, after: after if "spoke" in after else None)
    by_role = explore(Claims(), [backwards], symmetry=lambda state: state.replace("B", "A"))
    assert by_role.counterexample is not None


class Remembers(Property):
    """Wrong where more than two steps were taken; its memory begins at the start, without a `follow` of its own."""

    def begin(self, state: Any) -> int:
        return int(state) + 2

    def reason(self, memory: Any, state: Any) -> str | None:
        return f"{state} is above {memory}" if state > memory else None


def test_a_property_that_remembers_only_the_start_is_asked_with_its_memory() -> None:
    found = explore(Count(), [Remembers("near the start")], max_states=10)
    assert found.counterexample is not None
    assert found.counterexample.reason == "3 is above 2"


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ([lambda w: "always wrong"], r'properties\[0\] is <function .*; allowed is a property: write Always\("what'),
        ([answered_but_missing], r'write Always\("what must hold", answered_but_missing\)'),
        ([Always], r"properties\[0\] is <class .*Always'>; allowed is a property"),
        (["x"], r"properties\[0\] is 'x'; allowed is a property"),
        ([ANSWERED_IS_EVERYWHERE, None], r"properties\[1\] is None; allowed is a property"),
        ("x", r"properties\[0\] is 'x'"),
        (ANSWERED_IS_EVERYWHERE, r"properties is Always\(.*; allowed is a list of properties"),
    ],
)
def test_an_item_that_is_not_a_property_is_refused_with_the_way_to_write_one(properties: Any, said: str) -> None:
    """D03: passed over without a word, it would be said to hold."""
    with pytest.raises(TypeError, match=said):
        explore(one_of_each(Replicas), properties)
    with pytest.raises(TypeError, match=said):
        random_worlds(Replicas(), range(2), 50, properties)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"machine": Replicas}, r"machine is <class .*>; allowed is a Machine: write Replicas\(\)"),
        ({"machine": [Replicas]}, r"allowed is a Machine: write Replicas\(\)"),
        ({"machine": None}, "machine is None; allowed is one or more machines"),
        ({"machine": [Count(), Stair(), Claims()]}, "machine is .*Claims.*; allowed is a Count"),
        ({"max_states": 100.5}, "max_states is 100.5; allowed is a whole number, at least 1"),
        ({"max_states": float("nan")}, "max_states is nan"),
        ({"max_states": None}, "max_states is None"),
        ({"max_states": True}, "max_states is True"),
        ({"max_depth": "3"}, "max_depth is '3'; allowed is a whole number"),
        ({"within": 5}, "within is 5; allowed is a function"),
        ({"symmetry": "x"}, "symmetry is 'x'; allowed is a function"),
        ({"progress": "x"}, "progress is 'x'; allowed is a function"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], said: str) -> None:
    """D16, D17: a bound that is no whole number never bites."""
    with pytest.raises(TypeError, match=said):
        explore(**{"machine": Count(), "max_states": 5, **arguments})


@pytest.mark.parametrize("bounds", [{"max_states": 0}, {"max_depth": 0}])
def test_a_bound_below_one_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"max_(states|depth) is 0; allowed is a whole number, at least 1"):
        explore(TwoPhase(), **bounds)


def test_there_must_be_something_to_explore() -> None:
    with pytest.raises(ValueError, match=r"machine is \[\]; allowed is one or more machines"):
        explore([])


# How it is watched and stopped


def stop_after(calls: int) -> Callable[[Progress], None]:
    seen: list[Progress] = []

    def report(now: Progress) -> None:
        seen.append(now)
        if len(seen) == calls:
            raise KeyboardInterrupt

    return report


def test_an_interrupted_search_keeps_what_it_found() -> None:
    commits = Sometimes("all commit", lambda s: s.rms == (COMMITTED,) * 8)
    result = explore(TwoPhase(rms=8), [*TwoPhase.always, commits], progress=stop_after(2))
    assert result.cut_by == "an interruption"
    assert result.states > 100
    assert result.counterexample is None
    assert not result.holds, "what was not looked at is not known to hold"
    assert result.never == ("all commit",)
    assert "not seen within these bounds: all commit" in str(result)


def test_the_progress_bar_is_one_line_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    explore(TwoPhase(rms=6), progress=True, max_states=40_000)
    bar = capsys.readouterr().err
    assert bar.count("\n") == 1
    assert "states, depth" in bar


def test_the_result_reads_as_a_sentence() -> None:
    text = str(explore(TCommit()))
    assert text.startswith("Every state was seen: 34 states, at most 6 steps from the start. It tried 93 steps in ")
