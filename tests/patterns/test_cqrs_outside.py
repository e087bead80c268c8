"""A case from outside: the suite by which the `eventsourcing` library tests its materialised views, on our projector.

A view of counters must record each position once, together with its counter: the same position twice is an error, and
changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.tests import projection as library

from patterns.cqrs.facts import Ordered, recorded_as, stream_of
from patterns.cqrs.sqlite_models import SqliteProjector, position_of, wait_for
from patterns.event_sourcing.store import Recorded


class Counters(library.EventCountersView):
    """The table of the bestsellers: two kinds of coffee count two kinds of events. Checkpoints are ours."""

    def __init__(self, path: Path) -> None:
        self.projector = SqliteProjector(path, "sellers")

    def count(self, kind: str, tracking: Tracking) -> None:
        at = tracking.notification_id
        event = recorded_as(f"event-{at}", Ordered(kind, 1, "ann", f"ann-{at}"))
        fields = {name: getattr(event, name) for name in event.__struct_fields__}
        recorded = Recorded(**fields, stream=stream_of(kind), version=0, position=at)
        if not self.projector.write(at - 1, [recorded], at):
            raise IntegrityError(f"the checkpoint is not at {at - 1}")

    def counted(self, kind: str) -> int:
        row = self.projector.database.execute("SELECT sold FROM sellers WHERE coffee = ?", (kind,)).fetchone()
        return int(row[0]) if row else 0

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self.count("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self.count("subsequent", tracking)

    def get_created_event_counter(self) -> int:
        return self.counted("created")

    def get_subsequent_event_counter(self) -> int:
        return self.counted("subsequent")

    def insert_tracking(self, tracking: Tracking) -> None:
        raise NotImplementedError  # our checkpoint moves with rows, and never alone

    def max_tracking_id(self, application_name: str) -> int | None:
        return position_of(self.projector.database, "sellers") or None

    def wait(
        self, application_name: str, notification_id: int | None, timeout: float = 1.0, interrupt: Any = None
    ) -> None:
        if not wait_for(self.projector.database, "sellers", notification_id or 0, 1000 * timeout).fresh:
            raise TimeoutError


@pytest.mark.parametrize("name", [name for name in dir(library.EventCountersViewTestCase) if name.startswith("test")])
def test_the_suite_of_the_library_passes_on_our_projector(name: str, tmp_path: Path) -> None:
    views: list[Counters] = []

    class Ours(library.EventCountersViewTestCase):
        def construct_event_counters_view(self) -> library.EventCountersView:
            views.append(Counters(tmp_path / "views.sqlite"))
            return views[-1]

    getattr(Ours(name), name)()
    assert views
    for view in views:
        view.projector.close()
