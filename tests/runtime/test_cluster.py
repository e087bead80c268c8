"""Several processes, each as an OS process: how they start, how they end, and which files they leave."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from patterns.consensus_raft import Done, NotLeader, Put, Server
from patterns.engine.process import Process
from patterns.runtime import Cluster
from patterns.runtime.__main__ import address, process_class
from patterns.runtime.checks import class_path

NAMES = ("S1", "S2")


def two_servers() -> list[Server]:
    return [Server(id=name, peers=tuple(other for other in NAMES if other != name)) for name in NAMES]


def test_when_a_cluster_closes_no_process_no_port_and_no_file_is_left() -> None:
    async def scenario() -> None:
        async with Cluster(two_servers(), replies=Done | NotLeader) as cluster:
            folder = Path(str(cluster._folder))
            pids, addresses = [cluster.pid(name) for name in NAMES], dict(cluster.addresses)
            assert (await cluster.request("A", Put(1, "x", 5))).value == 5
            assert {host for host, _ in addresses.values()} == {"127.0.0.1"}
            with pytest.raises(ValueError, match="allowed are those that do not run, none"):
                await cluster.restart("S1")
            await cluster.kill("S1")
            with pytest.raises(ValueError, match="'S1' does not run; running are S2"):
                cluster.pid("S1")
            with pytest.raises(TimeoutError):  # one of two is no majority
                await cluster.request("A", Put(2, "x", 6), deadline=0.5)
        assert not folder.exists()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        for place in addresses.values():
            with socket.socket() as again:
                again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                again.bind(place)

    asyncio.run(scenario())


def test_a_cluster_of_which_one_cannot_start_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "S1.disk").write_bytes(b"no such thing")
    cluster = Cluster(two_servers(), folder=tmp_path)
    with pytest.raises(ConnectionError, match="S1 ended before it listened"):
        asyncio.run(cluster.__aenter__())
    assert cluster.running == ()


ORPHANS = """
import asyncio
from patterns.consensus_raft import Server
from patterns.runtime import Cluster

async def main():
    servers = [Server(id="S1", peers=("S2",)), Server(id="S2", peers=("S1",))]
    async with Cluster(servers) as cluster:
        await cluster.pause("S2")
        print(*(cluster.pid(name) for name in cluster.running), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_no_process_outlives_a_parent_that_was_killed_and_no_paused_one_either() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    os.kill(parent.pid, signal.SIGKILL)
    _, complaints = parent.communicate(timeout=20)  # to the end of standard error, which the children hold open too
    assert complaints == b""


INTERRUPTED = """
import asyncio, os, signal
from patterns.consensus_raft import Done, NotLeader, Put, Server
from patterns.runtime import Cluster

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: print("interrupted", flush=True))
    async with Cluster([Server(id="S1", peers=())], replies=Done | NotLeader) as cluster:
        os.killpg(0, signal.SIGINT)  # as a notebook's server does
        print((await cluster.request("A", Put(1, "x", 5))).value, *cluster.running)

asyncio.run(main())
"""


def test_a_stop_button_stops_a_cell_and_no_process_of_a_cluster() -> None:
    kernel = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, timeout=30, start_new_session=True
    )
    assert kernel.stdout.decode() == "interrupted\n5 S1\n", kernel.stderr.decode()


def test_a_class_that_another_os_process_cannot_import_is_refused() -> None:
    class Local(Process):
        pass

    with pytest.raises(ValueError, match="only a class at the top level"):
        Cluster([Local(id="A")])
    assert process_class(class_path(Server)) is Server
    with pytest.raises(ValueError, match="which is no Process"):
        process_class("patterns.consensus_raft:Put")
    with pytest.raises(ValueError, match="cannot be imported"):
        process_class("patterns.nothing:Server")


@pytest.mark.parametrize("text", ["S1", "S1=", "S1=here", "S1=here:", "S1=here:0", "S1=here:65536", "=here:1"])
def test_an_address_is_a_name_a_host_and_a_port(text: str) -> None:
    with pytest.raises(ValueError, match="allowed is name=host:port"):
        address(text)
    assert address("S1=127.0.0.1:7001") == ("S1", ("127.0.0.1", 7001))


@pytest.mark.parametrize("names", [[], ["S1", "S1"]])
def test_a_cluster_has_processes_with_names_of_their_own(names: list[str]) -> None:
    with pytest.raises(ValueError, match="one or more, each with a name of its own"):
        Cluster([Server(id=name, peers=()) for name in names])
