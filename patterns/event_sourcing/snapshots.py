"""A snapshot is a cache of one fold: it saves time and changes nothing else.

It carries the version that it includes, so a load goes on **after** it. It carries the name of its fold: a state that
other code has folded is discarded, whether that code is older or newer. Otherwise a load would mix two folds into a
state that no code ever meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

from .log import Log
from .shelf import CODEC, EMPTY, evolve, evolve_1
from .store import Recorded, Store


class Fold(NamedTuple):
    """A way to fold events into a state. The name, here a year, changes whenever the meaning of the state changes."""

    name: str
    empty: Any
    evolve: Callable[[Any, Any], Any]


LAST_YEAR = Fold("2025", EMPTY, evolve_1)
TODAY = Fold("2026", EMPTY, evolve)


class Snapshot(NamedTuple):
    """The state of a stream up to and including a version, as one fold sees it."""

    fold: str
    version: int
    state: Any


class Loaded(NamedTuple):
    """A state, the version that it stands for, and how many events were read for it."""

    state: Any
    version: int
    read: int
    from_snapshot: bool = False


def load(store: Store | Log, stream: str, fold: Fold = TODAY, snapshot: Snapshot | None = None) -> Loaded:
    """The state of a stream: from the snapshot if it can be used, else from the first event. Raises Unreadable."""
    if snapshot is not None and snapshot.fold == fold.name:
        last, *tail = store.read(stream, snapshot.version) or (None,)
        if last is not None and last.version == snapshot.version:  # else the stream was deleted since then
            return _folded(tail, fold, snapshot, from_snapshot=True)
    return _folded(store.read(stream), fold, Snapshot(fold.name, -1, fold.empty))


def _folded(events: Sequence[Recorded], fold: Fold, known: Snapshot, from_snapshot: bool = False) -> Loaded:
    state = reduce(fold.evolve, CODEC.facts(events), known.state)
    return Loaded(state, events[-1].version if events else known.version, len(events), from_snapshot)
