"""What the pictures of event sourcing say of events, commands and messages, in a word or two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from patterns.event_sourcing.codec import Unreadable
from patterns.event_sourcing.messages import Accepted, Append, Apply, Loaded, PageRead, Pushed, ReadPage, Refused
from patterns.event_sourcing.shelf import CODEC, Corrected, Received, Reserved, Shipped
from patterns.event_sourcing.store import NewEvent, Recorded
from widgets.scene import Role

WRITERS: dict[str, Role] = {"A": "c1", "B": "c2"}
SHORTS: dict[type, str] = {
    Loaded: "version {version}",
    Accepted: "✓ {version}",
    Refused: "✗",
    ReadPage: "after {after:names}?",
    PageRead: "page to {to:names}",
    Pushed: "new: {to:names}",
    Apply: "event {event.position}",
}


def signed(fact: Any) -> str:
    """What an event does to the free bags of its shelf: `+12`, `−3`."""
    match fact:
        case Received(bags=bags):
            by = bags
        case Shipped(bags=bags) | Reserved(bags=bags):
            by = -bags
        case Corrected(by=by):
            pass
    return f"+{by}" if by >= 0 else f"−{-by}"


def today(event: Recorded) -> list[str]:
    """The event as today's code reads it: what each of its parts does to the shelf."""
    try:
        return [signed(part.event) for part in CODEC.decode(event)]
    except Unreadable:
        return ["?"]


def kind_of(event: NewEvent) -> str:
    """`shipped.2` is `shipped`."""
    return event.type.partition(".")[0]


def role_of(event: NewEvent) -> Role:
    """An event has the colour of its picker; an event of 2024 has none."""
    return WRITERS.get(event.id[:1], "soft")


def colour_of(message: Any) -> Role:
    """A message has the colour of the picker whose command it is about."""
    ids: Iterable[str] = getattr(message, "ids", ())
    if isinstance(message, Append):
        ids = [event.id for event in message.events]
    if isinstance(message, Pushed | Apply):
        return role_of(message.event)
    return WRITERS.get(next(iter(ids), "")[:1], "ink")
