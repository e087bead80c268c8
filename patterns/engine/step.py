"""What a run is made of, as values: rules, notes, and steps, each with its event, its state and its parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

S = TypeVar("S")  # a state: an immutable, hashable value
E = TypeVar("E")  # an event: a frozen, tagged msgspec.Struct


class Rule(NamedTuple):
    """A rule of a pattern in words: a template over a note's values, and the paper and section it follows.

    `**bold**` in the sentence marks what matters most.
    """

    sentence: str
    source: str


class Note(msgspec.Struct, frozen=True, gc=False):
    """One rule that fired, with the values it fired on."""

    rule: str
    values: Mapping[str, Any]


class Step(msgspec.Struct, Generic[S, E], eq=False, gc=False):
    """One step of a history: the event that happened, the state it led to, the rules that fired.

    A step is never changed. It knows its parent; `History.children` tells the steps taken from it. So no cycle of
    references arises, and a long run costs the garbage collector little.
    """

    number: int
    """Its place in `History.steps`; the root is 0."""
    depth: int
    """Steps from the root."""
    parent: Step[S, E] | None
    event: E | None
    state: S
    notes: tuple[Note, ...]

    @property
    def path(self) -> list[Step[S, E]]:
        """The steps from the root to this one, both included."""
        steps = [self]
        while (parent := steps[-1].parent) is not None:
            steps.append(parent)
        steps.reverse()
        return steps

    def __repr__(self) -> str:
        return f"<Step {self.number} at depth {self.depth}: {self.event!r}>"
