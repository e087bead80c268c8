"""The state of a cache tier as a value, and everything a picture of it needs, worked out here and not there.

A view reads:
    state.router.nodes            the machines (name, weight, rack); `state.router.scheme` says how keys are placed
    state.points()                the points on the circle: node, number, position, turn (empty for other schemes)
    state.arcs()                  who owns what: start, end (positions), owner; `state.turn(position)` as part of a turn
    state.position(key), .turn()  where a key stands
    state.owner(key), .homes(key) the node a key goes to; the nodes of all its copies, owner first
    state.loads()                 node -> number of keys it owns;  state.shares(): node -> part of the circle
    state.cached()                node -> the keys its cache holds;  state.cold(): keys no home of theirs holds
    state.walk, state.looked      the lookup under way (`ring.Walk`: position, at, chosen, outcome, done) and its key
    state.joining                 the node whose points are being placed: `placed` of `total`, keys `moved` so far
    state.last                    what the last event did: ranges and keys that moved, hits, misses, what modulo does
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np

from .others import Modulo, hash_of
from .placement import Node
from .ring import Arc, Move, Ring, Walk
from .router import Router, moved_keys


class Point(NamedTuple):
    """A virtual node: the point `number`, from 0, of a node. No two points have the same (node, number)."""

    node: str
    number: int
    position: int
    turn: float
    """The position as a part of the whole circle, from 0 up to 1."""


class KeyMove(NamedTuple):
    """A key that has another owner than before."""

    key: str
    giver: str
    taker: str


class Joining(msgspec.Struct, frozen=True):
    """A node whose points are being placed one by one."""

    node: Node
    """The node as it will be, with its whole weight."""
    placed: int
    total: int
    moved: int
    """How many keys it has taken so far."""
    before: tuple[Node, ...]
    """The nodes that were there before it."""


class Outcome(msgspec.Struct, frozen=True):
    """What the last event did."""

    kind: str = "start"
    """The event's tag: `look advance join place leave crash reweight read read-all`; `start` before any."""
    node: str = ""
    """The node that joined, left, crashed, was reweighted, or answered."""
    key: str = ""
    """The key that was looked up or read."""
    moves: tuple[Move, ...] = ()
    """The ranges of the circle that changed hands; empty where nothing did, and for schemes without a circle."""
    moved: tuple[KeyMove, ...] = ()
    """The keys that have another owner."""
    ideal: float = 0.0
    """How many keys have to move, on average, in the whole change so far; K/(N+1) for a node that joins N others."""
    moved_so_far: int = 0
    """How many keys have another owner since the change began: with a join point by point, over all its points."""
    modulo: int = 0
    """How many keys `hash mod N` moves on the whole change."""
    hits: int = 0
    misses: int = 0
    dropped: int = 0
    """Cached copies that were dropped because they would not be asked for again, or were lost with their node."""


class Tier(msgspec.Struct, frozen=True):
    """A cache tier: machines, the rule that sends keys to them, and what each has cached."""

    router: Router
    keys: tuple[str, ...]
    """The keys that clients read, in ascending order."""
    held: tuple[tuple[str, frozenset[str]], ...]
    """(node, the keys its cache holds), in the order of the router's nodes."""
    joined: tuple[str, ...]
    """The nodes in the order they were learned."""
    copies: int = 1
    """On how many machines a key is cached."""
    walk: Walk | None = None
    looked: str = ""
    joining: Joining | None = None
    last: Outcome = Outcome()

    @property
    def busy(self) -> bool:
        """Whether a lookup is under way."""
        return self.walk is not None and not self.walk.done

    def home_table(self) -> Mapping[str, tuple[str, ...]]:
        """Each key's homes: the nodes of its copies, the owner first."""
        return home_table(self.router, self.keys, self.copies)

    def owner(self, key: str) -> str:
        """The node that a key, known or not, goes to."""
        return self.homes(key)[0]

    def homes(self, key: str) -> tuple[str, ...]:
        """The nodes of a key's copies, the owner first."""
        table = self.home_table()
        return table[key] if key in table else home_table(self.router, (key,), self.copies)[key]

    def loads(self) -> dict[str, int]:
        """How many keys each node owns."""
        loads = dict.fromkeys(self.router.names, 0)
        for homes in self.home_table().values():
            loads[homes[0]] += 1
        return loads

    def shares(self) -> dict[str, float]:
        """The part of the circle that each node owns; empty for schemes without a circle."""
        return self.router.shares() if isinstance(self.router, Ring) else {}

    def cached(self) -> dict[str, frozenset[str]]:
        """The keys that each node's cache holds."""
        return dict(self.held)

    def cold(self) -> tuple[str, ...]:
        """The keys that a read would miss: their owner does not hold them."""
        cached = self.cached()
        return tuple(key for key, homes in self.home_table().items() if key not in cached[homes[0]])

    def points(self) -> tuple[Point, ...]:
        """The points on the circle, in its order, one for each of `router.positions`."""
        return points_of(self.router) if isinstance(self.router, Ring) else ()

    def arcs(self) -> tuple[Arc, ...]:
        """Who owns what, clockwise; neighbouring arcs of one owner are one."""
        return self.router.arcs() if isinstance(self.router, Ring) else ()

    def position(self, key: str) -> int:
        """Where a key stands: on the ring's circle, or on one of 2^64 positions for schemes without a ring."""
        return self.router.position_of(key) if isinstance(self.router, Ring) else hash_of(key)

    def turn(self, position: int) -> float:
        """A position as a part of the whole circle, from 0 up to 1."""
        return self.router.turn(position) if isinstance(self.router, Ring) else position / 2**64

    def turns(self) -> Mapping[str, float]:
        """Where every key stands, as a part of the whole circle."""
        return key_turns(self.router, self.keys)


@lru_cache(maxsize=256)
def home_table(router: Router, keys: tuple[str, ...], copies: int) -> Mapping[str, tuple[str, ...]]:
    """The nodes of each key's copies, the owner first; fewer than `copies` where there are fewer nodes."""
    if copies == 1 or not isinstance(router, Ring):
        owners = router.lookup_many(keys).tolist()
        return MappingProxyType({key: (router.names[owner],) for key, owner in zip(keys, owners, strict=True)})
    wanted = min(copies, len(router.nodes))
    return MappingProxyType({key: router.preference_list(key, wanted) for key in keys})


@lru_cache(maxsize=64)
def points_of(ring: Ring) -> tuple[Point, ...]:
    """The points of a ring in its order, each with its number."""
    counts = np.bincount(ring.owners, minlength=len(ring.nodes)).tolist()
    placed = [
        (int(position), at, number)
        for at, count in enumerate(counts)
        for number, position in enumerate(ring.placement.points(ring.label(at), count).tolist())
    ]
    return tuple(Point(ring.names[at], number, spot, ring.turn(spot)) for spot, at, number in sorted(placed))


@lru_cache(maxsize=64)
def key_turns(router: Router, keys: tuple[str, ...]) -> Mapping[str, float]:
    """Where keys stand, as parts of the whole circle."""
    if isinstance(router, Ring):
        return MappingProxyType({key: router.turn(router.position_of(key)) for key in keys})
    return MappingProxyType({key: hash_of(key) / 2**64 for key in keys})


@lru_cache(maxsize=256)
def modulo_moves(before: tuple[str, ...], after: tuple[str, ...], keys: tuple[str, ...]) -> int:
    """How many keys `hash mod N` sends elsewhere when the nodes change."""
    return len(moved_keys(Modulo(before), Modulo(after), keys)) if before and before != after else 0
