"""The picture of atomic commitment where there is more than it has room for: what is not shown is counted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.two_phase_commit import PROTOCOLS, TwoPhaseCommit
from widgets.chapters.two_phase_commit.view import VIEW as view
from widgets.scene import Box

FIVE = (
    {"ann": -10, "bob": 10},
    {"bob": -5, "cho": 5},
    {"ann": -1, "cho": 1},
    {"bob": 1, "ann": -1},
    {"cho": 1, "bob": -1},
)


def boxes(step: Any) -> dict[str, Box]:
    """What each process has on its disk and in its memory, by id."""
    return {mark.id: mark for mark in view.scene_of(step).panels[0].marks if isinstance(mark, Box)}


def texts(step: Any, prefix: str) -> list[str]:
    return [box.text for id, box in boxes(step).items() if id.startswith(prefix)]


def test_of_a_long_log_the_oldest_records_are_counted() -> None:
    run = History(TwoPhaseCommit(transfers=({"ann": -1, "bob": 1},) * 4))
    for _ in range(4):
        run.apply(next(iter(run.machine.enabled(run.state, "request"))))
        while run.advance():
            pass
    assert texts(run.step, "older:P1") == ["5 older"]
    assert texts(run.step, "record:P1") == ["commit T3", "prepare T4", "commit T4"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_of_many_transfers_at_once_the_last_are_counted_and_nothing_leaves_its_frame(protocol: str) -> None:
    run = History(TwoPhaseCommit(protocol=protocol, transfers=FIVE))
    for request in [*run.machine.enabled(run.state, "request")]:
        run.apply(request)
    assert re.fullmatch(r"\d more", texts(run.step, "below:C")[0])
    assert "T5" in boxes(run.step)["below:C"].title
    while run.advance():
        shown = boxes(run.step)
        for who in run.state.names:
            frame, disk = shown[f"memory:{who}"], shown[f"disk:{who}"]
            held = [box for box in shown.values() if box.of == f"process:{who}" and frame.y < box.y < disk.y]
            assert all(box.y + box.h <= frame.y + frame.h for box in held), f"step {run.step.number}"
