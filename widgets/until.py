"""Run until: usual steps until something is reached, and if it is not, why: what a learner has to do first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from patterns.engine.history import History
from patterns.engine.machine import Machine
from patterns.engine.sentences import counted, names
from patterns.engine.step import Step
from patterns.engine.world import Heal, Restart, Resume, World

ROUNDS = 3
"""A run goes in circles if it comes to the same world so often."""


def run_until(history: History[Any, Any], reached: Callable[[Step[Any, Any]], bool], most: int) -> str:
    """Let usual things happen until a new step is reached. Empty if one is; else why none is, in words.

    A run ends early when the same steps repeat: nothing but heartbeats can come.
    """
    met: dict[Hashable, list[int]] = {}
    for _ in range(most):
        step = history.advance()
        if step is None:
            return _because("nothing more happens by itself", history)
        if reached(step):
            return ""
        if _repeats(history.machine, step.state, met):
            return _because("the same steps repeat", history)
    return _because(f"not within {counted(most, 'step')}", history)


def _repeats(machine: Machine[Any, Any], state: Any, met: dict[Hashable, list[int]]) -> bool:
    """Whether the world was the same before, but for times, and all that is under way now began since then."""
    if not isinstance(state, World):
        return False
    times = met.setdefault(machine.key(state), [])
    times.append(state.clock)
    if len(times) < ROUNDS:
        return False
    since = times[-ROUNDS]
    began = [*(packet.sent for packet in state.packets), *(timer.set for timer in state.timers)]
    return state.clock > since and all(time >= since for time in began)


def _because(what: str, history: History[Any, Any]) -> str:
    missing = [*missing_in(history.machine, history.state)]
    return f"{what}. {'. '.join(missing)}." if missing else what


def missing_in(machine: Machine[Any, Any], state: Any) -> Iterator[str]:
    """What a learner may have to do before anything new can happen: undo a fault, or let a client ask."""
    repairs = [*machine.repairs(state)]
    down = [event.process for event in repairs if isinstance(event, Restart)]
    paused = [event.process for event in repairs if isinstance(event, Resume)]
    for processes, are, do in ((down, "down", "restart"), (paused, "paused", "resume")):
        if processes:
            is_are, them = ("is", "it") if len(processes) == 1 else ("are", "them")
            yield f"{names(processes)} {is_are} {are}: {do} {them} first"
    if Heal() in repairs:
        yield "Links are cut: heal them first"
    waits = isinstance(state, World) and any(call.waits for call in state.calls)
    if not repairs and not waits and any(True for _ in machine.enabled(state, "request")):
        yield "No client waits for an answer: let one ask first"
