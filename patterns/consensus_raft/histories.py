"""What clients saw, as operations with a beginning and an end.

If it is linearizable, clients can trust the cluster as if it were one server (section 8; Herlihy and Wing 1990).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from patterns.engine.linearizable import Model, Verdict, check, seen
from patterns.engine.linearizable.seen import Operations
from patterns.engine.step import Step
from patterns.engine.world import World

from .cluster import is_done
from .messages import Add, Get, Put


class Store(Model):
    """What the cluster must look like: one key-value store that executes one request at a time."""

    name = "store"
    start = None

    def apply(self, state: int | None, input: Any) -> tuple[int | None, int | None]:
        match input:
            case Put(_, _, value):
                return value, value
            case Add(_, _, by):
                return (state or 0) + by, (state or 0) + by
            case Get():
                return state, state
        raise self.refuse(input, Put, Add, Get)

    def key(self, input: Put | Add | Get) -> str:
        return input.key


def operations_of(path: Iterable[Step[World, Any]]) -> Operations:
    """What the clients of a run did and saw, given its steps from the root on (`History.path`)."""
    return seen.operations_of(path, is_done)


def is_linearizable(path: Iterable[Step[World, Any]]) -> Verdict:
    """Whether what the clients of a run saw could have come from one server; printed, it says why or why not."""
    return check(operations_of(path), Store())


linearizable = seen.linearizable("Clients see one store: their operations are linearizable", Store(), is_done)
"""What the clients see could have come from one server."""
