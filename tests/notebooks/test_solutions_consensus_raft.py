"""The exercises of the Raft chapter as a learner meets them: the notebook's cells, the solutions, what goes wrong."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patterns.consensus_raft.lesson.exercises import judge_commit, judge_vote
from widgets.exercise import check
from widgets.player import Player

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SOLUTION = NOTEBOOKS / "solutions" / "consensus_raft.py"
SOLUTIONS = runpy.run_path(str(SOLUTION))
EXERCISES: dict[str, Callable[[Any], Any]] = {"grant": judge_vote, "commit_index": judge_commit}


def given() -> dict[str, str]:
    """The exercise cells of the notebook, by the name of the function that each begins."""
    notebook = json.loads((NOTEBOOKS / "05_consensus_raft.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(c["source"]) for c in notebook["cells"] if "exercise" in c["metadata"].get("tags", ())]
    return {source.removeprefix("def ").partition("(")[0]: source for source in sources}


def written(source: str, name: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    function: Callable[..., Any] = scope[name]
    return function


def changed(solution: str, was: str, becomes: str) -> Callable[..., Any]:
    """The reference solution with one part changed, as a learner may have written it."""
    source = SOLUTION.read_text(encoding="utf-8")
    assert source.count(was) == 1, was
    return written(source.replace(was, becomes), solution)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_notebook_has_the_exercise_and_as_it_stands_it_is_not_attempted_yet(name: str) -> None:
    judged = check(EXERCISES[name], written(given()[name], name))
    assert repr(judged).startswith("○ Not attempted yet.")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_solution_is_accepted(name: str) -> None:
    judged = check(EXERCISES[name], SOLUTIONS[name])
    assert judged, repr(judged)
    assert judged.verdict.what == "states"
    assert judged.verdict.tried > 2_000


WRONG = [
    ("grant", "not in (None, request.candidate_id)", "is not None", "refuses the repeated", "may have been lost"),
    ("grant", "server.voted_for not in (None, request.candidate_id)", "False", "votes twice", "second candidate"),
    ("grant", "theirs >= (server", "theirs > (server", "more, not at least", "Equal is enough"),
    (
        "grant",
        "theirs >= (server.last_log_term, server.last_log_index)",
        "theirs[1] >= server.last_log_index",
        "only the length",
        "lengths of logs alone",
    ),
    ("commit_index", "terms[index - 1] == current_term and ", "", "counts old terms", "Figure 8"),
    ("commit_index", "2 * holders > len(match)", "holders == len(match)", "all must have it", "a majority is enough"),
    ("commit_index", "2 * holders > len(match)", "2 * holders >= len(match) - 1", "half", "Of 5 it needs 3"),
]


@pytest.mark.parametrize(("name", "was", "becomes", "mistake", "hint"), WRONG, ids=[f"{w[0]}: {w[3]}" for w in WRONG])
def test_a_usual_mistake_is_refused_with_its_own_hint_and_a_run_that_shows_it(
    name: str, was: str, becomes: str, mistake: str, hint: str
) -> None:
    judged = check(EXERCISES[name], changed(name, was, becomes))
    assert not judged
    assert mistake in judged.verdict.mistake
    assert hint in judged.verdict.hint
    assert isinstance(judged.player, Player)


def test_a_leader_that_counts_old_terms_opens_in_the_player_where_figure_8_breaks() -> None:
    judged = check(judge_commit, changed("commit_index", "terms[index - 1] == current_term and ", ""))
    player = judged.player
    assert isinstance(player, Player)
    assert player.step is player.history.step
    broken = [reason for reason in player.frames[player.step.number]["always"] if reason]
    assert broken, "an invariant does not hold at the step it opens at"


@pytest.mark.parametrize("name", EXERCISES)
def test_code_that_raises_is_answered_in_words(name: str) -> None:
    judged = check(EXERCISES[name], lambda *arguments: 1 / 0)
    assert not judged
    assert "ZeroDivisionError" in repr(judged)
    assert "Traceback" not in repr(judged)
