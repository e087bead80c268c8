"""The exercises of chapter 1 as a learner meets them: the notebook's own cells, the solutions, and what goes wrong."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patterns.consistent_hashing.lesson.exercises import judge_bounded, judge_lookup
from patterns.engine.judge import Verdict
from widgets.exercise import check
from widgets.player import Player

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTIONS = runpy.run_path(str(NOTEBOOKS / "solutions" / "consistent_hashing.py"))
EXERCISES = {"lookup": judge_lookup, "place_all": judge_bounded}


def cell(tag: str) -> dict[str, str]:
    """The source of every cell of the notebook with this tag, by the name of the function that it begins."""
    notebook = json.loads((NOTEBOOKS / "01_consistent_hashing.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if tag in cell["metadata"].get("tags", ())]
    return {source.removeprefix("def ").partition("(")[0]: source for source in sources}


def written(source: str, name: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    function: Callable[..., Any] = scope[name]
    return function


@pytest.mark.parametrize("name", EXERCISES)
def test_the_notebook_has_the_exercise_and_as_it_stands_it_is_not_attempted_yet(name: str) -> None:
    judged = check(EXERCISES[name], written(cell("exercise")[name], name))
    assert repr(judged).startswith("○ Not attempted yet.")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_solution_is_accepted(name: str) -> None:
    judged = check(EXERCISES[name], SOLUTIONS[name])
    assert judged, repr(judged)
    assert judged.verdict.tried > 100


def half(solution: str, was: str, becomes: str) -> Callable[..., Any]:
    """The reference solution with one part changed, as a learner may have written it."""
    source = (NOTEBOOKS / "solutions" / "consistent_hashing.py").read_text(encoding="utf-8")
    assert source.count(was) == 1, was
    return written(source.replace(was, becomes), solution)


WRONG = [
    ("lookup", "points[low % len(points)]", "points[low]", "no wrap", "after the last point comes the first"),
    ("lookup", "points[low % len(points)]", "points[min(low, len(points) - 1)]", "no wrap: the last point", "past the"),
    ("lookup", "points[low % len(points)]", "points[low - 1]", "off by one: the point before", "one point too early"),
    ("lookup", "points[middle][0] < position", "points[middle][0] <= position", "point's own", ">=, not >"),
    ("lookup", "len(points)][1]", "len(points)]", "point instead of node", "Give its node"),
    ("place_all", ">= capacity", "> capacity", "one too many", "equals the capacity"),
    ("place_all", "(at + 1) % len(points)", "at + 1", "no wrap", "after the last point comes the first"),
    ("place_all", "(at + 1) % len(points)", "(at - 1) % len(points)", "counter-clockwise", "clockwise"),
]


@pytest.mark.parametrize(("name", "was", "becomes", "mistake", "hint"), WRONG, ids=[f"{w[0]}: {w[3]}" for w in WRONG])
def test_a_usual_mistake_is_refused_with_its_own_hint(
    name: str, was: str, becomes: str, mistake: str, hint: str
) -> None:
    verdict: Verdict = check(EXERCISES[name], half(name, was, becomes)).verdict
    assert not verdict.accepted
    assert mistake in verdict.mistake
    assert hint in verdict.hint


def test_a_wrong_lookup_opens_in_the_player_as_the_walk_it_should_be() -> None:
    judged = check(judge_lookup, half("lookup", "points[low % len(points)]", "points[low]"))
    assert isinstance(judged.player, Player)
    assert judged.player.step.notes[0].rule == "wrap"


@pytest.mark.parametrize("name", EXERCISES)
def test_code_that_raises_is_answered_in_words(name: str) -> None:
    judged = check(EXERCISES[name], lambda *arguments: 1 / 0)
    assert not judged
    assert "ZeroDivisionError" in repr(judged)
    assert "Traceback" not in repr(judged)
