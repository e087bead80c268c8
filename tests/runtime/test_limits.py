"""Messages that are too many, too large, too slow or a stranger's are refused in words, and end nothing.

Each test is one of the defects that a review found in real runs; the smallest reproduction stands in it.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_host import BODIES, WIRE, Counter, News, Raise, Tell, asking, run

from patterns.consensus_raft import Add, Done, Get, NotLeader, Put, RaftCluster, RequestVoteReply, Server
from patterns.consensus_raft.messages import AppendEntries, AppendEntriesReply, Command, Entry, size_of
from patterns.consensus_raft.state_machine import MOST
from patterns.runtime import Cluster, Host, WireError
from patterns.runtime import host as hosts
from patterns.runtime.clients import IDLE, Clients
from patterns.runtime.envelopes import TOLD, Bodies, Fired, FromClient, FromPeer, Hello, Record
from patterns.runtime.rpc import Refused
from patterns.runtime.telling import BACKLOG, Teller

NAMES = ("S1", "S2", "S3")


def servers(names: tuple[str, ...] = NAMES, **fields: Any) -> list[Server]:
    return [Server(id=name, peers=tuple(other for other in names if other != name), **fields) for name in names]


def raft(names: tuple[str, ...] = NAMES, **options: Any) -> Cluster:
    return Cluster(servers(names), replies=Done | NotLeader, **options)


async def refusal(host: Host, *frames: Any) -> str:
    """Why a connection that sends these frames is closed."""
    async with asking(host) as client:
        for frame in frames:
            client.writer.write(frame if isinstance(frame, bytes) else WIRE.encode(frame))
        answer = await WIRE.read(client.reader)
        assert isinstance(answer, Refused), answer
        assert await client.reader.read() == b"", "closed"
        return answer.reason


# Sizes


def test_the_entries_of_one_message_are_bounded_in_bytes_and_one_is_always_sent() -> None:
    log = tuple(Entry(1, Command("A", Put(n, "k" * 11_000, n))) for n in range(300))
    server = Server(id="S1", peers=("S2",), log=log)
    assert size_of(server.entries_after(0)) <= server.max_bytes < (1 << 20) // 2
    assert len(server.entries_after(0)) > 10
    huge = Server(id="S1", peers=("S2",), log=(Entry(1, Command("A", Put(1, "k" * (1 << 18), 1))),) * 2)
    assert len(huge.entries_after(0)) == 1
    small = tuple(Entry(1, Command("A", Put(n, "k", n))) for n in range(300))
    assert len(Server(id="S1", peers=("S2",), log=small).entries_after(0)) == server.max_entries


def test_a_server_that_is_300_long_commands_behind_catches_up_and_no_term_begins() -> None:
    async def scenario() -> None:
        patient = servers(election_timeout=(1_500, 3_000))  # a busy machine begins no term
        async with Cluster(patient, replies=Done | NotLeader, disk="sqlite") as cluster:
            await cluster.request("A", Put(1, "x", 1))
            behind = next(name for name in NAMES if name != cluster.leader)
            await cluster.kill(behind)

            async def load(client: str) -> None:
                for n in range(1, 31):
                    await cluster.request(client, Put(n, f"{client} {n} " + "k" * 11_000, n))

            await asyncio.gather(*(load(f"c{n}") for n in range(10)))
            term = cluster.states[cluster.leader].current_term
            await cluster.restart(behind)
            await cluster.until(lambda now: behind in now and now[behind].last_applied >= 301, deadline=60)
            assert cluster.states[cluster.leader].current_term == term
            assert cluster.troubles == []

    run(scenario(), seconds=120)


def test_a_request_that_could_not_be_told_to_peers_is_refused_and_the_others_are_served() -> None:
    async def scenario() -> None:
        async with raft(("S1",)) as cluster:
            with pytest.raises(WireError, match=r"a request of 1,048,[0-9]+ bytes; at most 262,144 are taken"):
                await cluster.request("A", Put(1, "k" * ((1 << 20) - 70), 1))
            assert (await cluster.request("B", Put(1, "k" * 200_000, 1))).value == 1

    run(scenario())


def test_a_host_says_once_what_it_could_not_send(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        host = Host(Counter(id="C" * 40, peers=("D",)), {"D": ("127.0.0.1", 1)}, max_frame=200)
        async with host, asking(host) as client:
            for _ in range(3):
                await client.ask(Tell("x" * 130))
            assert host.lost["D"] == 3

    run(scenario())
    said = capfd.readouterr().err
    assert said.count("cannot send News to D: a FromPeer of") == 1


# Integers


def test_two_legal_requests_whose_sum_is_too_large_end_no_server() -> None:
    """2**63 + 2**63 ended each leader, and each restart."""

    async def scenario() -> None:
        async with raft(("S1",)) as cluster:
            with pytest.raises(WireError, match=r"has the integer 9223372036854775808; allowed is -2\*\*53 to 2\*\*53"):
                await cluster.request("A", Put(1, "n", 2**63))
            assert (await cluster.request("A", Put(1, "n", MOST))).value == MOST
            assert (await cluster.request("A", Add(2, "n", MOST))).value == MOST, "as on every server"
            assert (await cluster.request("A", Add(3, "n", -MOST))).value == 0
            await cluster.kill("S1")
            await cluster.restart("S1")
            assert (await cluster.request("A", Get(4, "n"))).value == 0

    run(scenario(), seconds=40)


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**64 - 1, -(2**63)])
def test_an_integer_out_of_range_is_refused_wherever_it_stands(number: int) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {"D": ("127.0.0.1", 1)}) as host:
            assert f"has the integer {number}" in await refusal(host, FromClient("A", BODIES.encode(Raise(number))))
            async with asking(host) as client:
                assert await client.ask(Raise(2**53)) == 2**53
                assert await client.ask(Raise(-(2**53))) == 0

    run(scenario())


@pytest.mark.parametrize("field", ["prev_log_index", "term", "leader_commit"])
def test_a_negative_index_or_term_is_no_message(field: str) -> None:
    fields: dict[str, Any] = {
        "term": 1,
        "leader_id": "S1",
        "prev_log_index": 0,
        "prev_log_term": 0,
        "entries": (),
        "leader_commit": 0,
    }
    bodies = Bodies(Server)
    with pytest.raises(WireError, match=f"Expected `int` >= 0 - at `{re.escape('$')}.{field}`"):
        bodies.message(bodies.encode(AppendEntries(**{**fields, field: -5})))


def test_a_peers_reply_about_an_entry_that_is_not_there_is_refused_and_the_leader_leads_on() -> None:
    async def scenario() -> None:
        peers = {"S2": ("127.0.0.1", 1)}
        bodies = Bodies(Server, Done | NotLeader)
        server = Server(id="S1", peers=("S2",), election_timeout=(200, 300))
        async with Host(server, peers) as host:
            while host.process.role != "candidate":
                await asyncio.sleep(0)
            host.process, _ = host.process.after_message("S2", RequestVoteReply(host.process.current_term, True))
            assert host.process.role == "leader"
            reply = AppendEntriesReply(host.process.current_term, True, match_index=10**6)
            reason = await refusal(host, FromPeer("S2", bodies.encode(reply)))
            assert reason == "AppendEntriesReply from S2: it is about entry 1000000, and the log of S1 ends at 1"
            assert host.process.role == "leader"
            assert not host._running.done()

    run(scenario())


def test_a_reply_that_cannot_be_encoded_is_a_refusal_and_not_the_end() -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C", total=2**64), {}) as host, asking(host) as client:
            client.send(Raise(1))
            answer = await WIRE.read(client.reader)
            assert isinstance(answer, Refused)
            assert "Total cannot be sent" in answer.reason
            client.send(Raise(0))
            assert isinstance(await WIRE.read(client.reader), Refused), "it goes on, on the same connection"

    run(scenario())


# Strangers


def test_only_those_that_know_the_token_are_heard() -> None:
    forged = FromPeer("D", BODIES.encode(News("hello")))

    async def scenario() -> None:
        async with Host(Counter(id="C"), {"D": ("127.0.0.1", 1)}, token="secret") as host:
            for frames in ([forged], [Hello("guess"), forged], [FromClient("A", BODIES.encode(Raise(1)))]):
                assert "does not have the token of C's cluster" in await refusal(host, *frames)
            assert (host.process.heard, host.process.total) == ((), 0)
            async with asking(host) as client:
                client.writer.write(WIRE.encode(Hello("secret")))
                assert await client.ask(Raise(1)) == 1

    run(scenario())


def test_a_stranger_can_neither_read_nor_write_in_a_cluster() -> None:
    async def scenario() -> None:
        async with raft(("S1",)) as cluster:
            await cluster.request("A", Put(1, "x", 7))
            reader, writer = await asyncio.open_connection(*cluster.addresses["S1"])
            writer.write(WIRE.encode(FromClient("A", msgspec.Raw(msgspec.msgpack.encode(Put(2, "x", 666))))))
            answer = await WIRE.read(reader)
            assert isinstance(answer, Refused)
            writer.transport.abort()
            assert (await cluster.request("A", Get(2, "x"))).value == 7

    run(scenario())


# Connections


def test_a_connection_that_says_nothing_or_half_a_frame_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "PATIENCE", 0.1)

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, token="secret") as host:
            assert "nothing came within 0.1 s" in await refusal(host)
            half = (1 << 20).to_bytes(4, "big") + bytes(1000)
            assert "of a frame of 1,048,576 bytes, not all came" in await refusal(host, Hello("secret"), half)

    run(scenario())


def test_connections_are_bounded_and_the_ones_that_are_there_go_on() -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}) as host, asking(host) as client:
            host.connections = 1
            assert await client.ask(Raise(1)) == 1
            assert "C has 1 connections, and takes no more" in await refusal(host)
            assert await client.ask(Raise(1)) == 2

    run(scenario())


def test_clients_that_ask_nothing_keep_only_a_few_connections() -> None:
    clients = Clients("")
    for number in range(1_005):
        with clients.asking(f"client {number}"):
            pass
    assert len(clients._clients) == IDLE


# Words


def test_a_client_in_two_tasks_is_refused_and_a_request_without_an_answer_says_what_was_heard() -> None:
    async def scenario() -> None:
        async with raft(("S1", "S2")) as cluster:
            await cluster.request("A", Put(1, "x", 7))
            await cluster.kill("S1")
            waits = cluster.asking("A", Put(2, "x", 8), deadline=2.5)
            await asyncio.sleep(0)
            with pytest.raises(ValueError, match="client 'A' still waits for an answer"):
                await cluster.request("A", Put(3, "x", 9))
            with pytest.raises(TimeoutError, match=r"no answer to x = 8 within 2.5 s: S1 is dead; S2 .*running are S2"):
                await waits
            with pytest.raises(TimeoutError, match=r"not found within 0.1 s; running are S2"):
                await cluster.until(lambda states: None, deadline=0.1)

    run(scenario(), seconds=40)


@pytest.mark.parametrize("name", ["../outside", "x/y", "a=b", "", ".", "a\0b", "x" * 101])
def test_a_name_that_cannot_be_a_part_of_a_files_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"id is .*; allowed are up to 100 letters"):
        Cluster([Server(id=name, peers=())])


def test_two_names_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="each with a name of its own"):
        Cluster(servers(("S1", "s1")))


def test_a_cluster_is_opened_once_and_its_processes_may_be_built_with_much() -> None:
    log = tuple(Entry(1, Command("A", Put(n, f"key {n}", n))) for n in range(3_000))

    async def scenario() -> None:
        cluster = Cluster(servers(("S1",), log=log), replies=Done | NotLeader)
        async with cluster:  # an argument list holds 128 KiB
            assert (await cluster.request("B", Get(1, "key 2999"))).value == 2_999
        with pytest.raises(ValueError, match="this cluster was open before"):
            await cluster.__aenter__()

    run(scenario(), seconds=60)


# What is watched


def test_a_record_has_the_fields_that_changed_and_of_a_log_what_was_appended() -> None:
    async def scenario() -> Cluster:
        async with raft(("S1",), disk="sqlite") as cluster:
            for n in range(1, 40):
                await cluster.request("A", Put(n, "x", n))
            await cluster.until(lambda now: now["S1"].last_applied == 40)
        return cluster

    cluster = run(scenario(), seconds=40)
    sizes = [len(msgspec.msgpack.encode(record.changes)) for record in cluster.records if "log" in record.changes]
    assert max(sizes[1:]) < 400, "as much at the fortieth command as at the second"
    states: dict[str, Any] = {"S1": cluster.processes["S1"]}
    for record in cluster.records:
        states["S1"] = record.after(states["S1"])
    assert [entry.command.request.value for entry in states["S1"].log[1:]] == [*range(1, 40)]


def test_of_a_long_run_the_last_records_are_kept_and_the_recording_says_how_many_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("patterns.runtime.cluster.RECORDS", 40)

    async def scenario() -> Cluster:
        async with raft(("S1", "S2")) as cluster:
            for n in range(1, 40):
                await cluster.request("A", Put(n, "x", n))
            await cluster.kill("S2")
        return cluster

    cluster = run(scenario(), seconds=40)
    assert len(cluster.records) <= 80
    with pytest.warns(UserWarning, match=r"[0-9]+ records are missing: the run shown begins after"):
        recording = cluster.recording(RaftCluster(servers=2))
    assert recording.missing % 40 == 0
    branch = recording.history().branch
    assert len(branch[0].state["S1"].log) > 0
    assert len(branch[-1].state["S1"].log) == 40
    for step in branch:
        recording.choices(step.state)


def test_a_process_that_nobody_watches_makes_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """It kept the last 4,096 states: 474 MB at 40,000 entries, and a third of its speed."""

    def never(*_: Any) -> None:
        raise AssertionError("a record was made")

    monkeypatch.setattr(Host, "_record", never)

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}) as host, asking(host) as client:
            host.teller = Teller(Counter, quiet=True)
            assert await client.ask(Raise(1)) == 1

    run(scenario())


class Pipe:
    """What a process told, and how much of it waits for its watcher."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.waits = 0

    def write(self, frame: bytes) -> None:
        self.told.append(TOLD.decode(frame[4:]))

    def get_write_buffer_size(self) -> int:
        return self.waits


def test_a_slow_watcher_misses_records_learns_how_many_and_then_knows_the_state_again() -> None:
    teller, pipe, bodies = Teller(Counter), Pipe(), Bodies(Counter)
    teller._transport = pipe  # type: ignore[assignment]
    states = [Counter(id="C", total=n, heard=tuple("abcdefg"[:n])) for n in range(7)]
    for nth, state in enumerate(states):
        pipe.waits = BACKLOG + 1 if nth in (2, 3, 4) else 0
        teller.record(Record(at=nth, process="C", event=Fired("t")), state)
    assert [type(told).__name__ for told in pipe.told] == ["Told", "Told", "Missed", "Told", "Told"]
    assert pipe.told[2].records == 3
    seen = Counter(id="C")
    for told in pipe.told[:2] + pipe.told[3:]:
        record = bodies.unpack("C", told, {})
        seen = record.after(seen)
        assert seen == states[int(record.at)]
    assert pipe.told[-1].kept == {"heard": 5}, "only what was appended"
    teller.record(Record(at=7, process="C", event=Fired("t")), Counter(id="C", total=2**64))
    assert "C cannot tell what happens: a value cannot be sent" in pipe.told[-1].text


@pytest.mark.slow
def test_a_run_of_ten_thousand_commands_is_watched_in_200_mb_and_a_second_behind() -> None:
    """1,000 commands cost 1.4 GB, and the states were 25 s behind. pytest -m slow tests/runtime/test_limits.py"""
    source = (
        "import asyncio, resource\n"
        "from test_limits import watched\n"
        "behind = asyncio.run(watched(10_000))\n"
        "print(behind, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)\n"
    )
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=Path(__file__).parent)
    behind, megabytes = map(float, ran.stdout.split())
    print(f"{behind:.2f} s behind at most, {megabytes:.0f} MB")
    assert behind < 1
    assert megabytes < 200


async def watched(commands: int) -> float:
    """How many seconds the states were behind at most."""
    behind, done = 0.0, 0

    async with raft(disk="sqlite") as cluster:
        await cluster.request("first", Put(1, "x", 1))

        async def load(client: str) -> None:
            nonlocal done
            for n in range(1, commands // 10 + 1):
                await cluster.request(client, Put(n, "x", n))
                done += 1

        async def look() -> None:
            nonlocal behind
            while True:
                answered, began = done, asyncio.get_running_loop().time()
                await cluster.until(
                    lambda now, at=answered: max((s.last_applied for s in now.values()), default=0) >= at
                )
                behind = max(behind, asyncio.get_running_loop().time() - began)
                await asyncio.sleep(0.1)

        looks = asyncio.create_task(look())
        await asyncio.gather(*(load(f"c{n}") for n in range(10)))
        looks.cancel()
        began = asyncio.get_running_loop().time()
        await cluster.until(lambda now: len(now) == 3 and min(s.last_applied for s in now.values()) > commands)
        return max(behind, asyncio.get_running_loop().time() - began)
