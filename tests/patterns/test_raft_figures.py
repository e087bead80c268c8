"""The figures of Ongaro and Ousterhout 2014: the properties of Figure 3, the followers of Figure 7, the five states of
Figure 8."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from patterns.consensus_raft import Command, Entry, Put, RaftCluster
from patterns.consensus_raft.cluster import earlier_log
from patterns.consensus_raft.lesson.broken import CommitsOldTerms
from patterns.consensus_raft.lesson.gallery import (
    FIGURE_7,
    SectionFive,
    figure_8_cluster,
    figure_8_to_a,
    figure_8_to_b,
    figure_8_to_c,
    figure_8_to_d,
    figure_8_to_e,
    replicate,
    stand,
)
from patterns.consensus_raft.properties import (
    ALWAYS,
    FIGURE_3,
    commits_never_fall,
    leader_completeness,
    terms_never_fall,
)
from patterns.engine.planted import first_broken
from patterns.engine.script import Script
from patterns.engine.world import Crash, World


def terms(run: Script) -> dict[str, tuple[int, ...]]:
    return {name: tuple(entry.term for entry in run.world[name].log) for name in run.world.names}


def broken(run: Script) -> str:
    """Why an invariant does not hold somewhere on the run; empty when all hold."""
    found = first_broken(run.history, ALWAYS)
    return f"{found.property.name}: {found.reason}" if found else ""


# Figure 7: when the leader at the top comes to power, any of (a) to (f) is possible in a follower's log


def figure_7_cluster() -> Script:
    names = ("S1", "S2", "S3", "S4", "S5", "S6", "S7")
    logs = dict(zip(names, FIGURE_7.values(), strict=True))
    run = Script(RaftCluster(servers=7, logs=logs, term=7))
    stand(run, "S1", "S2", "S3", "S6")
    return run


@pytest.mark.parametrize(("name", "server"), [(name, f"S{n}") for n, name in enumerate("abcdef", start=2)])
def test_the_leader_of_figure_7_brings_every_followers_log_in_line(name: str, server: str) -> None:
    """5.3: (a, b) lack entries, (c, d) have extra uncommitted ones, (e, f) both."""
    run = figure_7_cluster()
    assert terms(run)[server] == FIGURE_7[name]
    replicate(run, "S1", server)
    assert run.world[server].log == run.world["S1"].log
    assert terms(run)[server] == (*FIGURE_7["leader"], 8)
    assert broken(run) == ""


@pytest.mark.parametrize(
    ("server", "refusals"),
    [("S2", 1), ("S3", 1), ("S4", 0), ("S5", 0), ("S6", 2), ("S7", 2)],
    ids=list("abcdef"),
)
def test_one_refusal_for_each_conflicting_term_is_enough_in_figure_7(server: str, refusals: int) -> None:
    """5.3, the fast back-up: a and b are too short, e is and conflicts in term 4, f in terms 3 and 2."""
    run = figure_7_cluster()
    before = len(run.history.path)
    replicate(run, "S1", server)
    notes = [note.rule for step in run.history.path[before:] for note in step.notes]
    assert notes.count("AE.2") + notes.count("AE.2.short") == refusals


@pytest.mark.parametrize(
    ("server", "votes"), [("S2", "y"), ("S3", "y"), ("S4", "n"), ("S5", "n"), ("S6", "y"), ("S7", "y")]
)
def test_in_figure_7_those_vote_for_the_leader_whose_log_is_not_more_up_to_date(server: str, votes: str) -> None:
    """5.4.1: c has one entry more in the same term, d a later term."""
    names = ("S1", "S2", "S3", "S4", "S5", "S6", "S7")
    run = Script(RaftCluster(servers=7, logs=dict(zip(names, FIGURE_7.values(), strict=True)), term=7))
    stand(run, "S1", server)
    assert (server in run.world["S1"].votes) == (votes == "y")


# Figure 8: a time sequence showing why a leader cannot determine commitment using log entries from older terms


def test_figure_8_a_s1_is_leader_and_partially_replicates_the_entry_at_index_2() -> None:
    run = figure_8_to_a(Script(figure_8_cluster()))
    assert terms(run) == {"S1": (1, 2), "S2": (1, 2), "S3": (1,), "S4": (1,), "S5": (1,)}
    assert (run.world["S1"].role, run.world["S1"].current_term) == ("leader", 2)


def test_figure_8_b_s5_is_elected_for_term_3_and_accepts_a_different_entry_at_index_2() -> None:
    run = figure_8_to_b(Script(figure_8_cluster()))
    assert terms(run) == {"S1": (1, 2), "S2": (1, 2), "S3": (1,), "S4": (1,), "S5": (1, 3)}
    assert run.world.down == {"S1"}
    assert (run.world["S5"].role, run.world["S5"].current_term) == ("leader", 3)
    assert run.world["S5"].votes == {"S3", "S4", "S5"}


def test_figure_8_c_the_entry_from_term_2_is_on_a_majority_but_not_committed() -> None:
    run = figure_8_to_c(Script(figure_8_cluster()))
    assert terms(run) == {"S1": (1, 2, 4), "S2": (1, 2), "S3": (1, 2), "S4": (1,), "S5": (1, 3)}
    assert run.world.down == {"S5"}
    assert run.world["S1"].holders(2) == ("S1", "S2", "S3")
    assert run.world["S1"].commit_index < 2


def test_figure_8_d_s5_is_elected_and_overwrites_the_entry_from_term_2() -> None:
    run = figure_8_to_c(Script(figure_8_cluster()))
    figure_8_to_d(run)
    assert (run.world["S5"].role, run.world["S5"].current_term) == ("leader", 5)
    assert run.world["S5"].votes == {"S2", "S3", "S5"}
    assert terms(run) == {"S1": (1, 2, 4), "S2": (1, 3), "S3": (1, 3), "S4": (1, 3), "S5": (1, 3)}
    assert broken(run) == ""


def test_figure_8_e_with_an_entry_of_its_own_term_on_a_majority_s1_commits_and_s5_cannot_win() -> None:
    run = figure_8_to_c(Script(figure_8_cluster()))
    figure_8_to_e(run)
    assert run.world["S1"].log == run.world["S2"].log == run.world["S3"].log
    committed = [note.values["index"] for step in run.history.path for note in step.notes if note.rule == "L.4"]
    assert committed[-1] == 3
    assert (run.world["S5"].role, run.world["S5"].votes) == ("candidate", {"S4", "S5"})
    assert broken(run) == ""


class CommitsOldTermsInSectionFive(CommitsOldTerms, SectionFive):
    pass


def test_a_leader_that_commits_entries_of_old_terms_loses_a_committed_one_in_figure_8() -> None:
    """5.4.2: in (c) the entry would be committed, in (d) it is gone."""
    run = figure_8_to_c(Script(figure_8_cluster(CommitsOldTermsInSectionFive)))
    assert run.world["S1"].commit_index == 2
    figure_8_to_d(run)
    assert broken(run).startswith(leader_completeness.name)
    assert "S5" in broken(run)


# Figure 3: every property tells a broken state from a whole one


def changed(world: World, name: str, **fields: Any) -> World:
    processes = tuple(msgspec.structs.replace(p, **fields) if p.id == name else p for p in world.processes)
    return msgspec.structs.replace(world, processes=processes)


def elected_world() -> World:
    run = Script(RaftCluster(servers=3))
    stand(run, "S1", "S2", "S3")
    run.settle()
    run.fire("S1", "heartbeat")
    run.settle()
    return run.world


def reason(property_: Any, *worlds: World) -> str | None:
    """Why the property does not hold after these worlds, one after the other."""
    memory = property_.begin(worlds[0])
    for before, after in pairwise(worlds):
        memory = property_.follow(memory, before, Crash("none"), after, ())
    return property_.reason(memory, worlds[-1])


OTHER = Entry(1, Command("B", Put(1, "x", 1)))


@pytest.mark.parametrize(
    ("at", "name", "fields", "says"),
    [
        (0, "S2", {"role": "leader"}, "the leader of term 1: first S1, now S2"),
        (1, "S1", {"log": ()}, "S1, the leader of term 1, changed entries of its own log"),
        (2, "S2", {"log": (OTHER,)}, "at index 1 both S1 and S2 have an entry of term 1"),
        (3, "S2", {"role": "leader", "current_term": 2, "log": ()}, "S2 leads term 2 and has nothing at index 1"),
    ],
    ids=[p.name.partition(":")[0] for p in FIGURE_3[:4]],
)
def test_each_property_of_figure_3_says_what_is_wrong(at: int, name: str, fields: Any, says: str) -> None:
    world = elected_world()
    assert reason(FIGURE_3[at], world, world) is None
    start = RaftCluster(servers=3).start()
    found = reason(FIGURE_3[at], start, world, changed(world, name, **fields))
    assert found is not None
    assert found.startswith(says)


def test_state_machine_safety_remembers_what_a_server_applied_before_it_crashed() -> None:
    """Figure 3: no other server will ever apply a different entry for the index."""
    start, world = RaftCluster(servers=3).start(), elected_world()
    crashed = changed(world, "S1", log=(), last_applied=0, commit_index=0)
    other = changed(crashed, "S1", log=(OTHER,), last_applied=1, commit_index=1)
    found = reason(FIGURE_3[4], start, world, crashed, other)
    assert "S1" in found
    assert str(OTHER) in found
    assert str(world["S1"].log[0]) in found


def test_terms_and_commit_indexes_never_fall() -> None:
    """Figure 2, State: both increase monotonically; a crash forgets the commit index, not the term."""
    world = elected_world()
    back = str(reason(terms_never_fall, world, changed(world, "S2", current_term=0)))
    assert re.findall(r"term (\d)", back) == ["1", "0"]
    fallen = changed(world, "S2", commit_index=0, last_applied=0)
    assert "S2" in str(reason(commits_never_fall, world, fallen))
    assert reason(commits_never_fall, world, msgspec.structs.replace(fallen, down=frozenset({"S2"}))) is None
    ahead = str(reason(commits_never_fall, world, changed(world, "S2", commit_index=5)))
    assert re.findall(r"\b\d", ahead) == ["1", "5", "1"]


def test_logs_given_to_a_cluster_agree_where_their_terms_do() -> None:
    assert earlier_log((1, 1, 2))[:2] == earlier_log((1, 1))
    assert earlier_log((1, 2))[1] != earlier_log((1, 1))[1]
