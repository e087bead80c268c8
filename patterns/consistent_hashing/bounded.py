"""Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): at most c times the mean, rounded up.

placed = bounded_loads(ring, keys, balance=1.25)      every key to the first node clockwise that has room
placed.loads, placed.owners["Europe/Paris"], placed.forwarded
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil, inf
from typing import NamedTuple

from patterns.engine.arguments import listed, require_instance

from .errors import RouterError
from .ring import Ring


class Assignment(NamedTuple):
    """Where keys went under bounded loads."""

    owners: Mapping[str, str]
    """The node of each key, in the order in which the keys came."""
    loads: Mapping[str, int]
    """How many keys each node has."""
    capacities: Mapping[str, int]
    """How many keys each node may have."""
    forwarded: tuple[str, ...]
    """The keys whose first node had no room."""


def capacities(ring: Ring, keys: int, balance: float = 1.25) -> dict[str, int]:
    """How many of `keys` keys each node may have: its share by weight times `balance`, rounded up (section 1.1).

    `balance` is the c = 1 + epsilon of the paper: near 1 loads are even and many keys are forwarded, a large one is the
    plain ring. Raises RouterError if it is not a finite number above 1, or `keys` is not a whole number from 0.
    """
    require_instance("ring", ring, Ring)
    if not isinstance(balance, int | float) or not 1 < balance < inf:
        raise RouterError(f"balance is {balance!r}; it is a number above 1: the fullest node's load over the mean")
    if not isinstance(keys, int) or isinstance(keys, bool) or keys < 0:
        raise RouterError(f"keys is {keys!r}; it is a number of keys, at least 0")
    # decimals are exact as they are written: in floats, 1.1 * 100 / 10 is above 11
    weights = {node.name: Fraction(str(node.weight)) for node in ring.nodes}
    total = sum(weights.values())
    return {name: ceil(Fraction(str(balance)) * keys * weight / total) for name, weight in weights.items()}


def place_bounded(ring: Ring, key: str, loads: Mapping[str, int], limits: Mapping[str, int]) -> str:
    """The node for one more key: the first clockwise whose load is below its limit.

    A load balancer does this for each request: the ring decides, unless that node has its share already. Raises
    RouterError if every node with a point is full.
    """
    start, points = ring.first_point(ring.position_of(key)), len(ring.owners)
    for at in range(start, start + points):
        name = ring.owners[at % points]
        if loads.get(name, 0) < limits[name]:
            return name
    raise RouterError(f"key {key!r} finds every node at its limit: {dict(limits)}")


def bounded_loads(ring: Ring, keys: Iterable[str], balance: float = 1.25) -> Assignment:
    """Place `keys` one after the other, each on the first node clockwise with room. Given twice, a key counts once."""
    each = dict.fromkeys(listed("keys", keys, "a list of keys"))
    limits = capacities(ring, len(each), balance)
    loads, owners = dict.fromkeys(ring.names, 0), {}
    for key in each:
        owners[key] = place_bounded(ring, key, loads, limits)
        loads[owners[key]] += 1
    forwarded = tuple(key for key, owner in owners.items() if owner != ring.lookup(key))
    return Assignment(owners, loads, limits, forwarded)


def peak_to_mean(loads: Mapping[str, int]) -> float:
    """The fullest node's load over the mean: 1 is perfectly even."""
    require_instance("loads", loads, Mapping)
    if not any(loads.values()):
        raise RouterError("loads has no keys; there is no mean to compare with")
    return max(loads.values()) * len(loads) / sum(loads.values())
