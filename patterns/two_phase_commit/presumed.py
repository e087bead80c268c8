"""What a presumption saves: presumed abort, presumed commit, and participants that have only read.

Mohan, Lindsay, Obermarck 1986 (`MLO`), sections 3 and 4. A coordinator that knows nothing of a transaction must
answer something. What it presumes then need not be acknowledged, and so need not be forced either.
"""

from __future__ import annotations

from .coordinator import Coordinator
from .log import Aborted, Collecting, Committed, End, Records
from .messages import Outcome, Voted
from .participant import Branch, Participant


class PresumedAbortCoordinator(Coordinator):
    """It forgets an aborted transaction at once."""

    def log_abort(self, txn: str, told: tuple[str, ...]) -> None:
        # Lost in a crash it is as good as written: who knows nothing says that it is aborted.
        self.lazily(Aborted(txn))

    def awaits_acks(self, outcome: Outcome) -> bool:
        return outcome == "commit"

    def recovery(self, records: tuple[Records, ...]) -> Outcome | None:
        # Of an abort nobody has to be told: who asks is told what is presumed.
        return "commit" if super().recovery(records) == "commit" else None


class PresumedAbortParticipant(Participant):
    """It acknowledges commits only."""

    acknowledges = frozenset({"commit"})


class PresumedCommitCoordinator(Coordinator):
    """It forgets a committed transaction at once. For that it must never forget one that is not: so it writes down
    whom it asks before it asks."""

    presumes = "commit"

    def log_start(self, txn: str, asked: tuple[str, ...]) -> None:
        self.force(Collecting(txn, asked))

    def log_commit(self, txn: str, told: tuple[str, ...]) -> None:
        self.force(Committed(txn))

    def log_abort(self, txn: str, told: tuple[str, ...]) -> None:
        # Lost in a crash, the collecting record says it too: who collects and has not committed, aborts.
        self.lazily(Aborted(txn, told))

    def log_readers(self, txn: str) -> None:
        # Lost in a crash, it is aborted: which is the same to who has only read.
        self.lazily(Committed(txn))

    def awaits_acks(self, outcome: Outcome) -> bool:
        return outcome == "abort"

    def outcome_of(self, txn: str) -> Outcome | None:
        outcome = super().outcome_of(txn)
        if outcome is None and self.records_of(txn) and self.find(txn) is None:
            return "abort"  # what it collected votes for, and has no commit record of
        return outcome

    def recovery(self, records: tuple[Records, ...]) -> Outcome | None:
        ended = any(isinstance(record, End | Committed) for record in records)
        return None if ended else "abort"


class PresumedCommitParticipant(Participant):
    """It acknowledges aborts only."""

    acknowledges = frozenset({"abort"})


class Reader(Participant):
    """A participant that says so when it has only read: it writes no record, frees its locks at once, and is left out
    of the second phase."""

    def vote(self, branch: Branch) -> None:
        if self.agrees(branch.moves) and all(move.amount == 0 for move in branch.moves):
            self.note("P.read", txn=branch.txn)
            self.release(branch.txn)
            self.send(self.coordinator, Voted(branch.txn, "read-only"))
        else:
            super().vote(branch)

    def has_not_voted(self, txn: str) -> bool:
        # A read-only vote leaves no trace: only what waits for its locks has not voted for sure.
        return self.find(txn) is not None


class PresumedAbortReader(Reader, PresumedAbortParticipant):
    pass


class PresumedCommitReader(Reader, PresumedCommitParticipant):
    pass
