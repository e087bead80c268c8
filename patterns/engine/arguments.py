"""Checks of arguments. Each error names the argument, its value and the allowed values."""

from __future__ import annotations

from typing import Any

from .params import refuse


def require_whole(name: str, value: Any, least: int | None = 1) -> None:
    """Raises ParameterError unless the value is a whole number, at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or (least is not None and value < least):
        refuse(name, value, "a whole number" if least is None else f"a whole number, at least {least}")


def require_hashable(name: str, value: Any) -> None:
    """Raises ParameterError for a value that has no hash, because it can change."""
    try:
        hash(value)
    except TypeError:
        refuse(name, value, "a hashable value")


def require_function(name: str, value: Any) -> None:
    """Raises ParameterError unless the value can be called."""
    if not callable(value):
        refuse(name, value, "a function")


def require_instance(name: str, value: Any, kind: type) -> None:
    """Raises ParameterError unless the value is of this kind; for a class it says how to make an instance."""
    if not isinstance(value, kind):
        refuse(name, value, f"a {kind.__name__}{f': write {value.__name__}()' if isinstance(value, type) else ''}")


def listed(name: str, value: Any, allowed: str) -> tuple[Any, ...]:
    """The items of an iterable. Raises ParameterError for anything else."""
    try:
        return tuple(value)
    except TypeError:
        refuse(name, value, allowed)
