"""The messages between clients, routers and shards, and the pieces that one shard ships to another."""

from __future__ import annotations

from typing import Literal

from patterns.engine.process import Message
from patterns.engine.values import Value

# On disk


class Kept(Value):
    """Something about a key."""

    slot: int
    key: str


class Row(Kept, gc=False):
    """A pigeonhole with parcels in it."""

    parcels: int


class Answer(Kept, gc=False):
    """A client's last request about a key, and its result: a retry is answered from here, and not done again."""

    client: str
    serial: int
    result: int
    asked: str


Role = Literal["owner", "copying", "fenced", "undoing", "importing", "given"]


class Hold(Value):
    """What a shard may do with a slot.

        `owner`      it accepts requests
        `copying`    it accepts requests, and copies the slot to `peer`, the owner from `epoch` on
        `fenced`     it accepts no requests: `peer` owns the slot in `epoch` as soon as it has all of it
        `undoing`    it accepts no requests until `peer` has dropped its copy
        `importing`  it receives the slot from `peer`, and will own it in `epoch`
        `given`      as far as it knows, `peer` owns the slot since `epoch`

    While it is importing, `next` is the number of the next piece that it needs, and `life` is that of the source.
    """

    slot: int
    role: Role
    epoch: int
    peer: str = ""
    life: int = 0
    next: int = 0


class Entry(Value):
    """A line of a router's map: the owner of a slot, and since which epoch."""

    slot: int
    owner: str
    epoch: int


# A client and a router


class OfKey(Message):
    """Changes one pigeonhole."""

    serial: int
    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)


class HandIn(OfKey):
    """Put parcels into a pigeonhole. Not idempotent: done twice, it counts twice."""

    parcels: int = 1


class Collect(OfKey):
    """Take all parcels out of a pigeonhole, which is then deleted."""


class Look(Message):
    """Count the parcels in pigeonholes of one slot."""

    serial: int
    keys: tuple[str, ...]


Write = HandIn | Collect
Order = HandIn | Collect | Look


class Done(Message):
    """The answer: how many parcels there are, or were taken."""

    serial: int
    result: int


class CrossSlotRefused(Message):
    """The keys lie in several slots, perhaps on several shards."""

    serial: int
    slots: tuple[int, ...]


# A router and a shard


class Try(Message):
    """A client's request. `asking`: another shard sent the router here for this one request."""

    client: str
    order: Order
    asking: bool = False


class Reply(Message):
    """A shard's answer to the request of a client."""

    client: str
    serial: int


class Served(Reply):
    result: int


class Moved(Reply):
    """The slot is at `to` since `epoch`: learn it."""

    slot: int
    to: str
    epoch: int


class AskThere(Reply):
    """Ask `to`, this time only."""

    slot: int
    to: str


class Refused(Reply):
    """Under this serial the client has asked something else: a key names one request."""


class TryAgain(Reply):
    """Not now: wait a little."""


# The operator and a shard


class Move(Message):
    """Move a slot to another shard."""

    serial: int
    slot: int
    to: str


class Undo(Message):
    """Take a move back that has not been switched yet. Either side can be told."""

    serial: int
    slot: int


class Begun(Message):
    """What the operator asked for has begun, or was refused."""

    serial: int


# Two shards


class Shipment(Message):
    """About the move of a slot in which the receiver becomes its owner in `epoch`."""

    slot: int
    epoch: int


class Ship(Shipment):
    """Piece `nth` of a slot: 0 is the copy, the others are changes in order. The keys in `gone` are deleted."""

    life: int
    nth: int
    rows: tuple[Row, ...] = ()
    gone: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()

    @property
    def changes(self) -> tuple[str, ...]:
        """The rows as they are now, and the keys that are gone."""
        return (*map(str, self.rows), *(f"-{key}" for key in self.gone))


class Shipped(Shipment):
    """Piece `nth` is on disk."""

    life: int
    nth: int


class TakeOver(Shipment):
    """That was all: own the slot."""

    life: int
    nth: int


class TookOver(Shipment):
    """I own the slot."""


class GiveBack(Shipment):
    """Drop your copy: the move is undone."""


class GivenBack(Shipment):
    """The copy is dropped, and no late message of this move revives it."""
