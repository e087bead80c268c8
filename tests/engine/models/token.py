"""A token on its way from one process to another: the least that can be lost, doubled or paused."""

from __future__ import annotations

from collections.abc import Sequence

from patterns.engine.process import Message, Process, durable, on
from patterns.engine.properties import Sometimes
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import World


class Token(Message):
    pass


class Sender(Process):
    to: str

    def on_start(self) -> None:
        self.send(self.to, Token())

    def on_restart(self) -> None:
        pass


class Receiver(Process):
    """It is done once it has the token. After a crash it takes the token to have come."""

    first: str = durable("")
    """The process whose token came first."""
    done: bool = durable(False)

    def on_restart(self) -> None:
        self.done = True

    @on(Token)
    def take(self, sender: str, token: Token) -> None:
        self.first = self.first or sender
        self.done = True


class TwoSenders(Simulation):
    """A and B send the same token to R."""

    name = "two_senders"
    rules = {"T": Rule("", "")}

    def processes(self) -> Sequence[Process]:
        return (Sender("A", "R"), Sender("B", "R"), Receiver("R"))


class OneSender(TwoSenders):
    """A sends a token to R, once."""

    name = "one_sender"

    def processes(self) -> Sequence[Process]:
        return (Sender("A", "R"), Receiver("R"))


def done(world: World) -> bool:
    return bool(world["R"].done)


B_IS_FIRST = Sometimes("the token of B comes first", lambda world: world["R"].first == "B")
