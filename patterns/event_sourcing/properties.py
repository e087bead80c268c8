"""What must hold in the shop: of the store, of its readers, and of the pickers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec import json

from patterns.engine.properties import Always, AtRest, Property, Reason, Sometimes
from patterns.engine.sentences import counted
from patterns.engine.world import World

from .event_store import EventStore
from .picker import Answer, Picker
from .shelf import CODEC, fold
from .store import Recorded
from .subscriber import Projector, Subscriber


def store_of(world: World) -> EventStore:
    return next(process for process in world.processes if isinstance(process, EventStore))


def pickers(world: World) -> tuple[Picker, ...]:
    return tuple(process for process in world.processes if isinstance(process, Picker))


def readers(world: World) -> Iterator[tuple[Subscriber, Projector]]:
    """The subscriber and its projector, if the machine has them."""
    for process in world.processes:
        if isinstance(process, Subscriber):
            yield process, world[process.projector]


def streams(events: Iterable[Recorded]) -> dict[str, list[Recorded]]:
    """Stream -> its events, in the order of their versions."""
    ordered = sorted(events, key=lambda event: (event.stream, event.version))
    return {name: list(own) for name, own in groupby(ordered, key=lambda event: event.stream)}


def bags(events: list[Recorded]) -> int:
    return fold(CODEC.facts(events)).bags


def lost(world: World) -> tuple[Recorded, ...]:
    """The events that stand at or below the place that the subscriber has reached, and that it never passed on."""
    store = store_of(world)
    for subscriber, projector in readers(world):
        passed = {*projector.positions, *(event.position for event in subscriber.queue)}
        reached = subscriber.reached or subscriber.checkpoint or subscriber.origin
        return tuple(e for e in store.log.events if store.cursor(e) <= reached and e.position not in passed)
    return ()


@Always.named("no event appears at or below a position that a reader has passed")
def no_late_arrival(world: World) -> Reason:
    for event in lost(world):
        return f"the event at position {event.position} appeared when its reader had passed this position"
    return None


@Always.named("no more bags are shipped than were there")
def never_oversold(world: World) -> Reason:
    for name, events in streams(store_of(world).log.events).items():
        if (left := bags(events)) < 0:
            return f"{name} has {counted(left, 'bag')}: more were shipped than were there"
    return None


def _repeated(what: Iterable[str]) -> Reason:
    return next((f"{each} {n} times" for each, n in Counter(what).items() if n > 1), None)


@Always.named("no command is done twice")
def done_once(world: World) -> Reason:
    """The metadata of an event names the client whose command it is, and each client asks once."""
    clients = [json.decode(event.meta).get("client") for event in store_of(world).log.events]
    return _repeated(f"client {client}'s command is done" for client in clients if client)


@Always.named("a command that is answered done has its event in the store")
def done_is_stored(world: World) -> Reason:
    clients = {event.position: json.decode(event.meta).get("client") for event in store_of(world).log.events}
    for call in world.calls:
        at = call.reply.position if isinstance(call.reply, Answer) else 0
        if at and clients[at] != call.client:
            return f"client {call.client} is told that its event stands at position {at}; another one does"
    return None


@Always.named("a voucher is used once, over all shelves")
def voucher_once(world: World) -> Reason:
    return _repeated(tag.replace(":", " ") for event in store_of(world).log.events for tag in event.tags)


@Always.named("the table is the fold of the applied events, each counted once")
def model_is_fold(world: World) -> Reason:
    for _, projector in readers(world):
        own = [event for event in store_of(world).log.events if event.position in projector.positions]
        right = {name: bags(applied) for name, applied in streams(own).items()}
        shown = {name: shelf.bags for name, shelf in projector.rows}
        if shown != right:
            return f"{projector.id} shows {shown}; the events that it has applied make {right}"
    return None


@AtRest.named("every event reaches the projector in the end")
def level(world: World) -> Reason:
    there = {event.position for event in store_of(world).log.events}
    missing = [sorted(there - {*projector.positions}) for _, projector in readers(world)]
    return f"Table never gets the events at positions {', '.join(map(str, missing[0]))}" if any(missing) else None


@AtRest.named("every command ends in the end")
def ended(world: World) -> Reason:
    return next((f"{each.id} never answers {each.client}" for each in pickers(world) if each.command is not None), None)


@Sometimes.named("a command is accepted")
def accepted(world: World) -> bool:
    return any(isinstance(call.reply, Answer) and call.reply.position > 0 for call in world.calls)


ALWAYS: tuple[Property, ...] = (never_oversold, done_once, done_is_stored, voucher_once, no_late_arrival, model_is_fold)
