"""Costs and savings of a read model: lag against the rate of writes, a rebuild over time, rows read by a query.

All of it is counted in simulated runs, in which each message takes 10 ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from patterns.cqrs.facts import Order
from patterns.cqrs.machine import OPERATOR, Cqrs
from patterns.cqrs.messages import Rebuild
from patterns.cqrs.models import is_missing
from patterns.cqrs.properties import models_of, page_of, shop_of
from patterns.cqrs.shop import Shop
from patterns.engine.arguments import listed, require_whole
from patterns.engine.milestones import fired, when
from patterns.engine.planted import planted
from patterns.engine.process import on_timer, setting
from patterns.engine.script import Script
from patterns.engine.step import Step

HOP = 10
"""How many ms a message takes."""
ORDERS = 40
"""How many orders are written at each rate."""
AFTERWARDS = 250
"""How many ms are shown after the switch."""


class Busy(Shop):
    """A shop to which a customer comes every so many ms, until all have come."""

    gap: int = setting(100)
    left: int = ORDERS

    def on_start(self) -> None:
        self.set_timer("customer", self.gap)

    @on_timer("customer")
    def customer(self) -> None:
        self.carry_out("", Order(f"order-{self.left}", "ann", "mocha"))
        self.left -= 1
        if self.left:
            self.set_timer("customer", self.gap)


def busy(every: int, **params: Any) -> Cqrs:
    """A machine with such a shop."""

    class Here(Busy):
        gap: int = setting(every)

    given = {"coffees": ("mocha",), "bags": ORDERS, "latency": (HOP, HOP), "patience": 100_000}
    return planted(Cqrs(**{**given, **params}), shop=Here)


class Lag(NamedTuple):
    """How far a read model fell behind at one rate of writes."""

    rate: float
    """Orders each second."""
    batch: int
    """How many events one transaction takes at most."""
    events: int
    """The most events that it was behind."""
    ms: int
    """The longest time from an event's write to its row."""


def lag(gap: int, batch: int = 1) -> Lag:
    """The lag of the bestsellers while an order is written every `gap` ms. Raises ValueError for numbers below 1."""
    require_whole("gap", gap)
    require_whole("batch", batch)
    run = Script(busy(gap, models=("sellers",), limit=batch))
    run.until(when(lambda world: _head(world) > ORDERS and _checkpoint(world) == _head(world)))
    written, applied, behind = dict[int, int](), dict[int, int](), 0
    for step in run.history.branch:
        world = step.state
        written.setdefault(_head(world), world.clock)
        for position in range(len(applied), _checkpoint(world)):
            applied[position + 1] = world.clock
        behind = max(behind, _head(world) - _checkpoint(world))
    longest = max(applied[position] - at for position, at in written.items() if position > 1)
    return Lag(1000 / gap, batch, behind, longest)


def lags(gaps: Iterable[int] = (100, 67, 50, 44, 40, 36, 33, 29, 25), batches: Iterable[int] = (1, 5)) -> list[Lag]:
    """A chart's points."""
    each = listed("gaps", gaps, "a list of whole numbers of ms")
    return [lag(gap, batch) for batch in listed("batches", batches, "a list of whole numbers") for gap in each]


def late(step: Step[Any, Any], model: str, checkpoint: int) -> int:
    """For how many ms the oldest event has been in the store that a read model wants and has not applied."""
    missing = [each.position for each in shop_of(step.state).log.events if is_missing(each, model, checkpoint)]
    written = step
    while missing and written.parent is not None and _head(written.parent.state) >= missing[0]:
        written = written.parent
    return int(step.state.clock - written.state.clock)


def _head(world: Any) -> int:
    """The newest position of the store."""
    return int(shop_of(world).log.events[-1].position)


def _checkpoint(world: Any) -> int:
    """Where the first read model stands."""
    return next(at for _, _, _, at in models_of(page_of(world)))


class Moment(NamedTuple):
    """Where the store and both versions of a read model stand at one time."""

    ms: int
    store: int
    old: int
    new: int | None
    """None: the new version is not there yet."""
    live: int
    """The version that queries read."""


def rebuild(gap: int = 60, batch: int = 4) -> list[Moment]:
    """A new version is filled beside the old one while an order is written every `gap` ms. Times count from the start
    of the rebuild."""
    require_whole("gap", gap)
    require_whole("batch", batch)
    run = Script(busy(gap, models=("orders",), rebuild="orders", limit=batch))
    run.until(when(lambda world: _head(world) > ORDERS // 2)).ask(OPERATOR, Rebuild)
    began = run.world.clock
    run.until(fired("R.switch")).wait(AFTERWARDS)
    return [_moment(step.state, began) for step in run.history.branch if step.state.clock >= began]


def _moment(world: Any, began: int) -> Moment:
    page = page_of(world)
    old, new = page.checkpoints["orders.1"], page.checkpoints.get("orders.2")
    return Moment(world.clock - began, _head(world), old, new, page.live["orders"])
