"""A shard: it serves its slots, and moves a slot to another shard while clients write.

The steps of a move, each on disk before anything is sent: intent, copy, catch up, fence, drain, ship the rest, switch,
tell, clean up. The source drives. A crash at any step leaves an intent on disk, so the source goes on when it is back.
Until the switch, an operator can undo the move at either side.

After Redis Cluster's specification (MOVED, ASK, TRYAGAIN, epochs); the copy with a stream of changes follows Citus and
Vitess. Simpler than they are: one copy in one message, and one piece on its way at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, ClassVar, TypeVar

from msgspec.structs import replace

from patterns.engine.process import Message, Process, durable, on, on_request, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .hashes import slot_of
from .messages import (
    Answer,
    AskThere,
    Begun,
    GiveBack,
    GivenBack,
    HandIn,
    Hold,
    Look,
    Move,
    Moved,
    Order,
    Refused,
    Role,
    Row,
    Served,
    Ship,
    Shipment,
    Shipped,
    TakeOver,
    TookOver,
    Try,
    TryAgain,
    Undo,
    Write,
)

T = TypeVar("T", Row, Answer, Hold)
ACCEPTS = ("owner", "copying")  # roles in which a shard accepts requests


class Running(Value):
    """A write that has begun and is not committed: in memory only."""

    router: str
    client: str
    order: Write
    slot: int


class Stream(Value):
    """The pieces of a slot that are still to be shipped, the piece on its way first, and the number of the next new
    piece."""

    pieces: tuple[Ship | TakeOver, ...] = ()
    next: int = 0


class Shard(Process, kw_only=True):
    """A shard. Times are in ms."""

    begins: ClassVar[Role] = "copying"
    slots: int  # how many there are
    work: int = setting(10)  # how long a write runs before it commits
    ship_timeout: int = setting(60)

    holds: tuple[Hold, ...] = durable(())
    rows: tuple[Row, ...] = durable(())
    answers: tuple[Answer, ...] = durable(())
    life: int = durable(1)  # how often it has started: tells pieces of an earlier life from new ones
    running: Table[Running] = Table()
    streams: Table[Stream] = Table()

    # The rules, one by one

    def redirect(self, request: Try, slot: int) -> Message | None:
        """Where a request belongs instead; None: here."""
        hold, to = self.hold(slot), (request.client, request.order.serial)
        if hold.role in ACCEPTS:
            return None
        if hold.role == "fenced":
            # It cannot know whether the other side owns the slot yet: ask there, once, and do not learn it.
            return AskThere(*to, slot, hold.peer)
        if hold.role == "undoing" or (hold.role == "importing" and request.asking):
            return TryAgain(*to)
        return Moved(*to, slot, hold.peer, hold.epoch - (hold.role == "importing"))

    def may_switch(self, slot: int) -> bool:
        """The target takes over only when the writes that began before the fence have ended."""
        return not self.writers(slot)

    def change(self, row: Row, answer: Answer) -> tuple[tuple[Row, ...], tuple[str, ...], tuple[Answer, ...]]:
        """What of a committed write is shipped: the row, or that it is gone, and the answer."""
        return ((row,), (), (answer,)) if row.parcels else ((), (row.key,), (answer,))

    def fence(self, hold: Hold) -> Hold:
        return replace(hold, role="fenced")

    def may_apply(self, hold: Hold, ship: Ship | TakeOver) -> bool:
        """Pieces apply in their order."""
        return (hold.life, hold.next) == (ship.life, ship.nth)

    def recovered(self, hold: Hold) -> Hold:
        """How it stands to a slot after a crash: as its disk says."""
        return hold

    # Requests

    @on(Try)
    def take(self, router: str, request: Try) -> None:
        slot, (client, order) = slot_of(request.order.keys[0], self.slots), (request.client, request.order)
        if elsewhere := self.redirect(request, slot):
            self.note("S." + type(elsewhere).__name__, slot=slot, order=order, client=client, peer=self.hold(slot).peer)
            self.send(router, elsewhere)
        elif before := self.other(client, order):
            self.note("S.misused", client=client, order=order, before=before)
            self.send(router, Refused(client, order.serial))
        elif isinstance(order, Look):
            result = sum(self.parcels(key) for key in order.keys)
            self.note("S.read", client=client, keys=order.keys, result=result)
            self.send(router, Served(client, order.serial, result))
        elif (answer := self.answered(client, order)) and answer.serial >= order.serial:
            self.note("S.again", client=client, order=order, result=answer.result)
            if answer.serial == order.serial:  # to an older one nobody waits for an answer
                self.send(router, Served(client, order.serial, answer.result))
        elif client in self.running:
            running = self.running[client]
            self.note("S.runs", client=client, order=running.order)
            self.running = self.running.put(client, replace(running, router=router))  # it waits at this router now
        else:
            self.note("S.begin", client=client, order=order)
            self.running = self.running.put(client, Running(router, client, order, slot))
            self.set_timer("work", self.work, about=client)

    @on_timer("work")
    def commit(self, client: str) -> None:
        running = self.running[client]
        self.running = self.running.without(client)
        order, slot, before = running.order, running.slot, self.parcels(running.order.key)
        row = Row(slot, order.key, before + order.parcels if isinstance(order, HandIn) else 0)
        answer = Answer(slot, order.key, client, order.serial, row.parcels or before, str(order))
        self.store([row], [], [answer])
        self.note("S.commit", client=client, serial=order.serial, order=order, key=order.key, left=row.parcels)
        self.send(running.router, Served(client, order.serial, answer.result))
        self.committed(slot, row, answer)

    def committed(self, slot: int, row: Row, answer: Answer) -> None:
        """During a move every change goes after the copy."""
        hold = self.hold(slot)
        if hold.role in ("copying", "fenced"):
            rows, gone, answers = self.change(row, answer)
            self.note("M.change", slot=slot, key=row.key, peer=hold.peer)
            self.append(hold, rows, gone, answers)

    # The source of a move

    @on_request(Move)
    def begin_move(self, client: str, move: Move) -> None:
        hold = self.hold(move.slot)
        self.reply(client, Begun(move.serial))
        if hold.role == "owner" and move.to != self.id:
            # Intent on disk before the first copy: a process that reads it can finish the move, or undo it.
            hold = Hold(move.slot, self.begins, hold.epoch + 1, move.to)
            self.keep(hold)
            self.note("M.intent", slot=move.slot, peer=move.to, epoch=hold.epoch)
            self.copy(hold)

    def copy(self, hold: Hold) -> None:
        """Ship the slot from its beginning."""
        rows = of_slot(self.rows, hold.slot)
        self.note("M.copy", slot=hold.slot, peer=hold.peer, rows=len(rows), role=hold.role)
        self.streams = self.streams.put(str(hold.slot), Stream())
        self.append(hold, rows, (), of_slot(self.answers, hold.slot))

    def append(self, hold: Hold, rows: Iterable[Row], gone: Iterable[str], answers: Iterable[Answer]) -> None:
        """One more piece to ship; it leaves when those before it have arrived."""
        stream = self.streams[str(hold.slot)]
        piece = Ship(hold.slot, hold.epoch, self.life, stream.next, tuple(rows), tuple(gone), tuple(answers))
        self.ship(hold, stream, piece)

    def ship(self, hold: Hold, stream: Stream, piece: Ship | TakeOver) -> None:
        stream = Stream((*stream.pieces, piece), stream.next + 1)
        self.streams = self.streams.put(str(hold.slot), stream)
        if len(stream.pieces) == 1:
            self.send_first(hold, stream)

    def send_first(self, hold: Hold, stream: Stream) -> None:
        self.send(hold.peer, stream.pieces[0])
        self.set_timer("ship", self.ship_timeout, about=str(hold.slot))

    @on(Shipped)
    def piece_arrived(self, peer: str, message: Shipped) -> None:
        hold, stream = self.hold(message.slot), self.streams.get(str(message.slot))
        if stream is None or not stream.pieces or not _is_ack(stream.pieces[0], message):
            self.ignore(peer, message)
            return
        self.arrived(stream.pieces[0])
        stream = replace(stream, pieces=stream.pieces[1:])
        self.streams = self.streams.put(str(message.slot), stream)
        self.cancel_timer("ship", about=str(message.slot))
        if stream.pieces:
            self.send_first(hold, stream)
        else:
            self.caught_up(hold, stream)

    def arrived(self, piece: Ship | TakeOver) -> None:
        """The other side has this piece on disk."""

    def caught_up(self, hold: Hold, stream: Stream) -> None:
        """The other side has all that is committed here."""
        if hold.role == "copying":
            hold = self.fence(hold)
            self.keep(hold)
            self.note("M.fence", slot=hold.slot, peer=hold.peer, epoch=hold.epoch)
        if self.may_switch(hold.slot):
            self.note("M.switch", slot=hold.slot, peer=hold.peer, epoch=hold.epoch)
            self.ship(hold, stream, TakeOver(hold.slot, hold.epoch, self.life, stream.next))
        else:
            self.note("M.drain", slot=hold.slot, clients=self.writers(hold.slot))

    def writers(self, slot: int) -> tuple[str, ...]:
        """The clients whose writes run."""
        return tuple(client for client, running in self.running if running.slot == slot)

    @on_timer("ship")
    def ship_again(self, about: str) -> None:
        hold = self.hold(int(about))
        self.note("M.again", slot=hold.slot, peer=hold.peer, timeout=self.ship_timeout)
        if hold.role == "undoing":
            self.take_back(hold)
        else:
            self.send_first(hold, self.streams[about])

    @on(TookOver)
    def switched(self, peer: str, message: TookOver) -> None:
        hold = self.hold(message.slot)
        if hold.role in ("owner", "given", "importing") or hold.epoch != message.epoch:
            self.ignore(peer, message)
            return
        # From now on it only says where the slot is. What it still has of the slot is filtered, then deleted.
        self.note("M.told", slot=hold.slot, peer=peer, epoch=hold.epoch)
        self.keep(replace(hold, role="given"))
        self.streams = self.streams.without(str(hold.slot))
        self.cancel_timer("ship", about=str(hold.slot))
        self.set_timer("clean", self.work, about=str(hold.slot))

    @on_timer("clean")
    def clean_up(self, about: str) -> None:
        hold = self.hold(int(about))
        self.note("M.clean", slot=hold.slot, rows=len(of_slot(self.rows, hold.slot)), peer=hold.peer)
        self.forget(hold.slot)

    # Undo

    @on_request(Undo)
    @on(Undo)
    def undo(self, sender: str, undo: Undo) -> None:
        hold = self.hold(undo.slot)
        self.reply(sender, Begun(undo.serial))
        if hold.role in ("copying", "fenced"):
            hold = replace(hold, role="undoing")
            self.keep(hold)
            self.note("M.undo", slot=hold.slot, peer=hold.peer)
            self.streams = self.streams.without(str(hold.slot))
            self.take_back(hold)
        elif hold.role == "importing":
            self.send(hold.peer, undo)  # the source decides: it alone knows how far the move is

    def take_back(self, hold: Hold) -> None:
        self.send(hold.peer, GiveBack(hold.slot, hold.epoch))
        self.set_timer("ship", self.ship_timeout, about=str(hold.slot))

    @on(GivenBack)
    def undone(self, peer: str, message: GivenBack) -> None:
        hold = self.hold(message.slot)
        if hold.role != "undoing" or hold.epoch != message.epoch:
            self.ignore(peer, message)
            return
        # The epoch is used up: the source now owns the slot in it, and the next move gets a newer one.
        self.keep(Hold(hold.slot, "owner", hold.epoch))
        self.cancel_timer("ship", about=str(hold.slot))
        self.note("M.undone", slot=hold.slot, epoch=hold.epoch)

    # The target of a move

    @on(Ship)
    def receive_piece(self, source: str, ship: Ship) -> None:
        hold = self.hold(ship.slot)
        if self.owns(ship):
            self.send(source, TookOver(ship.slot, ship.epoch))
        elif ship.nth == 0 and (ship.epoch > hold.epoch or (self.is_current(hold, ship) and ship.life > hold.life)):
            self.begin_import(source, ship)
            self.apply(source, ship)
        elif self.is_current(hold, ship) and self.may_apply(hold, ship):
            self.apply(source, ship)
        elif self.is_current(hold, ship) and hold.life == ship.life and ship.nth < hold.next:
            self.send(source, Shipped(ship.slot, ship.epoch, ship.life, ship.nth))  # its answer was lost
        else:
            self.ignore(source, ship)

    def owns(self, shipment: Shipment) -> bool:
        """Whether it has taken over: only the owner of this epoch can have begun a newer one."""
        hold = self.hold(shipment.slot)
        return hold.epoch > shipment.epoch or (hold.epoch == shipment.epoch and hold.role == "owner")

    def is_current(self, hold: Hold, shipment: Shipment) -> bool:
        """Of the move that it takes part in."""
        return shipment.epoch == hold.epoch and hold.role == "importing"

    def begin_import(self, source: str, ship: Ship) -> None:
        self.cancel_timer("clean", about=str(ship.slot))
        self.forget(ship.slot)  # what an earlier life of the source shipped may be stale
        self.keep(Hold(ship.slot, "importing", ship.epoch, source))

    def apply(self, source: str, ship: Ship) -> None:
        self.store(ship.rows, ship.gone, ship.answers)
        self.keep(replace(self.hold(ship.slot), life=ship.life, next=ship.nth + 1))
        self.note("M.import", slot=ship.slot, source=source, ship=ship)
        self.send(source, Shipped(ship.slot, ship.epoch, ship.life, ship.nth))

    @on(TakeOver)
    def take_over(self, source: str, message: TakeOver) -> None:
        slot, hold = message.slot, self.hold(message.slot)
        if self.is_current(hold, message) and self.may_apply(hold, message):
            self.keep(Hold(slot, "owner", message.epoch))
            self.note("M.on", slot=slot, epoch=message.epoch, rows=len(of_slot(self.rows, slot)))
        if self.owns(message):
            self.send(source, TookOver(slot, message.epoch))
        else:
            self.ignore(source, message)

    @on(GiveBack)
    def give_back(self, source: str, message: GiveBack) -> None:
        hold, slot = self.hold(message.slot), message.slot
        if self.owns(message):
            self.note("M.late", slot=slot, source=source)
            self.send(source, TookOver(slot, message.epoch))  # too late: it has switched
        elif message.epoch >= hold.epoch:
            if hold != (dropped := Hold(slot, "given", message.epoch, source)):
                self.note("M.drop", slot=slot, source=source)
                self.forget(slot)
                self.keep(dropped)
            self.send(source, GivenBack(slot, message.epoch))

    # After a crash

    def on_restart(self) -> None:
        self.life += 1
        for hold in map(self.recovered, self.holds):
            self.keep(hold)
            if hold.role in ("copying", "fenced"):
                self.copy(hold)
            elif hold.role == "undoing":
                self.take_back(hold)
            elif hold.role == "given" and of_slot(self.rows, hold.slot):
                self.set_timer("clean", self.work, about=str(hold.slot))

    # Its disk

    def hold(self, slot: int) -> Hold:
        return next(hold for hold in self.holds if hold.slot == slot)

    def keep(self, hold: Hold) -> None:
        self.holds = put(self.holds, [hold], lambda each: each.slot)

    def parcels(self, key: str) -> int:
        return next((row.parcels for row in self.rows if row.key == key), 0)

    def answered(self, client: str, order: Write) -> Answer | None:
        """The last answer of a client about a key."""
        return next((each for each in self.answers if (each.key, each.client) == (order.key, client)), None)

    def other(self, client: str, order: Order) -> str:
        """What else the client has asked under the same serial, if anything: that is an error."""
        same = (each for each in self.answers if (each.client, each.serial) == (client, order.serial))
        return next((each.asked for each in same if each.asked != str(order)), "")

    def store(self, rows: Iterable[Row], gone: Iterable[str], answers: Iterable[Answer]) -> None:
        """Rows without parcels are deleted."""
        removed = set(gone)
        kept = put(self.rows, rows, lambda row: row.key)
        self.rows = tuple(row for row in kept if row.parcels and row.key not in removed)
        self.answers = put(self.answers, answers, lambda each: (each.key, each.client))

    def forget(self, slot: int) -> None:
        self.rows = tuple(row for row in self.rows if row.slot != slot)
        self.answers = tuple(each for each in self.answers if each.slot != slot)

    def ignore(self, sender: str, message: Message) -> None:
        self.note("M.old", sender=sender, message=message)


class StopAndCopy(Shard, kw_only=True):
    """A shard that fences a slot before it copies: no client is served during the copy. The contrast to the others."""

    begins: ClassVar[Role] = "fenced"

    def redirect(self, request: Try, slot: int) -> Message | None:
        told = super().redirect(request, slot)
        return TryAgain(request.client, request.order.serial) if isinstance(told, AskThere) else told


def of_slot(items: tuple[T, ...], slot: int) -> tuple[T, ...]:
    return tuple(each for each in items if each.slot == slot)


def put(items: tuple[T, ...], new: Iterable[T], name: Callable[[T], Any]) -> tuple[T, ...]:
    """The items with new ones in place of those of the same name, in the order of their names."""
    table: dict[Any, T] = {}
    for each in chain(items, new):
        table[name(each)] = each
    return tuple(table[each] for each in sorted(table))


def _is_ack(piece: Ship | TakeOver, message: Shipped) -> bool:
    return (piece.epoch, piece.life, piece.nth) == (message.epoch, message.life, message.nth)
