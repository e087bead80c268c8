"""What is on a process's disk: its accounts, and its log with what was forced told apart from what was lazy."""

from __future__ import annotations

from typing import Any

from patterns.engine.step import Step
from patterns.engine.trace import moved
from patterns.engine.world import World
from patterns.two_phase_commit import Coordinator, Participant, ThreePhaseParticipant
from patterns.two_phase_commit.log import Aborted, Committed, Logged
from widgets.scene import Box, Mark

from .boxes import DISK, DISK_HIGH, DISK_ROWS, box, record_ids, stack
from .words import record_in_short, role_of

WorldStep = Step[World, Any]
Places = frozenset[tuple[str, int]]
"""(process, place in its log) of records."""


def region(step: WorldStep, process: Any, x: float, width: float, lazy: Places) -> list[Mark]:
    """A process's disk; `lazy` is what `written_lazily` says."""
    who = process.id
    frame = Box(
        id=f"disk:{who}",
        of=f"process:{who}",
        x=x,
        y=DISK,
        w=width,
        h=DISK_HIGH,
        role="soft",
        title=f"on {who}'s disk: {in_words(process)}",
    )
    rows = _accounts(step, process) if isinstance(process, Participant) else _life(process)
    return [frame, *stack([*rows, *_log(process, DISK_ROWS - len(rows), lazy)], x, DISK, width, who)]


def in_words(process: Any) -> str:
    accounts = [str(account) for account in getattr(process, "accounts", ())]
    return "; ".join([*accounts, ", ".join(map(str, process.log)) or "an empty log"])


def _life(process: Coordinator) -> list[Box]:
    if process.life == 1:
        return []
    title = (
        f"{process.id} lives for the {process.life}. time: transactions that it begins now are named .{process.life}"
    )
    return [box(f"life:{process.id}", f"life {process.life}", "ink", "outline", title)]


def _accounts(step: WorldStep, process: Participant) -> list[Box]:
    """The rows of its table; one that changed in this step says from what."""
    was = {}
    if step.parent is not None:
        was = {account.name: account.balance for account in step.parent.state[process.id].accounts}
    rows = []
    for account in process.accounts:
        name, now = account.name, account.balance
        id, title = f"account:{process.id}:{name}", f"{name} has {now} on {process.id}'s disk"
        if was.get(name, now) == now:
            rows.append(box(id, f"{name} {now}", "ink", "outline", title))
        else:
            rows.append(box(id, f"{name} → {now}", "good", "soft", f"{title}, and had {was[name]}"))
    return rows


def _log(process: Logged, room: int, lazy: Places) -> list[Box]:
    """Its records in their order; where there are more than room for, the oldest are counted."""
    who, ids = process.id, record_ids(process)
    hidden = 0 if len(process.log) <= room else len(process.log) - room + 1
    rows = []
    if hidden:
        rows.append(box(f"older:{who}", f"{hidden} older", "soft", "dashed", f"{hidden} older records in {who}'s log"))
    for place in range(hidden, len(process.log)):
        record, waited = process.log[place], (who, place) in lazy
        title = f"on {who}'s disk: {record}, {'lazy: it waited in memory first' if waited else 'forced'}"
        rows.append(box(ids[place], record_in_short(record), role_of(record.txn), "soft" if waited else "solid", title))
    return rows


def written_lazily(step: WorldStep) -> Places:
    """The records that were not forced when they were written, up to this step: they waited in memory first."""
    found: set[tuple[str, int]] = set()
    at: WorldStep | None = step
    while at is not None and at.parent is not None:
        processes = moved(at)
        if processes is not None:
            before, after = processes
            assert isinstance(before, Logged)
            assert isinstance(after, Logged)
            for place in range(len(before.log), len(after.log)):
                waited = place - len(before.log) < len(before.buffer)
                last = place == len(after.log) - 1
                if waited or (not last and _is_lazy(at, after, after.log[place])):
                    found.add((after.id, place))
        at = at.parent
    return frozenset(found)


def _is_lazy(step: WorldStep, process: Logged, record: Any) -> bool:
    """Whether a participant let this record wait. Asked only where one step wrote several: the last one was forced."""
    if not isinstance(process, Participant) or isinstance(process, ThreePhaseParticipant):
        return False
    if not isinstance(record, Committed | Aborted):
        return False
    vetoed = any(note.rule == "P.veto" and note.values["txn"] == record.txn for note in step.notes)
    return not vetoed and ("commit" if isinstance(record, Committed) else "abort") not in process.acknowledges
