"""Hash functions: bytes in, 64 bits out, the same in every process and on every machine.

Python's own `hash` of a str is salted anew in every process (PYTHONHASHSEED), so two routers would disagree: it
must not place keys. What may: any function whose *high* bits depend on every bit of the key, because the high bits
say where on the circle a key stands. FNV-1a is here as the warning it is; see `avalanche`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import blake2b, md5
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import bad_key, first_bad_key

MASK64 = (1 << 64) - 1

Positions = NDArray[np.uint64]

_blake2b_8 = partial(blake2b, digest_size=8)
_digest_of_blake2b = blake2b.digest


class HashFunction(NamedTuple):
    """A hash function with its bulk form; both give the same numbers, `bits` wide."""

    name: str
    of: Callable[[bytes], int]
    many: Callable[[Sequence[bytes]], Positions]
    bits: int = 64
    finder: Callable[[list[int], list[str]], Callable[[str], str]] | None = None
    """`finder(stops, owners)` is a ring's lookup with this hash in line, where that is worth its lines."""


def blake2b_64(data: bytes) -> int:
    """BLAKE2b with an 8-byte digest (RFC 7693), read big-endian."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def _blake2b_many(data: Sequence[bytes]) -> Positions:
    # map() keeps the loop in C: the digest itself is then nearly all the cost
    digests = b"".join(map(_digest_of_blake2b, map(_blake2b_8, data)))
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def _blake2b_finder(stops: list[int], owners: list[str]) -> Callable[[str], str]:
    from_bytes = int.from_bytes

    def lookup(key: str) -> str:
        try:
            digest = blake2b(key.encode(), digest_size=8).digest()
        except AttributeError:
            raise bad_key(key) from None
        return owners[bisect_left(stops, from_bytes(digest, "big"))]

    return lookup


def md5_64(data: bytes) -> int:
    """The first 8 bytes of MD5 (RFC 1321), read big-endian. It mixes well; it is no longer a cryptographic hash."""
    return int.from_bytes(md5(data, usedforsecurity=False).digest()[:8], "big")


def ketama_32(data: bytes) -> int:
    """libketama's hash of a key: the first 4 bytes of MD5, read little-endian (`ketama_hashi` of ketama.c)."""
    return int.from_bytes(md5(data, usedforsecurity=False).digest()[:4], "little")


def _ketama_many(data: Sequence[bytes]) -> Positions:
    digests = b"".join([md5(item, usedforsecurity=False).digest() for item in data])
    return np.frombuffer(digests, dtype="<u4")[::4].astype(np.uint64)


def fnv1a_64(data: bytes) -> int:
    """FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923 section 3): xor a byte, multiply by 2^40 + 0x1b3, byte after byte."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value


def mix64(value: int) -> int:
    """A finalizer: every bit of `value` reaches every bit of the result (SplitMix64; Steele, Lea, Flood 2014, 5)."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK64
    return value ^ (value >> 31)


def mix64_many(values: Positions) -> Positions:
    """`mix64` of each of an array."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def fnv1a_mixed_64(data: bytes) -> int:
    """FNV-1a with the finalizer it lacks: the repair."""
    return mix64(fnv1a_64(data))


def _one_by_one(of: Callable[[bytes], int]) -> Callable[[Sequence[bytes]], Positions]:
    return lambda data: np.fromiter(map(of, data), np.uint64, len(data))


HASHES: Mapping[str, HashFunction] = {
    function.name: function
    for function in (
        HashFunction("blake2b", blake2b_64, _blake2b_many, finder=_blake2b_finder),
        HashFunction("md5", md5_64, _one_by_one(md5_64)),
        HashFunction("fnv1a", fnv1a_64, _one_by_one(fnv1a_64)),
        HashFunction("fnv1a-mixed", fnv1a_mixed_64, _one_by_one(fnv1a_mixed_64)),
        HashFunction("ketama", ketama_32, _ketama_many, bits=32),
    )
}


def encode_all(keys: Iterable[str] | NDArray[Any]) -> list[bytes]:
    """Keys - a sequence, or an array of strings - as bytes. Raises TypeError, naming the first that is not a str."""
    if isinstance(keys, str):
        raise TypeError(f"keys is the one str {keys!r}; it is a sequence or an array of them")
    listed: list[str] = keys.tolist() if isinstance(keys, np.ndarray) else list(keys)
    try:
        return list(map(str.encode, listed))
    except TypeError:
        raise first_bad_key(listed) from None


def avalanche(name: str, keys: Iterable[str]) -> NDArray[np.float64]:
    """How often each output bit flips when the lowest bit of a key's last byte does, highest bit first.

    A hash that mixes gives one half everywhere; FNV-1a gives 0 in almost all of its upper 24 bits, the bits that say
    where on the circle a key stands. Returns an array of `bits` shares from 0 to 1.
    """
    function = HASHES[name]
    before = [key for key in encode_all(keys) if key]
    after = [key[:-1] + bytes([key[-1] ^ 1]) for key in before]
    flipped = function.many(before) ^ function.many(after)
    shifts = np.arange(function.bits - 1, -1, -1, dtype=np.uint64)
    return np.asarray(((flipped[:, None] >> shifts) & np.uint64(1)).mean(axis=0), dtype=np.float64)
