"""The state of a step: what the logs say, and beside it what its service's database says."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.world import Crash, World
from patterns.saga.lesson import BUGS, GALLERY
from patterns.saga.readings import StepState, instances, logged, step_states, steps_in_effect


def at(step: Any) -> dict[str, StepState]:
    return dict(step_states(step.state, instances(step.state)[0]))


def first(run: History[World, Any], rule: str) -> Any:
    return next(step for step in run.steps if any(note.rule == rule for note in step.notes))


def test_a_step_is_asked_for_then_done_and_its_effect_stands_before_the_log_says_so() -> None:
    """Garcia-Molina and Salem 1987, section 4: the log follows the transaction."""
    run = GALLERY["Everything succeeds"]()
    told_ = [at(step)["reserve"] for step in run.steps[1:]]
    assert list(dict.fromkeys(told_)) == [
        StepState("asked", "", False),
        StepState("asked", "", True),
        StepState("done", "", True),
    ]


def test_a_saga_that_turns_back_undoes_the_last_first_and_never_begins_the_rest() -> None:
    """Garcia-Molina and Salem 1987, section 4: T1 T2 C2 C1."""
    there = at(first(GALLERY["The order is not approved"](), "O.back"))
    assert there == {
        "reserve": StepState("done", "due", True),
        "charge": StepState("done", "turn", True),
        "approve": StepState("refused", "", False),
        "ship": StepState("never", "", False),
    }


def test_whether_a_step_given_up_was_done_is_not_known() -> None:
    there = at(first(GALLERY["A compensation overtakes its request"](), "O.gave up"))
    assert there["charge"] == StepState("unknown", "turn", False)


def test_a_compensation_that_fails_too_often_is_stuck_until_it_is_mended() -> None:
    """Garcia-Molina and Salem 1987, section 6."""
    for title, stuck, mended in (
        ("A compensation is stuck", "O.stuck", "R.repaired"),
        ("Choreographed: a compensation is stuck", "C.stuck", "R.repaired"),
    ):
        run = GALLERY[title]()
        assert at(first(run, stuck))["charge"] == StepState("done", "stuck", True)
        last = run.branch[-1]
        assert at(last)["charge"] == StepState("done", "undone", False)
        assert at(first(run, mended))["reserve"].undo == "due"


def test_a_step_past_the_pivot_that_fails_too_often_is_stuck_and_nothing_is_undone() -> None:
    for title, stuck in (("Shipping keeps failing", "O.stuck"), ("Choreographed: shipping keeps failing", "C.stuck")):
        run = GALLERY[title]()
        told = next(step for step in run.branch if at_phase(step) == "stuck")
        assert at(told)["ship"] == StepState("stuck", "", False)
        assert at(told)["charge"] == StepState("done", "", True)
        assert first(run, stuck).depth <= told.depth
        assert at(run.branch[-1])["ship"] == StepState("done", "", True)


def at_phase(step: Any) -> str:
    return logged(step.state, found[0]).phase if (found := instances(step.state)) else ""


def test_nobody_is_about_to_undo_what_a_wrong_end_left_standing() -> None:
    found = BUGS["forgets the step under way"].found().counterexample
    assert found is not None
    assert at(found.history.branch[-1])["reserve"] == StepState("unknown", "", True)


@pytest.mark.parametrize("style", ["", "Choreographed: "])
@pytest.mark.parametrize(
    ("title", "phases"),
    [
        ("everything succeeds", ["forward", "past the pivot", "completed"]),
        ("the order is not approved", ["forward", "compensating", "compensated"]),
        ("a compensation is stuck", ["forward", "compensating", "stuck", "compensating", "compensated"]),
    ],
)
def test_a_saga_goes_through_its_phases_in_either_style(style: str, title: str, phases: list[str]) -> None:
    run = GALLERY[style + title if style else title[0].upper() + title[1:]]()
    found: list[str] = []
    for step in run.branch[1:]:
        phase = logged(step.state, instances(step.state)[0]).phase
        if not found or found[-1] != phase:
            found.append(phase)
    assert found == phases


@pytest.mark.parametrize("title", GALLERY)
def test_what_stands_is_what_the_databases_say_whatever_the_logs_do(title: str) -> None:
    for step in GALLERY[title]().steps:
        for instance in instances(step.state):
            found = {name for name, stage in step_states(step.state, instance).items() if stage.in_effect}
            assert found == steps_in_effect(step.state, instance.saga), f"step {step.number}"


def test_a_crash_changes_nothing_of_what_logs_say() -> None:
    crash = next(step for step in GALLERY["The orchestrator crashes"]().steps if isinstance(step.event, Crash))
    assert at(crash) == at(crash.parent)
