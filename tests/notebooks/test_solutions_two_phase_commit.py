"""The exercises of chapter 6 as a learner meets them: the notebook's own cells, the solutions, and what goes wrong."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patterns.two_phase_commit import judge_decision, judge_recovery
from widgets.exercise import check
from widgets.player import Player

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTIONS = runpy.run_path(str(NOTEBOOKS / "solutions" / "two_phase_commit.py"))
EXERCISES = {"decide": judge_decision, "to_ask": judge_recovery}


def given(name: str) -> Callable[..., Any]:
    """The exercise as it stands in the notebook's own cell."""
    notebook = json.loads((NOTEBOOKS / "06_two_phase_commit.ipynb").read_text(encoding="utf-8"))
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
    assert judged.verdict.what == "states"  # it was searched, not only tried on cases


def test_waiting_for_all_votes_after_a_no_is_slower_and_right() -> None:
    """BHG 7.4: the coordinator may abort at the first no; nothing says that it must."""
    judged = check(
        judge_decision,
        lambda votes, asked, timed_out: (
            "abort"
            if timed_out or (len(votes) == len(asked) and "no" in votes.values())
            else "commit"
            if len(votes) == len(asked)
            else "wait"
        ),
    )
    assert judged, repr(judged)


DECIDE = 'if timed_out or "no" in votes.values():'
COMMIT = 'return "commit" if len(votes) == len(asked) else "wait"'
LEFT = 'return [txn for kind, txn in log if kind == "prepared" and txn not in decided]'
WRONG = [
    ("decide", DECIDE, 'if "no" in votes.values():', "waits for ever"),
    ("decide", DECIDE, "if timed_out:", "no veto"),
    ("decide", COMMIT, 'return "commit" if votes else "wait"', "the first vote"),
    ("decide", COMMIT, 'return "commit" if len(votes) == len(asked) else "abort"', "does not wait"),
    ("to_ask", LEFT, "return []", "nothing"),
    ("to_ask", LEFT, 'return [txn for kind, txn in log if kind == "prepared"]', "all prepared"),
]


@pytest.mark.parametrize(("name", "was", "becomes", "mistake"), WRONG, ids=[f"{w[0]}: {w[3]}" for w in WRONG])
def test_a_usual_mistake_is_refused_with_its_own_hint_and_a_run_to_step(
    name: str, was: str, becomes: str, mistake: str
) -> None:
    source = (NOTEBOOKS / "solutions" / "two_phase_commit.py").read_text(encoding="utf-8")
    assert source.count(was) == 1, was
    judged = check(EXERCISES[name], written(source.replace(was, becomes), name))
    assert not judged
    assert judged.verdict.mistake == mistake
    assert judged.verdict.hint
    assert isinstance(judged.player, Player)


def test_a_mistake_that_takes_two_transactions_at_once_is_refused_in_words() -> None:
    """The search runs one transaction; the cases have up to three."""
    judged = check(judge_recovery, lambda log: [txn for kind, txn in log[-1:] if kind == "prepared"])
    assert not judged
    assert judged.verdict.mistake == "only the last record"
    assert "prepared T1, prepared T2" in judged.verdict.failing
    assert "Several transactions" in judged.verdict.hint


@pytest.mark.parametrize("name", EXERCISES)
def test_code_that_raises_is_answered_in_words(name: str) -> None:
    judged = check(EXERCISES[name], lambda *arguments: 1 / 0)
    assert not judged
    assert "ZeroDivisionError" in repr(judged)
    assert "Traceback" not in repr(judged)
