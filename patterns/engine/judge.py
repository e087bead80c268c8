"""The old name of `exercise.py`, until the last chapter has moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .exercise import Answer, Case, Endless, Exercise, Mistake, Rule, Verdict, answer_of

__all__ = ["Answer", "Case", "Endless", "Mistake", "Verdict", "answer_of", "judge"]


def judge(
    function: Rule, reference: Rule, cases: Iterable[Case], *, tell: Any, mistakes: Any = (), **options: Any
) -> Verdict:
    return Exercise("", reference, lambda: cases, mistakes, tell, **options).judge(function)
