"""Runs worth seeing, as histories that stand at their start: what each algorithm does, and where it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from patterns.engine.history import History
from patterns.engine.scripted import Run, at_start, to_the_end, until
from patterns.engine.world import Crash, Cut, Deliver, Drop, Fire, Heal, Pause, Restart, Resume, World
from patterns.leader_election.bully import Coordinator, Election
from patterns.leader_election.machines import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
)
from patterns.leader_election.properties import agreed_leader, leaders
from patterns.leader_election.raft import RaftElection

from .milestones import fired


def quiet(world: World) -> bool:
    """Whether no message is on its way and nobody is electing."""
    return not world.packets and not any(process.role == "candidate" for process in world.up)


def settle(run: Run) -> None:
    """Until all follow one leader and no message is on its way."""
    until(run, lambda step: quiet(step.state) and agreed_leader(step.state))


# Bully


def bully_normal(n: int = 4, seed: int = 0) -> Run:
    """The lowest begins, and the highest leads."""
    run = History(BullyElection(n=n, seed=seed))
    settle(run)
    return at_start(run)


def bully_after_crash(n: int = 4, seed: int = 0) -> Run:
    """The leader crashes, the next one leads; then the old leader comes back, and bullies it out."""
    run = History(BullyElection(n=n, starts=(n,), seed=seed))
    settle(run)
    run.apply(Crash(f"P{n}"))
    settle(run)
    run.apply(Restart(f"P{n}"))
    settle(run)
    return at_start(run)


def bully_under_partition(n: int = 5, seed: int = 0) -> Run:
    """A partition: the side without the leader takes silence for a crash, and elects a second one. Then it heals."""
    run = History(BullyElection(n=n, starts=(n,), seed=seed))
    settle(run)
    names = run.state.names
    run.apply(Cut(names[: n // 2], names[n // 2 :]))
    until(run, lambda step: len(leaders(step.state)) > 1 and quiet(step.state))
    run.apply(Heal())
    settle(run)
    return at_start(run)


def bully_recovery_race() -> Run:
    """P3 comes back just when P2 announces itself: P1 hears of P2 last, and goes by the wrong one."""
    run = History(BullyElection(n=3, heartbeat=0))
    run.apply(Fire("P1", "start"))

    def arrives(sender: str, to: str, kind: type, lost: bool = False) -> None:
        packet = next(p for p in run.state.packets if (p.sender, p.to, type(p.body)) == (sender, to, kind))
        run.apply(Drop(packet.id) if lost else Deliver(packet.id))

    arrives("P1", "P2", Election)
    run.apply(Crash("P3"))
    arrives("P1", "P3", Election, lost=True)
    arrives("P2", "P3", Election, lost=True)
    run.apply(Fire("P2", "answer"))
    run.apply(Restart("P3"))
    arrives("P3", "P1", Coordinator)
    arrives("P3", "P2", Coordinator)
    arrives("P2", "P1", Coordinator)
    while run.advance():
        pass
    return at_start(run)


# Rings


def chang_roberts_best(n: int = 5) -> Run:
    """Ids rise clockwise: each but the highest is swallowed by its neighbour, 2n - 1 messages."""
    return to_the_end(History(ChangRobertsElection(ids=tuple(range(1, n + 1)))))


def chang_roberts_worst(n: int = 5) -> Run:
    """Ids fall clockwise: each goes on until it meets the highest, n(n + 1)/2 messages."""
    return to_the_end(History(ChangRobertsElection(ids=tuple(range(n, 0, -1)))))


def hirschberg_sinclair(n: int = 4) -> Run:
    """Both ways: 1 far, 2 far, 4 far; most give up early."""
    return to_the_end(History(HirschbergSinclairElection(ids=(3, 1, 5, 2, 4) if n == 5 else tuple(range(1, n + 1)))))


def ring_with_equal_ids() -> Run:
    """Two processes have the highest id: each takes the other's for its own, and both lead."""
    return to_the_end(History(ChangRobertsElection(ids=(3, 1, 3, 2))))


def ring_loses_a_message() -> Run:
    """The highest id is lost on its way: nobody ever leads."""
    run = History(ChangRobertsElection(ids=(1, 3, 2)))
    until(run, lambda step: any(str(packet.body) == "id 3" for packet in step.state.packets))
    run.apply(Drop(next(packet.id for packet in run.state.packets if str(packet.body) == "id 3")))
    while run.advance():
        pass
    return at_start(run)


# Leases


def lease_renewed(seed: int = 0) -> Run:
    """One leads, writes and renews its lease twice; the other asks in vain."""
    run = _until_led(LeaseElection(seed=seed))
    for _ in range(2):
        until(run, fired("H.renewed"))
    return at_start(run)


def lease_paused(fencing: bool = True, seed: int = 0) -> Run:
    """The leader stands still just before it writes; its lease runs out, another leads and writes. Then it wakes up."""
    run = History(LeaseElection(fencing=fencing, retry=120, seed=seed))
    until(run, fired("H.has"))
    (first,) = leaders(run.state)
    run.apply(Pause(first.id))
    until(run, fired("H.wrote"))
    run.apply(Resume(first.id))
    until(run, fired("S.refuse", "S.stale"))
    until(run, fired("H.fenced", "H.late"))  # the storage's answer
    return at_start(run)


def lease_with_drift(fencing: bool = True, seed: int = 0) -> Run:
    """The leader's clock runs at a third of true time: for it, its lease lasts on, and two lead at once."""
    first = leaders(_until_led(LeaseElection(seed=seed)).state)[0].id
    run = _until_led(LeaseElection(speed={first: 33}, fencing=fencing, seed=seed, writes=3))
    until(run, lambda step: len(leaders(step.state)) > 1)
    until(run, fired("S.refuse", "S.stale"))
    until(run, lambda step: len(leaders(step.state)) == 1)
    return at_start(run)


def _until_led(machine: LeaseElection) -> Run:
    run = History(machine)
    until(run, lambda step: leaders(step.state))
    return run


def lease_server_restarts(seed: int = 0) -> Run:
    """The lock server forgets its leases in a crash: it waits out what it may have granted, and grants a new token."""
    run = _until_led(LeaseElection(seed=seed))
    run.apply(Crash("lock"))
    run.apply(Restart("lock"))
    until(run, fired("L.grant"))
    until(run, fired("H.wrote"))
    return at_start(run)


# Raft


def raft_under_partition(seed: int = 0) -> Run:
    """The same partition as the bully's: the smaller side elects nobody, the larger one a leader of a newer term."""
    run = History(RaftElection(seed=seed))
    until(run, lambda step: leaders(step.state))
    (first,) = leaders(run.state)
    names = run.state.names
    few = (first.id, next(name for name in names if name != first.id))
    run.apply(Cut(few, tuple(name for name in names if name not in few)))
    until(run, lambda step: len(leaders(step.state)) > 1)
    run.apply(Heal())
    until(run, lambda step: len(leaders(step.state)) == 1)
    return at_start(run)


GALLERY: Mapping[str, Callable[[], Run]] = {
    "bully: the lowest begins": bully_normal,
    "bully: the leader crashes and comes back": bully_after_crash,
    "bully: a partition elects two": bully_under_partition,
    "bully: a recovery in the wrong moment": bully_recovery_race,
    "Chang-Roberts: the best order": chang_roberts_best,
    "Chang-Roberts: the worst order": chang_roberts_worst,
    "Chang-Roberts: equal ids": ring_with_equal_ids,
    "Chang-Roberts: a message is lost": ring_loses_a_message,
    "Hirschberg-Sinclair": hirschberg_sinclair,
    "lease: a leader renews": lease_renewed,
    "lease: a paused leader is refused": lease_paused,
    "lease: without fencing a write is lost": lambda: lease_paused(fencing=False),
    "lease: a slow clock": lease_with_drift,
    "lease: the lock server restarts": lease_server_restarts,
    "Raft: a partition": raft_under_partition,
}
"""Every scripted run by its title."""
