"""The exercises of chapter 7 as a learner meets them: the notebook's own cells, the solutions, and what goes wrong."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patterns.saga.lesson.exercises import judge_compensations, judge_idempotence
from widgets.exercise import check
from widgets.player import Player

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTIONS = runpy.run_path(str(NOTEBOOKS / "solutions" / "saga.py"))
EXERCISES = {"compensate_next": judge_compensations, "what_to_do": judge_idempotence}


def given(name: str) -> Callable[..., Any]:
    """The exercise as it stands in the notebook's own cell."""
    notebook = json.loads((NOTEBOOKS / "07_saga.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if "exercise" in cell["metadata"].get("tags", ())]
    return written(next(source for source in sources if source.startswith(f"def {name}(")), name)


def written(source: str, name: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    function: Callable[..., Any] = scope[name]
    return function


@pytest.mark.parametrize("name", EXERCISES)
def test_the_notebook_has_the_exercise_and_as_it_stands_it_is_not_attempted_yet(name: str) -> None:
    assert repr(check(EXERCISES[name], given(name))).startswith("○ Not attempted yet.")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_solution_is_accepted(name: str) -> None:
    judged = check(EXERCISES[name], SOLUTIONS[name])
    assert judged, repr(judged)


NEXT = "return [step for step in standing if not any(step in after[later] for later in standing)]"
STANDING = 'if what == "started" and step not in gone'
WRONG = [
    ("compensate_next", NEXT, "return standing[:1]", "the first first"),
    ("compensate_next", NEXT, "return standing", "all at once"),
    ("compensate_next", NEXT, "return []", "never"),
    ("compensate_next", STANDING, 'if what == "done" and step not in gone', "forgets the step under way"),
    ("compensate_next", 'in ("refused", "undone")', 'in ("undone",)', "undoes what was refused"),
    ("compensate_next", 'in ("refused", "undone")', 'in ("refused",)', "undoes it again"),
    ("what_to_do", 'return "do nothing" if True in mine else "apply"', 'return "apply"', "after its compensation"),
    (
        "what_to_do",
        'return "apply" if mine.get(False) == "done" else "do nothing"',
        'return "apply"',
        "undoes what was not done",
    ),
    ("what_to_do", "if undo in mine", "if not undo and undo in mine", "undoes twice"),
    ("what_to_do", "if undo in mine", "if mine", "one key for both"),
    ("what_to_do", "if (of, name) == (saga, step)", "if name == step", "any saga"),
    ("what_to_do", "if (of, name) == (saga, step)", "if of == saga", "any step"),
]


@pytest.mark.parametrize(("name", "was", "becomes", "mistake"), WRONG, ids=[f"{w[0]}: {w[3]}" for w in WRONG])
def test_a_usual_mistake_is_refused_with_its_own_hint_and_a_run_to_step(
    name: str, was: str, becomes: str, mistake: str
) -> None:
    source = (NOTEBOOKS / "solutions" / "saga.py").read_text(encoding="utf-8")
    assert source.count(was) == 1, was
    judged = check(EXERCISES[name], written(source.replace(was, becomes), name))
    assert not judged
    assert judged.verdict.mistake == mistake
    assert judged.verdict.hint
    assert isinstance(judged.player, Player)


@pytest.mark.parametrize("name", EXERCISES)
def test_code_that_raises_is_answered_in_words(name: str) -> None:
    judged = check(EXERCISES[name], lambda *arguments: 1 / 0)
    assert not judged
    assert "ZeroDivisionError" in repr(judged)
    assert "Traceback" not in repr(judged)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("compensate_next", 3), ("compensate_next", "charge"), ("what_to_do", "skip"), ("what_to_do", True)],
)
def test_an_answer_of_the_wrong_kind_is_refused_in_words(name: str, answer: Any) -> None:
    judged = check(EXERCISES[name], lambda *arguments: answer)
    assert not judged
    assert judged.verdict.hint
    assert isinstance(judged.player, Player)
