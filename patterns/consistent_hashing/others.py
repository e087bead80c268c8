"""The schemes beside the ring, each in a few lines, for comparison. All have the interface of `Router`.

scheme        state            a lookup costs     what moves when a node joins
modulo        nothing          1                  nearly everything
rendezvous    nothing          N                  only to the new node; weights are exact
jump          nothing          log N              only to the new node; only the last can leave
maglev        a table of M     1                  to the new node, and a little between the others
multi-probe   N points         k log N            only to the new node
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from math import isqrt, log
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import RouterError, bad_key
from .hashes import HASHES, MASK64, Positions, blake2b_64, encode_all, mix64, mix64_many
from .placement import Node
from .ring import Ring
from .router import Keys, Router


def hash_of(key: str) -> int:
    """A key's 64-bit hash. Raises TypeError for what is no str."""
    if not isinstance(key, str):
        raise bad_key(key)
    return blake2b_64(key.encode())


def hashes_of(keys: Keys) -> Positions:
    """The hashes of many keys; shape (number of keys,)."""
    return HASHES["blake2b"].many(encode_all(keys))


class Hashed(Router):
    """A scheme that looks at the key's hash alone. A subclass says which node, for one and for many."""

    def lookup(self, key: str) -> str:
        self._require_nodes()
        return self.names[self.index_of(hash_of(key))]

    def lookup_many(self, keys: Keys) -> NDArray[np.intp]:
        self._require_nodes()
        return self.indices_of(hashes_of(keys))

    def index_of(self, hashed: int) -> int:
        raise NotImplementedError

    def indices_of(self, hashed: Positions) -> NDArray[np.intp]:
        return np.fromiter(map(self.index_of, hashed.tolist()), np.intp, len(hashed))


class Unweighted(Hashed):
    """A scheme to which all nodes are alike. Raises RouterError for a weight other than 1."""

    def __init__(self, nodes: Iterable[Node | str] = ()) -> None:
        super().__init__(nodes)
        for node in self.nodes:
            if node.weight != 1:
                raise RouterError(f"node {node.name!r} has weight {node.weight:g}; {self.scheme} knows no weights")


class Modulo(Unweighted):
    """The hash modulo the number of nodes: perfectly even, and no key is safe when that number changes."""

    scheme: ClassVar[str] = "modulo"

    def index_of(self, hashed: int) -> int:
        return hashed % len(self.nodes)

    def indices_of(self, hashed: Positions) -> NDArray[np.intp]:
        return (hashed % np.uint64(len(self.nodes))).astype(np.intp)


class Rendezvous(Hashed):
    """Every node draws a number for the key, and the highest wins (Thaler and Ravishankar 1998, "HRW").

    With weights the draw u in (0, 1) becomes -weight / ln u (Schindelhauer and Schomaker 2005, the logarithmic
    method): a node wins in proportion to its weight, and a change of weight moves only keys to or from it.
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

    def indices_of(self, hashed: Positions) -> NDArray[np.intp]:
        best = np.full(len(hashed), -1.0)
        winner = np.zeros(len(hashed), np.intp)
        for at, (node, seed) in enumerate(zip(self.nodes, self._seeds, strict=True)):
            draws = (mix64_many(hashed ^ np.uint64(seed)) >> np.uint64(11)).astype(np.float64) + 0.5
            scores = -node.weight / np.log(draws / 2**53)
            wins = scores > best
            best[wins], winner[wins] = scores[wins], at
        return winner

    def ranked(self, key: str, n: int) -> tuple[str, ...]:
        """The `n` nodes that draw highest: where copies go."""
        if not isinstance(n, int) or not 1 <= n <= len(self.nodes):
            raise RouterError(f"n is {n!r}; a list of distinct nodes has from 1 to {len(self.nodes)} here")
        ranked = sorted(zip(self.scores(hash_of(key)), self.names, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return tuple(name for _, name in ranked[:n])


def jump_hash(key: int, buckets: int) -> int:
    """The bucket, from 0, of a 64-bit key (Lamping and Veach 2014, Figure 1).

    A key jumps from bucket to bucket as their number grows; the jumps are drawn from a generator that the key seeds,
    and the last one that lands below `buckets` counts.
    """
    if not 0 <= key <= MASK64:
        raise RouterError(f"key is {key!r}; a key of jump hash is an integer of 64 bits")
    if buckets < 1:
        raise RouterError(f"buckets is {buckets!r}; there is at least one bucket")
    bucket, jump = -1, 0
    while jump < buckets:
        bucket = jump
        key = (key * 2862933555777941757 + 1) & MASK64
        jump = int((bucket + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return bucket


class Jump(Unweighted):
    """Jump consistent hash: no memory and perfectly even, but nodes are numbered, so only the last can leave.

    The nodes' order is theirs in the arguments: it is part of the value, and routers must agree on it.
    """

    scheme: ClassVar[str] = "jump"

    @staticmethod
    def arrange(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return nodes

    def index_of(self, hashed: int) -> int:
        return jump_hash(hashed, len(self.nodes))

    def indices_of(self, hashed: Positions) -> NDArray[np.intp]:
        keys = hashed.copy()
        bucket = np.full(len(keys), -1, np.int64)
        jump = np.zeros(len(keys), np.int64)
        while (going := jump < len(self.nodes)).any():
            bucket[going] = jump[going]
            keys[going] = keys[going] * np.uint64(2862933555777941757) + np.uint64(1)
            draws = (keys[going] >> np.uint64(33)).astype(np.float64) + 1
            jump[going] = ((bucket[going] + 1) * (float(1 << 31) / draws)).astype(np.int64)
        return bucket.astype(np.intp)


def maglev_table(permutations: Sequence[tuple[int, int]], size: int) -> NDArray[np.intp]:
    """The lookup table of Maglev: nodes take turns, each the next free entry it prefers (Eisenbud et al. 2016, 3.4).

    A node's preferences are (offset + j * skip) mod `size` for j = 0, 1, ...; `permutations` gives its offset, from 0,
    and its skip, from 1, both below `size`. `size` is a prime, so that the preferences go through every entry.
    """
    table = np.full(size, -1, np.intp)
    taken = bytearray(size)
    at = [offset for offset, _ in permutations]
    left = size if permutations else 0
    while left:
        for node, (_, skip) in enumerate(permutations):
            entry = at[node]
            while taken[entry]:
                entry = (entry + skip) % size
            taken[entry] = 1
            table[entry] = node
            at[node] = (entry + skip) % size
            left -= 1
            if not left:
                break
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
    def table(self) -> NDArray[np.intp]:
        """The index of the node of each entry; shape (`size`,)."""
        digests = [blake2b(node.name.encode(), digest_size=16).digest() for node in self.nodes]
        halves = [(int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")) for digest in digests]
        return maglev_table([(h1 % self.size, h2 % (self.size - 1) + 1) for h1, h2 in halves], self.size)

    def index_of(self, hashed: int) -> int:
        return int(self.table[hashed % self.size])

    def indices_of(self, hashed: Positions) -> NDArray[np.intp]:
        return self.table[(hashed % np.uint64(self.size)).astype(np.intp)]


class MultiProbe(Unweighted):
    """One point a node and `probes` hashes a key: the probe nearest to a point decides (Appleton and O'Reilly 2015).

    With k probes the fullest node has about 1 + 1/(k - 1) times the mean: 21 probes bring it within 1.05.
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

    def indices_of(self, hashed: Positions) -> NDArray[np.intp]:
        stops = np.array([position for position, _ in self._points], np.uint64)
        owners = np.array([index for _, index in self._points], np.intp)
        best, winner = np.full(len(hashed), MASK64, np.uint64), np.full(len(hashed), len(stops), np.intp)
        for seed in self._seeds:
            probes = mix64_many(hashed ^ np.uint64(seed))
            found = stops.searchsorted(probes) % len(stops)
            distance, owner = stops[found] - probes, owners[found]
            nearer = (distance < best) | ((distance == best) & (owner < winner))
            best[nearer], winner[nearer] = distance[nearer], owner[nearer]
        return winner


ROUTERS: dict[str, type[Router]] = {
    router.scheme: router for router in (Ring, Modulo, Rendezvous, Jump, Maglev, MultiProbe)
}
