"""What breaks a property: properties followed along a run, and the run that breaks one as a history."""

from __future__ import annotations

import builtins
from asyncio import CancelledError
from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from .history import History
from .machine import Machine, NotEnabled
from .params import refuse
from .properties import AtRest, NoFailure, Property
from .sentences import counted, wrapped
from .step import Note

Memories = tuple[Hashable, ...]


class Stage(NamedTuple):
    """A state of a run, and what the properties remember of the way there."""

    state: Any
    memories: Memories


class Wrong(NamedTuple):
    """A property that does not hold, and why."""

    property: Property
    reason: str


class Watch:
    """Properties followed along a run: the memory each carries, and the first that does not hold."""

    def __init__(self, machine: Machine[Any, Any], properties: Iterable[Any]) -> None:
        always = [p for p in properties if isinstance(p, Property)]
        self.machine = machine
        self.at_rest = [p for p in always if isinstance(p, AtRest)]
        self.plain = [p for p in always if not p.remembers and p not in self.at_rest]
        self.remembering = [p for p in always if p.remembers and p not in self.at_rest]

    def begin(self, state: Any) -> Memories:
        return tuple([p.begin(state) for p in self.remembering])

    def follow(self, memories: Memories, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Memories:
        return tuple(
            [
                p.follow(memory, before, event, after, notes)
                for p, memory in zip(self.remembering, memories, strict=True)
            ]
        )

    def broken(self, memories: Memories, state: Any) -> Wrong | None:
        """The first property that does not hold here, with the reason; None when all hold."""
        for p in self.plain:
            if reason := p.reason(None, state):
                return _wrong(p, reason)
        if memories:
            for p, memory in zip(self.remembering, memories, strict=True):
                if reason := p.reason(memory, state):
                    return _wrong(p, reason)
        if self.at_rest and self.machine.usual(state) is None:
            for p in self.at_rest:
                if reason := p.reason(None, state):
                    return _wrong(p, reason)
        return None

    def step(self, stage: Stage, event: Any) -> Stage | Wrong:
        """The next stage, or what is wrong there. Raises NotEnabled."""
        before, memories = stage
        try:
            after, notes = self.machine.apply(before, event)
        except NotEnabled:
            raise
        except FAILS as problem:
            return failure_of(self.machine, before, event, problem)
        if self.remembering:
            memories = self.follow(memories, before, event, after, notes)
        return self.broken(memories, after) or Stage(after, memories)


def _wrong(property: Property, reason: Any) -> Wrong:
    if not isinstance(reason, str):
        refuse(f"the reason that {property!r} gives", reason, "a text that says what is wrong, or None where it holds")
    return Wrong(property, reason)


LINES = 40
"""How many steps of a counterexample are printed, the last ones."""


class Counterexample(NamedTuple):
    """A run that breaks a property, as a history that stands at the bad step."""

    property: Property
    reason: str
    history: History[Any, Any]

    @builtins.property
    def summary(self) -> str:
        """Which property is broken, after how many steps, and why, in one line."""
        return (
            f'"{self.property.name}" does not hold after {counted(len(self.history.path) - 1, "step")}: {self.reason}'
        )

    def __str__(self) -> str:
        machine, path = self.history.machine, self.history.path
        lines = [wrapped(self.summary)]
        if len(path) > 1 + LINES:
            lines.append(f"      {len(path) - 1 - LINES} earlier steps; replay code {self.history.code}")
        for before, step in list(pairwise(path))[-LINES:]:
            line = f"{step.depth:4}. {machine.describe(before.state, step.event).replace('**', '')}"
            lines.append(wrapped(line, " " * 6))
        return "\n".join(lines)


class Endless(BaseException):
    """A call did far more work than the task needs: most likely its loop does not end.

    No Exception: a learner's `except Exception` in the loop would take it, and the loop would go on.
    """


FAILS = (Exception, SystemExit, GeneratorExit, CancelledError, Endless)
"""What a handler may raise without ending the check: a learner's code may call `exit()`, too."""


def failure_of(machine: Machine[Any, Any], state: Any, event: Any, problem: BaseException) -> Wrong:
    """The reason that names the error of a handler."""
    words = machine.describe(state, event).replace("**", "")
    return Wrong(NoFailure(), f"{words} raises {type(problem).__name__}: {problem}")


def counterexample(machine: Machine[Any, Any], events: Iterable[Any], wrong: Wrong) -> Counterexample:
    """The run of these events as a counterexample. Where the last one raises, the history stands before it."""
    history = History(machine)
    for event in events:
        try:
            history.apply(event)
        except NotEnabled:
            raise
        except FAILS:
            break
    return Counterexample(wrong.property, wrong.reason, history)
