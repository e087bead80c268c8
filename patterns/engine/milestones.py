"""What a run can be told to run until: predicates on a step, and how to make them.

MILESTONES: Milestones = {
    "the coordinator has decided": fired("C.commit", "C.abort"),
    "a participant is in doubt": first(when(in_doubt)),
}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .history import History
from .step import Step
from .world import Packet, World

Reached = Callable[[Step[Any, Any]], bool]
"""Whether a step is one that a run was to get to."""
Milestones = Mapping[str, Reached]
"""In words, as a menu shows it -> predicate."""


def fired(*rules: str, **values: Any) -> Reached:
    """One of these rules fired in the step; with `values`, with these values: `fired("S.do", step="charge")`."""

    def reached(step: Step[Any, Any]) -> bool:
        return any(note.rule in rules and note.values.items() >= values.items() for note in step.notes)

    return reached


def when(holds: Callable[[Any], Any]) -> Reached:
    """The step's state is such: `when(in_doubt)`."""
    return lambda step: bool(holds(step.state))


def first(reached: Reached) -> Reached:
    """The step is reached, and its parent was not: `first(when(in_doubt))` is where the doubt begins."""
    return lambda step: reached(step) and (step.parent is None or not reached(step.parent))


def on_its_way(kind: type | None = None, sender: str = "", to: str = "", **fields: Any) -> Reached:
    """Such a message is on its way in the step's world, see `messages`."""
    return lambda step: bool(messages(step.state, kind, sender, to, **fields))


def messages(
    world: World, kind: type | None = None, sender: str = "", to: str = "", **fields: Any
) -> tuple[Packet, ...]:
    """The packets on their way that carry a message of this type, sender and receiver, and with these fields.

    An argument left out matches any value. The packet that was sent first comes first.
    """
    found = [
        packet
        for packet in world.packets
        if (kind is None or isinstance(packet.body, kind))
        and sender in ("", packet.sender)
        and to in ("", packet.to)
        and all(getattr(packet.body, name, None) == value for name, value in fields.items())
    ]
    return tuple(sorted(found, key=lambda packet: packet.id))


def find(history: History[Any, Any], reached: Reached) -> Step[Any, Any] | None:
    """The first step of the current branch that is reached; None if no step is."""
    return next((step for step in history.branch if reached(step)), None)
