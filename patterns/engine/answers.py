"""What a learner's function gave in one call, compared with the right answer and shown in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .counterexample import FAILS

KINDS = {
    bool: "a truth value (True or False)",
    int: "a whole number",
    str: "a text",
    tuple | list: "a list or a tuple",
}
"""What an answer of this type is, in words; the first that fits."""
LONGEST_TEXT = 300
"""Characters of an answer that a verdict shows."""


class Answer(NamedTuple):
    """What a call gave: a value, or an exception in words."""

    value: Any = None
    problem: str = ""
    """The exception, as `IndexError: list index out of range`; empty if the rule raised no exception."""
    blank: bool = False
    """The exercise as it was given: it raises NotImplementedError, or returns None or `...`."""

    @property
    def endless(self) -> bool:
        return self.problem.startswith(("Endless", "an interruption"))

    def __str__(self) -> str:
        return f"stops with {self.problem}" if self.problem else f"gives {brief(self.value)}"


def answer_of(rule: Callable[..., Any], case: tuple[Any, ...]) -> Answer:
    """Call a learner's function. Whatever it raises becomes an answer, an interrupted endless loop too."""
    try:
        value = rule(*case)
    except NotImplementedError:
        return Answer(blank=True)
    except KeyboardInterrupt:
        return Answer(problem="an interruption: does its loop end?")
    except BaseException as problem:
        return Answer(problem=f"{type(problem).__name__}: {cut(str(problem))}".rstrip(": "))
    return Answer(value, blank=value is None or value is ...)


def equal(right: Any, given: Any) -> bool:
    """Whether an answer is the right one, and of the right type: 1 is not True, 2.0 is not 2. A list may be a tuple."""
    if isinstance(right, tuple | list):
        return isinstance(given, tuple | list) and len(right) == len(given) and all(map(equal, right, given))
    return all(isinstance(right, kind) == isinstance(given, kind) for kind in (bool, int)) and bool(right == given)


def odd_number(right: Any, given: Any) -> bool:
    """Whether a number has the right value and another type than the right one, in the answer or in a part of it."""
    if isinstance(right, tuple | list):
        return isinstance(given, tuple | list) and any(map(odd_number, right, given))
    return isinstance(right, int) and not equal(right, given) and bool(right == given)


def brief(value: Any) -> str:
    """A value that a learner's code gave, as text: its `__repr__` may fail, or never come to an end."""
    try:
        return cut(repr(value))
    except FAILS as problem:
        return f"a {type(value).__name__}, which cannot be shown: its __repr__ raises {type(problem).__name__}"


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def kind_of(value: Any) -> str:
    name = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
    return next((words for kind, words in KINDS.items() if isinstance(value, kind)), f"of type {name}")


def other_type(right: Any, given: Any) -> tuple[Any, Any] | None:
    """The first value whose type is not the right one, in the answer or in a part of it; else None."""
    if kind_of(right) != kind_of(given):
        return right, given
    parts = zip(right, given, strict=False) if isinstance(right, tuple | list) else ()
    return next((other for pair in parts if (other := other_type(*pair))), None)


def same_answer(one: Answer, other: Answer, same: Callable[[Any, Any], bool]) -> bool:
    """Whether two answers come of the same mistake."""
    if one.problem or other.problem:  # the kind of exception tells a mistake; its wording differs
        return one.problem.partition(":")[0] == other.problem.partition(":")[0]
    try:
        return one.blank == other.blank and same(one.value, other.value)
    except FAILS:
        return False
