"""Runs worth seeing, as histories that stand at their start: what the protocols do, where they block and break."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from patterns.engine.history import History
from patterns.engine.scripted import Run, arrive, at_start, lose, until
from patterns.engine.world import Crash, Cut, Deliver, Heal, Request, Restart
from patterns.two_phase_commit.doubt import blocked, in_doubt
from patterns.two_phase_commit.machine import COORDINATOR, TwoPhaseCommit, client
from patterns.two_phase_commit.messages import Commit, PreCommit

from .milestones import all_ended, fired

ALL_THREE = {"ann": -40, "bob": 20, "cho": 20}


# Directing


def begun(machine: TwoPhaseCommit) -> Run:
    """The first client has asked."""
    run: Run = History(machine)
    ask(run, 0)
    return run


def ask(run: Run, at: int) -> None:
    """The client of that transfer asks, or asks again."""
    machine = run.machine
    assert isinstance(machine, TwoPhaseCommit)
    run.apply(Request(client(at), COORDINATOR, machine.transfers[at]))


def ask_at_last(run: Run) -> Run:
    """When all is quiet the first client, which never heard, asks again."""
    until(run, lambda step: all_ended(step.state) and not step.state.packets)
    ask(run, 0)
    return finish(run)


def finish(run: Run) -> Run:
    """All that usually happens, until nothing is left to do; then back to the start."""
    if not all_ended(run.state) or run.state.packets:
        until(run, lambda step: all_ended(step.state) and not step.state.packets)
    return at_start(run)


# Two phases


def commit(protocol: str = "basic", n: int = 3) -> Run:
    """All vote yes."""
    return finish(begun(TwoPhaseCommit(n=n, protocol=protocol)))


def honest_no(protocol: str = "basic") -> Run:
    """Ann has too little: her bank votes no, and nobody pays anything."""
    return finish(begun(TwoPhaseCommit(protocol=protocol, transfers=({"ann": -140, "bob": 70, "cho": 70},))))


def blocked_behind_a_crash() -> Run:
    """The coordinator decides and crashes before any bank hears of it: all are in doubt, and the rows stay locked. A
    second transfer waits for one of them and gives up. The coordinator is repaired, and all is resolved."""
    run = begun(TwoPhaseCommit(lock_timeout=70))
    until(run, lambda step: len(in_doubt(step.state)) == 3)
    ask(run, 1)
    until(run, fired("P.wait"))
    until(run, fired("C.commit"))
    run.apply(Crash(COORDINATOR))
    lose(run, Commit)
    until(run, fired("P.tired"))
    until(run, lambda step: {doubt.txn for doubt in in_doubt(step.state)} == {"T1"} and not step.state.packets)
    until(run, fired("P.blocked"))
    run.apply(Restart(COORDINATOR))
    until(run, lambda step: all_ended(step.state) and not step.state.packets)
    ask(run, 0)
    ask(run, 1)
    return finish(run)


def one_knows() -> Run:
    """The coordinator crashes when one participant has heard: the others ask it, and nobody waits for the repair."""
    run = begun(TwoPhaseCommit())
    until(run, fired("C.commit"))
    arrive(run, Commit, "P1")
    run.apply(Crash(COORDINATOR))
    lose(run, Commit)
    until(run, lambda step: not in_doubt(step.state))
    run.apply(Restart(COORDINATOR))
    return finish(run)


def nobody_knows(cooperative: bool = True) -> Run:
    """The coordinator crashes when nobody has heard: they ask one another in vain, until it is repaired."""
    run = begun(TwoPhaseCommit(cooperative=cooperative))
    until(run, fired("C.commit"))
    run.apply(Crash(COORDINATOR))
    lose(run, Commit)
    until(run, lambda step: blocked(step.state) and step.state.clock > 200)
    run.apply(Restart(COORDINATOR))
    return finish(run)


def participant_recovers() -> Run:
    """A participant crashes in doubt. Its promise is on disk: it locks its rows again, asks, and commits."""
    run = begun(TwoPhaseCommit())
    until(run, lambda step: any(doubt.participant == "P2" for doubt in in_doubt(step.state)))
    run.apply(Crash("P2"))
    until(run, fired("C.commit"))
    lose(run, Commit, "P2")
    until(run, lambda step: len(step.state["C"].open[0].missing) == 1 and not step.state.packets)
    run.apply(Restart("P2"))
    return finish(run)


def presumed_abort() -> Run:
    """The coordinator crashes while it collects votes. It comes back with an empty log: what it does not know of is
    aborted. The client asks again, and the transfer is begun anew, under another name."""
    run = begun(TwoPhaseCommit(protocol="presumed_abort"))
    until(run, lambda step: len(in_doubt(step.state)) == 3)
    run.apply(Crash(COORDINATOR))
    until(run, lambda step: not step.state.packets)
    run.apply(Restart(COORDINATOR))
    return ask_at_last(run)


def presumed_commit() -> Run:
    """A commit is not acknowledged, and a participant's commit record is lazy: a crash loses it. It asks, and what
    the coordinator would know to be aborted, is committed."""
    run = begun(TwoPhaseCommit(protocol="presumed_commit"))
    until(run, lambda step: all_ended(step.state))
    run.apply(Crash("P2"))
    run.apply(Restart("P2"))
    return finish(run)


def collecting_record() -> Run:
    """Presumed commit, and the coordinator crashes while it collects votes: its collecting record names whom it asked,
    so that it can tell them all to abort."""
    run = begun(TwoPhaseCommit(protocol="presumed_commit"))
    until(run, lambda step: len(in_doubt(step.state)) == 3)
    run.apply(Crash(COORDINATOR))
    until(run, lambda step: not step.state.packets)
    run.apply(Restart(COORDINATOR))
    return ask_at_last(run)


def read_only() -> Run:
    """Cho's balance is only read: her bank writes nothing and is left out of the second phase."""
    return finish(begun(TwoPhaseCommit(protocol="read_only", transfers=({"ann": -40, "bob": 40, "cho": 0},))))


def deadlock() -> Run:
    """Each of two transfers has locked what the other wants. One waits too long and is aborted, the other goes on."""
    transfers = ({"ann": -40, "bob": 40}, {"bob": -30, "ann": 30})
    run = begun(TwoPhaseCommit(n=2, transfers=transfers, latency=(10, 10)))
    ask(run, 1)
    first = {(p.body.txn, p.to): p.id for p in run.state.packets}
    for each in (("T1", "P1"), ("T2", "P2"), ("T2", "P1"), ("T1", "P2")):
        run.apply(Deliver(first[each]))
    return finish(run)


# Three phases


def three_phases() -> Run:
    """All vote yes, all learn that all voted yes, all commit."""
    return finish(begun(TwoPhaseCommit(protocol="three_phase")))


def a_backup_commits() -> Run:
    """The coordinator crashes when one participant is committable: another takes its place, and nobody is blocked."""
    run = begun(TwoPhaseCommit(protocol="three_phase"))
    until(run, fired("3.pre"))
    arrive(run, PreCommit, "P2")
    run.apply(Crash(COORDINATOR))
    lose(run, PreCommit)
    until(run, lambda step: not in_doubt(step.state))
    run.apply(Restart(COORDINATOR))
    return ask_at_last(run)


def a_backup_aborts() -> Run:
    """The coordinator crashes before anybody is committable: nobody can have committed, so the others abort."""
    run = begun(TwoPhaseCommit(protocol="three_phase"))
    until(run, fired("3.pre"))
    run.apply(Crash(COORDINATOR))
    lose(run, PreCommit)
    until(run, lambda step: not in_doubt(step.state))
    run.apply(Restart(COORDINATOR))
    return ask_at_last(run)


def a_partition_splits() -> Run:
    """Nobody has crashed, but a cut keeps P2 and P3 apart from the rest: each side takes the other for crashed. One
    commits, the other aborts, and no repair can mend it."""
    run = begun(TwoPhaseCommit(protocol="three_phase"))
    until(run, fired("3.pre"))
    arrive(run, PreCommit, "P1")
    run.apply(Cut((COORDINATOR, "P1"), ("P2", "P3")))
    until(run, lambda step: not in_doubt(step.state) and not step.state["C"].open)
    run.apply(Heal())
    return finish(run)


GALLERY: Mapping[str, Callable[[], Run]] = {
    "commit": commit,
    "an honest no": honest_no,
    "blocked behind a crash": blocked_behind_a_crash,
    "one participant knows": one_knows,
    "nobody knows": nobody_knows,
    "a participant crashes in doubt": participant_recovers,
    "deadlock": deadlock,
    "presumed abort": presumed_abort,
    "presumed commit": presumed_commit,
    "presumed commit: the collecting record": collecting_record,
    "read-only": read_only,
    "three phases": three_phases,
    "three phases: a backup commits": a_backup_commits,
    "three phases: a backup aborts": a_backup_aborts,
    "three phases: a partition splits": a_partition_splits,
}
"""Every scripted run by its title."""
