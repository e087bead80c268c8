"""A planner: which shards to move so that machines are evenly full. The whole is planned before anything moves.

The rule is that of Citus (`rebalance_table_shards`, by size): take the heaviest shard that helps, from the fullest
machine to the emptiest. A move must pay, so a plan ends, and a second run right after it finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

Load = Mapping[str, tuple[str, float]]
"""Shard -> its machine, and its weight: operations, bytes, or 1."""
Machines = Mapping[str, float]
"""Machine -> its capacity. A machine of capacity 0 is drained: it gives all its shards away and takes none."""


class Move(NamedTuple):
    """A shard goes from one machine to another."""

    shard: str
    giver: str
    taker: str


def fill(load: Load, machines: Machines) -> dict[str, float]:
    """How full each machine is: the weight of its shards for each unit of capacity; a drained one is without limit."""
    weights = dict.fromkeys(machines, 0.0)
    for machine, weight in load.values():
        weights[machine] += weight
    return {name: _full(weights[name], capacity) for name, capacity in machines.items()}


def pays(weight: float, giver: float, taker: float, room: tuple[float, float]) -> bool:
    """Whether the move of a shard pays: the fuller of the two machines gets emptier, or as full and the other better.

    `giver` and `taker` are the weights on the two machines, `room` their capacities. A drained machine gives all away.
    """
    if not room[0] or not weight:
        return not room[0]
    before, after = _full(giver, room[0]), _full(taker + weight, room[1])
    if after != before:
        return after < before
    return _full(giver - weight, room[0]) > _full(taker, room[1])


def _full(weight: float, capacity: float) -> float:
    return weight / capacity if capacity else inf


class Planner:
    """Plans moves. Raises ValueError for a shard on an unknown machine, a negative number, or no room at all."""

    def pays(self, weight: float, giver: float, taker: float, room: tuple[float, float]) -> bool:
        return pays(weight, giver, taker, room)

    def plan(self, load: Load, machines: Machines, threshold: float = 0.0) -> list[Move]:
        """The moves, in order. A pair of machines within `threshold` of the average fill is left alone.

        The threshold is a part of the average: 0.1 leaves machines between 90 % and 110 % of it.
        """
        _check(load, machines, threshold)
        where = {shard: machine for shard, (machine, _) in load.items()}
        weights = dict.fromkeys(machines, 0.0)
        for machine, weight in load.values():
            weights[machine] += weight
        average = sum(weights.values()) / (sum(machines.values()) or 1)
        low, high = average * (1 - threshold), average * (1 + threshold)
        moves: list[Move] = []
        while (move := self._next(load, where, weights, machines, low, high)) and len(moves) < 10 * len(load):
            moves.append(move)
            where[move.shard] = move.taker
            weights[move.giver] -= load[move.shard][1]
            weights[move.taker] += load[move.shard][1]
        return moves

    def _next(
        self,
        load: Load,
        where: Mapping[str, str],
        weights: Mapping[str, float],
        machines: Machines,
        low: float,
        high: float,
    ) -> Move | None:
        full = {name: _full(weights[name], machines[name]) for name in machines}
        takers = sorted((name for name in machines if machines[name]), key=lambda name: (full[name], name))
        for giver in sorted(machines, key=lambda name: (-full[name], name)):
            shards = sorted((s for s in load if where[s] == giver), key=lambda shard: (-load[shard][1], shard))
            for shard in shards:
                for taker in takers:
                    if taker == giver or (full[giver] <= high and full[taker] >= low):
                        continue
                    room = (machines[giver], machines[taker])
                    if self.pays(load[shard][1], weights[giver], weights[taker], room):
                        return Move(shard, giver, taker)
        return None


def plan(load: Load, machines: Machines, threshold: float = 0.0) -> list[Move]:
    """The moves that even out the machines, see `Planner`.

    >>> plan({"1": ("A", 1), "2": ("A", 1), "3": ("A", 1)}, {"A": 1, "B": 1})
    [Move(shard='1', giver='A', taker='B')]
    """
    return Planner().plan(load, machines, threshold)


def moved(load: Load, moves: list[Move]) -> dict[str, tuple[str, float]]:
    """The load after these moves."""
    taken = {move.shard: move.taker for move in moves}
    return {shard: (taken.get(shard, machine), weight) for shard, (machine, weight) in load.items()}


def fewest_moves(counts: Mapping[str, int], machines: Machines) -> int:
    """The lower bound for equal shards: each machine above its even share must give the rest away.

    The shares differ by at most 1; the fullest machines keep the greater ones. Capacities are equal, or 0.
    """
    open = [name for name in machines if machines[name]]
    share, rest = divmod(sum(counts.values()), len(open))
    fullest = sorted(open, key=lambda name: -counts[name])
    kept = {name: share + (at < rest) for at, name in enumerate(fullest)}
    return sum(max(0, count - kept.get(name, 0)) for name, count in counts.items())


def _check(load: Load, machines: Machines, threshold: float) -> None:
    for shard, (machine, weight) in load.items():
        if machine not in machines:
            raise ValueError(f"load[{shard!r}] is on {machine!r}; the machines are {', '.join(machines)}")
        if weight < 0:
            raise ValueError(f"load[{shard!r}] has weight {weight}; allowed is 0 or more")
    if min(machines.values(), default=0) < 0 or not any(machines.values()):
        raise ValueError(f"machines are {dict(machines)}; allowed are capacities of at least 0, one of them above 0")
    if threshold < 0:
        raise ValueError(f"threshold is {threshold}; allowed is 0 or more")
