"""A service's database, and how it makes requests idempotent: what both styles share.

Each request has a key, (saga, step), and its outcome is written in the same write as its effect. Asked again, the
service looks the outcome up (Helland, "Life beyond Distributed Transactions", CIDR 2007; Richardson 2018, 3.3.6). The
same table is a version file (Richardson 4.3.2): a compensation that comes before its request is noted there, and the
request does nothing when it comes. Seata has a table of this kind for its TCC mode, and calls the two cases empty
rollback and suspension. Rows are never removed here; elsewhere they are, after days.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from patterns.engine.process import Process, durable, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from . import actions
from .actions import NOT_SEEN, Action, Refusal, Row, Seen
from .definition import COMPENSATABLE, RETRIABLE, Kind
from .log import DONE, REFUSED, UNDONE
from .reasons import NO_REASON, Reason

Locking = Literal["none", "refuse", "wait"]
NO_LOCK: Locking = "none"
REFUSE: Locking = "refuse"
WAIT: Locking = "wait"
LOCKING = (NO_LOCK, REFUSE, WAIT)
"""Semantic locks: none; a row that another saga has marked is refused; or it is waited for."""


class Handled(Value, cache_hash=True):
    """What a service made of a request: its table of these, in the order of handling, makes requests idempotent."""

    saga: str
    step: str
    undo: bool
    """Whether it was the compensation."""
    outcome: str
    """done or refused; of a compensation: undone, or nothing where the step had not been done. cancelled: the request
    came after its compensation."""
    reason: Reason = NO_REASON
    looked: str = ""
    """For a step that looks: the row that it saw, its value and its version."""
    value: int = 0
    version: int = 0
    action: str = ""
    """What it did, in words: the same key with another action is another request."""

    @property
    def effective(self) -> bool:
        """Whether it changed or read rows."""
        return self.outcome in (DONE, UNDONE)


NOTHING_TO_UNDO, CANCELLED = "nothing", "cancelled"
APPLY, ANSWER_AGAIN, DO_NOTHING = "apply", "answer again", "do nothing"
"""What to make of a request."""


def decide(handled: Iterable[Handled], saga: str, step: str, undo: bool) -> str:
    """How to handle a request, or with `undo` a compensation, by the table of requests handled before.

    A request that was handled gets the same answer again. A request that arrives after its compensation does nothing.
    A compensation of a step that was not done does nothing, too. It is noted, so that a late request does nothing.
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


class Trouble(NamedTuple):
    """It did not work this time, and nothing was changed."""

    reason: Reason


class Database(Process):
    """A service with rows of its own. A handler's writes are one write to the disk."""

    rows: tuple[Row, ...] = durable(())
    handled: tuple[Handled, ...] = durable(())
    """The requests that it handled, and their outcomes, in order."""

    refuses: tuple[str, ...] = setting(())
    """Steps that are refused whatever the rows say: `charge`, or of one saga, `A1.charge`."""
    fails: Table[int] = setting(Table())
    """A step, or `undo` and its name -> how often it fails before it works."""
    locking: Locking = setting(NO_LOCK)

    failed: Table[int] = Table()
    """How often what fails for a while has failed so far; begun anew after a crash."""

    # The rules, one by one

    def decision(self, saga: str, step: str, undo: bool) -> str:
        """What to make of a request: the idempotency check."""
        return decide(self.handled, saga, step, undo)

    def is_other(self, saga: str, step: str, undo: bool, action: Action) -> bool:
        """Whether this key was used before, for another action: nobody may be told that this one is done."""
        key = (saga, step, undo, str(action))
        return any(
            (each.saga, each.step, each.undo) == key[:3] and each.action not in ("", key[3]) for each in self.handled
        )

    def outcome_of(self, saga: str, step: str, undo: bool) -> Handled:
        """The outcome of this request. Raises ValueError if it was not handled."""
        for each in self.handled:
            if (each.saga, each.step, each.undo) == (saga, step, undo):
                return each
        raise ValueError(f"{self.id} has handled no {'undo of ' if undo else ''}{step} of {saga}")

    def marks(self, kind: Kind) -> bool:
        """Whether a step of this kind marks what it touches: what is compensatable is not final (Richardson 4.3.2)."""
        return self.locking != NO_LOCK and kind == COMPENSATABLE

    # A step

    def perform(self, saga: str, step: str, action: Action, kind: Kind) -> Handled | Trouble:
        """Do a step: its outcome, the earlier one where it was asked for before, or what is in the way for now."""
        decision = self.decision(saga, step, undo=False)
        if decision == ANSWER_AGAIN:
            before = self.outcome_of(saga, step, undo=False)
            self.note("S.again", saga=saga, step=step, outcome=before.outcome)
            return before
        if decision == DO_NOTHING:
            self.note("S.cancelled", saga=saga, step=step)
            return self.handle(Handled(saga, step, False, CANCELLED, Reason("cancelled")))
        if self.fails_now(step):
            self.note("S.fails", saga=saga, step=step)
            return Trouble(Reason("out of order", self.id))
        if {step, f"{saga}.{step}"} & {*self.refuses}:
            return self.refuse(saga, step, kind, Reason("declined"))
        if self.locking != NO_LOCK and (other := actions.holder(self.rows, action, saga)):
            if self.locking == REFUSE:
                return self.refuse(saga, step, kind, Reason("held", other))
            self.note("S.wait", saga=saga, step=step, holder=other)
            return Trouble(Reason("held", other))
        applied = actions.apply(action, self.rows, self.seen(saga, action))
        if isinstance(applied, Refusal):
            return self.refuse(saga, step, kind, applied.reason)
        self.rows = actions.locked(applied.rows, action, saga) if self.marks(kind) else applied.rows
        self.note("S.do", saga=saga, step=step, action=action)
        return self.handle(Handled(saga, step, False, DONE, NO_REASON, *applied.seen, action=str(action)))

    def give_up(self, saga: str, step: str, trouble: Trouble) -> Handled:
        """What failed often enough is refused for good."""
        self.note("S.gave up", saga=saga, step=step, reason=trouble.reason)
        return self.handle(Handled(saga, step, False, REFUSED, trouble.reason))

    def refuse(self, saga: str, step: str, kind: Kind, reason: Reason) -> Handled | Trouble:
        # What is retriable is never refused: it is tried until it works.
        if kind == RETRIABLE:
            self.note("S.not yet", saga=saga, step=step, reason=reason)
            return Trouble(reason)
        self.note("S.refuse", saga=saga, step=step, reason=reason)
        return self.handle(Handled(saga, step, False, REFUSED, reason))

    def seen(self, saga: str, action: Action) -> Seen:
        """What the saga saw here of the row that the action overwrites. A real system would send it with the request;
        the outcome is the same."""
        for each in reversed(self.handled):
            if each.saga == saga and each.looked in action.touches:
                return Seen(each.looked, each.value, each.version)
        return NOT_SEEN

    # Its compensation

    def compensate(self, saga: str, step: str, action: Action) -> Handled | Trouble:
        """Undo a step: where it was done. Where it was not, see to it that it never will be."""
        decision = self.decision(saga, step, undo=True)
        if decision == ANSWER_AGAIN:
            self.note("S.undone again", saga=saga, step=step)
            return self.outcome_of(saga, step, undo=True)
        if decision == DO_NOTHING:
            self.note("S.empty", saga=saga, step=step)
            return self.handle(Handled(saga, step, True, NOTHING_TO_UNDO))
        if self.fails_now(f"undo {step}"):
            self.note("S.undo fails", saga=saga, step=step)
            return Trouble(Reason("out of order", self.id))
        applied = actions.apply(action, self.rows)
        if isinstance(applied, Refusal):
            self.note("S.cannot undo", saga=saga, step=step, reason=applied.reason)
            return Trouble(applied.reason)
        self.rows = applied.rows
        self.note("S.undo", saga=saga, step=step, action=action)
        undone = self.handle(Handled(saga, step, True, UNDONE, action=str(action)))
        if not self.in_effect(saga):  # the last of the saga's steps here
            self.rows = actions.released(self.rows, saga)
        return undone

    def in_effect(self, saga: str) -> bool:
        """Whether a step of the saga is done here, and not undone."""
        of = [each for each in self.handled if each.saga == saga]
        return bool({each.step for each in of if each.outcome == DONE} - {each.step for each in of if each.undo})

    def release(self, saga: str) -> None:
        """Take the saga's marks off the rows: what it wrote is final."""
        if any(row.pending == saga for row in self.rows):
            self.note("S.release", saga=saga)
            self.rows = actions.released(self.rows, saga)

    # Both

    def handle(self, handled: Handled) -> Handled:
        self.handled = (*self.handled, handled)
        return handled

    def fails_now(self, what: str) -> bool:
        """Whether it is one of the times that this fails."""
        so_far = self.failed.get(what) or 0
        if so_far >= (self.fails.get(what) or 0):
            return False
        self.failed = self.failed.put(what, so_far + 1)
        return True
