"""What a run can be told to run until."""

from __future__ import annotations

from patterns.engine.milestones import Milestones, fired

TOKEN: Milestones = {
    "a station enters": fired("T.enter"),
    "a station leaves": fired("T.leave"),
    "a duplicate is ignored": fired("T.old"),
}
