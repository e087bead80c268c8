"""The configuration service: which replicas count, in which order, since which epoch (PacificA 2008, 2.2 and 2.3).

The note on the fridge door. The first member is the primary, or the head of a chain. Each change is a new epoch.
How the note itself survives a crash is chapter 5: in real systems a consensus service holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from patterns.engine.params import Count
from patterns.engine.process import Message, Process, durable, on, on_request
from patterns.engine.world import Packet, Request, World

from .client import Replicated

SERVICE = "Fridge"


class View(Message, frozen=True):
    """What the note says."""

    words = "epoch {epoch}: {members:names}"
    epoch: int
    members: tuple[str, ...]
    asked: str = ""
    """The client for whose sake a replica asked."""


class Ask(Message, frozen=True):
    """A replica reads the note: it has restarted, or is to answer a client."""

    words = "which epoch?"
    restarted: bool
    client: str = ""


class Change(Message, frozen=True):
    """The primary of an epoch changes the set of members: one out, or one in at the end."""

    words = "{action} {who}"
    epoch: int
    who: str
    action: str


class Suspect(Message, frozen=True):
    """A monitor says that a replica does not answer. It may be wrong."""

    words = "{who} is silent"
    who: str


class Join(Message, frozen=True):
    """A spare replica is to join at the end."""

    words = "{who} joins"
    who: str


class Configuration(Process):
    replicas: tuple[str, ...]
    epoch: int = durable(1)
    members: tuple[str, ...] = durable(())

    def on_start(self) -> None:
        if not self.members:
            self.members = self.replicas

    @on_request(Suspect)
    def replica_is_suspected(self, monitor: str, request: Suspect) -> None:
        # PacificA 2.3: only a member may take over. It has all that was acknowledged.
        left = self.without(request.who)
        if request.who in self.members and left:
            self.note("CF.out", out=request.who, members=left, epoch=self.epoch + 1)
            self.decide(left)
        self.reply(monitor, View(self.epoch, self.members))

    def without(self, who: str) -> tuple[str, ...]:
        """The members after `who` is out, the next primary first."""
        return tuple(member for member in self.members if member != who)

    @on_request(Join)
    def replica_joins(self, monitor: str, request: Join) -> None:
        if request.who not in self.members:
            self.note("CF.in", joins=request.who, epoch=self.epoch + 1)
            self.decide((*self.members, request.who))
        self.reply(monitor, View(self.epoch, self.members))

    @on(Change)
    def primary_changes_the_set(self, sender: str, change: Change) -> None:
        # PacificA 2.2: the change counts only if it comes from the primary of the present epoch.
        left = self.without(change.who)
        if change.epoch != self.epoch:
            self.note("CF.old", sender=sender, epoch=change.epoch, now=self.epoch)
            self.send(sender, View(self.epoch, self.members))
        elif change.action == "out":  # also of one that was about to join: the epoch ends
            self.note("CF.out", out=change.who, members=left, epoch=self.epoch + 1)
            self.decide(left)
        elif change.action == "in" and change.who not in self.members:
            self.note("CF.in", joins=change.who, epoch=self.epoch + 1)
            self.decide((*self.members, change.who))

    def decide(self, members: tuple[str, ...]) -> None:
        self.epoch += 1
        self.members = members
        for name in self.replicas:
            self.send(name, View(self.epoch, members))

    @on(Ask)
    def replica_asks(self, sender: str, ask: Ask) -> None:
        if ask.restarted and sender == self.members[0]:
            # A primary that restarts has forgotten which changes it asked for. In a new epoch they are void.
            self.note("CF.new", epoch=self.epoch + 1, members=self.members)
            self.decide(self.members)
        else:
            self.send(sender, View(self.epoch, self.members, ask.client))


class Configured(Replicated):
    """Replicas that a configuration service counts. A monitor suspects one of them, rightly or not."""

    configuration: type[Configuration] = Configuration

    class Params(Replicated.Params, frozen=True):
        suspicions: Count = 2
        """How often the monitor may suspect a replica."""

    params: Params

    def spent(self, world: World[Any], packet: Packet) -> bool:
        """A message of an epoch that is over, for its receiver and its sender."""
        epoch, known = getattr(packet.body, "epoch", None), world[packet.to].epoch
        if epoch is None or epoch >= known:
            return False
        return isinstance(packet.body, View) or packet.sender in world.down or world[packet.sender].epoch >= known

    def requests(self, world: World[Process]) -> Iterator[Request[Any]]:
        yield from super().requests(world)
        fridge = world[SERVICE]
        assert isinstance(fridge, Configuration)
        if SERVICE not in world.down and fridge.epoch <= self.params.suspicions:
            yield from (Request("M", SERVICE, Suspect(who)) for who in self.suspected(world, fridge.members))

    def suspected(self, world: World[Process], members: Sequence[str]) -> Sequence[str]:
        """The members that a monitor may take for crashed."""
        return members
