"""Properties of runs: `explore.py` checks them over all runs of a small machine, `random_worlds.py` over long ones.

A property with a reason is more than a predicate: where it fails it says why, in words, with the values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from .history import History
from .machine import Machine, Note, NotEnabled

Reason = str | None
"""Why a property does not hold, in words; None where it holds."""


class Property:
    """Something that must hold. `reason` is None, or says in words why it does not hold in this state.

    A property that speaks of more than one state carries a `memory` along the run: an immutable value,
    begun at the first state and followed at each step.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def begin(self, state: Any) -> Hashable:
        return None

    def follow(self, memory: Hashable, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Hashable:
        return memory

    def reason(self, memory: Hashable, state: Any) -> Reason:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class Always(Property):
    """Holds in every state: `wrong(state)` says why it does not, or is None."""

    def __init__(self, name: str, wrong: Callable[[Any], Reason]) -> None:
        super().__init__(name)
        self.wrong = wrong

    def reason(self, memory: Hashable, state: Any) -> Reason:
        return self.wrong(state)


class AlwaysNext(Property):
    """Holds over every step: `wrong(before, after)` says why it does not, or is None. Once broken it stays broken."""

    def __init__(self, name: str, wrong: Callable[[Any, Any], Reason]) -> None:
        super().__init__(name)
        self.wrong = wrong

    def follow(self, memory: Hashable, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Hashable:
        return memory or self.wrong(before, after)

    def reason(self, memory: Hashable, state: Any) -> Reason:
        return memory  # type: ignore[return-value]


class NeverTwice(Property):
    """A claim made once in a run is never made again with another value (two leaders of one term, at any time).

    `claims(state, notes)` gives the (what, value) pairs that the step claims.
    """

    def __init__(
        self, name: str, claims: Callable[[Any, tuple[Note, ...]], Iterable[tuple[Hashable, Hashable]]]
    ) -> None:
        super().__init__(name)
        self.claims = claims

    def begin(self, state: Any) -> Hashable:
        return (frozenset(self.claims(state, ())), None)

    def follow(self, memory: Hashable, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Hashable:
        made: frozenset[tuple[Hashable, Hashable]]
        broken: Reason
        made, broken = memory  # type: ignore[misc]
        new = frozenset(self.claims(after, notes))
        if broken or new <= made:
            return memory
        said = dict(made)
        for what, value in sorted(new, key=repr):
            if said.setdefault(what, value) != value:
                broken = f"{what}: first {said[what]}, now {value}"
        return (made | new, broken)

    def reason(self, memory: Hashable, state: Any) -> Reason:
        return memory[1]  # type: ignore[index, no-any-return]


class AtRest(Always):
    """Holds wherever nothing more happens by itself: every saga has ended, every replica has caught up.

    A search asks it of each state without a usual next event.
    """


class Sometimes:
    """Can happen: `reached(state)` is true somewhere. Without it a check may pass because nothing ever happened.

    An exhaustive search must meet it at least once; a random run must reach it again once all faults are repaired.
    """

    def __init__(self, name: str, reached: Callable[[Any], bool]) -> None:
        self.name = name
        self.reached = reached

    def __repr__(self) -> str:
        return f"Sometimes({self.name!r})"


class NoFailure(Property):
    """No handler raises. Every search checks it unasked."""

    def __init__(self) -> None:
        super().__init__("no handler fails")


Memories = tuple[Hashable, ...]


class Watch:
    """Properties followed along a run: the memory each carries, and the first that does not hold."""

    def __init__(self, machine: Machine[Any, Any], properties: Iterable[Property]) -> None:
        self.machine = machine
        self.properties = tuple(p for p in properties if not isinstance(p, AtRest))
        self.at_rest = tuple(p for p in properties if isinstance(p, AtRest))

    def begin(self, state: Any) -> Memories:
        return tuple(p.begin(state) for p in self.properties)

    def follow(self, memories: Memories, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Memories:
        return tuple(
            p.follow(memory, before, event, after, notes) for p, memory in zip(self.properties, memories, strict=True)
        )

    def broken(self, memories: Memories, state: Any) -> tuple[Property, str] | None:
        """The first property that does not hold here, with the reason; None when all hold."""
        for p, memory in zip(self.properties, memories, strict=True):
            if reason := p.reason(memory, state):
                return p, reason
        if self.at_rest and self.machine.usual(state) is None:
            for p in self.at_rest:
                if reason := p.reason(None, state):
                    return p, reason
        return None


LINES = 40
"""How many steps of a counterexample are printed, the last ones."""


class Counterexample(NamedTuple):
    """A run that breaks a property, as a history that stands at the bad step."""

    property: Property
    reason: str
    history: History[Any, Any]

    def __str__(self) -> str:
        machine, path = self.history.machine, self.history.path
        lines = [f"{self.property.name} does not hold after {len(path) - 1} steps: {self.reason}"]
        if len(path) > 1 + LINES:
            lines.append(f"      {len(path) - 1 - LINES} earlier steps; replay code {self.history.code}")
        for before, step in list(pairwise(path))[-LINES:]:
            lines.append(f"{step.depth:4}. {machine.describe(before.state, step.event).replace('**', '')}")
        return "\n".join(lines)


def failure_of(machine: Machine[Any, Any], state: Any, event: Any, problem: BaseException) -> str:
    """What to say of an exception that a handler raised."""
    return f"{machine.describe(state, event).replace('**', '')} raises {type(problem).__name__}: {problem}"


FAILS = (Exception, SystemExit)
"""What a handler may raise without ending who tries it: a learner's code may call `exit()`, too."""


def counterexample(
    machine: Machine[Any, Any], events: Iterable[Any], property: Property, reason: str
) -> Counterexample:
    """The run of these events as a counterexample. Where the last one raises, the history stands before it."""
    history = History(machine)
    for event in events:
        try:
            history.apply(event)
        except NotEnabled:
            raise
        except FAILS:
            break
    return Counterexample(property, reason, history)
