"""What must hold in the shop: of the store, of its readers, and of the pickers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from patterns.engine.properties import Always, AtRest, Property, Reason, Sometimes
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


def streams(events: tuple[Recorded, ...]) -> dict[str, list[Recorded]]:
    """Stream -> its events, in the order of their versions."""
    ordered = sorted(events, key=lambda event: (event.stream, event.version))
    return {name: list(own) for name, own in groupby(ordered, key=lambda event: event.stream)}


def bags(events: list[Recorded]) -> int:
    return fold(part.event for event in events for part in CODEC.decode(event)).bags


def lost(world: World) -> tuple[Recorded, ...]:
    """The events that stand at or below the place that the subscriber has reached, and that it never passed on."""
    store = store_of(world)
    for subscriber, projector in readers(world):
        passed = {*projector.positions, *(event.position for event in subscriber.queue)}
        reached = subscriber.reached or subscriber.checkpoint or subscriber.origin
        return tuple(e for e in store.log.events if store.cursor(e) <= reached and e.position not in passed)
    return ()


def _late(world: World) -> Reason:
    for event in lost(world):
        [(subscriber, _)] = readers(world)
        return f"the event at position {event.position} appeared when {subscriber.id} had passed this position"
    return None


def _oversold(world: World) -> Reason:
    for name, events in streams(store_of(world).log.events).items():
        if (left := bags(events)) < 0:
            return f"{name} has {left} bags: more were shipped than were there"
    return None


def _done_twice(world: World) -> Reason:
    causes = Counter(event.meta for event in store_of(world).log.events if event.meta != "{}")
    return next((f"the command of {cause} was done {n} times" for cause, n in causes.items() if n > 1), None)


def _voucher(world: World) -> Reason:
    used = Counter(tag for event in store_of(world).log.events for tag in event.tags)
    return next((f"{tag} was used {n} times" for tag, n in used.items() if n > 1), None)


def _told(world: World) -> Reason:
    there = {event.position for event in store_of(world).log.events}
    for call in world.calls:
        if isinstance(call.reply, Answer) and call.reply.position and call.reply.position not in there:
            return f"{call.client} was told of position {call.reply.position}, and no event stands there"
    return None


def _model(world: World) -> Reason:
    events = store_of(world).log.events
    for _, projector in readers(world):
        if len({*projector.positions}) < len(projector.positions):
            return f"{projector.id} has applied an event twice: {projector.positions}"
        own = tuple(event for event in events if event.position in projector.positions)
        right = {name: bags(applied) for name, applied in streams(own).items()}
        shown = {name: shelf.bags for name, shelf in projector.rows}
        if shown != right:
            return f"{projector.id} shows {shown}; the events that it has applied make {right}"
    return None


def _behind(world: World) -> Reason:
    missing = {event.position for event in store_of(world).log.events}
    for _, projector in readers(world):
        if missing := missing - {*projector.positions}:
            return f"{projector.id} never gets the events at positions {sorted(missing)}"
    return None


def _waits(world: World) -> Reason:
    return next((f"{each.id} never answers {each.client}" for each in pickers(world) if each.command is not None), None)


no_late_arrival = Always("no event appears at or below a position that a reader has passed", _late)
never_oversold = Always("no more bags are shipped than were there", _oversold)
done_once = Always("no command is done twice", _done_twice)
voucher_once = Always("a voucher is used once, over all shelves", _voucher)
told_is_stored = Always("an answer names a position where an event stands", _told)
model_is_fold = Always("the table is the fold of the events that were applied, each of them once", _model)
level = AtRest("every event reaches the projector in the end", _behind)
ended = AtRest("every command ends in the end", _waits)
accepted = Sometimes("a command is accepted", lambda world: any(_position(call.reply) for call in world.calls))
ALWAYS: tuple[Property, ...] = (
    never_oversold,
    done_once,
    voucher_once,
    told_is_stored,
    no_late_arrival,
    model_is_fold,
)


def _position(reply: Any) -> int:
    return reply.position if isinstance(reply, Answer) else 0
