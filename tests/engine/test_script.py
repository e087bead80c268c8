"""Scripts write runs; milestones name their steps."""

from __future__ import annotations

import pytest
from models.replicas import Copied, Copy, Put, Replicas

from patterns.engine.milestones import find, fired, first, messages, on_its_way, when
from patterns.engine.script import LONG, Script, Unreached
from patterns.engine.world import Crash, Delay, Deliver

DONE = fired("R.2")


def script(**params) -> Script:
    return Script(Replicas(latency=(10, 10), **params))


def test_a_run_goes_on_until_a_new_step_is_reached() -> None:
    run = script().ask("C1").until(DONE)
    assert run.step.notes[0].rule == "R.2"
    with pytest.raises(Unreached, match=r"does not happen within 9 steps; Replicas stands at <Step"):
        run.until(DONE, bound=9)


def test_a_finished_run_has_nothing_left_to_happen_and_an_endless_one_is_given_up() -> None:
    run = script().ask("C1").finish()
    assert run.history.machine.usual(run.world) is None
    with pytest.raises(Unreached, match=f"does not end within {LONG:,} steps"):
        script().cut_off("B1").ask("C1").finish()  # it is sent again and again
    with pytest.raises(Unreached, match="nothing is left to happen"):
        run.advance()


def test_a_client_makes_the_first_request_that_is_offered_and_fits() -> None:
    assert script().ask("C2").world.call("C2").body == Put(2)
    assert script().ask("C2", Put).world.call("C2").body == Put(2)
    assert script().ask("C1", Put(7), to="P").world.call("C1").body == Put(7)
    with pytest.raises(Unreached, match="no such request of C3 is offered"):
        script().ask("C3")
    with pytest.raises(Unreached, match="no such request of C1 is offered"):
        script().ask("C1", Put(2))


def test_messages_are_named_by_type_sender_receiver_and_fields() -> None:
    run = script().ask("C1").ask("C2")
    assert [p.to for p in messages(run.world, Copy, value=2)] == ["B1", "B2"]
    run.overtake(Copy, to="B1")
    assert run.world["B1"].value == 2
    run.deliver(Copy, "P", "B2", value=1)
    assert run.world["B2"].value == 1
    run.lose(Copy)
    assert {type(p.body) for p in run.world.packets} == {Copied}
    run.lose(Copy)
    with pytest.raises(Unreached, match="no Copy from anyone to B1, value 2 is on its way"):
        run.deliver(Copy, to="B1", value=2)


def test_a_message_is_doubled_or_delayed() -> None:
    run = script().ask("C1").duplicate(to="B1").delay(50, to="B2")
    assert sorted((p.to, p.due) for p in run.world.packets) == [("B1", 10), ("B1", 10), ("B2", 60)]


def test_settling_delivers_messages_and_fires_no_timer() -> None:
    run = script().ask("C1").crash("B2").settle()
    assert not run.world.packets
    assert run.world.clock == 20
    assert run.world.call("C1").waits


def test_waiting_lets_happen_all_that_is_due_by_then() -> None:
    run = script().ask("C1").wait(10)
    assert (run.world.clock, len(run.world.packets)) == (10, 2)
    assert run.wait(5).world.clock == 10


def test_every_message_to_a_late_process_is_delayed_once() -> None:
    run = script().ask("C1").finish(late={"B2": 7})
    delays = [step for step in run.history.branch if isinstance(step.event, Delay)]
    assert [step.event.by for step in delays] == [7] * len(delays)
    to_b2 = {p.id for step in run.history.branch for p in step.state.packets if p.to == "B2"}
    assert {step.event.id for step in delays} == to_b2
    assert script().ask("C1").finish(late={"B2": 0}).history.code == script().ask("C1").finish().history.code


def test_faults_and_their_repairs_happen_where_the_script_says() -> None:
    run = script().crash("B1", "B2").pause("P")
    assert (run.world.down, run.world.paused) == ({"B1", "B2"}, {"P"})
    run.restart("B1", "B2").resume("P").cut_off("B1").cut("P", "B2", one_way=True)
    assert run.world.cuts == {("B1", "P"), ("P", "B1"), ("B1", "B2"), ("B2", "B1"), ("P", "B2")}
    assert not run.heal().world.cuts
    with pytest.raises(Unreached, match=r"Restart\(process='B1'\) cannot happen: .*; Replicas stands at"):
        run.restart("B1")


def test_a_timer_fires_now() -> None:
    run = script().ask("C1").lose().fire("P", "resend")
    assert len(run.world.packets) == 2


def test_a_run_stands_where_it_is_told() -> None:
    run = script().ask("C1").until(DONE)
    done = run.step
    run.finish()
    assert run.at("start").step.depth == 0
    assert run.at(DONE).step is done
    assert run.at("end").step is run.history.branch[-1]
    assert run.at(done).step is done
    with pytest.raises(Unreached, match="no step of the run is the one to stand at"):
        run.at(fired("R.9"))


def test_a_rule_is_recognised_with_its_values() -> None:
    history = script().ask("C1").ask("C2").finish().history
    step = find(history, fired("R.2", client="C2"))
    assert step is not None
    assert [note.values["client"] for note in step.notes] == ["C2"]
    assert find(history, fired("R.2", client="C9")) is None


def test_a_milestone_is_where_something_begins() -> None:
    history = script().ask("C1").finish().history
    begins = first(when(lambda world: world["B1"].value))
    reached = [step for step in history.branch if begins(step)]
    assert len(reached) == 1
    assert isinstance(reached[0].event, Deliver)
    assert first(on_its_way(Copied, to="P"))(reached[0])
    always = first(when(lambda world: True))
    assert [step.depth for step in history.branch if always(step)] == [0]


def test_what_happens_is_given_as_events_too() -> None:
    assert script().do(Crash("B1"), Crash("B2")).world.down == {"B1", "B2"}
