"""The promises of elections, in every run of small machines and in long random runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from patterns.engine.explore import explore
from patterns.engine.properties import Property, Sometimes
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.world import World
from patterns.leader_election import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
    RaftElection,
)
from patterns.leader_election.lesson import ASSUMPTIONS, GALLERY
from patterns.leader_election.lesson.broken import OneLeaseEach, OneTerm
from patterns.leader_election.properties import (
    elected,
    highest_alive_agreed,
    highest_alive_leads,
    highest_wins,
    leader_writes,
    one_coordinator,
    one_leader,
)

WITHOUT_REQUESTS = {group: share for group, share in FAULTS.items() if group != "request"}
NOTHING_DOUBLED = {group: share for group, share in WITHOUT_REQUESTS.items() if group != "duplicate"}
CRASHES = {"crash": 0.01, "restart": 0.05}
TIMED = {**CRASHES, "cut": 0.01, "heal": 0.02, "drop": 0.03}
"""Faults that leave the clock alone: no message is later than its latency, and no process pauses."""


def newest_term_has_a_leader(world: World) -> bool:
    newest = max(server.current_term for server in world.processes)
    return any(server.role == "leader" and server.current_term == newest for server in world.up)


newest_term_led = Sometimes("the newest term has a leader", newest_term_has_a_leader)


# Every run


def small_bully(crashes: int, **options: Any) -> BullyElection:
    settings = {"n": 3, "heartbeat": 0, "timing": "quiet", "budget": {"crash": crashes}}
    return BullyElection(**{**settings, **options})


@pytest.mark.parametrize(("starts", "crashes"), [((1,), 2), ((1, 2), 1)])
def test_in_every_quiet_run_the_highest_live_process_leads_and_no_other(starts: Any, crashes: int) -> None:
    """CDKB 15.3, E1 and E2: messages keep their time, and a crashed process stays down."""
    found = explore(
        small_bully(crashes, starts=starts, crash_stop=True), (one_leader, highest_alive_leads, highest_alive_agreed)
    )
    assert found.complete
    assert found.holds, found


def test_after_a_restart_two_lead_only_while_the_announcement_is_on_its_way() -> None:
    found = explore(small_bully(1), (one_coordinator, highest_alive_agreed))
    assert found.complete
    assert found.holds, found


def test_after_a_restart_a_process_may_follow_the_wrong_one() -> None:
    """CDKB 15.3: recovery breaks this one promise. The gallery's run is a shortest one."""
    found = explore(small_bully(1), (highest_alive_leads,))
    assert found.counterexample
    assert "P1 follows P2, but P3 is alive" in found.counterexample.reason
    assert len(found.counterexample.history.path) == len(
        GALLERY["Bully: a process comes back at the wrong moment"]().branch
    )


def test_two_lead_if_timeouts_may_come_at_any_moment() -> None:
    found = explore(small_bully(0, timing="asynchronous"), (one_coordinator,))
    assert found.counterexample


def test_in_every_run_at_any_timing_fencing_protects_the_storage() -> None:
    """Two holders that ask once. Leases expire at any moment, which is all that pauses and clocks can cause."""
    found = explore(OneLeaseEach(writes=1, budget={}), (*LeaseElection.always[1:], leader_writes))
    assert found.complete
    assert found.holds, found


def test_in_every_run_with_true_clocks_one_holder_leads_at_a_time() -> None:
    found = explore(OneLeaseEach(writes=1, budget={}, true_clocks=True), (*LeaseElection.always, leader_writes))
    assert found.complete
    assert found.holds, found


def test_in_every_run_of_a_term_raft_elects_one() -> None:
    """Raft 5.2: each server votes once in a term, and a majority is needed."""
    found = explore(OneTerm(servers=3, budget={"crash": 1}))
    assert found.complete
    assert found.counterexample is None, found


# Random worlds


@pytest.mark.parametrize(
    ("machine", "properties", "faults", "seeds"),
    [
        pytest.param(BullyElection(n=4), (one_coordinator, highest_alive_agreed), CRASHES, 60, id="bully, as assumed"),
        pytest.param(BullyElection(n=4), (highest_alive_agreed,), WITHOUT_REQUESTS, 30, id="bully recovers"),
        pytest.param(
            ChangRobertsElection(budget={"delay": 99, "duplicate": 99}),
            (*ChangRobertsElection.always, elected),
            {"next": 0.4, "delay": 0.1, "duplicate": 0.1},
            40,
            id="Chang-Roberts",
        ),
        pytest.param(
            HirschbergSinclairElection(budget={"delay": 99, "duplicate": 99}),
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
def test_an_election_keeps_its_promises_in_random_worlds(
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
def test_a_broken_assumption_breaks_the_promise(machine: Any, faults: Any, breaks: Property) -> None:
    runs = random_worlds(machine, range(400), 150, (breaks,), faults=faults, shrink=False)
    assert not runs.holds


# Tables


def test_every_algorithm_has_its_assumptions_and_their_runs_are_in_the_gallery() -> None:
    assert [*dict.fromkeys(each.algorithm for each in ASSUMPTIONS)] == [
        "bully",
        "chang-roberts",
        "hirschberg-sinclair",
        "lease",
        "raft",
    ]
    assert {each.run for each in ASSUMPTIONS} <= {"", *GALLERY}
    assert all(each[:4] == tuple(filter(None, each[:4])) for each in ASSUMPTIONS), "each cell is filled"
