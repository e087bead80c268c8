"""The very Server of the simulator and the explorer, as OS processes over TCP, killed with -9.

The long one: pytest -m slow tests/runtime/test_raft_for_real.py
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from patterns.consensus_raft import Add, Done, Get, NotLeader, Put, RaftCluster, Server
from patterns.consensus_raft.histories import Store
from patterns.consensus_raft.pipelined import PipelinedServer
from patterns.engine.clients import Misused
from patterns.engine.linearizable import Recorder, check
from patterns.engine.machine import NotEnabled
from patterns.engine.trace import answered, received
from patterns.engine.world import Crash, Deliver, Request, Restart
from patterns.runtime import Cluster, DieAt
from patterns.runtime.failpoint import STAGES
from patterns.runtime.recording import Recording
from widgets.chapters.consensus_raft.view import VIEW as view

T = TypeVar("T")
NAMES = ("S1", "S2", "S3")


def run(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Run to the end before the deadline."""

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work

    return asyncio.run(bounded())


def cluster_of_three(kind: Callable[..., Server] = Server, **options: Any) -> Cluster:
    servers = [kind(id=name, peers=tuple(other for other in NAMES if other != name)) for name in NAMES]
    return Cluster(servers, replies=Done | NotLeader | Misused, **options)


def compacting(**fields: Any) -> PipelinedServer:
    """A server that takes a snapshot after every few entries, and sends each entry once."""
    return PipelinedServer(**fields, snapshot_after=7, trailing=0, part_size=200)


def caught_up(states: Mapping[str, Server]) -> bool:
    """Whether all three run and have applied the same, the last leader's log to its end."""
    leaders = [server for server in states.values() if server.role == "leader"]
    return bool(leaders) and len(states) == 3 and len({server.last_applied for server in states.values()}) == 1


class Load:
    """Clients that put, add and read without a pause; what they asked and saw, as operations."""

    def __init__(self, cluster: Cluster, clients: int) -> None:
        self.cluster = cluster
        self.names = [f"client {number}" for number in range(clients)]
        self.saw = Recorder()
        self.acknowledged = 0
        """Adds of 1 that were acknowledged, on the key `counter`."""
        self.asked = 0
        """Adds of 1 that were sent at all."""
        self.answers = asyncio.Condition()
        self._serials = dict.fromkeys(self.names, 0)
        self._stop = asyncio.Event()

    async def ask(self, client: str, kind: type, key: str, *value: int) -> int | None:
        self._serials[client] += 1
        request = kind(self._serials[client], key, *value)
        number = self.saw.call(client, request)
        done = await self.cluster.request(client, request, deadline=120)  # a busy machine is no failure
        self.saw.returned(number, done.value)
        async with self.answers:
            self.answers.notify_all()
        return done.value  # type: ignore[no-any-return]

    async def client(self, name: str) -> None:
        while not self._stop.is_set():
            self.asked += 1
            await self.ask(name, Add, "counter", 1)
            self.acknowledged += 1
            serial = self._serials[name]
            await self.ask(name, Put, "x", 1000 * self.names.index(name) + serial)
            await self.ask(name, Get, "x")

    async def answered(self, more: int) -> None:
        """Wait until so many more operations are done."""
        wanted = self.done + more
        async with self.answers:
            await self.answers.wait_for(lambda: self.done >= wanted)

    @property
    def done(self) -> int:
        return sum(not operation.pending for operation in self.saw.operations)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for name in self.names:
                group.create_task(self.client(name))
            yield
            self._stop.set()


async def killed_again_and_again(rounds: int, narrate: bool, each: int, **options: Any) -> tuple[Cluster, Load]:
    """So many times: `each` operations, kill -9 of the leader, `each` operations without it, and it comes back."""
    async with cluster_of_three(narrate=narrate, **options) as cluster:
        load = Load(cluster, clients=3)
        async with load.running():
            for _ in range(rounds):
                await load.answered(each)
                leader = cluster.leader
                await cluster.kill(leader)
                await load.answered(each)
                await cluster.restart(leader)
        total = await load.ask("client 0", Get, "counter")
        assert total == load.acknowledged == load.asked, "each add counts, and counts once"
        if narrate:
            assert await cluster.until(caught_up)
    return cluster, load


def assert_clients_saw_one_store(load: Load) -> None:
    verdict = check(load.saw.operations, Store())
    assert verdict, str(verdict)


@pytest.fixture(scope="module")
def real_run() -> tuple[Recording, Load]:
    cluster, load = run(killed_again_and_again(rounds=3, narrate=True, each=8), seconds=60)
    assert cluster.missed == 0
    return cluster.recording(RaftCluster(servers=3)), load


def test_no_acknowledged_command_is_lost_and_clients_see_one_store_though_the_leader_is_killed_three_times(
    real_run: tuple[Recording, Load],
) -> None:
    # Raft 5.2, 5.3, 8; Herlihy and Wing 1990
    _, load = real_run
    assert_clients_saw_one_store(load)


def test_the_run_for_real_keeps_the_invariants_of_figure_3(real_run: tuple[Recording, Load]) -> None:
    recording, _ = real_run
    history = recording.history()
    for promise in recording.always:
        memory = promise.begin(recording.start())
        for step in history.branch[1:]:
            memory = promise.follow(memory, step.parent.state, step.event, step.state, step.notes)
            assert not promise.reason(memory, step.state), promise


def test_the_recording_tells_kills_restarts_messages_and_answers_as_the_simulator_does(
    real_run: tuple[Recording, Load],
) -> None:
    recording, load = real_run
    history = recording.history()
    steps = history.branch
    events = [step.event for step in steps]
    assert sum(isinstance(event, Crash) for event in events) == 3
    assert sum(isinstance(event, Restart) for event in events) == 3
    assert not recording.start().down, "a server that has not started yet has not crashed"
    delivered = [step for step in steps if isinstance(step.event, Deliver)]
    assert delivered
    for step in delivered:
        packet = received(step)
        assert packet is not None
        assert packet.sent <= step.state.clock
        assert step.state.packet(packet.id) is None
    clocks = [step.state.clock for step in steps]
    assert clocks == sorted(clocks)
    assert len({event.client for event in events if isinstance(event, Request)}) == len(load.names)
    seen = {(each.client, each.input.serial): each.output for each in load.saw.operations}
    replies = [call for step in steps for call in answered(step) if isinstance(call.reply, Done)]
    told = {(call.client, call.body.serial): call.reply.value for call in replies}
    assert len(told) > len(seen) // 2, "a reply of a server that is killed the moment after may not be told"
    assert told == {call: seen[call] for call in told}


def test_a_recording_is_looked_at_not_changed(real_run: tuple[Recording, Load]) -> None:
    recording, _ = real_run
    with pytest.raises(NotEnabled, match="has happened"):
        recording.apply(recording.start(), Crash("S1"))


def test_the_view_draws_every_step_of_a_real_run_and_every_note_has_its_sentence(
    real_run: tuple[Recording, Load],
) -> None:
    recording, _ = real_run
    for step in recording.history().branch:
        scene = view.scene_of(step)
        assert [panel.id for panel in scene.panels] == ["processes", "logs"]
        for note in step.notes:
            assert "{" not in recording.say(note)


def test_with_snapshots_and_entries_sent_once_nothing_is_lost_either() -> None:
    # Raft 7; a server that was away for more entries than the leader's log still has gets a snapshot
    cluster, load = run(killed_again_and_again(2, narrate=True, each=25, kind=compacting, disk="sqlite"), seconds=90)
    assert_clients_saw_one_store(load)
    rules = {rule for record in cluster.records for rule, _ in record.notes}
    assert {"SN.1", "IS.send", "SN.up"} <= rules, "snapshots were taken, sent, and read back from a disk"


WHERE = [
    *(DieAt(rule, stage, nth) for rule in ("L.2", "L.4", "AE.4", "ALL.1") for stage in STAGES for nth in (1, 40)),
    *(DieAt(rule, stage) for rule in ("SN.1", "IS.6", "IS.7", "IS.send", "RV.2", "C.2") for stage in STAGES),
]


@pytest.mark.slow
def test_kill_9_at_every_failpoint_under_load_with_snapshots_loses_nothing() -> None:
    # pytest -m slow tests/runtime/test_raft_for_real.py
    async def scenario() -> Load:
        async with cluster_of_three(compacting, narrate=False, disk="sqlite") as cluster:
            load, died = Load(cluster, clients=5), 0
            async with load.running():
                for nth, point in enumerate(WHERE):
                    name = cluster.leader if nth % 2 else NAMES[nth % 3]
                    await load.answered(20)
                    await cluster.kill(name)
                    await load.answered(20)
                    await cluster.restart(name, die_at=point)
                    try:
                        await cluster.died(name, deadline=3)
                        died += 1
                    except TimeoutError:  # it may never be there: a follower commits nothing
                        await cluster.kill(name)
                    await cluster.restart(name)
            assert died > len(WHERE) // 3
            total = await load.ask("client 0", Get, "counter")
            assert total == load.acknowledged == load.asked, "each add counts, and counts once"
        return load

    assert_clients_saw_one_store(run(scenario(), seconds=1500))


def test_what_a_client_was_told_the_recording_tells_though_its_server_is_killed_at_that_moment() -> None:
    """In five runs of eight the client still waited in the recording."""

    async def scenario() -> Cluster:
        async with cluster_of_three() as cluster:
            for serial in range(1, 4):
                assert await cluster.request("A", Put(serial, "x", serial))
                leader = cluster.leader
                await cluster.kill(leader)
                told = [reply for record in cluster.records for _, reply in record.replies]
                assert Done(serial, serial) in told, (serial, leader)
                await cluster.restart(leader)
        return cluster

    cluster = run(scenario(), seconds=90)
    replies = [
        call.reply for step in cluster.recording(RaftCluster(servers=3)).history().branch for call in answered(step)
    ]
    assert [reply.value for reply in replies if isinstance(reply, Done)] == [1, 2, 3]


@pytest.mark.slow
def test_fifty_rounds_of_kill_9_of_the_leader_lose_nothing() -> None:
    # pytest -m slow tests/runtime/test_raft_for_real.py
    _, load = run(killed_again_and_again(rounds=50, narrate=False, each=20), seconds=1500)
    assert len(load.saw.operations) > 50 * 2 * 20
    assert_clients_saw_one_store(load)
