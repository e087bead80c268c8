"""Read models as values: their rows, what an event does to a row, and how far a model lags behind.

A read model is made for its query. `project` changes one row for each event; it reads the event and the row alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from patterns.engine.table import Table
from patterns.engine.values import Value
from patterns.event_sourcing.store import Recorded

from .facts import Fact, Ordered, Received, fact_of

ORDERED = ("ordered",)


class Kind(NamedTuple):
    """A kind of read model."""

    title: str
    key: str
    """The field of an event that says which row it changes."""
    types: tuple[str, ...] = ORDERED
    """The types of the events that it is made of; none for all of them."""


KINDS: Mapping[str, Kind] = {
    "orders": Kind("what each customer has ordered", "customer"),
    "shelf": Kind("how many bags are left of each coffee", "coffee", ()),
    "sellers": Kind("how many bags were sold of each coffee", "coffee"),
    "mail": Kind("the letters that each customer is sent", "customer"),
}
"""Name -> kind of read model."""


class Row(Value):
    """A row of a read model."""

    value: Any
    position: int
    """The position of the last event that changed it."""


class ReadModel(Value):
    """The rows of one version of a read model, and the events that it could not apply."""

    rows: Table[Row] = Table()
    parked: tuple[Recorded, ...] = ()
    """In the order of their positions: events that could not be read, and everything later of their streams."""
    began: int = 0
    """Where the version before stood when this one began."""

    @property
    def parked_streams(self) -> frozenset[str]:
        return frozenset(event.stream for event in self.parked)

    def row_of(self, model: str, event: Recorded) -> Row | None:
        """The row that this event changes, if it is there."""
        return self.rows.get(getattr(fact_of(event), KINDS[model].key))

    def with_event(self, model: str, version: int, event: Recorded) -> ReadModel:
        """The model after this event."""
        return replace(self, rows=project(model, version, self.rows, event))


def project(model: str, version: int, rows: Table[Row], event: Recorded) -> Table[Row]:
    """The rows after this event."""
    fact = fact_of(event)
    key = getattr(fact, KINDS[model].key)
    was = rows.get(key)
    return rows.put(key, Row(_value(model, version, was.value if was else None, fact), event.position))


def _value(model: str, version: int, was: Any, fact: Fact) -> Any:
    match model, fact:
        case "orders", Ordered():
            return (*(was or ()), line_of(version, fact))
        case "mail", Ordered():
            return (*(was or ()), fact.order)
        case "shelf", Received():
            return (was or 0) + fact.bags
        case "shelf", Ordered():
            return (was or 0) - fact.bags
    return (was or 0) + fact.bags


def line_of(version: int, order: Ordered) -> str:
    """An order in its customer's list. Since version 2 the list says what was ordered."""
    return order.order if version == 1 else f"{order.order} {order.coffee}"


def key_of(model: str, version: int) -> str:
    """Names one version of a read model."""
    return f"{model}.{version}"


def is_missing(event: Recorded, model: str, checkpoint: int) -> bool:
    """Whether a read model wants the event and has not come to it yet."""
    types = KINDS[model].types
    return event.position > checkpoint and (event.type in types or not types)


def behind(events: Iterable[Recorded], model: str, checkpoint: int) -> int:
    """How many events of the store a read model has not applied yet. Holes in the positions do not count, and neither
    do events that the model does not want."""
    return sum(is_missing(event, model, checkpoint) for event in events)
