"""What the workshop says of its protocol is what its cells do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.milestones import fired
from patterns.engine.planted import planted
from patterns.engine.random_worlds import random_worlds
from patterns.engine.script import Script
from patterns.engine.world import Fire
from widgets.chapters.workshop import questions as ask
from widgets.exercise import check

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CELLS = {
    cell["id"]: "".join(cell["source"])
    for cell in json.loads((NOTEBOOKS / "workshop.ipynb").read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
}


@pytest.fixture(scope="module")
def made() -> SimpleNamespace:
    """The names that the cells make, up to the real processes."""
    names: dict[str, Any] = {"display": lambda *shown: None, "__name__": "workshop"}
    for id, cell in CELLS.items():
        if id == "real":
            break
        exec(compile(cell, id, "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


def asleep(machine: Any) -> tuple[str, History[Any, Any]]:
    """A client is paused when it gets the lease, and goes on when nothing else happens any more."""
    run = Script(machine).until(fired("C.hold"))
    sleeper = run.world["lock"].holder
    return sleeper, run.pause(sleeper).finish().resume(sleeper).finish().history


def test_the_steps_that_the_first_player_asks_for_overwrite_the_newer_list(made: SimpleNamespace) -> None:
    sleeper, history = asleep(made.Locks())
    assert history.state["storage"].tokens == (2, 2, 1)
    assert history.state["storage"].text == f"{sleeper}'s draft"
    assert made.in_order.wrong(history.state) == "a write with lease 1 came after one with lease 2"


def test_the_search_finds_a_client_that_wakes_up_too_late(made: SimpleNamespace) -> None:
    """The text above the outcome: both timers of the sleeper are late, `work` was due before `lease`."""
    broken = made.found.counterexample
    assert broken.property is made.in_order
    path = broken.history.path
    [woke] = [
        step for step in path if step.notes and step.notes[0].rule == "C.write" and step.notes[0].values["token"] == 1
    ]
    sleeper, before = woke.event.process, woke.parent.state
    assert woke.event == Fire(sleeper, "work")
    assert before.timer(sleeper, "work").due < before.timer(sleeper, "lease").due < before.clock
    assert before["storage"].tokens == (2,)
    assert ask.SEARCH.right.text.startswith("yes")


def test_the_judge_accepts_the_solution_after_every_run_and_an_untouched_cell_is_not_attempted(
    made: SimpleNamespace,
) -> None:
    assert not made.judged.verdict.attempted
    judged = check(made.judge, made.solution)
    assert judged
    assert judged.verdict.searches == 1
    assert judged.verdict.states > 1_000


@pytest.mark.parametrize(
    ("rule", "mistake", "said"),
    [
        (lambda token, highest: token > highest, "each lease once", "it never happens that both clients write twice"),
        (lambda token, highest: True, "", "a write with lease 1 came after one with lease 2"),
        (lambda token, highest: False, "", "it never happens that both clients write twice"),
        (lambda token, highest: token <= highest + 1, "", "a write with lease 1 came after one with lease 2"),
    ],
)
def test_the_judge_refuses_a_wrong_check_with_a_run(
    made: SimpleNamespace, rule: Callable[[int, int], bool], mistake: str, said: str
) -> None:
    judged = check(made.judge, rule)
    assert not judged
    assert judged.verdict.mistake == mistake
    assert said in judged.verdict.failing
    assert judged.player is not None
    assert judged.player.view is made.LockView


def test_the_check_holds_if_a_message_is_lost(made: SimpleNamespace) -> None:
    fenced = planted(made.Locks(budget={"drop": 1}), storage=made.FencedStorage)
    assert explore(fenced, [made.in_order]).holds


def test_each_note_has_a_sentence_each_rule_fires_and_the_view_draws_every_step(made: SimpleNamespace) -> None:
    runs = [made.found.counterexample.history, made.run.history, asleep(made.Locks())[1]]
    for history in runs:
        for step in history.branch:
            scene = made.LockView.scene_of(step)
            ids = [mark.id for panel in scene.panels for mark in panel.marks]
            assert len(ids) == len({*ids})
            assert all(history.machine.say(note) for note in step.notes)
    noted = {note.rule for history in runs for step in history.branch for note in step.notes}
    assert noted == {*made.Locks.rules}
    machine = planted(made.Locks(), storage=made.FencedStorage)
    assert random_worlds(machine, range(20), 60, [made.in_order]).counterexample is None


def test_the_question_of_the_guided_run_is_answered_by_the_run(made: SimpleNamespace) -> None:
    branch = made.run.history.branch
    woke = next(step for step in branch if made.question.at(step))
    assert made.question.right.text == "it sends its draft"
    assert woke.notes[0].values["text"] == f"{made.late}'s draft"
    holding = [sum(process.state == "holds" for process in map(step.state.__getitem__, "AB")) for step in branch]
    assert max(holding) == 2, "two clients believe that they hold the lock"
    assert branch[-1].state[made.late].state == "refused"
    assert branch[-1].state["storage"].tokens == (2, 2)
