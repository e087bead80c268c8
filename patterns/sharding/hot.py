"""Hot keys: how to see them, and what each cure costs.

To split a range does not split a key. Writes of one key can be salted over k keys: each read then asks all k. Reads of
one key can be spread over n copies: each write then goes to all n.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Heat(NamedTuple):
    """What a key has to bear in a second."""

    operations: float
    bytes: float


class Price(NamedTuple):
    """Operations in a second: on the shard that has most to do for the key, and on all shards together."""

    hottest: float
    total: float


def hot_keys(heat: Mapping[str, Heat], share: float = 0.1) -> tuple[str, ...]:
    """The keys with more than this share of all operations *or* of all bytes, the hottest first.

    Both are counted: many small writes are hot and have few bytes (foundationdb issue 1450).
    """
    whole = Heat(*(sum(each) or 1 for each in zip(*heat.values(), strict=True))) if heat else Heat(1, 1)
    parts = {key: max(each.operations / whole.operations, each.bytes / whole.bytes) for key, each in heat.items()}
    return tuple(sorted((key for key in parts if parts[key] > share), key=lambda key: (-parts[key], key)))


def price(reads: float, writes: float, salt: int = 1, copies: int = 1) -> Price:
    """What one key costs if it is salted over so many keys, each with so many copies, all on different shards."""
    return Price(reads / copies + writes / salt, reads * salt + writes * copies)


def salted(key: str, salt: int) -> tuple[str, ...]:
    """The keys over which a key is spread.

    >>> salted("Ann", 2)
    ('Ann#0', 'Ann#1')
    """
    return (key,) if salt == 1 else tuple(f"{key}#{at}" for at in range(salt))


def zipf(keys: int, s: float = 0.99) -> list[float]:
    """The share of each of so many keys, the most popular first: the nth is asked for in proportion to 1 / n^s."""
    parts = [nth**-s for nth in range(1, keys + 1)]
    whole = sum(parts)
    return [part / whole for part in parts]
