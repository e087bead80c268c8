"""What clients saw, as operations with a beginning and an end.

If it is linearizable, clients can trust the cluster as if it were one server (section 8; Herlihy and Wing 1990).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from patterns.engine.linearizable import Model, Operation, Verdict, check
from patterns.engine.properties import Along, Broken, Transition
from patterns.engine.step import Step
from patterns.engine.world import Request, World

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


Operations = tuple[Operation, ...]


def followed(operations: Operations, event: Any, before: World, after: World) -> Operations:
    """The operations with what one more step adds: a client's call, and the answers that came.

    Their times count calls and answers. A retry is the same operation; being sent on to another server is no answer.
    """
    if isinstance(event, Request):
        call = before.call(event.client)
        if call is None or call.body != event.body:
            new = Operation(client=event.client, input=event.body, called=_now(operations))
            operations = (*operations, new)
    if after.calls is before.calls:
        return operations
    for call in after.calls:
        was = before.call(call.client)
        if is_done(call) and not (was and is_done(was) and was.body == call.body):
            operations = tuple(
                replace(each, output=call.reply.value, returned=_now(operations))
                if each.pending and (each.client, each.input) == (call.client, call.body)
                else each
                for each in operations
            )
    return operations


def _now(operations: Operations) -> int:
    return len(operations) + sum(not each.pending for each in operations)


def operations_of(path: Iterable[Step[World, Any]]) -> Operations:
    """What the clients of a run did and saw, given its steps from the root on (`History.path`)."""
    operations: Operations = ()
    for step in path:
        if step.parent is not None:
            operations = followed(operations, step.event, step.parent.state, step.state)
    return operations


def is_linearizable(path: Iterable[Step[World, Any]]) -> Verdict:
    """Whether what the clients of a run saw could have come from one server; printed, it says why or why not."""
    return check(operations_of(path), Store())


@Along.named("Clients see one store: their operations are linearizable", lambda world: ())
def linearizable(operations: Operations, step: Transition) -> Operations | Broken:
    """The memory: the operations so far. They are judged again at each answer."""
    now = followed(operations, step.event, step.before, step.after)
    if sum(not each.pending for each in now) == sum(not each.pending for each in operations):
        return now
    verdict = check(now, Store())
    return now if verdict else Broken(str(verdict))
