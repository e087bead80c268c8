"""What elections promise, in every state and at the end, each with the reason if it does not hold.

No property asks the code that it checks: a process leads if it believes so, and the ids say which is the highest.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise
from typing import Any

from patterns.engine.along import Along, AlwaysNext, Broken, NeverTwice, Transition
from patterns.engine.milestones import messages
from patterns.engine.properties import Always, AtRest, Reason, Sometimes
from patterns.engine.sentences import names
from patterns.engine.step import Note
from patterns.engine.world import World

from .bully import Bully, Coordinator, Heartbeat
from .lease import Holder, LockServer, Storage
from .lease_messages import Content
from .ring import RingProcess


def leaders(world: World) -> tuple[Any, ...]:
    """The processes that are up and believe that they lead. In a healthy world there is at most one."""
    return tuple(process for process in world.up if getattr(process, "role", "") == "leader")


def agreed_leader(world: World) -> str:
    """The leader that all live processes follow, itself among them; empty if they do not agree."""
    followed = {process.leader for process in world.up}
    named: str = followed.pop() if len(followed) == 1 else ""
    return named if any(leader.id == named for leader in leaders(world)) else ""


@Always.named("at most one leads at a time")
def one_leader(world: World) -> Reason:
    ids = [leader.id for leader in leaders(world)]
    return f"{names(ids)} lead at once" if len(ids) > 1 else None


# Bully


@Always.named("at most one coordinates, once the highest coordinator's message has arrived")
def one_coordinator(world: World[Bully]) -> Reason:
    """Two may lead while the higher one's message to the lower one is on its way: a recovery takes over in this way."""
    for lower, higher in pairwise(sorted(leaders(world), key=lambda leader: leader.rank)):
        told = (messages(world, kind, sender=higher.id, to=lower.id) for kind in (Coordinator, Heartbeat))
        if not any(told):
            return f"{lower.id} and {higher.id} lead at once, and no message of {higher.id} to {lower.id} is on its way"
    return None


def highest_of(world: World[Bully]) -> str:
    """The live process with the highest id; empty if no process is up."""
    highest = max(world.up, key=lambda process: process.rank, default=None)
    return highest.id if highest else ""


@AtRest.named("at the end all follow the live process with the highest id")
def highest_alive_leads(world: World[Bully]) -> Reason:
    highest = highest_of(world)
    for process in world.up:
        if process.leader not in world.down | {"", highest}:
            return f"{process.id} follows {process.leader}, but {highest} is alive and has the highest id"
    return None


highest_alive_agreed = Sometimes(
    "all follow the live process with the highest id",
    lambda world: bool(world.up) and agreed_leader(world) == highest_of(world),
)


# Rings


@Always.named("the winner has the highest id of all that stand")
def highest_wins(world: World[RingProcess]) -> Reason:
    highest = max((process for process in world.processes if process.stands), key=lambda process: process.uid)
    for leader in leaders(world):
        if leader.uid < highest.uid:
            return f"{leader.id} has won with id {leader.uid}, but {highest.id} stands too"
    return None


@AtRest.named("at the end all know the one leader")
def all_know(world: World[RingProcess]) -> Reason:
    if agreed_leader(world) or world.paused:  # a paused process has more to do
        return None
    followed = (f"{process.id} follows {process.leader or 'nobody'}" for process in world.up)
    return f"nothing more happens, and {names(followed)}"


elected = Sometimes("all know the one leader", lambda world: bool(agreed_leader(world)))


# Leases


def _storage(world: World) -> Storage:
    return next(process for process in world.processes if isinstance(process, Storage))


@NeverTwice.named("a token is given to one holder only")
def one_holder_a_token(world: World, notes: tuple[Note, ...]) -> Iterator[tuple[Hashable, Hashable]]:
    """Which process each token belongs to, as the lock server and the holders believe."""
    for process in world.processes:
        if isinstance(process, LockServer) and process.token:
            yield f"token {process.token} belongs to", process.holder
        if isinstance(process, Holder) and process.token:
            yield f"token {process.token} belongs to", process.id


@AlwaysNext.named("the storage accepts no write with an older token")
def tokens_never_fall(before: World, after: World) -> Reason:
    was, now = _storage(before), _storage(after)
    if now.written_with < was.written_with:
        return f"a write with token {now.written_with} was accepted after one with token {was.written_with}"
    if now.highest < was.highest:
        return f"the storage forgot token {was.highest}: its highest token is now {now.highest}"
    return None


@Along.named("no acknowledged write is lost", lambda world: ())
def acknowledged_writes_stay(lines: Content, step: Transition) -> Content | Broken:
    """The lines whose write a leader saw acknowledged so far; broken if one of them is no longer stored."""
    lines += tuple(note.values["item"] for note in step.notes if note.rule == "H.wrote")
    stored = _storage(step.after).content
    lost = next((line for line in lines if line not in stored), None)
    return Broken(f"{lost} was acknowledged, but the storage has {names(stored) or 'nothing'}") if lost else lines


leader_writes = Sometimes(
    "a leader has a write acknowledged",
    lambda world: any(leader.done and leader.token == _storage(world).written_with for leader in leaders(world)),
)
