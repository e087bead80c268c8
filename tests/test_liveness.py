"""After any single fault that is repaired, everything ends: each machine of each chapter, the fault at each step.

A property of single states says nothing of this: a process that asks for ever without an answer is never at rest. So a
run of each machine is played, one fault befalls it at a step, the fault is repaired at once or later, and then only the
usual events happen, in the order in which they are due: a fair schedule. Clients that wait ask again, one round later,
and the operator does what the machine offers: it repairs, suspects a crashed process, lets one join.

In seconds: every 401st case. Every seventh case, with three seeds, in some minutes, as a table:
pytest -m slow -rP tests/test_liveness.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from fair_runs import MACHINES, ROUND, Run, standard_run

from patterns.engine.planted import planted
from patterns.engine.simulation import Simulation
from patterns.engine.world import World
from patterns.leader_election.machines import RingElection
from patterns.replication.machines import Chain
from patterns.two_phase_commit import Branch, Coordinator, Participant, TwoPhaseCommit
from patterns.two_phase_commit.messages import Outcome

FAULTS = ("crash", "pause", "cut", "cut one way", "drop", "duplicate", "delay")
"""The menus of faults; each machine says which events of them can happen."""
BORNE: Mapping[type[Simulation], tuple[str, ...]] = {
    RingElection: ("pause", "delay"),
    Chain: ("crash", "pause", "duplicate", "delay"),
}
"""Machines whose model excludes other faults. On a ring no message is lost or doubled, and no process crashes. Chain
replication assumes fail-stop processes and links that lose nothing."""


class Case(NamedTuple):
    """A fault at a step of the standard run of a machine."""

    step: int
    world: World
    event: Any
    late: bool


def cases_of(machine: Simulation) -> Iterator[Case]:
    faults = next((BORNE[kind] for kind in type(machine).__mro__ if kind in BORNE), FAULTS)
    for at, world in enumerate(standard_run(machine)):
        for group in faults:
            for event in machine.enabled(world, group):
                yield from (Case(at, world, event, late) for late in (False, True))


def time_to_the_end(machine: Simulation, case: Case) -> int | None:
    run = Run(machine, case.world)
    run.do(case.event)
    if case.late:
        run.wait(4 * ROUND)
    for event in machine.repairs(run.world):
        run.do(event)
    return run.end()


class Tried(NamedTuple):
    """What was tried of a machine."""

    cases: Counter[str]
    longest: int
    worst: str
    endless: list[str]


def tried(machine: Simulation, every: int, seeds: range) -> Tried:
    """Every so manyth case for each seed."""
    cases, longest, worst, endless = Counter[str](), 0, "", list[str]()
    for seed in seeds:
        seeded = machine.again(seed=seed)
        for case in list(cases_of(seeded))[seed % every :: every]:
            words = f"seed {seed}, step {case.step}: {seeded.describe(case.world, case.event)}{', late' * case.late}"
            cases[type(case.event).__name__] += 1
            ms = time_to_the_end(seeded, case)
            if ms is None:
                endless.append(words)
            elif ms > longest:
                longest, worst = ms, words
    return Tried(cases, longest, worst, endless)


@pytest.mark.parametrize("title", MACHINES)
def test_after_a_single_fault_that_is_repaired_everything_ends(title: str) -> None:
    seen = tried(MACHINES[title], 401, range(1))
    assert seen.endless == []
    assert seen.cases


@pytest.mark.slow
@pytest.mark.parametrize("title", MACHINES)
def test_after_each_fault_at_each_step_everything_ends(title: str) -> None:
    seen = tried(MACHINES[title], 7, range(3))
    counts = ", ".join(f"{name} {many}" for name, many in sorted(seen.cases.items()))
    print(f"{title}: {seen.cases.total()} cases ({counts}), longest {seen.longest} ms: {seen.worst}")
    assert seen.endless == []


class NeverAsks(Participant):
    def when_in_doubt(self, branch: Branch) -> None:
        pass


class ForgetsToSendAgain(Coordinator):
    def awaits_acks(self, outcome: Outcome) -> bool:
        return False


def test_a_run_without_an_end_is_found() -> None:
    """The check can fail: a participant that never asks waits for ever, if the coordinator sends its decision once."""
    machine = planted(TwoPhaseCommit(n=2), participant=NeverAsks, coordinator=ForgetsToSendAgain)
    seen = tried(machine, 7, range(1))
    assert any("drop **commit T1**" in words for words in seen.endless), seen
