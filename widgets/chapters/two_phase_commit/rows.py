"""The boxes of a column: accounts and records on disk; branches, locks, votes, and records that wait, in memory."""

from __future__ import annotations

from typing import Any

from patterns.engine.table import Table
from patterns.two_phase_commit import Coordinator, Open, Participant
from patterns.two_phase_commit.log import Logged, Records
from widgets.kit import Row, box
from widgets.scene import Box, Tone

from .words import BRANCH, fitting, record_in_short, role_of, short_of, waits_for

MOST_CELLS = 3
"""As many votes have a cell each."""
PHASES = {"pre-committing": "pre-com.", "committing": "commit", "aborting": "abort", "recovering": "asks"}
VOTES = {"yes": "✓", "no": "✗", "read-only": "r"}


# On disk


def disk_rows(process: Any, before: Any | None, room: int) -> list[Row]:
    """Accounts, or which life the coordinator is in; then the log: of a long one the oldest records are counted."""
    rows: list[Row] = _accounts(process, before) if isinstance(process, Participant) else _life(process)
    room -= len(rows)
    log = [_record(process, place) for place in range(len(process.log))]
    if (hidden := len(log) - room + 1) > 1:
        who, text = process.id, f"{hidden} older"
        rows.append(box(f"older:{who}", text, "soft", "dashed", f"{text} records in {who}'s log"))
        log = log[hidden:]
    return [*rows, *log]


def _life(process: Coordinator) -> list[Row]:
    life = process.life
    title = f"{process.id} has started {life} times: transactions that it begins now have names with .{life}"
    return [box(f"life:{process.id}", f"life {life}", "ink", "outline", title)] if life > 1 else []


def _accounts(process: Participant, before: Participant | None) -> list[Row]:
    """The rows of its table; one that changed in this step says from what."""
    was = {account.name: account.balance for account in before.accounts} if before else {}
    rows: list[Row] = []
    for account in process.accounts:
        name, now = account.name, account.balance
        id, title = f"account:{process.id}:{name}", f"{name} has {now} on {process.id}'s disk"
        if was.get(name, now) == now:
            rows.append(box(id, f"{name} {now}", "ink", "outline", title))
        else:
            rows.append(box(id, f"{name} → {now}", "good", "soft", f"{title}, and had {was[name]}"))
    return rows


def _record(process: Logged, place: int) -> Box:
    """A record of the log, or of those that wait behind it. Its id is the same before and after it is written."""
    records: tuple[Records, ...] = (*process.log, *process.buffer)
    record, who, written = records[place], process.id, place < len(process.log)
    text = record_in_short(record)
    nth = sum(record_in_short(other) == text for other in records[: place + 1])
    tone: Tone
    if not written:
        title, tone = f"in {who}'s memory: {record}, which waits for the next write", "dashed"
    elif place in process.waited:
        title, tone = f"on {who}'s disk: {record}, lazy: it waited in memory first", "soft"
    else:
        title, tone = f"on {who}'s disk: {record}, forced", "solid"
    return box(f"record:{who}:{text}:{nth}", text, role_of(record.txn), tone, title)


# In memory


def memory_rows(process: Any) -> list[Row]:
    if isinstance(process, Coordinator):
        rows = [row for open in process.open.values() for row in _open(process.id, open)]
    else:
        rows = [*_branches(process), *_locks(process), *_reads(process), *_polls(process)]
    waiting = range(len(process.log), len(process.log) + len(process.buffer))
    return [*rows, *(_record(process, place) for place in waiting)]


def _branches(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for branch in process.branches.values():
        word, txn = BRANCH[branch.standing].word, branch.txn
        title = f"{process.id}: {txn} {waits_for(process, branch) or word}"
        text = fitting(f"{txn} {word}", f"{txn} {short_of(word)}")
        rows.append(box(f"branch:{process.id}:{txn}", text, role_of(txn), "outline", title))
    return rows


def _locks(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for lock in process.locks:
        account, txn = lock.account, lock.txn
        title = f"{process.id}: {txn} holds the lock on {account}"
        text = fitting(f"lock {account} {txn}", f"{account} {txn}")
        rows.append(box(f"lock:{process.id}:{account}:{txn}", text, role_of(txn), "solid", title))
    return rows


def _reads(process: Participant) -> list[Row]:
    """Balances that can be read already, though they are not on disk yet."""
    on_disk = {account.name: account.balance for account in process.accounts}
    rows: list[Row] = []
    for name, balance in process.balances.items():
        if on_disk.get(name) != balance:
            title = f"{process.id}: {name} is read as {balance}, which is not on disk yet"
            rows.append(box(f"reads:{process.id}:{name}", f"{name} {balance}", "ink", "dashed", title))
    return rows


def _polls(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for poll in getattr(process, "polls", Table()).values():
        who, txn, got = process.id, poll.txn, len(poll.reports)
        title = f"{who} asks the others how far they are with {txn}; {got} reports, its own included"
        rows.append(box(f"poll:{who}:{txn}", f"leads {txn}", role_of(txn), "soft", title))
    return rows


def _open(who: str, open: Open) -> list[Row]:
    """A transaction that the coordinator has open: the phase, and the votes or acknowledgements."""
    txn, role, id = open.txn, role_of(open.txn), f"{who}:{open.txn}"
    phase = PHASES.get(open.phase, open.phase)
    head = box(f"open:{id}", f"{txn} {phase}", role, "outline", f"{who}: {txn} is {open.phase}")
    if open.phase == "recovering" or not open.asked:
        return [head]
    if len(open.asked) <= MOST_CELLS:
        return [head, [_cell(who, open, name) for name in open.asked]]
    voting = open.phase == "voting"
    got = len(open.votes) if voting else len(open.asked) - len(open.missing)
    text = f"{'votes' if voting else 'acks'} {got} of {len(open.asked)}"
    return [head, box(f"cells:{id}", text, role, "soft", f"{who} has {text} on {txn}")]


def _cell(who: str, open: Open, name: str) -> Box:
    """One participant's vote; after the votes, whether it has acknowledged, unless it is not told the decision."""
    vote = open.votes.get(name)
    if open.phase == "voting" or vote in ("no", "read-only"):
        got, sign, said = vote is not None, VOTES[vote] if vote else "·", f"voted {vote}" if vote else "has not voted"
    else:
        got = name not in open.missing
        sign, said = ("a", "has acknowledged") if got else ("·", "has not acknowledged")
    tone: Tone = "soft" if got else "dashed"
    role = "bad" if vote == "no" else role_of(open.txn)
    return box(f"cell:{who}:{open.txn}:{name}", f"{name}{sign}", role, tone, f"{who}: {name} {said}, {open.txn}")
