"""What must always hold of a cache tier. Each is defined here anew, and does not ask the code that it checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from patterns.engine.properties import Always, AlwaysNext, Property, Reason

from .placement import Node
from .ring import Ring
from .router import Router
from .state import Tier, home_table


class RouterMaker(Protocol):
    """What the properties need of a tier."""

    def router_of(self, nodes: Sequence[Node]) -> Router: ...


def owner_is_first_clockwise(state: Tier) -> Reason:
    """On a ring, no point of another node lies between a key and its owner's nearest point."""
    ring = state.router
    if not isinstance(ring, Ring) or not state.keys:
        return None
    keys = state.keys[: max(1, 2_000_000 // len(ring.positions))]  # a crowded ring: as many keys as fit in a blink
    mask = np.uint64(ring.placement.size - 1)
    distances = (ring.positions[None, :] - ring.positions_of(keys)[:, None]) & mask
    table, place = state.home_table(), {name: at for at, name in enumerate(ring.names)}
    owners = np.array([place[table[key][0]] for key in keys])
    to_owner = np.where(ring.owners[None, :] == owners[:, None], distances, mask).min(axis=1)
    wrong = np.flatnonzero(to_owner != distances.min(axis=1))
    if not wrong.size:
        return None
    row = int(wrong[0])
    first = ring.names[ring.owners[distances[row].argmin()]]
    return f"{keys[row]} goes to {ring.names[owners[row]]}, but the first point clockwise from it is of {first}"


def only_keys_of_the_changed_node_move(before: Tier, after: Tier) -> Reason:
    """When one node joins, leaves or changes weight, each key that moves goes to it or comes from it."""
    changed = {node.name for node in set(before.router.nodes) ^ set(after.router.nodes)}
    if not changed:
        return None
    old, new = before.home_table(), after.home_table()
    wrong = [
        (key, old[key][0], new[key][0])
        for key in before.keys
        if old[key][0] != new[key][0] and not {old[key][0], new[key][0]} & changed
    ]
    if not wrong:
        return None
    key, giver, taker = wrong[0]
    return f"{len(wrong)} keys move between other nodes, {key} from {giver} to {taker}"


def copies_are_on_distinct_nodes(state: Tier) -> Reason:
    """A key's copies are on as many machines as asked for, or on all there are."""
    lists = dict(state.home_table())
    wanted = min(state.copies, len(state.router.nodes))
    for key, homes in lists.items():
        if len(set(homes)) < wanted:
            return f"the {wanted} copies of {key} are on {', '.join(homes)}"
    walk = state.walk
    if walk is not None and len(set(walk.chosen)) < len(walk.chosen):
        return f"the walk for {state.looked} has chosen {', '.join(walk.chosen)}"
    return None


def racks_are_used_in_turn(state: Tier) -> Reason:
    """No rack has two copies of a key while another rack has none. A node that names no rack is one by itself."""
    rack = {node.name: node.rack or f" {node.name}" for node in state.router.nodes}
    racks = len(set(rack.values()))
    for key, homes in state.home_table().items():
        used = {rack[home] for home in homes}
        if len(used) < min(racks, len(homes)):
            return f"the copies of {key} are on {', '.join(homes)}, in {len(used)} of {racks} racks"
    return None


def caches_hold_only_their_own(state: Tier) -> Reason:
    """A cache holds no key that another node is asked for: such a copy would grow stale unseen."""
    table = state.home_table()
    for name, held in state.held:
        for key in sorted(held):
            if name not in table[key]:
                return f"{name} holds {key}, which is asked for on {', '.join(table[key])}"
    return None


def routers_agree(router_of: Callable[[Sequence[Node]], Router]) -> Callable[[Tier], Reason]:
    """Two routers that know the same nodes send every key to the same node, whatever order they learned them in."""

    def wrong(state: Tier) -> Reason:
        learned = [state.router.node(name) for name in state.joined]
        one = home_table(router_of(learned), state.keys, 1)
        other = home_table(router_of(learned[::-1]), state.keys, 1)
        for key in state.keys:
            if one[key] != other[key]:
                order = ", ".join(state.joined)
                return f"a router that learned {order} sends {key} to {one[key][0]}, the reverse one to {other[key][0]}"
        return None

    return wrong


def tier_properties(tier: RouterMaker) -> tuple[Property, ...]:
    """The invariants of a tier, in the order they are shown. A circle and copies are the ring's alone."""
    is_ring = isinstance(tier.router_of(()), Ring)
    circle = Always("a key's owner is the first point clockwise", owner_is_first_clockwise)
    every = (
        AlwaysNext("a change moves only keys to or from the changed node", only_keys_of_the_changed_node_move),
        Always("routers agree, whatever order they learned the nodes in", routers_agree(tier.router_of)),
        Always("a cache holds only keys it is asked for", caches_hold_only_their_own),
    )
    copies = (
        Always("copies are on distinct nodes", copies_are_on_distinct_nodes),
        Always("no rack has two copies while another has none", racks_are_used_in_turn),
    )
    return (circle, *every, *copies) if is_ring else every
