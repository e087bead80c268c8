"""Anti-entropy: two replicas compare trees of hashes, and send only the rows of leaves that differ.

Merkle 1987; Dynamo 2007, 4.7. A leaf covers a range of the keys' hashes, the same at both. Its hash covers key,
version, and value; a tombstone is a version too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import ClassVar

from patterns.engine.clients import Done
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer, setting
from patterns.engine.table import Table

from .quorum import NOTHING, Version

# Bytes of a hash.
DIGEST = 32


Rows = Mapping[str, Version]


def digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=DIGEST).digest()


def leaf_of(key: str, leaves: int) -> int:
    """The leaf that covers a key."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) * leaves >> 64


def row_hash(key: str, row: Version) -> bytes:
    """Covers key, version, value and tombstone."""
    return digest(repr((key, row.number, row.by, row.value)).encode())


def combined(hashes: Sequence[bytes]) -> bytes:
    """The hash of hashes, in their order: XOR would let two equal hashes cancel."""
    return digest(b"".join(hashes))


class Tree:
    """The hashes over some rows: `levels[0]` is the root, `levels[-1]` the leaves. `leaves` is a power of two."""

    hash = staticmethod(row_hash)
    combine = staticmethod(combined)

    def __init__(self, rows: Rows, leaves: int) -> None:
        if leaves < 1 or leaves & (leaves - 1):
            raise ValueError(f"leaves is {leaves}; allowed is a power of two: 1, 2, 4, 8, ...")
        buckets: list[list[bytes]] = [[] for _ in range(leaves)]
        for key in sorted(rows):
            buckets[leaf_of(key, leaves)].append(self.hash(key, rows[key]))
        self.levels = [[self.combine(bucket) for bucket in buckets]]
        while len(self.levels[0]) > 1:
            below = self.levels[0]
            self.levels.insert(0, [self.combine(below[at : at + 2]) for at in range(0, len(below), 2)])

    @property
    def root(self) -> bytes:
        return self.levels[0][0]


def compare_trees(a: Tree, b: Tree) -> tuple[tuple[int, ...], int]:
    """The leaves that differ, and how many pairs of hashes were compared: nothing below equal hashes.

    Raises ValueError for trees with different numbers of leaves: their ranges are not the same.
    """
    if len(a.levels) != len(b.levels):
        raise ValueError(
            f"the trees have {len(a.levels[-1])} and {len(b.levels[-1])} leaves; allowed are equal numbers"
        )
    at, hashes = [0], 0
    for level, (mine, theirs) in enumerate(zip(a.levels, b.levels, strict=True)):
        hashes += len(at)
        differ = [place for place in at if mine[place] != theirs[place]]
        if level == len(a.levels) - 1:
            break
        at = [child for place in differ for child in (2 * place, 2 * place + 1)]
    return tuple(differ), hashes


# Two replicas


class Put(Message):
    """A client writes a key; an empty value removes it."""

    key: str
    value: str
    serial: int = 0


class Forget(Message):
    """The replica may drop the tombstone of this key."""

    key: str


class Sync(Message):
    """The replica compares itself with the other."""


class Nodes(Message):
    """Hashes of one level: place -> hash."""

    level: int
    hashes: tuple[tuple[int, bytes], ...]


class Leaves(Message):
    """The rows of some leaves. `back` asks for the receiver's rows of them."""

    places: tuple[int, ...]
    rows: tuple[tuple[str, Version], ...]
    back: bool

    @property
    def shown(self) -> tuple[str, ...]:
        """Each key with its row."""
        return tuple(f"{key}: {row}" for key, row in self.rows)


class Shelf(Process):
    """A replica of several keys."""

    peers: tuple[str]
    leaves: int
    # How long a hint waits, in ms.
    patience: int = setting(300)
    rows: Table[Version] = durable(Table[Version]())
    # Rows that it keeps for the other one, which was silent when they were written.
    hints: Table[Version] = durable(Table[Version]())
    # How many comparisons it has begun.
    begun: int = durable(0)
    # The nodes that it has compared in the present comparison: level, place, and whether they differ.
    compared: tuple[tuple[int, int, bool], ...] = ()
    hashes: ClassVar[type[Tree]] = Tree

    def on_start(self) -> None:
        if self.hints:
            self.set_timer("home", self.patience)

    @on_timer("home")
    def hints_go_home(self) -> None:
        self.note("MT.home", peer=self.peers[0], rows=self.hints.names)
        self.send(self.peers[0], Leaves((), self.hints.rows, back=False))
        self.hints = Table()

    def tree(self) -> Tree:
        return self.hashes(dict(self.rows), self.leaves)

    @on_request(Put)
    def client_puts(self, client: str, request: Put) -> None:
        old = self.rows.get(request.key)
        row = Version(old.number + 1 if old else 1, self.id, request.value)
        self.note("MT.put", client=client, key=request.key, row=row)
        self.rows = self.rows.put(request.key, row)
        self.reply(client, Done(request.serial, request.value))

    @on_request(Forget)
    def tombstone_goes(self, monitor: str, request: Forget) -> None:
        self.note("MT.forget", key=request.key)
        self.rows = self.rows.without(request.key)
        self.reply(monitor, "done")

    @on_request(Sync)
    def begin(self, monitor: str, request: Sync) -> None:
        self.note("MT.root")
        self.begun += 1
        self.compared = ()
        self.send(self.peers[0], Nodes(0, ((0, self.tree().root),)))
        self.reply(monitor, "done")

    @on(Nodes)
    def hashes_come(self, sender: str, nodes: Nodes) -> None:
        tree, before = self.tree(), self.compared if nodes.level else ()
        differ = tuple(place for place, hash in nodes.hashes if tree.levels[nodes.level][place] != hash)
        self.compared = before + tuple((nodes.level, place, place in differ) for place, _ in nodes.hashes)
        self.note("MT.level", level=nodes.level, compared=len(nodes.hashes), differ=len(differ))
        if not differ:
            return
        if nodes.level == len(tree.levels) - 1:
            self.send(sender, Leaves(differ, self.rows_of(differ), back=True))
            return
        below = [child for place in differ for child in (2 * place, 2 * place + 1)]
        hashes = tuple((place, tree.levels[nodes.level + 1][place]) for place in below)
        self.send(sender, Nodes(nodes.level + 1, hashes))

    def rows_of(self, places: Iterable[int]) -> tuple[tuple[str, Version], ...]:
        """The rows of these leaves: a leaf is sent whole."""
        wanted = {*places}
        return tuple((key, row) for key, row in self.rows if leaf_of(key, self.leaves) in wanted)

    @on(Leaves)
    def rows_come(self, sender: str, leaves: Leaves) -> None:
        mine = self.rows_of(leaves.places)
        news = tuple((key, row) for key, row in leaves.rows if row > (self.rows.get(key) or NOTHING))
        for key, row in news:
            self.rows = self.rows.put(key, row)
        self.note("MT.rows", sender=sender, sent=len(leaves.rows), news=tuple(key for key, _ in news))
        if leaves.back:
            self.send(sender, Leaves(leaves.places, mine, back=False))
