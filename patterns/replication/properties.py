"""What must hold of each way of replication."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from patterns.engine.properties import (
    Along,
    Always,
    AlwaysNext,
    AtRest,
    Broken,
    NeverTwice,
    Property,
    Reason,
    Sometimes,
    Transition,
)
from patterns.engine.sentences import names
from patterns.engine.step import Note
from patterns.engine.world import Request, World

from .chain import Link
from .client import Done, Remove, Write, is_done, one_copy
from .configuration import SERVICE
from .merging import Copy
from .merkle import Shelf
from .primary import Replica
from .versions import Dotted, Tombstones

# Acknowledged writes

Values = frozenset[str]


def _acknowledged(before: World, after: World) -> Values:
    """The values of the writes that were acknowledged in this step."""
    if after.calls is before.calls:
        return frozenset()
    return frozenset(
        call.body.value
        for call in after.calls
        if is_done(call) and isinstance(call.body, Write) and before.call(call.client) != call
    )


def members(world: World[Any]) -> tuple[str, ...]:
    """The in-sync set, or the chain, by the note on the fridge."""
    found: tuple[str, ...] = world[SERVICE].members
    return found


def values_of(process: Replica | Link) -> Values:
    log = process.log if isinstance(process, Replica) else process.hist
    return frozenset(entry.value for entry in log if entry.value is not None)


def _has_all(name: str, who: Callable[[World[Any]], tuple[str, ...]]) -> Along:
    """These replicas have every acknowledged write in their logs, on a disk that may be down."""

    def follow(known: Values, step: Transition) -> Values | Broken:
        known |= _acknowledged(step.before, step.after)
        for each in who(step.after):
            if gone := known - values_of(step.after[each]):
                return Broken(f"{names(sorted(gone))} was acknowledged, and {each} has no such entry")
        return known

    return Along(name, lambda world: frozenset(), follow)


kept = _has_all("an acknowledged write is in the log of every member of the set", members)
"""What the in-sync set promises (PacificA 2.2)."""
survives = _has_all("the primary has every acknowledged write", lambda world: members(world)[:1])
"""What is broken where an acknowledged write is gone."""


def _split(world: World[Any]) -> Reason:
    leaders: dict[int, str] = {}
    for process in world.processes:
        if isinstance(process, Replica) and process.leads:
            other = leaders.setdefault(process.epoch, process.id)
            if other != process.id:
                return f"{other} and {process.id} both lead epoch {process.epoch}"
    return None


one_primary = Always("at most one primary in an epoch", _split)


PRIMARY: tuple[Property, ...] = (kept, one_primary, one_copy)

# The chain: the two invariants of the paper (section 3)


def _pairs(world: World[Any]) -> list[tuple[Link, Link]]:
    """Neighbours in the chain that are up and have each other's history."""
    links = [world[name] for name in members(world)]
    return [(a, b) for a, b in pairwise(link for link in links if link.id not in world.down) if b.ready]


def _not_prefix(world: World[Any]) -> Reason:
    for before, after in _pairs(world):
        if before.hist[: len(after.hist)] != after.hist:
            return f"{after.id} has {names(after.hist)}, and its predecessor {before.id} has {names(before.hist)}"
    return None


update_propagation = Always("Update Propagation: a successor's Hist is a prefix of its predecessor's", _not_prefix)


def _not_in_process(world: World[Any]) -> Reason:
    for before, after in _pairs(world):
        if before.acked > len(after.hist):
            return (
                f"{before.id} has crossed off {names(before.hist[len(after.hist) : before.acked])}, {after.id} lacks it"
            )
    return None


inprocess_requests = Always("Inprocess Requests: Hist is the successor's Hist and what is in Sent", _not_in_process)


def _unanswered(world: World[Any]) -> Reason:
    live = [world[name] for name in members(world) if name not in world.down]
    if len(live) < len(members(world)) or any(link.epoch != world[SERVICE].epoch for link in live):
        return None  # the crash is not noticed yet
    for link in live:
        if link.sent:
            return f"nothing is left to happen, and {link.id} still has {names(link.sent)} in Sent"
    for call in world.calls:
        if call.waits and any((e.client, e.serial) == (call.client, call.body.serial) for e in live[-1].hist):
            return f"nothing is left to happen, {live[-1].id} has {call.client}'s update, and {call.client} still waits"
    return None


all_processed = AtRest("at rest every update is processed and answered", _unanswered)

CHAIN: tuple[Property, ...] = (update_propagation, inprocess_requests, all_processed, one_copy)

# Merging


def _dots(world: World[Copy], notes: tuple[Note, ...]) -> Iterable[tuple[Any, Any]]:
    for copy in world.processes:
        if isinstance(copy.has, Dotted):
            yield from copy.has.entries
        elif isinstance(copy.has, Tombstones):
            yield from copy.has.added_dots


dots_once = NeverTwice("no dot is given twice", _dots)


def _apart(world: World[Copy]) -> Reason:
    shown = {copy.id: copy.has.shown for copy in world.processes}
    if len({*shown.values()}) > 1 and not world.down and not world.cuts:
        return (
            f"nothing is left to happen, and they show {', '.join(f'{who}: {names(of)}' for who, of in shown.items())}"
        )
    return None


all_equal = AtRest("at rest all replicas show the same", _apart)


def _dropped(before: World[Copy], after: World[Copy]) -> Reason:
    """A client that writes at a replica sees its own write there."""
    for call in after.calls:
        old = before.call(call.client)
        if old == call or not isinstance(call.body, Write) or not isinstance(call.reply, Done):
            continue
        if call.body.value is not None and call.body.value not in after[call.to].has.shown:
            return f"{call.client} wrote {call.body.value} at {call.to}, was told done, and {call.to} does not show it"
    return None


shown_after_write = AlwaysNext("a write that is done is shown where it was made", _dropped)
MERGING: tuple[Property, ...] = (dots_once, all_equal, shown_after_write)


def _removed_returns(gone: frozenset[Any], step: Transition) -> Any:
    """The memory: the dots that a replica has removed or replaced. They never show again there."""
    for before, after in zip(step.before.processes, step.after.processes, strict=True):
        if after is before or before.life != after.life:
            continue
        was, now = _living(before), _living(after)
        gone |= {(after.id, entry) for entry in was - now}
        back = sorted(entry[1] for entry in now if (after.id, entry) in gone)
        if back:
            return Broken(f"{back[0]} was removed at {after.id}, and is back without being added again")
    return gone


def _living(copy: Copy) -> frozenset[Any]:
    if isinstance(copy.has, Tombstones):
        return copy.has.added_dots - copy.has.removed_dots
    return copy.has.entries if isinstance(copy.has, Dotted) else frozenset()


stays_removed = Along("a removed entry does not come back by itself", lambda world: frozenset(), _removed_returns)


def _add_lost(world: World[Copy]) -> Reason:
    """Of a set: the last item that each client added, if no client has removed it."""
    removed = {call.body.value for call in world.calls if isinstance(call.body, Remove)}
    for call in world.calls:
        if isinstance(call.body, Write) and is_done(call) and call.body.value not in removed:
            for copy in world.processes:
                if call.body.value not in copy.has.shown:
                    return f"{call.client} added {call.body.value}, nobody removed it, all is quiet, {copy.id} lacks it"
    return None


adds_stay = AtRest("at rest an item that was added and not removed is shown", _add_lost)


def _overcounted(counts: int, step: Transition) -> int | Broken:
    counts += isinstance(step.event, Request) and type(step.event.body).__name__ == "Count"
    most = max(int(copy.has.shown[0]) for copy in step.after.processes)
    return Broken(f"{most} is shown, and only {counts} were counted") if most > counts else counts


never_more = Along("a counter never shows more than was counted", lambda world: 0, _overcounted)


def _crowd(world: World[Copy]) -> Reason:
    clients = len(world.calls)
    for copy in world.processes:
        if len(copy.has.shown) > max(1, clients):
            return f"{copy.id} has {len(copy.has.shown)} siblings, {names(copy.has.shown)}, from {clients} clients"
    return None


few_siblings = Always("one client leaves at most one sibling", _crowd)

# Quorums


def _missing(world: World[Any]) -> Reason:
    """Of a world with one writer."""
    for call in world.calls:
        if isinstance(call.body, Write) and is_done(call):
            for keeper in world.processes:
                if keeper.id in keeper.replicas and keeper.version.value != call.body.value:
                    value, holds = call.body.value or "nothing", keeper.version.value or "nothing"
                    return f"{call.client} wrote {value}, was told done, all is quiet, and {keeper.id} has {holds}"
    return None


everywhere = AtRest("at rest every replica has the last acknowledged write", _missing)
hints_home = Sometimes("every hint is home", lambda world: not any(keeper.hints for keeper in world.processes))

# Trees


def _tree_lies(world: World[Shelf]) -> Reason:
    one, other = world.processes
    if one.tree().root == other.tree().root and one.rows != other.rows:
        differ = [
            key for key in sorted({*one.rows.names, *other.rows.names}) if one.rows.get(key) != other.rows.get(key)
        ]
        return f"the roots are equal, and {names(differ)} differ"
    return None


honest_trees = Always("equal roots mean equal rows", _tree_lies)


def _undead(gone: frozenset[str], step: Transition) -> frozenset[str] | Broken:
    """The memory: the keys whose last write removed them."""
    if isinstance(step.event, Request) and hasattr(step.event.body, "value"):
        key = step.event.body.key
        gone = gone | {key} if step.event.body.value is None else gone - {key}
    for before, after in zip(step.before.processes, step.after.processes, strict=True):
        for key in gone if after is not before else ():
            was, now = before.rows.get(key), after.rows.get(key)
            if now is not None and now.value is not None and (was is None or was.value is None):
                return Broken(f"{key} was removed, and {after.id} has it again")
    return gone


no_undead = Along("a removed key does not come back", lambda world: frozenset(), _undead)
TREES: tuple[Property, ...] = (honest_trees, no_undead)
