"""What must hold of each way of replication."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from patterns.engine.along import Along, AlwaysNext, Broken, NeverTwice, Transition
from patterns.engine.clients import Done, is_done
from patterns.engine.properties import Always, AtRest, Property, Reason
from patterns.engine.sentences import names
from patterns.engine.step import Note
from patterns.engine.world import Request, World

from .chain import Link
from .client import Remove, Write, one_copy
from .configuration import SERVICE
from .merging import Copy
from .merkle import Put, Shelf
from .primary import Replica, position_of
from .versions import Dotted

# Acknowledged writes

Values = frozenset[str]


def _acknowledged(before: World, after: World) -> Values:
    """The values of the writes that were acknowledged in this step."""
    return frozenset(
        call.body.value
        for call in after.calls
        if is_done(call) and isinstance(call.body, Write) and before.call(call.client) != call
    )


def members(world: World[Any]) -> tuple[str, ...]:
    """The in-sync set, or the chain, by the note on the fridge."""
    return tuple(world[SERVICE].members)


def values_of(process: Replica | Link) -> Values:
    log = process.log if isinstance(process, Replica) else process.hist
    return frozenset(entry.value for entry in log if entry.value is not None)


def _has_all(name: str, who: Callable[[World[Any]], tuple[str, ...]]) -> Along:
    """These replicas have every acknowledged write in their logs, on a disk that may be down."""

    @Along.named(name, lambda world: frozenset())
    def has_all(known: Values, step: Transition) -> Values | Broken:
        known |= _acknowledged(step.before, step.after)
        for each in who(step.after):
            if gone := known - values_of(step.after[each]):
                return Broken(f"{names(sorted(gone))} was acknowledged, and {each} has no such entry")
        return known

    return has_all


# What the in-sync set promises (PacificA 2.2).
kept = _has_all("an acknowledged write is in the log of every member of the set", members)
# What is broken where an acknowledged write is gone.
survives = _has_all("the primary has every acknowledged write", lambda world: members(world)[:1])


PRIMARY: tuple[Property, ...] = (survives, one_copy)

# The chain: the two invariants of the paper (section 3)


def _pairs(world: World[Any]) -> list[tuple[Link, Link]]:
    """Neighbours in the chain that are up and have each other's history."""
    links = [world[name] for name in members(world)]
    return [(a, b) for a, b in pairwise(link for link in links if link.id not in world.down) if b.ready]


@Always.named("Update Propagation: a successor's Hist is a prefix of its predecessor's")
def update_propagation(world: World[Any]) -> Reason:
    for before, after in _pairs(world):
        if before.hist[: len(after.hist)] != after.hist:
            return f"{after.id} has {names(after.hist)}, and its predecessor {before.id} has {names(before.hist)}"
    return None


@Always.named("Inprocess Requests: Hist is the successor's Hist followed by Sent")
def inprocess_requests(world: World[Any]) -> Reason:
    for before, after in _pairs(world):
        if before.acked > len(after.hist):
            return (
                f"{before.id} no longer keeps {names(before.hist[len(after.hist) : before.acked])}, {after.id} lacks it"
            )
    return None


@AtRest.named("at rest every update is processed and answered")
def all_processed(world: World[Any]) -> Reason:
    links = [world[name] for name in members(world)]
    noticed = not world.down & {*members(world)} and all(link.epoch == world[SERVICE].epoch for link in links)
    for link in links if noticed else ():
        if link.sent:
            return f"nothing is left to happen, and {link.id} still has {names(link.sent)} in Sent"
    for call in world.calls if noticed else ():
        if call.waits and position_of(links[-1].hist, call.client, call.body.serial):
            return (
                f"nothing is left to happen, {links[-1].id} has {call.client}'s update, and {call.client} still waits"
            )
    return None


CHAIN: tuple[Property, ...] = (update_propagation, inprocess_requests, all_processed, one_copy)

# Merging


@NeverTwice.named("no dot is given twice")
def dots_once(world: World[Copy], notes: tuple[Note, ...]) -> Iterable[tuple[Any, Any]]:
    for copy in world.processes:
        if isinstance(copy.has, Dotted):
            yield from ((f"write {number} of {name}", value) for (name, number), value in copy.has.entries)


@AtRest.named("at rest all replicas show the same")
def all_equal(world: World[Copy]) -> Reason:
    shown = {copy.id: copy.has.shown for copy in world.processes}
    said = ", ".join(f"{who}: {names(of) or 'nothing'}" for who, of in shown.items())
    return f"nothing is left to happen, and they show {said}" if len({*shown.values()}) > 1 else None


@AlwaysNext.named("a write that is done is shown where it was made")
def shown_after_write(before: World[Copy], after: World[Copy]) -> Reason:
    """A client that writes at a replica sees its own write there."""
    for call in after.calls:
        old = before.call(call.client)
        if old == call or not isinstance(call.body, Write) or not isinstance(call.reply, Done):
            continue
        if call.body.value is not None and call.body.value not in after[call.to].has.shown:
            return f"{call.client} wrote {call.body.value} at {call.to}, was told done, and {call.to} does not show it"
    return None


MERGING: tuple[Property, ...] = (dots_once, all_equal, shown_after_write)


@AtRest.named("at rest a set shows what was added and not removed")
def as_asked(world: World[Copy]) -> Reason:
    """By the last operations of its clients."""
    ended = [call for call in world.calls if is_done(call)]
    removed = {call.body.value for call in ended if isinstance(call.body, Remove)}
    added = {call.body.value for call in ended if isinstance(call.body, Write)}
    for copy in world.processes:
        lacks, extra = sorted(added - removed - {*copy.has.shown}), sorted(removed - added & {*copy.has.shown})
        if lacks or extra:
            wrong = f"lacks {lacks[0]}" if lacks else f"still shows {extra[0]}"
            return f"all is quiet, {names(added)} was added, {names(removed)} removed, and {copy.id} {wrong}"
    return None


@Along.named("a counter never shows more than was counted", lambda world: 0)
def never_more(counts: int, step: Transition) -> int | Broken:
    counts += isinstance(step.event, Request) and type(step.event.body).__name__ == "Count"
    most = max(int(copy.has.shown[0]) for copy in step.after.processes)
    return Broken(f"{most} is shown, and only {counts} were counted") if most > counts else counts


@Always.named("one client leaves at most one sibling")
def few_siblings(world: World[Copy]) -> Reason:
    for copy in world.processes:
        if len(copy.has.shown) > max(1, len(world.calls)):
            clients = names(call.client for call in world.calls)
            return f"{copy.id} has {names(copy.has.shown)}: more siblings than clients ({clients})"
    return None


# Quorums


@AtRest.named("at rest every replica has the last acknowledged write")
def everywhere(world: World[Any]) -> Reason:
    """Of a world with one writer."""
    for call in world.calls:
        if isinstance(call.body, Write) and is_done(call):
            for keeper in world.processes:
                if keeper.id in keeper.replicas and keeper.version.value != (call.body.value or ""):
                    value, holds = call.body.value or "nothing", keeper.version.value or "nothing"
                    return f"{call.client} wrote {value}, was told done, all is quiet, and {keeper.id} has {holds}"
    return None


# Trees


@Always.named("equal roots mean equal rows")
def honest_trees(world: World[Shelf]) -> Reason:
    one, other = world.processes
    lies = one.tree().root == other.tree().root and one.rows != other.rows
    return (
        f"the roots are equal, and the rows differ: {one.id} has {names(f'{key}: {row}' for key, row in one.rows)}"
        if lies
        else None
    )


@Along.named("a removed key does not come back", lambda world: frozenset())
def no_undead(gone: frozenset[tuple[str, str]], step: Transition) -> frozenset[tuple[str, str]] | Broken:
    """The memory: which replica has heard that which key is removed, since the key's last write."""
    if isinstance(step.event, Request) and isinstance(put := step.event.body, Put) and put.value:
        gone -= {each for each in gone if each[1] == put.key}
    for before, after in zip(step.before.processes, step.after.processes, strict=True):
        for key, row in sorted({*after.rows} - {*before.rows}):
            if row.value and (after.id, key) in gone:
                return Broken(f"{after.id} knew that {key} was removed, and has it again")
            gone |= {(after.id, key)} if not row.value else frozenset()
    return gone


TREES: tuple[Property, ...] = (honest_trees, no_undead)
