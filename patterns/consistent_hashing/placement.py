"""Where on the circle nodes and keys stand: a hash function, a number of points a node, and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import md5
from math import isfinite
from typing import Any

import msgspec
import numpy as np

from .errors import RouterError, bad_key
from .hashes import HASHES, Positions


class Node(msgspec.Struct, frozen=True):
    """A machine that keys can go to: a name, a weight in points (1 is an ordinary machine), and perhaps a rack."""

    name: str
    weight: float = 1.0
    rack: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise RouterError(f"name is {self.name!r}; a node's name is a str that is not empty")
        weight: Any = self.weight
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            raise TypeError(f"weight is {weight!r}; the weight of {self.name} is a number")
        if not isfinite(weight) or weight <= 0:
            raise RouterError(f"weight is {weight!r}; the weight of {self.name} is above zero and finite")
        if not isinstance(self.rack, str):
            raise TypeError(f"rack is {self.rack!r}; the rack of {self.name} is a str, empty for none")


@lru_cache
def _position_function(name: str, bits: int) -> Callable[[bytes], int]:
    function = HASHES[name]
    of, shift = function.of, function.bits - bits
    return of if not shift else lambda data: of(data) >> shift


@lru_cache
def _suffixes(mark: bytes, count: int) -> tuple[bytes, ...]:
    return tuple(b"%b%d" % (mark, number) for number in range(count))


class Placement(msgspec.Struct, frozen=True):
    """A node of weight 1 has `vnodes` points: point i is the hash of `name#i`. A key stands at its own hash.

    A weight multiplies the number of points (Dynamo 4.2), never below one. As points are numbered, more weight adds
    points and less removes the last ones; the others stay, so that nothing else moves. `bits` is the width of the
    circle, 2^bits positions: the upper bits of the hash. All of them, unless a small circle is wanted to be looked
    at or searched whole. Raises RouterError for a hash, a width or a number of points that cannot be.
    """

    hash: str = "blake2b"
    bits: int = 0
    """0 stands for the hash function's own width."""
    vnodes: int = 160

    def __post_init__(self) -> None:
        if self.hash not in HASHES:
            raise RouterError(f"hash is {self.hash!r}; it is one of {', '.join(HASHES)}")
        widest = HASHES[self.hash].bits
        if self.bits == 0:
            msgspec.structs.force_setattr(self, "bits", widest)
        if not isinstance(self.bits, int) or not 1 <= self.bits <= widest:
            raise RouterError(f"bits is {self.bits!r}; it is from 1 to the {widest} that {self.hash} gives")
        if not isinstance(self.vnodes, int) or self.vnodes < 1:
            raise RouterError(f"vnodes is {self.vnodes!r}; a node has at least one point")

    @property
    def size(self) -> int:
        """How many positions the circle has."""
        return 1 << self.bits

    @property
    def position(self) -> Callable[[bytes], int]:
        """The function from a key's bytes to its position."""
        return _position_function(self.hash, self.bits)

    def finder(self, stops: list[int], owners: list[str]) -> Callable[[str], str]:
        """The fastest lookup among points in ascending order: `owners` has one more, for what follows the last."""
        function = HASHES[self.hash]
        if function.finder is not None and self.bits == function.bits:
            return function.finder(stops, owners)
        position = self.position

        def lookup(key: str) -> str:
            try:
                return owners[bisect_left(stops, position(key.encode()))]
            except AttributeError:
                raise bad_key(key) from None

        return lookup

    def positions(self, keys: Sequence[bytes]) -> Positions:
        """The positions of many keys at once."""
        function = HASHES[self.hash]
        found = function.many(keys)
        return found if self.bits == function.bits else found >> np.uint64(function.bits - self.bits)

    def counts(self, nodes: Sequence[Node]) -> tuple[int, ...]:
        """How many points each node has."""
        return tuple([max(1, round(self.vnodes * node.weight)) for node in nodes])

    def points(self, label: str, count: int) -> Positions:
        """The positions of the first `count` points of the node so labelled, in their own order."""
        prefix = label.encode()
        return self.positions([prefix + suffix for suffix in _suffixes(b"#", count)])


class Ketama(Placement, frozen=True):
    """The placement of libketama, for memcached clients that must agree (`ketama_create_continuum` of ketama.c).

    MD5 of `name-0`, `name-1`, ...: four points a digest, each four bytes, little-endian. A node's number of digests
    is its share of the whole weight, times 40, times the number of nodes, rounded down. So with unequal weights a
    new node changes the numbers of the others too, and a few more keys move than must.
    """

    hash: str = "ketama"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hash != "ketama" or self.bits != 32 or self.vnodes % 4:
            raise RouterError("a ketama placement has the ketama hash, 32 bits, and vnodes in fours, four to a digest")

    def counts(self, nodes: Sequence[Node]) -> tuple[int, ...]:
        # single precision where the C code has `float`: rounding decides how many digests a node has
        total = np.float32(sum(node.weight for node in nodes))
        shares = [float(np.float32(node.weight) / total) for node in nodes]
        return tuple(4 * int(np.floor(np.float32(share * (self.vnodes / 4) * len(nodes)))) for share in shares)

    def points(self, label: str, count: int) -> Positions:
        prefix = label.encode()
        digests = b"".join([md5(prefix + suffix).digest() for suffix in _suffixes(b"-", count // 4)])
        return np.frombuffer(digests, dtype="<u4").astype(np.uint64)
