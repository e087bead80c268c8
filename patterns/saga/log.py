"""What a log says: a saga's progress is a fold over its records.

The orchestrator keeps a saga log (Garcia-Molina and Salem 1987, section 4). A choreographed service keeps a journal of
the events that it knows. Both are tables of `Record`s, and `Progress` is read off either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from patterns.engine.values import Value

from .definition import Saga
from .reasons import NO_REASON, Reason

BEGUN = "begun"
STARTED = "started"
DONE = "done"
REFUSED = "refused"
GAVE_UP = "gave up"
"""A step was asked for too often: whether it was done is not known."""
PIVOT_PASSED = "pivot passed"
TURNED_BACK = "turned back"
UNDONE = "undone"
STUCK = "stuck"
"""A compensation, or a step that is not given up, failed too often."""
REPAIRED = "repaired"
ENDED = "ended"

COMPLETED, COMPENSATED = "completed", "compensated"
UNKNOWN, REJECTED = "unknown", "rejected"
"""The answers to a request for a saga that is not defined, and to one with the key of another saga."""
FORWARD, PAST_PIVOT, COMPENSATING = "forward", "past the pivot", "compensating"
"""Phases of a saga that has not ended; else `stuck`, `completed` or `compensated`."""


class Record(Value, cache_hash=True):
    """A line of a saga log or a journal."""

    saga: str
    what: str
    step: str = ""
    detail: str = ""
    """Of the beginning: the definition's name. Of the end: how the saga ended."""
    reason: Reason = NO_REASON


Records = tuple[Record, ...]


class Instance(Value, cache_hash=True):
    """A saga that a client asked for."""

    saga: str
    definition: str


class Asker(Value, cache_hash=True):
    """A client that waits for the end of a saga, and the number of its request."""

    saga: str
    client: str
    serial: int


class Progress(NamedTuple):
    """Where a saga is, as far as the records say."""

    saga: str
    definition: Saga
    started: tuple[str, ...]
    done: tuple[str, ...]
    """In the order of completion."""
    refused: tuple[str, ...]
    undone: tuple[str, ...]
    stuck: tuple[str, ...]
    """Steps that fail, or once it has turned back, whose compensation does; until a human has repaired that."""
    turned_back: bool
    ended: str
    """How it ended; empty while it has not."""
    reason: Reason
    """Why it turned back, or is stuck."""

    @property
    def phase(self) -> str:
        """forward, past the pivot, compensating, stuck, completed or compensated."""
        if self.ended or self.stuck:
            return self.ended or STUCK
        if self.turned_back:
            return COMPENSATING
        return PAST_PIVOT if self.definition.pivot in self.done else FORWARD

    @property
    def all_done(self) -> bool:
        return len(self.done) == len(self.definition.steps)

    def ready(self) -> tuple[str, ...]:
        """The steps that can begin now: all that they come after is done."""
        if self.turned_back:
            return ()
        return tuple(
            step.name
            for step in self.definition.steps
            if step.name not in self.started and all(before in self.done for before in step.after)
        )

    def not_undone(self) -> tuple[str, ...]:
        """The steps that were done, or may have been, and are not undone: the last one started first."""
        gone = {*self.undone, *self.refused}
        return tuple(name for name in reversed(self.started) if name not in gone)


def records_of(log: Records, saga: str) -> Records:
    """What a log says of one saga. It is read from its end, and no further back than where the saga began."""
    found = []
    for record in reversed(log):
        if record.saga == saga:
            found.append(record)
            if record.what == BEGUN:
                break
    return tuple(reversed(found))


def progress(definition: Saga, saga: str, records: Iterable[Record]) -> Progress:
    """What these records say of this saga."""
    lists: dict[str, list[str]] = {what: [] for what in (STARTED, DONE, REFUSED, UNDONE, STUCK)}
    turned_back, ended, why, fails = False, "", NO_REASON, NO_REASON
    for record in records:
        if record.saga != saga:
            continue
        if record.what in lists and record.step not in lists[record.what]:
            lists[record.what].append(record.step)
        elif record.what == REPAIRED:
            lists[STUCK].clear()
        turned_back = turned_back or record.what == TURNED_BACK
        ended = record.detail if record.what == ENDED else ended
        if record.what == STUCK:
            fails = record.reason
        else:
            why = why or record.reason
    started, done, refused, undone = (tuple(lists[what]) for what in (STARTED, DONE, REFUSED, UNDONE))
    stuck = tuple(name for name in lists[STUCK] if name not in (undone if turned_back else done))
    return Progress(
        saga, definition, started, done, refused, undone, stuck, turned_back, ended, fails if stuck else why
    )


def to_compensate(definition: Saga, not_undone: Iterable[str]) -> tuple[str, ...]:
    """The steps to compensate next, of those that were done or may have been: none that another still builds on.

    In a sequence that is the last step done, so that compensations run in reverse (Garcia-Molina and Salem 1987,
    section 4); of parallel branches, the last of each (section 8).
    """
    still = set(not_undone)
    return tuple(
        name for name in reversed(definition.names) if name in still and not still & definition.following(name)
    )
