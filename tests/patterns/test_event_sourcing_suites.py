"""Suites of others, run on this store through an adapter: those of the library `eventsourcing` 9.5 (BSD-3).

Left out: two tests of throughput, which assert nothing. The version of a first event is 0 here.
"""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
)
from eventsourcing.tests import persistence as suites

from patterns.event_sourcing.sqlite_store import SqliteStore
from patterns.event_sourcing.store import LARGEST, AppendRefused, Item, NewEvent, Recorded, Store


class Recorder(ApplicationRecorder):
    """The store as the library sees one. A retry is a conflict there."""

    def __init__(self, store: Store, notifies: bool) -> None:
        self.store, self.notifies = store, notifies

    def insert_events(self, stored_events: Sequence[StoredEvent], **named: Any) -> Sequence[int] | None:
        ids: list[int] = []
        streams: dict[str, list[StoredEvent]] = {}
        for event in stored_events:
            streams.setdefault(str(event.originator_id), []).append(event)
        for stream, events in streams.items():
            new = [NewEvent(f"{e.originator_version}", e.topic, e.state.decode("latin-1")) for e in events]
            try:
                answer = self.store.append(stream, new, events[0].originator_version - 1)
            except (AppendRefused, ValueError) as why:
                raise IntegrityError(str(why)) from why
            if answer.again:
                raise IntegrityError(f"{stream} has these events")
            ids += range(answer.position - len(events) + 1, answer.position + 1)
        return ids if self.notifies else None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        first = 0 if gt is None else gt + 1
        start = lte if desc else first
        found = self.store.read(str(originator_id), start, backwards=desc)
        between = [each for each in found if first <= each.version <= (LARGEST if lte is None else lte)]
        events = [StoredEvent(originator_id, each.version, each.type, _bytes(each)) for each in between]
        return events[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = 0 if start is None else start - inclusive_of_start
        page = self.store.page(after, limit, query=(Item(tuple(topics)),) if topics else ())
        return [
            Notification(UUID(each.stream), each.version, each.type, _bytes(each), each.position)
            for each in page.events
            if stop is None or each.position <= stop
        ]

    def max_notification_id(self) -> int | None:
        return self.store.page(limit=LARGEST).to or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Any:
        raise NotImplementedError


def _bytes(event: Recorded) -> bytes:
    return event.data.encode("latin-1")


class OnOurStore(unittest.TestCase):
    notifies = True

    def setUp(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = SqliteStore(Path(self.folder.name) / "events.sqlite", "OFF", wait=60)

    def tearDown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def create_recorder(self) -> Any:
        return Recorder(self.store, self.notifies)


class TestAggregateRecorder(OnOurStore, suites.AggregateRecorderTestCase):
    INITIAL_VERSION = 0
    notifies = False

    test_performance = None


class TestApplicationRecorder(OnOurStore, suites.ApplicationRecorderTestCase[Any]):
    INITIAL_VERSION = 0

    test_performance = test_concurrent_throughput = None
