"""Each entry is sent once, unless it is lost: the extension that real runs use (Ongaro's thesis, 10.2.1)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.consensus_raft import Put, RequestVoteReply, Server
from patterns.consensus_raft.histories import linearizable
from patterns.consensus_raft.messages import AppendEntries, AppendEntriesReply, Command, Entry
from patterns.consensus_raft.pipelined import PipelinedServer
from patterns.consensus_raft.properties import follows_heartbeats, settled
from patterns.consensus_raft.snapshot_properties import ALWAYS
from patterns.consensus_raft.snapshots import InstallSnapshot, SnapshotCluster
from patterns.engine.planted import MANY_FAULTS, with_parts
from patterns.engine.process import Effects
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.script import Script
from patterns.engine.table import Table

Pipelined = with_parts(SnapshotCluster, server=PipelinedServer)


def leader(**fields: Any) -> PipelinedServer:
    server = PipelinedServer(id="S1", peers=("S2", "S3"), **fields)
    server, _ = server.after_start()
    server, _ = server.after_timer("election")
    server, _ = server.after_message("S2", RequestVoteReply(1, True))
    for peer in server.peers:  # both have the no-op
        server, _ = server.after_message(peer, has(1))
    return server


def has(index: int, appended: int = 1) -> AppendEntriesReply:
    return AppendEntriesReply(1, True, index, appended)


def sent(effects: Effects, to: str) -> list[tuple[int, int]]:
    """(index before, number of entries) of each AppendEntries to that follower."""
    return [(m.prev_log_index, len(m.entries)) for name, m in effects.sends if name == to]


def test_a_command_is_sent_without_those_before_it_and_beyond_the_window_with_those_that_wait() -> None:
    server = leader(window=2)
    sends = []
    for serial in range(1, 6):
        server, effects = server.after_request(f"client {serial}", Put(serial, "x", serial))
        sends.append(sent(effects, "S2"))
    assert sends == [[(1, 1)], [(2, 1)], [], [], []]
    server, effects = server.after_message("S2", has(2))
    assert sent(effects, "S2") == [(3, 3)], "the three that waited, in one message"
    assert sent(effects, "S3") == []


def test_a_refusal_takes_the_leader_back_to_the_lost_entry() -> None:
    server = leader()
    for serial in (1, 2):
        server, _ = server.after_request(f"client {serial}", Put(serial, "x", serial))
    server, effects = server.after_message("S2", AppendEntriesReply(1, False, conflict_index=2))
    assert sent(effects, "S2") == [(1, 2)], "the first of the two was lost"


def test_a_heartbeat_finds_a_loss_that_no_later_message_shows() -> None:
    server = leader(window=1)
    server, effects = server.after_request("A", Put(1, "x", 1))
    assert sent(effects, "S2") == [(1, 1)]
    assert effects.timers == {"heartbeat": (50, 50)}
    server, effects = server.after_request("B", Put(1, "x", 2))
    assert (sent(effects, "S2"), effects.timers) == ([], {}), "what waits does not put the heartbeat off"
    server, effects = server.after_timer("heartbeat")
    assert sent(effects, "S2") == [(2, 1)]
    server, effects = server.after_message("S2", AppendEntriesReply(1, False, conflict_index=2))
    assert sent(effects, "S2") == [(1, 2)]


def test_the_heartbeat_goes_on_while_a_follower_gets_a_snapshot() -> None:
    """Without it a part that was lost would never be sent again, and a follower would stand for election."""
    server = leader(snapshot_after=1, trailing=0, part_size=10)
    server, _ = server.after_timer("snapshot")
    server, _ = server.after_message("S2", AppendEntriesReply(1, False, conflict_index=1))
    server = msgspec.structs.replace(server, next_index=server.next_index.put("S3", 1))
    for _ in range(3):
        server, effects = server.after_timer("heartbeat")
        assert [type(message) for to, message in effects.sends if to == "S3"] == [InstallSnapshot]
        assert effects.timers["heartbeat"] == (50, 50)


def test_heartbeats_go_on_while_a_follower_is_far_behind() -> None:
    server = leader(max_entries=1)
    for serial in range(1, 12):
        server, _ = server.after_request(f"client {serial}", Put(serial, "x", serial))
    for _ in range(3):
        server, effects = server.after_timer("heartbeat")
        assert server.owes("S2")
        assert effects.timers == {"heartbeat": (50, 50)}


@given(st.lists(st.integers(1, 3), max_size=12).map(sorted), st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_the_leader_commits_what_the_core_commits(terms: list[int], held: list[int]) -> None:
    peers = tuple(f"S{n}" for n in range(2, 2 + len(held)))
    log = tuple(Entry(term, Command("A", Put(n, "x", n))) for n, term in enumerate(terms))
    match = Table[int]()
    for peer, index in zip(peers, held, strict=True):
        match = match.put(peer, min(index, len(log)))
    fields: dict[str, Any] = {"id": "S1", "peers": peers, "log": log, "match_index": match, "current_term": 3}
    for commit in range(len(log) + 1):
        core = Server(**fields, commit_index=commit).committable_index()
        assert PipelinedServer(**fields, commit_index=commit).committable_index() == core


@pytest.mark.parametrize("faults", [FAULTS, MANY_FAULTS], ids=["usual faults", "rough"])
@pytest.mark.parametrize("params", [{}, {"servers": 5, "clients": 4}, {"fifo": True, "max_entries": 2}], ids=str)
def test_every_invariant_holds_and_the_cluster_recovers(params: dict[str, Any], faults: Any) -> None:
    properties = (*ALWAYS, linearizable, follows_heartbeats, settled)
    runs = random_worlds(Pipelined(**params), range(8), 300, properties, faults=faults)
    assert runs.holds, str(runs)


def test_where_nothing_is_lost_each_follower_gets_each_entry_once() -> None:
    run = Script(Pipelined(clients=4, fifo=True, snapshot_after=100)).fire("S1", "election").settle()
    for _ in range(6):
        for client in "ABCD":
            run.ask(client)
        run.settle()
    packets = {packet.id: packet for step in run.history.branch for packet in step.state.packets}
    got = Counter[tuple[str, int]]()
    for packet in packets.values():
        if isinstance(packet.body, AppendEntries):
            first = packet.body.prev_log_index + 1
            got.update((packet.to, first + place) for place in range(len(packet.body.entries)))
    assert got == {(to, index): 1 for to in ("S2", "S3") for index in range(1, run.world["S1"].last_log_index + 1)}
