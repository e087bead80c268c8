"""What a run can be told to run until."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones, fired
from token_ring.machine import TokenRing

TOKEN: Milestones = {
    "a station enters": fired("T.enter"),
    "a station leaves": fired("T.leave"),
    "a duplicate is ignored": fired("T.old"),
}
MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {TokenRing: TOKEN}
"""Kind of machine -> its milestones; a subclass has those of its bases."""
