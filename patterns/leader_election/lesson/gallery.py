"""Runs that show what each algorithm does, and where it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import Reached, fired, on_its_way, when
from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.leader_election.bully import Coordinator, Election
from patterns.leader_election.machines import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
)
from patterns.leader_election.properties import agreed_leader, leaders
from patterns.leader_election.raft import RaftElection
from patterns.leader_election.ring import Candidacy

from .milestones import two_lead

Run = History[Any, Any]


def quiet(world: World) -> bool:
    """Whether no message is on its way and no process is a candidate."""
    return not world.packets and not any(process.role == "candidate" for process in world.up)


agreed: Reached = when(lambda world: quiet(world) and agreed_leader(world))
"""All follow one leader, and no message is on its way."""
one_leads: Reached = when(lambda world: len(leaders(world)) == 1)


# Bully


def bully_normal() -> Run:
    """The lowest begins, and the highest leads."""
    return Script(BullyElection(n=4)).until(agreed).at("start").history


def bully_after_crash() -> Run:
    """The leader crashes, and the next one leads. Then the old leader comes back, and bullies it out."""
    run = Script(BullyElection(n=4, starts=(4,))).until(agreed)
    return run.crash("P4").until(agreed).restart("P4").until(agreed).at("start").history


def bully_under_partition() -> Run:
    """A partition: the side without the leader takes silence for a crash, and elects a second one. Then it heals."""
    run = Script(BullyElection(starts=(5,))).until(agreed).cut_off("P1", "P2")
    run.until(when(lambda world: two_lead(world) and quiet(world)))
    return run.heal().until(agreed).at("start").history


def bully_recovery_race() -> Run:
    """P3 comes back while P2 announces itself. P1 hears P2's announcement last, and follows the wrong one."""
    run = Script(BullyElection(n=3, heartbeat=0)).fire("P1", "start").deliver(Election, to="P2")
    run.crash("P3").lose(Election, sender="P1", to="P3").lose(Election, sender="P2", to="P3")
    run.fire("P2", "answer").restart("P3")
    run.deliver(Coordinator, sender="P3", to="P1").deliver(Coordinator, sender="P3", to="P2")
    return run.deliver(Coordinator, sender="P2", to="P1").finish().at("start").history


# Rings


def chang_roberts_best() -> Run:
    """Ids rise clockwise. Each except the highest is swallowed by its neighbour: 2n - 1 messages."""
    return Script(ChangRobertsElection(ids=(1, 2, 3, 4, 5))).finish().at("start").history


def chang_roberts_worst() -> Run:
    """Ids fall clockwise. Each goes on until it meets the highest: n(n + 1)/2 messages."""
    return Script(ChangRobertsElection(ids=(5, 4, 3, 2, 1))).finish().at("start").history


def hirschberg_sinclair() -> Run:
    """Both ways, 1, 2 and 4 processes far. Most give up early."""
    return Script(HirschbergSinclairElection(ids=(1, 2, 3, 4))).finish().at("start").history


def ring_with_equal_ids() -> Run:
    """Two processes have the highest id. Each takes the other's id for its own, and both lead."""
    return Script(ChangRobertsElection(ids=(3, 1, 3, 2))).finish().at("start").history


def ring_loses_a_message() -> Run:
    """The highest id is lost on its way. No process ever leads."""
    run = Script(ChangRobertsElection(ids=(1, 3, 2))).until(on_its_way(Candidacy, uid=3))
    return run.lose(Candidacy, uid=3).finish().at("start").history


# Leases


def lease_renewed() -> Run:
    """One holder leads, writes and renews its lease twice. The other asks and never gets it."""
    return Script(LeaseElection()).until(fired("H.renewed")).until(fired("H.renewed")).at("start").history


def lease_paused(fencing: bool = True) -> Run:
    """The leader pauses just before it writes. Its lease expires, another leads and writes. Then it wakes up."""
    run = Script(LeaseElection(fencing=fencing, retry=120)).until(fired("H.has"))
    (leader,) = leaders(run.world)
    run.pause(leader.id).until(fired("H.wrote")).resume(leader.id).until(fired("S.refuse", "S.stale"))
    return run.until(fired("H.fenced", "H.late")).at("start").history


def lease_unfenced() -> Run:
    """The same run, but the storage checks no token: a write that was acknowledged is lost."""
    return lease_paused(fencing=False)


def lease_with_drift(seed: int = 0) -> Run:
    """The leader's clock runs at a third of true time. By its clock its lease lasts on, and two lead at once."""
    (leader,) = leaders(Script(LeaseElection(seed=seed)).until(when(leaders)).world)
    run = Script(LeaseElection(speed={leader.id: 33}, seed=seed, writes=3)).until(when(two_lead))
    return run.until(fired("S.refuse")).until(one_leads).at("start").history


def lease_server_restarts() -> Run:
    """The lock server forgets its leases in a crash. It waits for a whole term, then grants a new token."""
    run = Script(LeaseElection()).until(when(leaders)).crash("lock").restart("lock")
    return run.until(fired("L.grant")).until(fired("H.wrote")).at("start").history


def lease_with_lock_delay() -> Run:
    """The storage checks no token. A leader pauses, wakes up within the lock-delay, and writes before another leads."""
    run = Script(LeaseElection(fencing=False, lock_delay=150)).until(fired("H.has"))
    (leader,) = leaders(run.world)
    run.pause(leader.id).until(fired("L.delay")).until(fired("L.wait")).resume(leader.id).until(fired("S.write"))
    return run.until(fired("L.free")).until(fired("H.lead")).until(fired("H.wrote")).at("start").history


# Raft


def raft_under_partition() -> Run:
    """The bully's partition: the smaller side elects no leader, the larger side a leader of a newer term."""
    run = Script(RaftElection()).until(when(leaders))
    (leader,) = leaders(run.world)
    other = next(name for name in run.world.names if name != leader.id)
    return run.cut_off(leader.id, other).until(when(two_lead)).heal().until(one_leads).at("start").history


GALLERY: Mapping[str, Callable[[], Run]] = {
    "Bully: the lowest process begins": bully_normal,
    "Bully: the leader crashes and comes back": bully_after_crash,
    "Bully: P1 and P2 are cut off": bully_under_partition,
    "Bully: a process comes back at the wrong moment": bully_recovery_race,
    "Chang-Roberts: the best order": chang_roberts_best,
    "Chang-Roberts: the worst order": chang_roberts_worst,
    "Chang-Roberts: equal ids elect two leaders": ring_with_equal_ids,
    "Chang-Roberts: a lost message leaves no leader": ring_loses_a_message,
    "Hirschberg-Sinclair: ids go both ways": hirschberg_sinclair,
    "Lease: a leader renews its lease": lease_renewed,
    "Lease: a paused leader with fencing": lease_paused,
    "Lease: a paused leader without fencing": lease_unfenced,
    "Lease: a paused leader wakes up within the lock-delay": lease_with_lock_delay,
    "Lease: a slow clock": lease_with_drift,
    "Lease: the lock server restarts": lease_server_restarts,
    "Raft: the leader is cut off": raft_under_partition,
}
"""Title -> the run."""
