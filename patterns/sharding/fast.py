"""The places of many keys at once, in arrays: slots of Redis Cluster, murmur2 of Kafka, and the numbers of ranges."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .hashes import SLOTS, encoded
from .ranges import Ranges

Places = NDArray[np.int64]
Joined = tuple[NDArray[np.uint8], Places, Places]


def slots_of(keys: Sequence[str | bytes], slots: int = SLOTS) -> NDArray[np.uint16]:
    """The slots of many keys at once; shape (number of keys,).

    CRC16 goes through keys of one length together, two bytes at a time.
    """
    found = np.zeros(len(keys), np.uint16)
    for which, _, rows in _by_length(_tags(*_joined(keys)), 2, left=True):
        crc = np.zeros(len(rows), np.uint16)
        for word in np.ascontiguousarray(rows.view(">u2").T, np.uint16):
            crc = _CRC[crc ^ word]
        found[which] = crc
    return found % np.uint16(slots) if slots < 1 << 16 else found


_CRC = np.array([crc_hqx(word.to_bytes(2), 0) for word in range(1 << 16)], np.uint16)


def murmur2_many(keys: Sequence[str | bytes]) -> NDArray[np.uint32]:
    """`murmur2` of many keys at once, those of one length together; shape (number of keys,)."""
    found, m = np.empty(len(keys), np.uint32), np.uint32(0x5BD1E995)
    for which, length, rows in _by_length(_joined(keys), 4, left=False):
        words = np.ascontiguousarray(rows.view("<u4").T)
        h = np.full(len(which), 0x9747B28C ^ length, np.uint32)
        for k in words[: length // 4]:
            k = k * m
            h = h * m ^ (k ^ k >> np.uint32(24)) * m
        if length % 4:
            h = (h ^ words[-1]) * m
        h = (h ^ h >> np.uint32(13)) * m
        found[which] = h ^ h >> np.uint32(15)
    return found


def at_many(ranges: Ranges, keys: Sequence[str]) -> NDArray[np.intp]:
    """`ranges.at` of many keys at once; shape (number of keys,)."""
    return np.searchsorted(np.array(ranges.starts), np.array(keys), side="right") - 1


def _by_length(joined: Joined, word: int, left: bool) -> Iterator[tuple[Places, int, NDArray[np.uint8]]]:
    """For each length: which keys have it, and their bytes, a row for each key, with zeros up to whole words.

    CRC16 begins with 0, so that zeros on the left change nothing.
    """
    buffer, starts, ends = joined
    for length in map(int, np.flatnonzero(np.bincount(ends - starts))):
        which, width = np.flatnonzero(ends - starts == length), -(-length // word) * word
        rows = np.zeros((len(which), width), np.uint8)
        at = slice(width - length, None) if left else slice(length)
        rows[:, at] = np.lib.stride_tricks.sliding_window_view(buffer, length)[starts[which]]
        yield which, length, rows


def _joined(keys: Sequence[str | bytes]) -> Joined:
    """All keys in one buffer, with a zero between any two, and where each begins and ends."""
    try:
        data = "\0".join(keys).encode()  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):
        data = b"\0".join(encoded(key, f"keys[{at}]") for at, key in enumerate(keys))
    buffer = np.frombuffer(data, np.uint8)
    ends = np.append(np.flatnonzero(buffer == 0), len(buffer))
    if len(ends) != len(keys):  # a key has a zero of its own
        ends = np.cumsum([len(encoded(key)) + 1 for key in keys], dtype=np.int64) - 1
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    return buffer, starts, ends


def _tags(buffer: NDArray[np.uint8], starts: Places, ends: Places) -> Joined:
    """Where the part of each key that is hashed begins and ends."""
    if not (buffer == ord("{")).any():
        return buffer, starts, ends
    none = np.array([len(buffer)])
    opens, closes = (np.concatenate([np.flatnonzero(buffer == ord(brace)), none]) for brace in "{}")
    first = opens[np.searchsorted(opens, starts)]
    after = closes[np.searchsorted(closes, first)]
    tagged = (first < ends) & (after < ends) & (after > first + 1)
    return buffer, np.where(tagged, first + 1, starts), np.where(tagged, after, ends)
