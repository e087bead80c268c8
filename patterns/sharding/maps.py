"""Shard maps: from a key to a shard, from a shard to a machine. Six ways, with one small interface.

A map is a value. What differs is how much a router must know, and what moves when a machine joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec
from msgspec.structs import replace

from .hashes import LEAST_TOKEN, murmur2, slot_of, token_of
from .ranges import Ranges


class ShardMap(msgspec.Struct, frozen=True):
    """The machine of each shard, by the shard's number."""

    machines: tuple[str, ...]
    owners: tuple[str, ...]

    @classmethod
    def begin(cls, machines: tuple[str, ...], shards: int, keys: tuple[str, ...]) -> Self:
        """As many shards as given, in blocks of like size: the first ones on the first machine."""
        return cls(machines, tuple(machines[at * len(machines) // shards] for at in range(shards)))

    def shard_of(self, key: str) -> int:
        """The number of the key's shard."""
        raise NotImplementedError

    def owner(self, key: str) -> str:
        return self.owners[self.shard_of(key)]

    def holders(self, key: str) -> list[int]:
        """All shards that hold the key: exactly one."""
        return [self.shard_of(key)]

    def label(self, shard: int) -> str:
        return str(shard)

    def named(self, shard: int) -> str:
        return f"shard {self.label(shard)}"

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(self.label, range(len(self.owners))))

    def asked_for(self, prefix: str) -> tuple[int, ...]:
        """The shards to ask for all keys that begin so: all of them, because a hash scatters the keys."""
        return tuple(range(len(self.owners)))

    def joined(self, machine: str) -> Self:
        """The map with one more machine, which owns no shard yet."""
        return replace(self, machines=(*self.machines, machine))

    def moved(self, shard: int, machine: str) -> Self:
        return replace(self, owners=(*self.owners[:shard], machine, *self.owners[shard + 1 :]))


class RangeMap(ShardMap, frozen=True):
    """Neighbours stay together: a shard is a range of keys."""

    ranges: Ranges = Ranges()

    @classmethod
    def begin(cls, machines: tuple[str, ...], shards: int, keys: tuple[str, ...]) -> Self:
        """The letters of the alphabet in equal parts, whatever the keys are."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        starts = ("", *dict.fromkeys(letters[26 * at // shards] for at in range(1, shards)))
        plain = ShardMap.begin(machines, len(starts), keys)
        return cls(plain.machines, plain.owners, Ranges(starts))

    def shard_of(self, key: str) -> int:
        return self.ranges.at(key)

    def holders(self, key: str) -> list[int]:
        return [at for at in range(len(self.ranges)) if self.holds(at, key)]

    def holds(self, shard: int, key: str) -> bool:
        return self.ranges[shard].holds(key)

    def label(self, shard: int) -> str:
        return self.ranges.starts[shard] or "first"

    def named(self, shard: int) -> str:
        return f"the range from {self.label(shard)}" if shard else "the first range"

    def asked_for(self, prefix: str) -> tuple[int, ...]:
        return tuple(range(self.ranges.at(prefix), self.ranges.at(prefix + chr(0x10FFFF)) + 1))

    def split(self, key: str) -> Self:
        """Both halves stay on their machine. Raises RangeError unless the key is strictly inside a range."""
        ranges, at = self.ranges.split(key), self.ranges.at(key)
        return replace(self, owners=(*self.owners[: at + 1], *self.owners[at:]), ranges=ranges)

    def merged(self, at: int) -> Self:
        """One range of two, on the machine of the first. Raises RangeError if there is no next range."""
        ranges = self.ranges.merged(at)
        return replace(self, owners=(*self.owners[: at + 1], *self.owners[at + 2 :]), ranges=ranges)


class SlotMap(ShardMap, frozen=True):
    """A fixed number of hash slots. A slot moves whole, and a key never changes its slot."""

    def shard_of(self, key: str) -> int:
        return slot_of(key, len(self.owners))


class ModuloMap(ShardMap, frozen=True):
    """One shard for each machine: hash modulo the number of machines. When that number changes, so does everything."""

    @classmethod
    def begin(cls, machines: tuple[str, ...], shards: int, keys: tuple[str, ...]) -> Self:
        return cls(machines, machines)

    def shard_of(self, key: str) -> int:
        return self.number(key) % len(self.owners)

    def number(self, key: str) -> int:
        return slot_of(key, 1 << 16)

    def joined(self, machine: str) -> Self:
        return replace(self, machines=(*self.machines, machine), owners=(*self.owners, machine))


class KafkaMap(ModuloMap, frozen=True):
    """Kafka's partitioner, one partition for each machine."""

    def number(self, key: str) -> int:
        return murmur2(key.encode()) & 0x7FFFFFFF


class TokenMap(ShardMap, frozen=True):
    """Cassandra's tokens, from the least to the last, in ranges of like size."""

    def shard_of(self, key: str) -> int:
        return (self.token(key) - LEAST_TOKEN) * len(self.owners) >> 64

    def token(self, key: str) -> int:
        return token_of(key)


class DirectoryMap(ShardMap, frozen=True):
    """A list that names the place of every key: any key can be moved alone, and the list is as long as the data."""

    listed: tuple[str, ...] = ()

    @classmethod
    def begin(cls, machines: tuple[str, ...], shards: int, keys: tuple[str, ...]) -> Self:
        plain = ShardMap.begin(machines, len(keys), keys)
        return cls(plain.machines, plain.owners, keys)

    def shard_of(self, key: str) -> int:
        """Raises ValueError for a key that is not listed."""
        return self.listed.index(key)


# Parameter `scheme` -> how a key finds its shard.
MAPS: Mapping[str, type[ShardMap]] = {
    "range": RangeMap,
    "slots": SlotMap,
    "modulo": ModuloMap,
    "directory": DirectoryMap,
    "kafka": KafkaMap,
    "tokens": TokenMap,
}


def published(map: ShardMap) -> ShardMap:
    """The same map, as another client of the system reads it: by the published function."""
    kind = next(each for each in type(map).__mro__ if each in MAPS.values())
    return kind(*msgspec.structs.astuple(map))  # type: ignore[no-any-return]


def moved_keys(before: ShardMap, after: ShardMap, keys: Iterable[str]) -> tuple[str, ...]:
    """The keys that are on another machine afterwards."""
    return tuple(key for key in keys if before.owner(key) != after.owner(key))
