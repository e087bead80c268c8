"""Hash functions: bytes in, 64 bits out, the same in every process and on every machine.

Python's own `hash` of a str is salted anew in every process (PYTHONHASHSEED). Two routers that used it would disagree.
A ring can use any function whose *high* bits depend on every bit of the key: they decide where on the circle the key
stands. FNV-1a is not such a function; see `avalanche`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b, md5
from typing import NamedTuple

from .errors import RouterError

MASK64 = (1 << 64) - 1


class HashFunction(NamedTuple):
    """A hash function and the width of its results in bits."""

    of: Callable[[bytes], int]
    bits: int = 64


def blake2b_64(data: bytes) -> int:
    """BLAKE2b with an 8-byte digest (RFC 7693), read big-endian."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def ketama_32(data: bytes) -> int:
    """libketama's hash of a key: the first 4 bytes of MD5, read little-endian (`ketama_hashi` of ketama.c)."""
    return int.from_bytes(md5(data, usedforsecurity=False).digest()[:4], "little")


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


def fnv1a_mixed_64(data: bytes) -> int:
    """FNV-1a with the finalizer that it lacks."""
    return mix64(fnv1a_64(data))


HASHES: Mapping[str, HashFunction] = {
    "blake2b": HashFunction(blake2b_64),
    "fnv1a": HashFunction(fnv1a_64),
    "fnv1a-mixed": HashFunction(fnv1a_mixed_64),
    "ketama": HashFunction(ketama_32, bits=32),
}


def encoded(key: str, name: str = "key") -> bytes:
    """A key as bytes. Raises TypeError if it is not a str, RouterError if UTF-8 cannot encode it.

    `name` is what the errors call it.
    """
    try:
        return key.encode()
    except AttributeError:
        raise TypeError(f"{name} is {key!r}, of type {type(key).__name__}; a key is a str") from None
    except UnicodeEncodeError:
        raise RouterError(f"{name} is {key!r}; half a surrogate pair cannot be encoded in UTF-8") from None


def avalanche(name: str, keys: Iterable[str]) -> tuple[float, ...]:
    """How often each output bit flips when the lowest bit of a key's last byte does: shares, highest bit first.

    A hash that mixes gives one half everywhere. FNV-1a gives 0 in almost all of its upper 24 bits, the bits that decide
    where on the circle a key stands. Raises ValueError if `keys` is empty.
    """
    function = HASHES[name]
    before = [data for data in map(encoded, keys) if data]
    if not before:
        raise ValueError("keys has no key with a byte in it; avalanche needs one")
    flips = [function.of(data) ^ function.of(data[:-1] + bytes([data[-1] ^ 1])) for data in before]
    return tuple(sum(flip >> bit & 1 for flip in flips) / len(flips) for bit in reversed(range(function.bits)))
