"""Sagas with one rule broken: each a subclass with one small method overridden, and the check that catches it.

A check that never fails proves nothing. Every bug here is caught by an exhaustive search of a small machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from patterns.engine.explore import Exploration, explore
from patterns.engine.properties import Property, Sometimes
from patterns.engine.random_worlds import RandomRuns, random_worlds
from patterns.engine.simulation import Simulation
from patterns.saga.choreography import Peer
from patterns.saga.definition import PIVOT, RETRIABLE
from patterns.saga.machines import CHOREOGRAPHED, SagaMachine
from patterns.saga.messages import Do, Failed, Undone
from patterns.saga.orchestrator import BackwardAfterCrash, Orchestrator, Service, Waiting
from patterns.saga.properties import ALWAYS, no_dirty_reads, no_lost_updates
from patterns.saga.records import APPLY, DO_NOTHING, Progress, decide


def running(machine: type[SagaMachine], **parts: Any) -> type[SagaMachine]:
    """The machine with other processes in it: `running(SagaMachine, orchestrator=Mine)`."""
    given = "".join(getattr(part, "__name__", "") for part in parts.values())
    return type(f"{given}{machine.__name__}", (machine,), parts)


def small(
    machine: type[SagaMachine] = SagaMachine, faults: Mapping[str, int] | None = None, **options: Any
) -> SagaMachine:
    """A machine for a search: each client asks for one saga, a compensatable step is given up after one try, and of
    faults there are only those given."""
    bounds: dict[str, Any] = {
        "rounds": 1,
        "backoff": 1,
        "tries": 1,
        "alarm": 0,
        "budget": faults or {},
    }
    return machine(**{**bounds, **options})


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
        return isinstance(command, Do) and command.kind != RETRIABLE and waiting.tries >= self.tries

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
        self.outbox, self.published = (), frozenset()
        self.cancel_timer("resend")


class UndoesAtOnce(Peer):
    """When it hears of a refusal, it undoes its step without waiting for those that built on it."""

    def may_compensate(self, at: Progress, step: str) -> bool:
        return not self.is_settled(at, step)


# How each is caught


class Bug(NamedTuple):
    """A planted bug, in a machine small enough for the search that catches it."""

    sentence: str
    machine: SagaMachine
    breaks: str
    """The name of the property that it breaks."""
    repaired: SagaMachine
    """The same machine without the bug."""
    properties: tuple[Property | Sometimes, ...] = ALWAYS

    def search(self, machine: Simulation | None = None) -> Exploration:
        """The exhaustive search, of this machine or of another under the same properties."""
        return explore(machine or self.machine, self.properties, max_states=100_000)

    def wander(self, machine: Simulation | None = None, seeds: int = 200, shrink: bool = False) -> RandomRuns:
        """Random worlds, of this machine with any number of faults and sagas, or of another."""
        free = self.machine.again(budget=None, rounds=0)
        return random_worlds(machine or free, range(seeds), 120, self.properties, shrink=shrink)


def _bug(
    sentence: str, breaks: str, parts: dict[str, Any], faults: Mapping[str, int] | None = None, **options: Any
) -> Bug:
    first = sorted(ALWAYS, key=lambda each: each.name != breaks)  # where a step breaks two, the one that is meant
    machine = small(running(SagaMachine, **parts), faults, **options)
    return Bug(sentence, machine, breaks, small(SagaMachine, faults, **options), tuple(first))


def _anomaly(sentence: str, breaks: Property, **options: Any) -> Bug:
    bare, locked = small(timing="quiet", **options), small(timing="quiet", lock="refuse", **options)
    return Bug(sentence, bare, breaks.name, locked, (breaks,))


BUGS: Mapping[str, Bug] = {
    "compensation order": _bug(
        "It compensates in the order in which the steps were done, not in reverse.",
        "compensations run in reverse order",
        {"orchestrator": UndoesTheFirstFirst},
        refuse=["approve"],
    ),
    "compensates what never ran": _bug(
        "A service undoes a step that it has not done.",
        "what was never done is not undone",
        {"service": UndoesBlindly},
        sagas=["short"],
        rows={"stock": {"reserved": 5}},
    ),
    "forgets the step under way": _bug(
        "After a crash the orchestrator forgets a step that finished just before it.",
        "what is said to have ended has ended so",
        {"orchestrator": ForgetsTheStepUnderWay},
        {"crash": 1},
        sagas=["short"],
        tries=2,
        timing="quiet",
    ),
    "retry is not idempotent": _bug(
        "A service does a request that comes twice, twice.",
        "nothing is done twice, nothing undone twice",
        {"service": DoesEverythingAgain},
        {"duplicate": 1},
        sagas=["short"],
    ),
    "ignores a failed compensation": _bug(
        "The orchestrator takes any answer to a compensation for success.",
        "what is said to have ended has ended so",
        {"orchestrator": TakesFailureForUndone},
        fails={"undo reserve": 1},
        refuse=["charge"],
        sagas=["short"],
    ),
    "no semantic lock": _anomaly(
        "A row that a saga has written, and may take back, is there for any other saga to use.",
        no_dirty_reads,
        sagas=["cancel", "create"],
        refuse=["call back"],
    ),
    "no semantic lock loses an update": _anomaly(
        "Two sagas look at a row, and each writes what it saw plus its own.", no_lost_updates, sagas=["raise", "raise"]
    ),
    "no version file": _bug(
        "A service forgets compensations that came before their requests.",
        "no step is done after its compensation",
        {"service": NoVersionFile},
        sagas=["short"],
    ),
    "gives up on the pivot": _bug(
        "A pivot that does not answer is taken for refused.",
        "after the pivot nothing is undone",
        {"orchestrator": GivesUpOnThePivot},
        sagas=["one_way"],
    ),
    "no outbox": _bug(
        "A service publishes its events once, and forgets them.",
        "every saga ends completed, or compensated, or is reported as stuck",
        {"peer": NoOutbox},
        {"drop": 1},
        sagas=["short"],
        style=CHOREOGRAPHED,
    ),
    "undoes at once": _bug(
        "A service that hears of a refusal undoes its step at once.",
        "compensations run in reverse order",
        {"peer": UndoesAtOnce},
        refuse=["approve"],
        style=CHOREOGRAPHED,
    ),
}
