"""What breaks a property: properties followed along a run, and the run that breaks one as a history."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from .history import History
from .machine import Machine, NotEnabled
from .properties import AtRest, Property
from .step import Note

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
