"""Worlds: time and order, loss and delay, crashes, cuts, clients - and that a seed is a run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from models.ping_pong import Ball, FiveGossips, PingPong, Player
from models.replicas import Copy, Put, Replicas, asked
from msgspec.structs import replace

from patterns.engine import trace
from patterns.engine.draw import draw, mix
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.params import ParameterError
from patterns.engine.process import Process, on_timer
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import (
    Crash,
    Cut,
    Delay,
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

REPOSITORY = Path(__file__).parents[2]


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


# A seed is a run


def narrated(machine: Simulation, steps: int) -> str:
    history, lines = History(machine), []
    for _ in range(steps):
        event = machine.usual(history.state)
        lines.append(f"{history.state.clock} {machine.describe(history.state, event)}")
        step = history.advance()
        assert step
        lines += [machine.say(note) for note in step.notes]
    return "\n".join(lines)


def test_the_same_seed_is_the_same_run_and_another_seed_another() -> None:
    assert narrated(FiveGossips(seed=11), 200) == narrated(FiveGossips(seed=11), 200)
    assert narrated(FiveGossips(seed=11), 200) != narrated(FiveGossips(seed=12), 200)


def test_the_same_seed_is_the_same_run_in_every_process_and_under_every_hash_seed() -> None:
    program = (
        "import sys; sys.path[:0] = ['tests/engine'];"
        "from models.replicas import *; from patterns.engine.random_worlds import _RandomRun, FAULTS;"
        "from hashlib import sha256;"
        "run = _RandomRun(Replicas(seed=7), (), 7, FAULTS, False); run.go(400, 10); world = run.stage.state;"
        "print(sha256(repr([run.events, world.packets, world.processes[0].waiting]).encode()).hexdigest())"
    )
    digests = set()
    for hash_seed in ("0", "1", "12345"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        digests.add(subprocess.check_output([sys.executable, "-c", program], cwd=REPOSITORY, env=environment))
    assert len(digests) == 1


def test_a_draw_depends_on_its_labels_alone() -> None:
    throws = [draw(1, 6, 42, "die", n) for n in range(600)]
    assert throws == [draw(1, 6, 42, "die", n) for n in range(600)]
    assert {throws.count(face) for face in range(1, 7)} <= set(range(60, 141))
    assert throws != [draw(1, 6, 43, "die", n) for n in range(600)]
    with pytest.raises(ValueError, match="high is 1; allowed is a whole number, at least 2"):
        draw(2, 1, 0)


def test_the_first_numbers_of_a_key_are_those_of_splitmix64() -> None:
    """The vectors of seed 1234567 (rosettacode.org, "Pseudo-random numbers/Splitmix64")."""
    assert [mix(1234567, n) for n in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_branch_draws_what_has_nothing_to_do_with_the_change_as_before() -> None:
    history = History(FiveGossips(seed=2))
    for _ in range(40):
        history.advance()
    fork = history.step
    spans = []
    for event in (Crash("S5"), Pause("S5")):
        history.jump(fork)
        history.apply(event)
        for _ in range(10):
            history.advance()
        spans.append({(t.process, t.name, t.set): t.due for t in history.state.timers if t.process != "S5"})
    common = spans[0].keys() & spans[1].keys()
    assert len(common) >= 4
    assert all(spans[0][timer] == spans[1][timer] for timer in common)


def test_a_replay_code_brings_back_a_run_with_requests_and_faults() -> None:
    history = asked(seed=4)
    history.run(
        [Crash("B2"), Cut(("P",), ("B1", "B2"), one_way=True), Heal(), Duplicate(0), Delay(0, 30), Restart("B2")]
    )
    for _ in range(8):
        history.advance()
    again = History.replay(Replicas(), history.code)
    assert again.state == history.state
    assert [step.event for step in again.path] == [step.event for step in history.path]


# Faults


def test_a_crash_loses_memory_and_timers_and_leaves_what_is_on_its_way() -> None:
    """Cachin, Guerraoui, Rodrigues 2011, section 2.2: crash with recovery."""
    history = asked()
    before = history.state
    assert before["P"].waiting
    assert before.timer("P", "resend")
    world = history.apply(Crash("P")).state
    assert world["P"].waiting == ()
    assert world["P"].value == 1
    assert world.timers == ()
    assert world.packets == before.packets


def test_a_restart_begins_with_what_is_on_disk() -> None:
    history = History(PingPong())
    for _ in range(5):
        history.advance()
    hits = history.state["A"].hits
    assert hits > 0
    assert history.state["A"].warm
    history.run([Crash("A"), Restart("A")])
    assert history.state["A"] == Player("A", "B", True, hits=hits)
    assert history.state.timer("A", "serve") is not None  # on_restart is on_start, unless overridden


def test_a_message_to_a_crashed_process_is_lost_when_it_is_due() -> None:
    history = asked()
    history.apply(Crash("B1"))
    assert choice(history, Deliver(0)).why_not == "B1 is down"
    assert history.machine.usual(history.state) == Drop(0)
    step = history.advance()
    assert step
    assert history.machine.describe(step.parent.state, step.event) == "lose **copy 1** P → B1: B1 is down"
    assert history.state.clock == 10
    assert trace.lost(step) == step.parent.state.packet(0)


def test_a_restart_in_time_saves_the_message() -> None:
    history = asked()
    history.run([Crash("B1"), Restart("B1"), Deliver(0)])
    assert history.state["B1"].value == 1


def test_nothing_crosses_a_cut_and_a_one_way_cut_lets_the_other_way_through() -> None:
    history = asked()
    history.apply(Cut(("B1",), ("P", "B2")))
    assert history.state.cuts == {("B1", "P"), ("P", "B1"), ("B1", "B2"), ("B2", "B1")}
    assert choice(history, Deliver(0)).why_not == "the link P → B1 is cut"
    history.apply(Heal())
    history.apply(Cut(("B1",), ("P",), one_way=True))
    history.apply(Deliver(0))
    answer = next(packet for packet in history.state.packets if packet.sender == "B1")
    with pytest.raises(NotEnabled, match="the link B1 → P is cut"):
        history.apply(Deliver(answer.id))


def test_a_paused_process_misses_nothing_and_is_late() -> None:
    """A process that stands still for a garbage collection and wakes up (Gray and Cheriton 1989, on leases)."""
    history = asked()
    history.apply(Pause("P"))
    while history.advance():
        pass
    assert history.state["P"].waiting
    assert len(history.state.packets) == 2
    assert choice(history, Fire("P", "resend")).why_not == "P is paused"
    history.apply(Resume("P"))
    while history.advance():
        pass
    assert history.state.call("C1").reply == "ok"


def test_a_dropped_message_never_arrives_and_a_duplicate_arrives_twice() -> None:
    history = asked()
    history.run([Drop(0), Duplicate(1)])
    copies = [packet for packet in history.state.packets if packet.to == "B2"]
    assert [(packet.id, packet.copy_of, packet.due) for packet in copies] == [(1, -1, 10), (2 + 1, 1, 10)]
    assert history.state.packet(0) is None
    history.run([Deliver(1), Deliver(3)])
    assert [packet.body.value for packet in history.state.packets if packet.sender == "B2"] == [1, 1]


def test_a_delayed_message_is_overtaken() -> None:
    history = asked()
    history.apply(Delay(0, 50))
    assert [packet.id for packet in history.state.packets] == [1, 0]
    assert history.state.packet(0).due == 60
    with pytest.raises(ValueError, match="delayed by 0 ms; it must be at least 1 ms"):
        history.apply(Delay(0, 0))


def test_a_budget_says_what_is_left_and_then_refuses() -> None:
    history = asked(budget={"crash": 1, "drop": 1})
    history.run([Crash("B1"), Restart("B1")])
    assert choice(history, Crash("B1")).why_not == "the budget has no crash left"
    assert choice(history, Duplicate(0)).why_not == "the budget has no duplicate left"
    assert choice(history, Drop(0)).why_not == ""
    with pytest.raises(NotEnabled, match="no crash left"):
        history.apply(Crash("P"))


def test_losing_a_message_at_a_crashed_process_costs_no_budget() -> None:
    history = asked(budget={"crash": 1})
    history.run([Crash("B1"), Drop(0)])
    assert history.state.left("drop") == 0
    with pytest.raises(NotEnabled, match="no drop left"):
        history.apply(Drop(1))


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


# Two runs to one world


def test_worlds_that_differ_in_times_and_ids_alone_are_one_to_a_search() -> None:
    one, other = asked(), asked()
    one.run([Deliver(0), Deliver(1)])
    other.run([Deliver(1), Deliver(0)])
    assert one.state != other.state
    assert one.machine.key(one.state) == other.machine.key(other.state)


def test_equal_messages_are_counted() -> None:
    history = asked()
    once = history.machine.key(history.state)
    history.apply(Duplicate(0))
    assert history.machine.key(history.state) != once


def test_a_ball_is_described_by_its_own_words() -> None:
    assert str(Ball(3)) == "ball 3"
    assert str(Request("C1", "P", Put(1)).body) == "put 1"


# Timers with a subject


class Waiter(Process):
    """Waits for several answers at the same time, each with a timer of its own."""

    late: tuple[str, ...] = ()

    def on_start(self) -> None:
        self.set_timer("answer", 30, about="T1")
        self.set_timer("answer", 20, about="T2")
        self.set_timer("answer", 40, about="T3")
        self.set_timer("rest", 50)

    @on_timer("answer")
    def answer_is_late(self, about: str) -> None:
        self.late += (about,)
        self.cancel_timer("answer", about="T3")

    @on_timer("rest")
    def rest(self) -> None:
        pass


class Waiting(Simulation):
    name = "waiting"
    rules: ClassVar = {}

    def processes(self) -> Sequence[Process]:
        return (Waiter("W"),)


def test_a_timer_with_a_subject_fires_for_this_subject_alone() -> None:
    history = History(Waiting())
    assert history.state.timer("W", "answer:T1") is not None
    assert [step.event for step in iter(history.advance, None)] == [
        Fire("W", "answer:T2"),
        Fire("W", "answer:T1"),
        Fire("W", "rest"),
    ]
    assert history.state["W"].late == ("T2", "T1"), "the timer about T3 was cancelled, the others were not"


def test_timers_of_two_subjects_are_two_to_a_search() -> None:
    history = History(Waiting())
    assert len({choice.label for choice in history.machine.choices(history.state) if choice.group == "next"}) == 4
    assert history.machine.describe(history.state, Fire("W", "answer:T1")) == "**answer** timer of W for T1 fires"


def test_a_process_that_crashed_for_good_is_not_restarted() -> None:
    history = asked(crash_stop=True)
    history.apply(Crash("B1"))
    assert [*history.machine.repairs(history.state)] == []
    with pytest.raises(NotEnabled, match="B1 has crashed for good"):
        history.apply(Restart("B1"))


@pytest.mark.parametrize("timing", ["asynchronous", "patient", "quiet", "synchronous"])
def test_timing_says_what_a_search_leaves_out_and_changes_no_run(timing: Any) -> None:
    history = asked(timing=timing, budget={"drop": 1, "crash": 1})
    machine, world = history.machine, history.state
    assert world.packets
    tried = list(machine.enabled(world))
    assert any(isinstance(event, Drop) for event in tried) == (timing != "synchronous")
    history.apply(Crash("P"))
    lost = [event for event in machine.enabled(history.state) if isinstance(event, Drop)]
    assert lost, "a message may be lost when its sender crashed in the middle of sending"
    assert asked().state.packets == asked(timing=timing).state.packets


# What a search remembers


class Clock(Process):
    """Does what depends on the time of its own clock."""

    late: bool = False

    def on_start(self) -> None:
        self.set_timer("look", 10)

    @on_timer("look")
    def look(self) -> None:
        self.late = self.now > 15
        self.set_timer("look", 10)


class Clocks(Simulation):
    name = "clocks"
    rules: ClassVar = {}

    def processes(self) -> Sequence[Process]:
        return (Clock("C"),)


def test_a_handler_that_reads_the_clock_runs_anew_in_a_search() -> None:
    machine = Clocks().for_search()
    once, _ = machine.apply(machine.start(), Fire("C", "look"))
    twice, _ = machine.apply(once, Fire("C", "look"))
    assert [once["C"].late, twice["C"].late] == [False, True]


def test_a_search_that_remembers_finds_what_one_finds_that_does_not() -> None:
    class Plain(Replicas):
        def for_search(self) -> Plain:
            return self

    for budget in ({"crash": 1}, {"drop": 1, "duplicate": 1}):
        plain = explore(Plain(backups=2, writes=1, budget=budget), max_states=3_000)
        remembering = explore(Replicas(backups=2, writes=1, budget=budget), max_states=3_000)
        assert remembering[:3] == plain[:3], budget


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            Request("C1", "P", Put("x")),
            "event is Request.*; allowed is an event of Replicas .*Expected `int`, got `str`",
        ),  # type: ignore[arg-type]
        (Request("C1", "P", Put(None)), "Expected `int`, got `null`"),  # type: ignore[arg-type]
        (Request(5, "P", Put(1)), "Expected `str`, got `int`"),  # type: ignore[arg-type]
        (Request("C1", "P", None), "event is Request.*body=None"),
        (Delay(0, 1.5), "Expected `int`, got `float`"),  # type: ignore[arg-type]
        (Cut(("P",), None), "Expected `array`, got `null`"),  # type: ignore[arg-type]
        (Cut(["P"], ["B1"]), "unhashable type: 'list'"),  # type: ignore[arg-type]
    ],
)
def test_an_event_that_no_replay_code_can_bring_back_is_refused(event: Any, said: str) -> None:
    """ENGINE.md, D15: a text where a number belongs was accepted, and the history's own code could not be replayed."""
    history = asked()
    with pytest.raises(ValueError, match=said):
        history.apply(event)
    assert history.step.depth == 1
