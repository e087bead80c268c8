"""Cases from outside: two suites of the `eventsourcing` library, on our projector on a file.

One is for recorders that track how far a reader is. The other is for materialised views: a view of counters must record
each position once, together with its counter. The same position twice is an error, and changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder, WaitInterruptedError
from eventsourcing.tests import projection as library
from eventsourcing.tests.persistence import TrackingRecorderTestCase

from patterns.cqrs.facts import Ordered, recorded_as, stream_of
from patterns.cqrs.sqlite_models import MODELS, SqliteProjector, position_of, wait_for
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


class Checkpoints(TrackingRecorder):
    """Our checkpoints as the library's tracking records: one read model for each application upstream."""

    def __init__(self, path: Path) -> None:
        models = zip(("upstream1", "upstream2", "upstream3"), MODELS, strict=True)
        self.projectors = {name: SqliteProjector(path, model) for name, model in models}

    def insert_tracking(self, tracking: Tracking) -> None:
        projector = self.projectors[tracking.application_name]
        if not projector.write(projector.checkpoint, (), tracking.notification_id):
            raise IntegrityError(f"the checkpoint is at {projector.checkpoint}")

    def max_tracking_id(self, application_name: str) -> int | None:
        return self.projectors[application_name].checkpoint or None

    def has_tracking_id(self, application_name: str, notification_id: int | None) -> bool:
        return self.projectors[application_name].checkpoint >= (notification_id or 0)

    def wait(
        self, application_name: str, notification_id: int | None, timeout: float = 1.0, interrupt: Any = None
    ) -> None:
        if interrupt is not None and interrupt.is_set():
            raise WaitInterruptedError
        projector = self.projectors[application_name]
        if not wait_for(projector.database, projector.model, notification_id or 0, 1000 * timeout).fresh:
            raise TimeoutError


@pytest.mark.parametrize("name", [name for name in dir(TrackingRecorderTestCase) if name.startswith("test")])
def test_the_suite_of_tracking_recorders_passes_on_our_checkpoints(name: str, tmp_path: Path) -> None:
    recorder = Checkpoints(tmp_path / "tracking.sqlite")

    class Ours(TrackingRecorderTestCase):
        def create_recorder(self) -> TrackingRecorder:
            return recorder

    getattr(Ours(name), name)()
    for projector in recorder.projectors.values():
        projector.close()
