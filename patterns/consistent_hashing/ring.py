"""The ring of consistent hashing as an immutable value (Karger et al. 1997; Dynamo, DeCandia et al. 2007, 4.2, 6.2).

ring = Ring(["A", "B", "C"])                the three nodes have 160 points each on a circle of 2^64 positions
ring.lookup("Europe/Paris")                 the owner: the node of the first point clockwise from the key
ring.preference_list("Europe/Paris", 2)     the first 2 distinct nodes clockwise, in distinct racks if possible
moves_between(ring, ring.including("D"))    which ranges of positions change hands when D joins

`FastRing` (fast.py) is the same ring for many keys at once, in arrays.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple, TypeVar

from .errors import NoNodes, RouterError
from .hashes import encoded
from .placement import Node, Placement
from .router import Router

T = TypeVar("T")


class Point(NamedTuple):
    """A virtual node: the point `number`, from 0, of a node. No two points have the same (node, number).

    `turn` is the position as a part of the whole circle, from 0 up to 1.
    """

    node: str
    number: int
    position: int
    turn: float


class Arc(NamedTuple):
    """The positions after `start` up to and including `end`, clockwise, belong to `owner`."""

    start: int
    end: int
    owner: str


class Move(NamedTuple):
    """The positions after `start` up to and including `end`, clockwise, change hands. Equal ends: the whole circle."""

    start: int
    end: int
    giver: str
    taker: str

    def holds(self, position: int) -> bool:
        """Whether `position` lies in the range."""
        if self.start < self.end:
            return self.start < position <= self.end
        return position > self.start or position <= self.end


class Walk(NamedTuple):
    """A walk clockwise that collects nodes for a key; each step of it is a value (Dynamo 4.3, 4.6)."""

    position: int
    """Where it began: the key's position."""
    wanted: int
    """How many different nodes it collects."""
    visits: tuple[tuple[int, str], ...] = ()
    """The points that it has come to: (index into `ring.points`, `taken`, `same node` or `same rack`)."""
    chosen: tuple[str, ...] = ()
    """The nodes collected, in order; the first is the owner."""
    aside: tuple[str, ...] = ()
    """Nodes passed over because a node of their rack is chosen; they follow once every rack has a chosen node."""
    done: bool = False


class Ring(Router):
    """Points of the nodes on a circle; a key belongs to the first point clockwise from it, itself included.

    Points at one position stand in the order of their nodes' names, so that the ring is the same in whatever order its
    nodes came.
    """

    scheme: ClassVar[str] = "ring"

    def __init__(self, nodes: Iterable[Node | str] = (), placement: Placement | None = None) -> None:
        super().__init__(nodes)
        self.placement = Placement() if placement is None else placement
        self.counts = self.placement.counts(self.nodes)

    @property
    def options(self) -> dict[str, Any]:
        return {"placement": self.placement}

    # the points

    def label(self, at: int) -> str:
        """Points are named after their node, not after its number, which changes when other nodes come and go."""
        return self.nodes[at].name

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every point of every node, in order round the circle."""
        placed = [
            (position, at, number)
            for at, count in enumerate(self.counts)
            for number, position in enumerate(drawn(self.placement, self.label(at), count))
        ]
        names, size = self.names, self.placement.size
        return tuple([Point(names[at], number, spot, spot / size) for spot, at, number in sorted(placed)])

    @cached_property
    def positions(self) -> list[int]:
        """The position of each point. Raises NoNodes if there is no point."""
        self.require_points()
        return [point.position for point in self.points]

    @cached_property
    def owners(self) -> list[str]:
        """The node of each point."""
        return [point.node for point in self.points]

    def require_points(self) -> None:
        """Raises NoNodes if no node has a point."""
        self.require_nodes()
        if not any(self.counts):
            raise NoNodes("no node has a point on the ring: every weight is too small for this placement")

    def position_of(self, key: str) -> int:
        """Where a key stands on the circle."""
        return self.placement.position(encoded(key))

    def turn(self, position: int) -> float:
        """A position as a part of the whole circle, from 0 up to 1."""
        return position / self.placement.size

    # which node

    def lookup(self, key: str) -> str:
        return self.owners[self.first_point(self.position_of(key))]

    def owner_at(self, position: int) -> str:
        """The node that owns a position."""
        return self.owners[self.first_point(position)]

    def first_point(self, position: int) -> int:
        """The first point at `position` or clockwise from it, an index into `points` (Karger et al. 1997; Dynamo 4.2).

        A binary search finds it in log2(points) looks. Clockwise after the last point comes the first: the circle is
        closed (Chord 2001, 4).
        """
        at = bisect_left(self.positions, position)
        return at if at < len(self.positions) else 0

    # several nodes

    def preference_list(self, key: str, n: int) -> tuple[str, ...]:
        """The first `n` distinct nodes clockwise from the key; the first is its owner (Dynamo 4.3).

        If nodes have racks, every rack is used once before any is used twice; the nodes passed over for that come next,
        in the order they were passed. Raises RouterError if `n` is below 1 or above the number of nodes.
        """
        walk = self.begin(key, n)
        while not walk.done:
            walk = self.advance(walk)
        return walk.chosen

    def may_take(self, node: str, chosen: tuple[str, ...]) -> bool:
        """A preference list is of distinct nodes: further points of a chosen node are skipped (Dynamo 4.3)."""
        return node not in chosen

    def rack_waits(self, node: str, chosen: tuple[str, ...]) -> bool:
        """A node is set aside while its rack has a chosen node and another rack has none (Dynamo 4.6)."""
        used = {self.node(other).rack for other in chosen} - {""}  # a node that names no rack is one by itself
        return self.node(node).rack in used and any(
            count and other.name not in chosen and other.rack not in used
            for other, count in zip(self.nodes, self.counts, strict=True)
        )

    def begin(self, key: str, n: int = 1) -> Walk:
        """The walk for `key`, before its first point."""
        placed = sum(map(bool, self.counts)) if self.positions else 0
        if not isinstance(n, int) or not 1 <= n <= placed:
            raise RouterError(f"n is {n!r}; a list of distinct nodes has from 1 to {placed} here")
        return Walk(self.position_of(key), n)

    def advance(self, walk: Walk) -> Walk:
        """The walk one point further."""
        at = (walk.visits[-1][0] + 1) % len(self.points) if walk.visits else self.first_point(walk.position)
        name, chosen, aside, outcome = self.owners[at], walk.chosen, walk.aside, "taken"
        if not self.may_take(name, chosen):
            outcome = "same node"
        elif self.rack_waits(name, chosen):
            outcome, aside = "same rack", aside if name in aside else (*aside, name)
        else:
            chosen = (*chosen, name)
            if not any(self.rack_waits(other, chosen) for other in aside):
                chosen, aside = (*chosen, *(other for other in aside if other not in chosen)), ()
        chosen, visits = chosen[: walk.wanted], (*walk.visits, (at, outcome))
        done = len(chosen) == walk.wanted or len(visits) >= len(self.points)
        return Walk(walk.position, walk.wanted, visits, chosen, aside, done)

    # owners

    @cached_property
    def _owned(self) -> list[tuple[int, int, str]]:
        first = dict(zip(reversed(self.positions), reversed(self.owners), strict=True))  # of several at one position
        return list(_ranges(sorted(first.items())))

    def arcs(self) -> tuple[Arc, ...]:
        """Who owns what, clockwise; neighbouring arcs of one owner are one."""
        return tuple([Arc(*owned) for owned in self._owned])

    def shares(self) -> dict[str, float]:
        """The part of the circle that each node owns; they add up to 1."""
        lengths, size = dict.fromkeys(self.names, 0), self.placement.size
        for start, end, owner in self._owned:
            lengths[owner] += (end - start) % size or size
        return {name: length / size for name, length in lengths.items()}


@lru_cache(maxsize=4096)
def drawn(placement: Placement, label: str, count: int) -> tuple[int, ...]:
    """The points of one node, kept: most stay when another node comes or goes."""
    return tuple(placement.points(label, count))


def moves_between(before: Ring, after: Ring) -> tuple[Move, ...]:
    """The ranges of positions that two rings of one placement give to different nodes, those of the same hands joined.

    Raises RouterError if the placements differ, NoNodes if either ring has no points.
    """
    if before.placement != after.placement:
        raise RouterError(f"the rings stand on different circles: {before.placement} and {after.placement}")
    # only a range that ends at a point that came or went can change hands; it begins at the nearest point behind
    ends = {point.position for point in {*before.points} ^ {*after.points}}
    behind = {stops[bisect_left(stops, end) - 1] for end in ends for stops in (before.positions, after.positions)}
    hands = [(end, (before.owner_at(end), after.owner_at(end))) for end in sorted(ends | behind)]
    return tuple(Move(start, end, *pair) for start, end, pair in _ranges(hands) if pair[0] != pair[1])


def _ranges(ends: list[tuple[int, T]]) -> Iterator[tuple[int, int, T]]:
    """(start, end, what) for each range of a circle, from the ends; those of the same `what` are joined."""
    last = [one for one, following in zip(ends, [*ends[1:], *ends[:1]], strict=True) if one[1] != following[1]]
    last = last or ends[-1:]  # the same all round
    for (start, _), (end, what) in zip([*last[-1:], *last], last, strict=False):
        yield start, end, what
