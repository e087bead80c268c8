"""What a run of the cache tier can be told to run until."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones, fired, when

MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {
    CacheTier: {
        "the lookup has found its nodes": when(lambda tier: tier.walk is not None and tier.walk.done),
        "every point is placed": fired("joined", "join"),
        "a key has moved": when(lambda tier: tier.last.moved),
        "a read has missed": when(lambda tier: tier.last.misses),
        "every cache is warm": when(lambda tier: not tier.cold()),
    }
}
