"""What atomic commitment promises (Bernstein, Hadzilacos, Goodman 1987, `BHG`, section 7.3), and what banks expect.

None asks the rules it checks: what a process decided is what its log says, and what it should hold is added up anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from patterns.engine.faults import FAULT_EVENTS
from patterns.engine.properties import Always, NeverTwice, Property, Reason, Sometimes
from patterns.engine.step import Note
from patterns.engine.world import World

from .doubt import at_rest, coordinator, in_doubt, outcomes, participants, prepared_undecided, transactions
from .log import Aborted, Committed, Prepared
from .messages import past

Notes = tuple[Note, ...]
TIMEOUTS = frozenset({"C.silent", "P.tired", "P.veto", "3.suspect", "3.poll", "3.enough"})
"""Rules that fire when something took too long, and that may end in an abort."""


def _disagree(world: World) -> Reason:
    for txn in transactions(world):
        decided = outcomes(world, txn)
        if len(set(decided.values())) > 1:
            return f"{txn}: " + ", ".join(f"{name} has {past(outcome)}" for name, outcome in decided.items())
    return None


def _decisions(world: World, notes: Notes) -> Iterator[tuple[Hashable, Hashable]]:
    """Only of what somebody has promised to write: to who has only read, commit and abort are the same."""
    promised = {
        record.txn
        for process in participants(world)
        for record in (*process.log, *process.buffer)
        if isinstance(record, Prepared)
    }
    for txn in transactions(world):
        if txn not in promised:
            continue
        for name, outcome in outcomes(world, txn).items():
            yield f"{name} on {txn}", past(outcome)
        for process in world.processes:  # all that it wrote, for of two decisions in a log the first counts
            for record in process.records_of(txn):
                if isinstance(record, Committed | Aborted):
                    yield f"{process.id} on {txn}", "committed" if isinstance(record, Committed) else "aborted"


class OnlyIfAllVotedYes(Property):
    """A decision to commit is reached only when every participant has voted yes, by what each said when it voted."""

    def __init__(self) -> None:
        super().__init__("AC3, consent: commit only if all voted yes")

    # The memory: (transaction, participant) -> how it voted first; who was asked; the first that is wrong.

    def begin(self, state: World) -> Hashable:
        return (frozenset(), frozenset(), None)

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: Notes) -> Hashable:
        yes, asked, wrong = memory
        if wrong:
            return memory  # type: ignore[no-any-return]
        for note in notes:
            if note.rule == "C.ask":
                asked = asked | {(note.values["txn"], name) for name in note.values["asked"].split(", ")}
            elif note.rule in ("P.yes", "P.read"):
                yes = yes | {(note.values["txn"], note.values["who"])}
        for process in after.processes:
            for txn in _committed_at(process):
                for of, name in sorted(asked):
                    if of == txn and (txn, name) not in yes:
                        wrong = f"{process.id} has committed {txn}, but {name} never voted yes"
        return (yes, asked, wrong)

    def reason(self, memory: Any, state: World) -> Reason:
        return memory[2]  # type: ignore[no-any-return]


def _committed_at(process: Any) -> Iterator[str]:
    for record in (*process.log, *process.buffer):
        if isinstance(record, Committed):
            yield record.txn


class CommitIfNothingFails(Property):
    """If nothing fails and nobody votes no, nobody aborts. A timeout that comes too early is a failure, too."""

    def __init__(self) -> None:
        super().__init__("AC4, no needless abort: commit if all voted yes and nothing failed")

    # The memory: whether anything failed so far, and the transactions on which somebody voted no.

    def begin(self, state: World) -> Hashable:
        return (False, frozenset())

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: Notes) -> Hashable:
        failed, refused = memory
        if failed or isinstance(event, FAULT_EVENTS) or any(note.rule in TIMEOUTS for note in notes):
            return (True, frozenset())
        noes = frozenset(note.values["txn"] for note in notes if note.rule in ("P.no", "C.stranger"))
        return (False, refused | noes)

    def reason(self, memory: Any, state: World) -> Reason:
        failed, refused = memory
        if failed:
            return None
        for txn in transactions(state):
            for name, outcome in outcomes(state, txn).items():
                if outcome == "abort" and txn not in refused:
                    return f"{name} has aborted {txn}, though nothing failed and nobody voted no"
        return None


class MoneyConserved(Property):
    """Whenever nobody is in doubt, not even on the disk of one that is down, there is as much money as at first."""

    def __init__(self) -> None:
        super().__init__("no money is made or lost, whenever all have decided")

    def begin(self, state: World) -> Hashable:
        return money(state)

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: Notes) -> Hashable:
        return memory  # type: ignore[no-any-return]

    def reason(self, memory: Any, state: World) -> Reason:
        if money(state) == memory or any(prepared_undecided(process) for process in participants(state)):
            return None
        return f"all have decided, and {money(state)} is left of {memory}"


class NothingElseRead(Property):
    """What can be read is what was there at first and what committed transactions wrote, and nothing else."""

    def __init__(self) -> None:
        super().__init__("nobody can read what is not committed")

    # The memory: what was there at first, (participant, account) -> balance.

    def begin(self, state: World) -> Hashable:
        return frozenset(
            ((process.id, account.name), account.balance)
            for process in participants(state)
            for account in process.accounts
        )

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: Notes) -> Hashable:
        return memory  # type: ignore[no-any-return]

    def reason(self, memory: Any, state: World) -> Reason:
        first = dict(memory)
        for process in participants(state):
            if process.id in state.down:
                continue
            records = (*process.log, *process.buffer)
            redo = {record.txn: record.redo for record in records if isinstance(record, Prepared)}
            expected = {name: first[process.id, name] for name in process.balances}
            for txn in _committed_at(process):
                expected.update({account.name: account.balance for account in redo.get(txn, ())})
            for name, balance in process.balances.items():
                if balance != expected[name]:
                    return f"{process.id} shows {name} {balance}; what is committed is {expected[name]}"
        return None


def _undecided_at_rest(world: World) -> Reason:
    if not at_rest(world):
        return None
    for doubt in in_doubt(world):
        return f"nothing more happens, and {doubt.participant} is in doubt about {doubt.txn}"
    for open in coordinator(world).open:
        return f"nothing more happens, and C has not done with {open.txn}: it is {open.phase}"
    return None


def _locked_at_rest(world: World) -> Reason:
    if not at_rest(world):
        return None
    for process in participants(world):
        if process.locks:
            return f"nothing more happens, and {process.id} keeps {process.locks[0].account} locked"
        if process.branches:
            return f"nothing more happens, and {process.branches[0].txn} waits at {process.id}"
    return None


def _locked_otherwise(world: World) -> Reason:
    for process in participants(world):
        if process.id in world.down:
            continue
        held = {(lock.account, lock.txn) for lock in process.locks}
        for txn in prepared_undecided(process):
            for account in process.redo_of(txn):
                if (account.name, txn) not in held:
                    return f"{process.id} has promised {account} to {txn}, and {account.name} is not locked"
        for account_name, txn in sorted(held):
            if process.logged_outcome(txn):
                return f"{process.id} keeps {account_name} locked for {txn}, which is decided"
    return None


def money(world: World) -> int:
    """All that can be read in all accounts; of a process that is down, what is on its disk."""
    return sum(sum(process.balances.values()) for process in participants(world))


agreement = Always("AC1, agreement: all that decide, decide the same", _disagree)
irrevocable = NeverTwice("AC2, no change of mind: a decision is never reversed", _decisions)
only_if_all_voted_yes = OnlyIfAllVotedYes()
commit_if_nothing_fails = CommitIfNothingFails()
money_conserved = MoneyConserved()
all_decide = Always("AC5, an end: at the end, with all repaired, all have decided", _undecided_at_rest)
no_locks_left = Always("at the end nothing is locked", _locked_at_rest)
promises_locked = Always("what is promised is locked, exactly until it is decided", _locked_otherwise)
no_dirty_reads = NothingElseRead()
ALWAYS: tuple[Property, ...] = (
    agreement,
    irrevocable,
    only_if_all_voted_yes,
    commit_if_nothing_fails,
    all_decide,
    money_conserved,
    promises_locked,
    no_locks_left,
    no_dirty_reads,
)
"""What holds in every state."""
settled = Sometimes(
    "nobody is in doubt, and the coordinator has nothing left to do",
    lambda world: not in_doubt(world) and not coordinator(world).open and not world.down,
)
committed_somewhere = Sometimes(
    "somebody has committed",
    lambda world: any(True for process in world.processes for _ in _committed_at(process)),
)
given_up = Sometimes(
    "the coordinator gives up waiting, and aborts",
    lambda world: any("abort" in (outcomes(world, txn).get(coordinator(world).id),) for txn in transactions(world)),
)
