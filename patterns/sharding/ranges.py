"""Ranges of keys: half-open [start, end), one after the other, so that every key is in exactly one of them.

The first range starts at the least key, `""`; the last one has no end (Bigtable, 5.1; Dynamo has hashes instead).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray


class RangeError(ValueError):
    """Ranges that leave a key out or hold it twice, or a key at which no range can be split."""


class Range(NamedTuple):
    """The keys from `start`, itself included, up to `end`, itself left out; without an end if that is None."""

    start: str
    end: str | None

    def holds(self, key: str) -> bool:
        return self.start <= key and (self.end is None or key < self.end)

    def __str__(self) -> str:
        return f"[{self.start or '…'}, {self.end or '…'})"


class Ranges(msgspec.Struct, frozen=True):
    """The key space, cut at `starts`. Raises RangeError unless they begin with the least key and rise."""

    starts: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        if not self.starts or self.starts[0] != "" or any(one >= other for one, other in pairwise(self.starts)):
            raise RangeError(f"starts are {self.starts}; allowed is '' and then keys, each greater than the one before")

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, at: int) -> Range:
        """The range of this number; raises IndexError."""
        return Range(self.starts[at], self.starts[at + 1] if at + 1 < len(self.starts) else None)

    def at(self, key: str) -> int:
        """The number of the range that holds the key."""
        return bisect_right(self.starts, key) - 1

    def split(self, key: str) -> Ranges:
        """Cut a range in two: the second one starts at `key`. Raises RangeError if a range starts there already."""
        if key in self.starts:
            raise RangeError(f"key is {key!r}, where a range starts; allowed is a key strictly inside a range")
        at = self.at(key) + 1
        return msgspec.structs.replace(self, starts=(*self.starts[:at], key, *self.starts[at:]))

    def merged(self, at: int) -> Ranges:
        """Make one range of this one and the next. Raises RangeError if there is no next one."""
        if not 0 <= at < len(self) - 1:
            raise RangeError(f"at is {at}; allowed is 0 to {len(self) - 2}: the last range has none after it")
        return msgspec.structs.replace(self, starts=(*self.starts[: at + 1], *self.starts[at + 2 :]))

    def at_many(self, keys: Sequence[str]) -> NDArray[np.intp]:
        """`at` of many keys at once; shape (number of keys,)."""
        return np.searchsorted(np.array(self.starts), np.array(keys), side="right") - 1


# A range as a client knows it, and the epoch in which it learned it.
Piece = tuple[Range, int]


class RangeCache:
    """What a client knows of the ranges: pieces of different ages. None of them overlap: the newer one wins."""

    @staticmethod
    def found(pieces: Iterable[Piece], key: str) -> Piece | None:
        return next((piece for piece in pieces if piece[0].holds(key)), None)

    @staticmethod
    def learned(pieces: Iterable[Piece], new: Piece) -> tuple[Piece, ...]:
        """The pieces with a new one, which replaces those that it overlaps."""
        start, end = new[0]
        kept = (
            piece
            for piece in pieces
            if (end is not None and piece[0].start >= end) or (piece[0].end is not None and piece[0].end <= start)
        )
        return tuple(sorted((*kept, new), key=lambda piece: piece[0].start))

    @staticmethod
    def after(pieces: tuple[Piece, ...], this: Range) -> str | None:
        """Where a scan goes on: at the end of *this* range, not where the next piece starts, which may be older."""
        return this.end


def scan(
    cache: type[RangeCache], pieces: tuple[Piece, ...], ask: Callable[[str, Range | None], tuple[Piece, list[str]]]
) -> tuple[list[str], tuple[Piece, ...], int]:
    """All keys in order, range after range; the pieces known afterwards; how many ranges were asked.

    `ask(key, range)` asks the shard that is known for a key. It answers with its true range and the keys in it.
    """
    keys: list[str] = []
    at: str | None = ""
    asked = 0
    while at is not None:
        known = cache.found(pieces, at)
        piece, rows = ask(at, known[0] if known else None)
        keys += [key for key in rows if key >= at]
        pieces = cache.learned(pieces, piece)
        at, asked = cache.after(pieces, piece[0]), asked + 1
    return keys, pieces, asked
