"""The colour and the short name of each node, the same in every step of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from patterns.consistent_hashing.state import Tier
from widgets.scene import Role

FEW_NODES = 12  # as many as have a bar of their own
FEW_POINTS = 40  # as many as have a disc of their own
FEW_KEYS = 60  # as many as have a dot of their own


class Cast(NamedTuple):
    """The nodes' colours, and up to three signs that tell one node from another: a short name is its own."""

    roles: Mapping[str, Role]
    tags: Mapping[str, str]


def cast_of(state: Tier) -> Cast:
    """Nodes take the colours in the order in which the tier came to know them."""
    return Cast({name: f"c{1 + at % 8}" for at, name in enumerate(state.known)}, tags_of(state.known))


def tags_of(names: tuple[str, ...]) -> dict[str, str]:
    """A name of up to three signs, or its ending (`cache-7` -> `7`, `node042` -> `042`), or its place in line."""
    short = [_ending(name) for name in names]
    tags = {name: tag for name, tag in zip(names, short, strict=True) if tag and short.count(tag) == 1}
    for at, name in enumerate(names, 1):
        if name not in tags:
            tags[name] = next(tag for tag in map(str, count(at)) if tag not in tags.values())
    return tags


def _ending(name: str) -> str:
    found = re.search(r"(?:[^0-9A-Za-z]([0-9A-Za-z]{1,3})|(?<!\d)(\d{1,3}))$", name)
    return name if len(name) <= 3 else (found[1] or found[2]) if found else ""
