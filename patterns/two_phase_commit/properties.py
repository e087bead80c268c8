"""What atomic commitment promises (Bernstein, Hadzilacos, Goodman 1987, `BHG`, section 7.3), and what banks expect.

No property asks the rules that it checks: a decision is what a log says, and balances are added up anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from patterns.engine.along import Along, Broken, NeverTwice, Transition
from patterns.engine.faults import FAULT_EVENTS
from patterns.engine.properties import Always, Property, Reason, Sometimes
from patterns.engine.step import Note
from patterns.engine.world import Crash, Restart, World

from .log import Aborted, Committed, Prepared, Records
from .messages import past
from .readings import at_rest, coordinator, in_doubt, outcomes, participants, prepared_undecided, transactions

TIMEOUTS = frozenset({"C.silent", "P.tired", "P.veto", "3.suspect", "3.poll", "3.enough"})
"""Rules that fire when something took too long, and that may end in an abort."""


def _records(world: World) -> Iterator[tuple[str, Records]]:
    """(process, record): on disk, or waiting for it."""
    for process in world.processes:
        for record in (*process.log, *process.buffer):
            yield process.id, record


@Always.named("AC1, agreement: all that decide, decide the same")
def agreement(world: World) -> Reason:
    for txn in transactions(world):
        known = outcomes(world, txn)
        if len(set(known.values())) > 1:
            return f"{txn}: " + ", ".join(f"{name} has {past(outcome)}" for name, outcome in known.items())
    return None


@NeverTwice.named("AC2, no change of mind: a decision is never reversed")
def irrevocable(world: World, notes: tuple[Note, ...]) -> Iterator[tuple[Hashable, Hashable]]:
    """Only of transactions that a participant has promised: to a read-only participant commit and abort are the same.
    All decision records count, because of two in a log only the first is read."""
    promised = {record.txn for _, record in _records(world) if isinstance(record, Prepared)}
    for txn in transactions(world):
        if txn in promised:
            for name, outcome in outcomes(world, txn).items():
                yield f"{name} on {txn}", past(outcome)
    for name, record in _records(world):
        if record.txn in promised and isinstance(record, Committed | Aborted):
            yield f"{name} on {record.txn}", type(record).__name__.lower()


# With a memory along the run

Asked = frozenset[tuple[str, str]]
"""(transaction, participant)"""


@Along.named("AC3, consent: commit only if all voted yes", lambda world: (frozenset(), frozenset()))
def only_if_all_voted_yes(memory: tuple[Asked, Asked], step: Transition) -> tuple[Asked, Asked] | Broken:
    """The memory: the participants that were asked, and those that voted yes, by what each noted when it voted."""
    asked, yes = memory
    for note in step.notes:
        if note.rule == "C.ask":
            asked |= {(note.values["txn"], name) for name in note.values["asked"]}
        elif note.rule in ("P.yes", "P.read"):
            yes |= {(note.values["txn"], note.values["who"])}
    committed = {record.txn: name for name, record in _records(step.after) if isinstance(record, Committed)}
    for txn, name in sorted(asked - yes):
        if txn in committed:
            return Broken(f"{committed[txn]} has committed {txn}, but {name} never voted yes")
    return asked, yes


@Along.named("AC4, no needless abort: commit if all voted yes and nothing failed", lambda world: (False, frozenset()))
def commit_if_nothing_fails(
    memory: tuple[bool, frozenset[str]], step: Transition
) -> tuple[bool, frozenset[str]] | Broken:
    """The memory: whether anything failed so far, and the refused transactions. A timeout that comes too early is a
    failure, too."""
    failed, refused = memory
    if failed or isinstance(step.event, FAULT_EVENTS) or any(note.rule in TIMEOUTS for note in step.notes):
        return True, frozenset()
    refused |= {note.values["txn"] for note in step.notes if note.rule == "P.no"}
    for txn in transactions(step.after):
        for name, outcome in outcomes(step.after, txn).items():
            if outcome == "abort" and txn not in refused:
                return Broken(f"{name} has aborted {txn}, though nothing failed and no participant voted no")
    return False, refused


def money(world: World) -> int:
    """The sum of all balances that can be read; of a process that is down, those on its disk."""
    return sum(sum(process.balances.values()) for process in participants(world))


@Along.named("no money is made or lost, whenever all have decided", money)
def money_conserved(first: int, step: Transition) -> int | Broken:
    """Asked only when no participant is in doubt, not even by the disk of one that is down."""
    left = money(step.after)
    if left == first or any(prepared_undecided(process) for process in participants(step.after)):
        return first
    return Broken(f"all have decided, and {left} is left of {first}")


Balances = frozenset[tuple[tuple[str, str], int]]
"""(participant, account), balance"""


def _first_balances(world: World) -> Balances:
    return frozenset(((p.id, account.name), account.balance) for p in participants(world) for account in p.accounts)


@Along.named("only committed balances can be read", _first_balances)
def no_dirty_reads(first: Balances, step: Transition) -> Balances | Broken:
    """Balances that can be read are the first ones, or written by committed transactions."""
    begun: Mapping[tuple[str, str], int] = dict(first)
    for process in participants(step.after):
        if process.id in step.after.down:
            continue
        records = (*process.log, *process.buffer)
        expected = {name: begun[process.id, name] for name in process.balances}
        redo = {record.txn: record.redo for record in records if isinstance(record, Prepared)}
        for record in records:
            if isinstance(record, Committed):
                expected.update({account.name: account.balance for account in redo.get(record.txn, ())})
        for name, balance in process.balances.items():
            if balance != expected[name]:
                return Broken(f"{process.id} shows {name} {balance}; the committed balance is {expected[name]}")
    return first


Polls = frozenset[tuple[tuple[str, str], int]]
"""(participant, transaction), how often it has taken the coordinator's place since something last failed."""
MOST_POLLS = 2


@Along.named(f"a backup takes C's place at most {MOST_POLLS} times, if nothing more fails", lambda world: frozenset())
def no_duel(polls: Polls, step: Transition) -> Polls | Broken:
    """AC5 in time, for three-phase commit in fair schedules: two backups that depose each other are never at rest."""
    if isinstance(step.event, Crash | Restart):
        return frozenset()
    times = dict(polls)
    for note in step.notes:
        if note.rule == "3.poll":
            who = note.values["who"], note.values["txn"]
            times[who] = times.get(who, 0) + 1
            if times[who] > MOST_POLLS:
                return Broken(f"{who[0]} takes C's place in {who[1]} a third time, though nothing more has failed")
    return frozenset(times.items())


# At the end


@Always.named("AC5, an end: at the end, with all repaired, all have decided")
def all_decide(world: World) -> Reason:
    if not at_rest(world):
        return None
    for doubt in in_doubt(world):
        return f"nothing more happens, and {doubt.participant} is in doubt about {doubt.txn}"
    for txn, open in coordinator(world).open:
        return f"nothing more happens, and C has not finished {txn}: it is {open.phase}"
    return None


@Always.named("at the end nothing is locked")
def no_locks_left(world: World) -> Reason:
    if not at_rest(world):
        return None
    for process in participants(world):
        for lock in process.locks:
            return f"nothing more happens, and {process.id} keeps {lock.account} locked"
        for txn in process.branches.names:
            return f"nothing more happens, and {txn} waits at {process.id}"
    return None


@Always.named("a promised row is locked, exactly until it is decided")
def promises_locked(world: World) -> Reason:
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
    "all have decided, and the coordinator has nothing left to do",
    lambda world: not in_doubt(world) and not coordinator(world).open and not world.down,
)
committed_somewhere = Sometimes(
    "a process commits",
    lambda world: any(isinstance(record, Committed) for _, record in _records(world)),
)
given_up = Sometimes(
    "the coordinator stops waiting, and aborts",
    lambda world: any(outcomes(world, txn).get(coordinator(world).id) == "abort" for txn in transactions(world)),
)
