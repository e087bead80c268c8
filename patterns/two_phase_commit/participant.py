"""A participant of two-phase commit: a bank with a few accounts, their locks, and a log.

It votes, and from its yes to the decision it is in doubt: it may neither commit nor abort alone, and the rows that the
transaction will write stay locked. See `coordinator` for the sources.

Simpler than a real database: each account has one lock, exclusive also for reads. A transaction takes all its locks at
once when its vote is asked for; transactions that wait for locks stand in a queue.
"""

from __future__ import annotations

from itertools import takewhile
from typing import ClassVar, Literal

from msgspec.structs import replace

from patterns.engine.process import Message, durable, on, on_request, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .log import Aborted, Account, Committed, Logged, Prepared, Records, by_transaction, outcome_in
from .messages import (
    Abort,
    Ack,
    Commit,
    Decide,
    InDoubt,
    Inquiry,
    Move,
    NotCoordinator,
    Obeyed,
    Outcome,
    Prepare,
    Transfer,
    Vote,
    Voted,
)

BranchState = Literal["waiting", "in doubt", "committable"]


class Lock(Value):
    """The right of one transaction to an account, until the transaction is decided."""

    account: str
    txn: str


class Branch(Value):
    """A transaction's part at one participant, while it is undecided there: in memory only."""

    txn: str
    moves: tuple[Move, ...]
    participants: tuple[str, ...]
    """All that take part; empty if the coordinator did not name them."""
    state: BranchState = "waiting"
    since: int = 0
    """When it began to wait, or to be in doubt, in ms by the participant's clock. Only shown: no rule reads it."""
    recovered: bool = False
    """Whether the participant was down while it was in doubt."""


class Participant(Logged):
    """A participant. Times are in ms."""

    coordinator: str = setting("C")
    accounts: tuple[Account, ...] = durable(())
    """On disk: balances that committed transactions wrote, each together with its commit record, in one write."""
    by_hand: frozenset[str] = durable(frozenset())
    """The transactions that an operator has ended here."""
    doubt_timeout: int = setting(90)
    """How long it is in doubt before it asks, and before it asks again."""
    lock_timeout: int = setting(90)
    """How long a transaction waits for a lock before it is aborted."""

    locks: tuple[Lock, ...] = ()
    branches: Table[Branch] = Table()
    queue: tuple[str, ...] = ()
    """The transactions that wait for locks, in the order they came."""

    acknowledges: ClassVar[frozenset[Outcome]] = frozenset({"commit", "abort"})
    """The decisions that it acknowledges, and therefore forces to its log."""

    # The rules, one by one

    def agrees(self, moves: tuple[Move, ...]) -> bool:
        """Whether it can commit these moves: it has the accounts, and no balance falls below 0."""
        balances = self.balances
        return all(move.account in balances and balances[move.account] + move.amount >= 0 for move in moves)

    def log_yes(self, record: Prepared) -> None:
        """A yes is a promise: it must be on disk before the yes leaves."""
        self.force(record)

    def log_decision(self, record: Committed | Aborted) -> None:
        """Forced if it will be acknowledged: after the acknowledgement the coordinator forgets the transaction."""
        outcome: Outcome = "commit" if isinstance(record, Committed) else "abort"
        if outcome in self.acknowledges:
            self.force(record)
        else:
            self.write_lazily(record)

    def must_ask(self, records: tuple[Records, ...]) -> bool:
        """Whether, after a crash, it asks about a transaction that it promised, with these records in the log."""
        return outcome_in(records) is None

    def when_in_doubt(self, branch: Branch) -> None:
        """In doubt for too long: it asks every process that may know, and decides nothing alone."""
        asked = self.who_may_know(branch)
        self.note("P.ask", txn=branch.txn, asked=asked)
        for name in asked:
            self.send(name, Inquiry(branch.txn))

    def has_not_voted(self, txn: str) -> bool:
        """Whether it is sure that it has not voted on a transaction without a record: each yes and no leaves one."""
        return True

    def who_may_know(self, branch: Branch) -> tuple[str, ...]:
        return (self.coordinator, *(name for name in branch.participants if name != self.id))

    # Money

    @property
    def balances(self) -> dict[str, int]:
        """The balances that can be read: those on disk, and those of commit records that wait for the disk."""
        accounts = {account.name: account.balance for account in self.accounts}
        for record in self.buffer:
            if isinstance(record, Committed):
                accounts.update({account.name: account.balance for account in self.redo_of(record.txn)})
        return accounts

    def redo_of(self, txn: str) -> tuple[Account, ...]:
        return next((record.redo for record in self.records_of(txn) if isinstance(record, Prepared)), ())

    def write(self, records: tuple[Records, ...]) -> None:
        # The accounts change in the same write as the commit record.
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
        self.reply(client, NotCoordinator(transfer.txn, transfer.moves, self.coordinator))

    @on(Prepare)
    def prepare(self, coordinator: str, message: Prepare) -> None:
        txn = message.txn
        branch, outcome = self.branches.get(txn), self.logged_outcome(txn)
        if outcome == "commit" or txn in self.queue:
            self.late(coordinator, message)
        elif outcome == "abort" or branch is not None:
            vote: Vote = "no" if outcome else "yes"
            self.note("P.again", txn=txn, vote=vote)
            self.send(coordinator, Voted(txn, vote))
        else:
            branch = Branch(txn, message.moves, message.participants, since=self.now)
            self.keep(branch)
            if holders := self.in_the_way(branch):
                self.note("P.wait", txn=txn, holders=holders)
                self.queue = (*self.queue, txn)
                self.set_timer("lock", self.lock_timeout, about=txn)
            else:
                self.vote(branch)

    def in_the_way(self, branch: Branch) -> tuple[str, ...]:
        """The transactions that hold, or wait in front of this one for, an account that it needs."""
        needed = {move.account for move in branch.moves}
        holders = [lock.txn for lock in self.locks if lock.account in needed]
        in_front = takewhile(lambda txn: txn != branch.txn, self.queue)
        waiting = [txn for txn in in_front if needed & {move.account for move in self.branches[txn].moves}]
        return tuple(dict.fromkeys(holders + waiting))

    def vote(self, branch: Branch) -> None:
        if self.agrees(branch.moves):
            self.vote_yes(branch)
        else:
            moved = {move.account for move in branch.moves}
            balances = tuple(Account(name, balance) for name, balance in self.balances.items() if name in moved)
            self.note("P.no", txn=branch.txn, moves=branch.moves, balances=balances)
            self.refuse(branch)

    def vote_yes(self, branch: Branch) -> None:
        balances = self.balances
        redo = tuple(Account(move.account, balances[move.account] + move.amount) for move in branch.moves)
        self.log_yes(Prepared(branch.txn, self.coordinator, branch.participants, redo))
        self.note("P.yes", txn=branch.txn, redo=redo)
        self.hold(replace(branch, state="in doubt", since=self.now))
        self.send(self.coordinator, Voted(branch.txn, "yes"))

    def hold(self, branch: Branch) -> None:
        """Lock its accounts until it is decided."""
        self.locks = (*self.locks, *(Lock(move.account, branch.txn) for move in branch.moves))
        self.keep(branch)
        self.set_timer("doubt", self.doubt_timeout, about=branch.txn)

    def refuse(self, branch: Branch) -> None:
        """Before its yes it may abort alone: a no decides for all."""
        self.log_decision(Aborted(branch.txn))
        self.release(branch.txn)
        self.send(self.coordinator, Voted(branch.txn, "no"))

    @on_timer("lock")
    def waited_for_a_lock(self, txn: str) -> None:
        self.note("P.tired", txn=txn, timeout=self.lock_timeout)
        self.refuse(self.branches[txn])

    # The decision

    @on(Commit, Abort)
    def learn(self, sender: str, message: Commit | Abort) -> None:
        txn = message.txn
        outcome: Outcome = "commit" if isinstance(message, Commit) else "abort"
        known = self.logged_outcome(txn)
        mixed = known if txn in self.by_hand and known != outcome else None
        if mixed:
            self.note("P.mixed", txn=txn, outcome=mixed, decision=outcome, coordinator=self.coordinator)
        elif known:
            self.note("P.known", txn=txn, outcome=known)
        else:
            self.decided(txn, outcome, sender)
        if mixed or outcome in self.acknowledges:
            self.send(self.coordinator, Ack(txn, mixed))

    @on_request(Decide)
    def decide_by_hand(self, operator: str, order: Decide) -> None:
        # A heuristic decision (X/Open XA): it frees the rows, and may be the wrong one.
        if self.is_in_doubt(order.txn):
            self.note("P.hand", txn=order.txn, outcome=order.outcome, coordinator=self.coordinator)
            self.force(Committed(order.txn) if order.outcome == "commit" else Aborted(order.txn))
            self.by_hand |= {order.txn}
            self.release(order.txn)
        self.reply(operator, Obeyed())

    def decided(self, txn: str, outcome: Outcome, sender: str) -> None:
        if outcome == "commit":
            self.log_decision(Committed(txn))
            self.note("P.commit", txn=txn, sender=sender, wrote=self.redo_of(txn))
        else:
            self.log_decision(Aborted(txn))
            self.note("P.abort", txn=txn, sender=sender)
        if self.buffer:
            self.note("P.lazy", txn=txn)
        self.release(txn)

    def release(self, txn: str) -> None:
        """Release its locks; transactions that wait for them now vote."""
        self.locks = tuple(lock for lock in self.locks if lock.txn != txn)
        self.branches = self.branches.without(txn)
        self.cancel_timer("doubt", about=txn)
        self.leave_queue(txn)
        while (turn := self.next_in_line()) is not None:
            self.note("P.turn", txn=turn.txn)
            self.leave_queue(turn.txn)
            self.vote(turn)

    def leave_queue(self, txn: str) -> None:
        self.queue = tuple(other for other in self.queue if other != txn)
        self.cancel_timer("lock", about=txn)

    def next_in_line(self) -> Branch | None:
        waiting = (self.branches[txn] for txn in self.queue)
        return next((branch for branch in waiting if not self.in_the_way(branch)), None)

    # In doubt

    @on_timer("doubt")
    def doubts(self, txn: str) -> None:
        self.set_timer("doubt", self.doubt_timeout, about=txn)
        self.when_in_doubt(self.branches[txn])

    @on(Inquiry)
    def answer_inquiry(self, sender: str, message: Inquiry) -> None:
        """Cooperative termination (BHG 7.4): a participant that knows the decision answers with it; one that has not
        voted aborts; one that is in doubt too cannot help."""
        txn = message.txn
        if self.is_in_doubt(txn):
            self.note("P.doubt", txn=txn, sender=sender)
            self.send(sender, InDoubt(txn))
            return
        if self.logged_outcome(txn) is None and not self.has_not_voted(txn):
            self.note("P.unknown", txn=txn, sender=sender)
            self.send(sender, InDoubt(txn))
            return
        if self.logged_outcome(txn) is None:
            self.veto(txn, sender)
        else:
            self.flush()  # others will build on it
        outcome = self.logged_outcome(txn)
        assert outcome is not None
        self.note("P.tell", txn=txn, sender=sender, outcome=outcome)
        self.send(sender, Commit(txn) if outcome == "commit" else Abort(txn))

    def veto(self, txn: str, sender: str) -> None:
        """It has not voted, and from now on it never votes yes: that promise must survive a crash."""
        self.note("P.veto", txn=txn, sender=sender)
        self.force(Aborted(txn))
        self.release(txn)

    @on(InDoubt)
    def no_help(self, sender: str, message: InDoubt) -> None:
        if message.txn in self.branches:
            self.note("P.blocked", txn=message.txn, sender=sender)
        else:
            self.late(sender, message)

    # After a crash

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        for txn, records in by_transaction(self.log):
            vote = next((record for record in records if isinstance(record, Prepared)), None)
            if vote is not None and self.must_ask(records):
                # In doubt: the rows that it promised to write are locked again before any other transaction runs.
                moves = tuple(Move(self.id, account.name, 0) for account in vote.redo)
                state = self.state_from_log(records)
                branch = Branch(txn, moves, vote.participants, state, since=self.now, recovered=True)
                self.hold(branch)
                locked = tuple(lock.account for lock in self.locks if lock.txn == txn)
                self.note("P.back", txn=txn, records=records, locked=locked)
                self.when_in_doubt(branch)

    def state_from_log(self, records: tuple[Records, ...]) -> BranchState:
        return "in doubt"

    # Its memory

    def is_in_doubt(self, txn: str) -> bool:
        """Whether it has voted yes and does not know the decision."""
        return txn in self.branches and txn not in self.queue

    def keep(self, branch: Branch) -> None:
        self.branches = self.branches.put(branch.txn, branch)

    def late(self, sender: str, message: Message) -> None:
        self.note("P.late", sender=sender, message=message)
