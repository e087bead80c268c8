"""A router: it sends each request to the shard that its map names, and learns from the answers.

Redis Cluster specification, "Redirection and resharding": MOVED changes the map, ASK does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from msgspec.structs import replace

from patterns.engine.clients import Misused
from patterns.engine.process import Process, durable, on, on_request, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .hashes import slot_of
from .messages import (
    AskThere,
    Collect,
    CrossSlotRefused,
    Done,
    Entry,
    HandIn,
    Look,
    Moved,
    Order,
    Refused,
    Reply,
    Served,
    Try,
    TryAgain,
)

# The rule, on plain values

Kind = Literal["ok", "moved", "ask", "tryagain", "down"]
# All others are the answer.
KINDS: Mapping[type[Reply], Kind] = {Moved: "moved", AskThere: "ask", TryAgain: "tryagain"}


class Tried(NamedTuple):
    """A request that was sent: for this slot, to this shard, with ASKING or without."""

    slot: int
    to: str
    asking: bool


class Answered(NamedTuple):
    """What came back: `to` is the shard that MOVED or ASK names, `epoch` since when, by MOVED."""

    kind: Kind
    to: str = ""
    epoch: int = 0


# Slot -> its owner, and since which epoch.
Places = Mapping[int, tuple[str, int]]
# The shard to ask next, and whether with ASKING.
Next = tuple[str, bool]


def on_reply(map: Places, request: Tried, reply: Answered) -> tuple[Places, Next | None]:
    """The map afterwards, and where to send the request next: None if it is answered.

    MOVED changes the map, if it is newer than the map. ASK is for this one request. TRYAGAIN and silence change
    nothing. Unless it is ASK, the map says where to go.
    """
    slot = request.slot
    if reply.kind == "ok":
        return map, None
    if reply.kind == "ask":
        return map, (reply.to, True)
    if reply.kind == "moved" and reply.epoch > map[slot][1]:
        map = {**map, slot: (reply.to, reply.epoch)}
    return map, (map[slot][0], False)


# The process


class Pending(Value):
    """A client's request that is not answered yet. If it rests, it is sent when the timer fires."""

    client: str
    order: Order
    slot: int
    to: str
    asking: bool = False
    resting: bool = False


class Router(Process, kw_only=True):
    """A router. Times are in ms."""

    slots: int
    patience: int = setting(90)  # for a shard's answer
    rest: int = setting(30)  # after TRYAGAIN
    map: tuple[Entry, ...] = durable(())  # printed: a crash leaves it
    pending: Table[Pending] = Table()

    def on_reply(self, map: Places, request: Tried, reply: Answered) -> tuple[Places, Next | None]:
        return on_reply(map, request, reply)

    @on_request(HandIn, Collect, Look)
    def client_asks(self, client: str, order: Order) -> None:
        slots = tuple(sorted({slot_of(key, self.slots) for key in order.keys}))
        if len(slots) > 1:
            self.note("R.cross", order=order, slots=slots)
            self.reply(client, CrossSlotRefused(order.serial, slots))
            return
        entry = self.entry(slots[0])
        self.note("R.ask", client=client, order=order, slot=entry.slot, to=entry.owner, epoch=entry.epoch)
        self.ask(Pending(client, order, entry.slot, *self.first_try(entry)))

    def first_try(self, entry: Entry) -> Next:
        """Where a new request goes."""
        return entry.owner, False

    def ask(self, pending: Pending) -> None:
        self.pending = self.pending.put(pending.client, pending)
        self.send(pending.to, Try(pending.client, pending.order, pending.asking))
        self.set_timer("again", self.patience, about=pending.client)

    @on(Served, Refused, Moved, AskThere, TryAgain)
    def answer_arrives(self, shard: str, reply: Reply) -> None:
        pending = self.pending.get(reply.client)
        if pending is None or pending.order.serial != reply.serial or pending.to != shard or pending.resting:
            self.note("R.late", shard=shard, reply=reply)
            return
        entry, to, epoch = self.entry(pending.slot), getattr(reply, "to", ""), getattr(reply, "epoch", 0)
        values = {"slot": entry.slot, "to": to, "epoch": epoch, "owner": entry.owner, "known": entry.epoch}
        if isinstance(reply, Moved):
            self.note("R.moved" if epoch > entry.epoch else "R.older", **values)
        elif isinstance(reply, AskThere):
            self.note("R.askthere", **values)
        elif isinstance(reply, TryAgain):
            self.note("R.rest", shard=shard, client=reply.client, rest=self.rest)
        done = Misused(reply.serial) if isinstance(reply, Refused) else Done(reply.serial, getattr(reply, "result", 0))
        self.follow(pending, Answered(KINDS.get(type(reply), "ok"), to, epoch), done)

    def follow(self, pending: Pending, reply: Answered, done: Done | Misused) -> None:
        places = {entry.slot: (entry.owner, entry.epoch) for entry in self.map}
        after, next = self.on_reply(places, Tried(pending.slot, pending.to, pending.asking), reply)
        self.map = tuple(Entry(slot, *place) for slot, place in sorted(after.items()))
        if next is None:
            self.note("R.done", client=pending.client, order=pending.order, done=done)
            self.pending = self.pending.without(pending.client)
            self.cancel_timer("again", about=pending.client)
            self.reply(pending.client, done)
            return
        to, asking = next
        pending = replace(pending, to=to, asking=asking, resting=reply.kind == "tryagain")
        if pending.resting:
            self.pending = self.pending.put(pending.client, pending)
            self.set_timer("again", self.rest, about=pending.client)
        else:
            self.ask(pending)

    @on_timer("again")
    def no_answer(self, client: str) -> None:
        pending = self.pending[client]
        if pending.resting:
            self.note("R.again", client=client, order=pending.order, to=pending.to)
            self.ask(replace(pending, resting=False))
            return
        self.note("R.silent", client=client, order=pending.order, to=pending.to, patience=self.patience)
        self.follow(pending, Answered("down"), Done(pending.order.serial, 0))

    def entry(self, slot: int) -> Entry:
        return next(entry for entry in self.map if entry.slot == slot)
