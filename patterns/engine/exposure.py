"""What a reader finds in rows while something is under way, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .history import History
from .world import World


class Exposure(NamedTuple):
    """What a reader finds in a row for a while."""

    row: str
    """Process and row: `P1.ann`."""
    begins: int
    ends: int
    """In ms, of the run."""
    seen: str
    """In a word: committed, locked."""

    @property
    def ms(self) -> int:
        return self.ends - self.begins


def exposures(history: History[World, Any], readable: Callable[[World], Mapping[str, str]]) -> tuple[Exposure, ...]:
    """What a reader finds in each row, from the start of a run's branch to its end, in order of time.

    `readable(world)` gives a word for each row of a world.
    """
    branch = history.branch
    end = branch[-1].state.clock
    lines: dict[str, list[Exposure]] = {}
    for step in branch:
        clock = step.state.clock
        for row, seen in readable(step.state).items():
            line = lines.setdefault(row, [])
            if line and line[-1].seen == seen:
                continue
            if line:
                line[-1] = line[-1]._replace(ends=clock)
            line.append(Exposure(row, clock, end, seen))
    return tuple(each for line in lines.values() for each in line if each.ms or len(line) == 1)
