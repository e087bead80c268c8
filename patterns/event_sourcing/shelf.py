"""The shelf of a shop that sells coffee by mail: its events, its commands, and the decider between them.

`decide(shelf, command)` gives events and changes nothing. `evolve(shelf, event)` gives the next state. It reads no
clock, draws nothing and reads no other stream (Chassaing, "Functional Event Sourcing Decider", 2021). The state is a
fold, `reduce(evolve, events, EMPTY)`; it is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from patterns.engine.process import Message
from patterns.engine.values import Value

from .codec import Body, Codec, Fact

BAGS_IN_A_BOX = 6
"""In 2024 the shop counted boxes."""


class Received(Fact, tag="received"):
    bags: int


class Shipped(Fact, tag="shipped.2"):
    """Since 2025 in bags; before, the type was `shipped`, in boxes."""

    bags: int
    to: str


class Reserved(Fact, tag="reserved"):
    bags: int


class Corrected(Fact, tag="corrected"):
    """Somebody counted. The wrong events stay: a correction is an event of its own."""

    by: int
    why: str


Event = Received | Shipped | Reserved | Corrected


def _in_bags(old: Body) -> list[tuple[str, Body]]:
    return [("shipped.2", {"bags": old["boxes"] * BAGS_IN_A_BOX, "to": "unknown"})]


def _exchanged(old: Body) -> list[tuple[str, Body]]:
    """A box came back and another one left: two events."""
    return [("received", {"bags": old["boxes"] * BAGS_IN_A_BOX}), ("shipped", {"boxes": old["boxes"]})]


CODEC = Codec(Event, {"shipped": _in_bags, "exchanged": _exchanged, "looked": lambda old: []})
"""`looked` stands in the streams of 2024, and means nothing today."""


class Shelf(Value):
    """What a shelf has, as far as its events tell."""

    bags: int = 0
    """On the shelf and not reserved: free to ship."""


EMPTY = Shelf()


class Command(Message):
    """What a picker is asked to do with a shelf."""

    shelf: str


class Receive(Command):
    bags: int


class Ship(Command):
    bags: int
    to: str
    voucher: str = ""
    """Pays for the parcel. A voucher counts once, whichever shelf the parcel comes from."""


class Reserve(Command):
    bags: int


class Count(Command):
    found: int


class Declined(Exception):
    """The command cannot be done in this state; the message says why."""


def evolve(shelf: Shelf, event: Event) -> Shelf:
    """The state after the event."""
    match event:
        case Received(bags=bags):
            return Shelf(shelf.bags + bags)
        case Shipped(bags=bags) | Reserved(bags=bags):
            return Shelf(shelf.bags - bags)
        case Corrected(by=by):
            return Shelf(shelf.bags + by)


def evolve_1(shelf: Shelf, event: Event) -> Shelf:
    """The fold of last year: a reserved bag was still free to ship."""
    return shelf if isinstance(event, Reserved) else evolve(shelf, event)


def decide(shelf: Shelf, command: Command) -> tuple[Event, ...]:
    """The events of the command; none if nothing changes. Raises Declined."""
    match command:
        case Receive(bags=bags):
            return (Received(bags),)
        case Ship(bags=bags) | Reserve(bags=bags) if bags > shelf.bags:
            raise Declined(f"only {shelf.bags} left")
        case Ship(bags=bags, to=to):
            return (Shipped(bags, to),)
        case Reserve(bags=bags):
            return (Reserved(bags),)
        case Count(found=found):
            return () if found == shelf.bags else (Corrected(found - shelf.bags, "counted"),)
    raise ValueError(f"{command!r} is not a command of a shelf")


def fold(events: Iterable[Event], shelf: Shelf = EMPTY) -> Shelf:
    """The state after these events."""
    return reduce(evolve, events, shelf)
