"""From each state of a small machine the end can be reached: each machine that a bug is looked for in, without it.

Liveness has two halves. tests/test_liveness.py plays fair runs of whole machines; here every run of a small machine is
searched, unfair ones too. A dead end that is meant is declared with its reason, and must be there.

In seconds: the smaller machines. All: pytest -m slow tests/test_dead_ends.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from fair_runs import CHAPTERS, Run

from patterns.engine.dead_ends import dead_end
from patterns.engine.planted import Search, planted
from patterns.engine.simulation import Simulation
from patterns.engine.world import World
from patterns.two_phase_commit import Branch, Participant, TwoPhaseCommit, in_doubt
from patterns.two_phase_commit.readings import coordinator

BOUNDED: Mapping[str, str] = {
    "OneLeaseEach": "each holder asks for one lease only",
    "OneTerm": "there is one election only, and its votes may be split",
    "SmallCluster": "the terms are bounded, and the last election may have no winner",
    "SmallSnapshotCluster": "the terms are bounded, and the last election may have no winner",
}
"""Kinds of machines whose runs a search cuts off before their end -> how. They are not searched here."""
DEAD_ENDS: Mapping[str, str] = {
    "leader_election: silent in an election": "P1, which begins, crashes for good, and no process has heartbeats",
    "event_sourcing: minds no gap": "the subscriber asks for pages a few times only, and each answer may be lost",
    "replication: a name is used again after a lost disk": "no replica sends its state again (meets = 0)",
    "replication: the tree hashes only keys": "the monitor compares once, perhaps before the write",
    "replication: the tree combines by XOR": "the monitor compares once, perhaps before the write",
    "replication: a tombstone goes too soon": "the monitor compares once, perhaps before the removal",
    "replication: a hint outlives a tombstone": "the monitor compares once, perhaps before the removal",
}
"""Machines with a dead end that is meant -> why."""
LARGE = {
    "cqrs": {
        "a row does not know its last event",
        "positions are taken before the commit",
        "two versions share a checkpoint",
        "a parked event counts as applied",
        "the store says more than it looked at",
        "parks one event only",
        "a new mailer begins at the first event",
    },
    "event_sourcing": {
        "position before commit",
        "checkpoint by position under a horizon",
        "hold at a hole without end",
        "minds no gap",
    },
    "leader_election": {"impatient", "never says no"},
    "saga": {"no semantic lock loses an update"},
    "replication": {
        "acknowledges before it ships",
        "shrinks the set after it acknowledges",
        "promotes a stale copy",
        "a deposed primary is not fenced",
        "a deposed primary answers reads",
        "Sent is not sent again",
        "half counts as a majority",
        "R + W is N",
    },
    "sharding": {"changes out of order", "cleaned before the switch", "ASK is kept"},
    "two_phase_commit": {
        "sent before it is logged",
        "presumed abort forgets a commit",
        "presumed commit forgets whom it asked",
        "three phases, of which a backup skips one",
    },
}
"""Machines with more than 1,500 states, by the bug that is looked for in them: searched in the slow suite."""


def small_machines() -> Iterator[tuple[str, Simulation]]:
    """Each machine once, by the first bug that is looked for in it."""
    seen = set[Any]()
    for name, chapter in CHAPTERS.items():
        for title, bug in chapter.bugs.items():
            machine = bug.search.machine
            if not isinstance(machine, Simulation) or not isinstance(bug.search, Search):
                continue
            if type(machine).__name__ not in BOUNDED:
                key = (type(machine), msgspec.json.encode(machine.params))
                if key not in seen:
                    yield f"{name}: {title}", machine
                seen.add(key)


MACHINES = dict(small_machines())


def has_ended(machine: Simulation, world: World) -> bool:
    """Clients that ask once are not waited for: the process that they asked may have crashed."""
    run, params = Run(machine, world), machine.params
    asks_again = getattr(params, "retries", True) and getattr(params, "patience", True)
    if isinstance(machine, TwoPhaseCommit):
        return not in_doubt(world) and ("C" in world.down or not coordinator(world).open)
    return bool(run.ended(world)) and not (asks_again and run.waiting())


def cases() -> Iterator[Any]:
    for title in MACHINES:
        chapter, _, bug = title.partition(": ")
        yield pytest.param(title, marks=[pytest.mark.slow] if bug in LARGE.get(chapter, ()) else [], id=title)


@pytest.mark.parametrize("title", list(cases()))
def test_in_every_run_of_a_small_machine_the_end_can_still_be_reached(title: str) -> None:
    machine = MACHINES[title]
    found = dead_end(machine, lambda world: has_ended(machine, world))
    assert (found is not None) is (title in DEAD_ENDS), found and [step.event for step in found.branch[1:]]


class NeverAsks(Participant):
    def when_in_doubt(self, branch: Branch) -> None:
        pass


def test_a_dead_end_is_found() -> None:
    """A participant that never asks: the coordinator crashes and remembers nothing."""
    machine = planted(MACHINES["two_phase_commit: the vote is not forced"], participant=NeverAsks)
    found = dead_end(machine, lambda world: has_ended(machine, world))
    assert found is not None
