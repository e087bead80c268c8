"""The store as a process. `EventStore` gives an event its position when it commits, like SQLite with one writer.

`NumbersFirst` gives the position when a transaction inserts, and shows the event when it commits, like a sequence of
PostgreSQL. An event may then appear below a position that a reader has passed. Its subclasses are the three cures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from patterns.engine.process import Process, durable, on, on_timer, setting

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
    kinds,
)
from .store import Appended, AppendRefused, Expected, Recorded, judge, matches, recognise

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
        self.send(sender, Loaded(load.stream, events, tail, self.matched(load), self.head()[-1]))

    def matched(self, load: Load) -> tuple[Recorded, ...]:
        return tuple(event for event in self.log.events if load.query and matches(load.query, event))

    @on(Append)
    def picker_appends(self, sender: str, append: Append) -> None:
        before = self.shown()
        try:
            self.log, answer = self.log.append(
                append.stream, append.events, append.expected, append.unless, rule=self.judge
            )
        except AppendRefused as why:
            self.refuse(sender, append, why)
        else:
            self.accept(sender, append, answer)
        self.push(before)

    def judge(self, stored: Sequence[str], ids: Sequence[str], expected: Expected) -> str:
        """What to make of a batch: `append`, `same` or `conflict`."""
        return judge(stored, ids, expected)

    def accept(self, sender: str, append: Append, answer: Appended) -> None:
        ids = tuple(event.id for event in append.events)
        rule = "E.same" if answer.again else "E.append"
        what = {"events": kinds(append.events), "version": answer.version, "position": answer.position}
        self.note(rule, sender=sender, stream=append.stream, **what)
        self.send(sender, Accepted(append.stream, answer.version, answer.position, ids))

    def refuse(self, sender: str, append: Append, why: AppendRefused) -> None:
        self.note("E.refuse", sender=sender, why=str(why))
        self.send(sender, Refused(append.stream, tuple(event.id for event in append.events), str(why)))

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

    def head(self) -> Cursor:
        return self.cursor(self.log.events[-1]) if self.log.events else self.origin()


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
    open: tuple[Open, ...] = ()

    @on(Append)
    def picker_appends(self, sender: str, append: Append) -> None:
        """Begin. A retry of an open transaction changes nothing: its answer is coming."""
        if any(each.append == append for each in self.open):
            self.note("N.open", sender=sender)
            return
        self.begun += 1
        self.open = (*self.open, Open(self.begun, sender, append))
        self.note("N.begin", sender=sender, number=self.begun)
        if self.insert_later:
            self.set_timer("insert", INSERT, about=str(self.begun))
        else:
            self.insert(str(self.begun))

    @on_timer("insert")
    def insert(self, number: str) -> None:
        """The row takes the next position, before anybody knows whether it will be committed."""
        [mine] = [each for each in self.open if each.number == int(number)]
        at = self.taken + 1
        self.taken += len(mine.append.events)
        self.open = tuple(each._replace(position=at) if each is mine else each for each in self.open)
        self.note("N.take", number=mine.number, sender=mine.sender, position=at)
        self.set_timer("commit", *COMMIT, about=number)

    @on_timer("commit")
    def commit(self, number: str) -> None:
        before = self.shown()
        [mine] = [each for each in self.open if each.number == int(number)]
        self.open = tuple(each for each in self.open if each is not mine)
        try:
            answer = self.committed(mine)
        except AppendRefused as why:
            self.note("N.roll", number=mine.number, position=mine.position)
            self.refuse(mine.sender, mine.append, why)
        else:
            self.accept(mine.sender, mine.append, answer)
        self.push(before)

    def committed(self, mine: Open) -> Appended:
        """The rules are judged at the end, on all that was committed meanwhile."""
        append = mine.append
        there = recognise(append.stream, self.log.stream(append.stream), append.events, append.expected, self.judge)
        if there is not None:
            return Appended(there.version, there.position, again=True)
        if append.unless is not None:
            self.log.require(append.unless)
        self.log, answer = self.log.put(append.stream, append.events, mine.position)
        self.numbers += tuple((mine.position + nth, mine.number) for nth in range(len(append.events)))
        self.note("N.commit", number=mine.number, position=mine.position)
        return answer

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
        horizon = self.horizon(tuple(each.number for each in self.open))
        return [event for event in super().shown() if self.number(event) < horizon]

    def horizon(self, in_flight: tuple[int, ...]) -> int:
        """No transaction below it is open."""
        return min(in_flight, default=self.begun + 1)


class HorizonAndNumber(Horizon):
    """Cure 3: the same, and readers go in the order of (transaction, position)."""

    def cursor(self, event: Recorded) -> Cursor:
        return (self.number(event), event.position)

    def origin(self) -> Cursor:
        return (0, 0)
