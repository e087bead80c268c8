"""Orchestration: one process keeps a saga log and tells services what to do; services answer.

Garcia-Molina and Salem's saga execution component, with its log (1987, sections 4 and 5), between services as
Richardson describes it (2018, 4.2.2). A step that is refused, or not answered `tries` times, turns the saga back:
backward recovery. After the pivot it asks on until all is done: forward recovery.

What is simpler here than in what runs elsewhere: Temporal replays the history of a program, and AWS Step Functions
runs a state machine, where here there is a graph of steps; MassTransit and NServiceBus can put the orchestrator's
messages into an outbox, where here what was asked for is asked again after a crash; and a log is kept forever here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from patterns.engine.process import Process, durable, on, on_request, on_timer, setting

from .database import NO_LOCK, Database, Locking, Trouble
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, Saga
from .messages import (
    Accepted,
    Begin,
    Do,
    Done,
    Elsewhere,
    Ended,
    Failed,
    Refused,
    Release,
    Released,
    Repair,
    Undo,
    Undone,
)
from .records import (
    BEGUN,
    COMPENSATED,
    COMPLETED,
    DONE,
    ENDED,
    GAVE_UP,
    PIVOT_PASSED,
    REFUSED,
    REPAIRED,
    STARTED,
    STUCK,
    TURNED_BACK,
    UNDONE,
    UNKNOWN,
    Instance,
    Progress,
    Record,
    progress,
    records_of,
    times,
    to_compensate,
)


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A command that is not answered yet."""

    to: str
    command: Do | Undo | Release
    tries: int = 1
    """How often it was sent; counted no further than what makes a difference."""
    ticks: int = 1
    """How many times the timer runs out before it is sent again."""


class Orchestrator(Process):
    """Runs sagas of the definitions it is given. `timeout` is in ms."""

    definitions: tuple[Saga, ...]
    timeout: int = setting(40)
    """How long it waits for an answer before it asks again."""
    tries: int = setting(3)
    """How often it asks for a compensatable step before it gives up and turns back."""
    alarm: int = setting(5)
    """How often it asks for a compensation before it calls for a human; 0 for never."""
    backoff: int = setting(8)
    """How many times `timeout` it waits at most: the wait doubles with each try."""
    locking: Locking = setting(NO_LOCK)

    instances: tuple[Instance, ...] = durable(())
    """The sagas that it was asked for."""
    log: tuple[Record, ...] = durable(())
    """The saga log."""
    waiting: tuple[Waiting, ...] = ()

    # The rules, one by one

    def standing(self, at: Progress) -> tuple[str, ...]:
        """The steps that are to be compensated: those that were done, and those that may have been."""
        return at.standing()

    def next_compensations(self, at: Progress) -> tuple[str, ...]:
        """The steps to compensate now: those that no other step, done or perhaps done, builds on."""
        return to_compensate(at.definition, self.standing(at))

    def gives_up(self, waiting: Waiting) -> bool:
        """Whether a command has been sent often enough: a compensatable step is given up, to be compensated. The pivot
        is not: whether it was done decides which way the saga goes, and only its service knows."""
        command = waiting.command
        return isinstance(command, Do) and command.kind == COMPENSATABLE and waiting.tries >= self.tries

    # Requests

    @on_request(Begin)
    def begin(self, client: str, request: Begin) -> None:
        if request.definition not in [each.name for each in self.definitions]:
            self.note("O.unknown", definition=request.definition)
            self.reply(client, Ended(request.serial, request.saga, UNKNOWN, f"there is no saga {request.definition!r}"))
        elif self.instance(request.saga) is None:
            # The log has the saga before anything is done for it (4).
            self.instances = (*self.instances, Instance(request.saga, request.definition, client, request.serial))
            self.write(request.saga, BEGUN, detail=request.definition)
            self.note("O.begin", saga=request.saga, definition=request.definition)
            self.advance(request.saga)
        elif (at := self.progress_of(request.saga)).ended or at.stuck:
            self.note("O.answer again", saga=request.saga, phase=at.phase)
            self.answer(at)
        else:
            self.note("O.known", saga=request.saga)

    @on_request(Repair)
    def repair(self, client: str, request: Repair) -> None:
        at = self.progress_of(request.saga) if self.instance(request.saga) else None
        if at and at.stuck:
            self.note("O.repaired", saga=request.saga, step=", ".join(at.stuck))
            self.write(request.saga, REPAIRED)
            self.advance(request.saga)
        self.reply(client, Accepted(request.serial, request.saga))

    def answer(self, at: Progress) -> None:
        instance = self.instance(at.saga)
        assert instance is not None
        self.reply(instance.client, Ended(instance.serial, at.saga, at.phase, at.reason))

    # What comes next: read off the log

    def progress_of(self, saga: str) -> Progress:
        instance = self.instance(saga)
        assert instance is not None
        return progress(self.definition(instance.definition), saga, records_of(self.log, saga))

    def advance(self, saga: str) -> None:
        """Ask for what comes next, or end."""
        at = self.progress_of(saga)
        if at.ended or at.stuck:
            return
        if at.turned_back:
            self.go_back(at)
        elif at.all_done:
            self.finish(at)
        else:
            for name in at.ready():
                step = at.definition[name]
                self.write(saga, STARTED, name)
                self.note("O.start", saga=saga, step=name, service=step.at)
                self.ask(step.at, Do(saga, name, step.do, step.kind))

    def go_back(self, at: Progress) -> None:
        """Backward recovery (4): compensate what was done, in reverse."""
        for name in self.next_compensations(at):
            step = at.definition[name]
            if step.undo is not None and not self.is_asked(at.saga, name):
                self.note("O.undo", saga=at.saga, step=name, service=step.at)
                self.ask(step.at, Undo(at.saga, name, step.undo))
        if not self.standing(at):
            self.end(at, COMPENSATED)

    def finish(self, at: Progress) -> None:
        """All is done. Where rows are marked, the marks go first: a saga has ended when all it wrote is final."""
        marked = dict.fromkeys(step.at for step in at.definition.steps if step.kind == COMPENSATABLE)
        if self.locking == NO_LOCK or not marked:
            self.end(at, COMPLETED)
            return
        for service in marked:
            self.note("O.release", saga=at.saga, service=service)
            self.ask(service, Release(at.saga))

    def end(self, at: Progress, outcome: str) -> None:
        self.write(at.saga, ENDED, detail=outcome)
        self.note(f"O.{outcome}", saga=at.saga, reason=at.reason or "it was interrupted")
        self.waiting = tuple(waiting for waiting in self.waiting if waiting.command.saga != at.saga)
        self.settle_timer()
        self.answer(self.progress_of(at.saga))

    def turn_back(self, saga: str) -> None:
        """No step is asked for any more; those under way are compensated too, whatever comes of them."""
        self.write(saga, TURNED_BACK)
        standing = self.standing(self.progress_of(saga))
        self.note("O.back", saga=saga, steps=", ".join(standing) or "nothing")
        self.forget(lambda command: command.saga == saga)

    # Answers

    @on(Done)
    def step_done(self, service: str, message: Done) -> None:
        if not self.is_awaited(message.saga, message.step, Do):
            self.note("O.late", message=message)
            return
        self.forget(lambda command: isinstance(command, Do) and (command.saga, command.step) == key(message))
        self.write(message.saga, DONE, message.step)
        self.note("O.done", saga=message.saga, step=message.step)
        if self.progress_of(message.saga).definition[message.step].kind == PIVOT:
            self.write(message.saga, PIVOT_PASSED, message.step)
            self.note("O.pivot", saga=message.saga, step=message.step)
        self.advance(message.saga)

    @on(Refused)
    def step_refused(self, service: str, message: Refused) -> None:
        if not self.is_awaited(message.saga, message.step, Do):
            self.note("O.late", message=message)
            return
        self.write(message.saga, REFUSED, message.step, message.reason)
        self.note("O.refused", saga=message.saga, step=message.step, service=service, reason=message.reason)
        self.turn_back(message.saga)
        self.advance(message.saga)

    @on(Undone)
    def step_undone(self, service: str, message: Undone) -> None:
        if not self.is_awaited(message.saga, message.step, Undo):
            self.note("O.late", message=message)
            return
        self.forget(lambda command: isinstance(command, Undo) and (command.saga, command.step) == key(message))
        self.write(message.saga, UNDONE, message.step)
        self.note("O.undone", saga=message.saga, step=message.step)
        self.advance(message.saga)

    @on(Failed)
    def step_failed(self, service: str, message: Failed) -> None:
        # It is asked again when the timer runs out.
        if self.is_awaited(message.saga, message.step, Undo if message.undo else Do):
            what = f"undo {message.step}" if message.undo else message.step
            self.note("O.failed", saga=message.saga, step=what, reason=message.reason)
        else:
            self.note("O.late", message=message)

    @on(Released)
    def step_released(self, service: str, message: Released) -> None:
        if not any(w.to == service and w.command == Release(message.saga) for w in self.waiting):
            self.note("O.late", message=message)
            return
        self.waiting = tuple(w for w in self.waiting if not (w.to == service and w.command == Release(message.saga)))
        self.settle_timer()
        if not any(w.command == Release(message.saga) for w in self.waiting):
            self.end(self.progress_of(message.saga), COMPLETED)

    # Asking, and asking again

    def ask(self, service: str, command: Do | Undo | Release) -> None:
        # With the timer under way already, its next end may be too soon: then it is the one after that.
        ticks = min(2, self.backoff) if self.waiting else 1
        if not self.waiting:
            self.set_timer("retry", self.timeout, self.timeout * 5 // 4)
        self.waiting = (*self.waiting, Waiting(service, command, 1, ticks))
        self.send(service, command)

    @on_timer("retry")
    def ask_again(self) -> None:
        before, self.waiting = self.waiting, ()
        gave_up = [w for w in before if w.ticks == 1 and (self.gives_up(w) or self.calls_for_help(w))]
        self.waiting = tuple(self.wait_on(w) for w in before if w not in gave_up)
        for waiting in gave_up:
            self.give_up(waiting)
        if self.waiting:
            self.set_timer("retry", self.timeout, self.timeout * 5 // 4)

    def wait_on(self, waiting: Waiting) -> Waiting:
        """The command, sent again where its time has come: twice as long after each try, with a little chance."""
        if waiting.ticks > 1:
            self.note("O.wait", command=waiting.command)
            return msgspec.structs.replace(waiting, ticks=waiting.ticks - 1)
        tries = min(waiting.tries + 1, max(self.tries, self.alarm))
        command = waiting.command
        self.note(self.reason_to_ask(command), command=command, service=waiting.to)
        self.send(waiting.to, command)
        return Waiting(waiting.to, command, tries, min(2 ** (tries - 1), self.backoff))

    def reason_to_ask(self, command: Do | Undo | Release) -> str:
        """The rule to ask again by: what may be given up, what decides, and what has only one way to go (5)."""
        if isinstance(command, Do):
            return {PIVOT: "O.pivot again", RETRIABLE: "O.forward"}.get(command.kind, "O.retry")
        return "O.retry"

    def calls_for_help(self, waiting: Waiting) -> bool:
        """Whether a compensation has failed too often: it needs a human (1987, section 6)."""
        return isinstance(waiting.command, Undo) and 0 < self.alarm <= waiting.tries

    def give_up(self, waiting: Waiting) -> None:
        command = waiting.command
        saga = command.saga
        assert not isinstance(command, Release)
        if isinstance(command, Undo):
            reason = f"undo {command.step} fails"
            self.write(saga, STUCK, command.step, reason)
            self.note("O.stuck", saga=saga, step=command.step, service=waiting.to, times=times(waiting.tries))
            self.forget(lambda other: other.saga == saga)
            self.answer(self.progress_of(saga))
        elif not self.progress_of(saga).turned_back:
            self.write(saga, GAVE_UP, command.step, f"{command.step} was not done in time")
            self.note("O.gave up", saga=saga, step=command.step, service=waiting.to, times=times(waiting.tries))
            self.turn_back(saga)
            self.advance(saga)

    def is_awaited(self, saga: str, step: str, kind: type[Do] | type[Undo]) -> bool:
        return any(
            isinstance(command, kind) and (command.saga, command.step) == (saga, step) for command in self.asked()
        )

    def is_asked(self, saga: str, step: str) -> bool:
        return self.is_awaited(saga, step, Undo)

    def asked(self) -> Iterator[Do | Undo | Release]:
        return (waiting.command for waiting in self.waiting)

    def forget(self, which: Callable[[Do | Undo | Release], bool]) -> None:
        """Wait no longer for the answers to these commands."""
        self.waiting = tuple(waiting for waiting in self.waiting if not which(waiting.command))
        self.settle_timer()

    def settle_timer(self) -> None:
        if not self.waiting:
            self.cancel_timer("retry")

    # After a crash

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        """Nothing is in memory, and nothing is needed: the log says where every saga is. What was asked for and not
        answered is asked again, since nobody here knows whether the question arrived."""
        for instance in self.instances:
            at = self.progress_of(instance.saga)
            if not at.ended and not at.stuck:
                self.note("O.resume", saga=at.saga, phase=at.phase, done=", ".join(at.done) or "nothing")
                self.resume(at)

    def resume(self, at: Progress) -> None:
        """Go on as if nothing had happened: each step is a save-point (5), for asking twice does no harm."""
        if not at.turned_back:
            for name in at.started:
                if name not in at.done:
                    step = at.definition[name]
                    self.note("O.start again", saga=at.saga, step=name, service=step.at)
                    self.ask(step.at, Do(at.saga, name, step.do, step.kind))
        self.advance(at.saga)

    # The log

    def write(self, saga: str, what: str, step: str = "", detail: str = "") -> None:
        self.log = (*self.log, Record(saga, what, step, detail))

    def instance(self, saga: str) -> Instance | None:
        return next((each for each in self.instances if each.saga == saga), None)

    def definition(self, name: str) -> Saga:
        return next(each for each in self.definitions if each.name == name)


class BackwardAfterCrash(Orchestrator):
    """After a crash it turns back where it still can: backward recovery without save-points (4). Past the pivot, or
    where the pivot may be done, it goes forward all the same."""

    def resume(self, at: Progress) -> None:
        if not at.turned_back and not any(at.definition[name].kind != COMPENSATABLE for name in at.started):
            self.turn_back(at.saga)
            at = self.progress_of(at.saga)
        super().resume(at)


def key(message: Done | Refused | Undone | Failed) -> tuple[str, str]:
    return message.saga, message.step


class Service(Database):
    """Does what the orchestrator asks for, each thing once."""

    orchestrator: str = setting("orchestrator")

    @on(Do)
    def do(self, orchestrator: str, command: Do) -> None:
        outcome = self.perform(command.saga, command.step, command.action, command.kind)
        if isinstance(outcome, Trouble):
            self.send(orchestrator, Failed(command.saga, command.step, False, outcome.reason))
        elif outcome.outcome == DONE:
            self.send(orchestrator, Done(command.saga, command.step))
        else:
            self.send(orchestrator, Refused(command.saga, command.step, outcome.reason))

    @on(Undo)
    def undo(self, orchestrator: str, command: Undo) -> None:
        outcome = self.compensate(command.saga, command.step, command.action)
        if isinstance(outcome, Trouble):
            self.send(orchestrator, Failed(command.saga, command.step, True, outcome.reason))
        else:
            self.send(orchestrator, Undone(command.saga, command.step))

    @on(Release)
    def release_rows(self, orchestrator: str, command: Release) -> None:
        self.release(command.saga)
        self.send(orchestrator, Released(command.saga))

    @on_request(Begin, Repair)
    def not_here(self, client: str, request: Begin | Repair) -> None:
        self.note("S.elsewhere", client=client, leader=self.orchestrator)
        self.reply(client, Elsewhere(request.serial, self.orchestrator))
