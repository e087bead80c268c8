"""What the shop, the projectors and the page send to one another, and what customers ask and are answered."""

from __future__ import annotations

from typing import Any, Literal

from patterns.engine.process import Message
from patterns.engine.values import Value
from patterns.event_sourcing.store import Recorded

from .facts import Order

Part = Literal["all", "rows", "checkpoint"]
"""What one write of a projector changes: rows and checkpoint in one transaction, or one of them."""

# The write side's answers


class Accepted(Message):
    """The command was executed. Its event stands at this position of the store."""

    order: str
    position: int
    version: int
    """The place of the event in its own stream."""


class Declined(Message):
    """The command was executed, and decided nothing: there is no event, and no new position."""

    order: str
    left: int


class Conflict(Message):
    """Another command had this id before."""

    order: str


# Projectors and the store


class Fetch(Message):
    """A projector asks for the events after a position. The answer may wait until there is one."""

    after: int
    types: tuple[str, ...] = ()


class Feed(Message):
    """The next events that the projector wants. Everything after `after`, up to `through`, was looked at."""

    after: int
    events: tuple[Recorded, ...]
    through: int

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of its events."""
        return tuple(event.position for event in self.events)


# Projectors and the page


class Where(Message):
    """A projector asks for the checkpoint of its read model."""

    model: str
    version: int


class Apply(Message):
    """A write to a read model: these events, and the checkpoint from `after` to `through`."""

    model: str
    version: int
    after: int
    events: tuple[Recorded, ...]
    through: int
    part: Part = "all"
    unreadable: tuple[str, ...] = ()
    """The ids of the events that the projector could not read."""


class Replay(Message):
    """Apply the parked events of a read model: its projector can read them now."""

    model: str
    version: int


class At(Message):
    """Where a read model stands, and which part of a write is done."""

    checkpoint: int
    parked: int = 0
    """How many events are set aside."""
    part: Part = "all"


class Stop(Message):
    """Queries read a later version: this one is not needed any more."""


# The read side's clients


class Show(Message):
    """A query: what a read model has about a subject, at `wanted` or later."""

    model: str
    about: str
    wanted: int = 0
    """The position that the answer must contain; 0 for none."""


class Shown(Message):
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


class Rebuild(Message):
    """An operator asks for a new version of a read model, filled from the first event on."""


class Repair(Message):
    """An operator deploys a projector that can read the events that it could not read."""


class Handled(Value):
    """A command, and the answer that it got."""

    order: Order
    answer: Accepted | Declined
