"""Resharding as a simulation: shards A, B, ..., routers R1, R2, ..., clients that hand in and collect, operator O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from patterns.engine.clients import Misused
from patterns.engine.params import Count, Ms, Name
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Fire, Request, World, WorldEvent

from .hashes import slot_of
from .key_by_key import KeyByKey
from .messages import Begun, Collect, CrossSlotRefused, Done, Entry, HandIn, Hold, Look, Move, Order, Row, Undo
from .properties import ALWAYS, shards
from .router import Router
from .rules import RULES
from .shard import Shard, StopAndCopy

OPERATOR = "O"
Doing = Literal["hand in", "collect", "look"]
Orders = tuple[tuple[Name, Doing, Name], ...]
WAYS: Mapping[str, type[Shard]] = {"stream": Shard, "key by key": KeyByKey, "stop and copy": StopAndCopy}
ORDERS: Orders = (("Ann", "hand in", "Cairo"), ("Ben", "collect", "Oslo"), ("Ben", "look", "Cairo+Oslo"))


class Resharding(Simulation):
    """Each client makes its orders one after the other, through the router that it likes. The operator moves a slot."""

    name = "resharding"
    view = "sharding"
    rules = {rule: said for rule, said in RULES.items() if rule[0] in "SRM"}
    events = WorldEvent | Request[HandIn | Collect | Look | Move | Undo]
    always = ALWAYS
    shard: ClassVar[type[Shard] | None] = None
    """What runs instead of the shards: some with a rule of their own."""
    router: ClassVar[type[Router]] = Router

    class Params(Simulation.Params, frozen=True):
        shards: Annotated[int, Meta(ge=2, le=4)] = 2
        """How many shards there are: A, B, ... Each begins with as many slots as the others."""
        routers: Annotated[int, Meta(ge=1, le=4)] = 2
        """How many routers there are: R1, R2, ..."""
        slots: Annotated[int, Meta(ge=1, le=64)] = 4
        """How many hash slots there are."""
        way: Literal["stream", "key by key", "stop and copy"] = "stream"
        """How a slot moves: as a copy with a stream of changes, one key after the other, or closed during the copy."""
        stock: tuple[tuple[str, Count], ...] = (("Cairo", 2), ("Oslo", 1), ("Lima", 3))
        """Parcels that are there at first: key and number."""
        orders: Orders = ORDERS
        """What clients do, each in its own order: client, what, key. A look may name several keys, with `+` between."""
        move: str = "Cairo"
        """The operator moves the slot of this key to the next shard."""
        undo: bool = True
        """The operator may undo a move."""
        retries: bool = True
        """A client that waits may ask again."""
        work: Ms = 10
        """How long a write runs before it commits."""
        ship_timeout: Ms = 60
        """How long a shard waits before it ships a piece again."""
        patience: Ms = 90
        """How long a router waits for a shard."""

    params: Params

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.names = tuple("ABCD"[: self.params.shards])
        self.routers = tuple(f"R{at}" for at in range(1, self.params.routers + 1))
        self.orders: dict[str, list[Order]] = {}
        for client, what, key in self.params.orders:
            mine = self.orders.setdefault(client, [])
            mine.append(_order(len(mine) + 1, what, key))

    def slot(self, key: str) -> int:
        return slot_of(key, self.params.slots)

    def processes(self) -> Sequence[Process]:
        params, kind = self.params, self.shard or WAYS[self.params.way]
        owners = [self.names[slot * len(self.names) // params.slots] for slot in range(params.slots)]
        rows = [Row(self.slot(key), key, parcels) for key, parcels in sorted(params.stock) if parcels]
        settings: dict[str, Any] = {"slots": params.slots, "work": params.work, "ship_timeout": params.ship_timeout}
        made: list[Process] = [
            kind(
                id=name,
                **settings,
                holds=tuple(
                    Hold(slot, "owner", 1) if owner == name else Hold(slot, "given", 1, owner)
                    for slot, owner in enumerate(owners)
                ),
                rows=tuple(row for row in rows if owners[row.slot] == name),
            )
            for name in self.names
        ]
        map = tuple(Entry(slot, owner, 1) for slot, owner in enumerate(owners))
        more = (self.router(id=name, slots=params.slots, map=map, patience=params.patience) for name in self.routers)
        return [*made, *more]

    # Clients and the operator

    def requests(self, world: World) -> Iterator[Request[Any]]:
        for client, orders in self.orders.items():
            call = world.call(client)
            done = 0 if call is None else call.body.serial - call.waits
            if done < len(orders) and (call is None or not call.waits or self.params.retries):
                yield from (Request(client, router, orders[done]) for router in self.routers)
        yield from self.moves(world)

    def moves(self, world: World) -> Iterator[Request[Any]]:
        """The operator moves the slot once, and may undo the move while it is under way."""
        slot, call = self.slot(self.params.move), world.call(OPERATOR)
        if call is None:
            giver = next(shard.id for shard in shards(world) if shard.hold(slot).role == "owner")
            taker = self.names[(self.names.index(giver) + 1) % len(self.names)]
            yield Request(OPERATOR, giver, Move(1, slot, taker))
        elif self.params.undo and isinstance(call.body, Move) and not call.waits:
            under_way = ("copying", "fenced", "importing")
            yield from (Request(OPERATOR, s.id, Undo(2, slot)) for s in shards(world) if s.hold(slot).role in under_way)

    def may_happen(self, world: World, event: Any) -> bool:
        """Work ends at any moment, whatever `timing` says: its timers stand for no time-out."""
        works = isinstance(event, Fire) and event.timer.startswith(("work", "clean"))
        return works or super().may_happen(world, event)

    def answers(self, call: Call, reply: Any) -> bool:
        return isinstance(reply, Done | Begun | CrossSlotRefused | Misused) and reply.serial == call.body.serial


def _order(serial: int, what: Doing, key: str) -> Order:
    if what == "look":
        return Look(serial, tuple(key.split("+")))
    return Collect(serial, key) if what == "collect" else HandIn(serial, key)
