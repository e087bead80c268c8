"""The scripted runs, told in words: read `golden/two_phase_commit_*.txt` as their documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.two_phase_commit import blocked, in_doubt
from patterns.two_phase_commit.lesson import GALLERY


def narration(history: History[Any, Any]) -> str:
    """A run as text: the time, what happened, the rules that fired, the participants in doubt, and the blocked
    transactions."""
    machine, lines = history.machine, []
    for before, step in pairwise(history.branch):
        lines.append(f"{step.state.clock:5} ms  {machine.describe(before.state, step.event)}")
        lines += [f"          {machine.say(note)}" for note in step.notes]
        was, now = (standing(each.state) for each in (before, step))
        if was != now:
            lines.append(f"       => {now or 'nobody is in doubt'}")
    return "\n".join(lines).replace("**", "") + "\n"


def standing(world: Any) -> str:
    doubt = ", ".join(f"{name} ({txn})" for name, txn, _ in in_doubt(world))
    stuck = ", ".join(blocked(world))
    return (f"in doubt: {doubt}" if doubt else "") + (f"; blocked: {stuck}" if stuck else "")


@pytest.mark.parametrize("title", GALLERY)
def test_the_run_is_told_as_before(title: str, golden: Callable[[str, str], None]) -> None:
    history = GALLERY[title]()
    name = re.sub(r"\W+", "_", title.lower())
    golden(f"two_phase_commit_{name}", narration(history))
