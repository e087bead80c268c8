"""Sagas with one rule broken: each a subclass with one small method overridden, and the check that catches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.planted import Bug, RandomWorlds, Search
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
    """It compensates in the order in which the steps were done."""

    def next_compensations(self, at: Progress) -> tuple[str, ...]:
        return self.standing(at)[-1:]


class ForgetsTheStepUnderWay(BackwardAfterCrash):
    """After a crash it undoes what its log has as done; a step that was begun it takes for one that never ran."""

    def standing(self, at: Progress) -> tuple[str, ...]:
        return tuple(name for name in super().standing(at) if name in at.done)


class TakesFailureForUndone(Orchestrator):
    """It does not look at what the answer to a compensation says."""

    def step_failed(self, service: str, message: Failed) -> None:
        if message.undo:
            self.step_undone(service, Undone(message.saga, message.step))
        else:
            super().step_failed(service, message)


class GivesUpOnThePivot(Orchestrator):
    """It takes a pivot that does not answer for one that was refused."""

    def gives_up(self, waiting: Waiting) -> bool:
        command = waiting.command
        return isinstance(command, Do) and command.kind != RETRIABLE and waiting.tries >= self.patience.tries

    def standing(self, at: Progress) -> tuple[str, ...]:
        return tuple(name for name in super().standing(at) if at.definition[name].kind != PIVOT)


# The services


class UndoesBlindly(Service):
    """It compensates whatever it is asked to, whether the step was done or not."""

    def decision(self, saga: str, step: str, undo: bool) -> str:
        decision = decide(self.handled, saga, step, undo)
        return APPLY if undo and decision == DO_NOTHING else decision


class DoesEverythingAgain(Service):
    """It does not look at what it has handled before: what comes twice is done twice."""

    def decision(self, saga: str, step: str, undo: bool) -> str:
        return APPLY if not undo else decide(self.handled, saga, step, undo)


class NoVersionFile(Service):
    """It forgets compensations that came before their requests."""

    def decision(self, saga: str, step: str, undo: bool) -> str:
        decision = decide(self.handled, saga, step, undo)
        return APPLY if not undo and decision == DO_NOTHING else decision


# Choreography


class NoOutbox(Peer):
    """It publishes an event once and forgets it: what is lost on the way is lost for good."""

    def relay(self) -> None:
        super().relay()
        for row in self.outbox:
            self.cancel_timer("resend", about=row.event.about)
        self.outbox, self.published = (), frozenset()


class UndoesAtOnce(Peer):
    """When it hears of a refusal, it undoes its step without waiting for those that built on it."""

    def may_compensate(self, at: Progress, step: str) -> bool:
        return not self.is_settled(at, step)


# How each is found


def _bug(
    sentence: str,
    breaks: Property,
    changes: Mapping[str, Any],
    faults: Mapping[str, int] | None = None,
    *more: Property,
    **options: Any,
) -> Bug:
    """With no other properties, the bug is searched under all that sagas promise."""
    machine = small(faults, **options)
    properties = (breaks, *(each for each in more or ALWAYS if each is not breaks))  # where two break, the one meant
    random = RandomWorlds(machine.again(budget=None, rounds=0), properties)
    return Bug(sentence, changes, Search(machine, properties), breaks, random)


LOST: Mapping[str, Any] = {"sagas": ["raise", "raise"]}
DIRTY: Mapping[str, Any] = {"sagas": ["cancel", "create"]}


def _anomaly(sentence: str, breaks: Property, bare: Mapping[str, Any], **options: Any) -> Bug:
    """The countermeasure is left out where `bare` is planted."""
    return _bug(sentence, breaks, bare, {}, adds_up, every_saga_ends, timing="quiet", **options)


COUNTERMEASURES: Mapping[str, Bug] = {
    "semantic lock: refuse": _anomaly(
        "Two sagas look at a row, and each writes what it saw plus its own.",
        no_lost_updates,
        {"lock": "none"},
        lock="refuse",
        **LOST,
    ),
    "semantic lock: wait": _anomaly(
        "A row that a saga has written is not marked, and no other saga waits.",
        no_lost_updates,
        {"lock": "none"},
        lock="wait",
        tries=2,
        **LOST,
    ),
    "commutative updates": _anomaly(
        "A saga writes what it saw plus its own instead of adding to the row.",
        no_lost_updates,
        LOST,
        sagas=["raise_add", "raise_add"],
    ),
    "re-read value": _anomaly(
        "A saga does not look again before it writes.",
        no_lost_updates,
        LOST,
        sagas=["raise_reread", "raise_reread"],
    ),
    "semantic lock against dirty reads": _anomaly(
        "A row that a saga has written, and may take back, is there for any other saga to use.",
        no_dirty_reads,
        {"lock": "none"},
        lock="refuse",
        refuse=["call back"],
        **DIRTY,
    ),
    "pessimistic view": _anomaly(
        "A saga frees credit first, although a later step may still be refused.",
        no_dirty_reads,
        DIRTY,
        sagas=["cancel_late", "create"],
        refuse=["call back"],
    ),
    "version file": _bug(
        "A service forgets compensations that came before their requests.",
        no_step_after_its_compensation,
        {"service": NoVersionFile},
        sagas=["short"],
    ),
}
"""A countermeasure (Richardson 4.3.2) -> the anomaly without it, as a bug: with it, no run has the anomaly.

A saga has no isolation: each step commits by itself, so that others read and write in between (Garcia-Molina and Salem
1987, section 1; Richardson 4.3.1). The countermeasure by value is left out: it chooses
between these for each request.
"""

BUGS: Mapping[str, Bug] = {
    "compensation order": _bug(
        "It compensates in the order in which the steps were done, not in reverse.",
        reverse_order,
        {"orchestrator": UndoesTheFirstFirst},
        refuse=["approve"],
    ),
    "compensates what never ran": _bug(
        "A service undoes a step that it has not done.",
        undo_only_what_was_done,
        {"service": UndoesBlindly},
        sagas=["short"],
        rows={"stock": {"reserved": 5}},
    ),
    "forgets the step under way": _bug(
        "After a crash the orchestrator forgets a step that finished just before it.",
        told_as_it_is,
        {"orchestrator": ForgetsTheStepUnderWay},
        {"crash": 1},
        sagas=["short"],
        tries=2,
        timing="quiet",
    ),
    "retry is not idempotent": _bug(
        "A service does a request that comes twice, twice.",
        applied_once,
        {"service": DoesEverythingAgain},
        {"duplicate": 1},
        sagas=["short"],
    ),
    "ignores a failed compensation": _bug(
        "The orchestrator takes any answer to a compensation for success.",
        told_as_it_is,
        {"orchestrator": TakesFailureForUndone},
        fails={"undo reserve": 1},
        refuse=["charge"],
        sagas=["short"],
    ),
    "no semantic lock": COUNTERMEASURES["semantic lock against dirty reads"],
    "no semantic lock loses an update": COUNTERMEASURES["semantic lock: refuse"],
    "no version file": COUNTERMEASURES["version file"],
    "gives up on the pivot": _bug(
        "A pivot that does not answer is taken for refused.",
        never_back_after_pivot,
        {"orchestrator": GivesUpOnThePivot},
        sagas=["one_way"],
    ),
    "no outbox": _bug(
        "A service publishes its events once, and forgets them.",
        every_saga_ends,
        {"peer": NoOutbox},
        {"drop": 1},
        sagas=["short"],
        style=CHOREOGRAPHED,
    ),
    "undoes at once": _bug(
        "A service that hears of a refusal undoes its step at once.",
        reverse_order,
        {"peer": UndoesAtOnce},
        refuse=["approve"],
        style=CHOREOGRAPHED,
    ),
}
"""What is wrong, in a few words -> how it is found."""
