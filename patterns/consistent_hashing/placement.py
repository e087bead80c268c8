"""Where on the circle nodes and keys stand: a hash function, and a number of points for each node."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import md5
from math import floor
from typing import Any

import msgspec

from .errors import RouterError
from .hashes import HASHES, encoded

MOST_POINTS = 100_000
"""Of one node: they are placed within a second."""


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A machine that keys can go to: its name, its weight (an ordinary machine has 1), and perhaps its rack."""

    name: str
    weight: float = 1.0
    rack: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise RouterError(f"name is {self.name!r}; a node's name is a str that is not empty")
        encoded(self.name, "name")
        weight: Any = self.weight
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            raise TypeError(f"weight is {weight!r}; the weight of {self.name} is a number")
        if not 0 < weight <= 1e9:
            raise RouterError(f"weight is {weight!r}; the weight of {self.name} is above zero, at most 1e9")
        if not isinstance(self.rack, str):
            raise TypeError(f"rack is {self.rack!r}; the rack of {self.name} is a str, empty for none")
        encoded(self.rack, "rack")


class Placement(msgspec.Struct, frozen=True):
    """A node of weight 1 has `vnodes` points: point i is the hash of `name#i`. A key stands at its own hash.

    A weight multiplies the number of points (Dynamo 4.2); a node has at least one. Points are numbered: more weight
    adds points, less weight removes the last ones, and the others stay, so that nothing else moves.

    The circle has 2^bits positions: the upper bits of the hash. With `bits` 0 it has the hash function's own width; a
    few bits make a circle small enough to be searched whole. Raises RouterError for an argument out of range.
    """

    hash: str = "blake2b"
    bits: int = 0
    vnodes: int = 160

    def __post_init__(self) -> None:
        if self.hash not in HASHES:
            raise RouterError(f"hash is {self.hash!r}; it is one of {', '.join(HASHES)}")
        widest = HASHES[self.hash].bits
        if self.bits == 0:
            msgspec.structs.force_setattr(self, "bits", widest)
        if not isinstance(self.bits, int) or not 1 <= self.bits <= widest:
            raise RouterError(f"bits is {self.bits!r}; it is from 1 to the {widest} that {self.hash} gives")
        if not isinstance(self.vnodes, int) or not 1 <= self.vnodes <= MOST_POINTS:
            raise RouterError(f"vnodes is {self.vnodes!r}; a node has from 1 to {MOST_POINTS:,} points")

    @property
    def size(self) -> int:
        """How many positions the circle has."""
        return 1 << self.bits

    def position(self, data: bytes) -> int:
        """Where a key with these bytes stands."""
        function = HASHES[self.hash]
        return function.of(data) >> (function.bits - self.bits)

    def counts(self, nodes: Sequence[Node]) -> tuple[int, ...]:
        """How many points each node has."""
        for node in nodes:
            if self.vnodes * node.weight > MOST_POINTS:
                raise RouterError(f"weight is {node.weight!r}; {node.name} would have over {MOST_POINTS:,} points")
        return tuple([max(1, round(self.vnodes * node.weight)) for node in nodes])

    def points(self, label: str, count: int) -> list[int]:
        """The positions of the first `count` points of the node with this label, in their own order."""
        return [self.position(b"%b#%d" % (label.encode(), number)) for number in range(count)]


class Ketama(Placement, frozen=True):
    """The placement of libketama, for memcached clients that must agree (`ketama_create_continuum` of ketama.c).

    MD5 of `name-0`, `name-1`, ...: four points from each digest, each four bytes, little-endian. The number of digests
    of a node is its share of the whole weight, times 40, times the number of nodes, rounded down. With unequal weights
    a new node therefore changes the numbers of the others too, and keys also move between these. In rings of three
    servers with weights 1, 1, 8 or 6, 3, 1, a fourth moves from 1.3 to 2.4 times as many keys as must move.
    """

    hash: str = "ketama"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hash != "ketama" or self.bits != 32 or self.vnodes % 4:
            raise RouterError("a ketama placement has the ketama hash, 32 bits, and vnodes in fours, four to a digest")

    def counts(self, nodes: Sequence[Node]) -> tuple[int, ...]:
        total = _single(sum(node.weight for node in nodes))
        shares = [_single(_single(node.weight) / total) for node in nodes]
        return tuple(4 * floor(_single(share * (self.vnodes / 4) * len(nodes))) for share in shares)

    def points(self, label: str, count: int) -> list[int]:
        digests = [md5(b"%b-%d" % (label.encode(), number)).digest() for number in range(count // 4)]
        return [position for digest in digests for position in struct.unpack("<4I", digest)]


def _single(number: float) -> float:
    """The number in single precision, as `float` in C: its rounding decides how many digests a node has."""
    [rounded] = struct.unpack("f", struct.pack("f", number))
    return float(rounded)
