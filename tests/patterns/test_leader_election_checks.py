"""What elections promise, in every run of small ones and in long random ones; and that broken ones are caught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from patterns.leader_election.chapter import ALGORITHMS

from patterns.engine.explore import explore
from patterns.engine.properties import Property, Sometimes
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.leader_election import (
    ASSUMPTIONS,
    BUGS,
    GALLERY,
    NO_FAULTS,
    RULES,
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
    RaftElection,
    in_first_requests,
)
from patterns.leader_election.properties import (
    elected,
    highest_alive_agreed,
    highest_alive_leads,
    highest_wins,
    leader_writes,
    one_coordinator,
    one_leader,
)
from patterns.leader_election.raft import newest_term_led

WITHOUT_REQUESTS = {group: share for group, share in FAULTS.items() if group != "request"}
NOTHING_DOUBLED = {group: share for group, share in WITHOUT_REQUESTS.items() if group != "duplicate"}
CRASHES = {"crash": 0.01, "restart": 0.05}
TIMED = {**CRASHES, "cut": 0.01, "heal": 0.02, "drop": 0.03}
"""Faults that leave the clock alone: nothing comes later than its latency, nobody stands still."""


# Every run


def small_bully(crashes: int, **options: Any) -> BullyElection:
    settings = {"n": 3, "heartbeat": 0, "synchronous": True, "budget": {**NO_FAULTS, "crash": crashes}}
    return BullyElection(**{**settings, **options})


@pytest.mark.parametrize(("starts", "crashes"), [((1,), 2), ((1, 2), 1)])
def test_in_every_synchronous_run_the_highest_alive_leads_and_no_other(starts: Any, crashes: int) -> None:
    """What the bully promises (CDKB 15.3, E1 and E2): where messages keep their time and who crashes stays down."""
    found = explore(
        small_bully(crashes, starts=starts, crash_stop=True), (one_leader, highest_alive_leads, highest_alive_agreed)
    )
    assert found.complete
    assert found.holds, found


def test_where_who_crashed_comes_back_two_lead_no_longer_than_word_takes() -> None:
    found = explore(small_bully(1), (one_coordinator, highest_alive_agreed))
    assert found.complete
    assert found.holds, found


def test_where_who_crashed_comes_back_some_may_go_by_the_wrong_one() -> None:
    """CDKB 15.3: the one promise that recovery takes away. The shortest such run is the gallery's."""
    found = explore(small_bully(1), (highest_alive_leads,))
    assert found.counterexample
    assert "P1 follows P2, but P3 is alive" in found.counterexample.reason
    assert len(found.counterexample.history.path) == len(GALLERY["bully: a recovery in the wrong moment"]().branch)


def test_where_timeouts_may_come_at_any_moment_two_lead() -> None:
    found = explore(small_bully(0, synchronous=False), (one_coordinator,))
    assert found.counterexample


def test_in_every_run_whatever_the_timing_fencing_protects_the_storage() -> None:
    """Two holders that ask once; leases run out at any moment, which is all that pauses and clocks can do."""
    machine = LeaseElection(writes=1, budget=NO_FAULTS)
    found = explore(machine, (*LeaseElection.always[1:], leader_writes), within=in_first_requests)
    assert found.complete_within
    assert found.holds, found


def test_in_every_run_with_true_clocks_one_holder_leads_at_a_time() -> None:
    machine = LeaseElection(writes=1, budget=NO_FAULTS, synchronous=True)
    found = explore(machine, (*LeaseElection.always, leader_writes), within=in_first_requests)
    assert found.complete_within
    assert found.holds, found


def test_in_every_run_of_a_term_raft_elects_one() -> None:
    """Raft 5.2: each server votes once in a term, and a majority is needed."""
    machine = RaftElection(servers=3, budget={**NO_FAULTS, "crash": 1})
    found = explore(
        machine, within=lambda world: all(server.current_term <= 1 for server in world.processes), max_depth=8
    )
    assert found.counterexample is None


# Planted bugs


@pytest.mark.parametrize("name", BUGS)
def test_the_check_catches(name: str) -> None:
    bug = BUGS[name]
    found = bug.search() if bug.by == "search" else bug.wander()
    if found.counterexample:
        assert found.counterexample.property.name == bug.breaks
    else:
        assert bug.by == "search"
        assert found.never == (bug.breaks,)
        assert found.complete_within


@pytest.mark.parametrize("name", ["impatient", "counts from the answer"])
def test_what_only_random_worlds_catch_is_the_bugs_own_fault(name: str) -> None:
    bug = BUGS[name]
    repaired = type(bug.machine).__mro__[1](**bug.machine.params)  # the same machine, with the processes as they are
    runs = bug.wander(repaired, seeds=40)
    assert runs.holds, runs


# Random worlds


@pytest.mark.parametrize(
    ("machine", "properties", "faults", "seeds"),
    [
        pytest.param(BullyElection(n=4), (one_coordinator, highest_alive_agreed), CRASHES, 60, id="bully, as assumed"),
        pytest.param(BullyElection(n=4), (highest_alive_agreed,), WITHOUT_REQUESTS, 30, id="bully recovers"),
        pytest.param(
            ChangRobertsElection(budget={**NO_FAULTS, "delay": 99, "duplicate": 99}),
            (*ChangRobertsElection.always, elected),
            {"next": 0.4, "delay": 0.1, "duplicate": 0.1},
            40,
            id="Chang-Roberts",
        ),
        pytest.param(
            HirschbergSinclairElection(budget={**NO_FAULTS, "delay": 99, "duplicate": 99}),
            (*HirschbergSinclairElection.always, elected),
            {"next": 0.4, "delay": 0.1, "duplicate": 0.1},
            40,
            id="Hirschberg-Sinclair",
        ),
        pytest.param(
            ChangRobertsElection(), (one_leader, highest_wins), WITHOUT_REQUESTS, 20, id="Chang-Roberts, safety alone"
        ),
        pytest.param(
            HirschbergSinclairElection(),
            (one_leader, highest_wins),
            WITHOUT_REQUESTS,
            20,
            id="Hirschberg-Sinclair, safety alone",
        ),
        pytest.param(
            LeaseElection(), (*LeaseElection.always[1:], leader_writes), NOTHING_DOUBLED, 60, id="fenced storage"
        ),
        pytest.param(LeaseElection(), (*LeaseElection.always, leader_writes), TIMED, 60, id="leases"),
        pytest.param(
            LeaseElection(drift=40, speed={"A": 75, "B": 120}),
            (*LeaseElection.always, leader_writes),
            TIMED,
            60,
            id="leases with clocks no worse than allowed for",
        ),
        pytest.param(RaftElection(), (*RaftElection.always, newest_term_led), WITHOUT_REQUESTS, 20, id="Raft"),
    ],
)
def test_in_random_worlds_it_keeps_its_promises(
    machine: Any, properties: tuple[Property | Sometimes, ...], faults: Mapping[str, float], seeds: int
) -> None:
    runs = random_worlds(machine, range(seeds), 150, properties, faults=faults)
    assert runs.holds, runs


@pytest.mark.parametrize(
    ("machine", "faults", "breaks"),
    [
        pytest.param(BullyElection(n=4), {"cut": 0.02}, one_leader, id="bully under partitions"),
        pytest.param(BullyElection(n=4), {"pause": 0.02, "resume": 0.02}, one_leader, id="bully with pauses"),
        pytest.param(LeaseElection(speed={"A": 60}), TIMED, one_leader, id="a lease with a slow clock"),
        pytest.param(LeaseElection(), {"pause": 0.02, "resume": 0.02}, one_leader, id="a lease with pauses"),
        pytest.param(LeaseElection(writes=9), WITHOUT_REQUESTS, LeaseElection.always[3], id="doubled writes"),
    ],
)
def test_where_an_assumption_is_broken_so_is_the_promise(machine: Any, faults: Any, breaks: Property) -> None:
    runs = random_worlds(machine, range(400), 150, (breaks,), faults=faults, shrink=False)
    assert not runs.holds


# Tables


def test_every_rule_is_hit() -> None:
    hit = {note.rule for run in GALLERY.values() for step in run().branch for note in step.notes}
    machines: list[Any] = [
        BullyElection(n=4, starts=()),
        ChangRobertsElection(initiators=(1, 2)),
        HirschbergSinclairElection(),
        LeaseElection(),
    ]
    for machine in machines:
        for seed in range(40):
            collected = _Rules(machine.rules)
            random_worlds(machine, (seed,), 150, (collected,), faults=WITHOUT_REQUESTS)
            hit |= collected.hit
    assert set(RULES) - hit == set()


class _Rules(Property):
    """Sees every note of a run, and that its sentence can be said."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        super().__init__("rules")
        self.rules = rules
        self.hit: set[str] = set()

    def follow(self, memory: Any, before: Any, event: Any, after: Any, notes: Any) -> Any:
        for note in notes:
            assert self.rules[note.rule].sentence.format_map(note.values)
            self.hit.add(note.rule)
        return memory

    def reason(self, memory: Any, state: Any) -> None:
        return None


def test_every_algorithm_says_what_it_assumes_and_shows_it() -> None:
    assert set(ASSUMPTIONS) == set(ALGORITHMS)
    shown = {each.run for assumptions in ASSUMPTIONS.values() for each in assumptions if each.run}
    assert shown <= set(GALLERY)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_machine_is_built_again_from_its_parameters(algorithm: str) -> None:
    machine = ALGORITHMS[algorithm](seed=3)
    again = machine.again(**machine.params)
    assert again.params == machine.params
    assert type(machine)(**machine.params).start() == machine.start()
