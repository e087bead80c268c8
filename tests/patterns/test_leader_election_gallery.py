"""The scripted runs, told in words: read `golden/leader_election_*.txt` as their documentation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.leader_election import GALLERY, leaders


def narration(history: History[Any, Any]) -> str:
    """A run as text: the time, what happened, the rules that fired, and who leads."""
    machine, lines = history.machine, []
    for before, step in pairwise(history.branch):
        lines.append(f"{step.state.clock:5} ms  {machine.describe(before.state, step.event)}")
        lines += [f"          {machine.say(note)}" for note in step.notes]
        was, now = ([leader.id for leader in leaders(each.state)] for each in (before, step))
        if was != now:
            lines.append(f"       => {' and '.join(now) or 'nobody'} {'lead' if len(now) > 1 else 'leads'}")
    return "\n".join(lines).replace("**", "") + "\n"


@pytest.mark.parametrize("title", GALLERY)
def test_the_run_is_told_as_before(title: str, golden: Callable[[str, str], None]) -> None:
    history = GALLERY[title]()
    assert history.step.depth == 0, "a run of the gallery stands at its start"
    name = title.lower().replace(":", "").replace(" ", "_").replace("-", "_")
    golden(f"leader_election_{name}", narration(history))
