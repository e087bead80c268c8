"""Both styles in one world: two groups that never talk, one request for both, and the same failure in both."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.random_worlds import random_worlds
from patterns.engine.script import Script
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, Cut, Pause, Request, Restart, Resume, World
from patterns.saga import Begin, SagaMachine
from patterns.saga.lesson import GALLERY
from patterns.saga.lesson.side_by_side import SideBySide, primed
from patterns.saga.properties import all_end
from patterns.saga.readings import instances, steps_in_effect


def ask(serial: int = 1) -> Request[Begin]:
    return Request("A", "orchestrator", Begin(serial, f"A{serial}", "order"))


TOGETHER = [title for title in GALLERY if title.startswith("Both styles")]


def begun(machine: Simulation) -> History[World, Any]:
    return Script(machine).ask("A").history


def outcomes(world: World) -> dict[str, str]:
    return {call.client: call.reply.outcome for call in world.calls if not call.waits}


def test_one_request_begins_the_saga_in_both_styles() -> None:
    run: History[World, Any] = History(SideBySide())
    assert list(run.machine.requests(run.state)) == [ask()]  # type: ignore[attr-defined]
    step = run.apply(ask())
    assert [(each.saga, each.definition) for each in instances(step.state)] == [("A1", "order"), ("A1'", "order'")]
    assert {note.rule for note in step.notes} >= {"R.begin", "O.start", "S.do"}


@pytest.mark.parametrize("title", TOGETHER)
def test_both_groups_end_alike_and_hold_the_same_rows(title: str) -> None:
    run = GALLERY[title]()
    end = run.branch[-1].state
    told = outcomes(end)
    assert told["A"] == told["A'"]
    rows = {each.id: [(row.key, row.value) for row in each.rows] for each in end.processes if hasattr(each, "rows")}
    for name in (name for name in rows if not name.endswith("'")):
        assert rows[name] == rows[f"{name}'"]
    for each in instances(end):
        assert bool(steps_in_effect(end, each.saga)) == (told["A"] == "completed")


def test_the_groups_never_talk_to_one_another() -> None:
    for title in TOGETHER:
        for step in GALLERY[title]().steps:
            for packet in step.state.packets:
                assert packet.sender.endswith("'") == packet.to.endswith("'")


def test_each_group_does_what_it_does_alone() -> None:
    """The orchestrated half is, message for message, the run of the orchestrated machine with the same seed."""
    alone, together = begun(SagaMachine(refuse=("approve",))), begun(SideBySide(refuse=("approve",)))
    said: list[list[tuple[int, str]]] = []
    for run in (alone, together):
        while run.advance():
            pass
        sent = {
            (packet.sent, packet.sender, str(packet.body))
            for step in run.branch
            for packet in step.state.packets
            if not packet.sender.endswith("'")
        }
        said.append(sorted((when, f"{sender}: {body}") for when, sender, body in sent))
    assert said[0] == said[1]


@pytest.mark.parametrize(("fault", "undo"), [(Crash, Restart), (Pause, Resume)])
@pytest.mark.parametrize("name", ["payment", "payment'"])
def test_who_fails_in_one_group_fails_in_the_other(fault: Any, undo: Any, name: str) -> None:
    run = begun(SideBySide())
    failed = run.apply(fault(name)).state
    assert failed.down | failed.paused == {"payment", "payment'"}
    healed = run.apply(undo(name)).state
    assert not healed.down | healed.paused


def test_the_orchestrator_fails_alone() -> None:
    run = begun(SideBySide())
    assert run.apply(Crash("orchestrator")).state.down == {"orchestrator"}


def test_a_cut_cuts_both() -> None:
    run = begun(SideBySide())
    rest = tuple(name for name in run.state.names if name != "payment")
    cuts = run.apply(Cut(("payment",), rest)).state.cuts
    assert {("payment", "orchestrator"), ("payment'", "stock'"), ("stock'", "payment'")} <= cuts
    assert ("stock", "orchestrator") not in cuts
    assert ("stock'", "orders'") not in cuts


def test_one_fault_is_taken_from_the_budget_not_two() -> None:
    run = begun(SideBySide(budget={"crash": 1}))
    state = run.apply(Crash("payment")).state
    assert state.down == {"payment", "payment'"}
    assert state.left("crash") == 0


def test_the_next_saga_waits_until_both_have_ended() -> None:
    run = begun(SideBySide())
    while not outcomes(run.state):
        run.advance()
    assert len(outcomes(run.state)) == 1, "one style is done before the other"
    other = "A'" if "A" in outcomes(run.state) else "A"
    assert f"{other} still waits" in run.machine.why_not(run.state, ask(2))  # type: ignore[attr-defined]
    with pytest.raises(NotEnabled, match=f"{other} still waits"):
        run.apply(ask(2))
    while run.advance():
        pass
    run.apply(ask(2))
    assert len(instances(run.state)) == 4


def test_what_is_stuck_is_repaired_in_each_group_by_itself() -> None:
    run = begun(SideBySide(refuse=("approve",), fails={"undo charge": 2}, alarm=2))
    while run.advance():
        pass
    assert set(outcomes(run.state).values()) == {"stuck"}
    for saga in ("A1", "A1'"):
        requests = list(run.machine.requests(run.state))  # type: ignore[attr-defined]
        run.apply(
            next(each for each in requests if getattr(each.body, "saga", "") == saga and each.client == "operator")
        )
        while run.advance():
            pass
    assert not any(steps_in_effect(run.state, each.saga) for each in instances(run.state))


def test_all_promises_hold_in_random_worlds_of_both_styles() -> None:
    machine = SideBySide(clients=2, rounds=1, refuse=("A1.approve",), alarm=0)
    runs = random_worlds(machine, range(12), 150, (*machine.always, all_end))
    assert runs.holds, str(runs)


def test_a_primed_definition_has_primed_services_and_the_same_steps() -> None:
    order = SideBySide().params.definitions[0]
    assert primed(order).names == order.names
    assert primed(order).services == tuple(f"{name}'" for name in order.services)
