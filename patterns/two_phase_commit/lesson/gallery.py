"""Runs worth seeing. Each stands at its start: what the protocols do, where they block, and where they break."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way, when
from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.two_phase_commit.machine import COORDINATOR, OPERATOR, TwoPhaseCommit
from patterns.two_phase_commit.messages import Commit, Decide, LoseDisk, Move, PreCommit, Prepare, Transfer, Voted
from patterns.two_phase_commit.readings import blocked, in_doubt

from .milestones import all_ended

Run = History[Any, Any]


def begun(**params: Any) -> Script:
    """A run in which client A has asked for its transfer."""
    return Script(TwoPhaseCommit(**params)).ask("A")


def ended(run: Script) -> Run:
    """The run, played until nothing is left to happen; it stands at its start."""
    return run.finish().at("start").history


def asked_again(run: Script) -> Run:
    """The coordinator restarts. The client, which has no answer yet, asks again when all is quiet."""
    return ended(run.restart(COORDINATOR).until(when(_quiet)).ask("A"))


def _quiet(world: World) -> bool:
    return all_ended(world) and not world.packets


def _all_vote(world: World) -> bool:
    return len(in_doubt(world)) == len(world.processes) - 1


# Two phases


def commit(protocol: str = "basic", n: int = 2) -> Run:
    return ended(begun(n=n, protocol=protocol))


def honest_no(protocol: str = "basic") -> Run:
    """Ann has too little: her bank votes no, and no customer pays anything."""
    return ended(begun(protocol=protocol, transfers=({"ann": -140, "bob": 70, "cho": 70},)))


def blocked_behind_a_crash() -> Run:
    """The coordinator decides and crashes before any bank hears of it: all are in doubt, and the rows stay locked. A
    second transfer waits for one of them and gives up. The coordinator is repaired, and both transfers end."""
    run = begun(lock_timeout=70).until(when(_all_vote)).ask("B").until(fired("P.wait"))
    run.until(fired("C.commit")).crash(COORDINATOR).lose(Commit).until(fired("P.tired"))
    run.until(when(lambda world: {doubt.txn for doubt in in_doubt(world)} == {"T1"} and not world.packets))
    run.until(fired("P.blocked")).restart(COORDINATOR).until(when(_quiet))
    return ended(run.ask("B"))


def one_knows(protocol: str = "basic", bank: str = "P1") -> Run:
    """The coordinator crashes when one bank has heard the decision: the others ask it, and need not wait."""
    run = begun(protocol=protocol).until(fired("C.commit")).deliver(Commit, to=bank).crash(COORDINATOR).lose(Commit)
    return ended(run.until(when(lambda world: not in_doubt(world))).restart(COORDINATOR))


def nobody_knows(cooperative: bool = True) -> Run:
    """The coordinator crashes when no bank has heard the decision: they ask one another until it is repaired."""
    run = begun(cooperative=cooperative).until(fired("C.commit")).crash(COORDINATOR).lose(Commit)
    return ended(run.until(when(lambda world: blocked(world) and world.clock > 200)).restart(COORDINATOR))


def one_was_not_asked(protocol: str = "basic") -> Run:
    """The question to one bank is lost, and the coordinator crashes. This bank has not voted: it may abort for all."""
    run = begun(protocol=protocol).lose(Prepare, to="P3").until(when(lambda world: len(in_doubt(world)) == 2))
    return run.crash(COORDINATOR).until(when(lambda world: not in_doubt(world))).at("start").history


def participant_recovers() -> Run:
    """A bank crashes in doubt. Its promise is on disk: it locks its rows again, asks, and commits."""
    run = begun().until(when(lambda world: any(doubt.participant == "P2" for doubt in in_doubt(world)))).crash("P2")
    run.until(fired("C.commit")).lose(Commit, to="P2").until(fired("C.ack")).until(fired("C.ack")).settle()
    return ended(run.restart("P2"))


def votes_are_lost(protocol: str) -> Run:
    """The coordinator crashes while it collects votes. The client asks again, and the transfer begins anew, under
    another name. With presumed abort the log is empty: an unknown transfer counts as aborted. With presumed commit the
    collecting record names the banks, so that the coordinator can send them all its abort."""
    return asked_again(begun(protocol=protocol).until(when(_all_vote)).crash(COORDINATOR).settle())


def presumed_commit() -> Run:
    """No bank acknowledges a commit, and their commit records are lazy: a crash loses one. The bank asks, and because
    the coordinator would remember an abort, the answer is commit."""
    return ended(begun(protocol="presumed_commit").until(when(all_ended)).crash("P2").restart("P2"))


def read_only() -> Run:
    """Cho's balance is only read: her bank writes nothing and takes no part in the second phase."""
    return ended(begun(protocol="read_only", transfers=({"ann": -40, "bob": 40, "cho": 0},)))


def deadlock() -> Run:
    """Each of two transfers has locked a row that the other needs. One waits too long and is aborted."""
    return ended(
        begun(n=2, vote_timeout=200, lock_timeout=50, latency=(10, 10)).ask("B").delay(40, Prepare, to="P2", txn="T1")
    )


def vote_is_late() -> Run:
    """One vote takes longer than the others are patient. They ask, but the coordinator has not decided. A client that
    asks a bank learns to ask the coordinator."""
    machine = TwoPhaseCommit(vote_timeout=300)
    run = Script(machine).ask("A", machine.transfers[0], to="P1").ask("A").until(on_its_way(Voted, sender="P2"))
    return ended(run.delay(120, Voted, sender="P2"))


# Three phases


def three_phases() -> Run:
    """All vote yes, all learn that all voted yes, all commit."""
    return ended(begun(protocol="three_phase"))


def a_backup_decides(committable: str = "") -> Run:
    """The coordinator crashes, and a bank takes its place. If one is committable, all commit; if none is, none can have
    committed, and all abort."""
    run = begun(protocol="three_phase").until(fired("3.pre"))
    if committable:
        run.deliver(PreCommit, to=committable)
    return asked_again(run.crash(COORDINATOR).lose(PreCommit).until(when(lambda world: not in_doubt(world))))


def half_told(run: Script) -> Script:
    """The coordinator crashes when one of two banks is committable. Both take its place, almost at the same time."""
    run.ask("A").until(fired("3.pre")).deliver(PreCommit, to="P1").crash(COORDINATOR).lose(PreCommit)
    return run.until(when(lambda world: not in_doubt(world)))


def slow_coordinator_gives_up() -> Run:
    """One question is lost, and the coordinator waits for the vote. The bank that takes its place has not voted: it
    aborts, and the coordinator gives up."""
    return ended(begun(protocol="three_phase", vote_timeout=500).lose(Prepare, to="P1"))


def back_from_a_crash() -> Run:
    """A bank crashes in doubt, and so does the coordinator. The bank was down, so it leaves the decision to the others.
    When the coordinator is back, it asks them."""
    run = begun(protocol="three_phase").until(fired("3.pre")).lose(PreCommit).crash("P1", COORDINATOR).restart("P1")
    return ended(run.until(fired("3.blocked")).until(when(lambda world: not in_doubt(world))).restart(COORDINATOR))


def a_partition_splits() -> Run:
    """No process has crashed, but a cut separates P2 and P3 from the rest: each side counts the other as crashed. One
    side commits, the other aborts, and no repair can mend it."""
    run = begun(protocol="three_phase").until(fired("3.pre")).deliver(PreCommit, to="P1").cut_off("P2", "P3")
    return ended(run.until(when(lambda world: not in_doubt(world) and not world["C"].open)).heal())


def stranger() -> Run:
    """B's transfer names a bank that the coordinator does not know: no bank is asked. A's transfer goes its way."""
    moves = (Move("P1", "ann", -40), Move("P9", "zoe", 40))
    return ended(Script(TwoPhaseCommit()).ask("B", Transfer("T2", moves), to=COORDINATOR).ask("A"))


def name_is_taken() -> Run:
    """A's transfer T1 commits. B asks for another transfer under the same name, and then for the same one."""
    other = Transfer("T1", (Move("P2", "bob", -90), Move("P1", "ann", 90)))
    machine = TwoPhaseCommit(n=2)
    run = Script(machine).ask("A").until(when(all_ended)).ask("B", other, to=COORDINATOR)
    return ended(run.ask("B", machine.transfers[0], to=COORDINATOR))


# Beyond the protocol


def disk_is_lost() -> Run:
    """One bank has committed. Then the coordinator's disk fails. The other bank asks, and an unknown transfer counts as
    aborted. The banks do not know one another."""
    run = begun(n=2, cooperative=False, operator=True).until(fired("C.commit")).lose(Commit, to="P2")
    return ended(run.until(fired("P.commit")).ask(OPERATOR, LoseDisk()))


def decided_by_hand() -> Run:
    """The coordinator has decided commit and is down. An operator frees Bob's row by hand, and guesses abort."""
    run = begun(n=2, cooperative=False, operator=True).until(fired("C.commit")).crash(COORDINATOR).lose(Commit)
    return ended(run.wait(100).ask(OPERATOR, Decide("T1", "abort"), to="P2").wait(100).restart(COORDINATOR))


GALLERY: Mapping[str, Callable[[], Run]] = {
    "All banks vote yes": commit,
    "One bank votes no": honest_no,
    "A transfer names an unknown bank, and aborts at once": stranger,
    "The same name with another transfer is refused": name_is_taken,
    "The coordinator crashes after its decision": blocked_behind_a_crash,
    "The coordinator crashes, and one bank knows the decision": one_knows,
    "No bank knows the decision, and asking does not help": nobody_knows,
    "One bank was never asked, and it aborts for all": one_was_not_asked,
    "A bank crashes in doubt, and restarts": participant_recovers,
    "Two transfers wait for each other, and one is aborted": deadlock,
    "A vote is late, and asking does not help yet": vote_is_late,
    "Presumed abort: the coordinator forgets, and answers abort": lambda: votes_are_lost("presumed_abort"),
    "Presumed commit: a bank forgets, and the answer is commit": presumed_commit,
    "Presumed commit: the coordinator crashes before its decision": lambda: votes_are_lost("presumed_commit"),
    "Read-only: a bank takes no part in the second phase": read_only,
    "The coordinator's disk fails, and a bank in doubt asks": disk_is_lost,
    "An operator decides for a bank in doubt by hand": decided_by_hand,
    "Three phases: all banks vote yes": three_phases,
    "Three phases: the coordinator crashes, and a backup commits": lambda: a_backup_decides(committable="P2"),
    "Three phases: the coordinator crashes, and a backup aborts": a_backup_decides,
    "Three phases: one bank knows the decision, and a backup asks it": lambda: one_knows("three_phase", bank="P3"),
    "Three phases: one bank was never asked, and a backup aborts": lambda: one_was_not_asked("three_phase"),
    "Three phases: the bank that stands first in line leads": lambda: asked_again(
        half_told(Script(TwoPhaseCommit(n=2, protocol="three_phase")))
    ),
    "Three phases: a slow coordinator gives up": slow_coordinator_gives_up,
    "Three phases: a bank comes back, and the others decide": back_from_a_crash,
    "Three phases: a cut separates two of the banks": a_partition_splits,
}
"""A sentence -> a function that writes the run."""
