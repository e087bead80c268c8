"""What the course adds to snapshots: usual mistakes, where a search finds each, and runs worth seeing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from patterns.consensus_raft.messages import Add, AppendEntries, Put, RequestVote
from patterns.consensus_raft.properties import commits_never_fall
from patterns.consensus_raft.snapshot_properties import made_by_entries, terms_never_fall_along_logs
from patterns.consensus_raft.snapshots import (
    InstallSnapshot,
    InstallSnapshotReply,
    Snapshot,
    SnapshotCluster,
    SnapshotServer,
)
from patterns.consensus_raft.state_machine import StateMachine
from patterns.engine.milestones import Milestones, fired
from patterns.engine.params import Count
from patterns.engine.planted import Bug
from patterns.engine.properties import NoFailure
from patterns.engine.script import Script
from patterns.engine.world import Fire, World

from .broken import bug_in
from .gallery import Run, elected, replicate, stand
from .small import SmallCluster

MILESTONES: Milestones = {
    "a snapshot is taken": fired("SN.1"),
    "a snapshot is installed": fired("IS.6", "IS.7"),
}


# Mistakes


class ForgetsSessions(SnapshotServer):
    """Its snapshot has the keys and no sessions of clients: after a restart it executes a retry a second time."""

    def image(self) -> bytes:
        return msgspec.json.encode(StateMachine(self.state_machine.store))


class OlderSnapshotWins(SnapshotServer):
    """Installs every snapshot that arrives. A late one takes back entries that the server knows to be committed."""

    def is_news(self, part: InstallSnapshot) -> bool:
        return True


class KeepsConflictingTail(SnapshotServer):
    """Keeps the entries after a snapshot although they conflict with it (rule 7 left out). Its log then ends in an old
    term, so it votes for candidates whose logs lack what its own snapshot has."""

    def keeps_tail(self, snapshot: Snapshot) -> bool:
        return self.before_log.index <= snapshot.last_included_index <= self.last_log_index


class AppliesTwice(SnapshotServer):
    """Resets its state machine again when a snapshot arrives that it does not need (rule 8 after rule 6). What it
    applied since the snapshot is then missing from its state machine."""

    def ignore_part(self, leader: str, part: InstallSnapshot) -> None:
        if part.done and not part.offset:
            self.state_machine = Snapshot(data=part.data).state_machine


class IgnoresOffset(SnapshotServer):
    """Appends each part at the end, not at its offset (rule 3). A part that arrives twice is then in the snapshot
    twice."""

    def fits(self, part: InstallSnapshot, has: int) -> bool:
        return True


class SmallSnapshotCluster(SnapshotCluster, SmallCluster):
    """A cluster with snapshots for searches: S1 takes them."""

    name = "consensus_raft_small_snapshots"

    class Params(SmallCluster.Params, frozen=True):
        snapshot_after: Annotated[int, Meta(ge=1)] = 2
        """A server takes a snapshot when it has applied so many entries since the last one."""
        trailing: Count = 0
        """So many entries before a snapshot stay in the log."""
        part_size: Annotated[int, Meta(ge=1)] = 1000
        """At most so many bytes of a snapshot in one message."""

    params: Params  # type: ignore[assignment]  # it has the fields of both bases

    def may_happen(self, world: World[Any], event: Any) -> bool:
        takes = isinstance(event, Fire) and event.timer == "snapshot"
        return super().may_happen(world, event) and not (takes and event.process != "S1")


CONFLICT = {"S1": (2,), "S2": (2,), "S3": (1, 1, 1)}
LATE = SmallSnapshotCluster(snapshot_after=1, elections={"S1": (1,)}, scripts={"A": ("put",)})
"""S1 sends S3 its snapshot, and before that arrives S3 gets the entries in another way."""
IN_PARTS = SmallSnapshotCluster(
    logs={"S1": (1,), "S2": (1,)}, elections={"S1": (2,)}, part_size=60, budget={"duplicate": 1}
)

BUGS: Mapping[str, Bug] = {
    "a snapshot forgets the sessions": bug_in(
        SmallSnapshotCluster(logs={"S1": (1,), "S2": (1,)}, elections={"S1": (2,)}),
        ForgetsSessions,
        made_by_entries,
        SnapshotCluster(),
    ),
    "an older snapshot wins": bug_in(LATE, OlderSnapshotWins, commits_never_fall, None, made_by_entries),
    "keeps a tail that conflicts": bug_in(
        SmallSnapshotCluster(logs=CONFLICT, elections={"S1": (3,)}), KeepsConflictingTail, terms_never_fall_along_logs
    ),
    "applies a snapshot twice": bug_in(LATE, AppliesTwice, made_by_entries, None, commits_never_fall),
    "ignores the offset of a part": bug_in(IN_PARTS, IgnoresOffset, NoFailure()),
}


# Runs


def server_was_away() -> Run:
    """S3 is down while A adds four times. S1 and S2 take snapshots and discard the entries that S3 needs. S3 gets S1's
    snapshot in two parts, then the entries after it. It crashes once more and begins from its snapshot. Stands where S3
    restarts the first time."""
    run = elected(SnapshotCluster(clients=1)).crash("S3")
    for serial in range(1, 5):
        run.ask("A", Add(serial, "x", 1), "S1").until(fired("CL.done"))
    restart = run.until(fired("AE.5", who="S2")).restart("S3").step
    run.until(fired("IS.7", who="S3")).until(fired("AE.4", who="S3")).until(fired("L.3", follower="S3"))
    run.crash("S3").restart("S3").until(fired("AE.5", who="S3"))
    return run.at(restart).history


def late_parts() -> Run:
    """A part of S1's snapshot comes twice, and S3 writes it once. Entries overtake the last part, so S3's log has the
    snapshot's last entry already. The same part comes again, and once more when S3 is in a newer term. Stands at the
    first part."""
    run = stand(Script(SnapshotCluster(clients=1, snapshot_after=2)), "S1", "S2")
    replicate(run, "S1", "S2").ask("A", Put(1, "x", 10), "S1")
    replicate(run, "S1", "S2").fire("S1", "snapshot").fire("S1", "heartbeat")
    run.duplicate(InstallSnapshot, to="S3").deliver(InstallSnapshot, to="S3")
    first = run.step
    run.deliver(InstallSnapshot, to="S3").deliver(InstallSnapshotReply, "S3", "S1")
    run.duplicate(InstallSnapshot, to="S3").duplicate(InstallSnapshot, to="S3").overtake(AppendEntries, to="S3")
    run.deliver(InstallSnapshot, to="S3").deliver(InstallSnapshot, to="S3").fire("S2", "election")
    run.overtake(RequestVote, "S2", "S3").deliver(InstallSnapshot, to="S3").settle()
    return run.at(first).history


GALLERY: Mapping[str, Callable[[], Run]] = {
    "A server that was away gets a snapshot instead of discarded entries": server_was_away,
    "Parts of a snapshot arrive late and twice, and change nothing": late_parts,
}
