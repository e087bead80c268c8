"""How a cache tier changes with its router, and how many keys that moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from patterns.engine.step import Note

from .placement import Node
from .ring import Ring, moves_between
from .router import KeyMove, Router
from .state import Joining, Outcome, Tier, home_table, modulo_moves


def changed(state: Tier, router: Router, kind: str, node: str) -> Tier:
    """The tier behind another router, and in `last` what moved.

    A cache drops the keys that it will not be asked for, so that no copy grows stale unseen. A join point by point is
    one change of many steps.
    """
    was, old, new = state.router, state.home_table(), home_table(router, state.keys, state.copies)
    moved = tuple(KeyMove(key, old[key][0], new[key][0]) for key in state.keys if old[key][0] != new[key][0])
    cached = state.cached()
    held = tuple((name, frozenset(key for key in cached.get(name, ()) if name in new[key])) for name in router.names)
    moves = moves_between(was, router) if isinstance(was, Ring) and isinstance(router, Ring) else ()
    whole = state.joining if state.joining and kind == "place" else Joining(Node(node), 0, 0, was.nodes)
    last = Outcome(
        kind=kind,
        node=node,
        moves=moves,
        moved=moved,
        all_moves=(*whole.moves, *moves),
        all_moved=(*whole.moved, *moved),
        ideal=ideal_moves(whole.before, router.nodes, len(state.keys)),
        modulo=modulo_moves(tuple(node.name for node in whole.before), router.names, state.keys),
    )
    return replace(state, router=router, held=held, walk=None, last=last)


def ideal_moves(before: Sequence[Node], after: Sequence[Node], keys: int) -> float:
    """How many keys must move for every node to have its share again: the sum of what the shares that grow grow by.

    For one node that joins N others of its weight this is K/(N+1) (Karger et al. 1997).
    """
    old_total, new_total = sum(node.weight for node in before), sum(node.weight for node in after)
    old = {node.name: node.weight / old_total for node in before}
    grown = sum(max(0.0, node.weight / new_total - old.get(node.name, 0.0)) for node in after)
    return keys * grown if before else 0.0  # all that were there before may have crashed since


def filled(state: Tier, keys: Iterable[str]) -> tuple[Tier, int]:
    """The tier with `keys` in the caches of all their homes, and how many of them their owner did not hold."""
    table, cached = state.home_table(), {name: set(held) for name, held in state.held}
    misses = 0
    for key in keys:
        misses += key not in cached[table[key][0]]
        for home in table[key]:
            cached[home].add(key)
    return replace(state, held=tuple((name, frozenset(held)) for name, held in cached.items())), misses


def copies_held(state: Tier) -> int:
    """How many copies all caches hold together."""
    return sum(len(keys) for _, keys in state.held)


def counted(rule: str, after: Tier, **values: Any) -> Note:
    """The note of a change: the node, the keys that moved, all keys, and these values."""
    return Note(rule, {"node": after.last.node, "moved": len(after.last.moved), "keys": len(after.keys), **values})


def accounts(before: Tier, after: Tier, whole: bool = True, lost: int = 0) -> list[Note]:
    """The copies that caches dropped and, once the change is whole, what it cost beside what it had to.

    `lost` copies went with a node that crashed: no cache dropped them.
    """
    last, dropped = after.last, copies_held(before) - copies_held(after) - lost
    notes = [Note("drop", {"dropped": dropped})] if dropped else []
    rule = "ideal-weight" if last.kind == "reweight" else "ideal"  # a weight is nothing to `hash mod N`
    return (
        [*notes, Note(rule, {"ideal": last.ideal, "modulo": last.modulo, "keys": len(after.keys)})] if whole else notes
    )
