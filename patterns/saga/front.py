"""Where clients ask for sagas: the orchestrator, or the service of a saga's first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patterns.engine.process import Process, on_request
from patterns.engine.values import Value, by_name

from .definition import Saga
from .log import BEGUN, REJECTED, REPAIRED, UNKNOWN, Asker, Instance, Progress, Record, progress, records_of
from .messages import Accepted, Begin, Cancel, Elsewhere, Ended, Repair
from .reasons import Reason


class Patience(Value):
    """How long to wait for an answer, and how often to try. Times are in ms."""

    timeout: int = 40
    """How long it waits for an answer before it asks again."""
    tries: int = 3
    """How often it asks for a compensatable step before it gives up and turns back."""
    alarm: int = 5
    """How often it tries what it may not give up before it calls for a human; 0 for never."""
    backoff: int = 8
    """How many times `timeout` it waits at most."""

    def wait(self, tries: int) -> tuple[int, int]:
        """The shortest and the longest wait after so many tries: it doubles with each, with a little chance."""
        wait = self.timeout * min(2 ** (tries - 1), self.backoff)
        return wait, wait * 5 // 4

    def counted(self, tries: int) -> int:
        """So many tries, counted no further than what makes a difference."""
        return min(tries, max(self.tries, self.alarm))


class Front(Process):
    """What both styles do for a client. One saga for each id, however often and by whomever it is asked for."""

    if TYPE_CHECKING:  # declared where they are used, so that a service of the other kind has them too
        definitions: tuple[Saga, ...]
        instances: tuple[Instance, ...]
        askers: tuple[Asker, ...]
        log: tuple[Record, ...]

    def entry(self, definition: Saga) -> str:
        """The process that clients ask for this saga."""
        return self.id

    def go_on(self, saga: str) -> None:
        """Do what comes next."""
        raise NotImplementedError

    def happens(self, definition: Saga, record: Record) -> None:
        """Write to the log what has happened."""
        self.log = (*self.log, record)

    @on_request(Begin)
    def begin(self, client: str, request: Begin) -> None:
        definition = by_name(self.definitions, request.definition)
        if definition is None:
            self.note("R.unknown", definition=request.definition)
            self.reply(client, Ended(request.serial, request.saga, UNKNOWN, Reason("unknown", request.definition)))
        elif (entry := self.entry(definition)) != self.id:
            self.note("S.elsewhere", client=client, leader=entry)
            self.reply(client, Elsewhere(request.serial, entry))
        elif (known := self.known_as(request.saga)) not in ("", definition.name):
            self.note("R.rejected", client=client, saga=request.saga, known=known, definition=definition.name)
            self.reply(client, Ended(request.serial, request.saga, REJECTED, Reason("taken", known)))
        else:
            self.will_answer(client, request)
            if self.instance(request.saga):
                self.answer_if_over(request.saga)
                return
            # The log has the saga before anything is done for it (Garcia-Molina and Salem 1987, section 4).
            self.note("R.begin", saga=request.saga, definition=definition.name)
            self.instances = (*self.instances, Instance(request.saga, definition.name))
            self.happens(definition, Record(request.saga, BEGUN, detail=definition.name))
            self.go_on(request.saga)

    @on_request(Cancel)
    def cancel(self, client: str, request: Cancel) -> None:
        if self.instance(request.saga) is None:
            self.reply(client, Ended(request.serial, request.saga, UNKNOWN, Reason("unknown", request.saga)))
            return
        self.will_answer(client, request)
        at = self.progress_of(request.saga)
        if not self.withdraws(at):
            self.note("R.too late", client=client, saga=at.saga)
            self.answer_if_over(request.saga)

    def withdraws(self, at: Progress) -> bool:
        """Turn a saga back that its client no longer wants, if that can be done; whether it can. In a choreography
        it cannot: a service acts on events, and no process can say that the pivot has not been done."""
        return False

    def will_answer(self, client: str, request: Begin | Cancel) -> None:
        """Note on disk who waits for the end of a saga: each client that asks is answered."""
        asker = Asker(request.saga, client, request.serial)
        if asker not in self.askers:
            self.askers = (*self.askers, asker)

    def answer_if_over(self, saga: str) -> None:
        at = self.progress_of(saga)
        if at.ended or at.stuck:
            self.note("R.answer again", saga=saga, phase=at.phase)
            self.answer(at)
        else:
            self.note("R.known", saga=saga)

    def known_as(self, saga: str) -> str:
        """The definition of the saga that has this key; empty if no saga has."""
        return next((each.detail for each in records_of(self.log, saga) if each.what == BEGUN), "")

    @on_request(Repair)
    def repair(self, client: str, request: Repair) -> None:
        at = self.progress_of(request.saga) if self.instance(request.saga) else None
        if at and at.stuck:
            for name in at.stuck:
                self.note("R.repaired", saga=request.saga, step=name)
                self.happens(at.definition, Record(request.saga, REPAIRED, name))
            self.go_on(request.saga)
        self.reply(client, Accepted(request.serial, request.saga))

    def answer(self, at: Progress) -> None:
        """Tell all that wait for it how a saga is. Once it has ended, no client waits any more."""
        for each in self.askers:
            if each.saga == at.saga:
                self.reply(each.client, Ended(each.serial, at.saga, at.phase, at.reason))
        if at.ended:
            self.askers = tuple(each for each in self.askers if each.saga != at.saga)

    def instance(self, saga: str) -> Instance | None:
        """The saga as it was asked for here; None if it was not."""
        return next((each for each in self.instances if each.saga == saga), None)

    def progress_of(self, saga: str) -> Progress:
        """What the log says of a saga. Its first record names the definition."""
        records = records_of(self.log, saga)
        definition = next(each for each in self.definitions if each.name == records[0].detail)
        return progress(definition, saga, records)
