"""A shop on a real file: orders are appended, projectors write, a query waits for its order, and two ways to read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Event
from time import perf_counter  # noqa: TID251 - how long a real query takes is no part of any state
from typing import Any, NamedTuple

from patterns.cqrs.facts import Fact, Ordered, Received, fact_of, fold, recorded_as, stream_of
from patterns.cqrs.lesson import measure
from patterns.cqrs.projector import CommitOrder
from patterns.cqrs.sqlite_models import (
    LOOKS,
    MODELS,
    Projectors,
    SqliteProjector,
    Waited,
    connect,
    position_of,
    table_of,
    version_of,
    wait_for,
)
from patterns.event_sourcing.sqlite_store import SqliteStore

STARTING_MS = 60_000
"""A deadline that is long enough for a process to start on a busy machine."""


class RealShop:
    """The write side on the file at `path`, and queries to the read models beside it."""

    def __init__(self, path: Path | str) -> None:
        self.store = SqliteStore(path)
        self.database = connect(path)
        self.orders = 0

    def receive(self, coffee: str, bags: int) -> int:
        """The position of the event."""
        return self._append(f"stock-{coffee}", Received(coffee, bags))

    def order(self, customer: str, coffee: str, bags: int = 1) -> int:
        """The position of the customer's order."""
        self.orders += 1
        id = f"{customer}-{self.orders}"
        return self._append(id, Ordered(coffee, bags, customer, id))

    def _append(self, id: str, fact: Fact) -> int:
        return self.store.append(stream_of(fact.coffee), [recorded_as(id, fact)]).position

    def rows(self, model: str) -> list[tuple[Any, ...]]:
        """The table of a read model: of the version that queries read."""
        table = table_of(model, version_of(self.database, model) or 1)
        return self.database.execute(f"SELECT * FROM {table}").fetchall()

    def close(self) -> None:
        self.database.close()
        self.store.close()


class Moment(NamedTuple):
    """The table of the bestsellers at one moment."""

    when: str
    rows: list[tuple[Any, ...]]
    checkpoint: int


def killed_between(path: Path | str, commit: CommitOrder) -> tuple[Moment, Moment]:
    """Two bags are ordered. At the second, the projector of the bestsellers is killed between its two statements. The
    table then, and after a restart."""
    shop = RealShop(path)
    with Projectors(path, "orders", "shelf") as projectors:
        projectors.start("sellers", commit, die_at=2)
        wait_for(shop.database, "sellers", shop.order("ann", "mocha"), STARTING_MS)
        second = shop.order("bob", "mocha")
        projectors.died("sellers")
        killed = Moment("killed", shop.rows("sellers"), position_of(shop.database, "sellers"))
        projectors.start("sellers", commit)
        for model in MODELS:
            wait_for(shop.database, model, second, STARTING_MS)
    restarted = Moment("restarted", shop.rows("sellers"), position_of(shop.database, "sellers"))
    shop.close()
    return killed, restarted


def waits_for_orders(path: Path | str, orders: int = 100, model: str = "orders") -> list[Waited]:
    """How long the query after each order waits, at a read model, for the position that the order returned."""
    shop = RealShop(path)
    with Projectors(path) as projectors:
        for each in projectors.models:
            wait_for(shop.database, each, shop.order("ann", "java"), STARTING_MS)
        waits = [wait_for(shop.database, model, shop.order("ann", "mocha"), STARTING_MS) for _ in range(orders)]
    shop.close()
    return waits


def rebuilt(path: Path | str, orders: int = 500, page: int = 10) -> list[measure.Moment]:
    """After so many orders, version 2 of the bestsellers is filled beside version 1, and more orders come, each after
    some milliseconds. Where the store and both versions stand after each. When queries read version 2, the projector of
    version 1 stops. Then the orders go on for a third of the rebuild's time, at least for 10 orders.
    Version 2 reads pages of so many events: with large ones the chart would show a single step.

    Raises TimeoutError if that takes longer than a minute, for example because a projector died.
    """
    shop, moments, began = RealShop(path), list[measure.Moment](), perf_counter()
    last, new, ends = 0, 0, began + STARTING_MS / 1_000
    earlier = [recorded_as(f"{nth}", Ordered("mocha", 1, "ann", f"{nth}")) for nth in range(orders)]
    with Projectors(path, "sellers") as projectors:
        wait_for(shop.database, "sellers", shop.store.append(stream_of("mocha"), earlier).position, STARTING_MS)
        projectors.start("sellers", version=2, limit=page)
        switched: list[measure.Moment] = []
        while len(switched) < 10 or 3 * switched[-1].ms < 4 * switched[0].ms:
            if perf_counter() > ends:
                raise TimeoutError(f"version 2 is at {new} of {last} events after {STARTING_MS} ms")
            last = shop.order("bob", "mocha")
            old, new = (position_of(shop.database, "sellers", version) for version in (1, 2))
            if not new:  # its process is starting
                moments, began = [], perf_counter()
            ms = int(1_000 * (perf_counter() - began))
            moments.append(measure.Moment(ms, last, old, new, version_of(shop.database, "sellers")))
            if switched := [moment for moment in moments if moment.live == 2]:
                projectors.stop("sellers")
            Event().wait(LOOKS)
        wait_for(shop.database, "sellers", last, STARTING_MS)
    shop.close()
    return moments


class Cost(NamedTuple):
    """What one query costs: how many bags of a coffee are left."""

    events: int
    """How long the history of the shelf is."""
    events_ms: float
    """From the events: the median of some reads."""
    model_ms: float
    """From the read model."""


def query_costs(folder: Path | str, lengths: Iterable[int] = (10, 100, 1_000, 10_000), times: int = 5) -> list[Cost]:
    """Both ways to answer, on files in this folder, for a shelf with so many events."""
    return [_cost(Path(folder) / f"history_{length}.sqlite", length, times) for length in lengths]


def _cost(path: Path, length: int, times: int) -> Cost:
    shop = RealShop(path)
    facts: list[Fact] = [
        Received("mocha", length),
        *(Ordered("mocha", 1, "ann", f"ann-{nth}") for nth in range(1, length)),
    ]
    shop.store.append(stream_of("mocha"), [recorded_as(f"{nth}", fact) for nth, fact in enumerate(facts)])
    projector = SqliteProjector(path, "shelf", limit=length)
    projector.step()
    projector.close()

    def from_events() -> int:
        return fold(map(fact_of, shop.store.read(stream_of("mocha"))))

    def from_model() -> int:
        [(bags,)] = shop.database.execute("SELECT bags FROM shelf WHERE coffee = 'mocha'")
        return int(bags)

    assert from_events() == from_model() == 1
    cost = Cost(length, _median_ms(from_events, times), _median_ms(from_model, times))
    shop.close()
    return cost


def _median_ms(query: Any, times: int) -> float:
    spans = []
    for _ in range(times):
        began = perf_counter()
        query()
        spans.append(1000 * (perf_counter() - began))
    return sorted(spans)[times // 2]
