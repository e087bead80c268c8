"""Orchestration: one process keeps a saga log and tells services what to do; services answer.

Garcia-Molina and Salem's saga execution component, with its log (1987, sections 4 and 5), between services as
Richardson describes it (2018, 4.2.2). A step that is refused, or not answered `tries` times, turns the saga back:
backward recovery. After the pivot it asks on until all is done: forward recovery.

Real systems do more. Temporal replays the history of a program, and AWS Step Functions runs a state machine; here a
saga is a graph of steps. MassTransit and NServiceBus can put the orchestrator's messages into an outbox; here the
orchestrator sends its requests again after a crash. And a log is kept forever here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from patterns.engine.process import durable, on, on_request, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .database import NO_LOCK, Database, Locking, Trouble
from .definition import COMPENSATABLE, PIVOT, RETRIABLE, Saga, Step
from .front import Front, Patience
from .log import (
    COMPENSATED,
    COMPLETED,
    DONE,
    ENDED,
    GAVE_UP,
    PIVOT_PASSED,
    REFUSED,
    STARTED,
    STUCK,
    TURNED_BACK,
    UNDONE,
    Asker,
    Instance,
    Progress,
    Record,
    to_compensate,
)
from .messages import (
    Begin,
    Cancel,
    Command,
    Do,
    Done,
    Elsewhere,
    Failed,
    Refused,
    Release,
    Released,
    Repair,
    Undo,
    Undone,
    about,
)
from .reasons import NO_REASON, Reason


class Waiting(Value):
    """A command that is not answered yet."""

    to: str
    command: Command
    tries: int = 1
    """How often it was sent; counted no further than what makes a difference."""


class Orchestrator(Front):
    """Runs sagas of the definitions it is given."""

    definitions: tuple[Saga, ...]
    patience: Patience = setting(Patience())
    locking: Locking = setting(NO_LOCK)

    instances: tuple[Instance, ...] = durable(())
    """The sagas that it was asked for."""
    askers: tuple[Asker, ...] = durable(())
    """The clients that wait for the end of one."""
    log: tuple[Record, ...] = durable(())
    """The saga log."""
    waiting: Table[Waiting] = Table()
    """The saga and the step -> the command that is not answered yet. Each has a timer of its own."""

    # The rules, one by one

    def not_undone(self, at: Progress) -> tuple[str, ...]:
        """The steps that are to be compensated: those that were done, and those that may have been."""
        return at.not_undone()

    def next_compensations(self, at: Progress) -> tuple[str, ...]:
        """The steps to compensate now: those that no other step, done or perhaps done, builds on."""
        return to_compensate(at.definition, self.not_undone(at))

    def gives_up(self, waiting: Waiting) -> bool:
        """Whether a command has been sent often enough: a compensatable step is given up, to be compensated. The pivot
        is not: whether it was done decides which way the saga goes, and only its service knows."""
        command = waiting.command
        return isinstance(command, Do) and command.kind == COMPENSATABLE and waiting.tries >= self.patience.tries

    def is_final(self, command: Command, tries: int) -> bool:
        """Whether its service is to do a pivot now, or to refuse it for good: no saga waits for its pivot for ever."""
        return isinstance(command, Do) and command.kind == PIVOT and tries >= self.patience.tries

    def calls_for_help(self, waiting: Waiting) -> bool:
        """Whether what may not be given up has failed too often: it needs a human (1987, section 6). Of a pivot, the
        last try has to be among those."""
        command = waiting.command
        own_end = isinstance(command, Do) and (
            command.kind == COMPENSATABLE or (command.kind == PIVOT and not command.final)
        )
        return 0 < self.patience.alarm <= waiting.tries and not own_end

    # What comes next: read off the log

    def go_on(self, saga: str) -> None:
        """Ask for what comes next, or end."""
        at = self.progress_of(saga)
        if at.ended or at.stuck:
            return
        if at.turned_back:
            self.go_back(at)
        elif at.all_done:
            self.finish(at)
        else:
            self.go_forward(at)

    def go_forward(self, at: Progress) -> None:
        """Ask again for steps that began and are not done, if no answer is awaited: after a crash or a repair. Then
        ask for the steps that can begin now."""
        for name in at.started:
            if name not in at.done and about(at.saga, name) not in self.waiting:
                self.ask_for(at.definition[name], at.saga, "O.start again")
        for name in at.ready():
            self.write(at.saga, STARTED, name)
            self.ask_for(at.definition[name], at.saga, "O.start")

    def go_back(self, at: Progress) -> None:
        """Backward recovery (4): compensate what was done, in reverse."""
        for name in self.next_compensations(at):
            step = at.definition[name]
            assert step.undo is not None
            undo = Undo(at.saga, name, step.undo)
            if undo.about not in self.waiting:
                self.note("O.undo", saga=at.saga, step=name, service=step.at)
                self.ask(step.at, undo)
        if not self.not_undone(at):
            self.end(at, COMPENSATED)

    def finish(self, at: Progress) -> None:
        """All is done. Where rows are marked, the marks go first: a saga has ended when all it wrote is final."""
        marked = dict.fromkeys(step.at for step in at.definition.steps if step.kind == COMPENSATABLE)
        if self.locking == NO_LOCK or not marked:
            self.end(at, COMPLETED)
            return
        for service in marked:
            self.note("O.release", saga=at.saga, service=service)
            self.ask(service, Release(at.saga, service))

    def turn_back(self, saga: str, reason: Reason = NO_REASON) -> None:
        """No step is asked for any more; those under way are compensated too, whatever comes of them."""
        self.write(saga, TURNED_BACK, reason=reason)
        at = self.progress_of(saga)
        steps = tuple(sorted(self.not_undone(at), key=at.definition.names.index))
        self.note("O.back", saga=saga, reason=at.reason, steps=steps)
        self.wait_no_longer(saga)

    def may_turn_back(self, at: Progress) -> bool:
        """Whether every step that began can be undone. The orchestrator cannot know whether another one is done."""
        return not at.turned_back and all(at.definition[name].kind == COMPENSATABLE for name in at.started)

    def withdraws(self, at: Progress) -> bool:
        if at.ended or not self.may_turn_back(at):
            return False
        self.turn_back(at.saga, Reason("withdrawn"))
        self.go_on(at.saga)
        return True

    def end(self, at: Progress, outcome: str) -> None:
        self.write(at.saga, ENDED, detail=outcome)
        self.note(f"O.{outcome}", saga=at.saga, reason=at.reason)
        self.wait_no_longer(at.saga)
        self.answer(self.progress_of(at.saga))

    # Answers

    def receive(self, service: str, message: Any) -> None:
        if message.about in self.waiting:
            super().receive(service, message)
        else:
            self.note("O.late", message=message)

    @on(Done)
    def step_done(self, service: str, message: Done) -> None:
        self.answered(message.about)
        self.write(message.saga, DONE, message.step)
        self.note("O.done", saga=message.saga, step=message.step)
        if self.progress_of(message.saga).definition[message.step].kind == PIVOT:
            self.write(message.saga, PIVOT_PASSED, message.step)
            self.note("O.pivot", saga=message.saga, step=message.step)
        self.go_on(message.saga)

    @on(Refused)
    def step_refused(self, service: str, message: Refused) -> None:
        self.write(message.saga, REFUSED, message.step, reason=message.reason)
        self.note("O.refused", saga=message.saga, step=message.step, service=service, reason=message.reason)
        self.turn_back(message.saga)
        self.go_on(message.saga)

    @on(Undone)
    def step_undone(self, service: str, message: Undone) -> None:
        self.answered(message.about)
        self.write(message.saga, UNDONE, message.step)
        self.note("O.undone", saga=message.saga, step=message.step)
        self.go_on(message.saga)

    @on(Failed)
    def step_failed(self, service: str, message: Failed) -> None:
        # It is asked again when the timer fires.
        self.note("O.failed", command=self.waiting[message.about].command, reason=message.reason)

    @on(Released)
    def step_released(self, service: str, message: Released) -> None:
        self.answered(message.about)
        if not self.waits_for(message.saga):
            self.end(self.progress_of(message.saga), COMPLETED)

    # Asking, and asking again

    def ask_for(self, step: Step, saga: str, rule: str) -> None:
        self.note(rule, saga=saga, step=step.name, service=step.at)
        self.ask(step.at, Do(saga, step.name, step.do, step.kind))

    def ask(self, service: str, command: Command, tries: int = 1) -> None:
        """Send a command; and again if there is no answer in time."""
        if self.is_final(command, tries):
            command = msgspec.structs.replace(command, final=True)
        self.waiting = self.waiting.put(command.about, Waiting(service, command, tries))
        self.set_timer("retry", *self.patience.wait(tries), about=command.about)
        self.send(service, command)

    @on_timer("retry")
    def no_answer(self, about: str) -> None:
        waiting = self.waiting[about]
        service, command, tries = waiting.to, waiting.command, waiting.tries
        if self.gives_up(waiting):
            self.write(command.saga, GAVE_UP, command.step, reason=Reason("late", command.step))
            self.note("O.gave up", saga=command.saga, step=command.step, service=service, times=tries)
            self.turn_back(command.saga)
            self.go_on(command.saga)
        elif self.calls_for_help(waiting):
            what = str(command).removeprefix(f"{command.saga}: ")
            self.write(command.saga, STUCK, command.step, reason=Reason("stuck", what))
            self.note("O.stuck", saga=command.saga, what=what, service=service, times=tries)
            self.wait_no_longer(command.saga)
            self.answer(self.progress_of(command.saga))
        else:
            # What may be given up, what decides, and what has only one way to go (5).
            kind, tries = command.kind if isinstance(command, Do) else COMPENSATABLE, self.patience.counted(tries + 1)
            rule = {COMPENSATABLE: "O.retry", PIVOT: "O.pivot again", RETRIABLE: "O.forward"}[kind]
            self.note("O.last try" if self.is_final(command, tries) else rule, command=command, service=service)
            self.ask(service, command, tries)

    def waits_for(self, saga: str) -> tuple[str, ...]:
        """What it waits for in this saga."""
        return tuple(about for about, waiting in self.waiting if waiting.command.saga == saga)

    def wait_no_longer(self, saga: str) -> None:
        for key in self.waits_for(saga):
            self.answered(key)

    def answered(self, about: str) -> None:
        self.waiting = self.waiting.without(about)
        self.cancel_timer("retry", about=about)

    # After a crash

    def on_restart(self) -> None:
        """The memory is empty, and the log says where every saga is. The orchestrator asks again for each step that
        has no answer: it cannot know whether its message arrived."""
        for instance in self.instances:
            at = self.progress_of(instance.saga)
            if not at.ended and not at.stuck:
                self.note("O.resume", saga=at.saga, phase=at.phase, done=at.done)
                self.resume(at)

    def resume(self, at: Progress) -> None:
        """Go on as if nothing had happened: each step is a save-point (5), for asking twice does no harm."""
        self.go_on(at.saga)

    def write(self, saga: str, what: str, step: str = "", detail: str = "", reason: Reason = NO_REASON) -> None:
        self.log = (*self.log, Record(saga, what, step, detail, reason))


class BackwardAfterCrash(Orchestrator):
    """After a crash it turns back where it still can: backward recovery without save-points (4). Past the pivot, or
    where the pivot may be done, it goes forward all the same."""

    def resume(self, at: Progress) -> None:
        if not self.may_turn_back(at):
            super().resume(at)
            return
        self.turn_back(at.saga, Reason("interrupted"))
        self.go_on(at.saga)


class Service(Database):
    """Does what the orchestrator asks for, each thing once."""

    orchestrator: str = setting("orchestrator")

    def receive(self, orchestrator: str, message: Any) -> None:
        undo = isinstance(message, Undo)
        if isinstance(message, Do | Undo) and self.is_other(message.saga, message.step, undo, message.action):
            self.send(orchestrator, Failed(message.saga, message.step, undo, Reason("taken", "another request")))
        else:
            super().receive(orchestrator, message)

    @on(Do)
    def do(self, orchestrator: str, command: Do) -> None:
        outcome = self.perform(command.saga, command.step, command.action, command.kind)
        if isinstance(outcome, Trouble) and command.final:
            outcome = self.give_up(command.saga, command.step, outcome)
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
        self.send(orchestrator, Released(command.saga, command.step))

    @on_request(Begin, Repair, Cancel)
    def not_here(self, client: str, request: Begin | Repair | Cancel) -> None:
        self.note("S.elsewhere", client=client, leader=self.orchestrator)
        self.reply(client, Elsewhere(request.serial, self.orchestrator))
