"""What the shop, the projectors and the page send to one another, and what customers ask and are answered."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from patterns.engine.process import Message
from patterns.event_sourcing.store import Recorded

from .facts import Order

Part = Literal["all", "rows", "checkpoint"]
"""What one write of a projector changes: rows and checkpoint in one transaction, or one of them."""


PARTS_IN_WORDS: dict[Part, str] = {"all": "rows and checkpoint", "rows": "rows", "checkpoint": "checkpoint"}

# The write side's answers


class Accepted(Message, frozen=True):
    """The command was carried out. Its event stands at this position of the store."""

    order: str
    position: int
    version: int
    """The place of the event in its own stream."""
    words = "{order} accepted at {position}"


class Declined(Message, frozen=True):
    """The command was carried out, and decided nothing: there is no event, and no new position."""

    order: str
    left: int
    words = "{order} declined: {left} left"


class Conflict(Message, frozen=True):
    """Another command had this id before."""

    order: str
    words = "{order} names another command"


# Projectors and the store


class Fetch(Message, frozen=True):
    """A projector asks for the events after a position. The answer may wait until there is one."""

    after: int
    types: tuple[str, ...] = ()
    words = "after {after}?"


class Feed(Message, frozen=True):
    """The next events that the projector wants. Everything after `after`, up to `through`, was looked at."""

    after: int
    events: tuple[Recorded, ...]
    through: int

    def __str__(self) -> str:
        positions = [str(event.position) for event in self.events]
        if not positions:
            return f"no event for it, up to {self.through},"
        return f"event{'s' if positions[1:] else ''} {', '.join(positions)}"


# Projectors and the page


class Where(Message, frozen=True):
    """A projector asks for the checkpoint of its read model."""

    model: str
    version: int
    words = "where is {model} {version}?"


class Apply(Message, frozen=True):
    """A write to a read model: these events, and the checkpoint from `after` to `through`."""

    model: str
    version: int
    after: int
    events: tuple[Recorded, ...]
    through: int
    part: Part = "all"
    unreadable: tuple[str, ...] = ()
    """The ids of the events that the projector could not read."""

    def __str__(self) -> str:
        return f"{'write' if self.part == 'all' else self.part} up to {self.through}"


class Replay(Message, frozen=True):
    """Apply the parked events of a read model: its projector can read them now."""

    model: str
    version: int
    words = "replay the parked events"


class At(Message, frozen=True):
    """Where a read model stands, and which part of a write is done."""

    checkpoint: int
    parked: int = 0
    """How many events are set aside."""
    part: Part = "all"

    def __str__(self) -> str:
        return f"at {self.checkpoint}" if self.part == "all" else f"{self.part} written"


class Stop(Message, frozen=True):
    """Queries read a later version: this one is not needed any more."""

    words = "stop"


# The read side's clients


class Show(Message, frozen=True):
    """A query: what a read model has about a subject, at `wanted` or later."""

    model: str
    about: str
    wanted: int = 0
    """The position that the answer must contain; 0 for none."""

    def __str__(self) -> str:
        return f"show {self.model} of {self.about}" + (f", with {self.wanted}" if self.wanted else "")


class Shown(Message, frozen=True):
    """The answer to a query."""

    model: str
    about: str
    value: Any
    """What the row has; None if there is no row."""
    position: int
    """The checkpoint of the read model when it was read."""
    wanted: int = 0
    stale: bool = False
    """The deadline has passed, and the wanted position was not applied yet."""

    def __str__(self) -> str:
        value = ", ".join(self.value) if isinstance(self.value, tuple) else self.value
        return f"{'nothing' if value is None else value}, {'STALE, ' if self.stale else ''}as of {self.position}"


class Rebuild(Message, frozen=True):
    """An operator asks for a new version of a read model, filled from the first event on."""

    words = "build a new version"


class Repair(Message, frozen=True):
    """An operator deploys a projector that can read the events that it could not read."""

    words = "deploy the repaired projector"


class Handled(msgspec.Struct, frozen=True, gc=False):
    """A command, and the answer that it got."""

    order: Order
    answer: Accepted | Declined
