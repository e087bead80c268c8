"""From a key to a number, exactly as three systems do it: Redis Cluster, Kafka, Cassandra.

Two clients that disagree about one key lose it for each other, so each function follows its source to the bit.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable

SLOTS = 16_384  # of a Redis Cluster
MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1


# Redis Cluster: CRC16 of the hash tag


def slot_of(key: str | bytes, slots: int = SLOTS) -> int:
    """The hash slot of a key: CRC16 (XMODEM) of its hash tag, modulo 16,384. Raises TypeError for another type.

    The tag is the part between the first `{` and the first `}` after it, unless that is empty: then the whole key is
    hashed. There is one try (Redis Cluster specification, "Hash tags").

    >>> slot_of("123456789"), slot_of("{Asia}/Tokyo") == slot_of("{Asia}/Seoul") == slot_of("Asia")
    (12739, True)
    """
    try:
        _, _, rest = key.partition(b"{")  # type: ignore[arg-type]
    except (TypeError, AttributeError):  # not bytes yet
        key = encoded(key)
        _, _, rest = key.partition(b"{")
    if rest and (end := rest.find(b"}")) > 0:  # type: ignore[arg-type]
        key = rest[:end]
    return crc_hqx(key, 0) % slots  # type: ignore[arg-type]


# Kafka: murmur2 with the sign bit masked


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 of the bytes, an unsigned number of 32 bits (`Utils.murmur2`, seed 0x9747b28c)."""
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * 0x5BD1E995 & MASK32
        h = (h * 0x5BD1E995 ^ (k ^ k >> 24) * 0x5BD1E995) & MASK32
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * 0x5BD1E995 & MASK32
    h = (h ^ h >> 13) * 0x5BD1E995 & MASK32
    return h ^ h >> 15


def partition_of(key: str | bytes, partitions: int) -> int:
    """The partition of a record's key in Kafka. The sign bit is masked, not negated (`Utils.toPositive`)."""
    return (murmur2(encoded(key)) & 0x7FFFFFFF) % partitions


# Cassandra: murmur3 with a tail of signed bytes

LEAST_TOKEN, LAST_TOKEN = -(1 << 63), (1 << 63) - 1


def signed(byte: int) -> int:
    """A byte as Java reads it: -128 to 127."""
    return byte - 256 if byte > 127 else byte


def token_of(key: str | bytes, tail: Callable[[int], int] = signed) -> int:
    """The token of a partition key in Cassandra (`Murmur3Partitioner`): half of murmur3 x64-128, signed.

    The last bytes of a key are read as signed bytes, which other libraries do not do. An empty key has the least
    token. No other key has it: its place is taken by the last token.
    """
    data = encoded(key)
    if not data:
        return LEAST_TOKEN
    h1 = h2 = 0
    whole = len(data) & ~15
    for at in range(0, whole, 16):
        k1, k2 = (int.from_bytes(data[i : i + 8], "little") for i in (at, at + 8))
        h1 = (_rotated(h1 ^ _first(k1), 27) + h2) * 5 + 0x52DCE729 & MASK64
        h2 = (_rotated(h2 ^ _second(k2), 31) + h1) * 5 + 0x38495AB5 & MASK64
    k1 = k2 = 0
    for at, byte in enumerate(data[whole:]):
        if at < 8:
            k1 ^= tail(byte) << 8 * at
        else:
            k2 ^= tail(byte) << 8 * (at - 8)
    h1, h2 = h1 ^ _first(k1 & MASK64) ^ len(data), h2 ^ _second(k2 & MASK64) ^ len(data)
    h1 = h1 + h2 & MASK64
    h1, h2 = _final(h1), _final(h1 + h2 & MASK64)
    token = h1 + h2 & MASK64
    token = token - (1 << 64) if token >> 63 else token
    return LAST_TOKEN if token == LEAST_TOKEN else token


def _rotated(value: int, by: int) -> int:
    return (value << by | value >> 64 - by) & MASK64


def _first(k: int) -> int:
    return _rotated(k * 0x87C37B91114253D5 & MASK64, 31) * 0x4CF5AD432745937F & MASK64


def _second(k: int) -> int:
    return _rotated(k * 0x4CF5AD432745937F & MASK64, 33) * 0x87C37B91114253D5 & MASK64


def _final(k: int) -> int:
    k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & MASK64
    k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & MASK64
    return k ^ k >> 33


def encoded(key: str | bytes, name: str = "key") -> bytes:
    """A key as bytes. Raises TypeError if it is neither str nor bytes, ValueError if UTF-8 cannot encode it."""
    if isinstance(key, bytes):
        return key
    if not isinstance(key, str):
        raise TypeError(f"{name} is {key!r}, of type {type(key).__name__}; allowed is a str or bytes")
    return key.encode()
