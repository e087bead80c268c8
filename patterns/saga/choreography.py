"""Choreography: no coordinator. Each service reacts to the events of the others, by the same definition.

An event is a row of the service's outbox, written together with what it tells of (Richardson 2018, 3.3.7, transactional
outbox). A relay publishes what is in the outbox until it is acknowledged: at least once, so that who consumes events
keeps an inbox of those it has seen (3.3.6). A service that refuses a step says so to all; each then undoes its own, the
last first, once what came after it is undone.

Nobody is there to give up on a service that does not answer: its saga waits until it is back. What is simpler here than
elsewhere: the broker's part is played by the network, which loses, doubles and reorders what it carries; and outbox and
inbox are read by the process itself, not by a change-data-capture tool such as Debezium.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from patterns.engine.process import durable, on, on_request, on_timer, setting

from .database import Database, Trouble
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, Saga, Step
from .messages import Accepted, Ack, Begin, Elsewhere, Ended, Event, Repair
from .records import (
    BEGUN,
    COMPENSATED,
    COMPLETED,
    DONE,
    ENDED,
    REFUSED,
    REPAIRED,
    STUCK,
    TURNED_BACK,
    UNDONE,
    UNKNOWN,
    Handled,
    Instance,
    Progress,
    Record,
    progress,
    records_of,
    times,
)


class Outgoing(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A row of the outbox: an event that is not acknowledged yet by the one it is for."""

    number: int
    to: str
    saga: str
    definition: str
    what: str
    step: str
    detail: str

    @property
    def event(self) -> Event:
        return Event(self.number, self.saga, self.definition, self.what, self.step, self.detail)


class Incoming(msgspec.Struct, frozen=True, order=True, gc=False, cache_hash=True):
    """A row of the inbox: an event that was taken in."""

    sender: str
    number: int


class Attempts(NamedTuple):
    """How often a step, or its compensation, was tried in vain."""

    saga: str
    step: str
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


class Peer(Database):
    """A service that knows the definitions, and acts on events. Times are in ms."""

    definitions: tuple[Saga, ...] = setting(())
    poll: int = setting(5)
    """How long an event lies in the outbox before the relay looks there."""
    timeout: int = setting(40)
    """How long the relay waits for an acknowledgement, and a step that failed until it is tried again."""
    tries: int = setting(3)
    """How often a step that fails is tried before it is refused."""
    alarm: int = setting(5)
    """How often a compensation is tried before a human is called; 0 for never."""
    backoff: int = setting(8)
    """How many times `timeout` a step waits at most: the wait doubles with each try."""

    instances: tuple[Instance, ...] = durable(())
    """The sagas that began here."""
    log: tuple[Record, ...] = durable(())
    """What it knows of sagas: what it did itself, and what it was told."""
    outbox: tuple[Outgoing, ...] = durable(())
    inbox: tuple[Incoming, ...] = durable(())
    last_number: int = durable(0)
    """The number of the last event put into the outbox."""

    published: frozenset[int] = frozenset()
    """What the relay has sent since the service began, and waits to be acknowledged."""
    attempts: tuple[Attempts, ...] = ()

    # The rules, one by one

    def is_settled(self, at: Progress, step: str) -> bool:
        """In a saga that turns back, whether nothing of a step is left or ever will be: it is undone, or refused, or
        can never begin, because one that it comes after was refused."""
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

    # Requests

    @on_request(Begin)
    def begin(self, client: str, request: Begin) -> None:
        definition = next((each for each in self.definitions if each.name == request.definition), None)
        if definition is None:
            self.note("C.unknown", definition=request.definition)
            self.reply(client, Ended(request.serial, request.saga, UNKNOWN, f"there is no saga {request.definition!r}"))
        elif definition.steps[0].at != self.id:
            self.elsewhere(client, request, definition)
        elif self.instance(request.saga) is None:
            self.note("C.begin", saga=request.saga, definition=definition.name)
            self.instances = (*self.instances, Instance(request.saga, definition.name, client, request.serial))
            self.happens(definition, request.saga, BEGUN, detail=definition.name)
            self.react(request.saga)
        elif (at := self.progress_of(request.saga)).ended or at.stuck:
            self.note("C.answer again", saga=request.saga, phase=at.phase)
            self.answer(at)
        else:
            self.note("C.known", saga=request.saga)

    @on_request(Repair)
    def repair(self, client: str, request: Repair) -> None:
        if self.instance(request.saga) and (at := self.progress_of(request.saga)).stuck:
            for name in at.stuck:
                self.note("C.repaired", saga=request.saga, step=name)
                self.happens(at.definition, request.saga, REPAIRED, name)
            self.react(request.saga)
        self.reply(client, Accepted(request.serial, request.saga))

    def elsewhere(self, client: str, request: Begin, definition: Saga) -> None:
        self.note("S.elsewhere", client=client, leader=definition.steps[0].at)
        self.reply(client, Elsewhere(request.serial, definition.steps[0].at))

    def answer(self, at: Progress) -> None:
        instance = self.instance(at.saga)
        assert instance is not None
        self.reply(instance.client, Ended(instance.serial, at.saga, at.phase, at.reason))

    # Events

    def happens(self, definition: Saga, saga: str, what: str, step: str = "", detail: str = "") -> None:
        """Note down what happened, and in the same write, in the outbox, whom to tell."""
        self.log = (*self.log, Record(saga, what, step, detail))
        for to in subscribers(definition, what, step):
            if to != self.id:
                self.last_number += 1
                row = Outgoing(self.last_number, to, saga, definition.name, what, step, detail)
                self.outbox = (*self.outbox, row)
                self.set_timer("relay", self.poll)

    @on_timer("relay")
    def relay(self) -> None:
        """Publish what is new in the outbox."""
        new = [row for row in self.outbox if row.number not in self.published]
        for row in new:
            self.send(row.to, row.event)
        self.published |= {row.number for row in new}
        if new:
            self.note("C.publish", events=", ".join(f"{row.event} to {row.to}" for row in new))
            self.set_timer("resend", self.timeout, self.timeout * 5 // 4)

    @on_timer("resend")
    def resend(self) -> None:
        """Publish again what nobody has acknowledged."""
        for row in self.outbox:
            if row.number in self.published:
                self.note("C.again", event=row.event, to=row.to)
                self.send(row.to, row.event)
                self.set_timer("resend", self.timeout, self.timeout * 5 // 4)

    @on(Ack)
    def acknowledged(self, sender: str, message: Ack) -> None:
        self.outbox = tuple(row for row in self.outbox if row.number != message.number)
        self.published -= {message.number}
        self.note("C.acked", number=message.number, sender=sender)
        if not self.published:
            self.cancel_timer("resend")

    @on(Event)
    def take_in(self, sender: str, event: Event) -> None:
        self.send(sender, Ack(event.number))
        if not self.is_new(sender, event.number):
            self.note("C.seen", event=event, sender=sender)
            return
        self.inbox = tuple(sorted((*self.inbox, Incoming(sender, event.number))))
        self.note("C.event", event=event, sender=sender)
        if not any(record.saga == event.saga for record in self.log):
            self.log = (*self.log, Record(event.saga, BEGUN, "", event.definition))
        if event.what != BEGUN:
            self.log = (*self.log, Record(event.saga, event.what, event.step, event.detail))
        if event.what == ENDED:
            self.release(event.saga)
        self.react(event.saga)

    # What to do about them

    def react(self, saga: str) -> None:
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
        outcome = self.perform(at.saga, step.name, step.do, step.kind)
        if isinstance(outcome, Trouble):
            if step.kind == RETRIABLE or self.tried(at.saga, step.name) < self.tries:
                self.try_later(at.saga, step.name)
                return False
            self.note("C.gave up", saga=at.saga, step=step.name, times=times(self.tries))
            outcome = self.handle(Handled(at.saga, step.name, False, REFUSED, f"it failed {times(self.tries)}"))
        self.happens(at.definition, at.saga, outcome.outcome, step.name, outcome.reason)
        if outcome.outcome == DONE and step.kind == PIVOT:
            self.note("C.pivot", saga=at.saga, step=step.name)
        return True

    def undo(self, at: Progress, step: Step) -> bool:
        assert step.undo is not None
        outcome = self.compensate(at.saga, step.name, step.undo)
        if not isinstance(outcome, Trouble):
            self.happens(at.definition, at.saga, UNDONE, step.name)
            return True
        if self.alarm == 0 or self.tried(at.saga, step.name) < self.alarm:
            self.try_later(at.saga, step.name)
            return False
        self.note("C.stuck", saga=at.saga, step=step.name, times=times(self.alarm))
        self.attempts = tuple(each for each in self.attempts if each.saga != at.saga)
        self.happens(at.definition, at.saga, STUCK, step.name, f"undo {step.name} fails: {outcome.reason}")
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
        if outcome == COMPLETED and self.marks(COMPENSATABLE):
            self.happens(definition, at.saga, ENDED, detail=outcome)
            self.release(at.saga)
        else:
            self.log = (*self.log, Record(at.saga, ENDED, "", outcome))
        self.answer(self.progress_of(at.saga))
        return False

    # Trying again

    def tried(self, saga: str, step: str) -> int:
        """How often a step was tried, this time included."""
        return 1 + next((each.times for each in self.attempts if (each.saga, each.step) == (saga, step)), 0)

    def try_later(self, saga: str, step: str) -> None:
        times = min(self.tried(saga, step), max(self.tries, self.alarm))
        others = tuple(each for each in self.attempts if (each.saga, each.step) != (saga, step))
        self.attempts = (*others, Attempts(saga, step, times))
        wait = self.timeout * min(2 ** (times - 1), self.backoff)
        self.note("C.later", saga=saga, step=step, wait=wait)
        self.set_timer("retry", wait, wait * 5 // 4)

    @on_timer("retry")
    def retry(self) -> None:
        for saga in dict.fromkeys(each.saga for each in self.attempts):
            self.react(saga)

    # After a crash

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        """Outbox and log are all that is needed: what was not acknowledged is published again, what was not done is
        done now."""
        if self.outbox:
            self.note("C.resume", events=len(self.outbox))
            self.set_timer("relay", self.poll)
        for saga in dict.fromkeys(record.saga for record in self.log):
            self.react(saga)

    # The log

    def progress_of(self, saga: str) -> Progress:
        records = records_of(self.log, saga)  # the first says which definition it is of
        definition = next(each for each in self.definitions if each.name == records[0].detail)
        return progress(definition, saga, records)

    def instance(self, saga: str) -> Instance | None:
        return next((each for each in self.instances if each.saga == saga), None)
