"""What is on disk, as rows of tables, and what follows from it: a saga's state is a fold over its records.

The orchestrator keeps a saga log (Garcia-Molina and Salem 1987, section 4), a choreographed service a journal of the
events that it knows: both are tables of `Record`s, and `Progress` is read off either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from .definition import Saga

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
"""A compensation failed too often."""
REPAIRED = "repaired"
ENDED = "ended"

COMPLETED, COMPENSATED = "completed", "compensated"
UNKNOWN = "unknown"
"""The answer to a request for a saga that is not defined."""


class Record(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A line of a saga log or a journal."""

    saga: str
    what: str
    step: str = ""
    detail: str = ""
    """Of a refusal: the reason. Of the end: how. Of what is stuck: why."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.saga, self.step, self.what, self.detail) if part)


Records = tuple[Record, ...]


class Instance(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A saga that a client asked for."""

    saga: str
    definition: str
    client: str
    serial: int


class Handled(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What a service made of a request: its table of these, in the order of handling, makes requests idempotent."""

    saga: str
    step: str
    undo: bool
    """Whether it was the compensation."""
    outcome: str
    """done or refused; of a compensation: undone, or nothing where the step had not been done. cancelled: the request
    came after its compensation."""
    reason: str = ""
    looked: str = ""
    """For a step that looks: the row that it saw, its value and its version."""
    value: int = 0
    version: int = 0

    @property
    def effective(self) -> bool:
        """Whether it changed or read rows."""
        return self.outcome in (DONE, UNDONE)


NOTHING_TO_UNDO = "nothing"
CANCELLED = "cancelled"


APPLY, ANSWER_AGAIN, DO_NOTHING = "apply", "answer again", "do nothing"
"""What to make of a request."""


def decide(handled: Iterable[Handled], saga: str, step: str, undo: bool) -> str:
    """What to make of a request, or with `undo` of a compensation, by the table of what was handled before.

    What was handled is answered as it was then. A request that comes after its compensation does nothing, and neither
    does a compensation of what was not done: but it is noted, so that the request never does anything either.
    """
    requested = compensated = None
    for each in handled:
        if (each.saga, each.step) == (saga, step):
            if each.undo:
                compensated = each
            else:
                requested = each
    if compensated if undo else requested:
        return ANSWER_AGAIN
    if undo:
        return APPLY if requested and requested.outcome == DONE else DO_NOTHING
    return DO_NOTHING if compensated else APPLY


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
    """Steps whose compensation fails, until a human has repaired that."""
    turned_back: bool
    ended: str
    """How it ended; empty while it has not."""
    reason: str
    """Why it turned back, or is stuck."""

    @property
    def phase(self) -> str:
        """forward, backward, stuck, or how it ended: completed, compensated."""
        if self.ended:
            return self.ended
        if self.stuck:
            return STUCK
        return "backward" if self.turned_back else "forward"

    @property
    def pivot_passed(self) -> bool:
        return self.definition.pivot in self.done

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

    def standing(self) -> tuple[str, ...]:
        """The steps that were done, or may have been, and are not undone: the last one started first."""
        gone = {*self.undone, *self.refused}
        return tuple(name for name in reversed(self.started) if name not in gone)


def times(count: int) -> str:
    """So often, in words."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


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
    turned_back, ended, reason, fails = False, "", "", ""
    for record in records:
        if record.saga != saga:
            continue
        if record.what in lists:
            if record.step not in lists[record.what]:
                lists[record.what].append(record.step)
        elif record.what == TURNED_BACK:
            turned_back = True
        elif record.what == REPAIRED:
            lists[STUCK].clear()
        elif record.what == ENDED:
            ended = record.detail
        if record.what in (REFUSED, GAVE_UP):
            reason = reason or record.detail
        elif record.what == STUCK:
            fails = record.detail
    stuck = tuple(name for name in lists[STUCK] if name not in lists[UNDONE])
    started, done, refused, undone = (tuple(lists[what]) for what in (STARTED, DONE, REFUSED, UNDONE))
    return Progress(
        saga, definition, started, done, refused, undone, stuck, turned_back, ended, fails if stuck else reason
    )


def to_compensate(definition: Saga, standing: Iterable[str]) -> tuple[str, ...]:
    """The steps to compensate next, of those that were done or may have been: none that another still builds on.

    In a sequence that is the last step done, so that compensations run in reverse (Garcia-Molina and Salem 1987,
    section 4); of parallel branches, the last of each (section 8).
    """
    still = set(standing)
    return tuple(
        name for name in reversed(definition.names) if name in still and not still & definition.following(name)
    )
