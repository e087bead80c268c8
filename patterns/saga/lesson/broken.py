"""Sagas with one rule broken: each a subclass with one small method overridden, and the check that catches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from patterns.engine.planted import Bug, RandomWorlds, Search
from patterns.engine.process import Process
from patterns.engine.properties import Property
from patterns.saga.choreography import Peer
from patterns.saga.database import APPLY, DO_NOTHING, decide
from patterns.saga.definition import PIVOT, RETRIABLE
from patterns.saga.log import Progress
from patterns.saga.machines import CHOREOGRAPHED, SagaMachine
from patterns.saga.messages import Do, Failed, Undone
from patterns.saga.orchestrator import BackwardAfterCrash, Orchestrator, Service, Waiting
from patterns.saga.properties import (
    ALWAYS,
    adds_up,
    applied_once,
    every_saga_ends,
    never_back_after_pivot,
    no_deadlock,
    no_dirty_reads,
    no_lost_updates,
    no_step_after_its_compensation,
    reverse_order,
    told_as_it_is,
    undo_only_what_was_done,
)


def small(faults: Mapping[str, int] | None = None, **options: Any) -> SagaMachine:
    """A machine for a search: each client asks for one saga, a compensatable step is given up after one try, and of
    faults there are only those given."""
    bounds = {"rounds": 1, "backoff": 1, "tries": 1, "alarm": 0, "budget": faults or {}}
    return SagaMachine(**{**bounds, **options})


# The orchestrator


class UndoesTheFirstFirst(Orchestrator):
    """The orchestrator compensates in the order in which the steps were done, not in reverse."""

    def next_compensations(self, at: Progress) -> tuple[str, ...]:
        return self.not_undone(at)[-1:]


class ForgetsTheStepUnderWay(BackwardAfterCrash):
    """After a crash the orchestrator forgets a started step that has no answer in its log."""

    def not_undone(self, at: Progress) -> tuple[str, ...]:
        return tuple(name for name in super().not_undone(at) if name in at.done)


class TakesFailureForUndone(Orchestrator):
    """To the orchestrator, any answer to a compensation means success."""

    def step_failed(self, service: str, message: Failed) -> None:
        if message.undo:
            self.step_undone(service, Undone(message.saga, message.step))
        else:
            super().step_failed(service, message)


class GivesUpOnThePivot(Orchestrator):
    """The orchestrator counts a pivot without an answer as refused."""

    def gives_up(self, waiting: Waiting) -> bool:
        command = waiting.command
        return isinstance(command, Do) and command.kind != RETRIABLE and waiting.tries >= self.patience.tries

    def not_undone(self, at: Progress) -> tuple[str, ...]:
        return tuple(name for name in super().not_undone(at) if at.definition[name].kind != PIVOT)


# The services


class UndoesBlindly(Service):
    """A service undoes a step that it has not done."""

    def decision(self, saga: str, step: str, undo: bool) -> str:
        decision = decide(self.handled, saga, step, undo)
        return APPLY if undo and decision == DO_NOTHING else decision


class DoesEverythingAgain(Service):
    """A service does a request again when it arrives a second time."""

    def decision(self, saga: str, step: str, undo: bool) -> str:
        return APPLY if not undo else decide(self.handled, saga, step, undo)


class NoVersionFile(Service):
    """A service forgets compensations that came before their requests."""

    def decision(self, saga: str, step: str, undo: bool) -> str:
        decision = decide(self.handled, saga, step, undo)
        return APPLY if not undo and decision == DO_NOTHING else decision


# Choreography


class NoOutbox(Peer):
    """A service publishes its events once, and forgets them."""

    def relay(self) -> None:
        super().relay()
        for row in self.outbox:
            self.cancel_timer("resend", about=row.event.about)
        self.outbox, self.published = (), frozenset()


class UndoesAtOnce(Peer):
    """A service that hears of a refusal undoes its step at once."""

    def may_compensate(self, at: Progress, step: str) -> bool:
        return not self.is_settled(at, step)


# How each is found


def _search(machine: SagaMachine, properties: Sequence[Property], breaks: Property) -> tuple[Search, RandomWorlds]:
    first = (breaks, *(each for each in properties if each is not breaks))  # where a step breaks two, the one meant
    return Search(machine, first), RandomWorlds(machine.again(budget=None, rounds=0), first)


def _bug(part: type[Process], breaks: Property, faults: Mapping[str, int] | None = None, **options: Any) -> Bug:
    """A part with one rule broken: its docstring says what is wrong."""
    [name] = [name for name in ("orchestrator", "service", "peer") if issubclass(part, getattr(SagaMachine, name))]
    search, random = _search(small(faults, **options), ALWAYS, breaks)
    return Bug(f"{part.__doc__}", {name: part}, search, breaks, random)


def _anomaly(sentence: str, breaks: Property, bare: Mapping[str, Any], **options: Any) -> Bug:
    """The countermeasure is left out where `bare` is planted."""
    search, random = _search(small(timing="quiet", **options), (adds_up, every_saga_ends), breaks)
    return Bug(sentence, bare, search, breaks, random)


BARE: Mapping[str, Any] = {"lock": "none"}
LOST: Mapping[str, Any] = {"sagas": ["raise", "raise"]}
DIRTY: Mapping[str, Any] = {"sagas": ["cancel", "create"]}
REFUSED: Mapping[str, Any] = {"refuse": ["call back"]}

COUNTERMEASURES: Mapping[str, Bug] = {
    "semantic lock: refuse": _anomaly(
        "Two sagas look at a row, and each writes what it saw plus 50.", no_lost_updates, BARE, lock="refuse", **LOST
    ),
    "semantic lock: wait": _anomaly(
        "No saga waits for a row that another saga has read.", no_lost_updates, BARE, lock="wait", tries=2, **LOST
    ),
    "commutative updates": _anomaly(
        "A saga writes what it saw plus 50.", no_lost_updates, LOST, sagas=["raise_add", "raise_add"]
    ),
    "re-read value": _anomaly(
        "A saga does not look again before it writes.", no_lost_updates, LOST, sagas=["raise_reread", "raise_reread"]
    ),
    "semantic lock against dirty reads": _anomaly(
        "Any saga may use a value that another saga may still take back.",
        no_dirty_reads,
        BARE,
        lock="refuse",
        **DIRTY,
        **REFUSED,
    ),
    "pessimistic view": _anomaly(
        "A's credit is free before the last step that may be refused.",
        no_dirty_reads,
        DIRTY,
        sagas=["cancel_late", "create"],
        **REFUSED,
    ),
    "rows in one order": _anomaly(
        "Two sagas mark the same two rows in opposite orders.",
        no_deadlock,
        {"sagas": ["seat_first", "room_first"]},
        lock="wait",
        sagas=["seat_first", "seat_first"],
    ),
    "version file": _bug(NoVersionFile, no_step_after_its_compensation, sagas=["short"]),
}
"""A countermeasure (Richardson 4.3.2) -> the anomaly without it, as a bug: with it, no run has the anomaly.

A saga has no isolation: each step commits by itself, so that others read and write in between (Garcia-Molina and Salem
1987, section 1; Richardson 4.3.1). The countermeasure by value is left out: it chooses between
these for each request.
"""

BUGS: Mapping[str, Bug] = {
    "compensation order": _bug(UndoesTheFirstFirst, reverse_order, refuse=["approve"]),
    "compensates what never ran": _bug(
        UndoesBlindly, undo_only_what_was_done, sagas=["short"], rows={"stock": {"reserved": 5}}
    ),
    "forgets the step under way": _bug(
        ForgetsTheStepUnderWay, told_as_it_is, {"crash": 1, "drop": 1}, sagas=["short"], tries=2, timing="quiet"
    ),
    "retry is not idempotent": _bug(DoesEverythingAgain, applied_once, {"duplicate": 1}, sagas=["short"]),
    "ignores a failed compensation": _bug(
        TakesFailureForUndone, told_as_it_is, fails={"undo reserve": 1}, refuse=["charge"], sagas=["short"]
    ),
    "no semantic lock": COUNTERMEASURES["semantic lock against dirty reads"],
    "no semantic lock loses an update": COUNTERMEASURES["semantic lock: refuse"],
    "two sagas wait for each other": COUNTERMEASURES["rows in one order"],
    "no version file": COUNTERMEASURES["version file"],
    "gives up on the pivot": _bug(GivesUpOnThePivot, never_back_after_pivot, sagas=["one_way"]),
    "no outbox": _bug(NoOutbox, every_saga_ends, {"drop": 1}, sagas=["short"], style=CHOREOGRAPHED),
    "undoes at once": _bug(UndoesAtOnce, reverse_order, refuse=["approve"], style=CHOREOGRAPHED),
}
"""The fault in a few words -> how it is found."""
