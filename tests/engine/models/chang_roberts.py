"""Leader election on a one-way ring, after the specification ChangRoberts.

Chang and Roberts, "An improved algorithm for decentralized extrema-finding in circular configurations of processes"
(1979); published with the model checker's counts in github.com/tlaplus/Examples, specifications/chang_roberts.
There the smallest identity wins, and node i has identity i.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always
from patterns.engine.step import Note


class Node(msgspec.Struct, frozen=True, gc=False):
    initiator: bool
    state: str
    began: bool = False
    msgs: frozenset[int] = frozenset()


class Begin(msgspec.Struct, frozen=True, tag=True):
    """n0: an initiator sends its own identity on."""

    node: int


class Receive(msgspec.Struct, frozen=True, tag=True):
    """n1: a node handles one of the messages that wait for it."""

    node: int
    id: int


class ChangRoberts(Machine[tuple[Node, ...], Begin | Receive]):
    name = "chang_roberts"
    rules = {}
    events = Begin | Receive

    class Params(AnyParams, frozen=True):
        initiators: tuple[bool, ...] = (True,)

    params: Params

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.initiators = self.params.initiators
        self.always = (Always("correctness", self.incorrect),)

    def start(self) -> tuple[Node, ...]:
        return tuple(Node(initiator, "cand" if initiator else "lost") for initiator in self.initiators)

    def enabled(self, state: tuple[Node, ...], group: str = "") -> Iterator[Begin | Receive]:
        for i, node in enumerate(state):
            if not node.began:
                yield Begin(i)
            else:
                yield from (Receive(i, id) for id in sorted(node.msgs))

    def choices(self, state: tuple[Node, ...]) -> tuple[Choice[Begin | Receive], ...]:
        return tuple(Choice(event, str(event)) for event in self.enabled(state))

    def apply(self, state: tuple[Node, ...], event: Begin | Receive) -> tuple[tuple[Node, ...], tuple[Note, ...]]:
        if event not in tuple(self.enabled(state)):
            raise NotEnabled(f"{event} cannot happen in {state}")
        i, nodes = event.node, list(state)
        node, forward = nodes[i], -1
        if isinstance(event, Begin):
            nodes[i] = msgspec.structs.replace(node, began=True)
            forward = i if node.initiator else -1
        else:
            id = event.id
            now = "lost" if id < i else "won" if id == i and node.state == "cand" else node.state
            nodes[i] = msgspec.structs.replace(node, msgs=node.msgs - {id}, state=now)
            forward = id if node.state == "lost" or id < i else -1
        if forward >= 0:
            to = (i + 1) % len(nodes)
            nodes[to] = msgspec.structs.replace(nodes[to], msgs=nodes[to].msgs | {forward})
        return tuple(nodes), ()

    def incorrect(self, state: tuple[Node, ...]) -> str | None:
        """The initiator with the smallest identity wins, and all others know that they lost."""
        for i, node in enumerate(state):
            others = [other for j, other in enumerate(state) if j != i]
            smallest = min((j for j, other in enumerate(state) if other.initiator), default=-1)
            if node.state == "won" and (i != smallest or any(other.state != "lost" for other in others)):
                return f"node {i} won among {state}"
        return None
