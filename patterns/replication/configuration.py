"""The configuration service: which replicas count, in which order, since which epoch (PacificA 2008, 2.2 and 2.3).

The note on the fridge door. The first member is the primary, or the head of a chain. Each change is a new epoch.
How the note itself survives a crash is chapter 5: in real systems a consensus service holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from patterns.engine.params import Count
from patterns.engine.process import Message, Process, durable, on, on_request
from patterns.engine.world import Request, World

from .client import Operation, Replicated

SERVICE = "Fridge"


class View(Message):
    """What the note says."""

    epoch: int
    members: tuple[str, ...]
    # The client for whose sake a replica asked.
    asked: str = ""


class Ask(Message):
    """A replica reads the note: it has restarted, or is to answer a client."""

    restarted: bool
    client: str = ""


class Change(Message):
    """The primary of an epoch changes the set of members: one out, or one in at the end."""

    epoch: int
    who: str
    action: str


class Suspect(Message):
    """A monitor says that a replica does not answer. It may be wrong."""

    who: str


class Join(Message):
    """A spare replica is to join at the end."""

    who: str


class Configuration(Process):
    replicas: tuple[str, ...]
    epoch: int = durable(1)
    members: tuple[str, ...] = durable(())

    def serves(self, body: Operation) -> bool:
        return False

    @on_request(Suspect, Join)
    def monitor_reports(self, monitor: str, request: Suspect | Join) -> None:
        # PacificA 2.3: only a member may take over. It has all that was acknowledged.
        if isinstance(request, Join) and request.who not in self.members:
            self.change("in", request.who)
        elif isinstance(request, Suspect) and request.who in self.members and self.without(request.who):
            self.change("out", request.who)
        elif isinstance(request, Suspect) and request.who not in self.members:
            # It reports again what is known: the message with the view may have been lost.
            self.tell()
        self.reply(monitor, View(self.epoch, self.members))

    @on(Change)
    def primary_changes_the_set(self, sender: str, change: Change) -> None:
        # PacificA 2.2: the change counts only if it comes from the primary of the present epoch.
        if change.epoch != self.epoch:
            self.note("CF.old", sender=sender, epoch=change.epoch, now=self.epoch)
            self.send(sender, View(self.epoch, self.members))
        elif change.action == "out" or change.who not in self.members:
            # Out may also be one that was about to join: then only the epoch ends.
            self.change(change.action, change.who)

    def without(self, who: str) -> tuple[str, ...]:
        """The members after `who` is out, the next primary first."""
        return tuple(member for member in self.members if member != who)

    def change(self, action: str, who: str) -> None:
        members = self.without(who) if action == "out" else (*self.members, who)
        self.note(f"CF.{action}", who=who, members=members, first=members[0], epoch=self.epoch + 1)
        self.decide(members)

    def decide(self, members: tuple[str, ...]) -> None:
        self.epoch += 1
        self.members = members
        self.tell()

    def tell(self) -> None:
        for name in self.replicas:
            self.send(name, View(self.epoch, self.members))

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
        wrong: bool = True
        """The monitor may suspect a replica that is up."""

    params: Params

    def requests(self, world: World[Any]) -> Iterator[Request[Any]]:
        yield from super().requests(world)
        if SERVICE not in world.down:
            fridge, suspects = world[SERVICE], list[str]()
            first = fridge.members[0]
            if world[first].epoch < fridge.epoch and SERVICE not in {p.sender for p in world.packets if p.to == first}:
                # The monitor reports again, until the first member has heard of its place.
                suspects += [who for who in fridge.replicas if who not in fridge.members]
            if fridge.epoch <= self.params.suspicions:
                suspects += [who for who in fridge.members if self.params.wrong or who in world.down]
            yield from (Request("M", SERVICE, Suspect(who)) for who in suspects)
