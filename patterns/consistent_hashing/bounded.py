"""Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): no node above c times the mean.

placed = bounded_loads(ring, keys, balance=1.25)      every key to the first node clockwise that has room
placed.loads, placed.owners["Europe/Paris"], placed.forwarded
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, isfinite
from typing import NamedTuple

import numpy as np

from .errors import RouterError
from .ring import Ring


class Assignment(NamedTuple):
    """Where keys went under bounded loads."""

    owners: Mapping[str, str]
    """The node of each key, in the order the keys came."""
    loads: Mapping[str, int]
    """How many keys each node has."""
    capacities: Mapping[str, int]
    """How many keys each node may have."""
    forwarded: tuple[str, ...]
    """The keys whose first node had no room."""


def capacities(ring: Ring, keys: int, balance: float = 1.25) -> dict[str, int]:
    """How many of `keys` keys each node may have: its share by weight times `balance`, rounded up (section 1.1).

    `balance` is the c = 1 + epsilon of the paper: near 1 it is even and much is forwarded, large it is the plain ring.
    Raises RouterError when it is not above 1 and finite.
    """
    if not isfinite(balance) or balance <= 1:
        raise RouterError(f"balance is {balance!r}; it is above 1: the fullest node's load over the mean")
    if keys < 0:
        raise RouterError(f"keys is {keys!r}; it is a number of keys")
    total = sum(node.weight for node in ring.nodes)
    return {node.name: ceil(balance * keys * node.weight / total) for node in ring.nodes}


def place_bounded(ring: Ring, key: str, loads: Mapping[str, int], limits: Mapping[str, int]) -> str:
    """The node for one more key: the first clockwise whose load is below its limit.

    This is what a load balancer does for a request: the ring decides, unless that node has its share already. Raises
    RouterError when all are full.
    """
    for name in ring.clockwise(key):
        if loads.get(name, 0) < limits[name]:
            return name
    raise RouterError(f"key {key!r} finds every node at its limit: {dict(limits)}")


def bounded_loads(ring: Ring, keys: Iterable[str], balance: float = 1.25) -> Assignment:
    """Place `keys` one after the other, each on the first node clockwise with room. Given twice, a key counts once."""
    listed = list(dict.fromkeys(keys))
    limits = capacities(ring, len(listed), balance)
    names, owners = ring.names, ring.owners.tolist()
    limit = [limits[name] for name in names]
    load, found, forwarded = [0] * len(names), {}, []
    starts = ring.points_at(ring.positions_of(listed)).tolist() if listed else []
    for key, at in zip(listed, starts, strict=True):
        owner = owners[at]
        if load[owner] >= limit[owner]:
            forwarded.append(key)
            while load[owner] >= limit[owner]:
                at = at + 1 if at + 1 < len(owners) else ring.after_last()
                owner = owners[at]
        load[owner] += 1
        found[key] = names[owner]
    return Assignment(found, dict(zip(names, load, strict=True)), limits, tuple(forwarded))


def peak_to_mean(loads: Mapping[str, int]) -> float:
    """The fullest node's load over the mean: 1 is perfectly even."""
    values = np.fromiter(loads.values(), np.float64, len(loads))
    if not values.sum():
        raise RouterError("loads has no keys; there is no mean to compare with")
    return float(np.max(values) / np.mean(values))
