"""Rings with one rule changed: each is a bug that was shipped somewhere."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any

from patterns.consistent_hashing.placement import Node
from patterns.consistent_hashing.properties import (
    copies_are_on_distinct_nodes,
    only_keys_of_the_changed_node_move,
    owner_is_first_clockwise,
    racks_are_used_in_turn,
    routers_agree,
)
from patterns.consistent_hashing.ring import Ring
from patterns.consistent_hashing.tier import CITIES, CacheTier
from patterns.engine.planted import Bug, RandomWorlds, Search
from patterns.engine.properties import Property

from .gallery import TWELVE

ANYTHING: Mapping[str, float] = dict.fromkeys(("look up", "read", "join", "leave", "crash"), 0.15)
"""How likely each kind of event is in random runs, instead of the usual one."""


class NoWrap(Ring):
    """The circle is cut open: a key behind the last point goes to that point, not on to the first."""

    def first_point(self, position: int) -> int:
        return min(bisect_left(self.positions, position), len(self.positions) - 1)


class StrictlyAfter(Ring):
    """A key at the very position of a point does not belong to that point, but to the next."""

    def first_point(self, position: int) -> int:
        return bisect_right(self.positions, position) % len(self.positions)


class InsertionOrderTies(Ring):
    """Of two points at one position, the node that was learned first wins: two routers can disagree."""

    @staticmethod
    def arrange(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return nodes


class NamedByNumber(Ring):
    """Points are named after the node's number, so a node that joins in the middle renames all that follow it."""

    def label(self, at: int) -> str:
        return f"node {at}"


class PointsNotNodes(Ring):
    """A preference list takes the next points, even if two of them belong to one machine."""

    def may_take(self, node: str, chosen: tuple[str, ...]) -> bool:
        return True


class RacksForgotten(Ring):
    """A preference list takes the next machines, even if one rack then has two copies and another none."""

    def rack_waits(self, node: str, chosen: tuple[str, ...]) -> bool:
        return False


def _bug(ring: type[Ring], breaks: Property, **tier: Any) -> Bug:
    return Bug(str(ring.__doc__), {"ring_type": ring}, *_looks(breaks, **tier))


def _looks(breaks: Property, **tier: Any) -> tuple[Search, Property, RandomWorlds]:
    """Every run of a small tier, the property, and long runs of a larger one."""
    small = {"nodes": "BC", "keys": ["k3", "k4", "k5"], "bits": 3, "vnodes": 2, "pool": "D", "weights": [1], **tier}
    large = CacheTier(**{**tier, "keys": CITIES[:20], "bits": 6, "vnodes": 4, "pool": "DE"})
    search = Search(CacheTier(**small), (breaks,))
    return search, breaks, RandomWorlds(large, (breaks,), range(20), 40, ANYTHING)


IN_RACKS = {"nodes": [["A", 1, "r1"], ["B", 1, "r1"], ["C", 1, "r2"]], "keys": ["k1", "k2", "k3"], "pool": "C"}
IN_ONE_RACK = {"nodes": [[name, 1, "rack 1"] for name in "ABC"], "keys": TWELVE, "bits": 0, "pool": ""}

BUGS: Mapping[str, Bug] = {
    "no wrap-around": _bug(NoWrap, owner_is_first_clockwise, bits=4),
    "off by one": _bug(StrictlyAfter, owner_is_first_clockwise),
    "ties by insertion order": _bug(InsertionOrderTies, routers_agree, nodes="AB", keys=["k0", "k1", "k2"], pool="C"),
    "points named by number": _bug(NamedByNumber, only_keys_of_the_changed_node_move),
    "two copies on one machine": _bug(PointsNotNodes, copies_are_on_distinct_nodes, **IN_ONE_RACK, copies=2),
    "two copies in one rack": _bug(RacksForgotten, racks_are_used_in_turn, **IN_RACKS, copies=2),
    "hash mod N": Bug(
        "A key goes to the machine whose number is its hash modulo the number of machines.",
        {"scheme": "modulo"},
        *_looks(only_keys_of_the_changed_node_move),
    ),
}
