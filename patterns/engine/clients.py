"""Clients of replicas: each asks one operation after the other, and a time-out leaves its outcome unknown.

One client interface for every protocol, so that `linearizable` can judge what the clients of any of them saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .process import Message
from .simulation import Simulation
from .world import Call, Request, World


class Done(Message):
    """The operation took effect."""

    serial: int
    value: Any = None
    context: Any = None
    """What the client has seen, where its next operation is to say so."""


class Unknown(Message):
    """Time is up. The operation may have taken effect, or may still."""

    serial: int


class NotHere(Message):
    """Ask `leader` instead, or any other if it is None."""

    serial: int
    leader: str | None


class Misused(Message):
    """The client's request with this serial was another one. A key names one request, so this one is refused."""

    serial: int


def is_done(call: Call) -> bool:
    """Whether the client has its answer. A redirect is not an answer, and neither is an unknown outcome."""
    return isinstance(call.reply, Done)


class Clients(Simulation):
    """Replicas, and clients with plans."""

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
        """Client -> what it asks."""
        return self.params.clients

    def operation(self, asked: str, serial: int, context: Any) -> Any:
        """The request that a plan's words stand for. It has the field `serial`; `context` is of the last answer."""
        raise NotImplementedError

    def reads(self, body: Any) -> bool:
        """Whether this request changes nothing."""
        raise NotImplementedError

    def contacts(self, world: World[Any], body: Any) -> Iterable[str]:
        """The replicas that take themselves for the right one to ask."""
        return (process.id for process in world.up if process.serves(body))

    def requests(self, world: World[Any]) -> Iterator[Request[Any]]:
        reading = {call.client for call in world.calls if call.waits and self.reads(call.body)}
        for client, plan in self.plans.items():
            call = world.call(client)
            serial = call.body.serial if call else 0
            over = call is None or isinstance(call.reply, Done | Unknown)
            asked = []
            if call and not over and (self.params.patience or isinstance(call.reply, NotHere)):
                asked.append(call.body)
            if serial < len(plan) and (over or self.params.patience):
                context = call.reply.context if call and is_done(call) else None
                asked.append(self.operation(plan[serial], serial + 1, context))
            asks = self.params.ask.get(client)
            for body in asked:
                if self.params.turns and self.reads(body) and reading - {client}:
                    continue
                only = asks and asks[min(body.serial, len(asks)) - 1]
                yield from (Request(client, to, body) for to in self.contacts(world, body) if only in (None, to))

    def answers(self, call: Call, reply: Any) -> bool:
        """Whether the serial numbers agree: the answer to an earlier operation may come late."""
        return getattr(call.body, "serial", 0) == getattr(reply, "serial", 0)
