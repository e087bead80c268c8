"""The picture of a commit protocol: who is in doubt and since when, what is on disk and what only in memory.

Colours are transactions. How one stands with a process has a sign and a word: working, in doubt, committed, aborted.
"""

from __future__ import annotations

from typing import Any

from patterns.engine.step import Step
from patterns.engine.trace import received
from patterns.engine.world import World
from widgets.kit import old as processes
from widgets.kit.old import is_fault, sends_of
from widgets.scene import Scene
from widgets.spacetime import moment_of

from . import kept, network
from .facts import facts_of
from .phases import era, ms_in_doubt
from .words import message_role

__all__ = ["costs_of", "facts_of", "scene_of", "sends_of", "signs", "title"]

title = "Two-phase commit"
signs = {
    "colour of a message, record, lock": "its transaction",
    "?": "in doubt: voted yes, and does not know what was decided; since how many ms",
    "…": "works, or waits for a lock",
    "✓": "has committed; a yes among the votes",
    "↶": "has aborted",
    "✗": "a no among the votes",
    "r": "a read-only vote: has nothing to write, and is done",
    "a": "has acknowledged the decision",
    "◆": "ready: knows that all voted yes (three-phase commit)",
    "✕": "crashed; its memory is empty",
    "filled record": "forced to the disk; light: lazy, it waited in memory first; dashed: it still waits there",
    "arc round a process": "a timer that runs out",
}


def scene_of(step: Step[World, Any]) -> Scene:
    world, packet = step.state, received(step)
    return Scene(
        panels=(network.panel(world), kept.panel(step)),
        clock=f"{world.clock:,} ms",
        moment=moment_of(step, message_role(packet.body) if packet else "ink"),
        era=era(world),
        lanes=world.names,
        fault=is_fault(step),
    )


def costs_of(step: Step[World, Any]) -> dict[str, int]:
    """Messages, writes to disk, and ms that participants were in doubt, of all together."""
    return {**processes.costs_of(step), "ms in doubt": ms_in_doubt(step)}
