"""A key names one request: the same request is done once, another one under its key is an error."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.clients import Done, Misused
from patterns.engine.script import Script
from patterns.replication import Chain, Merging, PrimaryBackup, Quorum
from patterns.replication.client import Count, Remove, Write

WRITES = {"X": ("milk", "eggs")}
WAYS = {
    "primary and backups": (PrimaryBackup(clients=WRITES), Write("milk", 1), Write("tea", 1)),
    "chain": (Chain(clients=WRITES), Write("milk", 1), Write("tea", 1)),
    "quorum": (Quorum(clients=WRITES), Write("milk", 1), Write("tea", 1)),
    "last write": (Merging(data="last write", clients=WRITES), Write("milk", 1), Write("tea", 1)),
    "siblings": (Merging(clients=WRITES), Write("milk", 1), Write("tea", 1)),
    "set": (Merging(data="set", clients=WRITES), Write("milk", 1), Remove("milk", 1)),
    "counter": (Merging(data="counter", clients={"X": ("count",)}), Count(1), Write("tea", 1)),
}


def data(run: Script) -> list[Any]:
    """What every replica keeps for good."""
    fields = ("log", "hist", "version", "state")
    return [[getattr(each, field, None) for field in fields] for each in run.world.processes]


@pytest.mark.parametrize("way", WAYS)
def test_a_retry_is_answered_as_the_first_time_and_another_request_is_refused(way: str) -> None:
    machine, first, other = WAYS[way]
    run = Script(machine).ask("X", first, to="Ann").settle()
    answer, kept = run.world.call("X").reply, data(run)
    assert isinstance(answer, Done)
    run.ask("X", first, to="Ann").settle()
    assert (run.world.call("X").reply, data(run)) == (answer, kept)
    run.ask("X", other, to="Ann").settle()
    assert (run.world.call("X").reply, data(run)) == (Misused(1), kept)
