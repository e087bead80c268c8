"""A run in which one process is slow: whatever is sent to it takes longer."""

from __future__ import annotations

from typing import Any

from .history import History
from .world import Delay, World


def slowed(run: History[World, Any], process: str, by: int, most: int = 10_000) -> History[World, Any]:
    """Let all that usually happens happen, each message to `process` taking `by` ms longer. Returns the run.

    Raises ValueError for a negative delay or a process that is not there, RuntimeError when more than `most` steps do
    not come to an end.
    """
    if by < 0:
        raise ValueError(f"by is {by} ms; it must not be negative")
    if process not in run.state.names:
        raise ValueError(f"there is no process {process!r}; the processes are {', '.join(run.state.names)}")
    late: set[int] = set()
    for _ in range(most):
        for packet in run.state.packets:
            if by and packet.to == process and packet.id not in late:
                late.add(packet.id)
                run.apply(Delay(packet.id, by))
        if run.advance() is None:
            return run
    raise RuntimeError(f"{run.machine!r} goes on after {most} steps")
