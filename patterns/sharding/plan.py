"""A planner: which shards to move so that machines are evenly full. The whole is planned before anything moves.

The rule is that of Citus (`rebalance_table_shards`, by size): take the heaviest shard that helps, from the fullest
machine to the emptiest. A move must pay, so a plan ends, and a second run right after it finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from math import inf
from typing import NamedTuple

# Shard -> its machine, and its weight: operations, bytes, or 1.
Load = Mapping[str, tuple[str, float]]
# Machine -> its capacity. A machine of capacity 0 is drained: it gives all its shards away and takes none.
Machines = Mapping[str, float]


class Move(NamedTuple):
    """A shard goes from one machine to another."""

    shard: str
    giver: str
    taker: str


def totals(load: Load, machines: Machines) -> dict[str, float]:
    """The weight on each machine."""
    weights = dict.fromkeys(machines, 0.0)
    for machine, weight in load.values():
        weights[machine] += weight
    return weights


def _full(weight: float, capacity: float) -> float:
    return weight / capacity if capacity else inf


class Planner:
    """Plans moves. Raises ValueError for a shard on an unknown machine, a negative number, or no room at all."""

    def pays(self, weight: float, giver: float, taker: float, room: tuple[float, float]) -> bool:
        """Whether a move pays: the fuller of the two machines gets emptier, or as full and the other one better.

        `giver` and `taker` are the weights on the two machines, `room` their capacities. A drained machine gives all.
        """
        if not room[0] or not weight:
            return not room[0]
        before, after = _full(giver, room[0]), _full(taker + weight, room[1])
        if after != before:
            return after < before
        return _full(giver - weight, room[0]) > _full(taker, room[1])

    def plan(self, load: Load, machines: Machines, threshold: float = 0.0) -> list[Move]:
        """The moves, in order. Machines that are within `threshold` of the average fill are left alone.

        The threshold is a part of the average: 0.1 leaves machines between 90 % and 110 % of it.
        """
        _check(load, machines, threshold)
        moves: list[Move] = []
        while (move := self.next(load, machines, threshold)) and len(moves) <= len(load) ** 2:
            moves.append(move)
            load = moved(load, [move])
        return moves

    def next(self, load: Load, machines: Machines, threshold: float) -> Move | None:
        """The first move that is worth it: from the fullest machine, of the heaviest shard, to the emptiest machine."""
        weights = totals(load, machines)
        by_fill = sorted(machines, key=lambda name: (_full(weights[name], machines[name]), name))
        for giver in reversed(by_fill):
            mine = sorted((shard for shard in load if load[shard][0] == giver), key=lambda s: (-load[s][1], s))
            for shard, taker in product(mine, by_fill):
                if self.worth(load, machines, threshold, shard, taker):
                    return Move(shard, giver, taker)
        return None

    def worth(self, load: Load, machines: Machines, threshold: float, shard: str, taker: str) -> bool:
        """Whether a move pays, and leads away from a machine that is too full, or to one that is too empty."""
        weights, (giver, weight) = totals(load, machines), load[shard]
        room = (machines[giver], machines[taker])
        average = sum(weights.values()) / sum(machines.values())
        too_full = _full(weights[giver], room[0]) > average * (1 + threshold)
        too_empty = _full(weights[taker], room[1]) < average * (1 - threshold)
        pays = self.pays(weight, weights[giver], weights[taker], room)
        return taker != giver and room[1] > 0 and (too_full or too_empty) and pays


def plan(load: Load, machines: Machines, threshold: float = 0.0) -> list[Move]:
    """The moves that even out the machines, see `Planner`.

    >>> plan({"1": ("A", 1), "2": ("A", 1), "3": ("A", 1)}, {"A": 1, "B": 1})
    [Move(shard='1', giver='A', taker='B')]
    """
    return Planner().plan(load, machines, threshold)


def moved(load: Load, moves: Iterable[Move]) -> dict[str, tuple[str, float]]:
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
