"""The shop with one rule broken: each a subclass with one small method overridden, or another store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import reduce
from typing import Any

from msgspec.structs import astuple, replace

from patterns.engine.planted import Bug, Search
from patterns.engine.process import on
from patterns.engine.properties import NoFailure, Property
from patterns.engine.sentences import page_of
from patterns.event_sourcing.codec import Codec, Part, Unreadable
from patterns.event_sourcing.event_store import EventStore, NumbersFirst
from patterns.event_sourcing.history import FOLDS, STREAM, ShelfHistory, Story, load_is_replay
from patterns.event_sourcing.messages import Accepted, Append, Pushed
from patterns.event_sourcing.messages import Loaded as StreamLoaded
from patterns.event_sourcing.picker import Picker
from patterns.event_sourcing.properties import (
    ALWAYS,
    done_is_stored,
    done_once,
    ended,
    level,
    model_is_fold,
    never_oversold,
    no_late_arrival,
    voucher_once,
)
from patterns.event_sourcing.shelf import CODEC, Event, Receive, Reserve, Reserved, Shelf, Ship
from patterns.event_sourcing.shop import Shop
from patterns.event_sourcing.snapshots import Loaded, load
from patterns.event_sourcing.store import ANY, APPEND, CONFLICT, AppendRefused, Expected, Recorded
from patterns.event_sourcing.subscriber import LIVE, Projector, Subscriber

# Pickers


class Unconditional(Picker):
    def expected(self, loaded: StreamLoaded) -> Expected:
        return ANY


class AsksWithFreshIds(Picker):
    def go_on(self) -> None:
        """A new attempt after silence is a new decision, so its events have new ids."""
        if self.decided is not None and self.silent:
            self.number, self.decided = self.number + 1, None
        self.silent = self.command is not None and self.decided is not None
        super().go_on()

    silent: bool = False


class NamesByNumberOnly(Picker):
    """Right as long as the scope of an id is its stream: here each picker has a stream of its own."""

    def name(self) -> str:
        return str(self.number)


class KnowsTooLate(Picker):
    seen: StreamLoaded | None = None

    @on(StreamLoaded)
    def stream_arrives(self, sender: str, loaded: StreamLoaded) -> None:
        """It reads the events, and then once more, for the highest position."""
        seen, self.seen = self.seen, None if self.seen else loaded
        if seen is None:
            self.go_on()
        else:
            super().stream_arrives(sender, replace(seen, known=loaded.known))


# Stores


class Ignores(EventStore):
    """It leaves rows out that it takes for known, and answers as if all were well."""

    def settle(self, sender: str, append: Append, position: int = 0) -> bool:
        if there := [event for event in self.log.events if self.is_known(event, append)]:
            self.note("E.same", sender=sender, version=there[-1].version)
            self.send(sender, Accepted(tuple(new.id for new in append.events), there[-1].version, there[-1].position))
            return False
        return super().settle(sender, append, position)

    def is_known(self, event: Recorded, append: Append) -> bool:
        return event.stream == append.stream and event.version - 1 == append.expected


class OneScopeForIds(Ignores):
    def is_known(self, event: Recorded, append: Append) -> bool:
        return event.id in {new.id for new in append.events}


class VersionFirst(EventStore):
    def judge(self, stored: Sequence[str], ids: Sequence[str], expected: Expected) -> str:
        return APPEND if expected in (ANY, len(stored) - 1) else CONFLICT


class ChecksFirst(NumbersFirst):
    """The condition is checked when the transaction begins, and the row is inserted later."""

    def picker_appends(self, sender: str, append: Append) -> None:
        try:
            self.log.append(*astuple(append))  # a log is a value: this only checks
        except AppendRefused:
            self.settle(sender, append)
        else:
            super().picker_appends(sender, Append(append.stream, append.events, append.expected))


# Readers


class ReadsFirst(Subscriber):
    """It reads pages, and subscribes when it has read them all."""

    def join(self) -> None:
        self.read_on()

    def go_live(self) -> None:
        Subscriber.join(self)
        self.phase = LIVE
        self.cancel_timer("silence")


class DropsNothing(Subscriber):
    def is_read(self, pushed: Pushed) -> bool:
        return False


class CountsEach(Projector):
    def is_new(self, event: Recorded) -> bool:
        return True


class MindsNoGap(Subscriber):
    def follow(self, pushed: Pushed) -> None:
        super().follow(Pushed(self.reached, pushed.event, pushed.to))


class WithoutUpcasters(Projector):
    def parts(self, event: Recorded) -> tuple[Part, ...]:
        return Codec(Event, {}).decode(event)


class SkipsUnreadable(WithoutUpcasters):
    def parts(self, event: Recorded) -> tuple[Part, ...]:
        with suppress(Unreadable):
            return super().parts(event)
        return ()


class AsksTheClock(Projector):
    def evolve(self, shelf: Shelf, event: Event) -> Shelf:
        """A reservation is forgotten if the event is folded late."""
        return shelf if isinstance(event, Reserved) and self.now > SOON else super().evolve(shelf, event)


# Snapshots


def takes_any_snapshot(self: ShelfHistory, story: Story) -> Loaded:
    """It does not ask which code has folded the snapshot."""
    snapshot = story.snapshot and story.snapshot._replace(fold=story.fold)
    return load(story.log, STREAM, FOLDS[story.fold], snapshot)


def replays_the_last_one_too(self: ShelfHistory, story: Story) -> Loaded:
    """It replays from the snapshot's version on, and not after it."""
    loaded, snapshot = takes_any_snapshot(self, story), story.snapshot
    if snapshot is None or not loaded.from_snapshot:
        return loaded
    events = CODEC.facts(story.log.read(STREAM, snapshot.version))
    return loaded._replace(state=reduce(FOLDS[story.fold].evolve, events, snapshot.state))


def takes_its_version_from_the_tail(self: ShelfHistory, story: Story) -> Loaded:
    """Without an event after the snapshot it takes the stream for a new one."""
    loaded = load(story.log, STREAM, FOLDS[story.fold], story.snapshot)
    return loaded if loaded.read else loaded._replace(version=-1)


# How each is found

SMALL = Shop(commands=(Receive("shelf-1", 1), Receive("shelf-2", 1)), budget={}, timing="quiet", idle=0)
"""Two pickers, a command each, for two shelves, no faults. Transactions may be slow; other timers wait for messages."""
SOON = 80
"""ms: before this, a reservation counts for a fold that asks the clock."""
ONE_SHELF = SMALL.again(commands=(Receive("shelf-1", 1), Receive("shelf-1", 1)))
WRITERS = SMALL.again(reads=False)
RESERVED = (Receive("shelf-1", 1), Reserve("shelf-1", 1))
VOUCHER = (Ship("shelf-1", 0, "Ann", "V"), Ship("shelf-2", 0, "Bob", "V"))
SENTENCES = page_of(__package__, "bugs.toml")
HELD = (*ALWAYS, level, ended)
SNAPSHOTS = Search(ShelfHistory(most=3, kinds=("received", "reserved")), (load_is_replay,))


def _of(machine: Shop, breaks: Property, **changes: Any) -> tuple[Mapping[str, Any], Search, Property]:
    held = ALWAYS if machine.params.budget else HELD  # with losses, all ends only if all is asked for again and again
    return changes, Search(machine, held), breaks


ONE = SMALL.again(commands=SMALL.params.commands[:1])
OLD = ONE.again(old=True)
LOSSY = WRITERS.again(commands=ONE.params.commands, budget={"drop": 1})
NUMBERED = SMALL.again(store="horizon and number", insert_later=True)
RACE = WRITERS.again(commands=(Receive("shelf-1", 1), Ship("shelf-1", 1, "Ann"), Ship("shelf-1", 1, "Bob")))
FOUR = WRITERS.again(commands=(VOUCHER[0], Receive("shelf-3", 1), Receive("shelf-4", 1), VOUCHER[1]))
FOUND = {
    "position before commit": _of(SMALL, no_late_arrival, store="numbers first"),
    "checkpoint by position under a horizon": _of(NUMBERED, no_late_arrival, store="horizon"),
    "hold at a hole without end": _of(ONE_SHELF.again(store="horizon"), level, store="holds at holes"),
    "appends without an expected version": _of(RACE, never_oversold, picker=Unconditional),
    "version before retry": _of(LOSSY, done_once, event_store=VersionFirst),
    "a retry with fresh ids": _of(LOSSY, done_once, picker=AsksWithFreshIds),
    "rows are ignored": _of(ONE_SHELF.again(reads=False), done_is_stored, event_store=Ignores),
    "ids of the whole store": _of(WRITERS, done_is_stored, event_store=OneScopeForIds, picker=NamesByNumberOnly),
    "the position is read too late": _of(WRITERS.again(commands=VOUCHER), voucher_once, picker=KnowsTooLate),
    "check and insert in two steps": _of(WRITERS.again(commands=VOUCHER), voucher_once, event_store=ChecksFirst),
    "a condition on a store that numbers first": _of(FOUR, voucher_once, store="numbers first"),
    "reads first and then subscribes": _of(ONE, level, subscriber=ReadsFirst),
    "drops nothing by position": _of(ONE, model_is_fold, subscriber=DropsNothing, projector=CountsEach),
    "minds no gap": _of(SMALL.again(budget={"drop": 1}), no_late_arrival, subscriber=MindsNoGap),
    "a fold asks the clock": _of(SMALL.again(commands=RESERVED), model_is_fold, projector=AsksTheClock),
    "no upcasters for the projector": _of(OLD, NoFailure(), projector=WithoutUpcasters),
    "an unreadable event is skipped": _of(OLD, model_is_fold, projector=SkipsUnreadable),
    "a stale snapshot": ({"load": takes_any_snapshot}, SNAPSHOTS, load_is_replay),
    "from the snapshot on": ({"load": replays_the_last_one_too}, SNAPSHOTS, load_is_replay),
    "a snapshot without a version": ({"load": takes_its_version_from_the_tail}, SNAPSHOTS, load_is_replay),
}
"""Title -> the change, where it is found, what it breaks."""
BUGS: Mapping[str, Bug] = {title: Bug(SENTENCES[title], *found) for title, found in FOUND.items()}
"""Title -> bug."""
