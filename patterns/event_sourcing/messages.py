"""What the processes of chapter 8 send one another."""

from __future__ import annotations

from typing import Any

from patterns.engine.process import Message

from .store import Condition, Expected, NewEvent, Query, Recorded

Cursor = tuple[int, ...]
"""Where a reader stands in the order of the store: a position, or a transaction and a position."""


class Load(Message, frozen=True):
    """A picker reads a stream, and the events of all streams that match a query, if it has one."""

    stream: str
    query: Query = ()
    words = "load {stream}"


class Loaded(Message, frozen=True):
    stream: str
    events: tuple[Recorded, ...]
    version: int
    """Of the stream's last event; -1 for none."""
    matched: tuple[Recorded, ...]
    known: int
    """The highest position in the store when it read."""
    words = "{stream}, version {version}"


class Append(Message, frozen=True):
    stream: str
    events: tuple[NewEvent, ...]
    expected: Expected
    unless: Condition | None = None

    def __str__(self) -> str:
        where = "" if self.unless is None else f", nothing after {self.unless.after}"
        return f"append {kinds(self.events)}, expects {self.expected}{where}"


class Accepted(Message, frozen=True):
    """The answer to an append, the first one and every retry."""

    ids: tuple[str, ...]
    version: int
    position: int
    words = "accepted at version {version}"


class Refused(Message, frozen=True):
    ids: tuple[str, ...]
    why: str
    of: tuple[Any, ...] = ()
    """The refusal's class and its values, for a client that is a program."""
    words = "refused"


class Subscribe(Message, frozen=True):
    """The reader wants to be sent each new event."""


class Subscribed(Message, frozen=True):
    pass


class ReadPage(Message, frozen=True):
    after: Cursor
    words = "read after {after:names}"


class PageRead(Message, frozen=True):
    after: Cursor
    events: tuple[Recorded, ...]
    to: Cursor
    full: bool
    """More may follow: the page ended because it was full."""
    words = "page up to {to:names}"


class Pushed(Message, frozen=True):
    """A new event, and the place that a reader must have reached for it to be the next one."""

    after: Cursor
    event: Recorded
    to: Cursor
    words = "new: {to:names}"


class Apply(Message, frozen=True):
    """The subscriber delivers an event to the projector. It sends the next one when this one is applied."""

    event: Recorded
    words = "apply {event.position}"


class Applied(Message, frozen=True):
    position: int
    words = "applied {position}"


def kinds(events: tuple[NewEvent, ...]) -> str:
    """The types of these events, without their schema versions."""
    return ", ".join(event.type.partition(".")[0] for event in events)
