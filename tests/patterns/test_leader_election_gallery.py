"""The scripted runs in words: read `golden/leader_election_*.txt` as their documentation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.leader_election import leaders
from patterns.leader_election.lesson import GALLERY


def narration(history: History[Any, Any]) -> str:
    """A run as text: the time, what happened, the rules that fired, and which processes lead."""
    machine, lines = history.machine, []
    for before, step in pairwise(history.branch):
        lines.append(f"{step.state.clock:5} ms  {machine.describe(before.state, step.event)}")
        lines += [f"          {machine.say(note)}" for note in step.notes]
        was, now = ([leader.id for leader in leaders(each.state)] for each in (before, step))
        if was != now:
            lines.append(f"       => {' and '.join(now) or 'nobody'} {'lead' if len(now) > 1 else 'leads'}")
    return "\n".join(lines).replace("**", "") + "\n"


@pytest.mark.parametrize("title", GALLERY)
def test_a_run_has_the_same_words_as_before(title: str, golden: Callable[[str, str], None]) -> None:
    history = GALLERY[title]()
    assert history.step.depth == 0, "a run of the gallery stands at its start"
    name = title.lower().replace(":", "").replace(" ", "_").replace("-", "_")
    golden(f"leader_election_{name}", narration(history))
