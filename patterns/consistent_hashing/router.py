"""A router says which node a key goes to. The one small interface that every scheme of this package has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .errors import DuplicateNode, NoNodes, RouterError, UnknownNode
from .placement import Node

Keys = Iterable[str] | NDArray[Any]


class Router(ABC):
    """An immutable value: nodes, and the rule that sends each key to one of them.

    Equal nodes and equal options make equal routers, in whatever order the nodes were learned and in every process.
    Nodes are given as `Node` or by name alone. Raises DuplicateNode for a name given twice.
    """

    scheme: ClassVar[str]

    def __init__(self, nodes: Iterable[Node | str] = ()) -> None:
        self.nodes = self.arrange(tuple(node if isinstance(node, Node) else Node(node) for node in nodes))
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DuplicateNode(f"node {twice!r} is given twice; a name tells one node from another")

    @staticmethod
    def arrange(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """The order that decides wherever order does: by name, so that it does not matter who was learned first."""
        return tuple(sorted(nodes, key=lambda node: node.name))

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's arguments beside the nodes."""
        return {}

    # which node

    @abstractmethod
    def lookup(self, key: str) -> str:
        """The name of the node that `key` goes to. Raises TypeError for what is no str, NoNodes where no node is."""

    def lookup_many(self, keys: Keys) -> NDArray[np.intp]:
        """The node of each of many keys, as indices into `nodes`; shape (number of keys,)."""
        listed: list[str] = keys.tolist() if isinstance(keys, np.ndarray) else list(keys)
        index = {node.name: at for at, node in enumerate(self.nodes)}
        return np.fromiter((index[self.lookup(key)] for key in listed), np.intp, len(listed))

    # other nodes, another router

    def including(self, node: Node | str) -> Self:
        """The router with one node more."""
        new = node if isinstance(node, Node) else Node(node)
        if any(old.name == new.name for old in self.nodes):
            raise DuplicateNode(f"node {new.name!r} is there already; there are {self._told}")
        return self._with((*self.nodes, new))

    def excluding(self, name: str) -> Self:
        """The router with one node less."""
        gone = self.node(name)
        return self._with(tuple(node for node in self.nodes if node is not gone))

    def reweighted(self, name: str, weight: float) -> Self:
        """The router with another weight of one node."""
        old = self.node(name)
        new = Node(name, weight, old.rack)
        return self._with(tuple(new if node is old else node for node in self.nodes))

    def _with(self, nodes: tuple[Node, ...]) -> Self:
        return type(self)(nodes, **self.options)

    def node(self, name: str) -> Node:
        """The node of this name. Raises UnknownNode."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise UnknownNode(f"node {name!r} is unknown; there are {self._told}")

    @property
    def _told(self) -> str:
        return ", ".join(node.name for node in self.nodes) or "no nodes"

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes)

    def _require_nodes(self) -> None:
        if not self.nodes:
            raise NoNodes("there are no nodes that a key could go to; include one first")

    # a value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Router):
            return NotImplemented
        return type(self) is type(other) and self.nodes == other.nodes and self.options == other.options

    @cached_property
    def _hashed(self) -> int:
        return hash((type(self).__name__, self.nodes, tuple(self.options.values())))

    def __hash__(self) -> int:
        return self._hashed

    def __reduce__(self) -> tuple[Any, ...]:
        return _router_of, (type(self), self.nodes, self.options)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"{type(self).__name__}({list(self.names)}{options})"


def _router_of(kind: type[Router], nodes: tuple[Node, ...], options: dict[str, Any]) -> Router:
    return kind(nodes, **options)


class Moved(NamedTuple):
    """Which of some keys go elsewhere after a change: parallel arrays, shape (number of moved keys,)."""

    keys: NDArray[np.object_]
    givers: NDArray[np.object_]
    takers: NDArray[np.object_]

    def __iter__(self) -> Iterator[Any]:
        return zip(self.keys.tolist(), self.givers.tolist(), self.takers.tolist(), strict=True)

    def __len__(self) -> int:
        return len(self.keys)


def moved_keys(before: Router, after: Router, keys: Keys) -> Moved:
    """The keys that two routers send to different nodes, with the node each leaves and the node each goes to.

    The routers may be of different schemes. Iterates as (key, giver, taker).
    """
    if isinstance(keys, str):
        raise RouterError(f"keys is the one str {keys!r}; it is a sequence of them")
    # arrays of objects: numpy's own strings lose the zero characters at their end
    listed = np.array(keys.tolist() if isinstance(keys, np.ndarray) else list(keys), dtype=np.object_)
    givers = np.array(before.names, dtype=np.object_)[before.lookup_many(listed)]
    takers = np.array(after.names, dtype=np.object_)[after.lookup_many(listed)]
    differ = givers != takers
    return Moved(listed[differ], givers[differ], takers[differ])
