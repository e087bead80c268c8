"""An append-only list: a sequential specification of one's own, as a user of the checker writes it."""

from __future__ import annotations

from typing import Any, ClassVar

from patterns.engine.linearizable import Model, Operation, Read
from patterns.engine.process import Message


class Append(Message, frozen=True):
    words = "append {value}"
    value: Any
    answers: ClassVar[bool] = False


class AppendList(Model):
    """`Append(value)` answers None; `Read()` answers all that was appended, in order, as a tuple."""

    name = "list"
    start: tuple[Any, ...] = ()

    def apply(self, state: Any, input: Any) -> tuple[Any, Any]:
        match input:
            case Append(value):
                return (*state, value), None
            case Read():
                return state, state
        raise self.refuse(input, Append, Read)

    def read_only(self, operation: Operation) -> bool:
        return isinstance(operation.input, Read)

    def saw(self, kept: Operation, other: Operation) -> bool:
        """A read saw the appends of the values in it."""
        return (
            isinstance(kept.input, Read)
            and not kept.pending
            and isinstance(other.input, Append)
            and other.input.value in kept.output
        )
