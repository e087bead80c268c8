"""What must always hold of a cache tier. Each is defined here anew, and does not call the code that it checks."""

from __future__ import annotations

from patterns.engine.along import AlwaysNext
from patterns.engine.properties import Always, Property, Reason

from .ring import Ring
from .state import Tier, home_table


@Always.named("a key's owner is the first point clockwise")
def owner_is_first_clockwise(state: Tier) -> Reason:
    """On a ring, no point lies between a key and the point that owns it.

    It goes round the circle once, counter-clockwise from the top, past points and keys, and searches nothing.
    """
    if not isinstance(state.router, Ring):
        return None
    table, points = state.home_table(), list(state.points())
    ahead = points[0]  # past the top comes the first point
    for position, key in sorted(((state.position(key), key) for key in state.keys), reverse=True):
        while points and points[-1].position >= position:
            ahead = points.pop()
        if table[key][0] != ahead.node:
            return f"{key} goes to {table[key][0]}, but the first point clockwise from it is of {ahead.node}"
    return None


@AlwaysNext.named("keys move only to or from the changed node")
def only_keys_of_the_changed_node_move(before: Tier, after: Tier) -> Reason:
    """When one node joins, leaves or changes weight, each key that moves goes to it or comes from it."""
    changed = {node.name for node in set(before.router.nodes) ^ set(after.router.nodes)}
    old, new = before.home_table(), after.home_table()
    moved = [(key, old[key][0], new[key][0]) for key in before.keys if old[key][0] != new[key][0]]
    wrong = [move for move in moved if changed.isdisjoint(move[1:])]
    if not wrong:
        return None
    key, giver, taker = wrong[0]
    return f"keys that move between other nodes: {len(wrong)}, such as {key} from {giver} to {taker}"


@Always.named("copies are on distinct nodes")
def copies_are_on_distinct_nodes(state: Tier) -> Reason:
    """A key's copies are on as many machines as the tier keeps copies, or on all machines if there are fewer."""
    wanted = min(state.copies, len(state.router.nodes))
    for key, homes in state.home_table().items():
        if len(set(homes)) < wanted:
            return f"the {wanted} copies of {key} are on {', '.join(homes)}"
    walk = state.walk
    if walk is not None and len(set(walk.chosen)) < len(walk.chosen):
        return f"the walk for {state.looked} has chosen {', '.join(walk.chosen)}"
    return None


@Always.named("no rack has two copies while another has none")
def racks_are_used_in_turn(state: Tier) -> Reason:
    """No rack has two copies of a key while another rack has none. A node without one is a rack by itself."""
    rack = {node.name: node.rack or f" {node.name}" for node in state.router.nodes}
    racks = len(set(rack.values()))
    for key, homes in state.home_table().items():
        used = {rack[home] for home in homes}
        if len(used) < min(racks, len(homes)):
            return f"the copies of {key} are on {', '.join(homes)}, in {len(used)} of {racks} racks"
    return None


@Always.named("a cache holds only keys it is asked for")
def caches_hold_only_their_own(state: Tier) -> Reason:
    """A cache holds only keys that clients ask it for: another copy would grow stale unseen."""
    table = state.home_table()
    for name, held in state.held:
        for key in sorted(held):
            if name not in table[key]:
                return f"{name} holds {key}, which is asked for on {', '.join(table[key])}"
    return None


@Always.named("routers agree, whatever order they learned the nodes in")
def routers_agree(state: Tier) -> Reason:
    """Two routers that know the same nodes send every key to the same node, whatever order they learned them in."""
    learned = [state.router.node(name) for name in state.known if name in state.router.names]
    kind, options = type(state.router), state.router.options
    one = home_table(kind(learned, **options), state.keys, 1)
    other = home_table(kind(learned[::-1], **options), state.keys, 1)
    for key in state.keys:
        if one[key] != other[key]:
            order = ", ".join(node.name for node in learned)
            return f"a router that learned {order} sends {key} to {one[key][0]}, the reverse one to {other[key][0]}"
    return None


ALWAYS: tuple[Property, ...] = (
    owner_is_first_clockwise,
    only_keys_of_the_changed_node_move,
    routers_agree,
    caches_hold_only_their_own,
    copies_are_on_distinct_nodes,
    racks_are_used_in_turn,
)
"""The invariants of a tier on a ring, in the order they are shown."""
ALWAYS_ELSEWHERE: tuple[Property, ...] = (only_keys_of_the_changed_node_move, routers_agree, caches_hold_only_their_own)
"""Those of a tier of another scheme, which has no circle and one copy of each key."""
