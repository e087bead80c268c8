"""What each process has: a column each, what is on its disk above what is in its memory.

A record keeps its box: one that waits in memory for the next write moves up to the disk with it, and one that a crash
takes with the memory is struck there.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from patterns.engine.history import Step
from patterns.engine.trace import moved
from patterns.engine.world import Crash, World
from patterns.two_phase_commit import Coordinator, Open, Participant, ThreePhaseParticipant
from patterns.two_phase_commit.log import Aborted, Committed
from widgets.scene import Box, Label, Line, Mark, Panel, Role, Tone

from .words import BRANCH, look_of, record_in_short, role_of

WorldStep = Step[World, Any]
COLUMN, GAP, HIGH, PITCH = 90, 6, 19, 21
MOST_COLUMNS = 5
DISK, DISK_ROWS = 46, 7
MEMORY_ROWS = 5
DISK_HIGH, MEMORY_HIGH = DISK_ROWS * PITCH + 8, MEMORY_ROWS * PITCH + 6
MEMORY = DISK + DISK_HIGH + 24
HEIGHT = MEMORY + MEMORY_HIGH + 28
MOST_CELLS = 4
"""As many votes have a cell each."""


def panel(step: WorldStep) -> Panel:
    world = step.state
    shown = world.processes[:MOST_COLUMNS]
    along = went_along(step)
    width = 6 + COLUMN * len(shown)
    marks: list[Mark] = [
        Label(id="disk", x=6, y=DISK - 7, text="DISK: survives a crash", size="small", strong=True),
        Label(id="memory", x=6, y=MEMORY - 7, text="MEMORY: a crash wipes it", size="small", strong=True),
    ]
    for column, process in enumerate(shown):
        x = 4 + column * COLUMN
        marks += [_name(world, process, x), *_disk(step, process, x, along), *_memory(step, process, x)]
    if more := len(world.processes) - len(shown):
        marks.append(
            Label(id="more", x=width - 6, y=DISK - 7, text=f"and {more} more", size="small", role="soft", anchor="end")
        )
    return Panel(
        id="kept",
        width=width,
        height=HEIGHT,
        marks=(*marks, *_key()),
        label="; ".join(_in_words(world, process) for process in shown),
    )


def _key() -> list[Mark]:
    y, marks = HEIGHT - 20, list[Mark]()
    keys: tuple[tuple[float, Tone, str], ...] = (
        (6, "solid", "forced"),
        (82, "soft", "went along"),
        (186, "dashed", "not on disk yet"),
    )
    for x, tone, text in keys:
        marks.append(Box(id=f"key:{tone}", x=x, y=y, w=20, h=12, tone=tone, role="c1"))
        marks.append(Label(id=f"keytext:{tone}", x=x + 25, y=y + 10, text=text, size="small", role="soft"))
    return marks


def _name(world: World, process: Any, x: float) -> Mark:
    look = look_of(world, process)
    return Box(
        id=f"name:{process.id}",
        of=f"process:{process.id}",
        x=x,
        y=2,
        w=COLUMN - GAP + 2,
        h=22,
        text=f"{process.id} {look.sign}".strip(),
        role=look.role,
        tone=look.tone,
        title=f"{process.id} {look.word}".strip(),
    )


# Disk


def _disk(step: WorldStep, process: Any, x: float, along: frozenset[tuple[str, int]]) -> list[Mark]:
    who = process.id
    marks: list[Mark] = [
        Box(
            id=f"disk:{who}",
            of=f"process:{who}",
            x=x,
            y=DISK,
            w=COLUMN - GAP + 2,
            h=DISK_HIGH,
            role="soft",
            title=f"on {who}'s disk: {_disk_in_words(process)}",
        )
    ]
    rows: list[Mark] = []
    if isinstance(process, Participant):
        rows += _accounts(step, process)
    elif process.life > 1:
        rows.append(_box(f"life:{who}", f"life {process.life}", "ink", "outline", f"{who} has crashed before"))
    log = list(zip(_ids(process), process.log, strict=False))
    room = DISK_ROWS - len(rows)
    if len(log) > room:
        hidden = len(log) - room + 1
        rows.append(_box(f"older:{who}", f"{hidden} older", "soft", "dashed", f"{hidden} older records"))
        log = log[hidden:]
    first = len(process.log) - len(log)
    for index, (id, record) in enumerate(log, first):
        forced = (who, index) not in along
        how = "forced" if forced else "went along with a later one"
        role, tone = role_of(record.txn), "solid" if forced else "soft"
        rows.append(_box(id, record_in_short(record), role, tone, f"on {who}'s disk: {record}, {how}"))
    return marks + _stack(rows, x, DISK, who)


def _accounts(step: WorldStep, process: Participant) -> list[Mark]:
    """The rows of its table; what changed in this step says from what."""
    before = {}
    if step.parent is not None:
        before = {account.name: account.balance for account in step.parent.state[process.id].accounts}
    rows: list[Mark] = []
    for account in process.accounts:
        was = before.get(account.name, account.balance)
        changed = was != account.balance
        rows.append(
            _box(
                f"account:{process.id}:{account.name}",
                f"{account.name} {was}→{account.balance}" if changed else str(account),
                "good" if changed else "ink",
                "soft" if changed else "outline",
                f"{account.name} has {account.balance} on {process.id}'s disk" + (f", had {was}" if changed else ""),
            )
        )
    return rows


def _ids(process: Any) -> list[str]:
    """An id for each record of log and buffer, the same in both."""
    seen: dict[str, int] = {}
    ids = []
    for record in (*process.log, *process.buffer):
        text = record_in_short(record)
        seen[text] = seen.get(text, 0) + 1
        ids.append(f"record:{process.id}:{text}:{seen[text]}")
    return ids


def went_along(step: WorldStep) -> frozenset[tuple[str, int]]:
    """(process, place in its log) of the records that were not forced: they waited for one that was."""
    found: set[tuple[str, int]] = set()
    at: WorldStep | None = step
    while at is not None and at.parent is not None:
        processes = moved(at)
        if processes is not None:
            before, after = processes
            old, new = len(before.log), len(after.log)  # type: ignore[attr-defined]
            waited = len(before.buffer)  # type: ignore[attr-defined]
            for place in range(old, new):
                last = place == new - 1
                if place - old < waited or (not last and _is_lazy(after, after.log[place])):  # type: ignore[attr-defined]
                    found.add((after.id, place))
        at = at.parent
    return frozenset(found)


def _is_lazy(process: Any, record: Any) -> bool:
    """Whether a participant lets this record wait. Asked only where one step wrote several."""
    if not isinstance(process, Participant) or isinstance(process, ThreePhaseParticipant):
        return False
    decided = isinstance(record, Committed | Aborted)
    return decided and ("commit" if isinstance(record, Committed) else "abort") not in process.acknowledges


# Memory


def _memory(step: WorldStep, process: Any, x: float) -> list[Mark]:
    who, world = process.id, step.state
    wiped = isinstance(step.event, Crash) and step.event.process == who and step.parent is not None
    region = Box(
        id=f"memory:{who}",
        of=f"process:{who}",
        x=x,
        y=MEMORY,
        w=COLUMN - GAP + 2,
        h=MEMORY_HIGH,
        role="down" if who in world.down else "soft",
        tone="dashed",
        title=f"in {who}'s memory: {_memory_in_words(world, process)}",
    )
    if wiped and step.parent is not None:
        rows = [_ghost(mark) for mark in _stack(_rows(step.parent.state[who]), x, MEMORY, who)]
        right, low = x + COLUMN - GAP + 2, MEMORY + MEMORY_HIGH
        cross: list[Mark] = [
            Line(id=f"wiped:{who}:1", x=x, y=MEMORY, x2=right, y2=low, role="bad", wide=2, title="wiped by the crash"),
            Line(id=f"wiped:{who}:2", x=x, y=low, x2=right, y2=MEMORY, role="bad", wide=2, title="wiped by the crash"),
        ]
        return [region, *rows, *cross]
    if who in world.down:
        middle = x + (COLUMN - GAP + 2) / 2
        gone = Label(
            id=f"gone:{who}", x=middle, y=MEMORY + 24, text="✕ empty", size="small", role="down", anchor="middle"
        )
        return [region, gone]
    return [region, *_stack(_rows(process), x, MEMORY, who)]


def _ghost(mark: Mark) -> Mark:
    return replace(mark, tone="ghost", role="down")


def _rows(process: Any) -> list[Mark]:
    """What is in a process's memory, a box a row; a row of votes is several marks."""
    rows: list[Any] = []
    who = process.id
    if isinstance(process, Coordinator):
        for open in process.open:
            rows += _open(who, open)
    elif isinstance(process, Participant):
        rows += _branches(process)
    waits = list(zip(_ids(process), (*process.log, *process.buffer), strict=True))[len(process.log) :]
    for id, record in waits:
        title = f"in {who}'s memory: {record}, waits for the next write"
        rows.append(_box(id, record_in_short(record), role_of(record.txn), "dashed", title))
    return rows


def _branches(process: Participant) -> list[Mark]:
    rows, who = list[Mark](), process.id
    for branch in process.branches:
        look, txn = BRANCH[branch.standing], branch.txn
        why = f"for {', '.join(process.in_the_way(branch))}" if branch.standing == "waiting" else ""
        title = f"{who}: {txn} {look.word} {why}".strip()
        rows.append(_box(f"branch:{who}:{txn}", f"{txn} {look.word}", role_of(txn), "outline", title))
    for lock in process.locks:
        title = f"{who}: {lock.txn} holds the lock on {lock.account}"
        rows.append(
            _box(f"lock:{who}:{lock.account}", f"lock {lock.account} {lock.txn}", role_of(lock.txn), "solid", title)
        )
    on_disk = {account.name: account.balance for account in process.accounts}
    for name, balance in process.balances.items():
        if on_disk.get(name) != balance:
            title = f"{who}: {name} is read as {balance}, which is not on disk yet"
            rows.append(_box(f"reads:{who}:{name}", f"reads {name} {balance}", "ink", "dashed", title))
    for poll in getattr(process, "polls", ()):
        title = f"{who} takes the coordinator's place for {poll.txn}: {len(poll.reports)} have told how far they are"
        rows.append(_box(f"poll:{who}:{poll.txn}", f"leads {poll.txn}", role_of(poll.txn), "soft", title))
    return rows


def _open(who: str, open: Open) -> list[Any]:
    """A transaction that the coordinator has open: its phase, and who has voted or acknowledged."""
    role = role_of(open.txn)
    head = _box(
        f"open:{who}:{open.txn}",
        f"{open.txn} {PHASES[open.phase]}",
        role,
        "outline",
        f"{who}: {open.txn} is {open.phase}",
    )
    if open.phase == "recovering" or not open.asked:
        return [head]
    if len(open.asked) > MOST_CELLS:
        got = len(open.votes) if open.phase == "voting" else len(open.asked) - len(open.missing)
        what = "votes" if open.phase == "voting" else "acks"
        text = f"{what} {got} of {len(open.asked)}"
        return [head, _box(f"cells:{who}:{open.txn}", text, role, "soft", f"{who} has {text} on {open.txn}")]
    return [head, [_cell(who, open, name) for name in open.asked]]


PHASES = {
    "voting": "voting",
    "pre-committing": "pre-com.",
    "committing": "commit",
    "aborting": "abort",
    "recovering": "asks",
}
VOTES = {"yes": "✓", "no": "✗", "read-only": "r"}


def _cell(who: str, open: Open, name: str) -> Box:
    """One participant's vote, or whether it has acknowledged."""
    if open.phase == "voting":
        vote = dict(open.votes).get(name)
        sign, said = (VOTES[vote], f"voted {vote}") if vote else ("·", "has not voted")
        role: Role = "bad" if vote == "no" else role_of(open.txn)
        got = vote is not None
    else:
        got = name not in open.missing
        sign, said, role = (
            ("a", "has acknowledged", role_of(open.txn)) if got else ("·", "has not acknowledged", "soft")
        )
    title = f"{who}: {name} {said} {'on' if open.phase == 'voting' else ''} {open.txn}".replace("  ", " ")
    short = name.removeprefix("P") if len(open.asked) > 3 else name
    cell = _box(f"cell:{who}:{open.txn}:{name}", f"{short}{sign}", role, "soft" if got else "dashed", title)
    return cell


# Boxes


def _box(id: str, text: str, role: Role, tone: str, title: str) -> Box:
    return Box(id=id, x=0, y=0, w=0, h=HIGH, text=text, role=role, tone=tone, title=title)  # type: ignore[arg-type]


def _stack(rows: list[Any], x: float, y: float, who: str) -> list[Mark]:
    """Boxes below one another from here on, a list of them side by side."""
    marks: list[Mark] = []
    width = COLUMN - GAP - 2
    for row, boxes in enumerate(rows):
        side = boxes if isinstance(boxes, list) else [boxes]
        each = (width - 2 * (len(side) - 1)) / len(side)
        for place, box in enumerate(side):
            left = round(x + 2 + place * (each + 2), 1)
            marks.append(replace(box, x=left, y=y + 4 + row * PITCH, w=round(each, 1), of=f"process:{who}"))
    return marks


# In words


def _disk_in_words(process: Any) -> str:
    log = ", ".join(map(str, process.log)) or "an empty log"
    accounts = [str(account) for account in getattr(process, "accounts", ())]
    return "; ".join([*accounts, log])


def _memory_in_words(world: World, process: Any) -> str:
    if process.id in world.down:
        return "nothing, it has crashed"
    rows = [box for row in _rows(process) for box in (row if isinstance(row, list) else [row])]
    return ", ".join(box.text for box in rows) or "nothing"


def _in_words(world: World, process: Any) -> str:
    return f"{process.id} has on disk: {_disk_in_words(process)}; in memory: {_memory_in_words(world, process)}"
