"""The boxes of a column: accounts and records on disk; branches, locks, votes, and records that wait, in memory."""

from __future__ import annotations

from typing import Any

from patterns.engine.table import Table
from patterns.two_phase_commit import Coordinator, Open, Participant
from patterns.two_phase_commit.log import Logged, Records
from widgets.kit import Row, box, fitting, wide
from widgets.scene import Box, Tone

from .states import BRANCH, record_in_short, role_of, waits_for

MOST_CELLS = 4
"""As many votes have a sign each."""
PHASES = {"voting": "votes", "pre-committing": "ready", "committing": "acks", "aborting": "acks", "recovering": "asks"}
VOTES = {"yes": "✓", "no": "✗", "read-only": "r"}


# On disk


def disk_rows(process: Any, room: int, width: float) -> list[Row]:
    """Accounts, or which life the coordinator is in; then the log: of a long one the oldest records are counted."""
    rows: list[Row] = _accounts(process) if isinstance(process, Participant) else _life(process)
    room -= len(rows)
    log = [_record(process, place, width) for place in range(len(process.log))]
    if (hidden := len(log) - room + 1) > 1:
        who, text = process.id, f"{hidden} older"
        rows.append(box(f"older:{who}", text, "soft", "row", f"{text} records in {who}'s log"))
        log = log[hidden:]
    return [*rows, *log]


def _life(process: Coordinator) -> list[Row]:
    life = process.life
    title = f"{process.id} has started {life} times: transactions that it begins now have names with .{life}"
    return [box(f"life:{process.id}", f"life\t{life}", "ink", "row", title)] if life > 1 else []


def _accounts(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for account in process.accounts:
        name, now = account.name, account.balance
        title = f"{name} has {now} on {process.id}'s disk"
        rows.append(box(f"account:{process.id}:{name}", f"{name}\t{now}", "ink", "row", title))
    return rows


def _record(process: Logged, place: int, width: float) -> Box:
    """A record of the log, or of those that wait behind it. Its id is the same before and after it is written."""
    records: tuple[Records, ...] = (*process.log, *process.buffer)
    record, who, written = records[place], process.id, place < len(process.log)
    text = record_in_short(record)
    nth = sum(record_in_short(other) == text for other in records[: place + 1])
    tone: Tone = "row"
    if not written:
        title, how, tone = f"in {who}'s memory: {record}, which waits for the next write", "", "dashed"
    elif place in process.waited:
        title, how = f"on {who}'s disk: {record}, lazy: it waited in memory first", "lazy"
    else:
        title, how = f"on {who}'s disk: {record}, forced", ""
    said = f"{text}\t{how}" if how and wide(text + how) + 8 <= width else text
    return box(f"record:{who}:{text}:{nth}", said, role_of(record.txn), tone, title)


# In memory


def memory_rows(process: Any, width: float) -> list[Row]:
    if isinstance(process, Coordinator):
        rows: list[Row] = [_open(process.id, open, width) for open in process.open.values()]
    else:
        rows = [*_branches(process, width), *_locks(process), *_reads(process), *_polls(process)]
    waiting = range(len(process.log), len(process.log) + len(process.buffer))
    return [*rows, *(_record(process, place, width) for place in waiting)]


def _branches(process: Participant, width: float) -> list[Row]:
    rows: list[Row] = []
    for branch in process.branches.values():
        word, txn = BRANCH[branch.state].word, branch.txn
        title = f"{process.id}: {txn} {waits_for(process, branch) or word}"
        rows.append(box(f"branch:{process.id}:{txn}", fitting(txn, word, width), role_of(txn), "row", title))
    return rows


def _locks(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for lock in process.locks:
        account, txn = lock.account, lock.txn
        title = f"{process.id}: {txn} holds the lock on {account}"
        rows.append(box(f"lock:{process.id}:{account}:{txn}", f"lock {account}\t{txn}", role_of(txn), "soft", title))
    return rows


def _reads(process: Participant) -> list[Row]:
    """Balances that can be read already, though they are not on disk yet."""
    on_disk = {account.name: account.balance for account in process.accounts}
    rows: list[Row] = []
    for name, balance in process.balances.items():
        if on_disk.get(name) != balance:
            title = f"{process.id}: {name} is read as {balance}, which is not on disk yet"
            rows.append(box(f"reads:{process.id}:{name}", f"{name}\t{balance}", "ink", "dashed", title))
    return rows


def _polls(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for poll in getattr(process, "polls", Table()).values():
        who, txn, got = process.id, poll.txn, len(poll.reports)
        title = f"{who} asks the others how far they are with {txn}; {got} reports, its own included"
        rows.append(box(f"poll:{who}:{txn}", f"leads {txn}\t{got}", role_of(txn), "row", title))
    return rows


def _open(who: str, open: Open, width: float) -> Box:
    """A transaction that the coordinator has open: its votes or acknowledgements, a sign for each participant."""
    txn, phase = open.txn, PHASES[open.phase]
    signs, said = zip(*(_cell(open, name) for name in open.asked), strict=True) if open.asked else ((), ())
    text = " ".join(signs)
    if len(open.asked) > MOST_CELLS:
        got = len(open.votes) if open.phase == "voting" else len(open.asked) - len(open.missing)
        text = f"{got}/{len(open.asked)}"
    title = f"{who}: {txn} is {open.phase}: {', '.join(said)}"
    return box(f"open:{who}:{txn}", fitting(f"{txn} {phase}", text, width), role_of(txn), "row", title)


def _cell(open: Open, name: str) -> tuple[str, str]:
    """One participant's vote; after the votes, whether it has acknowledged, unless it is not told the decision."""
    vote = open.votes.get(name)
    if open.phase == "voting" or vote in ("no", "read-only"):
        return (VOTES[vote], f"{name} voted {vote}") if vote else ("·", f"{name} has not voted")
    got = name not in open.missing
    return ("a", f"{name} has acknowledged") if got else ("·", f"{name} has not acknowledged")
