"""What must hold on the two sides. No property asks the rules that it checks: rows are added up anew.

The source of each is in EVENTS: exactly once in effect, monotonic reads and read-your-writes (Terry et al. 1994).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from patterns.engine.along import Along, AlwaysNext, Broken, Transition
from patterns.engine.properties import Always, Property, Reason, Sometimes
from patterns.engine.world import World
from patterns.event_sourcing.store import Recorded

from .facts import Fact, Ordered, Received, fact_of
from .messages import Accepted, Shown
from .models import key_of
from .page import Page
from .projector import Projector
from .shop import Shop


def shop_of(world: World) -> Shop:
    return next(process for process in world.processes if isinstance(process, Shop))


def page_of(world: World) -> Page:
    return next(process for process in world.processes if isinstance(process, Page))


def projectors_of(world: World) -> list[Projector]:
    return [process for process in world.processes if isinstance(process, Projector)]


def models_of(page: Page) -> Iterator[tuple[str, str, int, int]]:
    """(table, model, version, checkpoint) of each version of each read model."""
    for name in page.tables.names:
        model, _, version = name.partition(".")
        yield name, model, int(version), page.checkpoints[page.key(model, int(version))]


# A read model is the fold of the events


def folded(model: str, version: int, facts: Iterable[Fact]) -> dict[str, Any]:
    """The rows that a read model has after these events, counted at one go."""
    facts = list(facts)
    orders = [fact for fact in facts if isinstance(fact, Ordered)]
    match model:
        case "orders" | "mail":
            lines = [
                (each.customer, each.order if (model, version) != ("orders", 2) else f"{each.order} {each.coffee}")
                for each in orders
            ]
            return {name: tuple(line for customer, line in lines if customer == name) for name, _ in lines}
        case "shelf":
            put = [fact for fact in facts if isinstance(fact, Received)]
            return {
                coffee: sum(each.bags for each in put if each.coffee == coffee)
                - sum(each.bags for each in orders if each.coffee == coffee)
                for coffee in {fact.coffee for fact in facts}
            }
    coffees = {order.coffee for order in orders}
    return {coffee: sum(order.bags for order in orders if order.coffee == coffee) for coffee in coffees}


def applied(events: Iterable[Recorded], parked: Iterable[Recorded]) -> list[Fact]:
    """The events up to its checkpoint that a read model must have applied. Parked events are left out, and so are the
    later events of their streams."""
    first: dict[str, int] = {}
    for event in parked:
        first.setdefault(event.stream, event.position)
    return [fact_of(event) for event in events if event.position < first.get(event.stream, event.position + 1)]


def _rows(page: Page, name: str) -> dict[str, Any]:
    return {key: row.value for key, row in page.tables[name].rows}


def _wrong_rows(world: World, name: str, model: str, version: int, checkpoint: int) -> Reason:
    page, table = page_of(world), page_of(world).tables[name]
    events = [event for event in shop_of(world).log.events if event.position <= checkpoint]
    has = _rows(page, name)
    right = folded(model, version, applied(events, table.parked))
    if has == right:
        return None
    return f"{model} has {_shown(has)}; the events up to {checkpoint} make {_shown(right)}"


def _shown(rows: Mapping[str, Any]) -> str:
    cells = (f"{key}: {', '.join(value) if isinstance(value, tuple) else value}" for key, value in sorted(rows.items()))
    return "; ".join(cells) or "no row"


@Always.named("a read model has exactly the events up to its checkpoint")
def model_is_fold(world: World) -> Reason:
    wrong = (_wrong_rows(world, *each) for each in models_of(page_of(world)))
    return next(filter(None, wrong), None)


@Always.named("a projector that waits has counted each event once")
def counted_once(world: World) -> Reason:
    """Asked of the models whose projector has nothing left to write: it waits at the store, from the checkpoint on."""
    waiting = shop_of(world).waiting
    resting = {
        (each.model, each.version, fetch.after)
        for each in projectors_of(world)
        if (fetch := waiting.get(each.id)) is not None
    }
    for name, model, version, checkpoint in models_of(page_of(world)):
        if (model, version, checkpoint) in resting and _wrong_rows(world, name, model, version, checkpoint):
            return f"{model} has {_shown(_rows(page_of(world), name))}, and its projector waits after {checkpoint}"
    return None


# Readers


def _answers(world: World) -> Iterator[tuple[str, Shown]]:
    """(client, answer) of each query that was answered."""
    return ((call.client, call.reply) for call in world.calls if isinstance(call.reply, Shown))


Seen = frozenset[tuple[str, str, int]]
"""(client, read model, the latest position that it has seen of it)"""


@Along.named("no reader goes back in time", lambda world: frozenset())
def never_back(seen: Seen, step: Transition) -> Seen | Broken:
    last = {(client, model): position for client, model, position in seen}
    for client, shown in _answers(step.after):
        before = last.get((client, shown.model), 0)
        if shown.position < before:
            return Broken(f"{client} has seen {shown.model} at {before}, and now sees it at {shown.position}")
        last[client, shown.model] = shown.position
    return frozenset((*key, position) for key, position in last.items())


def _own(world: World, stale: bool) -> Iterator[tuple[str, Shown, str]]:
    """(client, answer, order) of each list of orders that a customer wanted with her own order in it."""
    for client, shown in _answers(world):
        ordered = world.call(shown.about)
        if shown.wanted and shown.stale == stale and ordered and isinstance(ordered.reply, Accepted):
            yield client, shown, ordered.reply.order


def _has(shown: Shown, order: str) -> bool:
    return any(line.split()[0] == order for line in shown.value or ())


@Always.named("an answer for p contains the event at p")
def reads_own_writes(world: World) -> Reason:
    for client, shown, order in _own(world, stale=False):
        if not _has(shown, order):
            return f"{client} waited for {order}, at {shown.wanted}, and is shown {shown}"
    return None


@Always.named("an answer that is called stale lacks the reader's order")
def stale_is_stale(world: World) -> Reason:
    for client, shown, order in _own(world, stale=True):
        if _has(shown, order):
            return f"{client} waited for {order}, and is told that the answer is stale: {shown}"
    return None


# Commands, checkpoints, letters


@Always.named("no command is executed twice")
def no_command_twice(world: World) -> Reason:
    """Each customer orders once in these machines, whatever the ids of the commands are."""
    orders = [fact for event in shop_of(world).log.events if isinstance(fact := fact_of(event), Ordered)]
    for customer in sorted({order.customer for order in orders}):
        own = [order.order for order in orders if order.customer == customer]
        if len(own) > 1:
            return f"{customer} ordered once, and the store has {' and '.join(own)}"
    return None


@AlwaysNext.named("no checkpoint falls")
def never_falls(before: World, after: World) -> Reason:
    is_at = dict(page_of(after).checkpoints)
    for name, was in page_of(before).checkpoints:
        if is_at[name] < was:
            return f"the checkpoint of {name} falls from {was} to {is_at[name]}"
    return None


@Always.named("no letter is sent twice")
def no_letter_twice(world: World) -> Reason:
    letters = page_of(world).letters
    return next((f"a second letter about {order} was sent" for order in letters if letters.count(order) > 1), None)


# All together


def level(world: World) -> bool:
    """Whether every read model stands at the newest event, and nothing is parked."""
    page, newest = page_of(world), max((event.position for event in shop_of(world).log.events), default=0)
    running = {key_of(each.model, each.version) for each in projectors_of(world) if each.runs}
    at = {name: checkpoint for name, _, _, checkpoint in models_of(page)}
    return all(at.get(name) == newest and not page.tables[name].parked for name in running)


def ordered_and_level(world: World) -> bool:
    """Whether somebody has ordered, and every read model has it."""
    return level(world) and any(event.type == "ordered" for event in shop_of(world).log.events)


def switched(world: World) -> bool:
    """Whether queries read a second version."""
    return any(version > 1 for version in page_of(world).live.values())


ALWAYS: tuple[Property, ...] = (
    model_is_fold,
    counted_once,
    reads_own_writes,
    stale_is_stale,
    never_back,
    no_command_twice,
    never_falls,
    no_letter_twice,
)
"""What holds in every state."""
all_level = Sometimes("after an order all read models are level again", ordered_and_level)
new_version_is_live = Sometimes("queries read the new version", switched)
