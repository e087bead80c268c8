"""What happened in a step, and why: pure functions of steps."""

from __future__ import annotations

from models.ping_pong import PingPong
from models.replicas import Copy, asked

from patterns.engine import trace
from patterns.engine.history import History
from patterns.engine.world import Crash, Deliver, Drop, Duplicate, Fire


def test_a_step_tells_who_moved_what_it_sent_and_what_it_wrote() -> None:
    history = asked()
    step = history.step
    assert trace.mover(step) == "P"
    assert [(packet.to, packet.body) for packet in trace.sent(step)] == [("B1", Copy(1)), ("B2", Copy(1))]
    assert trace.written(step) == ("value",)
    step = history.apply(Deliver(0))
    assert trace.mover(step) == "B1"
    assert trace.received(step).body == Copy(1)
    before, now = trace.moved(step)
    assert (before.value, now.value) == (0, 1)


def test_the_cause_of_a_message_is_the_step_that_sent_it() -> None:
    """Happened before: a send precedes its receipt (Lamport 1978, section "The partial ordering")."""
    history = asked()
    request = history.step
    assert trace.cause(history.apply(Crash("B2"))) is None
    delivery = history.apply(Deliver(0))
    assert trace.cause(delivery) is request
    assert trace.cause(history.apply(Drop(1))) is request
    assert trace.cause(history.apply(Fire("P", "resend"))) is request


def test_the_cause_of_a_duplicate_is_the_step_that_sent_the_original() -> None:
    history = asked()
    request = history.step
    history.run([Duplicate(0), Duplicate(3)])
    second = next(packet for packet in history.state.packets if packet.id == 4)
    assert second.copy_of == 0
    assert trace.sent(history.step) == ()
    assert trace.cause(history.apply(Deliver(4))) is request


def test_what_the_root_sent_has_the_root_for_its_cause() -> None:
    history = History(PingPong())
    root = history.step
    assert trace.cause(history.advance()) is root
    assert trace.mover(root) == ""
    assert trace.moved(root) is None
