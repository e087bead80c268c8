"""The space-time diagram of any message-passing history (Lamport 1978): where each step stands, and what caused it.

One line for each process, time to the right in steps. A message runs from the step that sent it to the step in which it
arrived. The player draws the diagram, and lights the causal past and future of an event (strip.js).
"""

from __future__ import annotations

from typing import Any

from patterns.engine.step import Step
from patterns.engine.trace import cause, lost, mover, received
from patterns.engine.world import Crash, Deliver, Drop, Fire, Request, Restart
from widgets.scene import Moment, Role

KINDS: dict[type, str] = {
    Deliver: "deliver",
    Fire: "fire",
    Crash: "crash",
    Restart: "restart",
    Request: "request",
    Drop: "drop",
}


def moment_of(step: Step[Any, Any], role: Role = "ink") -> Moment | None:
    """Where a step stands in the diagram; None if it is on no process's line (a cut, a heal, a delay)."""
    kind = KINDS.get(type(step.event), "local")
    packet = received(step) or lost(step)
    lane = packet.to if packet else mover(step)
    if not lane:
        return None
    sender = cause(step) if packet else None
    return Moment(
        lane=lane,
        kind=kind,
        label=str(packet.body) if packet else "",
        role=role,
        sent=sender.depth if sender else -1,
        sender=packet.sender if packet else "",
    )
