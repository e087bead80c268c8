"""The exhaustive search: what it finds, what it says of its bounds, how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from models.replicas import (
    A_WRITE_IS_ANSWERED,
    ALL_ANSWERED,
    ANSWERED_IS_EVERYWHERE,
    ClumsyReplicas,
    ForgetfulReplicas,
    HastyReplicas,
    Replicas,
)

from patterns.engine.explore import Progress, explore
from patterns.engine.properties import Always, AlwaysNext, NeverTwice, Sometimes
from patterns.engine.world import Crash, Deliver, Request
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
    assert result.complete
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
    assert result.complete
    assert result.states < 288
    decided = Always("undecided", lambda s: s.tm if s.tm != "init" else None)
    assert explore(TwoPhase(), [decided], within=lambda s: s.tm == "init").counterexample is not None


@pytest.mark.parametrize("bounds", [{"max_states": 0}, {"max_depth": 0}])
def test_a_bound_below_one_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a bound is at least 1"):
        explore(TwoPhase(), **bounds)


def test_there_must_be_something_to_explore() -> None:
    with pytest.raises(ValueError, match="no machine to explore"):
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
    result = explore(TwoPhase(8), [*TwoPhase.always, commits], progress=stop_after(2))
    assert result.cut_by == "an interruption"
    assert result.states > 100
    assert result.holds  # so far: what was not met may still lie ahead
    assert result.never == ("all commit",)


def test_the_progress_bar_is_one_line_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    explore(TwoPhase(6), progress=True, max_states=40_000)
    bar = capsys.readouterr().err
    assert bar.count("\n") == 1
    assert "states, depth" in bar


def test_the_result_reads_as_a_sentence() -> None:
    text = str(explore(TCommit()))
    assert text.startswith("34 states, 94 generated, depth 7, ")
    assert text.endswith("every state was seen")
