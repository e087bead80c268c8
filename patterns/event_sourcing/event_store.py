"""The store as a process. `EventStore` gives an event its position when it commits, like SQLite with one writer.

`NumbersFirst` gives the position when a transaction inserts, and shows the event when it commits, like a sequence of
PostgreSQL. An event may then appear below a position that a reader has passed. Its subclasses are the three cures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import astuple

from patterns.engine.process import Process, durable, on, on_timer, setting
from patterns.engine.table import Table

from .log import Log
from .messages import (
    Accepted,
    Append,
    Cursor,
    Load,
    Loaded,
    PageRead,
    Pushed,
    ReadPage,
    Refused,
    Subscribe,
    Subscribed,
)
from .store import AppendRefused, Expected, Recorded, judge, matches

INSERT, COMMIT = 10, (10, 40)
"""ms from the beginning of a transaction to its insert, and from there to its commit: the shortest and the longest."""


class EventStore(Process):
    """One log. An append is judged and committed in one step."""

    page_size: int = setting(2)
    log: Log = durable(Log())
    subscribers: tuple[str, ...] = ()
    """The readers that it sends new events."""

    # Writers

    @on(Load)
    def picker_loads(self, sender: str, load: Load) -> None:
        events, tail = self.log.stream(load.stream).events, self.log.tail(load.stream)
        self.note("E.load", sender=sender, stream=load.stream, version=tail)
        matched = tuple(event for event in self.log.events if load.query and matches(load.query, event))
        known = self.log.events[-1].position if self.log.events else 0
        self.send(sender, Loaded(load.stream, events, tail, matched, known))

    @on(Append)
    def picker_appends(self, sender: str, append: Append) -> None:
        self.settle(sender, append)

    def settle(self, sender: str, append: Append, position: int = 0) -> bool:
        """Judge and commit, at this position or at the next one. Returns whether events were written."""
        before, ids = self.shown(), tuple(event.id for event in append.events)
        try:
            self.log, answer = self.log.append(*astuple(append), rule=self.judge, position=position)
        except AppendRefused as why:
            self.note("E.refuse", sender=sender, why=str(why))
            self.send(sender, Refused(ids, str(why), (type(why).__name__, *vars(why).values())))
            return False
        what = {"stream": append.stream, "events": append.kinds, **answer._asdict()}
        self.note("E.same" if answer.again else "E.append", sender=sender, **what)
        self.send(sender, Accepted(ids, answer.version, answer.position))
        self.push(before)
        return not answer.again

    def judge(self, stored: Sequence[str], ids: Sequence[str], expected: Expected) -> str:
        """What to make of a batch: `append`, `same` or `conflict`."""
        return judge(stored, ids, expected)

    # Readers

    @on(Subscribe)
    def reader_subscribes(self, sender: str, subscribe: Subscribe) -> None:
        self.note("E.subscribe", sender=sender)
        self.subscribers = tuple(sorted({*self.subscribers, sender}))
        self.send(sender, Subscribed())

    @on(ReadPage)
    def reader_asks(self, sender: str, ask: ReadPage) -> None:
        more = [event for event in self.shown() if self.cursor(event) > ask.after]
        page = tuple(more[: self.page_size])
        to = self.cursor(page[-1]) if page else ask.after
        self.note("E.page", sender=sender, count=len(page), to=to)
        self.send(sender, PageRead(ask.after, page, to, full=len(page) == self.page_size))

    def push(self, before: Sequence[Recorded]) -> None:
        """Each event that is shown now and was not before, with the cursor of the event in front of it."""
        cursors = [self.origin(), *(self.cursor(event) for event in self.shown())]
        for after, event in zip(cursors, self.shown(), strict=False):
            for subscriber in self.subscribers if event not in before else ():
                self.send(subscriber, Pushed(after, event, self.cursor(event)))

    def shown(self) -> list[Recorded]:
        """The events that a reader may see, in the order in which it sees them."""
        return sorted(self.log.events, key=self.cursor)

    def cursor(self, event: Recorded) -> Cursor:
        """Where a reader stands once it has read this event."""
        return (event.position,)

    def origin(self) -> Cursor:
        """Where a reader stands that has read nothing."""
        return (0,)


class Open(NamedTuple):
    """A transaction that is not yet committed. It is lost in a crash, and its positions are then holes."""

    number: int
    sender: str
    append: Append
    position: int = 0
    """Of its first event; 0 until it has inserted it."""


class NumbersFirst(EventStore):
    """Takes positions at an insert and shows events at the commit: between the two, others may commit."""

    insert_later: bool = setting(False)
    """Whether a transaction begins some time before its insert."""
    begun: int = durable(0)
    """The number of the last transaction."""
    taken: int = durable(0)
    """The highest position that was given out. A rolled back transaction leaves a hole."""
    numbers: tuple[tuple[int, int], ...] = durable(())
    """(position, transaction) of each committed event."""
    open: Table[Open] = Table()

    @on(Append)
    def picker_appends(self, sender: str, append: Append) -> None:
        """Begin. A retry of an open transaction changes nothing: its answer is coming."""
        if any(each.append == append for each in self.open.values()):
            self.note("N.open", sender=sender)
            return
        self.begun += 1
        self.open = self.open.put(str(self.begun), Open(self.begun, sender, append))
        self.note("N.begin", sender=sender, number=self.begun)
        if self.insert_later:
            self.set_timer("insert", INSERT, about=str(self.begun))
        else:
            self.insert(str(self.begun))

    @on_timer("insert")
    def insert(self, number: str) -> None:
        """The row takes the next position, before anybody knows whether it will be committed."""
        mine = self.open[number]._replace(position=self.taken + 1)
        self.taken += len(mine.append.events)
        self.open = self.open.put(number, mine)
        self.note("N.take", number=mine.number, sender=mine.sender, position=mine.position)
        self.set_timer("commit", *COMMIT, about=number)

    @on_timer("commit")
    def commit(self, number: str) -> None:
        """Everything is judged at the end, on all that was committed meanwhile."""
        mine = self.open[number]
        here = range(mine.position, mine.position + len(mine.append.events))
        self.numbers += tuple((position, mine.number) for position in here)
        written = self.settle(mine.sender, mine.append, mine.position)
        self.note("N.commit" if written else "N.roll", number=mine.number, position=mine.position)
        before, self.open = self.shown(), self.open.without(number)
        self.push(before)

    def number(self, event: Recorded) -> int:
        """The transaction that wrote this event."""
        return dict(self.numbers)[event.position]


class HoldsAtHoles(NumbersFirst):
    """Cure 1: nothing after a hole is shown. But a rolled back transaction leaves its hole for ever."""

    def shown(self) -> list[Recorded]:
        events = super().shown()
        return [event for nth, event in enumerate(events, 1) if event.position == nth]


class Horizon(NumbersFirst):
    """Cure 2: an event is shown once every transaction that began before its own has ended."""

    def shown(self) -> list[Recorded]:
        horizon = min([each.number for each in self.open.values()], default=self.begun + 1)
        return [event for event in super().shown() if self.number(event) < horizon]


class HorizonAndNumber(Horizon):
    """Cure 3: the same, and readers go in the order of (transaction, position)."""

    def cursor(self, event: Recorded) -> Cursor:
        return (self.number(event), event.position)

    def origin(self) -> Cursor:
        return (0, 0)
