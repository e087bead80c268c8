"""`store`: each store of chapter 8 in turn, for the contract that all of them keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from event_stores import InMemory, OnTheNetwork

from patterns.event_sourcing.sqlite_store import SqliteStore
from patterns.event_sourcing.store import Store


@pytest.fixture(params=["value in memory", "process on the network", "SQLite file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param != "SQLite file":
        yield InMemory() if request.param == "value in memory" else OnTheNetwork()
        return
    on_file = SqliteStore(tmp_path / "events.sqlite", synchronous="OFF")  # nobody cuts the power here
    yield on_file
    on_file.close()
