"""Sequential specifications: what an object does when its operations come one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, ClassVar

from patterns.engine.process import Message

from .operations import Operation


class Model(ABC):
    """What one object does: `(state, input) -> (state, output)`, on immutable, hashable states.

    States and outputs are compared with `==`, as Python does: `1`, `1.0` and `True` are one value. An input type whose
    `answers` is False is only acknowledged: any output of it, such as "OK", is as good as another.
    """

    name: ClassVar[str]
    start: Hashable
    """The state before any operation."""

    @abstractmethod
    def apply(self, state: Any, input: Any) -> tuple[Any, Any]:
        """The next state and the output. Raises TypeError when the object has no such operation."""

    def key(self, input: Any) -> Hashable:
        """The part of the object that the operation touches. Parts are checked apart: a history is linearizable
        when each part's is (locality, Herlihy & Wing 1990, Theorem 1; P-compositionality, Horn & Kroening 2015)."""
        return None

    def read_only(self, operation: Operation) -> bool:
        """Whether an operation with this input and output never changes the state; false is always allowed. The
        search orders those at the first place where they fit."""
        return False

    def saw(self, kept: Operation, other: Operation) -> bool:
        """Whether `kept` could have come out otherwise without `other`; counterexamples leave out what nobody saw.

        The promise: without an operation that no later operation saw, a sequential run is still a run. True, the
        cautious answer, is always allowed.
        """
        return True

    def say(self, operation: Operation) -> str:
        """The operation in words: `read → 3`."""
        words = str(operation.input)
        silent = operation.pending or operation.failed or not answers(operation.input)
        return words if silent else f"{words} → {answer_in_words(operation.output)}"

    def refuse(self, input: Any, *known: type) -> TypeError:
        names = ", ".join(kind.__name__ for kind in known)
        return TypeError(f"a {self.name} knows {names}; input is {input!r}")


def answer_in_words(output: Any) -> str:
    """An answer as it is shown; a read that found no value has None as its answer."""
    return "nothing" if output is None else str(output)


def answers(input: Any) -> bool:
    """Whether the output of this input says more than that it was done."""
    return getattr(input, "answers", True)


# registers


class Read(Message):
    """Answers the value."""


class Write(Message):
    value: Any
    answers: ClassVar[bool] = False


class CompareAndSwap(Message):
    """Puts `new` where `expected` is; answers whether it did."""

    expected: Any
    new: Any


class _Cells(Model):
    """What a register and a key-value store have in common."""

    def read_only(self, operation: Operation) -> bool:
        """A read, and a swap that was refused."""
        swap = isinstance(operation.input, CompareAndSwap | PutIf)
        return isinstance(operation.input, Read | Get) or (swap and operation.output is False)

    def saw(self, kept: Operation, other: Operation) -> bool:
        """A read saw the writes of the value it answered; a swap saw what may have made it succeed or fail."""
        match other.input:
            case Write(value) | Put(_, value) | CompareAndSwap(_, value) | PutIf(_, _, value):
                left = value
            case _:
                return False
        match kept.input:
            case Read() | Get():
                return not kept.pending and bool(kept.output == left)
            case CompareAndSwap(expected, _) | PutIf(_, expected, _):
                # a swap that was refused may have been refused because of any other value
                return bool(expected != left) if kept.output is False else bool(expected == left)
        return False


class Register(_Cells):
    """A single value: `Read()` answers it, `Write(value)` replaces it and answers None."""

    name = "register"

    def __init__(self, start: Hashable = None) -> None:
        self.start = start

    def apply(self, state: Any, input: Any) -> tuple[Any, Any]:
        match input:
            case Read():
                return state, state
            case Write(value):
                return value, None
        raise self.refuse(input, Read, Write)


class CompareAndSwapRegister(Register):
    """A register with `CompareAndSwap(expected, new)` besides."""

    name = "compare-and-swap register"

    def apply(self, state: Any, input: Any) -> tuple[Any, Any]:
        match input:
            case CompareAndSwap(expected, new):
                return (new, True) if state == expected else (state, False)
            case Read() | Write():
                return super().apply(state, input)
        raise self.refuse(input, Read, Write, CompareAndSwap)


# a key-value store


class Get(Message):
    key: str


class Put(Message):
    key: str
    value: Any
    answers: ClassVar[bool] = False


class PutIf(Message):
    """Puts `value` where `expected` is (None: where nothing is); answers whether it did."""

    key: str
    expected: Any
    value: Any


class KeyValueStore(_Cells):
    """`Get(key)` answers the value or None; `Put(key, value)` None, `PutIf(key, expected, value)` whether it did.

    Its keys are parts of their own. A state is a frozenset of (key, value) pairs.
    """

    name = "key-value store"
    start: frozenset[tuple[str, Any]] = frozenset()

    def apply(self, state: Any, input: Any) -> tuple[Any, Any]:
        if not isinstance(input, Get | Put | PutIf):
            raise self.refuse(input, Get, Put, PutIf)
        held = dict(state)
        match input:
            case Get(key):
                return state, held.get(key)
            case PutIf(key, expected, _) if held.get(key) != expected:
                return state, False
        return frozenset((held | {input.key: input.value}).items()), isinstance(input, PutIf) or None

    def key(self, input: Any) -> Hashable:
        return input.key if isinstance(input, Get | Put | PutIf) else None

    def saw(self, kept: Operation, other: Operation) -> bool:
        """As for a register, key by key."""
        return bool(kept.input.key == other.input.key) and super().saw(kept, other)
