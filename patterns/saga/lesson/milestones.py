"""What a run can be told to run until."""

from __future__ import annotations

from patterns.engine.milestones import Milestones, fired, first, when
from patterns.saga.properties import all_ended

MILESTONES: Milestones = {
    "the pivot is passed": fired("O.pivot", "C.pivot"),
    "a step is refused": fired("S.refuse"),
    "a saga turns back": fired("O.back", "C.back"),
    "a step is undone": fired("S.undo"),
    "a process sends again": fired("O.retry", "O.forward", "C.again"),
    "a compensation overtakes its request": fired("S.empty"),
    "a saga is stuck": fired("O.stuck", "C.stuck"),
    "a saga is completed": fired("O.completed", "C.completed"),
    "a saga is compensated": fired("O.compensated", "C.compensated"),
    "all sagas have ended": first(when(all_ended)),
}
