"""The events of a shelf of coffee, and the decisions about it: pure functions, as in chapter 8.

A shelf is a stream. `evolve` folds its events to the bags that are left, and `decide` makes events of a command.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, reduce

import msgspec

from patterns.engine.process import Message
from patterns.engine.values import Value
from patterns.event_sourcing.store import NewEvent


class Received(Value, tag="received", forbid_unknown_fields=True):
    """Bags of coffee were put on their shelf."""

    coffee: str
    bags: int


class Ordered(Value, tag="ordered", forbid_unknown_fields=True):
    """A customer has ordered bags of coffee, and the shop has said yes."""

    coffee: str
    bags: int
    customer: str
    order: str


Fact = Received | Ordered


class Order(Message):
    """A command: a customer wants bags of coffee. Its id names the command, also when it is sent again."""

    id: str
    customer: str
    coffee: str
    bags: int = 1


def evolve(left: int, fact: Fact) -> int:
    """The bags that are left on a shelf after this event."""
    return left + fact.bags if isinstance(fact, Received) else left - fact.bags


def decide(left: int, order: Order) -> tuple[Fact, ...]:
    """The events that the command leads to: none if too few bags are left."""
    if order.bags > left:
        return ()
    return (Ordered(order.coffee, order.bags, order.customer, order.id),)


def fold(facts: Iterable[Fact]) -> int:
    """The bags that are left after all events of a shelf."""
    return reduce(evolve, facts, 0)


def stream_of(coffee: str) -> str:
    """The stream of a shelf."""
    return f"shelf-{coffee}"


def recorded_as(id: str, fact: Fact) -> NewEvent:
    """The fact as an event for the store."""
    kind = type(fact).__struct_config__.tag
    assert isinstance(kind, str)
    return NewEvent(id, kind, msgspec.json.encode(fact).decode())


@cache
def _decoded(data: str) -> Fact:
    fact: Fact = msgspec.json.decode(data, type=Fact)
    return fact


def fact_of(event: NewEvent) -> Fact:
    """The fact in an event of the store. Raises msgspec.ValidationError for a body that no fact has."""
    return _decoded(event.data)
