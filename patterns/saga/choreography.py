"""Choreography: no coordinator. Each service reacts to the events of the others, by the same definition.

An event is a row of the service's outbox, written together with the change that it reports (Richardson 2018, 3.3.7,
transactional outbox). A relay publishes each event of the outbox until it is acknowledged: at least once. So a consumer
keeps an inbox of the events that it has seen (3.3.6). A service that refuses a step says so to all; each then undoes
its own, the last first, once what came after it is undone.

Nobody is there to give up on a service that does not answer: its saga waits until it is back. Real systems have more
parts. Here the network plays the broker: it loses, doubles and reorders events. The process itself reads outbox and
inbox; elsewhere a change-data-capture tool such as Debezium does.
"""

from __future__ import annotations

from patterns.engine.process import durable, on, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .database import Database, Trouble
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, Saga, Step
from .front import Front, Patience
from .log import (
    BEGUN,
    COMPENSATED,
    COMPLETED,
    DONE,
    ENDED,
    STUCK,
    TURNED_BACK,
    UNDONE,
    Asker,
    Instance,
    Progress,
    Record,
)
from .messages import Ack, Event, about
from .reasons import Reason


class Outgoing(Value, cache_hash=True):
    """A row of the outbox: an event that is not acknowledged yet by the one it is for."""

    to: str
    event: Event


class Incoming(Value, order=True, cache_hash=True):
    """A row of the inbox: an event that was taken in."""

    sender: str
    number: int


class Attempts(Value, cache_hash=True):
    """How often a step, or its compensation, has failed."""

    saga: str
    times: int


def subscribers(definition: Saga, what: str, step: str) -> tuple[str, ...]:
    """The services that an event is of use to: what waits for it, what it may make undo; and who tells the client."""
    entry = definition.steps[0].at
    match what:
        case "begun":
            wanted = [definition[name].at for name in definition.roots]
        case "done":
            wanted = [definition[name].at for name in definition.next_to(step)] or [entry]
        case "refused":
            never = {step, *definition.following(step)}
            wanted = [entry, *(each.at for each in definition.steps if each.name not in never)]
        case "undone":
            wanted = [definition[name].at for name in definition[step].after] or [entry]
        case "repaired":
            wanted = [definition[step].at]
        case "ended":
            wanted = [each.at for each in definition.steps if each.kind == COMPENSATABLE]
        case _:
            wanted = [entry]
    return tuple(dict.fromkeys(wanted))


class Peer(Front, Database):
    """A service that knows the definitions, and acts on events."""

    definitions: tuple[Saga, ...] = setting(())
    poll: int = setting(5)
    """How many ms an event lies in the outbox before the relay looks there."""
    patience: Patience = setting(Patience())

    instances: tuple[Instance, ...] = durable(())
    """The sagas that began here."""
    askers: tuple[Asker, ...] = durable(())
    """The clients that wait for the end of one."""
    log: tuple[Record, ...] = durable(())
    """Its own steps, and the events that it received."""
    outbox: tuple[Outgoing, ...] = durable(())
    inbox: tuple[Incoming, ...] = durable(())
    last_number: int = durable(0)
    """The number of the last event put into the outbox."""

    published: frozenset[int] = frozenset()
    """What the relay has sent since the service began, and waits to be acknowledged."""
    attempts: Table[Attempts] = Table()
    """The saga and the step that failed, to be tried again. Each has a timer of its own."""

    # The rules, one by one

    def is_settled(self, at: Progress, step: str) -> bool:
        """Whether a step of a saga that turns back has no effect, now and later. It is undone or refused, or it can
        never begin because an earlier step was refused."""
        never = step in at.refused or any(step in at.definition.following(name) for name in at.refused)
        return never or step in at.undone

    def may_compensate(self, at: Progress, step: str) -> bool:
        """Whether it is a step's turn to be undone: nothing that builds on it is left."""
        return not self.is_settled(at, step) and all(
            self.is_settled(at, later) for later in at.definition.next_to(step)
        )

    def is_new(self, sender: str, number: int) -> bool:
        """Whether an event was not taken in before."""
        return Incoming(sender, number) not in self.inbox

    def entry(self, definition: Saga) -> str:
        """The service of its first step."""
        return definition.steps[0].at

    # Events

    def happens(self, definition: Saga, record: Record) -> None:
        """Note down what happened, and in the same write, in the outbox, whom to tell."""
        super().happens(definition, record)
        for to in subscribers(definition, record.what, record.step):
            if to != self.id:
                self.last_number += 1
                self.outbox = (*self.outbox, Outgoing(to, Event(self.last_number, definition.name, record)))
                self.set_timer("relay", self.poll)

    @on_timer("relay")
    def relay(self) -> None:
        """Publish what is new in the outbox."""
        new = tuple(row for row in self.outbox if row.event.number not in self.published)
        if new:
            self.note("C.publish", events=new)
        for row in new:
            self.publish(row)

    @on_timer("resend")
    def resend(self, number: str) -> None:
        """Publish again what nobody has acknowledged."""
        for row in self.outbox:
            if row.event.about == number:
                self.note("C.again", event=row.event, to=row.to)
                self.publish(row)

    def publish(self, row: Outgoing) -> None:
        self.published |= {row.event.number}
        self.send(row.to, row.event)
        self.set_timer("resend", *self.patience.wait(1), about=row.event.about)

    @on(Ack)
    def acknowledged(self, sender: str, message: Ack) -> None:
        self.outbox = tuple(row for row in self.outbox if row.event.number != message.number)
        self.published -= {message.number}
        self.note("C.acked", number=message.number, sender=sender)
        self.cancel_timer("resend", about=message.about)

    @on(Event)
    def take_in(self, sender: str, event: Event) -> None:
        self.send(sender, Ack(event.number))
        if not self.is_new(sender, event.number):
            self.note("C.seen", event=event, sender=sender)
            return
        self.inbox = tuple(sorted((*self.inbox, Incoming(sender, event.number))))
        self.note("C.event", event=event, sender=sender)
        if not any(record.saga == event.saga for record in self.log):
            self.log = (*self.log, Record(event.saga, BEGUN, detail=event.definition))
        if event.record.what != BEGUN:
            self.log = (*self.log, event.record)
        if event.record.what == ENDED:
            self.release(event.saga)
        self.go_on(event.saga)

    # What to do about them

    def go_on(self, saga: str) -> None:
        """Do what is this service's to do, as far as it can."""
        while self.one_thing(self.progress_of(saga)):
            pass

    def one_thing(self, at: Progress) -> bool:
        """Do one thing that can be done for this saga; whether there was one, so that there may be another."""
        if at.ended or at.stuck:
            if at.stuck and self.instance(at.saga):
                self.answer(at)
            return False
        if at.refused and not at.turned_back:
            self.log = (*self.log, Record(at.saga, TURNED_BACK))
            self.note("C.back", saga=at.saga, step=at.refused[0], reason=at.reason)
            return True
        mine = [step for step in at.definition.steps if step.at == self.id]
        if at.turned_back:
            return any(self.undo(at, step) for step in mine if self.may_compensate(at, step.name)) or self.ends(at)
        settled = {*at.done, *at.undone}
        ready = [step for step in mine if step.name not in settled and all(name in at.done for name in step.after)]
        return any(self.do(at, step) for step in ready) or self.ends(at)

    def do(self, at: Progress, step: Step) -> bool:
        outcome, key = self.perform(at.saga, step.name, step.do, step.kind), about(at.saga, step.name)
        if isinstance(outcome, Trouble):
            most = self.patience.alarm if step.kind == RETRIABLE else self.patience.tries
            if self.try_later(key, at.saga, step.name, most):
                return False
            if step.kind == RETRIABLE:
                return self.gets_stuck(at, step, step.name)
            outcome = self.give_up(at.saga, step.name, outcome)
        self.stop_trying(key)
        self.happens(at.definition, Record(at.saga, outcome.outcome, step.name, reason=outcome.reason))
        if outcome.outcome == DONE and step.kind == PIVOT:
            self.note("C.pivot", saga=at.saga, step=step.name)
        return True

    def undo(self, at: Progress, step: Step) -> bool:
        assert step.undo is not None
        outcome, key = self.compensate(at.saga, step.name, step.undo), about(at.saga, step.name, undo=True)
        if isinstance(outcome, Trouble):
            if self.try_later(key, at.saga, step.name, self.patience.alarm):
                return False
            return self.gets_stuck(at, step, f"undo {step.name}")
        self.stop_trying(key)
        self.happens(at.definition, Record(at.saga, UNDONE, step.name))
        return True

    def gets_stuck(self, at: Progress, step: Step, what: str) -> bool:
        """A step or compensation that may not be given up has failed too often: it needs a human."""
        self.note("C.stuck", saga=at.saga, what=what, times=self.patience.alarm)
        self.stop_trying(f"{at.saga}.{what}")
        self.happens(at.definition, Record(at.saga, STUCK, step.name, reason=Reason("stuck", what)))
        return True

    def ends(self, at: Progress) -> bool:
        """Where the saga began here: whether it has ended, which is told to the client, and where rows are marked, to
        those that marked them."""
        definition = at.definition
        if self.instance(at.saga) is None:
            return False
        if at.turned_back and all(self.is_settled(at, name) for name in definition.roots):
            outcome = COMPENSATED
        elif not at.turned_back and all(name in at.done for name in definition.leaves):
            outcome = COMPLETED
        else:
            return False
        self.note(f"C.{outcome}", saga=at.saga, reason=at.reason)
        ended = Record(at.saga, ENDED, detail=outcome)
        if outcome == COMPLETED and self.marks(COMPENSATABLE):
            self.happens(definition, ended)
            self.release(at.saga)
        else:
            self.log = (*self.log, ended)
        self.answer(self.progress_of(at.saga))
        return False

    # Trying again

    def try_later(self, what: str, saga: str, step: str, most: int) -> bool:
        """Try it again later, if it was tried less often than `most`; 0 is no limit."""
        before = self.attempts.get(what)
        tries = self.patience.counted(before.times + 1 if before else 1)
        if 0 < most <= tries:
            return False
        self.attempts = self.attempts.put(what, Attempts(saga, tries))
        wait, longest = self.patience.wait(tries)
        self.note("C.later", saga=saga, step=step, wait=wait)
        self.set_timer("retry", wait, longest, about=what)
        return True

    def stop_trying(self, what: str) -> None:
        if what in self.attempts:
            self.attempts = self.attempts.without(what)
            self.cancel_timer("retry", about=what)

    @on_timer("retry")
    def retry(self, what: str) -> None:
        self.go_on(self.attempts[what].saga)

    # After a crash

    def on_restart(self) -> None:
        """Outbox and log are all that is needed: what was not acknowledged is published again, what was not done is
        done now."""
        if self.outbox:
            self.note("C.resume", events=len(self.outbox))
            self.set_timer("relay", self.poll)
        for saga in dict.fromkeys(record.saga for record in self.log):
            self.go_on(saga)
