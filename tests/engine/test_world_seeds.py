"""A seed is a run: draws, branches, replay codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from models.ping_pong import FiveGossips
from models.replicas import Replicas, asked

from patterns.engine.history import History
from patterns.engine.randomness import draw, mix
from patterns.engine.simulation import Simulation
from patterns.engine.world import (
    Crash,
    Cut,
    Delay,
    Duplicate,
    Heal,
    Pause,
    Restart,
)

REPOSITORY = Path(__file__).parents[2]


REPOSITORY = Path(__file__).parents[2]


# A seed is a run


def narrated(machine: Simulation, steps: int) -> str:
    history, lines = History(machine), []
    for _ in range(steps):
        event = machine.usual(history.state)
        lines.append(f"{history.state.clock} {machine.describe(history.state, event)}")
        step = history.advance()
        assert step
        lines += [machine.say(note) for note in step.notes]
    return "\n".join(lines)


def test_the_same_seed_is_the_same_run_and_another_seed_another() -> None:
    assert narrated(FiveGossips(seed=11), 200) == narrated(FiveGossips(seed=11), 200)
    assert narrated(FiveGossips(seed=11), 200) != narrated(FiveGossips(seed=12), 200)


def test_the_same_seed_is_the_same_run_in_every_process_and_under_every_hash_seed() -> None:
    program = (
        "import sys; sys.path[:0] = ['tests/engine'];"
        "from models.replicas import *; from patterns.engine.random_worlds import _RandomRun, FAULTS;"
        "from hashlib import sha256;"
        "run = _RandomRun(Replicas(seed=7), (), 7, FAULTS, False); run.go(400, 10); world = run.stage.state;"
        "print(sha256(repr([run.events, world.packets, world.processes[0].waiting]).encode()).hexdigest())"
    )
    digests = set()
    for hash_seed in ("0", "1", "12345"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        digests.add(subprocess.check_output([sys.executable, "-c", program], cwd=REPOSITORY, env=environment))
    assert len(digests) == 1


def test_a_draw_depends_on_its_labels_alone() -> None:
    throws = [draw(1, 6, 42, "die", n) for n in range(600)]
    assert throws == [draw(1, 6, 42, "die", n) for n in range(600)]
    assert {throws.count(face) for face in range(1, 7)} <= set(range(60, 141))
    assert throws != [draw(1, 6, 43, "die", n) for n in range(600)]
    with pytest.raises(ValueError, match="high is 1; allowed is a whole number, at least 2"):
        draw(2, 1, 0)


def test_the_first_numbers_of_a_key_are_those_of_splitmix64() -> None:
    """The vectors of seed 1234567 (rosettacode.org, "Pseudo-random numbers/Splitmix64")."""
    assert [mix(1234567, n) for n in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_branch_draws_what_has_nothing_to_do_with_the_change_as_before() -> None:
    history = History(FiveGossips(seed=2))
    for _ in range(40):
        history.advance()
    fork = history.step
    spans = []
    for event in (Crash("S5"), Pause("S5")):
        history.jump(fork)
        history.apply(event)
        for _ in range(10):
            history.advance()
        spans.append({(t.process, t.name, t.set): t.due for t in history.state.timers if t.process != "S5"})
    common = spans[0].keys() & spans[1].keys()
    assert len(common) >= 4
    assert all(spans[0][timer] == spans[1][timer] for timer in common)


def test_a_replay_code_brings_back_a_run_with_requests_and_faults() -> None:
    history = asked(seed=4)
    history.run(
        [Crash("B2"), Cut(("P",), ("B1", "B2"), one_way=True), Heal(), Duplicate(0), Delay(0, 30), Restart("B2")]
    )
    for _ in range(8):
        history.advance()
    again = History.replay(Replicas(), history.code)
    assert again.state == history.state
    assert [step.event for step in again.path] == [step.event for step in history.path]
