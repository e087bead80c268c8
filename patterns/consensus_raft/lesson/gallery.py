"""Runs worth seeing, each a history that stands where it gets interesting. At most five servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.cluster import RaftCluster, cluster_of
from patterns.consensus_raft.messages import (
    Add,
    AppendEntries,
    AppendEntriesReply,
    Get,
    Put,
    RequestVote,
    RequestVoteReply,
)
from patterns.engine.history import History
from patterns.engine.world import World

from .broken import VoteNotDurable
from .directing import Director

Run = History[World, Any]


class SectionFive(Server):
    """A server as in section 5 and its figures, before section 8 adds the no-op."""

    def open_term(self) -> None:
        pass


def split_vote() -> Run:
    """Three candidates share five votes, nobody wins term 1, and term 2 decides. Stands where the votes are split."""
    run = Director(RaftCluster())
    for candidate in ("S1", "S2", "S3"):
        run.times_out(candidate)
    run.deliver("S1", "S4", RequestVote)
    run.deliver("S2", "S5", RequestVote)
    split = run.history.step
    run.settle()
    run.stand("S3", "S4", "S5")
    run.settle()
    return _at(run, split)


def old_leader_returns() -> Run:
    """S1 is cut off with a request that it cannot commit; S2 leads on; then the network heals. Stands at the heal."""
    run = _elected("S1")
    run.asks("A", "S1", Put(1, "x", 10))
    run.settle()
    run.cut_off("S1")
    run.asks("B", "S1", Put(1, "x", 11))
    run.settle()
    run.stand("S2", "S3", "S4")
    run.settle()
    run.asks("A", "S2", Put(2, "x", 20))
    run.settle()
    run.heal()
    healed = run.history.step
    run.beats("S1")
    run.settle()
    run.beats("S2")
    run.settle()
    return _at(run, healed)


FIGURE_7: Mapping[str, Sequence[int]] = {
    "leader": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6),
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}
"""The logs of the paper's Figure 7, as the terms of their entries: a leader's, and six that a follower may have."""


def figure_7() -> Run:
    """S1 wins term 8 among servers with the logs b, d, e and f of Figure 7, and repairs them. Stands where it wins."""
    logs = {name: FIGURE_7[of] for name, of in zip(("S1", "S2", "S3", "S4", "S5"), ("leader", *"bdef"), strict=True)}
    run = Director(RaftCluster(logs=logs, term=7))
    run.stand("S1", "S2", "S4")
    elected = run.history.step
    run.settle()
    run.beats("S1")
    run.settle()
    return _at(run, elected)


def figure_8(server: type[Server] = SectionFive) -> Run:
    """Why copies of an old entry prove nothing (5.4.2). Stands at (c): the entry of term 2 is on a majority.

    From there the first branch is (d): S5 wins and overwrites it. The second is (e): S1 commits one of its own term
    before, and S5 cannot win.
    """
    run = figure_8_to_c(server)
    c = run.history.step
    figure_8_to_d(run)
    run.history.jump(c)
    figure_8_to_e(run)
    return _at(run, c, first=True)


def figure_8_to_a(server: type[Server] = SectionFive) -> Director:
    """S1 leads term 2 and has its entry at index 2 on S2 only."""
    names = ("S1", "S2", "S3", "S4", "S5")
    run = Director(cluster_of(server)(clients=3, logs=dict.fromkeys(names, (1,))))
    run.stand("S1", "S2", "S3")
    run.settle()
    run.asks("A", "S1", Put(1, "x", 20))
    run.deliver("S1", "S2", AppendEntries)
    run.lose()
    return run


def figure_8_to_b(server: type[Server] = SectionFive) -> Director:
    """S1 crashes; S5 wins term 3 with S3 and S4, and takes another entry at index 2."""
    run = figure_8_to_a(server)
    run.crash("S1")
    run.stand("S5", "S3", "S4")  # S5 is in term 2 already: it voted, or heard of S1
    run.lose()
    run.asks("B", "S5", Put(1, "x", 30))
    run.lose()
    return run


def figure_8_to_c(server: type[Server] = SectionFive) -> Director:
    """S5 crashes; S1 is back, wins term 4, and brings its entry of term 2 to S3: a majority has it. A new one of term
    4 it has alone."""
    run = figure_8_to_b(server)
    run.crash("S5")
    run.restart("S1")
    run.times_out("S1")  # term 3: the others know of S5's
    run.lose()
    run.stand("S1", "S2", "S3")
    run.lose(to="S4")
    run.lose(to="S5")
    run.replicate("S1", "S2", "S3")
    run.asks("C", "S1", Put(1, "x", 40))
    return run


def figure_8_to_d(run: Director) -> None:
    """From (c): S1 crashes before its entry of term 4 is anywhere else; S5 wins term 5 and overwrites index 2."""
    run.lose()
    run.crash("S1")
    run.restart("S5")
    run.times_out("S5")  # term 4: S2, S3 know of S1's
    run.lose()
    run.stand("S5", "S2", "S3", "S4")
    run.settle()


def figure_8_to_e(run: Director) -> None:
    """From (c): the entry of term 4 reaches a majority first, and is committed, all before it too: S5 cannot win."""
    run.replicate("S1", "S2", "S3")
    run.lose()
    run.crash("S1")
    run.restart("S5")
    run.times_out("S5")
    run.lose()
    run.stand("S5", "S2", "S3", "S4")
    run.settle()


def lost_vote_after_crash(server: type[Server] = VoteNotDurable) -> Run:
    """What durable votes are for: S3 votes for S1, crashes, forgets it, and votes for S2. Stands at the crash."""
    run = Director(cluster_of(server)(servers=3))
    run.times_out("S1")
    run.times_out("S2")
    run.deliver("S1", "S3", RequestVote)
    run.deliver("S3", "S1", RequestVoteReply)
    run.crash("S3")
    crashed = run.history.step
    run.restart("S3")
    run.deliver("S2", "S3", RequestVote)
    run.deliver("S3", "S2", RequestVoteReply)
    return _at(run, crashed)


def minority_partition() -> Run:
    """The leader keeps one follower, loses three: it can commit nothing and answer no read. Stands at the cut."""
    run = _elected("S1")
    run.cut_off("S1", "S2")
    cut = run.history.step
    run.asks("A", "S1", Put(1, "x", 10))
    run.asks("B", "S1", Get(1, "x"))
    run.settle()
    run.stand("S3", "S4", "S5")
    run.settle()
    run.asks("A", "S3", Put(1, "x", 10))
    run.settle()
    run.heal()
    run.beats("S3")
    run.settle()
    return _at(run, cut)


def log_repair() -> Run:
    """S3 led terms 2 and 3 and crashed both times with entries nobody else has. Stands where S1, the leader of term 4,
    first hears that their logs do not agree."""
    run = Director(RaftCluster(servers=3, logs={"S1": (1, 1), "S2": (1, 1), "S3": (1, 2, 2, 3, 3)}, term=3))
    run.stand("S1", "S2")
    run.deliver("S1", "S3", AppendEntries)
    run.deliver("S3", "S1", AppendEntriesReply)
    refused = run.history.step
    run.settle()
    run.beats("S1")
    run.settle()
    return _at(run, refused)


def duplicated_request() -> Run:
    """The leader crashes before it answers; the client asks the next one again. Stands at the retry: the log gets the
    request twice, the state machine executes it once."""
    run = _elected("S1", servers=3)
    run.asks("A", "S1", Add(1, "x", 1))
    run.deliver("S1", "S2", AppendEntries)
    run.deliver("S1", "S3", AppendEntries)
    run.crash("S1")
    run.settle()
    run.stand("S2", "S3")
    run.asks("A", "S2", Add(1, "x", 1))
    retried = run.history.step
    run.settle()
    run.beats("S2")
    run.settle()
    return _at(run, retried)


GALLERY: Mapping[str, Callable[[], Run]] = {
    "split vote": split_vote,
    "old leader returns": old_leader_returns,
    "Figure 7": figure_7,
    "Figure 8": figure_8,
    "lost vote after crash": lost_vote_after_crash,
    "minority partition": minority_partition,
    "log repair": log_repair,
    "duplicated request": duplicated_request,
}


def _elected(leader: str, servers: int = 5) -> Director:
    """A cluster in which `leader` won term 1, and all know that its no-op is committed."""
    run = Director(RaftCluster(servers=servers))
    run.stand(leader, *(name for name in run.world.names if name != leader))
    run.settle()
    run.beats(leader)
    run.settle()
    return run


def _at(run: Director, step: Any, first: bool = False) -> Run:
    """The run's history with its cursor on the step, on the oldest branch through it if `first`."""
    if first:
        run.history.jump(run.history.children(step)[0])
    run.history.jump(step)
    return run.history
