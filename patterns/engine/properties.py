"""Properties of runs: `explore.py` checks them over all runs of a small machine, `random_worlds.py` over long ones.

A property with a reason is more than a predicate: where it fails it says why, in words, with the values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Self

from .arguments import listed, require_function
from .params import refuse
from .step import Note

Reason = str | None
"""Why a property does not hold, in words; None where it holds."""


class _Named:
    """A property with a name that says its meaning, and with functions."""

    def __init__(self, name: str, **functions: Callable[..., Any]) -> None:
        if not isinstance(name, str):
            refuse("name", name, "a text that says what must hold")
        for which, function in functions.items():
            require_function(which, function)
        self.name = name

    @classmethod
    def named(cls, name: str, *begin: Callable[[Any], Hashable]) -> Callable[[Callable[..., Any]], Self]:
        """As a decorator: the function below it becomes a property of this name; for `Along`, it follows `begin`."""
        return lambda function: cls(name, *begin, function)  # type: ignore[call-arg]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class Property(_Named):
    """Something that must hold. `reason` is None, or says in words why it does not hold in this state.

    As a decorator: `@Always.named("at most one leads at a time")` makes a property of the function below it.

    A property that speaks of more than one state carries a `memory` along the run: an immutable value,
    begun at the first state and followed at each step.
    """

    @property
    def remembers(self) -> bool:
        """Whether it carries a memory along the run."""
        kind = type(self)
        return kind.begin is not Property.begin or kind.follow is not Property.follow

    def begin(self, state: Any) -> Hashable:
        return None

    def follow(self, memory: Hashable, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Hashable:
        return memory

    def reason(self, memory: Hashable, state: Any) -> Reason:
        raise NotImplementedError


class Always(Property):
    """Holds in every state: `wrong(state)` says why it does not, or is None."""

    def __init__(self, name: str, wrong: Callable[[Any], Reason]) -> None:
        super().__init__(name, wrong=wrong)
        self.wrong = wrong

    def reason(self, memory: Hashable, state: Any) -> Reason:
        return self.wrong(state)


class AtRest(Always):
    """Holds wherever nothing more happens by itself: every saga has ended, every replica has caught up.

    A search asks it of each state without a usual next event.
    """


class Sometimes(_Named):
    """Can happen: `reached(state)` is true somewhere. Without it a check may pass because nothing ever happened.

    An exhaustive search must meet it at least once; a random run must reach it again once all faults are repaired.
    """

    def __init__(self, name: str, reached: Callable[[Any], bool]) -> None:
        super().__init__(name, reached=reached)
        self.reached = reached


class NoFailure(Property):
    """No handler raises. Every search checks it unasked."""

    def __init__(self) -> None:
        super().__init__("no handler fails")

    def reason(self, memory: Hashable, state: Any) -> Reason:
        return None


def checked(properties: Any) -> tuple[Property | Sometimes, ...]:
    """These properties as a tuple. Raises ParameterError for any other item, with the way to write a property."""
    every = listed("properties", properties, "a list of properties, such as [Always(name, function)]")
    for at, each in enumerate(every):
        if not isinstance(each, Property | Sometimes):
            function = "function" if isinstance(each, type) else getattr(each, "__name__", "function")
            refuse(f"properties[{at}]", each, f'a property: write Always("what must hold", {function})')
    return every
