"""After any single fault that is repaired, everything ends: each machine of each chapter, the fault at each step.

A property of single states says nothing of this: a process that asks for ever without an answer is never at rest. So a
run of each machine is played, one fault happens at a step, the fault is repaired at once or later, and then only the
usual events happen, in the order in which they are due: a fair schedule. Clients that wait ask again, one round later,
and the operator does what the machine offers: it repairs, suspects a crashed process, lets one join.

In seconds: every 401st case, and two pairs of faults. Every seventh case and 300 pairs, with three seeds, as a table:
pytest -m slow -rP tests/test_liveness.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import pytest
from fair_runs import MACHINES, ROUND, Run, is_wrong, standard_run

from patterns.engine.planted import planted
from patterns.engine.randomness import key_of, mix
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, World
from patterns.leader_election.machines import RingElection
from patterns.replication.configuration import SERVICE
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
replication assumes fail-stop processes, links that lose nothing, and a service that does not crash for good."""


class Case(NamedTuple):
    """A fault at a step of the standard run of a machine."""

    step: int
    world: World
    event: Any
    late: bool
    draw: Callable[[int], int] | None = None
    """Draws a second fault; None: there is no other."""


def faults_in(machine: Simulation, world: World) -> Iterator[Any]:
    """The faults that may happen to the machine here, a monitor's mistake included."""
    for group in next((BORNE[kind] for kind in type(machine).__mro__ if kind in BORNE), FAULTS):
        for event in machine.enabled(world, group):
            if event != Crash(SERVICE) or not machine.params.crash_stop:
                yield event
    mistakes = (request for request in machine.requests(world) if is_wrong(world, request.body))
    yield from (request for request in mistakes if not machine.why_not(world, request))


def cases_of(machine: Simulation) -> Iterator[Case]:
    for at, world in enumerate(standard_run(machine)):
        for event in faults_in(machine, world):
            yield from (Case(at, world, event, late) for late in (False, True))


def pairs_of(machine: Simulation, many: int) -> Iterator[Case]:
    """Drawn: a fault at a step of the standard run, up to 20 steps later another one, both repaired together."""
    worlds = standard_run(machine)
    for nth in range(many):
        draw = partial(mix, key_of(machine.params.seed, machine.name, nth))
        at = draw(0) % len(worlds)
        if first := list(faults_in(machine, worlds[at])):
            yield Case(at, worlds[at], first[draw(1) % len(first)], bool(draw(2) % 2), draw)


def time_to_the_end(machine: Simulation, case: Case) -> int | None:
    run = Run(machine, case.world)
    run.do(case.event)
    if case.draw is not None:
        for _ in range(case.draw(3) % 20):
            run.advance()
        if second := list(faults_in(machine, run.world)):
            run.do(second[case.draw(4) % len(second)])
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


def tried(machine: Simulation, every: int, seeds: range, pairs: int = 0) -> Tried:
    """Every `every`-th case for each seed, or `pairs` drawn pairs of faults."""
    cases, longest, worst, endless = Counter[str](), 0, "", list[str]()
    for seed in seeds:
        seeded = machine.again(seed=seed)
        for case in pairs_of(seeded, pairs) if pairs else list(cases_of(seeded))[seed % every :: every]:
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
    for pairs in (0, 2):
        seen = tried(MACHINES[title], 401, range(1), pairs)
        assert seen.endless == []
        assert seen.cases


@pytest.mark.slow
@pytest.mark.parametrize("title", MACHINES)
@pytest.mark.parametrize("pairs", [0, 100], ids=["one fault", "two faults"])
def test_after_each_fault_at_each_step_everything_ends(title: str, pairs: int) -> None:
    seen = tried(MACHINES[title], 7, range(3), pairs)
    counts = ", ".join(f"{name} {many}" for name, many in sorted(seen.cases.items()))
    what = f"{seen.cases.total()} {'pairs' if pairs else 'faults'} ({counts})"
    print(f"{title}: {what}, longest {seen.longest} ms: {seen.worst}")
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
