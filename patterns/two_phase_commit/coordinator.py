"""The coordinator of two-phase commit, without a presumption: it collects votes, decides, sends the decision, forgets.

- Gray, "Notes on Data Base Operating Systems", 1978, section 5.8.3
- Mohan, Lindsay, Obermarck, "Transaction Management in the R* Distributed Database Management System", ACM TODS 11(4),
  1986 (`MLO`), section 2
- Bernstein, Hadzilacos, Goodman, "Concurrency Control and Recovery in Database Systems", 1987, chapter 7 (`BHG`)

Simpler than a real coordinator: the work of a transaction comes with the question for the vote, in one message, and the
coordinator is not a participant. Its log keeps the records of forgotten transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from msgspec.structs import replace

from patterns.engine.process import Message, durable, on, on_request, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .log import Aborted, Committed, End, Logged, Records, by_transaction, outcome_in
from .messages import (
    Abort,
    Ack,
    Commit,
    Done,
    InDoubt,
    Inquiry,
    LoseDisk,
    Move,
    NameTaken,
    Obeyed,
    Outcome,
    Prepare,
    Transfer,
    Vote,
    Voted,
)

Phase = Literal["voting", "pre-committing", "committing", "aborting", "recovering"]
DECIDED: Mapping[Phase, Outcome] = {"committing": "commit", "aborting": "abort"}
"""The phases in which the coordinator only waits for acknowledgements -> the decision."""


class Open(Value):
    """A transaction that the coordinator has not forgotten yet: in memory only."""

    txn: str
    clients: tuple[str, ...]
    """The clients that wait for the answer; none after a crash, until one asks again."""
    asked: tuple[str, ...]
    """The participants."""
    phase: Phase = "voting"
    votes: Table[Vote] = Table()
    missing: frozenset[str] = frozenset()
    """The participants that have not acknowledged yet."""
    moves: tuple[Move, ...] = ()
    """What the client asked for."""

    @property
    def outcome(self) -> Outcome | None:
        """The decision; None before it."""
        return DECIDED.get(self.phase)


class Coordinator(Logged, kw_only=True):
    """The coordinator. Times are in ms."""

    participants: tuple[str, ...] = setting(())
    """The participants that it may ask; empty: any."""
    cooperative: bool = setting(True)
    """Whether it names the participants to one another, so that a participant in doubt can ask the others."""
    vote_timeout: int = setting(60)
    ack_timeout: int = setting(60)

    life: int = durable(1)
    """How often the process has started: 1 + the number of crashes. A transaction that begins again after a crash gets
    a new name, so that an old message is never taken for a new one."""
    open: Table[Open] = Table()

    presumes: ClassVar[Outcome] = "abort"
    """The answer about a transaction that it does not remember."""

    # The rules, one by one

    def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
        """What these votes decide; None while a vote is missing and there is time."""
        if timed_out or "no" in votes.values():
            return "abort"
        return "commit" if all(name in votes for name in asked) else None

    def recovery(self, records: tuple[Records, ...]) -> Outcome | None:
        """The decision to send again after a crash, by a transaction's records; None: the transaction has ended."""
        if any(isinstance(record, End) for record in records):
            return None
        return outcome_in(records)

    def log_start(self, open: Open) -> None:
        """Before it asks for votes: nothing, because a transaction that it forgets in a crash counts as aborted."""

    def log_commit(self, open: Open, told: tuple[str, ...]) -> None:
        self.force(Committed(open.txn, told, open.moves))

    def log_abort(self, open: Open, told: tuple[str, ...]) -> None:
        self.force(Aborted(open.txn, told, open.moves))

    def awaits_acks(self, outcome: Outcome) -> bool:
        """Whether it must remember the transaction until every participant has the decision on disk."""
        return True

    # A client asks

    @on_request(Transfer)
    def begin(self, client: str, transfer: Transfer) -> None:
        open = next((open for open in self.open.values() if client_name(open.txn) == transfer.txn), None)
        known = self.moves_of(transfer.txn)
        if known and set(known) != set(transfer.moves):
            self.note("C.taken", client=client, txn=transfer.txn, moves=known)
            self.reply(client, NameTaken(transfer.txn, transfer.moves))
            return
        if open is not None and open.outcome is None:
            self.note("C.wait", client=client, txn=open.txn)
            clients = tuple(dict.fromkeys((*open.clients, client)))
            self.keep(replace(open, clients=clients, moves=transfer.moves))
            return
        if outcome := self.outcome_for(transfer.txn):
            self.note("C.known", client=client, txn=transfer.txn, outcome=outcome)
            self.reply(client, Done(transfer.txn, transfer.moves, outcome))
            return
        strangers = tuple(name for name in transfer.participants if name not in self.participants)
        if self.participants and strangers:
            self.note("C.stranger", txn=transfer.txn, strangers=strangers)
            self.reply(client, Done(transfer.txn, transfer.moves, "abort"))
            return
        txn = transfer.txn if self.life == 1 else f"{transfer.txn}.{self.life}"
        self.ask_for_votes(Open(txn, (client,), transfer.participants, moves=transfer.moves))

    def ask_for_votes(self, open: Open) -> None:
        self.log_start(open)
        self.note("C.ask", txn=open.txn, asked=open.asked, timeout=self.vote_timeout)
        for participant in open.asked:
            moves = tuple(move for move in open.moves if move.participant == participant)
            self.send(participant, Prepare(open.txn, moves, open.asked if self.cooperative else ()))
        self.keep(open)
        self.set_timer("votes", self.vote_timeout, about=open.txn)

    # Votes

    @on(Voted)
    def take_vote(self, participant: str, message: Voted) -> None:
        open = self.open.get(message.txn)
        if open is None or open.phase != "voting" or participant in open.votes:
            self.late(participant, message)
            return
        open = replace(open, votes=open.votes.put(participant, message.vote))
        self.note("C.vote", participant=participant, vote=message.vote, txn=open.txn, voted=len(open.votes))
        self.keep(open)
        self.count(open, timed_out=False)

    @on_timer("votes")
    def votes_are_late(self, txn: str) -> None:
        open = self.open[txn]
        silent = tuple(name for name in open.asked if name not in open.votes)
        self.note("C.silent", txn=txn, silent=silent, timeout=self.vote_timeout)
        self.count(open, timed_out=True)

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
        # A participant that voted no has aborted, and one that only read has nothing to do: neither needs the decision.
        told = tuple(name for name in open.asked if open.votes.get(name) not in ("no", "read-only"))
        before = self.log
        self.log_decision(open, outcome, told)
        self.note(f"C.{outcome}", txn=open.txn, told=told, voters=open.votes.names)
        if any(record.txn == open.txn for record in self.buffer):
            self.note("C.lazy", txn=open.txn)
        elif self.log != before:
            self.note("C.forced", txn=open.txn)
        self.answer(open, outcome)
        self.cancel_timer("votes", about=open.txn)
        self.tell(open, outcome, told)

    def answer(self, open: Open, outcome: Outcome) -> None:
        for client in open.clients:
            self.reply(client, Done(client_name(open.txn), open.moves, outcome))

    def log_decision(self, open: Open, outcome: Outcome, told: tuple[str, ...]) -> None:
        # A decision is on disk before any message with it leaves. If all only read, no message needs it.
        if outcome == "commit" and told:
            self.log_commit(open, told)
        elif outcome == "abort":
            self.log_abort(open, told)

    def tell(self, open: Open, outcome: Outcome, told: tuple[str, ...]) -> None:
        for participant in told:
            self.send(participant, decided(open.txn, outcome))
        if told and self.awaits_acks(outcome):
            phase: Phase = "committing" if outcome == "commit" else "aborting"
            self.keep(replace(open, phase=phase, missing=frozenset(told)))
            self.set_timer("acks", self.ack_timeout, about=open.txn)
        else:
            self.forget(open)

    @on(Ack)
    def take_ack(self, participant: str, message: Ack) -> None:
        open = self.open.get(message.txn)
        if message.by_hand:
            self.note("C.mixed", participant=participant, txn=message.txn, outcome=message.by_hand)
        if open is None or participant not in open.missing:
            self.late(participant, message)
            return
        open = replace(open, missing=open.missing - {participant})
        self.keep(open)
        self.note("C.ack", participant=participant, txn=open.txn, missing=tuple(sorted(open.missing)))
        if not open.missing:
            self.write_lazily(End(open.txn))
            self.note("C.end", txn=open.txn)
            self.forget(open)

    @on_timer("acks")
    def acks_are_late(self, txn: str) -> None:
        open = self.open[txn]
        assert open.outcome is not None
        missing = tuple(sorted(open.missing))
        self.note("C.again", txn=txn, missing=missing, timeout=self.ack_timeout)
        for participant in missing:
            self.send(participant, decided(txn, open.outcome))
        self.set_timer("acks", self.ack_timeout, about=txn)

    def forget(self, open: Open) -> None:
        self.open = self.open.without(open.txn)
        self.cancel_timer("acks", about=open.txn)

    # A participant is in doubt

    @on(Inquiry)
    def answer_inquiry(self, participant: str, message: Inquiry) -> None:
        # From memory only: like a real coordinator, it cannot distinguish a forgotten transaction from an unknown one.
        txn = message.txn
        open = self.open.get(txn)
        if open is None:
            self.note("C.presume", participant=participant, txn=txn, outcome=self.presumes)
            self.send(participant, decided(txn, self.presumes))
        elif outcome := open.outcome:
            self.note("C.answer", participant=participant, txn=txn, outcome=outcome)
            self.send(participant, decided(txn, outcome))
        else:
            self.note("C.undecided", participant=participant, txn=txn)
            self.send(participant, InDoubt(txn))

    def outcome_of(self, txn: str) -> Outcome | None:
        """The decision, as far as it knows."""
        open = self.open.get(txn)
        return open.outcome if open is not None and open.outcome else self.logged_outcome(txn)

    def outcome_for(self, name: str) -> Outcome | None:
        """The decision on a client's transaction, under any of its names."""
        txns = [*self.open.names, *(record.txn for record in (*self.log, *self.buffer))]
        outcomes = {self.outcome_of(txn) for txn in txns if client_name(txn) == name}
        return "commit" if "commit" in outcomes else "abort" if "abort" in outcomes else None

    def moves_of(self, name: str) -> tuple[Move, ...]:
        """What a client asked for under this name; empty if it does not remember."""
        traces = (*self.open.values(), *self.log, *self.buffer)
        asked = (getattr(trace, "moves", ()) for trace in traces if client_name(trace.txn) == name)
        return next(filter(None, asked), ())

    # After a crash

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        self.life += 1
        for txn, records in by_transaction(self.log):
            outcome = self.recovery(records)
            told = next((record.participants for record in reversed(records) if hasattr(record, "participants")), ())
            if outcome:
                # The crash may have come before any message with the decision: it sends all of them again.
                self.note("C.back", txn=txn, outcome=outcome, told=told)
                self.tell(Open(txn, (), told), outcome, told)

    @on_request(LoseDisk)
    def lose_disk(self, operator: str, request: LoseDisk) -> None:
        """All that it knew of its transactions is gone, its lives as well: their names may come again."""
        self.note("C.lost", records=len(self.log))
        for txn in self.open.names:
            for timer in self._timers:
                self.cancel_timer(timer, about=txn)
        self.log, self.buffer, self.waited, self.open, self.life = (), (), frozenset(), Table(), 1
        self.reply(operator, Obeyed())

    # Its memory

    def keep(self, open: Open) -> None:
        self.open = self.open.put(open.txn, open)

    def late(self, sender: str, message: Message) -> None:
        self.note("C.late", sender=sender, message=message)


def decided(txn: str, outcome: Outcome) -> Commit | Abort:
    """The message with a decision."""
    return Commit(txn) if outcome == "commit" else Abort(txn)


def client_name(txn: str) -> str:
    """The client's name for a transaction: `T1` for `T1.2`, which is T1 begun in the coordinator's second life."""
    return txn.partition(".")[0]
