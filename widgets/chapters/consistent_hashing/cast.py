"""Who is on the stage: each node's colour and its short name, the same in every step of a run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import NamedTuple

from patterns.consistent_hashing.state import Tier
from patterns.engine.step import Step
from widgets.scene import Role

FEW_NODES = 12  # as many as have a bar of their own
FEW_POINTS = 40  # as many as have a disc of their own
FEW_KEYS = 60  # as many as have a dot of their own


class Cast(NamedTuple):
    roles: Mapping[str, Role]
    tags: Mapping[str, str]
    """Up to three signs that tell one node from another; a short name is its own."""


def cast_of(step: Step[Tier, object]) -> Cast:
    """Nodes take the colours in the order in which this branch of the run came to know them."""
    names: dict[str, None] = {}
    for earlier in step.path:
        names.update(dict.fromkeys(earlier.state.router.names))
        if earlier.state.joining:
            names[earlier.state.joining.node.name] = None
    roles = {name: f"c{1 + at % 8}" for at, name in enumerate(names)}
    return Cast(roles, tags_of(tuple(names)))


def tags_of(names: tuple[str, ...]) -> dict[str, str]:
    """A name of up to three signs, or its ending (`cache-7` -> `7`, `node042` -> `042`), or its place in line."""
    short = [_ending(name) for name in names]
    tags = {name: tag for name, tag in zip(names, short, strict=True) if tag and short.count(tag) == 1}
    taken = set(tags.values())
    for at, name in enumerate(names):
        if name not in tags:
            tags[name] = next(tag for tag in map(str, itertools.count(at + 1)) if tag not in taken)
            taken.add(tags[name])
    return tags


def _ending(name: str) -> str:
    if len(name) <= 3:
        return name
    found = re.search(r"(?:[^0-9A-Za-z]([0-9A-Za-z]{1,3})|(?<!\d)(\d{1,3}))$", name)
    return (found[1] or found[2]) if found else ""
