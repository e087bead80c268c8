"""Runs worth seeing, each a history that stands where it gets interesting. At most five servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.messages import (
    Add,
    AppendEntries,
    AppendEntriesReply,
    Get,
    Put,
    RequestVote,
    RequestVoteReply,
)
from patterns.consensus_raft.properties import split_vote
from patterns.consensus_raft.stepdown import StepDownCluster
from patterns.engine.choices import leader_of
from patterns.engine.history import History
from patterns.engine.milestones import Reached, fired, first, messages, when
from patterns.engine.planted import with_parts
from patterns.engine.script import Script
from patterns.engine.world import World

from .broken import VoteNotDurable

Run = History[World[Server], Any]


# What is often done together


def stand(run: Script, candidate: str, *voters: str) -> Script:
    """The candidate starts an election. Its requests reach these voters, and their answers reach it."""
    run.fire(candidate, "election")
    for voter in voters:
        run.deliver(RequestVote, candidate, voter).deliver(RequestVoteReply, voter, candidate)
    return run


def replicate(run: Script, leader: str, *followers: str) -> Script:
    """With each follower in turn, AppendEntries and their answers arrive until none is on its way."""
    for follower in followers:
        while messages(run.world, AppendEntries, leader, follower):
            run.deliver(AppendEntries, leader, follower).deliver(AppendEntriesReply, follower, leader)
    return run


def elected(cluster: RaftCluster, leader: str = "S1") -> Script:
    """`leader` won term 1, and all servers know that its no-op is committed."""
    return Script(cluster).fire(leader, "election").settle().fire(leader, "heartbeat").settle()


# Elections


def split_votes() -> Run:
    """Three candidates share five votes, nobody wins term 1, and term 2 decides. Stands where the votes are split."""
    run = Script(RaftCluster()).fire("S1", "election").fire("S2", "election").fire("S3", "election")
    run.deliver(RequestVote, "S1", "S4").deliver(RequestVote, "S2", "S5").settle()
    stand(run, "S3", "S4", "S5").settle()
    return run.at(first(when(split_vote))).history


def lost_vote_after_crash() -> Run:
    """What durable votes are for: S3 votes for S1, crashes, forgets it, and votes for S2. Stands at the crash."""
    run = Script(with_parts(RaftCluster, server=VoteNotDurable)(servers=3))
    run.fire("S1", "election").fire("S2", "election").deliver(RequestVote, "S1", "S3")
    run.deliver(RequestVoteReply, "S3", "S1").crash("S3")
    crash = run.step
    run.restart("S3").deliver(RequestVote, "S2", "S3").deliver(RequestVoteReply, "S3", "S2")
    return run.at(crash).history


# Partitions


def old_leader_returns() -> Run:
    """S1 is cut off with a request that it cannot commit; S2 leads on; then the network heals. Stands at the heal."""
    run = elected(RaftCluster()).ask("A", Put(1, "x", 10), "S1").settle()
    run.cut_off("S1").ask("B", Put(1, "x", 11), "S1").settle()
    stand(run, "S2", "S3", "S4").settle().ask("A", Put(2, "x", 20), "S2").settle().heal()
    heal = run.step
    run.fire("S1", "heartbeat").settle().fire("S2", "heartbeat").settle()
    return run.at(heal).history


def unanswered_request() -> Run:
    """S1 crashes with A's entry on itself and S2 only. In the first branch S2 wins and commits the entry. In the second
    S3 wins, and S2 deletes it. Stands at the crash."""
    run = elected(RaftCluster()).ask("A", Put(1, "x", 10), "S1").deliver(AppendEntries, "S1", "S2").lose().crash("S1")
    crash = run.step
    kept = stand(run, "S2", "S3", "S4").settle().step
    stand(run.at(crash), "S3", "S4", "S5").settle()
    return run.at(kept).at(crash).history


def minority_partition() -> Run:
    """The leader keeps one follower and loses three: it can commit nothing and answer no read. Stands at the cut."""
    run = elected(RaftCluster()).cut_off("S1", "S2")
    cut = run.step
    run.ask("A", Put(1, "x", 10), "S1").ask("B", Get(1, "x"), "S1").settle()
    stand(run, "S3", "S4", "S5").settle()
    run.ask("A", Put(1, "x", 10), "S3").settle().heal().fire("S3", "heartbeat").settle()
    return run.at(cut).history


def cut_off_server_returns() -> Run:
    """S5 hears nobody, and begins a new term. When it is back, its term deposes the leader, although all others heard
    that leader well. Stands at the cut."""
    return _returns(elected(RaftCluster()), fired("ALL.2.down", role="leader"))


def cut_off_server_returns_with_pre_vote() -> Run:
    """The same, but S5 first asks whether it could win. It gets no answer, stays in its term, and disturbs nobody."""
    return _returns(elected(StepDownCluster()), fired("AE.0", who="S5"))


def _returns(run: Script, back: Reached) -> Run:
    cut = run.cut_off("S5").step
    run.wait(400).heal().until(back)
    return run.at(cut).history


def heard_but_deaf() -> Run:
    """All links to the leader S1 are cut, those from it are not: it would lead for ever. With step-down it gives up
    after an election timeout, and the others elect a leader that commits. Stands at the cut."""
    run = elected(StepDownCluster())
    run.cut(("S2", "S3", "S4", "S5"), "S1", one_way=True)
    cut = run.step
    run.ask("A", Put(1, "x", 10), "S1").until(fired("SD.2")).until(fired("C.2"))
    run.ask("A", Put(1, "x", 10), leader_of(run.world)).until(fired("CL.done"))
    return run.at(cut).history


def bridge_to_the_old_leader() -> Run:
    """S5 crashes, and S2 alone is still linked to the leader S1. With pre-vote alone S2 refuses S3 and S4 as long as it
    hears S1. With step-down S1 gives up, and S2, S3 and S4 elect a leader. Then S5 is back and does not hear the new
    leader, which refuses its pre-vote like the others. Stands at the cut."""
    run = elected(StepDownCluster()).crash("S5").cut("S1", ("S3", "S4"))
    cut = run.step
    run.until(fired("PV.2.heard", who="S2")).until(fired("SD.2")).until(fired("C.2")).wait(100)
    run.heal().restart("S5").cut(leader_of(run.world), "S5", one_way=True).until(fired("PV.2.leads"))
    return run.at(cut).history


# Logs


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
    run = stand(Script(RaftCluster(logs=logs, term=7)), "S1", "S2", "S4")
    run.settle().fire("S1", "heartbeat").settle()
    return run.at(fired("C.2")).history


def log_repair() -> Run:
    """S3 led terms 2 and 3 and crashed both times with entries that no other server has. Stands where S1, the leader of
    term 4, first hears that their logs do not agree."""
    run = Script(RaftCluster(servers=3, logs={"S1": (1, 1), "S2": (1, 1), "S3": (1, 2, 2, 3, 3)}, term=3))
    stand(run, "S1", "S2").deliver(AppendEntries, "S1", "S3").deliver(AppendEntriesReply, "S3", "S1")
    run.settle().fire("S1", "heartbeat").settle()
    return run.at(fired("L.3.back")).history


# Figure 8


class SectionFive(Server):
    """A server as in section 5 and its figures, before section 8 adds the no-op."""

    def open_term(self) -> None:
        pass


def figure_8() -> Run:
    """Why copies of an old entry prove nothing (5.4.2). Stands at (c): the entry of term 2 is on a majority.

    From there the first branch is (d): S5 wins and overwrites it. The second is (e): S1 commits one of its own term
    before, and S5 cannot win.
    """
    run = figure_8_to_c(Script(figure_8_cluster()))
    c = run.step
    d = figure_8_to_d(run).step
    figure_8_to_e(run.at(c))
    return run.at(d).at(c).history


def figure_8_cluster(server: type[Server] = SectionFive) -> RaftCluster:
    """Five servers with an entry of term 1 each."""
    return with_parts(RaftCluster, server=server)(clients=3, logs={f"S{n}": (1,) for n in range(1, 6)})


def figure_8_to_a(run: Script) -> Script:
    """S1 leads term 2 and has its entry at index 2 on S2 only."""
    return stand(run, "S1", "S2", "S3").settle().ask("A", Put(1, "x", 20), "S1").deliver(AppendEntries, to="S2").lose()


def figure_8_to_b(run: Script) -> Script:
    """S1 crashes; S5 wins term 3 with S3 and S4, and takes another entry at index 2."""
    stand(figure_8_to_a(run).crash("S1"), "S5", "S3", "S4").lose()  # S5 is in term 2 already: it heard from S1
    return run.ask("B", Put(1, "x", 30), "S5").lose()


def figure_8_to_c(run: Script) -> Script:
    """S5 crashes; S1 is back, wins term 4, and brings its entry of term 2 to S3: a majority has it. A new one of term
    4 it has alone."""
    figure_8_to_b(run).crash("S5").restart("S1")
    run.fire("S1", "election").lose()  # term 3: the others know of S5's
    stand(run, "S1", "S2", "S3").lose(to="S4").lose(to="S5")
    return replicate(run, "S1", "S2", "S3").ask("C", Put(1, "x", 40), "S1")


def figure_8_to_d(run: Script) -> Script:
    """From (c): S1 crashes before its entry of term 4 is anywhere else; S5 wins term 5 and overwrites index 2."""
    run.lose().crash("S1").restart("S5")
    run.fire("S5", "election").lose()  # term 4: S2 and S3 know of S1's
    return stand(run, "S5", "S2", "S3", "S4").settle()


def figure_8_to_e(run: Script) -> Script:
    """From (c): the entry of term 4 reaches a majority first, and is committed, all before it too: S5 cannot win."""
    return figure_8_to_d(replicate(run, "S1", "S2", "S3"))


# Clients


def duplicated_request() -> Run:
    """The leader crashes before it answers; the client asks the next one again. Stands at the retry: the log gets the
    request twice, the state machine executes it once. A third attempt is answered from the session. Another request
    under the same number is refused."""
    run = elected(RaftCluster(servers=3)).ask("A", Add(1, "x", 1), "S1")
    run.deliver(AppendEntries, "S1", "S2").deliver(AppendEntries, "S1", "S3").crash("S1").settle()
    stand(run, "S2", "S3").ask("A", Add(1, "x", 1), "S2")
    retry = run.step
    run.settle().fire("S2", "heartbeat").settle().ask("A", Add(1, "x", 1), "S2")
    run.ask("A", Put(1, "x", 9), "S2")
    return run.at(retry).history


GALLERY: Mapping[str, Callable[[], Run]] = {
    "Three candidates split the votes, and the next term decides": split_votes,
    "An old leader returns from a partition and steps down": old_leader_returns,
    "A new leader repairs the logs of Figure 7": figure_7,
    "Figure 8: an entry of an older term is on a majority": figure_8,
    "A server keeps its vote in memory": lost_vote_after_crash,
    "A leader crashes before it answers, and its entry is kept or lost": unanswered_request,
    "A leader keeps one follower of four": minority_partition,
    "A server that was cut off returns, and its high term deposes the leader": cut_off_server_returns,
    "With pre-vote a server that was cut off returns and deposes nobody": cut_off_server_returns_with_pre_vote,
    "A leader that is heard and hears nobody steps down": heard_but_deaf,
    "A bridge to the old leader delays the election of a new one": bridge_to_the_old_leader,
    "A leader repairs the log of a server that led before it": log_repair,
    "A client retries, and its request is executed once": duplicated_request,
}
