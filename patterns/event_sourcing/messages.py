"""What the processes of chapter 8 send one another."""

from __future__ import annotations

from typing import Any

from patterns.engine.process import Message

from .store import Condition, Expected, NewEvent, Query, Recorded

Cursor = tuple[int, ...]
"""Where a reader stands in the order of the store: a position, or a transaction and a position."""


class Load(Message):
    """A picker reads a stream, and the events of all streams that match a query, if it has one."""

    stream: str
    query: Query = ()


class Loaded(Message):
    stream: str
    events: tuple[Recorded, ...]
    version: int
    """Of the stream's last event; -1 for none."""
    matched: tuple[Recorded, ...]
    known: int
    """The highest position in the store when it read."""


class Append(Message):
    stream: str
    events: tuple[NewEvent, ...]
    expected: Expected
    unless: Condition | None = None

    @property
    def kinds(self) -> str:
        """The types of its events, without their schema versions."""
        return ", ".join(event.type.partition(".")[0] for event in self.events)


class Accepted(Message):
    """The answer to an append, the first one and every retry."""

    ids: tuple[str, ...]
    version: int
    position: int


class Refused(Message):
    ids: tuple[str, ...]
    why: str
    of: tuple[Any, ...] = ()
    """The refusal's class and its values, for a client that is a program."""


class Subscribe(Message):
    """The reader wants to be sent each new event."""


class Subscribed(Message):
    """From now on the store sends each new event."""


class ReadPage(Message):
    after: Cursor


class PageRead(Message):
    after: Cursor
    events: tuple[Recorded, ...]
    to: Cursor
    full: bool
    """More may follow: the page ended because it was full."""


class Pushed(Message):
    """A new event, and the place that a reader must have reached for it to be the next one."""

    after: Cursor
    event: Recorded
    to: Cursor


class Apply(Message):
    """The subscriber delivers an event to the projector. It sends the next one when this one is applied."""

    event: Recorded


class Applied(Message):
    position: int
