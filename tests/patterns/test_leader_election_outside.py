"""Cases that others met: textbooks, issues of other projects, and settings at the edge of the allowed range."""

from __future__ import annotations

from itertools import combinations, permutations, product
from typing import Any

import pytest

from patterns.consensus_raft import RaftCluster
from patterns.engine.milestones import fired, on_its_way, when
from patterns.engine.params import ParameterError
from patterns.engine.planted import first_broken
from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.leader_election import leaders
from patterns.leader_election.bully import Answer, Coordinator
from patterns.leader_election.lease_messages import Write
from patterns.leader_election.machines import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
)
from patterns.leader_election.properties import acknowledged_writes_stay, agreed_leader, one_leader
from patterns.leader_election.raft import RaftElection
from patterns.leader_election.ring import Reply


def follow(leader: str) -> Any:
    """All that are up follow this process."""
    return when(lambda world: agreed_leader(world) == leader)


two_lead = when(lambda world: len(leaders(world)) > 1)
one_leads = when(lambda world: len(leaders(world)) == 1)


def the_leader(run: Script) -> str:
    (leader,) = leaders(run.world)
    return str(leader.id)


def broken(run: Script) -> str:
    """The first promise that the run breaks, as its name; empty if none."""
    found = first_broken(run.history, run.history.machine.always)
    return found.property.name if found else ""


# Rings


def test_the_highest_of_those_that_begin_wins_or_the_highest_of_all() -> None:
    """CDKB 15.3, Merz's specification: a relay of Chang and Roberts does not stand. Hirschberg and Sinclair's messages
    wake every process. 180 runs."""
    for ids in permutations((1, 2, 3)):
        ring = (4, *ids)
        for count in range(1, 5):
            for begin in combinations(ring, count):
                stands = Script(ChangRobertsElection(ids=ring, initiators=begin)).finish()
                assert agreed_leader(stands.world) == f"P{max(begin)}", (ring, begin)
                woken = Script(HirschbergSinclairElection(ids=ring, initiators=begin)).finish()
                assert agreed_leader(woken.world) == "P4", (ring, begin)


def test_a_lost_reply_to_the_highest_leaves_the_ring_without_a_leader() -> None:
    """The table of assumptions. A lost reply to a lower id does no harm: a higher id passes by."""
    for uid, leader in ((5, ""), (3, "P5")):
        run = Script(HirschbergSinclairElection()).until(on_its_way(Reply, value=uid)).lose(Reply, value=uid).finish()
        assert agreed_leader(run.world) == leader


# The bully


@pytest.mark.parametrize("seed", range(6))
def test_a_process_that_is_replaced_while_another_announces_itself_leads_in_the_end(seed: int) -> None:
    """CDKB 15.3: the two announcements may arrive in either order. The higher one's heartbeat ends it."""
    run = Script(BullyElection(n=3, starts=(3,), seed=seed)).until(follow("P3")).crash("P3")
    run.until(on_its_way(Coordinator, sender="P2")).restart("P3").delay(25, Coordinator, sender="P2", to="P1")
    run.until(when(lambda world: world["P1"].leader == "P2"))
    at = run.world.clock
    run.until(follow("P3"))
    assert run.world.clock - at < 180, "sooner than a missed heartbeat would be noticed"


@pytest.mark.parametrize("seed", range(6))
def test_answers_that_come_late_make_two_leaders_until_a_heartbeat_arrives(seed: int) -> None:
    """Garcia-Molina 1982, assumption 8: a message takes a bounded time."""
    run = Script(BullyElection(n=3, starts=(1,), seed=seed)).crash("P3").until(on_its_way(Answer))
    run.delay(60, Answer).until(two_lead).until(follow("P2"))


def test_the_highest_leads_again_after_each_restart_though_it_remembers_nothing() -> None:
    """exo-explore/exo#2197: the master restarts, and is not master any more."""
    run = Script(BullyElection(n=4, starts=(4,))).until(follow("P4"))
    for _ in range(3):
        run.crash("P4").until(follow("P3")).restart("P4").until(follow("P4"))


@pytest.mark.parametrize(("pause", "alarm"), [(800, False), (1_200, True)])
def test_a_leader_that_stands_still_longer_than_the_patience_is_taken_for_dead(pause: int, alarm: bool) -> None:
    """The settings of the real processes of notebook 04: 3 heartbeats of 200 ms and 300 ms more are 900 ms."""
    run = Script(BullyElection(n=3, starts=(3,), timeout=300, heartbeat=200)).until(follow("P3"))
    run.until(fired("B.beat")).pause("P3").wait(pause).resume("P3")
    assert any(note.rule == "B.silent" for step in run.history.branch for note in step.notes) is alarm
    run.until(follow("P3"))


# Leases


def test_a_holder_that_is_cut_off_until_its_lease_is_over_and_comes_back_is_never_one_of_two() -> None:
    """CURATOR-696: a leader that lost its connection led on beside the new one."""
    run = Script(LeaseElection()).until(one_leads)
    cut_off = the_leader(run)
    run.cut_off(cut_off).until(fired("L.expire")).until(one_leads).heal().until(fired("H.renewed"))
    assert the_leader(run) != cut_off
    assert not broken(run)


def test_a_holder_that_is_back_within_its_lease_gets_a_new_token() -> None:
    """CURATOR-202: it found its own old node, and nobody led."""
    run = Script(LeaseElection()).until(one_leads)
    holder = the_leader(run)
    run.crash(holder).restart(holder).until(one_leads)
    assert the_leader(run) == holder
    assert run.world[holder].token == 2
    assert not broken(run)


def test_a_lock_server_that_restarts_grants_nothing_for_a_whole_term() -> None:
    """etcd-io/etcd#9888, #9395: leases after a restart of the server."""
    run = Script(LeaseElection()).until(one_leads).crash("lock").restart("lock")
    back = run.world.clock
    run.until(fired("L.grant"))
    assert run.world.clock - back >= 200
    assert not broken(run)


def test_two_lead_where_holders_and_the_lock_server_mean_different_times() -> None:
    """kubernetes/kubernetes#47671: each side has its own setting, and GRANTED does not say how long."""
    run = Script(LeaseElection(holder_term=400)).until(one_leads)
    run.cut(the_leader(run), "lock").until(two_lead)
    assert broken(run) == one_leader.name
    shorter = Script(LeaseElection(holder_term=100)).until(one_leads)
    shorter.cut(the_leader(shorter), "lock").until(fired("L.expire")).until(fired("H.lead"))
    assert not broken(shorter)


def test_a_late_write_is_refused_though_its_writer_never_paused() -> None:
    """Kleppmann 2016, tokens 33 and 34: the packet may be late, and not the client."""
    run = Script(LeaseElection()).until(on_its_way(Write))
    (late,) = leaders(run.world)
    run.delay(600, Write).cut(late.id, "lock").until(fired("S.refuse"))
    refused = next(note for step in run.history.branch for note in step.notes if note.rule == "S.refuse")
    assert (refused.values["token"], refused.values["highest"]) == (1, 2)
    assert not broken(run)


def test_a_lock_delay_saves_a_write_only_if_the_holder_is_late_by_no_more() -> None:
    """Burrows 2006, 2.4: safer, not safe."""

    def run(lock_delay: int) -> str:
        script = Script(LeaseElection(fencing=False, lock_delay=lock_delay, retry=20)).until(fired("H.has"))
        late = the_leader(script)
        script.pause(late).wait(300).resume(late).wait(400)
        found = first_broken(script.history, (acknowledged_writes_stay,))
        return found.property.name if found else ""

    assert run(lock_delay=0) == acknowledged_writes_stay.name
    assert not run(lock_delay=300)


def test_a_restarted_lock_server_waits_for_the_lock_delay_as_well() -> None:
    run = Script(LeaseElection(lock_delay=100)).until(one_leads).crash("lock").restart("lock")
    back = run.world.clock
    run.until(fired("L.grant"))
    assert run.world.clock - back >= 300


# Settings at the edges


def advances(machine: Any, steps: int = 600) -> bool:
    """Whether time goes on: within so many steps the clock passes 20 ms."""
    world: World = machine.start()
    for _ in range(steps):
        event = machine.usual(world)
        if event is None or world.clock > 20:
            return True
        world, _ = machine.apply(world, event)
    return False


def test_time_goes_on_under_every_setting_that_is_accepted() -> None:
    """A lease of less than a millisecond was accepted, and asked again at once for ever."""
    refused = 0
    for term, drift, latency in product((1, 2, 3, 50), (0, 50, 99), ((0, 0), (0, 1), (1, 2), (5, 15))):
        try:
            lease = LeaseElection(term=term, drift=drift, latency=latency, retry=1, work=1)
        except ParameterError:
            refused += 1
            continue
        assert advances(lease), (term, drift, latency)
    assert refused == 4 * 8, "terms and drifts that leave less than 2 ms"
    for latency in ((0, 0), (0, 1), (5, 15)):
        assert advances(BullyElection(n=4, latency=latency, heartbeat=1, starts=(1, 2, 3))), latency
        assert advances(RaftElection(latency=latency, election_timeout=(1, 1), heartbeat_interval=1)), latency
        assert advances(RaftCluster(latency=latency, election_timeout=(1, 2), heartbeat_interval=1)), latency


def test_a_bully_waits_at_least_one_millisecond_for_an_answer() -> None:
    assert {process.timeout for process in BullyElection(n=3, latency=(0, 0)).processes()} == {1}
    assert {process.timeout for process in BullyElection(n=3, latency=(5, 15)).processes()} == {30}


def test_a_lease_shorter_than_its_round_trip_never_makes_a_leader() -> None:
    run = Script(LeaseElection(term=10)).wait(600)
    granted = [note for step in run.history.branch for note in step.notes if note.rule == "L.grant"]
    assert granted
    assert not any(leaders(step.state) for step in run.history.branch)
