"""Worlds: time and order, clients, possible events and refused ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from models.ping_pong import FiveGossips, PingPong, Player
from models.replicas import Copy, Put, Replicas, asked
from msgspec.structs import replace

from patterns.engine import trace
from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.params import ParameterError
from patterns.engine.process import Process, on_timer
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import (
    Crash,
    Cut,
    Deliver,
    Drop,
    Duplicate,
    Fire,
    Heal,
    Pause,
    Request,
    Restart,
    Resume,
    World,
)


def choice(history: History[World, Any], event: Any) -> Any:
    return next(c for c in history.machine.choices(history.state) if c.event == event)


# Time and order


def test_what_is_due_first_happens_first_and_the_clock_moves_there() -> None:
    history = History(PingPong(latency=(10, 10)))
    serve = history.state.timers[0]
    assert history.advance().event == Fire("A", "serve")
    assert history.state.clock == serve.due
    ball = history.state.packets[0]
    assert history.advance().event == Deliver(ball.id)
    assert history.state.clock == serve.due + 10


def test_at_the_same_millisecond_what_has_arrived_comes_before_what_runs_out() -> None:
    """A heartbeat that was delivered in time beats the election timer (Ongaro and Ousterhout 2014, section 5.2)."""
    history = asked()
    history.advance()
    history.advance()
    world = history.state
    packet, timer = world.packets[0], world.timers[0]
    same = msgspec.structs.replace(world, timers=(msgspec.structs.replace(timer, due=packet.due),))
    assert history.machine.usual(same) == Deliver(packet.id)
    late = msgspec.structs.replace(world, timers=(msgspec.structs.replace(timer, due=packet.due - 1),))
    assert history.machine.usual(late) == Fire("P", "resend")


def test_choosing_a_later_event_makes_all_earlier_ones_late() -> None:
    """In an asynchronous system there is no bound on how long a message takes (Fischer, Lynch, Paterson 1985)."""
    history = History(Replicas(latency=(1, 30), seed=3))
    history.apply(Request("C1", "P", Put(1)))
    first, second = history.state.packets
    assert first.due < second.due
    history.apply(Deliver(second.id))
    assert history.state.clock == second.due
    assert choice(history, Deliver(first.id)).when == "late"
    assert history.machine.usual(history.state) == Deliver(first.id)
    history.apply(Deliver(first.id))
    assert history.state.clock == second.due


def test_a_timer_can_be_chosen_before_a_message_that_is_due_earlier() -> None:
    history = asked()
    history.apply(Fire("P", "resend"))
    assert history.state.clock == 40
    assert len(history.state.packets) == 4


def test_time_never_runs_backwards() -> None:
    history = History(FiveGossips(seed=5))
    for _ in range(500):
        before = history.state.clock
        history.advance()
        assert history.state.clock >= before


def test_every_latency_and_every_span_lies_within_its_range() -> None:
    history = History(FiveGossips(latency=(3, 9)))
    for _ in range(300):
        step = history.advance()
        assert step
        for packet in trace.sent(step):
            assert 3 <= packet.due - packet.sent <= 9
    tells = [timer for timer in history.state.timers if timer.name == "tell"]
    assert all(50 <= timer.due - timer.set <= 100 for timer in tells)


class Sleeper(Process):
    def on_start(self) -> None:
        self.set_timer("wake", 40)

    @on_timer("wake")
    def wake(self) -> None:
        self.note("C.1", now=self.now)


class Sleepers(Simulation):
    name = "sleepers"
    rules = {"C.1": Rule("{who} wakes at {now}", "the test")}

    def processes(self) -> Sequence[Process]:
        return (Sleeper("fast"), Sleeper("slow"))


def test_a_clock_that_drifts_makes_timers_short_or_long_and_shows_its_own_time() -> None:
    """Lamport 1978, section "Physical clocks"."""
    history = History(Sleepers(speed={"fast": 200, "slow": 50}))
    woken = [history.advance(), history.advance()]
    assert [(step.state.clock, step.notes[0].values) for step in woken if step] == [
        (20, {"who": "fast", "now": 40}),
        (80, {"who": "slow", "now": 40}),
    ]


def test_on_a_fifo_link_no_message_overtakes_another() -> None:
    history = History(Replicas(backups=1, fifo=True, latency=(1, 50)))
    history.run([Request("C1", "P", Put(1)), Request("C2", "P", Put(2))])
    on_link = [packet for packet in history.state.packets if packet.to == "B1"]
    assert [packet.id for packet in on_link] == sorted(packet.id for packet in on_link)
    second = next(packet for packet in on_link if packet.body == Copy(2))
    assert choice(history, Deliver(second.id)).why_not == "copy 1 comes first on this link"
    with pytest.raises(NotEnabled, match="copy 1 comes first"):
        history.apply(Deliver(second.id))


@pytest.mark.parametrize("fifo", [True, False])
def test_a_search_tells_the_order_on_a_link_apart_only_where_nothing_overtakes(fifo: bool) -> None:
    """With two copies under way, which comes first decides what can happen next, but only on a FIFO link."""
    history = History(Replicas(backups=1, fifo=fifo, latency=(5, 5)))
    history.run([Request("C1", "P", Put(1)), Request("C2", "P", Put(2))])
    *others, first, second = history.state.packets  # copy 1 is sent again with copy 2
    crossed = (*others, replace(first, body=second.body), replace(second, body=first.body))
    keys = [history.machine.key(world) for world in (history.state, replace(history.state, packets=crossed))]
    assert (keys[0] != keys[1]) is fifo


# Clients


def test_a_request_waits_until_it_is_answered() -> None:
    history = asked()
    call = history.state.call("C1")
    assert (call.waits, call.to, call.body, call.asked) == (True, "P", Put(1), 0)
    step = history.run_until(lambda step: bool(trace.answered(step)), bound=10)
    assert step
    call = step.state.call("C1")
    assert (call.reply, call.replied, call.waits) == ("ok", 20, False)


def test_a_client_asks_one_thing_at_a_time_and_may_ask_the_same_again() -> None:
    history = asked()
    with pytest.raises(NotEnabled, match="C1 still waits for the answer to put 1"):
        history.apply(Request("C1", "P", Put(2)))
    history.advance()
    world = history.apply(Request("C1", "P", Put(1))).state
    assert world.call("C1").asked == 0
    assert len(world.calls) == 1


def test_the_offered_requests_say_whether_they_are_retries() -> None:
    history = asked()
    assert choice(history, Request("C1", "P", Put(1))).label == "C1 asks P again: **put 1**"
    assert choice(history, Request("C2", "P", Put(2))).label == "C2 asks P: **put 2**"


# What can happen, with reasons


def test_every_choice_without_a_reason_can_be_taken_and_every_other_is_refused_with_it() -> None:
    history = asked(seed=9)
    history.run([Crash("B2"), Cut(("P",), ("B1",)), Pause("B1")])
    machine, world = history.machine, history.state
    assert len(machine.choices(world)) > 30
    for offered in machine.choices(world):
        if offered.why_not:
            with pytest.raises(NotEnabled) as refused:
                machine.apply(world, offered.event)
            assert str(refused.value) == offered.why_not
        else:
            machine.apply(world, offered.event)


def test_a_search_tries_what_the_choices_offer_but_for_delays_and_equal_packets() -> None:
    for events in ([], [Crash("B1")], [Cut(("P",), ("B1",))], [Pause("P")], [Duplicate(0)]):
        history = asked()
        history.run(events)
        machine, world = history.machine, history.state
        offered = {c.event for c in machine.choices(world) if not c.why_not and c.group != "delay"}
        tried = set(machine.enabled(world))
        if events != [Duplicate(0)]:
            assert tried == offered
        else:
            assert tried < offered
            assert {type(event) for event in offered - tried} == {Deliver, Drop, Duplicate}


def test_choices_name_the_marks_they_belong_to_and_when_they_are_due() -> None:
    history = asked()
    deliver = choice(history, Deliver(0))
    assert (deliver.label, deliver.when, deliver.group) == ("deliver **copy 1** P → B1", "10 ms", "next")
    assert deliver.about == ("message:0", "process:B1")
    assert choice(history, Fire("P", "resend")).about == ("process:P", "timer:P:resend")
    assert choice(history, Crash("B2")).about == ("process:B2",)
    assert choice(history, Cut(("P",), ("B1", "B2"))).label == "cut **P** off"


def test_each_partition_is_offered_once() -> None:
    machine = FiveGossips()
    world = machine.start()
    cuts = [c.event for c in machine.choices(world) if c.group == "cut"]
    assert len(cuts) == 5 + 10
    sides = {frozenset({frozenset(cut.a), frozenset(cut.b)}) for cut in cuts}
    assert len(sides) == len(cuts)


# What is refused, and leaves the history as it was


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (Crash("S9"), "there is no process 'S9'; the processes are P, B1, B2"),
        (Request("C2", "S9", Put(2)), "there is no process 'S9'"),
        (Fire("S9", "resend"), "there is no process 'S9'"),
        (Fire("P", "lunch"), "P has no timer 'lunch' running"),
        (Cut(("P",), ("P", "B1")), "names one process twice"),
        (Cut((), ("B1",)), "has an empty side"),
        (Cut(("P",), ("S9",)), "there is no process 'S9'"),
        (Deliver(99), "message 99 is not on its way"),
        (Drop(99), "message 99 is not on its way"),
        (Restart("P"), "P is up"),
        (Resume("P"), "P is not paused"),
        (Heal(), "nothing is cut"),
        (Put(1), "is nothing that can happen in Replicas"),
    ],
)
def test_what_cannot_happen_is_refused_in_a_sentence_and_changes_nothing(event: Any, sentence: str) -> None:
    history = asked()
    before = history.state
    with pytest.raises(ValueError, match=sentence):
        history.apply(event)
    assert history.state is before
    assert len(history.steps) == 2


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"latency": (9, 3)}, r"latency is (9, 3); allowed is a shortest and a longest time in ms"),
        ({"latency": (-1, 3)}, "latency[0] is -1; allowed is a whole number, at least 0 ms"),
        ({"latency": (0.5, 1.5)}, "latency[0] is 0.5; allowed is a whole number, at least 0 ms"),
        ({"latency": (5, float("inf"))}, "latency[1] is inf; allowed is a whole number, at least 0 ms"),
        ({"latency": 5}, "latency is 5; allowed is 2 values: "),
        ({"latency": (5,)}, "latency is (5,); allowed is 2 values: "),
        ({"budget": 3}, "budget is 3; allowed is a mapping from "),
        ({"budget": {"crash": "1"}}, "budget['crash'] is '1'; allowed is a whole number, at least 0"),
        ({"budget": {"flood": 1}}, "a name in budget is 'flood'; allowed is 'crash', 'cut', 'delay', "),
        ({"budget": {"crash": -1}}, "budget['crash'] is -1; allowed is a whole number, at least 0"),
        ({"speed": {"P": 0}}, "speed['P'] is 0; allowed is a whole number, at least 1 %"),
        ({"speed": {"P": float("nan")}}, "speed['P'] is nan; allowed is a whole number, at least 1 %"),
        ({"seed": "3"}, "seed is '3'; allowed is a whole number"),
        ({"fifo": "no"}, "fifo is 'no'; allowed is True or False"),
        ({"crash_stop": 1}, "crash_stop is 1; allowed is True or False"),
        ({"timing": "fast"}, "timing is 'fast'; allowed is 'asynchronous', 'patient', 'quiet', 'synchronous'"),
        ({"backups": True}, "backups is True; allowed is a whole number, at least 0"),
        ({"sede": 1}, "Replicas has no parameter 'sede'; it has seed, latency, "),
    ],
)
def test_a_bad_parameter_is_refused_by_name(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(sentence)):
        Replicas(**params)


@pytest.mark.parametrize("names", [[], ["A", "A"], ["A", ""]])
def test_processes_need_names_of_their_own(names: list[str]) -> None:
    class Odd(Simulation):
        name = "odd"
        rules = {}

        def processes(self) -> Sequence[Process]:
            return [Player(name, "A", False) for name in names]

    with pytest.raises(ValueError, match="each with a name of its own"):
        Odd().start()


def test_sending_to_who_is_not_there_is_an_error() -> None:
    class Lost(PingPong):
        def processes(self) -> Sequence[Process]:
            return (Player("A", "Z", True),)

    history = History(Lost())
    with pytest.raises(ValueError, match="there is no process 'Z'; the processes are A"):
        history.advance()
