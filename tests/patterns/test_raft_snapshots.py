"""Snapshots and log compaction: section 7 of the Raft paper, the sentences of its Figure 13, one test each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from patterns.consensus_raft import Add, Entry, Get, Put
from patterns.consensus_raft.histories import is_linearizable, linearizable
from patterns.consensus_raft.lesson.gallery import stand
from patterns.consensus_raft.lesson.snapshots import LATE, SmallSnapshotCluster, late_parts, server_was_away
from patterns.consensus_raft.messages import AppendEntries, AppendEntriesReply, Command, RequestVote
from patterns.consensus_raft.properties import settled
from patterns.consensus_raft.snapshot_properties import ALWAYS
from patterns.consensus_raft.snapshots import (
    InstallSnapshot,
    InstallSnapshotReply,
    Position,
    Snapshot,
    SnapshotCluster,
    SnapshotServer,
)
from patterns.consensus_raft.state_machine import Session, StateMachine
from patterns.engine.planted import MANY_FAULTS, Search
from patterns.engine.process import Effects
from patterns.engine.random_worlds import random_worlds
from patterns.engine.script import Script


def entries(*terms: int) -> tuple[Entry, ...]:
    """x = 10 * term + index at each index."""
    return tuple(Entry(term, Command("A", Put(i, "x", 10 * term + i))) for i, term in enumerate(terms, start=1))


def state_after(index: int, term: int) -> StateMachine:
    machine = StateMachine()
    return machine.execute(Command("A", Put(index, "x", 10 * term + index)))


def snapshot(index: int, term: int) -> Snapshot:
    return Snapshot(index, term, msgspec.json.encode(state_after(index, term)))


def follower(*terms: int, current_term: int = 3, **fields: Any) -> SnapshotServer:
    fields = {"trailing": 0, **fields}
    server = SnapshotServer(id="S3", peers=("S1", "S2"), current_term=current_term, log=entries(*terms), **fields)
    return server.after_start()[0]


def parts(index: int, term: int, cut: int, of_term: int = 3) -> tuple[InstallSnapshot, InstallSnapshot]:
    """The snapshot in two parts, the first of `cut` bytes."""
    data = snapshot(index, term).data
    return (
        InstallSnapshot(of_term, "S1", index, term, 0, data[:cut], False),
        InstallSnapshot(of_term, "S1", index, term, cut, data[cut:], True),
    )


def whole(index: int, term: int, of_term: int = 3) -> InstallSnapshot:
    return InstallSnapshot(of_term, "S1", index, term, 0, snapshot(index, term).data, True)


def rules(effects: Effects) -> list[str]:
    return [note.rule for note in effects.notes]


def reply(effects: Effects) -> InstallSnapshotReply:
    [(to, message)] = effects.sends
    assert to == "S1"
    assert isinstance(message, InstallSnapshotReply)
    return message


# Taking snapshots


def with_log(applied: int, **settings: Any) -> SnapshotServer:
    """A follower whose leader has committed so many of its five entries."""
    server = follower(1, 1, 2, 2, 3, snapshot_after=3, **settings)
    return server.after_message("S1", AppendEntries(3, "S1", 5, 3, (), applied))[0]


def test_each_server_takes_snapshots_by_itself_of_the_committed_entries_in_its_log() -> None:
    """Section 7."""
    after, effects = with_log(4).after_timer("snapshot")
    assert after.snapshot == snapshot(4, 2)
    assert rules(effects) == ["SN.1"]
    assert effects.sends == []


def test_a_snapshot_has_the_index_and_term_of_the_last_entry_that_it_replaces() -> None:
    """Section 7: for the check of the first entry after it."""
    after, _ = with_log(4).after_timer("snapshot")
    assert (after.before_log, after.first_log_index, after.log) == (Position(4, 2), 5, entries(1, 1, 2, 2, 3)[4:])
    assert after.agrees_at(4, 2)
    assert not after.agrees_at(4, 1)
    assert (after.last_log_index, after.last_log_term) == (5, 3)


def test_a_log_that_is_all_in_the_snapshot_ends_where_the_snapshot_ends() -> None:
    """RequestVote compares this index and term (5.4.1)."""
    after, _ = with_log(5).after_timer("snapshot")
    assert (after.log, after.last_log_index, after.last_log_term) == ((), 5, 3)
    assert not after.may_grant(RequestVote(3, "S2", 4, 3))
    assert after.may_grant(RequestVote(3, "S2", 5, 3))


def test_a_server_takes_a_snapshot_when_its_log_reaches_a_fixed_size() -> None:
    """Section 7."""
    before = follower(1, 1, 2, 2, 3, snapshot_after=3)
    assert "snapshot" not in before.after_message("S1", AppendEntries(3, "S1", 5, 3, (), 2))[1].timers
    assert "snapshot" in before.after_message("S1", AppendEntries(3, "S1", 5, 3, (), 3))[1].timers


def test_entries_before_a_snapshot_can_stay_for_followers_that_are_a_little_behind() -> None:
    after, _ = with_log(4, trailing=2).after_timer("snapshot")
    assert after.snapshot.last_included_index == 4
    assert (after.before_log, after.log) == (Position(2, 1), entries(1, 1, 2, 2, 3)[2:])


def test_a_snapshot_has_the_sessions_so_that_a_retry_is_not_executed_again() -> None:
    """Section 8 with section 7."""
    after, _ = with_log(5).after_timer("snapshot")
    assert after.snapshot.state_machine.sessions["A"] == Session(Put(5, "x", 35), 35)


def test_a_restarted_server_begins_from_its_snapshot_and_applies_only_what_follows() -> None:
    taken, _ = with_log(4).after_timer("snapshot")
    back, effects = taken.crashed().after_restart()
    assert (back.last_applied, back.commit_index, back.state_machine) == (4, 4, state_after(4, 2))
    assert rules(effects) == ["UP", "SN.up"]
    _, effects = back.after_message("S1", AppendEntries(3, "S1", 5, 3, (), 5))
    assert [note.values["index"] for note in effects.notes if note.rule == "ALL.1"] == [5]


@pytest.mark.parametrize(("log", "first", "left"), [((1, 1, 2, 2, 3), 5, 1), ((1, 1, 1, 1, 1), 5, 0), ((1, 1), 5, 0)])
def test_a_crash_between_the_snapshot_and_the_log_leaves_what_a_restart_can_mend(
    log: tuple[int, ...], first: int, left: int
) -> None:
    """On a real disk they are two files. The snapshot is there first."""
    back, _ = follower(*log, snapshot=snapshot(4, 2)).crashed().after_restart()
    assert (back.first_log_index, len(back.log), back.last_applied) == (first, left, 4)
    assert back.state_machine == state_after(4, 2)


def test_entries_are_applied_in_slices_and_all_of_them() -> None:
    """A handler that applies a whole log would outlast the election timers of the others."""
    server = follower(1, 1, 2, 2, 3, apply_at_once=2)
    after, effects = server.after_message("S1", AppendEntries(3, "S1", 5, 3, (), 5))
    slices = [after.last_applied]
    while "apply" in effects.timers:
        after, effects = after.after_timer("apply")
        slices.append(after.last_applied)
    assert slices == [2, 4, 5]
    assert after.state_machine == state_after(5, 3)


# InstallSnapshot, the receiver


def test_rule_1_a_snapshot_of_an_older_term_is_refused() -> None:
    """Figure 13, rule 1: reply immediately."""
    before = follower(current_term=4)
    after, effects = before.after_message("S1", whole(4, 2))
    assert after == before
    assert (reply(effects).term, reply(effects).installed, rules(effects)) == (4, False, ["IS.1"])
    assert effects.timers == {}


def test_a_part_is_a_sign_of_life_of_the_leader() -> None:
    """Section 7: the leader's RPC, so the election timer starts again."""
    after, effects = follower().after_message("S1", parts(4, 2, 30)[0])
    assert "election" in effects.timers
    assert after.leader_id == "S1"


def test_rules_2_to_4_parts_are_written_at_their_offset_until_the_last_one() -> None:
    """Figure 13: create the file with the first chunk, write each at its offset, wait for more until `done`."""
    first, last = parts(4, 2, 30)
    one, effects = follower().after_message("S1", first)
    assert (reply(effects).offset, reply(effects).installed, rules(effects)) == (30, False, ["IS.4"])
    assert one.snapshot == Snapshot()
    both, effects = one.after_message("S1", last)
    assert (both.snapshot, both.incoming) == (snapshot(4, 2), None)
    assert reply(effects).installed


def test_a_part_that_comes_twice_is_written_once() -> None:
    first, last = parts(4, 2, 30)
    server = follower().after_message("S1", first)[0]
    again, effects = server.after_message("S1", first)
    assert (again.incoming, rules(effects), reply(effects).offset) == (server.incoming, ["IS.3.gap"], 30)
    assert again.after_message("S1", last)[0].snapshot == snapshot(4, 2)


def test_a_part_that_comes_too_early_is_not_written() -> None:
    """Another part was lost, or the follower has crashed since."""
    after, effects = follower().after_message("S1", parts(4, 2, 30)[1])
    assert (after.snapshot, reply(effects).installed, reply(effects).offset) == (Snapshot(), False, 0)


def test_parts_of_two_leaders_are_not_mixed() -> None:
    first, _ = parts(4, 2, 30)
    _, last = parts(4, 2, 30, of_term=4)
    server = follower().after_message("S1", first)[0]
    after, effects = server.after_message("S1", last)
    assert (after.snapshot, rules(effects)[-1]) == (Snapshot(), "IS.3.gap")


def test_rule_5_parts_of_an_older_snapshot_are_discarded_for_a_newer_one() -> None:
    server = follower().after_message("S1", parts(4, 2, 30)[0])[0]
    after, _ = server.after_message("S1", whole(5, 3))
    assert (after.snapshot, after.incoming) == (snapshot(5, 3), None)


def test_rule_6_what_follows_the_snapshot_in_the_log_is_kept_if_the_log_has_its_last_entry() -> None:
    """Figure 13, rule 6: an entry with the same index and term."""
    after, effects = follower(1, 1, 2, 2, 3).after_message("S1", whole(4, 2))
    assert (after.log, after.before_log) == (entries(1, 1, 2, 2, 3)[4:], Position(4, 2))
    assert rules(effects) == ["IS.6"]


@pytest.mark.parametrize("log", [(), (1, 1), (1, 1, 1, 1), (1, 1, 1, 1, 1, 1)])
def test_rule_7_a_log_without_the_snapshots_last_entry_is_discarded(log: tuple[int, ...]) -> None:
    """Figure 13, rule 7: the entire log, also what is longer than the snapshot."""
    after, effects = follower(*log).after_message("S1", whole(4, 2))
    assert (after.log, after.last_log_index, after.last_log_term) == ((), 4, 2)
    assert rules(effects) == ["IS.7"]


def test_rule_8_the_state_machine_is_that_of_the_snapshot() -> None:
    after, _ = follower(1, 1).after_message("S1", whole(4, 2))
    assert (after.state_machine, after.last_applied, after.commit_index) == (state_after(4, 2), 4, 4)


def test_a_snapshot_that_is_older_than_what_is_committed_changes_nothing() -> None:
    """Section 7: by retransmission or by mistake; what follows it stays valid."""
    before = with_log(5)
    after, effects = before.after_message("S1", whole(4, 2))
    assert (after.log, after.snapshot, after.state_machine) == (before.log, before.snapshot, before.state_machine)
    assert (rules(effects), reply(effects).installed) == (["IS.old"], True)


def test_entries_that_the_snapshot_has_are_skipped_in_a_late_append_entries() -> None:
    after, _ = with_log(4).after_timer("snapshot")
    late = AppendEntries(3, "S1", 1, 1, entries(1, 1, 2, 2, 3)[1:], 5)
    then, effects = after.after_message("S1", late)
    assert (then.log, then.commit_index) == (after.log, 5)
    assert isinstance(effects.sends[0][1], AppendEntriesReply)
    assert effects.sends[0][1].match_index == 5


# The leader


def behind(**params: Any) -> Script:
    """S3 is down from the beginning, S1 has discarded what it needs, and S3 is back."""
    run = stand(Script(SnapshotCluster(**params)).crash("S3"), "S1", "S2").settle()
    for serial in range(1, 5):
        run.ask("A", Add(serial, "x", 1), "S1").settle()
    run.fire("S1", "snapshot").restart("S3").fire("S1", "heartbeat")
    return run.deliver(AppendEntries, to="S2").deliver(AppendEntriesReply, "S2")


def test_a_leader_sends_its_snapshot_where_it_has_discarded_the_next_entry() -> None:
    """Section 7."""
    run = behind()
    [part] = [packet.body for packet in run.world.packets if packet.to == "S3"]
    assert isinstance(part, InstallSnapshot)
    assert (part.last_included_index, part.last_included_term, part.offset) == (5, 1, 0)


def test_parts_follow_each_other_and_after_the_last_one_entries_do() -> None:
    run = behind(part_size=20)
    run.ask("A", Add(5, "x", 1), "S1").settle()
    sent = [note.values["offset"] for step in run.history.path for note in step.notes if note.rule == "IS.send"]
    assert sorted({*sent}) == [*range(0, len(run.world["S1"].snapshot.data), 20)]
    assert run.world["S3"].snapshot == run.world["S1"].snapshot
    assert run.world["S3"].log == run.world["S1"].log[-1:]


def test_a_follower_that_crashed_with_half_a_snapshot_gets_it_from_the_start() -> None:
    run = behind(part_size=20)
    run.deliver(InstallSnapshot, to="S3").deliver(InstallSnapshotReply, "S3").crash("S3").lose(to="S3").restart("S3")
    run.fire("S1", "heartbeat").settle()
    assert run.world["S3"].snapshot == run.world["S1"].snapshot


def test_a_snapshot_that_is_replaced_while_it_is_sent_is_sent_to_its_end_and_then_the_new_one() -> None:
    """Else a follower would never have one as long as requests come faster than parts."""
    run = behind(part_size=20).deliver(InstallSnapshot, to="S3")
    for serial in range(5, 9):
        run.ask("A", Add(serial, "x", 1), "S1").deliver(AppendEntries, to="S2").deliver(AppendEntriesReply, "S2")
    run.fire("S1", "snapshot").settle()
    installed = [note.values["index"] for step in run.history.path for note in step.notes if note.rule == "IS.7"]
    assert installed == [5, 9]


def test_a_part_that_is_not_answered_is_sent_again_with_a_heartbeat_and_not_with_each_request() -> None:
    run = behind(part_size=20).lose(to="S3").ask("A", Add(5, "x", 1), "S1")
    assert not [packet for packet in run.world.packets if packet.to == "S3"]
    run.fire("S1", "heartbeat").deliver(InstallSnapshot, to="S3")


def test_an_answer_to_a_part_confirms_the_leader_for_reads() -> None:
    """Thesis 6.4: S2 is down, and S3, which gets a snapshot, makes the majority. S1's log has no entry of its term."""
    run = behind(part_size=20).lose().crash("S2").ask("B", Get(1, "x"), "S1").fire("S1", "heartbeat")
    run.deliver(InstallSnapshot, to="S3").deliver(InstallSnapshotReply, "S3")
    assert [note.values["value"] for note in run.step.notes if note.rule == "RI.2"] == [4]


# Whole runs


@pytest.mark.parametrize("build", [server_was_away, late_parts])
def test_every_invariant_holds_in_the_runs_of_the_gallery(build: Any) -> None:
    history = build()
    verdict = is_linearizable(history.branch)
    assert verdict, str(verdict)
    last = history.branch[-1].state
    assert {server.snapshot.last_included_index > 0 for server in last.processes if server.id != "S2"} == {True}


@pytest.mark.parametrize("bounds", [{}, {"trailing": 2, "part_size": 20}, {"snapshot_after": 2, "servers": 5}])
@pytest.mark.parametrize("faults", ["usual", "rough", "uniform"])
def test_every_invariant_holds_in_random_worlds(bounds: dict[str, Any], faults: str) -> None:
    options: dict[str, Any] = {"rough": {"faults": MANY_FAULTS}, "uniform": {"uniform": True}}
    properties = (*ALWAYS, linearizable, settled)
    runs = random_worlds(SnapshotCluster(**bounds), range(6), 250, properties, **options.get(faults, {}))
    assert runs.holds, str(runs)


def test_every_invariant_holds_in_every_run_of_a_small_cluster() -> None:
    found = Search(LATE, ALWAYS).run()
    assert found.holds, str(found)
    crashes = SmallSnapshotCluster(logs={"S1": (1,), "S2": (1,)}, elections={"S1": (2,)}, budget={"crash": 1})
    found = Search(crashes, ALWAYS).run()
    assert found.holds, str(found)
