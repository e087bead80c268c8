"""What clients did and saw: operations with the times of their call and return."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import isfinite
from typing import Any

import msgspec

from patterns.engine.arguments import listed, require_hashable
from patterns.engine.params import refuse

Time = int | float


class HistoryError(ValueError):
    """Operations that no clients could have made; the message names the operation and its fault."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as its client saw it (an invocation and its response in Herlihy & Wing 1990, section 2).

    Times are numbers of any one clock: milliseconds, or the numbers of steps. Operations that meet in one
    instant count as overlapping, so that no order is claimed that nobody saw.
    """

    client: Hashable
    """Its name or its number."""
    input: Any
    """The request: a hashable value that the model knows."""
    output: Any = None
    """What came back."""
    called: Time
    returned: Time | None = None
    """None: no answer is known. It may have taken effect at any time since its call, or may never."""
    failed: bool = False
    """It has certainly not taken effect, so it is left out of the search."""

    @property
    def pending(self) -> bool:
        return self.returned is None

    def precedes(self, other: Operation) -> bool:
        """Over before the other began: the order that a linearization must keep."""
        return self.returned is not None and self.returned < other.called


class Recorder:
    """Notes down operations as they happen. Its clock is its own count of calls and returns, so no two are equal.

    >>> history = Recorder()
    >>> number = history.call("A", "read")
    >>> history.returned(number, 7)
    >>> history.operations
    (Operation(client='A', input='read', output=7, called=0, returned=1, failed=False),)
    """

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._clock = 0

    def call(self, client: Hashable, input: Any) -> int:
        """A client asks; the number is the operation's, for what comes of it. Until then it is pending."""
        operation = Operation(client=client, input=input, called=self._clock)
        _check(operation)
        self._tick()
        self._operations.append(operation)
        return len(self._operations) - 1

    def returned(self, number: int, output: Any = None) -> None:
        self._settle(number, output=output)

    def failed(self, number: int) -> None:
        """It was refused, and has certainly not taken effect. Where that is not certain, leave it pending."""
        self._settle(number, failed=True)

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(self._operations)

    def _settle(self, number: int, **outcome: Any) -> None:
        if type(number) is not int or number not in range(len(self._operations)):
            raise HistoryError(f"operation {number!r} was never called: {len(self._operations)} were, numbered from 0")
        operation = self._operations[number]
        if not operation.pending:
            raise HistoryError(f"operation {number} is over: {operation}")
        self._operations[number] = msgspec.structs.replace(operation, returned=self._tick(), **outcome)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock - 1


def validated(operations: Iterable[Operation]) -> list[Operation]:
    """The operations in the order of their calls; HistoryError where no clients could have made them.

    A client makes one operation at a time (Herlihy & Wing 1990, 2.1: well-formed). It may give up on one, which
    stays pending, and go on.
    """
    ordered = list(listed("operations", operations, "a list of operations"))
    for operation in ordered:
        _check(operation)
    ordered.sort(key=lambda operation: operation.called)
    busy: dict[Hashable, Operation] = {}
    for operation in ordered:
        last = busy.get(operation.client)
        if last is not None and last.returned is not None and not last.precedes(operation):
            raise HistoryError(
                f"client {operation.client!r} called {operation.input} at {operation.called}, when its {last.input} "
                f"had not returned (at {last.returned}); a client makes one operation at a time"
            )
        busy[operation.client] = operation
    return ordered


def _check(operation: Operation) -> None:
    if not isinstance(operation, Operation):
        raise TypeError(f"a history is made of Operation; this is a {type(operation).__name__}: {operation!r}")
    for name, time in (("called", operation.called), ("returned", operation.returned)):
        if name == "returned" and time is None:
            continue
        if isinstance(time, bool) or not isinstance(time, int | float) or not isfinite(time):
            raise HistoryError(f"{name} is {time!r} in {operation}; it must be a finite number")
    if operation.returned is not None and operation.returned < operation.called:
        raise HistoryError(f"returned is {operation.returned}, before called, {operation.called}, in {operation}")
    if operation.output is not None and (operation.pending or operation.failed):
        what = "is pending" if operation.pending else "failed"
        raise HistoryError(f"output is {operation.output!r} of an operation that {what}: {operation}")
    require_hashable(f"input of {operation}", operation.input)
    require_hashable(f"client of {operation}", operation.client)
    if operation.client is None:
        refuse("client", None, "a name or a number")
