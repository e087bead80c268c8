"""Predict, then see: a question with plausible answers, the misconception behind each, and the step that it is
about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from patterns.engine.history import History
from patterns.engine.milestones import Reached, fired
from patterns.engine.sentences import page_of


class Option(msgspec.Struct, frozen=True):
    """A plausible answer; `because` says what it rests on: for a wrong one, the misconception."""

    text: str
    because: str
    right: bool = False


class Question(msgspec.Struct, frozen=True):
    """A prediction that locks a step until it is made. A wrong one is never punished: it stands beside the outcome."""

    prompt: str
    options: tuple[Option, ...]
    at: Reached | None = None
    """The step that it locks, by what happens there: `fired("C.commit")`."""
    chapter: str = ""
    """The chapter that asks it; empty for a question that a notebook makes."""
    name: str = ""
    """Its name on the page of the chapter's questions."""

    def __post_init__(self) -> None:
        if sum(option.right for option in self.options) != 1 or len(self.options) < 2:
            raise ValueError(f"{self.prompt!r} needs two or more options, exactly one of them right")

    @property
    def right(self) -> Option:
        """The right option."""
        return next(option for option in self.options if option.right)

    @property
    def shown(self) -> dict[str, Any]:
        """The question as JSON values, for a page."""
        return {"prompt": self.prompt, "options": msgspec.to_builtins(self.options)}


def questions_of(package: str, page: str = "questions.toml") -> dict[str, Question]:
    """The questions of a chapter by their names, from the page in its package.

    `at = { rule = "S.do", step = "charge" }` stands for `fired("S.do", step="charge")`. A page in another language has
    the same questions.
    """
    chapter = package.rpartition(".")[2]
    return {name: _question(chapter, name, **asked) for name, asked in page_of(package, page).items()}


def _question(chapter: str, name: str, prompt: str, options: Any, at: Mapping[str, Any] | None = None) -> Question:
    values = dict(at or {})
    reached = fired(values.pop("rule"), **values) if at else None
    return Question(prompt, msgspec.convert(options, tuple[Option, ...]), reached, chapter, name)


Asked = Mapping[int, Question] | Iterable[Question]


def locked_steps(history: History[Any, Any], ask: Asked) -> dict[int, Question]:
    """Number of a step -> the question that locks it.

    `ask` maps depths on the current branch to questions, or lists questions that say by `at` where they stand: at the
    first such step after the question before. Raises ValueError for a question whose step the branch does not have.
    """
    branch, placed, depth = history.branch, {}, 0
    if isinstance(ask, Mapping):
        for depth, question in ask.items():
            if not 1 <= depth < len(branch):
                raise ValueError(f"ask: a question stands at step {depth}; the branch has steps 1 to {len(branch) - 1}")
            placed[branch[depth].number] = question
        return placed
    for question in ask:
        if question.at is None:
            raise ValueError(f"ask: {question.prompt!r} does not say where it stands; give it `at=fired(...)`")
        depth = next((step.depth for step in branch[depth + 1 :] if question.at(step)), 0)
        if not depth:
            raise ValueError(f"ask: the run has no step at which {question.prompt!r} stands")
        placed[branch[depth].number] = question
    return placed
