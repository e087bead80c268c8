"""Stateless randomness: a draw is a function of a seed and labels, so going back and trying again changes nothing.

The mixer is SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 14). Labels
that are text enter by their BLAKE2b digest, so that no draw depends on PYTHONHASHSEED.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from .arguments import require_whole

_64_BITS = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix(key: int, n: int) -> int:
    """The nth of the 64-bit numbers that belong to `key`."""
    z = (key + (n + 1) * _GOLDEN) & _64_BITS
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _64_BITS
    return z ^ (z >> 31)


@lru_cache(maxsize=4096)
def _digest(label: str) -> int:
    return int.from_bytes(blake2b(label.encode(), digest_size=8).digest(), "big")


def key_of(*labels: int | str) -> int:
    """One 64-bit number for a seed and its labels, in this order."""
    key = 0
    for label in labels:
        key = mix(key ^ (_digest(label) if isinstance(label, str) else label & _64_BITS), 0)
    return key


def draw(low: int, high: int, *labels: int | str) -> int:
    """An integer from `low` to `high`, both included, that depends on the labels (integers, texts) alone.

    >>> draw(1, 6, 42, "die", "first throw") == draw(1, 6, 42, "die", "first throw")
    True
    """
    require_whole("low", low, least=None)
    require_whole("high", high, least=low)
    for label in labels:
        if not isinstance(label, str):
            require_whole("label", label, least=None)
    return low + key_of(*labels) % (high - low + 1)


def moment_of_kill(seed: int) -> int:
    """ms after which a measurement kills the leader, 5 to 104, for each seed another one: the same in each chapter."""
    return 5 + mix(key_of(seed, "kill"), 0) % 100
