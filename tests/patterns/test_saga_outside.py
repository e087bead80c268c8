"""Cases from outside: what went wrong in other systems, played in both styles."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.milestones import fired, on_its_way
from patterns.engine.script import Script
from patterns.saga import Add, Repair, SagaMachine, saga, step
from patterns.saga.machines import OPERATOR, STYLES
from patterns.saga.messages import Do, Event
from patterns.saga.properties import all_ended, said
from patterns.saga.readings import steps_in_effect, sums

each_style = pytest.mark.parametrize("style", STYLES)
FIVE = saga(
    "five", *(step(name, at=f"S{at}", do=Add(name, 1), undo=Add(name, -1)) for at, name in enumerate("abcde", 1))
)


def values(run: Script, rule: str, name: str) -> list[Any]:
    """What each firing of a rule says, in order."""
    return [note.values[name] for each in run.history.branch for note in each.notes if note.rule == rule]


@each_style
def test_four_compensations_run_in_reverse(style: str) -> None:
    """danielgerlag/workflow-core#191."""
    run = Script(SagaMachine(sagas=[FIVE], style=style, refuse=["e"])).ask("A").finish()
    assert values(run, "S.do", "step") == ["a", "b", "c", "d"]
    assert values(run, "S.undo", "step") == ["d", "c", "b", "a"]
    assert said(run.world, "A1") == ("compensated",)


@each_style
def test_a_saga_whose_compensation_fails_is_still_stuck_after_crashes_and_ends_after_a_repair(style: str) -> None:
    """Kaoruha/GinkGO#5480."""
    machine = SagaMachine(style=style, refuse=["approve"], fails={"undo charge": 2}, alarm=2)
    run = Script(machine).ask("A").until(fired("O.stuck", "C.stuck")).finish()
    front = run.world.call("A").to
    for name in dict.fromkeys((front, "payment")):
        run.crash(name).restart(name).finish()
    assert said(run.world, "A1") == ("stuck",)
    assert steps_in_effect(run.world, "A1") == {"reserve", "charge"}
    while not all_ended(run.world):  # the fault counts anew after a crash
        run.ask(OPERATOR, Repair).finish()
    assert "compensated" in said(run.world, "A1")
    assert not steps_in_effect(run.world, "A1")


@each_style
def test_a_request_that_is_overtaken_by_its_compensation_does_nothing(style: str) -> None:
    """apache/incubator-seata#3997, seata-go-samples#53: an empty compensation, then suspension."""
    trip = {"sagas": ["trip"], "refuse": ["hotel"], "tries": 1, "style": style}
    run = Script(SagaMachine(**trip)).ask("A")
    if style == "orchestrated":
        run.until(on_its_way(Do, step="flight")).delay(300, Do, step="flight")
    else:
        run.until(on_its_way(Event, to="airline")).delay(300, Event, to="airline")
    run.finish()
    assert values(run, "S.empty", "step") == ["flight"]
    assert "flight" not in values(run, "S.do", "step")
    assert (sums(run.world)["airline.seats"], sums(run.world)["airline.booked"]) == (5, 0)
    assert said(run.world, "A1") == ("compensated",)
