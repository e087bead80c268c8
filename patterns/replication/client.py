"""What clients ask and are answered: the same for every way of replication, so that one checker judges all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from patterns.engine import linearizable
from patterns.engine.linearizable import seen
from patterns.engine.process import Message
from patterns.engine.simulation import Simulation
from patterns.engine.table import Table
from patterns.engine.world import Call, Request, World


class Read(linearizable.Read, frozen=True):
    words = "read"
    serial: int = 0


class Write(linearizable.Write, frozen=True):
    """`value` None removes the line."""

    words = "write {value:or|nothing}"
    serial: int = 0
    context: Table[int] = Table()
    """What the client has seen, where versions are kept apart."""


class Remove(Message, frozen=True):
    """Takes an item out of a set."""

    words = "remove {value}"
    value: str
    serial: int = 0
    answers: ClassVar[bool] = False


class Count(Message, frozen=True):
    """Adds 1 to a counter."""

    words = "add 1"
    serial: int = 0
    answers: ClassVar[bool] = False


class Done(Message, frozen=True):
    """The operation took effect."""

    words = "{value:or|nothing}"
    serial: int
    value: Any = None
    context: Table[int] = Table()


class Unknown(Message, frozen=True):
    """Time is up. The operation may have taken effect, or may still."""

    words = "unknown"
    serial: int


class NotHere(Message, frozen=True):
    """Ask `leader` instead, or any other if it is None."""

    words = "ask {leader:or|another}"
    serial: int
    leader: str | None


Operation = Read | Write | Remove | Count


def is_done(call: Call) -> bool:
    """Whether the client has its answer. To be sent on is no answer, and an unknown outcome is none."""
    return isinstance(call.reply, Done)


def operation(asked: str, serial: int, context: Table[int]) -> Operation:
    """What a plan asks: `read`, `remove beer`, `count`, `write nothing`, or a value to write."""
    word, _, item = asked.partition(" ")
    if asked == "read":
        return Read(serial)
    if asked == "count":
        return Count(serial)
    if word == "remove":
        return Remove(item, serial)
    return Write(None if asked == "write nothing" else asked, serial, context)


one_copy = seen.linearizable(
    "Clients see one copy: their operations are linearizable", linearizable.Register(), is_done
)
"""What the clients see could have come from one register (Herlihy and Wing 1990)."""


class Replicated(Simulation):
    """Replicas of one list, and clients that ask them one operation after the other."""

    view = "replication"

    class Params(Simulation.Params, frozen=True):
        clients: dict[str, tuple[str, ...]] = {}
        """Client -> what it asks, in order: `read`, or a value to write. Empty: the usual clients."""
        ask: dict[str, tuple[str, ...]] = {}
        """Client -> the one replica that it asks, operation by operation; others ask any."""
        turns: bool = False
        """Only one client reads at a time."""
        patience: bool = True
        """A client that waits may ask again, or go on: its operation then stays unknown."""

    params: Params

    @property
    def plans(self) -> Mapping[str, tuple[str, ...]]:
        return self.params.clients or {"X": ("milk", "eggs", "tea"), "Y": ("read", "read", "read")}

    def doors(self, world: World[Any], body: Operation) -> Iterable[str]:
        """The replicas that a client may ask for this operation."""
        raise NotImplementedError

    def requests(self, world: World[Any]) -> Iterator[Request[Any]]:
        reading = {call.client for call in world.calls if call.waits and isinstance(call.body, Read)}
        for client, plan in self.plans.items():
            call = world.call(client)
            serial = call.body.serial if call else 0
            over = call is None or isinstance(call.reply, Done | Unknown)
            asked: list[Operation] = []
            if call and not over and (self.params.patience or isinstance(call.reply, NotHere)):
                asked.append(call.body)
            if serial < len(plan) and (over or self.params.patience):
                context = call.reply.context if call and isinstance(call.reply, Done) else Table[int]()
                asked.append(operation(plan[serial], serial + 1, context))
            asks = self.params.ask.get(client)
            for body in asked:
                if self.params.turns and isinstance(body, Read) and reading - {client}:
                    continue
                only = asks and asks[min(body.serial, len(asks)) - 1]
                yield from (Request(client, to, body) for to in self.doors(world, body) if only in (None, to))

    def answers(self, call: Call, reply: Any) -> bool:
        """Whether the serial numbers agree: the answer to an earlier operation may come late."""
        return getattr(call.body, "serial", 0) == getattr(reply, "serial", 0)
