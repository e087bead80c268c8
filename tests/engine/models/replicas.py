"""A primary that answers a write once every backup has it on disk, and three ways to get that wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from patterns.engine.history import History
from patterns.engine.params import Count
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer
from patterns.engine.properties import Always, AtRest, Property, Sometimes
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import Request, World, WorldEvent


class Put(Message):
    value: int

    def __str__(self) -> str:
        return f"put {self.value}"


class Copy(Message):
    value: int

    def __str__(self) -> str:
        return f"copy {self.value}"


class Copied(Message):
    value: int

    def __str__(self) -> str:
        return f"copied {self.value}"


class Backup(Process):
    value: int = durable(0)

    @on(Copy)
    def copy(self, sender: str, message: Copy) -> None:
        self.value = max(self.value, message.value)
        self.send(sender, Copied(message.value))


class Primary(Process):
    backups: tuple[str, ...]
    value: int = durable(0)
    waiting: tuple[tuple[str, int], ...] = ()
    """(client, value) for each write that is not answered."""
    copied: frozenset[tuple[str, int]] = frozenset()
    """(backup, value) for each acknowledgement."""

    @on_request(Put)
    def put(self, client: str, message: Put) -> None:
        self.note("R.1", client=client, value=message.value)
        self.value = max(self.value, message.value)
        self.waiting = (*(w for w in self.waiting if w[0] != client), (client, message.value))
        self.spread()

    @on_timer("resend")
    def spread(self) -> None:
        for _, value in self.waiting:
            for backup in self.backups:
                if (backup, value) not in self.copied:
                    self.send(backup, Copy(value))
        if self.waiting:
            self.set_timer("resend", 40)

    @on(Copied)
    def acknowledge(self, sender: str, message: Copied) -> None:
        self.copied |= {(sender, message.value)}
        for client, value in self.waiting:
            if self.is_copied(value):
                self.note("R.2", client=client, value=value)
                self.reply(client, "ok")
        self.waiting = tuple(w for w in self.waiting if not self.is_copied(w[1]))

    def is_copied(self, value: int) -> bool:
        return all((backup, value) in self.copied for backup in self.backups)


class Hasty(Primary):
    """Wrong: one acknowledgement is enough."""

    def is_copied(self, value: int) -> bool:
        return any((backup, value) in self.copied for backup in self.backups)


class Forgetful(Backup):
    """Wrong: acknowledges what is only in memory."""

    value: int = 0


class Clumsy(Backup):
    """Wrong: takes a second copy for an impossibility."""

    def copy(self, sender: str, message: Copy) -> None:
        if message.value == self.value:
            raise AssertionError(f"{self.id} has {message.value} already")
        super().copy(sender, message)


def answered_but_missing(world: World) -> str | None:
    for call in world.calls:
        for process in world.processes:
            if not call.waits and process.value < call.body.value:  # type: ignore[attr-defined]
                return f"{call.client} was told that {call.body} is done, but {process.id} has {process.value}"  # type: ignore[attr-defined]
    return None


ANSWERED_IS_EVERYWHERE = Always("what was answered is on every disk", answered_but_missing)
A_WRITE_IS_ANSWERED = Sometimes("a write is answered", lambda world: any(not call.waits for call in world.calls))
ALL_ANSWERED = AtRest(
    "at rest nobody waits", lambda world: next((f"{c.client} waits" for c in world.calls if c.waits), None)
)


class Replicas(Simulation):
    name = "replicas"
    rules = {
        "R.1": Rule("{who} writes {value} for {client} and sends it to its backups", "primary copy"),
        "R.2": Rule("{who} answers {client}: every backup has **{value}**", "primary copy"),
    }
    events = WorldEvent | Request[Put]
    always: tuple[Property, ...] = (ANSWERED_IS_EVERYWHERE,)
    primary: ClassVar[type[Primary]] = Primary
    backup: ClassVar[type[Backup]] = Backup

    class Params(Simulation.Params, frozen=True):
        backups: Count = 2
        writes: Count = 2

    params: Params

    def processes(self) -> Sequence[Process]:
        names = tuple(f"B{i}" for i in range(1, self.params.backups + 1))
        return (self.primary("P", names), *(self.backup(name) for name in names))

    def requests(self, world: World) -> Iterator[Request[Put]]:
        for i in range(1, self.params.writes + 1):
            if (call := world.call(f"C{i}")) is None or call.waits:
                yield Request(f"C{i}", "P", Put(i))


class HastyReplicas(Replicas):
    primary = Hasty


class ForgetfulReplicas(Replicas):
    backup = Forgetful


class ClumsyReplicas(Replicas):
    backup = Clumsy


def asked(**params: Any) -> History[World, Any]:
    """Three replicas, and a write on its way to both backups: messages 0 and 1, due at 10 ms."""
    history = History(Replicas(latency=(10, 10), **params))
    history.apply(Request("C1", "P", Put(1)))
    return history


class OneRequest(Replicas):
    """Small enough for a search of all runs: each client asks once."""

    def requests(self, world: World) -> Iterator[Request[Put]]:
        return (request for request in super().requests(world) if world.call(request.client) is None)
