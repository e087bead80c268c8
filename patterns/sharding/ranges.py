"""Ranges of keys: half-open [start, end), one after the other, so that every key is in exactly one of them.

The first range starts at the least key, `""`; the last one has no end (Bigtable, 5.1; Dynamo has hashes instead).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec


class RangeError(ValueError):
    """Ranges that leave a key out or hold it twice, or a key at which no range can be split."""


class Range(NamedTuple):
    """The keys from `start`, itself included, up to `end`, itself left out. With None, the range has no end."""

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


def scan(ranges: Ranges, keys: Sequence[str], after: Callable[[Range], str | None]) -> tuple[list[str], int]:
    """The keys in order, read range by range, and how many ranges were asked. `after` says where the scan goes on."""
    found: list[str] = []
    at: str | None = ""
    asked = 0
    while at is not None:
        this = ranges[ranges.at(at)]
        found += [key for key in keys if this.holds(key) and key >= at]
        at, asked = after(this), asked + 1
    return found, asked
