"""What clients ask, what routers and shards say to one another, and what one shard ships to another."""

from __future__ import annotations

from typing import Literal

import msgspec

from patterns.engine.process import Message

# On disk


class Kept(msgspec.Struct, frozen=True, gc=False):
    """Something about a key."""

    slot: int
    key: str


class Row(Kept, frozen=True, gc=False):
    """A pigeonhole with parcels in it."""

    parcels: int

    def __str__(self) -> str:
        return f"{self.key} {self.parcels}"


class Answer(Kept, frozen=True, gc=False):
    """A client's last request about a key, and its result: a retry is answered from here, and not done again."""

    client: str
    serial: int
    result: int
    asked: str


Role = Literal["owner", "copying", "fenced", "undoing", "importing", "given"]


class Hold(msgspec.Struct, frozen=True, gc=False):
    """How a shard stands to a slot.

    `owner`      it accepts requests
    `copying`    it accepts requests, and copies the slot to `peer`, which is to own it in `epoch`
    `fenced`     it accepts none any more: `peer` owns the slot in `epoch` as soon as it has everything
    `undoing`    it accepts none until `peer` has dropped its copy
    `importing`  it receives the slot from `peer`, and is to own it in `epoch`
    `given`      as far as it knows, `peer` owns the slot since `epoch`

    While it is importing: `next` is the piece that it needs next, of the source's `life`.
    """

    slot: int
    role: Role
    epoch: int
    peer: str = ""
    life: int = 0
    next: int = 0

    def __str__(self) -> str:
        way = "from" if self.role == "importing" else "to"
        return f"slot {self.slot} {self.role}{f' {way} {self.peer}' if self.peer else ''} @{self.epoch}"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A line of a router's map: the owner of a slot, and since which epoch."""

    slot: int
    owner: str
    epoch: int

    def __str__(self) -> str:
        return f"{self.slot} {self.owner}@{self.epoch}"


# A client and a router


class OfKey(Message, frozen=True):
    """Changes one pigeonhole."""

    serial: int
    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)


class HandIn(OfKey, frozen=True):
    """Put parcels into a pigeonhole. Not idempotent: done twice, it counts twice."""

    parcels: int = 1
    words = "{key} +{parcels}"


class Collect(OfKey, frozen=True):
    """Take all parcels out of a pigeonhole, which is then deleted."""

    words = "empty {key}"


class Look(Message, frozen=True):
    """Count the parcels in pigeonholes of one slot."""

    serial: int
    keys: tuple[str, ...]
    words = "look {keys:names}"


Write = HandIn | Collect
Order = HandIn | Collect | Look


class Done(Message, frozen=True):
    """The answer: how many parcels there are, or were taken."""

    serial: int
    result: int
    words = "{result:parcel|parcels}"


class CrossSlotRefused(Message, frozen=True):
    """The keys lie in several slots, perhaps on several shards."""

    serial: int
    slots: tuple[int, ...]
    words = "CROSSSLOT"


# A router and a shard


class Try(Message, frozen=True):
    """A client's request. `asking`: another shard sent the router here for this one request."""

    client: str
    order: Order
    asking: bool = False

    def __str__(self) -> str:
        return f"{'asking ' if self.asking else ''}{self.order}"


class Reply(Message, frozen=True):
    """A shard's answer to the request of a client."""

    client: str
    serial: int


class Served(Reply, frozen=True):
    result: int
    words = "= {result}"


class Moved(Reply, frozen=True):
    """The slot is at `to` since `epoch`: learn it."""

    slot: int
    to: str
    epoch: int
    words = "MOVED {slot} {to}@{epoch}"


class AskThere(Reply, frozen=True):
    """Ask `to`, this time only."""

    slot: int
    to: str
    words = "ASK {slot} {to}"


class Refused(Reply, frozen=True):
    """Under this serial the client has asked something else: a key names one request."""

    words = "number {serial} is taken"


class TryAgain(Reply, frozen=True):
    """Not now: wait a little."""

    words = "TRYAGAIN"


# The operator and a shard


class Move(Message, frozen=True):
    """Move a slot to another shard."""

    serial: int
    slot: int
    to: str
    words = "move slot {slot} to {to}"


class Undo(Message, frozen=True):
    """Take a move back that has not been switched yet. Either side can be told."""

    serial: int
    slot: int
    words = "undo slot {slot}"


class Begun(Message, frozen=True):
    """What the operator asked for has begun, or was refused."""

    serial: int
    words = "heard"


# Two shards


class Shipment(Message, frozen=True):
    """About the move of a slot in which the receiver becomes its owner in `epoch`."""

    slot: int
    epoch: int


class Ship(Shipment, frozen=True):
    """Piece `nth` of a slot: 0 is the copy, the others are changes in order. The keys in `gone` are deleted."""

    life: int
    nth: int
    rows: tuple[Row, ...] = ()
    gone: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()

    def __str__(self) -> str:
        parts = [*map(str, self.rows), *(f"-{key}" for key in self.gone)]
        return f"{'copy' if self.nth == 0 else f'change {self.nth}'}: {', '.join(parts) or 'nothing'}"


class Shipped(Shipment, frozen=True):
    """Piece `nth` is on disk."""

    life: int
    nth: int
    words = "has {nth}"


class TakeOver(Shipment, frozen=True):
    """That was all: own the slot."""

    life: int
    nth: int
    words = "take over {slot}"


class TookOver(Shipment, frozen=True):
    """I own the slot."""

    words = "own {slot}@{epoch}"


class GiveBack(Shipment, frozen=True):
    """Drop your copy: the move is undone."""

    words = "drop {slot}"


class GivenBack(Shipment, frozen=True):
    """The copy is dropped, and no late message of this move revives it."""

    words = "dropped {slot}"
