"""What elections promise, on every state and at the end, each with the reason where it does not hold.

None asks the code that it checks: who leads is what a process believes, and the highest id is read off the ids.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import Any

from patterns.engine.properties import Always, AlwaysNext, AtRest, NeverTwice, Property, Reason, Sometimes
from patterns.engine.step import Note
from patterns.engine.world import World

from .bully import Bully, Coordinator, Heartbeat
from .lease import Holder, LockServer, Storage
from .lease_messages import Content
from .ring import RingProcess

Notes = tuple[Note, ...]


def leaders(world: World) -> tuple[Any, ...]:
    """The processes that are up and believe that they lead. In a healthy world there is at most one."""
    return tuple(process for process in world.up if getattr(process, "role", "") == "leader")


def agreed_leader(world: World) -> str:
    """The one that all that are up follow, itself among them; empty where there is none."""
    followed = {process.leader for process in world.up}
    named = followed.pop() if len(followed) == 1 else ""
    return named if any(leader.id == named for leader in leaders(world)) else ""


def _two_lead(world: World) -> Reason:
    ids = [leader.id for leader in leaders(world)]
    return f"{' and '.join(ids)} lead at once" if len(ids) > 1 else None


one_leader = Always("at most one leads at a time", _two_lead)


# Bully


def _two_coordinate(world: World) -> Reason:
    """Two may lead while the higher one's word to the lower one is on its way: a recovery takes over just so."""
    ranked = sorted(leaders(world), key=lambda leader: leader.rank)
    for lower, higher in pairwise(ranked):
        if not any(
            packet.sender == higher.id and packet.to == lower.id and isinstance(packet.body, Coordinator | Heartbeat)
            for packet in world.packets
        ):
            return f"{lower.id} and {higher.id} lead at once, and no word of {higher.id} is on its way to {lower.id}"
    return None


def _follows_a_lower_one(world: World) -> Reason:
    highest = max(world.up, key=lambda process: process.rank, default=None)
    if highest is None:
        return None
    for process in world.up:
        if process.leader not in world.down | {"", highest.id}:
            return f"{process.id} follows {process.leader}, but {highest.id} is alive and has the highest id"
    return None


def highest_of(world: World) -> str:
    """The process with the highest id among those that are up."""
    highest: Bully = max(world.up, key=lambda process: process.rank)
    return highest.id


one_coordinator = Always("at most one coordinates, but while word of a higher one is on its way", _two_coordinate)
highest_alive_leads = AtRest("at the end all follow the highest that is alive", _follows_a_lower_one)
highest_alive_agreed = Sometimes(
    "all follow the highest that is alive",
    lambda world: bool(world.up) and agreed_leader(world) == highest_of(world),
)


# Rings


def _highest_standing(world: World) -> RingProcess:
    processes: tuple[RingProcess, ...] = world.processes  # type: ignore[assignment]
    return max((process for process in processes if process.stands), key=lambda process: process.uid)


def _lower_one_won(world: World) -> Reason:
    for leader in leaders(world):
        highest = _highest_standing(world)
        if leader.uid < highest.uid:
            return f"{leader.id} has won with id {leader.uid}, but {highest.id} stands, too"
    return None


def _not_agreed(world: World) -> Reason:
    if agreed_leader(world) or world.paused:  # who is paused has more to do
        return None
    return "nothing more happens, and they follow " + ", ".join(
        f"{process.id}: {process.leader or 'nobody'}" for process in world.up
    )


highest_wins = Always("who wins has the highest id of those that stand", _lower_one_won)
all_know = AtRest("at the end all know the one leader", _not_agreed)
elected = Sometimes("all know the one leader", lambda world: bool(agreed_leader(world)))


# Leases


def _storage(world: World) -> Storage:
    return next(process for process in world.processes if isinstance(process, Storage))


def _grants(world: World, notes: Notes) -> Iterator[tuple[Hashable, Hashable]]:
    """What is claimed of a token: who leads with it, and for which of its leases."""
    for process in world.processes:
        if isinstance(process, LockServer) and process.token:
            yield f"token {process.token} belongs to", process.holder
        if isinstance(process, Holder) and process.token:
            yield f"token {process.token} belongs to", process.id


def _older_token_written(before: World, after: World) -> Reason:
    was, now = _storage(before), _storage(after)
    if now.written_with < was.written_with:
        return f"a write with token {now.written_with} was taken after one with token {was.written_with}"
    if now.highest < was.highest:
        return f"the storage forgot token {was.highest}: {now.highest} is its highest now"
    return None


class AcknowledgedWritesStay(Property):
    """A line whose write a leader saw acknowledged is never missing from what is stored."""

    def __init__(self) -> None:
        super().__init__("no acknowledged write is lost")

    # The memory: the lines acknowledged so far, and the first that was lost.

    def begin(self, state: World) -> Hashable:
        return ((), None)

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: Notes) -> Hashable:
        acknowledged: Content
        acknowledged, lost = memory
        if lost:
            return memory  # type: ignore[no-any-return]
        new = tuple(note.values["item"] for note in notes if note.rule == "H.wrote")
        storage = _storage(after)
        for item in (*acknowledged, *new):
            if item not in storage.content:
                lost = f"{item} was acknowledged, but what is stored is {', '.join(storage.content) or 'nothing'}"
                break
        return (acknowledged + new, lost) if new or lost else memory

    def reason(self, memory: Any, state: World) -> Reason:
        return memory[1]  # type: ignore[no-any-return]


one_holder_a_token = NeverTwice("a token is given to one holder only", _grants)
tokens_never_fall = AlwaysNext("the storage takes no write with an older token", _older_token_written)
acknowledged_writes_stay = AcknowledgedWritesStay()


def _served(world: World) -> bool:
    """Someone leads, and its write was the last that the storage took."""
    return any(leader.token == _storage(world).written_with and leader.done for leader in leaders(world))


leader_writes = Sometimes("a leader has a write acknowledged", _served)
