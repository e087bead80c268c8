"""The ring of consistent hashing as an immutable value (Karger et al. 1997; Dynamo, DeCandia et al. 2007, 4.2, 6.2).

ring = Ring(["A", "B", "C"])                the three nodes have 160 points each on a circle of 2^64 positions
ring.lookup("Europe/Paris")                 the owner: the node of the first point clockwise from the key
ring.lookup_many(keys)                      many keys at once: indices into `ring.nodes`
ring.preference_list("Europe/Paris", 2)     the first 2 distinct nodes clockwise, in distinct racks where they can
ring, moves = ring.add("D")                 a new ring, and which ranges of positions changed hands
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .errors import NoNodes, RouterError, bad_key
from .hashes import Positions, encode_all
from .placement import Node, Placement
from .router import Keys, Router

Owners = NDArray[np.intp]


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


class Arc(NamedTuple):
    """The positions after `start` up to and including `end`, clockwise, belong to `owner`."""

    start: int
    end: int
    owner: str


class Walk(NamedTuple):
    """A walk clockwise that collects nodes for a key; each step of it is a value (Dynamo 4.3, 4.6)."""

    position: int
    """Where it began: the key's position."""
    wanted: int
    """How many distinct nodes it collects."""
    at: int = -1
    """The point it stands at, an index into `ring.positions`; -1 before the first."""
    seen: int = 0
    """How many points it has come to."""
    chosen: tuple[str, ...] = ()
    """The nodes collected, in order; the first is the owner."""
    aside: tuple[str, ...] = ()
    """Nodes passed over because a node of their rack is chosen; they follow once every rack is."""
    outcome: str = ""
    """What became of the point it stands at: `taken`, `same node`, `same rack`; empty before the first."""
    done: bool = False


class Change:
    """Two rings, one after the other. Unpacks as `ring, moves`; the moves are worked out when first asked for."""

    def __init__(self, before: Ring, after: Ring) -> None:
        self.before = before
        self.ring = after

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The ranges that changed hands, clockwise from position 0; neighbours of the same hands are one."""
        return moves_between(self.before, self.ring)

    def __iter__(self) -> Iterator[Any]:
        yield self.ring
        yield self.moves


class Ring(Router):
    """Points of the nodes on a circle; a key belongs to the first point clockwise from it, itself included.

    `positions` are the points in ascending order, `owners` the index into `nodes` of each; both are arrays of shape
    (number of points,) that cannot be written to. Points at one position stand in the order of their nodes' names,
    so that the ring is the same in whatever order its nodes came.
    """

    scheme: ClassVar[str] = "ring"
    positions: Positions
    owners: Owners
    side: ClassVar[Any] = "left"
    """A key at the very position of a point belongs to it: the search is for the first point not before the key."""

    def __init__(self, nodes: Iterable[Node | str] = (), placement: Placement | None = None) -> None:
        super().__init__(nodes)
        self.placement = Placement() if placement is None else placement
        self._place()

    @property
    def options(self) -> dict[str, Any]:
        return {"placement": self.placement}

    # the rules, each by itself

    def label(self, at: int) -> str:
        """Points are named after their node, not after its number, which changes when other nodes come and go."""
        return self.nodes[at].name

    def after_last(self) -> int:
        """Clockwise after the last point comes the first: the circle is closed (Dynamo 2007, 4.2; Chord 2001, 4)."""
        return 0

    def may_take(self, node: str, chosen: tuple[str, ...]) -> bool:
        """A preference list is of distinct nodes: further points of a chosen node are skipped (Dynamo 4.3)."""
        return node not in chosen

    def rack_waits(self, node: str, chosen: tuple[str, ...]) -> bool:
        """A node is set aside while its rack has a chosen node and another rack has none (Dynamo 4.6)."""
        used = {self._rack_of[other] for other in chosen}
        return bool(self._rack_of[node][0]) and self._rack_of[node] in used and len(used) < len(self._racks)

    # which node

    def lookup(self, key: str) -> str:
        """The name of the node that owns `key`. Raises TypeError for what is no str, NoNodes on an empty ring."""
        self.__dict__["lookup"] = self._find  # from the second call on, without this step
        return self._find(key)

    def lookup_many(self, keys: Keys) -> NDArray[np.intp]:
        return self.owners_at(self.positions_of(keys))

    def positions_of(self, keys: Keys) -> Positions:
        """Where many keys stand; shape (number of keys,)."""
        return self.placement.positions(encode_all(keys))

    def owners_at(self, positions: Positions) -> NDArray[np.intp]:
        """The owner of each position, as indices into `nodes`."""
        return self.owners[self.points_at(positions)]

    def points_at(self, positions: Positions) -> NDArray[np.intp]:
        """The first point clockwise from each position, as indices into `positions`."""
        self._require_points()
        found = self.positions.searchsorted(positions, side=self.side)
        found[found == len(self.positions)] = self.after_last()
        return found

    def position_of(self, key: str) -> int:
        """Where a key stands on the circle."""
        if not isinstance(key, str):
            raise bad_key(key)
        return self.placement.position(key.encode())

    # several nodes

    def preference_list(self, key: str, n: int) -> tuple[str, ...]:
        """The first `n` distinct nodes clockwise from the key; the first is its owner (Dynamo 4.3).

        Where nodes have racks, a rack is not used twice before every rack is used once; the nodes passed over for
        that come next, in the order they were passed. Raises RouterError when `n` is below 1 or above the nodes.
        """
        walk = self.begin(key, n)
        while not walk.done:
            walk = self.advance(walk)
        return walk.chosen

    def begin(self, key: str, n: int = 1) -> Walk:
        """The walk for `key`, before its first point."""
        self._require_points()
        placed = len(self._placed)
        if not isinstance(n, int) or not 1 <= n <= placed:
            raise RouterError(f"n is {n!r}; a list of distinct nodes has from 1 to {placed} here")
        return Walk(self.position_of(key), n)

    def advance(self, walk: Walk) -> Walk:
        """The walk one point further."""
        at = int(self.points_at(np.array([walk.position], np.uint64))[0]) if walk.at < 0 else self._next(walk.at)
        name, chosen, aside = self.names[self.owners[at]], walk.chosen, walk.aside
        if not self.may_take(name, chosen):
            outcome = "same node"
        elif self.rack_waits(name, chosen):
            outcome, aside = "same rack", aside if name in aside else (*aside, name)
        else:
            outcome, chosen = "taken", (*chosen, name)
            if all(not self.rack_waits(other, chosen) for other in aside):
                chosen, aside = (*chosen, *(other for other in aside if other not in chosen)), ()
        chosen = chosen[: walk.wanted]
        done = len(chosen) == walk.wanted or walk.seen + 1 >= len(self.positions)
        return Walk(walk.position, walk.wanted, at, walk.seen + 1, chosen, aside, outcome, done)

    def _next(self, at: int) -> int:
        return at + 1 if at + 1 < len(self.positions) else self.after_last()

    def clockwise(self, key: str) -> Iterator[str]:
        """Every node once, in the order in which a walk clockwise from the key first comes to it."""
        start = int(self.points_at(np.array([self.position_of(key)], np.uint64))[0])
        order = np.concatenate([self.owners[start:], self.owners[:start]])
        for owner in order[np.sort(np.unique(order, return_index=True)[1])].tolist():
            yield self.names[owner]

    # other nodes, another ring

    def add(self, name: str, weight: float = 1.0, rack: str = "") -> Change:
        """A node joins: only keys of the ranges it takes move, all of them to it. Raises DuplicateNode."""
        return Change(self, self.including(Node(name, weight, rack)))

    def remove(self, name: str) -> Change:
        """A node leaves: only its keys move, each to the next node clockwise. Raises UnknownNode."""
        return Change(self, self.excluding(name))

    def reweight(self, name: str, weight: float) -> Change:
        """A node gets another weight: it takes ranges when heavier, gives when lighter. Raises UnknownNode."""
        return Change(self, self.reweighted(name, weight))

    # what a picture shows

    def shares(self) -> dict[str, float]:
        """The part of the circle that each node owns; they add up to 1."""
        self._require_points()
        mask = np.uint64(self.placement.size - 1)
        lengths = (self.positions - np.roll(self.positions, 1)) & mask
        sums = np.bincount(self.owners, weights=lengths.astype(np.float64), minlength=len(self.nodes))
        if not sums.any():  # every point stands at one position: the first of them has the whole circle
            sums[self.owners[0]] = 1.0
        return dict(zip(self.names, (sums / sums.sum()).tolist(), strict=True))

    def arcs(self) -> tuple[Arc, ...]:
        """Who owns what, clockwise; neighbouring arcs of one owner are one."""
        self._require_points()
        first = np.concatenate([[True], self.positions[1:] != self.positions[:-1]])  # others at its place own nothing
        ends, owners = self.positions[first], self.owners[first]
        last = owners != np.roll(owners, -1)
        if not last.any():
            return (Arc(int(ends[-1]), int(ends[-1]), self.names[owners[-1]]),)
        stops, names = ends[last].tolist(), self.names
        return tuple(
            Arc(*arc)
            for arc in zip(
                [stops[-1], *stops[:-1]], stops, (names[owner] for owner in owners[last].tolist()), strict=True
            )
        )

    def turn(self, position: int) -> float:
        """A position as a part of the whole circle, from 0 up to 1."""
        return position / self.placement.size

    # how it is made

    def _with(self, nodes: tuple[Node, ...]) -> Self:
        ring = object.__new__(type(self))
        Router.__init__(ring, nodes)
        ring.placement = self.placement
        ring._place(self)
        return ring

    def _place(self, before: Ring | None = None) -> None:
        """Place the points of all nodes, but keep those of the nodes that had the same in the ring `before`."""
        counts = self.placement.counts(self.nodes)
        self._drawn = [(self.label(at), count) for at, count in enumerate(counts)]
        positions, owners = np.empty(0, np.uint64), np.empty(0, np.intp)
        fresh: list[Positions] = []
        fresh_owners: list[Owners] = []
        kept: set[int] = set()
        if before is not None:
            kept = {at for at, name in enumerate(self.names) if before._draws.get(name) == self._drawn[at]}
            index = {self.names[at]: at for at in kept}
            number = np.array([index.get(name, -1) for name in before.names], np.intp)
            positions, owners = before.positions, number[before.owners]
            if len(kept) < len(before.nodes):
                stays = owners >= 0
                positions, owners = positions[stays], owners[stays]
        for at, (label, count) in enumerate(self._drawn):
            if at not in kept:
                fresh.append(self.placement.points(label, count))
                fresh_owners.append(np.full(count, at, np.intp))
        if fresh:
            positions, owners = _merged(positions, owners, np.concatenate(fresh), np.concatenate(fresh_owners))
        positions.flags.writeable = owners.flags.writeable = False
        self.positions, self.owners = positions, owners

    @cached_property
    def _draws(self) -> dict[str, tuple[str, int]]:
        """What each node's points were drawn from: its label and their number."""
        return dict(zip(self.names, self._drawn, strict=True))

    def _points_not_in(self, other: Ring) -> Positions:
        """The points of the nodes that the other ring has not, or has with other points."""
        changed = np.array([other._draws.get(name) != self._drawn[at] for at, name in enumerate(self.names)], np.bool_)
        return self.positions[changed[self.owners]]

    def _require_points(self) -> None:
        self._require_nodes()
        if not len(self.positions):
            raise NoNodes("no node has a point on the ring: every weight is too small for this placement")

    # what lookups and preference lists need, made when first needed

    @cached_property
    def _find(self) -> Callable[[str], str]:
        self._require_points()
        owners = np.array(self.names, dtype=object)[self.owners].tolist()
        owners.append(owners[self.after_last()])  # what lies behind the last point
        stops: list[int] = self.positions.tolist()
        if self.side == "right":
            stops = [stop - 1 for stop in stops]
        return self.placement.finder(stops, owners)

    @cached_property
    def _placed(self) -> frozenset[str]:
        return frozenset(name for name, (_, count) in zip(self.names, self._drawn, strict=True) if count)

    @cached_property
    def _rack_of(self) -> dict[str, tuple[str, str]]:
        """The rack of each node, and nothing; of a node that names none, nothing and itself: it is one by itself."""
        return {node.name: (node.rack, "") if node.rack else ("", node.name) for node in self.nodes}

    @cached_property
    def _racks(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._rack_of[name] for name in self._placed)


def _merged(positions: Positions, owners: Owners, new: Positions, new_owners: Owners) -> tuple[Positions, Owners]:
    """The points of two sets as one, by position and then by owner; the first set is in that order already."""
    order = np.lexsort((new_owners, new))
    new, new_owners = new[order], new_owners[order]
    if not len(positions):
        return new, new_owners
    at = positions.searchsorted(new)
    if (positions[np.minimum(at, len(positions) - 1)] == new).any():  # a tie: the names decide, so sort it all
        positions, owners = np.concatenate([positions, new]), np.concatenate([owners, new_owners])
        order = np.lexsort((owners, positions))
        return positions[order], owners[order]
    at += np.arange(len(new))
    stays = np.ones(len(positions) + len(new), np.bool_)
    stays[at] = False
    all_positions, all_owners = np.empty(len(stays), np.uint64), np.empty(len(stays), np.intp)
    all_positions[at], all_owners[at] = new, new_owners
    all_positions[stays], all_owners[stays] = positions, owners
    return all_positions, all_owners


def moves_between(before: Ring, after: Ring) -> tuple[Move, ...]:
    """The ranges of positions that two rings of one placement give to different nodes, clockwise from position 0.

    Only an arc that ends at a point that came or went can change hands: at a point of both rings both look on alike.
    Raises RouterError when the placements differ, NoNodes when either ring has no points.
    """
    if before.placement != after.placement:
        raise RouterError(f"the rings stand on different circles: {before.placement} and {after.placement}")
    ends = np.unique(np.concatenate([before._points_not_in(after), after._points_not_in(before)]))
    starts = _nearest_behind(ends, (before, after))
    givers, takers = before.owners_at(ends).tolist(), after.owners_at(ends).tolist()
    moves: list[Move] = []
    for start, end, giver, taker in zip(starts.tolist(), ends.tolist(), givers, takers, strict=True):
        move = Move(start, end, before.names[giver], after.names[taker])
        if move.giver != move.taker:
            _append(moves, move)
    if len(moves) > 1 and moves[-1].end == moves[0].start and moves[-1][2:] == moves[0][2:]:  # one across the top
        moves[0] = moves[0]._replace(start=moves.pop().start)
    return tuple(moves)


def _append(moves: list[Move], move: Move) -> None:
    """Add a move, joined to the last where it goes on from there between the same hands."""
    joins = bool(moves) and moves[-1].end == move.start and moves[-1][2:] == move[2:]
    moves.append(move._replace(start=moves.pop().start) if joins else move)


def _nearest_behind(ends: Positions, rings: tuple[Ring, ...]) -> Positions:
    """The nearest point of any ring counter-clockwise from each end: itself, where no other position has a point."""
    mask = np.uint64(rings[0].placement.size - 1)
    behind = np.stack([ring.positions[ring.positions.searchsorted(ends) - 1] for ring in rings])
    nearest = ((ends - behind - np.uint64(1)) & mask).argmin(axis=0)
    return np.asarray(np.take_along_axis(behind, nearest[None, :], axis=0)[0], dtype=np.uint64)
