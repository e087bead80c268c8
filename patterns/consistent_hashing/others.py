"""The schemes beside the ring, each in a few lines, for comparison. All have the interface of `Router`.

    scheme        state            a lookup costs     what moves when a node joins
    modulo        nothing          1                  nearly everything
    rendezvous    nothing          N                  only to the new node; weights are exact
    jump          nothing          log N              only to the new node; only the last can leave
    maglev        a table of M     1                  to the new node, and a little between the others
    multi-probe   N points         k log N            only to the new node

N is the number of nodes, M the size of the table, k the number of probes.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from math import isqrt, log
from typing import Any, ClassVar

from .errors import RouterError
from .hashes import MASK64, blake2b_64, encoded, mix64
from .placement import Node
from .ring import Ring
from .router import Router


def hash_of(key: str) -> int:
    """A key's 64-bit hash. Raises TypeError if it is not a str."""
    return blake2b_64(encoded(key))


class Hashed(Router):
    """A scheme that uses nothing of the key but its hash."""

    def lookup(self, key: str) -> str:
        self.require_nodes()
        return self.names[self.index_of(hash_of(key))]

    @abstractmethod
    def index_of(self, hashed: int) -> int:
        """The node of a hash, an index into `nodes`."""


class Unweighted(Hashed):
    """A scheme to which all nodes are alike. Raises RouterError for a weight other than 1."""

    def __init__(self, nodes: Iterable[Node | str] = ()) -> None:
        super().__init__(nodes)
        for node in self.nodes:
            if node.weight != 1:
                raise RouterError(f"node {node.name!r} has weight {node.weight:g}; {self.scheme} knows no weights")


class Modulo(Unweighted):
    """The hash modulo the number of nodes: perfectly even, and nearly every key moves when that number changes."""

    scheme: ClassVar[str] = "modulo"

    def index_of(self, hashed: int) -> int:
        return hashed % len(self.nodes)


class Rendezvous(Hashed):
    """Every node draws a number for the key, and the highest wins (Thaler and Ravishankar 1998, "HRW").

    With weights the draw u in (0, 1) becomes -weight / ln u (Schindelhauer and Schomaker 2005, the logarithmic method).
    A node wins in proportion to its weight, and a change of weight moves only keys to or from it.
    """

    scheme: ClassVar[str] = "rendezvous"

    @cached_property
    def _seeds(self) -> list[int]:
        return [blake2b_64(node.name.encode()) for node in self.nodes]

    def scores(self, hashed: int) -> list[float]:
        """What each node draws for a hash; the highest wins."""
        draws = [(mix64(hashed ^ seed) >> 11) + 0.5 for seed in self._seeds]
        return [-node.weight / log(draw / 2**53) for node, draw in zip(self.nodes, draws, strict=True)]

    def index_of(self, hashed: int) -> int:
        scores = self.scores(hashed)
        return scores.index(max(scores))


def jump_hash(key: int, buckets: int) -> int:
    """The bucket, from 0, of a 64-bit key (Lamping and Veach 2014, Figure 1).

    A key jumps from bucket to bucket as their number grows. The jumps are drawn from a generator that the key seeds,
    and the last one that lands below `buckets` counts.
    """
    if not isinstance(key, int) or not 0 <= key <= MASK64:
        raise RouterError(f"key is {key!r}; a key of jump hash is an integer of 64 bits")
    if not isinstance(buckets, int) or buckets < 1:
        raise RouterError(f"buckets is {buckets!r}; there is at least one bucket")
    bucket, jump = -1, 0
    while jump < buckets:
        bucket = jump
        key = (key * 2862933555777941757 + 1) & MASK64
        jump = int((bucket + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return bucket


class Jump(Unweighted):
    """Jump consistent hash: no memory and perfectly even, but nodes are numbered, so only the last can leave.

    Nodes keep the order in which they are given: it is part of the value, and routers must agree on it.
    """

    scheme: ClassVar[str] = "jump"

    @staticmethod
    def arrange(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return nodes

    def index_of(self, hashed: int) -> int:
        return jump_hash(hashed, len(self.nodes))


def maglev_table(permutations: Sequence[tuple[int, int]], size: int) -> list[int]:
    """The lookup table of Maglev: nodes take turns, each the next free entry it prefers (Eisenbud et al. 2016, 3.4).

    A node's preferences are (offset + j * skip) mod `size` for j = 0, 1, ...; `permutations` gives its offset, from 0,
    and its skip, from 1, both below `size`. `size` is a prime, so that the preferences go through every entry.
    """
    table = [-1] * size
    at = [offset for offset, _ in permutations]
    left = size if permutations else 0
    while left:
        for node, (_, skip) in enumerate(permutations[:left]):
            entry = at[node]
            while table[entry] >= 0:
                entry = (entry + skip) % size
            table[entry] = node
            at[node] = (entry + skip) % size
        left -= min(left, len(permutations))
    return table


class Maglev(Unweighted):
    """Maglev hashing: one look into a table of `size` entries, which all nodes share almost exactly evenly."""

    scheme: ClassVar[str] = "maglev"

    def __init__(self, nodes: Iterable[Node | str] = (), size: int = 65537) -> None:
        super().__init__(nodes)
        if not isinstance(size, int) or size < 2 or any(size % d == 0 for d in range(2, isqrt(size) + 1)):
            raise RouterError(f"size is {size!r}; the size of a Maglev table is a prime")
        if len(self.nodes) > size:
            raise RouterError(f"size is {size}; {len(self.nodes)} nodes need a table of more entries")
        self.size = size

    @property
    def options(self) -> dict[str, Any]:
        return {"size": self.size}

    @cached_property
    def table(self) -> list[int]:
        """The index of the node of each entry."""
        digests = [blake2b(node.name.encode(), digest_size=16).digest() for node in self.nodes]
        halves = [(int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")) for digest in digests]
        return maglev_table([(h1 % self.size, h2 % (self.size - 1) + 1) for h1, h2 in halves], self.size)

    def index_of(self, hashed: int) -> int:
        return self.table[hashed % self.size]


class MultiProbe(Unweighted):
    """One point for each node and `probes` hashes for each key; the probe nearest to a point decides.

    With k probes the fullest node has about 1 + 1/(k - 1) times the mean: 21 probes bring it within 1.05 (Appleton and
    O'Reilly 2015).
    """

    scheme: ClassVar[str] = "multi-probe"

    def __init__(self, nodes: Iterable[Node | str] = (), probes: int = 21) -> None:
        super().__init__(nodes)
        if not isinstance(probes, int) or probes < 1:
            raise RouterError(f"probes is {probes!r}; a key has at least one")
        self.probes = probes
        self._seeds = [mix64(probe) for probe in range(probes)]

    @property
    def options(self) -> dict[str, Any]:
        return {"probes": self.probes}

    @cached_property
    def _points(self) -> list[tuple[int, int]]:
        """(position, index of the node), in order round the circle."""
        return sorted((blake2b_64(node.name.encode()), at) for at, node in enumerate(self.nodes))

    def index_of(self, hashed: int) -> int:
        nearest = (MASK64 + 1, 0)
        for seed in self._seeds:
            probe = mix64(hashed ^ seed)
            position, index = self._points[bisect_left(self._points, (probe, 0)) % len(self._points)]
            nearest = min(nearest, ((position - probe) & MASK64, index))
        return nearest[1]


ROUTERS: dict[str, type[Router]] = {
    router.scheme: router for router in (Ring, Modulo, Rendezvous, Jump, Maglev, MultiProbe)
}
