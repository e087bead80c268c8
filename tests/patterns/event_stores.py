"""The stores that the contract of an event store is held against, behind one interface: `Store`."""

from __future__ import annotations

from typing import Any

from patterns.engine.process import Message, Process, on, on_request
from patterns.engine.simulation import Simulation
from patterns.engine.world import Request, WorldEvent
from patterns.event_sourcing import store as contract
from patterns.event_sourcing.event_store import EventStore
from patterns.event_sourcing.log import Log
from patterns.event_sourcing.messages import Accepted, Append, Load, Loaded, PageRead, ReadPage, Refused
from patterns.event_sourcing.shop import Shop
from patterns.event_sourcing.store import (
    ANY,
    LARGEST,
    Appended,
    AppendRefused,
    Batch,
    Condition,
    Expected,
    NewEvent,
    Page,
    Query,
    Recorded,
    Store,
    batch_of,
    bounds,
    category_of,
    matches,
    page_of,
    require_count,
)


def event(id: object, type: str = "happened", data: str = "{}", tags: tuple[str, ...] = ()) -> NewEvent:
    return NewEvent(f"e{id}", type, data, tags=tags)


def events(*ids: int) -> list[NewEvent]:
    return [event(id) for id in ids]


def versions(store: Store, stream: str = "s", **how: Any) -> list[int]:
    return [each.version for each in store.read(stream, **how)]


def ids(store: Store, stream: str = "s") -> list[str]:
    return [each.id for each in store.read(stream)]


class InMemory(Store):
    """The value in memory."""

    def __init__(self) -> None:
        self.log = Log()

    def append(self, *given: Any, **named: Any) -> Appended:
        self.log, answer = self.log.append(*given, **named)
        return answer

    def delete(self, *given: Any, **named: Any) -> None:
        self.log = self.log.delete(*given, **named)

    def read(self, *given: Any, **named: Any) -> tuple[Recorded, ...]:
        return self.log.read(*given, **named)

    def tail(self, stream: str) -> int:
        return self.log.tail(stream)

    def page(self, *given: Any, **named: Any) -> Page:
        return self.log.page(*given, **named)


# The process on the simulated network


class Delete(Message, frozen=True):
    stream: str
    expected: Expected
    for_ever: bool


class Whole(EventStore):
    """The chapter's store. It deletes streams too: in the chapter nobody asks for this."""

    @on(Delete)
    def writer_deletes(self, sender: str, delete: Delete) -> None:
        try:
            self.log = self.log.delete(delete.stream, delete.expected, delete.for_ever)
        except AppendRefused as why:
            self.send(sender, Refused((), str(why), (type(why).__name__, *vars(why).values())))
        else:
            self.send(sender, Accepted((), self.log.tail(delete.stream), 0))


class Client(Process):
    """Sends what it is asked for, and hands the answer back."""

    @on_request(Append, Load, ReadPage, Delete)
    def asks(self, client: str, message: Message) -> None:
        self.send("Store", message)

    @on(Accepted, Refused, Loaded, PageRead)
    def hears(self, sender: str, answer: Message) -> None:
        self.reply("test", answer)


class Net(Simulation):
    name = "event_store"
    rules = Shop.rules
    events = WorldEvent | Request[Append | Load | ReadPage | Delete]

    def processes(self) -> tuple[Process, ...]:
        return (Client(id="Client"), Whole(id="Store"))


class OnTheNetwork(Store):
    """The process on the simulated network. Each call is a message: the simulator runs until its answer is there.

    A store on a file has the answer `again` of an append. Here an append that moves no version is a retry.
    """

    def __init__(self) -> None:
        self.machine = Net()
        self.world = self.machine.start()

    def ask(self, message: Message) -> Any:
        self.world, _ = self.machine.apply(self.world, Request("test", "Client", message))
        while self.world.call("test").waits:
            self.world, _ = self.machine.apply(self.world, self.machine.usual(self.world))
        answer = self.world.call("test").reply
        if isinstance(answer, Refused):
            name, *values = answer.of
            refusal = getattr(contract, name)(*values)
            assert str(refusal) == answer.why
            raise refusal
        return answer

    def append(self, stream: str, events: Batch, expected: Expected = ANY, unless: Condition | None = None) -> Appended:
        batch, before = batch_of(stream, events, expected), self.tail(stream)
        answer = self.ask(Append(stream, batch, expected, unless))
        assert answer.ids == tuple(event.id for event in batch)
        return Appended(answer.version, answer.position, again=self.tail(stream) == before)

    def read(
        self, stream: str, start: int | None = None, limit: int = LARGEST, backwards: bool = False
    ) -> tuple[Recorded, ...]:
        low, high = bounds(start, limit, backwards)
        found = [event for event in self.ask(Load(stream)).events if low <= event.version <= high]
        return tuple((found[::-1] if backwards else found)[:limit])

    def tail(self, stream: str) -> int:
        return int(self.ask(Load(stream)).version)

    def page(self, after: int = 0, limit: int = 100, category: str = "", query: Query = ()) -> Page:
        """As a subscriber reads: page after page, without the events that it does not want."""
        require_count(after=after, limit=limit)
        found: list[Recorded] = []
        page = PageRead((0,), (), (after,), full=True)
        while page.full and len(found) < limit:
            page = self.ask(ReadPage(page.to))
            wanted = [each for each in page.events if matches(query, each)]
            found += [each for each in wanted if category in ("", category_of(each.stream))]
        return page_of(tuple(found[:limit]), after, limit, page.to[0])

    def delete(self, stream: str, expected: Expected = ANY, for_ever: bool = False) -> None:
        contract.require_expected(expected)
        self.ask(Delete(stream, expected, for_ever))
