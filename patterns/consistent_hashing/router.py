"""A router says which node a key goes to. Every scheme of this package has this one small interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

from patterns.engine.values import by_name

from .errors import DuplicateNode, NoNodes, RouterError, UnknownNode
from .placement import Node


class Router(ABC):
    """An immutable value: nodes, and the rule that sends each key to one of them.

    Equal nodes and equal options make equal routers, in whatever order the nodes were learned and in every process.
    Nodes are given as `Node` or by name alone. Raises DuplicateNode for a name given twice.
    """

    scheme: ClassVar[str]

    def __init__(self, nodes: Iterable[Node | str] = ()) -> None:
        self.nodes = self.arrange(tuple(node if isinstance(node, Node) else Node(node) for node in nodes))
        self.names = tuple(node.name for node in self.nodes)
        if len(set(self.names)) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise DuplicateNode(f"node {twice!r} is given twice; a name tells one node from another")

    @staticmethod
    def arrange(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """Nodes stand in the order of their names, so that the order in which they were learned does not matter."""
        return tuple(sorted(nodes, key=lambda node: node.name))

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's arguments beside the nodes."""
        return {}

    @abstractmethod
    def lookup(self, key: str) -> str:
        """The name of the node that `key` goes to. Raises TypeError for a key of another type, NoNodes without a
        node."""

    # other nodes, another router

    def including(self, node: Node | str) -> Self:
        """The router with one more node. Raises DuplicateNode."""
        new = node if isinstance(node, Node) else Node(node)
        if new.name in self.names:
            raise DuplicateNode(f"node {new.name!r} is there already; there are {self._listed}")
        return type(self)((*self.nodes, new), **self.options)

    def excluding(self, name: str) -> Self:
        """The router with one node less. Raises UnknownNode."""
        gone = self.node(name)
        return type(self)((node for node in self.nodes if node is not gone), **self.options)

    def reweighted(self, name: str, weight: float) -> Self:
        """The router with another weight of one node. Raises UnknownNode."""
        old = self.node(name)
        new = Node(name, weight, old.rack)
        return type(self)((new if node is old else node for node in self.nodes), **self.options)

    def node(self, name: str) -> Node:
        """The node of this name. Raises UnknownNode."""
        if node := by_name(self.nodes, name):
            return node
        raise UnknownNode(f"node {name!r} is unknown; there are {self._listed}")

    @property
    def _listed(self) -> str:
        return ", ".join(self.names) or "no nodes"

    def require_nodes(self) -> None:
        """Raises NoNodes without a node."""
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

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"{type(self).__name__}({list(self.names)}{options})"


class KeyMove(NamedTuple):
    """A key that has another owner than before."""

    key: str
    giver: str
    taker: str


def moved_keys(before: Router, after: Router, keys: Iterable[str]) -> tuple[KeyMove, ...]:
    """The keys that two routers, perhaps of different schemes, send to different nodes."""
    if isinstance(keys, str):
        raise RouterError(f"keys is the one str {keys!r}; it is a sequence of them")
    moves = [KeyMove(key, before.lookup(key), after.lookup(key)) for key in keys]
    return tuple(move for move in moves if move.giver != move.taker)
