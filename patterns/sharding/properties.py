"""What must hold while slots move: one owner, nothing lost, nothing twice, maps that never go back."""

from __future__ import annotations

from collections.abc import Iterator

from patterns.engine.along import Along, AlwaysNext, Broken, NeverTwice, Transition
from patterns.engine.properties import Always, AtRest, Property, Sometimes
from patterns.engine.step import Note
from patterns.engine.table import Table
from patterns.engine.world import World

from .hashes import slot_of
from .messages import AskThere, Look, Moved, Try
from .router import Router
from .shard import Shard

ENDED = ("owner", "given")  # roles of a shard that takes part in no move


def shards(world: World) -> tuple[Shard, ...]:
    return tuple(process for process in world.processes if isinstance(process, Shard))


def routers(world: World) -> tuple[Router, ...]:
    return tuple(process for process in world.processes if isinstance(process, Router))


def serves(shard: Shard, slot: int, keys: tuple[str, ...], asking: bool = False) -> bool:
    return shard.redirect(Try("", Look(0, keys), asking), slot) is None


def keeper(world: World, key: str) -> Shard | None:
    """The shard that serves a key now: the owner of its slot, or the one that the owner says ASK for."""
    slot = slot_of(key, shards(world)[0].slots)
    for shard in shards(world):
        told = shard.redirect(Try("", Look(0, (key,))), slot)
        if told is None:
            return shard
        if isinstance(told, AskThere) and serves(world[told.to], slot, (key,), asking=True):
            return world[told.to]  # type: ignore[no-any-return]
    return None


# In a state


@Always.named("at most one shard accepts requests for a key")
def one_owner(world: World) -> str | None:
    """Those that are down are asked too: they come back as they are on disk."""
    kept = (each for shard in shards(world) for each in (*shard.rows, *shard.answers))
    for slot, key in sorted({(each.slot, each.key) for each in kept}):
        if len(both := [shard.id for shard in shards(world) if serves(shard, slot, (key,))]) > 1:
            return f"{' and '.join(both)} both accept requests for {key}, in slot {slot}"
    return None


@Always.named("no two shards send a client to each other")
def no_ping_pong(world: World) -> str | None:
    """Two shards send one request to each other, as a router would follow it."""
    for shard in shards(world):
        for slot in range(shard.slots) if shard.id not in world.down else ():
            told = shard.redirect(Try("", Look(0, ("",))), slot)
            if isinstance(told, Moved | AskThere):
                back = world[told.to].redirect(Try("", Look(0, ("",)), isinstance(told, AskThere)), slot)
                if isinstance(back, Moved) and back.to == shard.id:
                    return f"for slot {slot}, {shard.id} sends clients to {told.to}, and {told.to} back to {shard.id}"
    return None


@AtRest.named("at rest no move is open, no row is at a wrong shard, and no client waits")
def nothing_left_over(world: World) -> str | None:
    """Asked when all is up. A client whose router has crashed asks again by itself: a router must have the request."""
    if world.down or world.paused:
        return None
    open = [f"{hold} at {shard.id}" for shard in shards(world) for hold in shard.holds if hold.role not in ENDED]
    orphans = [
        f"{row} at {each.id}" for each in shards(world) for row in each.rows if each.hold(row.slot).role == "given"
    ]
    waits = [f"{client} at {router.id}" for router in routers(world) for client in router.pending.names]
    found = [*open, *orphans, *waits]
    return f"nothing more happens, and there is {found[0]}" if found else None


# Along a run


@NeverTwice.named("a slot has one owner in an epoch, in shards and maps")
def one_for_an_epoch(world: World, notes: tuple[Note, ...]) -> Iterator[tuple[str, str]]:
    for shard in shards(world):
        for hold in shard.holds:
            if hold.role == "owner":
                yield f"the owner of slot {hold.slot} in epoch {hold.epoch}", shard.id
    for router in routers(world):
        for entry in router.map:
            yield f"the owner of slot {entry.slot} in epoch {entry.epoch}", entry.owner


@AlwaysNext.named("a map never goes back to an older epoch")
def map_never_back(before: World, after: World) -> str | None:
    for old, new in zip(routers(before), routers(after), strict=True):
        for was, now in zip(old.map, new.map, strict=True):
            if now.epoch < was.epoch:
                return f"the map of {new.id} goes back for slot {now.slot}: from {was} to {now}"
    return None


# The parcels at each key, by all committed writes, and (client, serial) of these writes.
Ledger = tuple[Table[int], frozenset[tuple[str, int]]]


def _first_ledger(world: World) -> Ledger:
    rows = sorted((row.key, row.parcels) for each in shards(world) for row in each.rows)
    return Table(tuple(rows)), frozenset()


@Along.named("each write counts once at the shard that serves its key", _first_ledger)
def nothing_lost(ledger: Ledger, step: Transition) -> Ledger | Broken:
    """The memory is the ledger: every write in the order in which it was committed, at whatever shard."""
    parcels, done = ledger
    for note in step.notes:
        if note.rule == "S.commit":
            values, key = note.values, note.values["key"]
            if (request := (values["client"], values["serial"])) in done:
                return Broken(f"request {request[1]} of {request[0]} is done twice, the second time by {values['who']}")
            done |= {request}
            added = getattr(values["order"], "parcels", None)
            parcels = parcels.put(key, (parcels.get(key) or 0) + added if added is not None else 0)
        if note.rule == "S.read":
            expected = sum(parcels.get(key) or 0 for key in note.values["keys"])
            if note.values["result"] != expected:
                return Broken(f"{note.values['who']} answers {note.values['result']}, and there are {expected}")
    for key, expected in parcels:
        shard = keeper(step.after, key)
        if shard is not None and shard.parcels(key) != expected:
            return Broken(f"{shard.id} serves {key} with {shard.parcels(key)}, and {expected} were acknowledged")
    return parcels, done


SAFE: tuple[Property, ...] = (one_owner, one_for_an_epoch, no_ping_pong, nothing_lost, map_never_back)
ALWAYS = (*SAFE, nothing_left_over)


@Sometimes.named("all maps know that a slot has moved")
def maps_level(world: World) -> bool:
    maps = [router.map for router in routers(world)]
    return any(min(entry.epoch for entry in lines) > 1 for lines in zip(*maps, strict=True))
