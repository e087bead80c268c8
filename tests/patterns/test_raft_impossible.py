"""What no peer can have sent that keeps to Raft is refused, and ends no server. Nothing else is refused.

A real host asks `impossible` about each message as it arrives: whether this server, as it is now, can be sent it.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from patterns.consensus_raft import Add, Put, RaftCluster, RequestVote, RequestVoteReply
from patterns.consensus_raft.messages import AppendEntries, AppendEntriesReply, Command, Entry
from patterns.consensus_raft.pipelined import PipelinedServer
from patterns.consensus_raft.snapshots import InstallSnapshot, InstallSnapshotReply, SnapshotCluster
from patterns.consensus_raft.stepdown import StepDownCluster
from patterns.engine.planted import MANY_FAULTS, with_parts
from patterns.engine.properties import Always, Reason
from patterns.engine.random_worlds import random_worlds
from patterns.engine.world import World

Pipelined = with_parts(SnapshotCluster, server=PipelinedServer)
CLUSTERS: list[Any] = [RaftCluster, StepDownCluster, SnapshotCluster, Pipelined]


def worlds(cluster: Any) -> tuple[list[Any], list[str]]:
    """Servers of random runs with many faults, and which of the messages under way they call impossible."""
    servers: dict[Any, None] = {}
    refused: list[str] = []

    @Always.named("Each message under way can have been sent")
    def honest(world: World[Any]) -> Reason:
        for packet in world.packets:
            server = next((each for each in world.processes if each.id == packet.to), None)
            if server is not None and packet.sender in server.peers:
                why = server.impossible(packet.sender, packet.body)
                if why:
                    refused.append(f"{packet.body} to {server}: {why}")
        servers.update((each, None) for each in world.processes if each.id not in world.down)
        return None

    random_worlds(cluster(), range(6), 300, (honest,), faults=MANY_FAULTS)
    return list(servers), refused


def forged(draw: random.Random, server: Any) -> Any:
    """A message of a type that the server handles, its numbers drawn around those that matter, and far from them."""
    near = [0, 1, server.current_term, server.current_term + 1, server.commit_index, server.last_log_index]
    number = lambda: draw.choice([*near, server.last_log_index + 1, 10**6, 2**53])  # noqa: E731
    entries = tuple(
        Entry(draw.choice([number(), -1]), Command("A", Put(number(), "x", 1))) for _ in range(draw.randrange(4))
    )
    term = draw.choice([server.current_term, server.current_term, server.current_term + 1, 0])
    messages = [
        AppendEntries(term, "S2", number(), number(), entries, number(), number()),
        AppendEntriesReply(term, draw.random() < 0.6, number(), number(), number(), number(), number()),
        RequestVote(term, "nobody", number(), number()),
        RequestVoteReply(term, draw.random() < 0.5),
    ]
    if InstallSnapshot in type(server)._messages:
        data = draw.choice([b"", server.snapshot.data])
        messages += [
            InstallSnapshot(term, "S2", number(), number(), number(), data, draw.random() < 0.5, number()),
            InstallSnapshotReply(term, number(), draw.random() < 0.5, number(), number()),
        ]
    return draw.choice(messages)


@pytest.mark.parametrize("cluster", CLUSTERS, ids=lambda cluster: cluster.name)
def test_no_forged_number_ends_a_server_and_no_honest_message_is_refused(cluster: Any) -> None:
    servers, refused = worlds(cluster)
    assert not refused, refused[0]
    assert len(servers) > 200
    assert {server.role for server in servers} == {"follower", "candidate", "leader"}
    draw = random.Random(14)
    known = 0
    for server in draw.choices(servers, k=4_000):
        was, sent = server, []
        for _ in range(4):
            sender, message = draw.choice(server.peers), forged(draw, server)
            if server.impossible(sender, message):
                known += 1
                continue
            sent.append((sender, message))
            try:
                server, _ = server.after_message(sender, message)
                server.after_request("A", Add(7, "x", 1))
                for timer in {"heartbeat", "apply", "snapshot"} & server._timers.keys():
                    if timer != "heartbeat" or server.role == "leader":
                        server.after_timer(timer)
            except (LookupError, ValueError, TypeError, OverflowError) as problem:
                raise AssertionError(f"{sent} ended {was}, with {problem!r}") from problem
    assert known > 1_000


def leader() -> PipelinedServer:
    server, _ = PipelinedServer(id="S1", peers=("S2", "S3")).after_start()
    server, _ = server.after_timer("election")
    server, _ = server.after_message("S2", RequestVoteReply(1, True))
    return server


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (AppendEntriesReply(1, True, 10**6), "it is about entry 1000000, and the log of S1 ends at 1"),
        (AppendEntriesReply(1, False, conflict_index=2), "it is about entry 2, and the log of S1 ends at 1"),
        (AppendEntriesReply(1, True, 1, 1, read_round=5), "leadership check 5, and the last one of S1 is 0"),
        (InstallSnapshotReply(1, 9, True), "it is about entry 9, and the log of S1 ends at 1"),
        (AppendEntries(1, "S2", 0, 0, (), 0), "S1 itself leads term 1"),
        (InstallSnapshot(1, "S2", 9, 1, 0, b"", True), "S1 itself leads term 1"),
        (AppendEntries(3, "S2", 5, 2, (Entry(1),), 0), "terms never fall along a log, and these are 2, 1, 3"),
        (InstallSnapshot(2, "S2", 9, 3, 0, b"", True), "term 2 cannot have an entry of term 3"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_impossible_is_said_in_words(message: Any, why: str) -> None:
    assert why in leader().impossible("S2", message)


def test_an_offset_beyond_the_snapshot_and_another_entry_than_the_committed_one_are_impossible() -> None:
    server, _ = leader().after_message("S2", AppendEntriesReply(1, True, 1, 1))
    for serial in range(1, 4):
        server, _ = server.after_request("A", Put(serial, "x", serial))
        server, _ = server.after_message("S2", AppendEntriesReply(1, True, serial + 1, 1))
    server, _ = server.after_timer("apply") if server.last_applied < server.commit_index else (server, None)
    assert server.commit_index == 4
    other = AppendEntries(2, "S2", 1, 1, (Entry(2),), 0)
    assert "its entry 2 is another one than S1 has committed there" in server.impossible("S2", other)
    server, _ = msgspec.structs.replace(server, trailing=0).after_timer("snapshot")
    server = msgspec.structs.replace(server, next_index=server.next_index.put("S3", 1))
    server, _ = server.after_timer("heartbeat")
    outgoing = server.outgoing["S3"].snapshot
    size = len(outgoing.data)
    beyond = InstallSnapshotReply(1, outgoing.last_included_index, False, size + 1)
    assert f"it has {size + 1} bytes of a snapshot of {size}" in server.impossible("S3", beyond)
    assert not server.impossible("S3", msgspec.structs.replace(beyond, offset=size))
