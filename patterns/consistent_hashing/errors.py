"""What can be wrong with a call, each with a message that names the argument, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class RouterError(ValueError):
    """Something asked of a router that it cannot do; the message says what and why. Nothing was changed."""


class DuplicateNode(RouterError):
    """A node's name is there already: names tell nodes apart."""


class UnknownNode(RouterError):
    """No node has this name."""


class NoNodes(RouterError):
    """There is no node that a key could go to."""


def bad_key(key: Any) -> TypeError:
    return TypeError(f"key is {key!r}, of type {type(key).__name__}; a key is a str")


def first_bad_key(keys: Iterable[Any]) -> TypeError:
    """The error for the first of `keys` that is not a str, saying where it stands."""
    at, key = next((at, key) for at, key in enumerate(keys) if not isinstance(key, str))
    return TypeError(f"keys[{at}] is {key!r}, of type {type(key).__name__}; a key is a str")
