"""The coordinator of two-phase commit, as it is without any presumption: it collects votes, decides, tells, forgets.

Gray, "Notes on Data Base Operating Systems", 1978, section 5.8.3; Mohan, Lindsay, Obermarck, "Transaction Management in
the R* Distributed Database Management System", ACM TODS 11(4), 1986 (`MLO`), section 2; Bernstein, Hadzilacos, Goodman,
"Concurrency Control and Recovery in Database Systems", 1987, chapter 7 (`BHG`).

Simpler than real ones: a transaction's work comes with the question for the vote, in one message, and the coordinator
is no participant itself. Records stay in the log when the transaction is forgotten: here nothing is ever thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec
from msgspec.structs import replace

from patterns.engine.process import Message, durable, on, on_request, on_timer, setting

from .log import Aborted, Committed, End, Logged, Records, by_transaction, outcome_in
from .messages import (
    Abort,
    Ack,
    Commit,
    Done,
    InDoubt,
    Inquiry,
    Outcome,
    Prepare,
    Transfer,
    Vote,
    Voted,
    named,
    past,
)

Phase = Literal["voting", "pre-committing", "committing", "aborting", "recovering"]
DECIDED: Mapping[Phase, Outcome] = {"committing": "commit", "aborting": "abort"}
"""The phases in which it only waits for acknowledgements -> of what."""


class Open(msgspec.Struct, frozen=True, gc=False):
    """A transaction that the coordinator has not forgotten yet: in memory only."""

    txn: str
    client: str
    """Who waits for the answer; empty after a crash, until it asks again."""
    asked: tuple[str, ...]
    """The participants."""
    phase: Phase = "voting"
    votes: tuple[tuple[str, Vote], ...] = ()
    """(participant, vote) in the order of the participants."""
    missing: frozenset[str] = frozenset()
    """Who has not acknowledged yet."""
    due: bool = False
    """Whether the timer that runs counts for it: it began to wait before the timer was set."""

    @property
    def outcome(self) -> Outcome | None:
        """What was decided; None before."""
        return DECIDED.get(self.phase)

    def with_vote(self, participant: str, vote: Vote) -> Open:
        given = {**dict(self.votes), participant: vote}
        return replace(self, votes=tuple([(name, given[name]) for name in self.asked if name in given]))


class Coordinator(Logged, kw_only=True):
    """The coordinator. Times are in ms."""

    participants: tuple[str, ...]
    """All there are."""
    cooperative: bool = setting(True)
    """Whether it tells the participants of one another, so that they can ask each other when they are in doubt."""
    vote_timeout: int = setting(60)
    ack_timeout: int = setting(60)

    life: int = durable(1)
    """Its how manyth life, one more after each crash. A transaction begun again after a crash has a name of its own,
    so that a message from before is never taken for one of now."""
    open: tuple[Open, ...] = ()
    """In the order they began."""

    presumes: ClassVar[Outcome] = "abort"
    """What it answers when it knows nothing of a transaction."""

    # The rules, one by one

    def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
        """What these votes decide: nothing as long as one is missing and there is time."""
        if timed_out or "no" in votes.values():
            return "abort"
        return "commit" if all(name in votes for name in asked) else None

    def recovery(self, records: tuple[Records, ...]) -> Outcome | None:
        """What it must tell, after a crash, of a transaction with these records in its log; None: it has ended."""
        if any(isinstance(record, End) for record in records):
            return None
        return outcome_in(records)

    def log_start(self, txn: str, asked: tuple[str, ...]) -> None:
        """Before it asks for votes. Nothing: of what it forgets in a crash it says that it is aborted."""

    def log_commit(self, txn: str, told: tuple[str, ...]) -> None:
        self.force(Committed(txn, told))

    def log_abort(self, txn: str, told: tuple[str, ...]) -> None:
        self.force(Aborted(txn, told))

    def log_readers(self, txn: str) -> None:
        """All have only read: nothing has to survive, and nobody has to be told."""

    def awaits_acks(self, outcome: Outcome) -> bool:
        """Whether it must remember the transaction until all that were told have it on disk."""
        return True

    # A client asks

    @on_request(Transfer)
    def begin(self, client: str, transfer: Transfer) -> None:
        open = next((open for open in self.open if client_name(open.txn) == transfer.txn), None)
        if open is not None and open.outcome is None:
            self.note("C.wait", client=client, txn=open.txn)
            self.replace(replace(open, client=client))
            return
        if outcome := self.outcome_for(transfer.txn):
            self.note("C.known", client=client, txn=transfer.txn, outcome=past(outcome))
            self.reply(client, Done(transfer.txn, outcome))
            return
        strangers = [name for name in transfer.participants if name not in self.participants]
        if strangers:
            self.note("C.stranger", txn=transfer.txn, strangers=named(strangers))
            self.reply(client, Done(transfer.txn, "abort"))
            return
        txn = transfer.txn if self.life == 1 else f"{transfer.txn}.{self.life}"
        self.ask_for_votes(Open(txn, client, transfer.participants), transfer)

    def ask_for_votes(self, open: Open, transfer: Transfer) -> None:
        self.log_start(open.txn, open.asked)
        self.note("C.ask", txn=open.txn, asked=named(open.asked), timeout=self.vote_timeout)
        for participant in open.asked:
            moves = tuple(move for move in transfer.moves if move.participant == participant)
            self.send(participant, Prepare(open.txn, moves, open.asked if self.cooperative else ()))
        self.open = (*self.open, open)
        self.watch("votes", "voting", self.vote_timeout)

    # Votes

    @on(Voted)
    def take_vote(self, participant: str, message: Voted) -> None:
        open = self.find(message.txn)
        if open is None or open.phase != "voting" or participant in dict(open.votes):
            self.late(participant, message)
            return
        open = open.with_vote(participant, message.vote)
        self.note("C.vote", participant=participant, vote=message.vote, txn=open.txn, voted=len(open.votes))
        self.replace(open)
        self.count(open, timed_out=False)

    @on_timer("votes")
    def votes_are_late(self) -> None:
        for open in self.open:
            if open.phase == "voting" and open.due:
                silent = [name for name in open.asked if name not in dict(open.votes)]
                self.note("C.silent", txn=open.txn, silent=named(silent), timeout=self.vote_timeout)
                self.count(open, timed_out=True)
        self.watch("votes", "voting", self.vote_timeout, again=True)

    def count(self, open: Open, timed_out: bool) -> None:
        outcome = self.decision(dict(open.votes), open.asked, timed_out)
        if outcome == "commit":
            self.all_voted_yes(open)
        elif outcome == "abort":
            self.decide(open, "abort")

    def all_voted_yes(self, open: Open) -> None:
        """The point of no return."""
        self.decide(open, "commit")

    # The decision

    def decide(self, open: Open, outcome: Outcome) -> None:
        # Who voted no has aborted, and who only read has nothing to do: they are not told.
        votes = dict(open.votes)
        told = tuple(name for name in open.asked if votes.get(name) not in ("no", "read-only"))
        before = self.log
        self.log_decision(open, outcome, told)
        readers = outcome == "commit" and not told
        said = named([f"{name} {vote}" for name, vote in open.votes])
        self.note("C.readers" if readers else f"C.{outcome}", txn=open.txn, told=named(told), votes=said)
        if any(record.txn == open.txn for record in self.buffer):
            self.note("C.lazy", txn=open.txn)
        elif self.log != before:
            self.note("C.forced", txn=open.txn)
        if open.client:
            self.reply(open.client, Done(client_name(open.txn), outcome))
        self.tell(open, outcome, told)

    def log_decision(self, open: Open, outcome: Outcome, told: tuple[str, ...]) -> None:
        # A decision is on disk before anybody hears of it.
        if outcome == "commit" and not told:
            self.log_readers(open.txn)
        elif outcome == "commit":
            self.log_commit(open.txn, told)
        else:
            self.log_abort(open.txn, told)

    def tell(self, open: Open, outcome: Outcome, told: tuple[str, ...]) -> None:
        for participant in told:
            self.send(participant, decided(open.txn, outcome))
        missing = frozenset(told) if self.awaits_acks(outcome) else frozenset()
        open = replace(open, phase="committing" if outcome == "commit" else "aborting", missing=missing, due=False)
        self.replace(open)
        if missing:
            self.set_timer("acks", self.ack_timeout)
            self.rest()
        else:
            self.forget(open)

    @on(Ack)
    def take_ack(self, participant: str, message: Ack) -> None:
        open = self.find(message.txn)
        if open is None or participant not in open.missing:
            self.late(participant, message)
            return
        open = replace(open, missing=open.missing - {participant})
        self.replace(open)
        self.note("C.ack", participant=participant, txn=open.txn, missing=named(open.missing))
        if not open.missing:
            self.lazily(End(open.txn))
            self.note("C.end", txn=open.txn)
            self.forget(open)

    @on_timer("acks")
    def acks_are_late(self) -> None:
        for open in self.open:
            if outcome := open.outcome:
                self.note("C.again", txn=open.txn, missing=named(open.missing), timeout=self.ack_timeout)
                for participant in sorted(open.missing):
                    self.send(participant, decided(open.txn, outcome))
        self.set_timer("acks", self.ack_timeout)

    def forget(self, open: Open) -> None:
        self.open = tuple(other for other in self.open if other.txn != open.txn)
        self.rest()

    def rest(self) -> None:
        """A timer for which nobody waits is stopped."""
        if not any(open.phase == "voting" for open in self.open):
            self.cancel_timer("votes")
        if not any(open.outcome for open in self.open):
            self.cancel_timer("acks")

    # Somebody is in doubt

    @on(Inquiry)
    def answer_inquiry(self, participant: str, message: Inquiry) -> None:
        # By its memory alone: what it has forgotten it can tell from what it never knew no more than a real one can.
        txn = message.txn
        open = self.find(txn)
        if open is None:
            self.note("C.presume", participant=participant, txn=txn, outcome=past(self.presumes))
            self.send(participant, decided(txn, self.presumes))
        elif outcome := open.outcome:
            self.note("C.answer", participant=participant, txn=txn, outcome=past(outcome))
            self.send(participant, decided(txn, outcome))
        else:
            self.note("C.undecided", participant=participant, txn=txn)
            self.send(participant, InDoubt(txn))

    def outcome_of(self, txn: str) -> Outcome | None:
        """What was decided, as far as it knows."""
        open = self.find(txn)
        return open.outcome if open is not None and open.outcome else self.logged_outcome(txn)

    def outcome_for(self, name: str) -> Outcome | None:
        """What became of a client's transaction. Under a new name it is begun only when nothing is known of the old."""
        txns = [open.txn for open in self.open] + [record.txn for record in (*self.log, *self.buffer)]
        outcomes = {self.outcome_of(txn) for txn in txns if client_name(txn) == name}
        return "commit" if "commit" in outcomes else "abort" if "abort" in outcomes else None

    # After a crash

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        self.life += 1
        for txn, records in by_transaction(self.log):
            outcome = self.recovery(records)
            told = next((record.participants for record in reversed(records) if hasattr(record, "participants")), ())
            if outcome:
                # It may have crashed before anybody was told: it tells them again.
                self.note("C.back", txn=txn, outcome=past(outcome), told=named(told))
                open = Open(txn, "", told)
                self.open = (*self.open, open)
                self.tell(open, outcome, told)

    # Its memory

    def find(self, txn: str) -> Open | None:
        return next((open for open in self.open if open.txn == txn), None)

    def replace(self, open: Open) -> None:
        self.open = tuple([open if other.txn == open.txn else other for other in self.open])

    def watch(self, timer: str, phase: Phase, timeout: int, again: bool = False) -> None:
        """Let `timer` run while transactions are in `phase`: those that are in it when it is set are due when it fires.
        One timer serves all, so that who comes later waits for up to twice the time, never less than it."""
        waiting = [open for open in self.open if open.phase == phase]
        if waiting and (again or len(waiting) == 1):
            for open in waiting:
                self.replace(replace(open, due=True))
            self.set_timer(timer, timeout)

    def late(self, sender: str, message: Message) -> None:
        self.note("C.late", sender=sender, message=message)


def decided(txn: str, outcome: Outcome) -> Commit | Abort:
    """The message that tells a decision."""
    return Commit(txn) if outcome == "commit" else Abort(txn)


def client_name(txn: str) -> str:
    """What the client calls it: `T1` for `T1.2`, which is T1 begun in the coordinator's second life."""
    return txn.partition(".")[0]
