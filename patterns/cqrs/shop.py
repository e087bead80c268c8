"""The write side: it executes commands, keeps the events, and hands them to projectors. It answers no query."""

from __future__ import annotations

from patterns.engine.process import Process, durable, on, on_request, setting
from patterns.engine.table import Table
from patterns.event_sourcing.log import Log
from patterns.event_sourcing.store import Recorded

from .facts import Fact, Order, decide, fact_of, fold, recorded_as, stream_of
from .messages import Accepted, Conflict, Declined, Feed, Fetch, Handled


class Shop(Process):
    """A command is decided on the events of its own stream. Events, answer and command are one write."""

    log: Log = durable(Log())
    handled: Table[Handled] = durable(Table())
    """The id of each command that was executed -> the command and its answer."""
    limit: int = setting(10)
    """How many events are looked at for one answer to a projector."""

    waiting: Table[Fetch] = Table()
    """Projector -> its question, until there is something new."""

    # The rules, one by one

    def handled_before(self, order: Order) -> Handled | None:
        """The id alone recognises a command: every retry has the same (Stripe, "Idempotent requests")."""
        return self.handled.get(order.id)

    def scanned(self, fetch: Fetch, seen: tuple[Recorded, ...], wanted: tuple[Recorded, ...]) -> int:
        """Up to which position the log was looked at: neither the last event that matched, nor the end of the log."""
        return seen[-1].position

    def delivered(self, event: Recorded) -> Recorded:
        """The event as a projector gets it: as it was recorded, without what came later."""
        return event

    # Commands

    @on_request(Order)
    def command(self, client: str, order: Order) -> None:
        known = self.handled_before(order)
        if known is not None and known.order != order:
            self.note("W.conflict", client=client, order=order.id)
            self.reply(client, Conflict(order.id))
        elif known is not None:
            self.note("W.again", client=client, order=order.id, answer=known.answer)
            self.reply(client, known.answer)
        else:
            self.carry_out(client, order)

    def carry_out(self, client: str, order: Order) -> None:
        left, version = self.shelf(order.coffee)
        self.note("W.command", client=client, order=order)
        if facts := decide(left, order):
            self.append(client, order, facts, version)
        else:
            self.note("W.declined", order=order.id, left=left, bags=order.bags)
            self.answer(client, order, Declined(order.id, left))

    def shelf(self, coffee: str) -> tuple[int, int]:
        """The bags that are left, and the version of the stream: from the stream's events, and from no read model."""
        events = self.log.stream(stream_of(coffee)).events
        return fold(map(fact_of, events)), len(events) - 1

    def append(self, client: str, order: Order, facts: tuple[Fact, ...], version: int) -> None:
        batch = [recorded_as(order.id, fact) for fact in facts]
        self.log, at = self.log.append(stream_of(order.coffee), batch, version)
        self.note("W.decided", order=order.id, position=at.position, version=at.version)
        self.answer(client, order, Accepted(order.id, at.position, at.version))

    def answer(self, client: str, order: Order, answer: Accepted | Declined) -> None:
        """The answer is kept with the event, in one write: a retry gets the same."""
        self.handled = self.handled.put(order.id, Handled(order, answer))
        self.reply(client, answer)
        for projector, fetch in self.waiting:
            self.feed(projector, fetch)

    # Projectors

    @on(Fetch)
    def fetch(self, projector: str, fetch: Fetch) -> None:
        self.feed(projector, fetch)
        if projector in self.waiting:
            self.note("W.wait", projector=projector, after=fetch.after)

    def feed(self, projector: str, fetch: Fetch) -> None:
        """Answers with the next events. Without one it waits for the next."""
        seen = self.log.page(fetch.after, self.limit).events
        if not seen:
            self.waiting = self.waiting.put(projector, fetch)
            return
        wanted = tuple(self.delivered(event) for event in seen if event.type in fetch.types or not fetch.types)
        feed = Feed(fetch.after, wanted, self.scanned(fetch, seen, wanted))
        self.waiting = self.waiting.without(projector)
        self.note("W.feed", projector=projector, feed=feed, after=fetch.after)
        self.send(projector, feed)
