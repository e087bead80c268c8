"""What sagas do to one another, and what keeps them from it: anomalies and countermeasures as machines to search.

A saga has no isolation: each step commits by itself, so that others read and write in between (Garcia-Molina and Salem
1987, section 1; Richardson 2018, 4.3.1). Each countermeasure (4.3.2) makes one anomaly impossible in every run of its
machine. The one that is left out, by value, is a choice between these for each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from patterns.engine.explore import Exploration, explore
from patterns.engine.properties import Property
from patterns.saga.database import REFUSE, WAIT
from patterns.saga.machines import SagaMachine
from patterns.saga.properties import (
    adds_up,
    every_saga_ends,
    no_dirty_reads,
    no_lost_updates,
    no_step_after_its_compensation,
)

from .broken import NoVersionFile, running, small


class Anomaly(NamedTuple):
    """Something that two sagas, or two messages of one, do to each other."""

    sentence: str
    machine: SagaMachine
    property: Property
    """What it breaks."""

    def search(self) -> Exploration:
        """A shortest run in which it happens."""
        return explore(self.machine, (self.property,), max_states=100_000)


class Countermeasure(NamedTuple):
    """What makes an anomaly impossible."""

    sentence: str
    against: str
    """The anomaly."""
    machine: SagaMachine

    def search(self) -> Exploration:
        """Every run of the same machine with the countermeasure: the anomaly is in none."""
        return explore(self.machine, (ANOMALIES[self.against].property, adds_up, every_saga_ends), max_states=100_000)


RAISES: Mapping[str, Any] = {"sagas": ["raise", "raise"], "timing": "quiet"}
DIRTY: Mapping[str, Any] = {"sagas": ["cancel", "create"], "refuse": ["call back"], "timing": "quiet"}

ANOMALIES: Mapping[str, Anomaly] = {
    "lost update": Anomaly(
        "Two sagas look at a row, and each writes what it saw plus its own: the first one's update is lost.",
        small(**RAISES),
        no_lost_updates,
    ),
    "dirty read": Anomaly(
        "A saga uses what another has written, and that one turns back.",
        small(**DIRTY),
        no_dirty_reads,
    ),
    "request after its compensation": Anomaly(
        "A request comes after its compensation, and what it does stays.",
        small(running(SagaMachine, service=NoVersionFile), sagas=["short"]),
        no_step_after_its_compensation,
    ),
}
"""The anomalies by name."""

COUNTERMEASURES: Mapping[str, Countermeasure] = {
    "semantic lock: refuse": Countermeasure(
        "A row that a saga has written is marked as pending, and other sagas are refused.",
        "lost update",
        small(**RAISES, lock=REFUSE),
    ),
    "semantic lock: wait": Countermeasure(
        "A row that a saga has written is marked as pending, and other sagas wait; who waits too long turns back.",
        "lost update",
        small(**{**RAISES, "tries": 2}, lock=WAIT),
    ),
    "commutative updates": Countermeasure(
        "A saga adds to the row, whatever it holds: in any order the sum is the same.",
        "lost update",
        small(**{**RAISES, "sagas": ["raise_add", "raise_add"]}),
    ),
    "re-read value": Countermeasure(
        "A saga looks again before it writes, and is refused where the row has changed.",
        "lost update",
        small(**{**RAISES, "sagas": ["raise_reread", "raise_reread"]}),
    ),
    "semantic lock against dirty reads": Countermeasure(
        "What may still be taken back is marked, and no other saga uses it.", "dirty read", small(**DIRTY, lock=REFUSE)
    ),
    "pessimistic view": Countermeasure(
        "The steps stand in another order: credit is freed last, when nothing can be refused any more.",
        "dirty read",
        small(**{**DIRTY, "sagas": ["cancel_late", "create"]}),
    ),
    "version file": Countermeasure(
        "A service notes what it was asked for; a request that comes after its compensation does nothing.",
        "request after its compensation",
        small(sagas=["short"]),
    ),
}
"""The countermeasures by name."""
