"""A participant of two-phase commit: a bank with a few accounts, their locks, and a log.

It votes, and from its yes to the decision it is in doubt: it may neither commit nor abort by itself, and what the
transaction will write stays locked. See `coordinator` for the sources.

Simpler than real ones: one lock an account, exclusive also for who only reads; locks are taken all at once when the
vote is asked for, first come, first served.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec
from msgspec.structs import replace

from patterns.engine.process import Message, durable, on, on_request, on_timer, setting

from .log import Aborted, Account, Committed, Logged, Prepared, Records, by_transaction, outcome_in
from .messages import (
    Abort,
    Ack,
    Commit,
    InDoubt,
    Inquiry,
    Move,
    NotCoordinator,
    Outcome,
    Prepare,
    Transfer,
    Vote,
    Voted,
    named,
    past,
)

Standing = Literal["waiting", "in doubt", "committable"]
Action = Literal["ask", "commit", "abort", "done"]


class Lock(msgspec.Struct, frozen=True, gc=False):
    """Who may touch an account, until it is decided."""

    account: str
    txn: str


class Branch(msgspec.Struct, frozen=True, gc=False):
    """A transaction's part at one participant, while it is undecided there: in memory only."""

    txn: str
    moves: tuple[Move, ...]
    participants: tuple[str, ...]
    """All that take part; empty where it was not told."""
    standing: Standing = "waiting"
    since: int = 0
    """When it came to wait, or to be in doubt, in ms by the participant's clock. Only to be shown: no rule reads it."""
    due: bool = False
    """Whether the timer that runs counts for it."""
    recovered: bool = False
    """Whether the participant was down while it was in doubt."""


class Participant(Logged):
    """A participant. Times are in ms."""

    coordinator: str = setting("C")
    accounts: tuple[Account, ...] = durable(())
    """On disk: what committed transactions wrote, each together with its commit record, in one write."""
    doubt_timeout: int = setting(90)
    """How long it is in doubt before it asks, and asks again."""
    lock_timeout: int = setting(90)
    """How long a transaction waits for a lock before it is aborted."""

    locks: tuple[Lock, ...] = ()
    branches: tuple[Branch, ...] = ()
    """In the order they came."""

    acknowledges: ClassVar[frozenset[Outcome]] = frozenset({"commit", "abort"})
    """The decisions that it acknowledges, and therefore forces to its log."""

    # The rules, one by one

    def agrees(self, moves: tuple[Move, ...]) -> bool:
        """Whether it can commit this: it knows the accounts, and no balance falls below 0."""
        balances = self.balances
        return all(move.account in balances and balances[move.account] + move.amount >= 0 for move in moves)

    def log_yes(self, record: Prepared) -> None:
        """A yes is a promise: it must be on disk before it is given."""
        self.force(record)

    def log_decision(self, record: Committed | Aborted) -> None:
        """Who is to acknowledge a decision must never forget it, for the coordinator will."""
        outcome: Outcome = "commit" if isinstance(record, Committed) else "abort"
        if outcome in self.acknowledges:
            self.force(record)
        else:
            self.lazily(record)

    def recovery(self, records: tuple[Records, ...]) -> Action:
        """What to do, after a crash, about a transaction with these records in the log."""
        return "done" if outcome_in(records) else "ask"

    def when_in_doubt(self, branch: Branch) -> None:
        """In doubt for too long: it asks whoever may know, and decides nothing by itself."""
        asked = self.who_may_know(branch)
        self.note("P.ask", txn=branch.txn, asked=named(asked))
        for name in asked:
            self.send(name, Inquiry(branch.txn))

    def has_not_voted(self, txn: str) -> bool:
        """Whether it is sure that it has not voted on a transaction of which it has no record: with one for every yes
        and every no, it is."""
        return True

    def who_may_know(self, branch: Branch) -> tuple[str, ...]:
        return (self.coordinator, *(name for name in branch.participants if name != self.id))

    # Money

    @property
    def balances(self) -> dict[str, int]:
        """What can be read: what is on disk, and what is committed by a record that is on its way there."""
        accounts = {account.name: account.balance for account in self.accounts}
        for record in self.buffer:
            if isinstance(record, Committed):
                accounts.update({account.name: account.balance for account in self.redo_of(record.txn)})
        return accounts

    def redo_of(self, txn: str) -> tuple[Account, ...]:
        return next((record.redo for record in self.records_of(txn) if isinstance(record, Prepared)), ())

    def write(self, records: tuple[Records, ...]) -> None:
        # The accounts change in the same write as the commit record that says so.
        written = {
            account.name: account
            for record in records
            if isinstance(record, Committed)
            for account in self.redo_of(record.txn)
        }
        if written:
            self.accounts = tuple(written.get(account.name, account) for account in self.accounts)
        super().write(records)

    # The vote

    @on_request(Transfer)
    def redirect(self, client: str, transfer: Transfer) -> None:
        self.note("P.redirect", client=client, coordinator=self.coordinator)
        self.reply(client, NotCoordinator(transfer.txn, self.coordinator))

    @on(Prepare)
    def prepare(self, coordinator: str, message: Prepare) -> None:
        branch, outcome = self.find(message.txn), self.logged_outcome(message.txn)
        if outcome == "commit" or (branch is not None and branch.standing == "waiting"):
            self.late(coordinator, message)
        elif outcome == "abort" or branch is not None:
            vote: Vote = "no" if outcome else "yes"
            self.note("P.again", txn=message.txn, vote=vote)
            self.send(coordinator, Voted(message.txn, vote))
        else:
            branch = Branch(message.txn, message.moves, message.participants, since=self.now)
            self.branches = (*self.branches, branch)
            holders = self.in_the_way(branch)
            if holders:
                self.note("P.wait", txn=branch.txn, holders=named(holders))
                self.watch("lock", self.lock_timeout)
            else:
                self.vote(branch)

    def in_the_way(self, branch: Branch) -> tuple[str, ...]:
        """The transactions that hold, or wait before this one for, what it wants."""
        wanted = {move.account for move in branch.moves}
        holders = [lock.txn for lock in self.locks if lock.account in wanted]
        for other in self.branches:
            if other.txn == branch.txn:
                break
            if other.standing == "waiting" and wanted & {move.account for move in other.moves}:
                holders.append(other.txn)
        return tuple(dict.fromkeys(holders))

    def vote(self, branch: Branch) -> None:
        if self.agrees(branch.moves):
            self.vote_yes(branch)
        else:
            self.note(
                "P.no", txn=branch.txn, moves=named([str(move) for move in branch.moves]), why=self.why_not(branch)
            )
            self.refuse(branch)

    def vote_yes(self, branch: Branch) -> None:
        balances = self.balances
        redo = tuple(Account(move.account, balances[move.account] + move.amount) for move in branch.moves)
        self.log_yes(Prepared(branch.txn, self.coordinator, branch.participants, redo))
        where = "only in its memory" if self.buffer else "on disk before the yes leaves"
        self.note("P.yes", txn=branch.txn, redo=named([str(account) for account in redo]), where=where)
        self.hold(replace(branch, standing="in doubt", since=self.now, due=False))
        self.send(self.coordinator, Voted(branch.txn, "yes"))

    def hold(self, branch: Branch) -> None:
        """Its accounts are locked from now until it is decided."""
        self.locks = (*self.locks, *(Lock(move.account, branch.txn) for move in branch.moves))
        self.replace(branch)
        self.watch("doubt", self.doubt_timeout)

    def refuse(self, branch: Branch) -> None:
        """Before its yes it may abort alone: a no decides for all."""
        self.log_decision(Aborted(branch.txn))
        self.release(branch.txn)
        self.send(self.coordinator, Voted(branch.txn, "no"))

    def why_not(self, branch: Branch) -> str:
        balances = self.balances
        for move in branch.moves:
            if move.account not in balances:
                return f"it has no account {move.account}"
            if balances[move.account] + move.amount < 0:
                return f"{move.account} has {balances[move.account]}"
        return "it will not"

    @on_timer("lock")
    def waited_for_a_lock(self) -> None:
        for txn in [branch.txn for branch in self.branches if branch.standing == "waiting" and branch.due]:
            # One that is given up may be what the next has waited for: that one has had its turn, and has voted.
            branch = self.find(txn)
            if branch is not None and branch.standing == "waiting":
                self.note("P.tired", txn=txn, timeout=self.lock_timeout)
                self.refuse(branch)
        self.watch("lock", self.lock_timeout, again=True)

    # The decision

    @on(Commit, Abort)
    def learn(self, sender: str, message: Commit | Abort) -> None:
        txn = message.txn
        outcome: Outcome = "commit" if isinstance(message, Commit) else "abort"
        if known := self.logged_outcome(txn):
            self.note("P.known", txn=txn, outcome=past(known))
        else:
            self.decided(txn, outcome, sender)
        if outcome in self.acknowledges:
            self.send(self.coordinator, Ack(txn))

    def decided(self, txn: str, outcome: Outcome, sender: str) -> None:
        by = "it decided itself" if sender == self.id else f"{sender} says"
        if outcome == "commit":
            self.log_decision(Committed(txn))
            wrote = ", ".join(map(str, self.redo_of(txn))) or "nothing"
            self.note("P.commit", txn=txn, by=by, wrote=wrote)
        else:
            self.log_decision(Aborted(txn))
            self.note("P.abort", txn=txn, by=by)
        if self.buffer:
            promised = any(isinstance(record, Prepared) for record in self.records_of(txn))
            then = "asks again about" if promised else "never has heard of"
            self.note("P.lazy", txn=txn, then=then)
        self.release(txn)

    def release(self, txn: str) -> None:
        """It is decided: its locks are free, and who waits for them has its turn."""
        self.locks = tuple(lock for lock in self.locks if lock.txn != txn)
        self.branches = tuple(branch for branch in self.branches if branch.txn != txn)
        while (turn := self.next_in_line()) is not None:
            self.note("P.turn", txn=turn.txn)
            self.vote(turn)
        for timer, standing in (("lock", True), ("doubt", False)):
            if not any((branch.standing == "waiting") is standing for branch in self.branches):
                self.cancel_timer(timer)

    def next_in_line(self) -> Branch | None:
        waiting = (branch for branch in self.branches if branch.standing == "waiting")
        return next((branch for branch in waiting if not self.in_the_way(branch)), None)

    # In doubt

    @on_timer("doubt")
    def doubts(self) -> None:
        for branch in self.branches:
            if branch.standing != "waiting" and branch.due:
                self.when_in_doubt(branch)
        self.watch("doubt", self.doubt_timeout, again=True)

    @on(Inquiry)
    def answer_inquiry(self, sender: str, message: Inquiry) -> None:
        """Cooperative termination (BHG 7.4): who has decided tells; who has not voted aborts; who is in doubt, too,
        is of no help."""
        txn = message.txn
        branch = self.find(txn)
        if branch is not None and branch.standing != "waiting":
            self.note("P.doubt", txn=txn, sender=sender)
            self.send(sender, InDoubt(txn))
            return
        if self.logged_outcome(txn) is None and not self.has_not_voted(txn):
            self.note("P.unknown", txn=txn, sender=sender)
            self.send(sender, InDoubt(txn))
            return
        if self.logged_outcome(txn) is None:
            # It has not voted, and now it never will say yes: that promise must outlive a crash.
            self.note("P.veto", txn=txn, sender=sender)
            self.force(Aborted(txn))
            self.release(txn)
        else:
            self.flush()  # others will build on it
        outcome = self.logged_outcome(txn)
        assert outcome is not None
        self.note("P.tell", txn=txn, sender=sender, outcome=past(outcome))
        self.send(sender, Commit(txn) if outcome == "commit" else Abort(txn))

    @on(InDoubt)
    def no_help(self, sender: str, message: InDoubt) -> None:
        if self.find(message.txn) is None:
            self.late(sender, message)
        else:
            self.note("P.blocked", txn=message.txn, sender=sender)

    # After a crash

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        for txn, records in by_transaction(self.log):
            action = self.recovery(records)
            vote = next((record for record in records if isinstance(record, Prepared)), None)
            if action == "ask" and vote is not None:
                # In doubt: what it promised to write is locked again before anybody else comes.
                moves = tuple(Move(self.id, account.name, 0) for account in vote.redo)
                branch = Branch(txn, moves, vote.participants, self.standing_of(records), self.now, False, True)
                self.branches = (*self.branches, branch)
                self.hold(branch)
                locked = [lock.account for lock in self.locks if lock.txn == txn]
                outcome = outcome_in(records)
                found = f"that it is {past(outcome)}" if outcome else "no decision"
                self.note("P.back", txn=txn, found=found, locked=", ".join(locked) or "nothing")
                self.when_in_doubt(branch)
            elif action in ("commit", "abort"):
                self.decided(txn, action, self.id)

    def standing_of(self, records: tuple[Records, ...]) -> Standing:
        return "in doubt"

    # Its memory

    def find(self, txn: str) -> Branch | None:
        return next((branch for branch in self.branches if branch.txn == txn), None)

    def replace(self, branch: Branch) -> None:
        self.branches = tuple([branch if other.txn == branch.txn else other for other in self.branches])

    def watch(self, timer: str, timeout: int, again: bool = False) -> None:
        """Let `timer` run while transactions wait: `lock` for a lock, `doubt` for a decision. Those that wait when it
        is set are due when it fires. One timer serves all, so that who comes later waits for up to twice the time."""
        waiting = [branch for branch in self.branches if (branch.standing == "waiting") == (timer == "lock")]
        if waiting and (again or len(waiting) == 1):
            for branch in waiting:
                self.replace(replace(branch, due=True))
            self.set_timer(timer, timeout)

    def late(self, sender: str, message: Message) -> None:
        self.note("P.late", sender=sender, message=message)
