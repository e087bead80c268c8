"""What is in a process's memory: locks, votes, what waits for the disk. In the step of a crash all of it is struck."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from patterns.engine.step import Step
from patterns.engine.world import Crash, World
from patterns.two_phase_commit import Coordinator, Open, Participant
from widgets.scene import Box, Label, Line, Mark, Role

from .boxes import MEMORY, MEMORY_HIGH, MEMORY_ROWS, Row, box, record_ids, stack
from .words import BRANCH, branch_in_short, lock_in_short, record_in_short, role_of

MOST_CELLS = 3
"""As many votes have a cell each."""
PHASES = {
    "voting": "voting",
    "pre-committing": "pre-com.",
    "committing": "commit",
    "aborting": "abort",
    "recovering": "asks",
}
VOTES = {"yes": "✓", "no": "✗", "read-only": "r"}


def region(step: Step[World, Any], process: Any, x: float, width: float) -> list[Mark]:
    """A process's memory, dashed; empty while it is down."""
    who, world = process.id, step.state
    down = who in world.down
    frame = Box(
        id=f"memory:{who}",
        of=f"process:{who}",
        x=x,
        y=MEMORY,
        w=width,
        h=MEMORY_HIGH,
        role="down" if down else "soft",
        tone="dashed",
        title=f"in {who}'s memory: {in_words(world, process)}",
    )
    if not down:
        return [frame, *stack(_shown(process), x, MEMORY, width, who)]
    if step.parent is not None and step.event == Crash(who):
        wiped = stack(_shown(step.parent.state[who]), x, MEMORY, width, who)
        return [frame, *(_struck(mark) for mark in wiped), *_cross(who, x, width)]
    middle, low = x + width / 2, MEMORY + 24
    gone = Label(id=f"gone:{who}", x=middle, y=low, text="✕ empty", size="small", role="down", anchor="middle")
    return [frame, gone]


def in_words(world: World, process: Any) -> str:
    if process.id in world.down:
        return "nothing, it has crashed"
    boxes = [one for row in _rows(process) for one in ([row] if isinstance(row, Box) else row)]
    return ", ".join(one.text for one in boxes) or "nothing"


def _struck(mark: Mark) -> Mark:
    return replace(mark, role="down", tone="dashed", title=f"wiped: {mark.title}")


def _cross(who: str, x: float, width: float) -> list[Mark]:
    right, low, title = x + width, MEMORY + MEMORY_HIGH, f"the crash wiped {who}'s memory"
    return [
        Line(id=f"wiped:{who}:1", x=x, y=MEMORY, x2=right, y2=low, role="bad", wide=2, title=title),
        Line(id=f"wiped:{who}:2", x=x, y=low, x2=right, y2=MEMORY, role="bad", wide=2, title=title),
    ]


def _shown(process: Any) -> list[Row]:
    """As many rows as there is room for; what comes below is counted, and named in words."""
    rows = _rows(process)
    if len(rows) <= MEMORY_ROWS:
        return rows
    last = MEMORY_ROWS - 1
    titles = [one.title for row in rows[last:] for one in ([row] if isinstance(row, Box) else row)]
    more = box(f"below:{process.id}", f"{len(rows) - last} more", "soft", "dashed", "; ".join(titles))
    return [*rows[:last], more]


def _rows(process: Any) -> list[Row]:
    """What is in its memory, top to bottom."""
    if isinstance(process, Coordinator):
        rows: list[Row] = [row for open in process.open for row in _open(process.id, open)]
    else:
        rows = [*_branches(process), *_locks(process), *_reads(process), *_polls(process)]
    for id, record in zip(record_ids(process)[len(process.log) :], process.buffer, strict=True):
        title = f"in {process.id}'s memory: {record}, which waits for the next write"
        rows.append(box(id, record_in_short(record), role_of(record.txn), "dashed", title))
    return rows


# A participant's


def _branches(process: Participant) -> list[Row]:
    rows: list[Row] = []
    for branch in process.branches:
        words = BRANCH[branch.standing].word
        if branch.standing == "waiting":
            words = f"waits for {', '.join(process.in_the_way(branch))}"
        title = f"{process.id}: {branch.txn} {words}"
        id = f"branch:{process.id}:{branch.txn}"
        rows.append(box(id, branch_in_short(branch), role_of(branch.txn), "outline", title))
    return rows


def _locks(process: Participant) -> list[Row]:
    return [
        box(
            f"lock:{process.id}:{lock.account}:{lock.txn}",
            lock_in_short(lock),
            role_of(lock.txn),
            "solid",
            f"{process.id}: {lock.txn} holds the lock on {lock.account}",
        )
        for lock in process.locks
    ]


def _reads(process: Participant) -> list[Row]:
    """What can be read already, though it is not on disk yet."""
    on_disk = {account.name: account.balance for account in process.accounts}
    return [
        box(
            f"reads:{process.id}:{name}",
            f"{name} {balance}",
            "ink",
            "dashed",
            f"{process.id}: {name} is read as {balance}, which is not on disk yet",
        )
        for name, balance in process.balances.items()
        if on_disk.get(name) != balance
    ]


def _polls(process: Participant) -> list[Row]:
    return [
        box(
            f"poll:{process.id}:{poll.txn}",
            f"leads {poll.txn}",
            role_of(poll.txn),
            "soft",
            f"{process.id} asks the others how far they are with {poll.txn}; {len(poll.reports)} reports, its own "
            "included",
        )
        for poll in getattr(process, "polls", ())
    ]


# The coordinator's


def _open(who: str, open: Open) -> list[Row]:
    """A transaction that it has open: the phase, and who has voted or acknowledged."""
    role, id = role_of(open.txn), f"{who}:{open.txn}"
    head = box(f"open:{id}", f"{open.txn} {PHASES[open.phase]}", role, "outline", f"{who}: {open.txn} is {open.phase}")
    if open.phase == "recovering" or not open.asked:
        return [head]
    if len(open.asked) <= MOST_CELLS:
        return [head, [_cell(who, open, name) for name in open.asked]]
    voting = open.phase == "voting"
    got = len(open.votes) if voting else len(open.asked) - len(open.missing)
    text = f"{'votes' if voting else 'acks'} {got} of {len(open.asked)}"
    return [head, box(f"cells:{id}", text, role, "soft", f"{who} has {text} on {open.txn}")]


def _cell(who: str, open: Open, name: str) -> Box:
    """One participant's vote; after the votes, whether it has acknowledged, unless it need not be told."""
    role: Role = role_of(open.txn)
    vote = dict(open.votes).get(name)
    if open.phase == "voting" or vote in ("no", "read-only"):
        got, sign, said = vote is not None, VOTES[vote] if vote else "·", f"voted {vote}" if vote else "has not voted"
        role = "bad" if vote == "no" else role
    else:
        got = name not in open.missing
        sign, said = ("a", "has acknowledged") if got else ("·", "has not acknowledged")
    title = f"{who}: {name} {said}, {open.txn}"
    return box(f"cell:{who}:{open.txn}:{name}", f"{name}{sign}", role, "soft" if got else "dashed", title)
