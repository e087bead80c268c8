"""Runs made to measure: usual things happen until a step is as wanted, and in between what the script says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .history import History
from .step import Step
from .world import Delay, Deliver, Drop, World

Run = History[World, Any]
LONG = 2_000
"""Steps: more than any scripted run has."""


class Unreached(RuntimeError):
    """A scripted run did not get where it was to go."""


def until(run: Run, holds: Callable[[Step[World, Any]], Any]) -> None:
    """Let usual things happen until a new step is as wanted. Raises Unreached when none is."""
    if run.run_until(lambda step: bool(holds(step)), LONG) is None:
        raise Unreached(f"{run.machine!r} stood still at {run.step!r}")


def to_the_end(run: Run) -> Run:
    """All that usually happens, for what comes to rest; the run then stands at its start. Raises Unreached."""
    while run.advance() is not None:
        if run.step.depth > LONG:
            raise Unreached(f"{run.machine!r} goes on after {LONG} steps")
    return at_start(run)


def at_start(run: Run) -> Run:
    """The run, standing at its start."""
    run.jump(0)
    return run


def arrive(run: Run, kind: type, to: str) -> None:
    """The first message of this kind to this process arrives now. Raises Unreached when none is on its way."""
    for packet in run.state.packets:
        if isinstance(packet.body, kind) and packet.to == to:
            run.apply(Deliver(packet.id))
            return
    raise Unreached(f"no {kind.__name__} is on its way to {to}")


def lose(run: Run, kind: type, *to: str) -> None:
    """The messages of this kind to these processes are lost; to all, if none is named."""
    for packet in run.state.packets:
        if isinstance(packet.body, kind) and (not to or packet.to in to):
            run.apply(Drop(packet.id))


def slowed(run: Run, process: str, by: int) -> Run:
    """All that usually happens, each message to `process` taking `by` ms longer. Returns the run, at its end.

    Raises ValueError for a negative delay or a process that is not there, and Unreached.
    """
    if by < 0:
        raise ValueError(f"by is {by} ms; it must not be negative")
    if process not in run.state.names:
        raise ValueError(f"there is no process {process!r}; the processes are {', '.join(run.state.names)}")
    late: set[int] = set()
    while run.step.depth <= LONG:
        for packet in run.state.packets:
            if by and packet.to == process and packet.id not in late:
                late.add(packet.id)
                run.apply(Delay(packet.id, by))
        if run.advance() is None:
            return run
    raise Unreached(f"{run.machine!r} goes on after {LONG} steps")
