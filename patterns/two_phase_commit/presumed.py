"""What a presumption saves: presumed abort, presumed commit, and participants that only read.

Mohan, Lindsay, Obermarck 1986 (`MLO`), sections 3 and 4. A coordinator must answer also about a transaction that it
does not remember. The outcome that it then presumes needs no acknowledgement, and so no forced record.
"""

from __future__ import annotations

from .coordinator import Coordinator, Open
from .log import Aborted, Collecting, Committed, End, Records
from .messages import Outcome, Voted
from .participant import Branch, Participant


class PresumedAbortCoordinator(Coordinator):
    """It forgets an aborted transaction at once."""

    def log_abort(self, open: Open, told: tuple[str, ...]) -> None:
        # A crash may lose the record: a coordinator that remembers nothing answers abort.
        self.write_lazily(Aborted(open.txn, (), open.moves))

    def awaits_acks(self, outcome: Outcome) -> bool:
        return outcome == "commit"

    def recovery(self, records: tuple[Records, ...]) -> Outcome | None:
        # An abort need not be sent again: a participant that asks gets the presumed answer.
        return "commit" if super().recovery(records) == "commit" else None


class PresumedAbortParticipant(Participant):
    """It acknowledges commits only."""

    acknowledges = frozenset({"commit"})


class PresumedCommitCoordinator(Coordinator):
    """It forgets a committed transaction at once. So it must never forget one that is not committed: it logs the
    participants before it asks them."""

    presumes = "commit"

    def log_start(self, open: Open) -> None:
        self.force(Collecting(open.txn, open.asked, open.moves))

    def log_commit(self, open: Open, told: tuple[str, ...]) -> None:
        self.force(Committed(open.txn))

    def log_abort(self, open: Open, told: tuple[str, ...]) -> None:
        # A crash may lose the record: a collecting record without a commit record means abort too.
        self.write_lazily(Aborted(open.txn, told))

    def awaits_acks(self, outcome: Outcome) -> bool:
        return outcome == "abort"

    def outcome_of(self, txn: str) -> Outcome | None:
        outcome = super().outcome_of(txn)
        if outcome is None and self.records_of(txn) and txn not in self.open:
            return "abort"  # it collected votes, and has no commit record
        return outcome

    def recovery(self, records: tuple[Records, ...]) -> Outcome | None:
        ended = any(isinstance(record, End | Committed) for record in records)
        return None if ended else "abort"


class PresumedCommitParticipant(Participant):
    """It acknowledges aborts only."""

    acknowledges = frozenset({"abort"})


class Reader(Participant):
    """A participant that votes read-only if it only read: it writes no record, releases its locks at once, and takes no
    part in the second phase."""

    def vote(self, branch: Branch) -> None:
        if self.agrees(branch.moves) and all(move.amount == 0 for move in branch.moves):
            self.note("P.read", txn=branch.txn)
            self.release(branch.txn)
            self.send(self.coordinator, Voted(branch.txn, "read-only"))
        else:
            super().vote(branch)

    def has_not_voted(self, txn: str) -> bool:
        # A read-only vote leaves no trace: it is sure only of a transaction that still waits for locks.
        return txn in self.branches


class PresumedAbortReader(Reader, PresumedAbortParticipant):
    pass
