"""Errors of routers. Each message names the argument, its value and the allowed values."""

from __future__ import annotations


class RouterError(ValueError):
    """A router cannot do what it is asked to do; the message says why. Nothing was changed."""


class DuplicateNode(RouterError):
    """Another node has this name: names tell nodes apart."""


class UnknownNode(RouterError):
    """No node has this name."""


class NoNodes(RouterError):
    """No node is left that a key could go to."""
