"""The state of a cache tier as a value. What its picture shows is worked out here, not in the view."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec

from .others import Modulo, hash_of
from .placement import Node
from .ring import Arc, Move, Point, Ring, Walk
from .router import KeyMove, Router, moved_keys


class Joining(msgspec.Struct, frozen=True):
    """A node whose points are being placed one by one."""

    node: Node
    """The node as it will be, with its whole weight."""
    placed: int
    """How many of its points are placed."""
    total: int
    """How many points it will have."""
    before: tuple[Node, ...]
    """The nodes that were there before it."""
    moves: tuple[Move, ...] = ()
    """The ranges of the circle that it has taken so far."""
    moved: tuple[KeyMove, ...] = ()
    """The keys that it has taken so far."""


class Outcome(msgspec.Struct, frozen=True):
    """What the last event did."""

    kind: str = "start"
    """The tag of the event; `start` before the first event."""
    node: str = ""
    """The node that joined, left, crashed, was reweighted, or answered."""
    key: str = ""
    """The key that was looked up or read."""
    moves: tuple[Move, ...] = ()
    """The ranges of the circle that changed hands; empty for schemes without a circle."""
    moved: tuple[KeyMove, ...] = ()
    """The keys that have another owner."""
    all_moves: tuple[Move, ...] = ()
    """The ranges since the change began: with a join point by point, those of all points so far."""
    all_moved: tuple[KeyMove, ...] = ()
    """The keys since the change began."""
    ideal: float = 0.0
    """How many keys have to move, on average, in the whole change so far: K / (N + 1) if one node joins N others."""
    modulo: int = 0
    """How many keys `hash mod N` moves in the whole change."""
    hits: int = 0
    misses: int = 0


class Tier(msgspec.Struct, frozen=True):
    """A cache tier: machines, the rule that sends keys to them, and the keys that each has cached."""

    router: Router
    keys: tuple[str, ...]
    """The keys that clients read, in ascending order."""
    held: tuple[tuple[str, frozenset[str]], ...]
    """(node, the keys that its cache holds), in the order of the router's nodes."""
    known: tuple[str, ...]
    """Every node so far, in the order in which they were learned."""
    copies: int = 1
    """On how many machines a key is cached."""
    walk: Walk | None = None
    """The last lookup on a ring."""
    looked: str = ""
    """The key that the lookup is for."""
    joining: Joining | None = None
    last: Outcome = Outcome()

    @property
    def busy(self) -> str:
        """The key whose lookup is not finished; empty for none."""
        return self.looked if self.walk is not None and not self.walk.done else ""

    @property
    def newcomer(self) -> str:
        """The node whose points are being placed; empty for none."""
        return self.joining.node.name if self.joining else ""

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
        """The points on the circle, in its order; none for schemes without a circle."""
        return self.router.points if isinstance(self.router, Ring) else ()

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
        return {key: self.turn(self.position(key)) for key in self.keys}


@lru_cache(maxsize=256)
def home_table(router: Router, keys: tuple[str, ...], copies: int) -> Mapping[str, tuple[str, ...]]:
    """The nodes of each key's copies, the owner first; fewer than `copies` if there are fewer nodes."""
    if copies == 1 or not isinstance(router, Ring):
        return MappingProxyType({key: (router.lookup(key),) for key in keys})
    wanted = min(copies, len(router.nodes))
    return MappingProxyType({key: router.preference_list(key, wanted) for key in keys})


@lru_cache(maxsize=256)
def modulo_moves(before: tuple[str, ...], after: tuple[str, ...], keys: tuple[str, ...]) -> int:
    """How many keys `hash mod N` sends elsewhere when the nodes change."""
    return len(moved_keys(Modulo(before), Modulo(after), keys)) if before and before != after else 0
