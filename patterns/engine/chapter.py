"""A chapter as a declaration: what the course adds to a pattern, under names that are the same in every chapter.

Each `patterns/<name>/lesson/__init__.py` exports `CHAPTER`; one test runs over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .exercise import Exercise
from .history import History
from .machine import Machine
from .milestones import Milestones, Reached
from .planted import Bug


class Chapter(NamedTuple):
    """What a chapter has."""

    name: str
    """As in `patterns/<name>`."""
    machines: Mapping[str, Machine[Any, Any]]
    """Title -> a machine at the size that a learner plays."""
    milestones: Mapping[type[Machine[Any, Any]], Milestones]
    """Kind of machine -> what its runs can be run until. A subclass has those of its bases too."""
    gallery: Mapping[str, Callable[[], History[Any, Any]]]
    """Title, a sentence -> a run worth seeing."""
    bugs: Mapping[str, Bug]
    """The fault in a few words -> planted bug."""
    exercises: Mapping[str, Exercise]
    """The name of the learner's function -> exercise."""

    def milestones_of(self, machine: Machine[Any, Any]) -> Milestones:
        """The milestones of a machine, those of its bases first."""
        found: dict[str, Reached] = {}
        for kind in reversed(type(machine).__mro__):
            found |= self.milestones.get(kind, {})
        return found
