"""The exercises of chapter 4 as a learner meets them: the notebook's own cells, the solutions, and what goes wrong."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patterns.leader_election import judge_bully_answer, judge_fencing
from widgets.exercise import check
from widgets.player import Player

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTIONS = runpy.run_path(str(NOTEBOOKS / "solutions" / "leader_election.py"))
EXERCISES = {"on_election": judge_bully_answer, "may_pass": judge_fencing}


def given(name: str) -> Callable[..., Any]:
    """The exercise as it stands in the notebook's own cell."""
    notebook = json.loads((NOTEBOOKS / "04_leader_election.ipynb").read_text(encoding="utf-8"))
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


WRONG = [
    ("on_election", "return True, not electing", "return not electing, not electing", "silent in an election"),
    ("on_election", "return True, not electing", "return True, False", "no election"),
    ("on_election", "return True, not electing", "return True, True", "begins again"),
    ("may_pass", "return token >= highest", "return token > highest", "each token once"),
    ("may_pass", "return token >= highest", "return token <= highest", "the other way round"),
    ("may_pass", "return token >= highest", "return True", "no fence"),
]


@pytest.mark.parametrize(("name", "was", "becomes", "mistake"), WRONG, ids=[f"{w[0]}: {w[3]}" for w in WRONG])
def test_a_usual_mistake_is_refused_with_its_own_hint_and_a_run_to_step(
    name: str, was: str, becomes: str, mistake: str
) -> None:
    source = (NOTEBOOKS / "solutions" / "leader_election.py").read_text(encoding="utf-8")
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
