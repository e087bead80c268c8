"""What a run can be told to run until: predicates on a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.step import Step
from patterns.saga.properties import all_ended


def fired(*rules: str) -> Callable[[Step[Any, Any]], bool]:
    """Whether one of these rules fired in the step."""
    return lambda step: any(note.rule in rules for note in step.notes)


def _all_ended(step: Step[Any, Any]) -> bool:
    return all_ended(step.state) and (step.parent is None or not all_ended(step.parent.state))


MILESTONES: Mapping[str, Callable[[Step[Any, Any]], bool]] = {
    "the pivot is passed": fired("O.pivot", "C.pivot"),
    "a step is refused": fired("S.refuse"),
    "it turns back": fired("O.back", "C.back"),
    "a step is undone": fired("S.undo"),
    "it asks again": fired("O.retry", "O.forward", "C.again"),
    "a compensation overtakes its request": fired("S.empty"),
    "a saga is stuck": fired("O.stuck", "C.stuck"),
    "a saga is completed": fired("O.completed", "C.completed"),
    "a saga is compensated": fired("O.compensated", "C.compensated"),
    "all sagas have ended": _all_ended,
}
