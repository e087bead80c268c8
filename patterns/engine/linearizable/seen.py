"""What the clients of a run saw, as operations with a beginning and an end, and the property that they fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from patterns.engine.along import Along, Broken, Transition
from patterns.engine.step import Step
from patterns.engine.world import Call, Request, World

from .models import Model
from .operations import Operation
from .verdict import check

Operations = tuple[Operation, ...]
IsDone = Callable[[Call], bool]
"""Whether a client has its answer. A client that is sent on, or that gives up, has none."""


def followed(operations: Operations, event: Any, before: World, after: World, is_done: IsDone) -> Operations:
    """The operations after one more step, which adds a client's call and the answers that came.

    Their times count calls and answers. A retry is the same operation. Only requests with a `serial` are operations.
    """
    if isinstance(event, Request) and hasattr(event.body, "serial"):
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


def operations_of(path: Iterable[Step[World, Any]], is_done: IsDone) -> Operations:
    """What the clients of a run did and saw, given its steps from the root on (`History.path`)."""
    operations: Operations = ()
    for step in path:
        if step.parent is not None:
            operations = followed(operations, step.event, step.parent.state, step.state, is_done)
    return operations


def linearizable(name: str, model: Model, is_done: IsDone) -> Along:
    """The property that what the clients see could have come from one such object."""

    def judge(operations: Operations) -> str | None:
        broken = check(operations, model).counterexample
        return None if broken is None else " ".join(broken.words.replace(":\n- ", ": ").splitlines()[:1])

    return judged(name, judge, is_done)


def judged(name: str, judge: Callable[[Operations], str | None], is_done: IsDone) -> Along:
    """The property that `judge` has nothing to say against what the clients saw. It is asked at each answer.

    Its memory is the operations so far.
    """

    @Along.named(name, lambda world: ())
    def follow(operations: Operations, step: Transition) -> Operations | Broken:
        now = followed(operations, step.event, step.before, step.after, is_done)
        if sum(not each.pending for each in now) == sum(not each.pending for each in operations):
            return now
        wrong = judge(now)
        return now if wrong is None else Broken(wrong)

    return follow
