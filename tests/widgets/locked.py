"""The step at which a question stands."""

from __future__ import annotations

from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import find
from patterns.engine.step import Step
from widgets.question import Question


def locked(history: History[Any, Any], question: Question) -> Step[Any, Any]:
    """The first step of the run that this question locks; no question stands at a step that its run does not have."""
    assert question.at is not None
    step = find(history, question.at)
    assert step is not None
    return step
