"""The picture of a commit protocol: which participants are in doubt, since when, and what is on disk or in memory.

Colours are transactions. How one stands with a process has a sign and a word: working, in doubt, committed, aborted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.step import Step
from patterns.engine.table import Table
from patterns.engine.world import Call, World
from patterns.two_phase_commit import (
    Coordinator,
    Participant,
    blocked,
    coordinator,
    in_doubt,
    participants,
    transactions,
)
from patterns.two_phase_commit.coordinator import client_name
from patterns.two_phase_commit.messages import InDoubt, Inquiry
from patterns.two_phase_commit.three_phase import Poll
from widgets.kit import Look, Point, ProcessView, Row, box, small
from widgets.scene import Box, Era, Mark, Role

from . import rows
from .phases import era
from .words import MESSAGES, duration, look_of, role_of, stands, waits_for

TOP, HIGH, MIDDLE, LOW = 46, 152, 200, 292
"""How far down the coordinator stands, and the participants. Of three the middle one is low: so the words of what the
outer ones ask each other lie beside those of what it asks the coordinator."""
NO_POLLS: Table[Poll] = Table()
FEW = 3
"""As many participants have words in their discs."""
LINE, MOST_LINES = 16, 3


class CommitView(ProcessView):
    title = "Two-phase commit"
    signs = {
        "colour of a message, record, lock": "its transaction",
        "?": "in doubt: voted yes, and does not know what was decided; since how many ms",
        "…": "works, or waits for a lock",
        "✓": "has committed; a yes among the votes",
        "↶": "has aborted",
        "✗": "a no among the votes",
        "r": "a read-only vote: has nothing to write, and is done",
        "a": "has acknowledged the decision",
        "◆": "ready: knows that all voted yes (three-phase commit)",
        "✕": "crashed; its memory is empty",
        "filled record": "forced to the disk; light: lazy, it waited in memory first; dashed: it still waits there",
        "arc round a process": "a timer that runs out",
    }
    shorts = MESSAGES
    width, height, calls_at = 294, 388, 360
    key = ((6, "solid", "forced"), (86, "soft", "lazy, written"), (206, "dashed", "lazy, not yet"))

    @classmethod
    def costs_of(cls, step: Step[World, Any]) -> dict[str, int]:
        """Messages, writes to disk, and ms that participants were in doubt, all of them together."""
        ms = len(in_doubt(step.parent.state)) * (step.state.clock - step.parent.state.clock) if step.parent else 0
        return {**super().costs_of(step), "ms in doubt": ms}

    def era(self) -> Era | None:
        return era(self.world)

    # Messages and calls

    def colour(self, message: Any) -> Role:
        return role_of(message.txn)

    def short(self, message: Any) -> str:
        """With the transaction's name if there are several."""
        several = len({client_name(txn) for txn in transactions(self.world)}) > 1
        words = super().short(message)
        return f"{words} {message.txn}" if several and not isinstance(message, Inquiry | InDoubt) else words

    def asked(self, call: Call) -> tuple[str, Role]:
        moves = ", ".join(str(move) for move in call.body.moves[:3]) + (" …" if len(call.body.moves) > 3 else "")
        told = "waits" if call.waits else str(call.reply).removeprefix(f"{call.body.txn}: ")
        role = role_of(call.body.txn) if call.waits else "soft"
        return f"{call.client}, {call.body.txn}: {moves}: {told}", role

    # Processes

    def seats(self) -> Mapping[str, Point]:
        """The coordinator on top; the participants below it, three and more in two rows."""
        names = [process.id for process in participants(self.world)]
        n = len(names)
        step, middle = min(160.0, (self.width - 110) / max(1, n - 1)), self.width / 2
        levels = (HIGH, LOW) if n == FEW else (MIDDLE,) if n < FEW else (MIDDLE, LOW)
        at = {
            name: (round(middle + (i - (n - 1) / 2) * step, 1), float(levels[i % len(levels)]))
            for i, name in enumerate(names)
        }
        return {coordinator(self.world).id: (middle, float(TOP)), **at}

    @property
    def radius(self) -> int:
        n = len(self.world.processes)
        return 31 if n <= FEW + 1 else 24 if n <= 6 else 18

    @property
    def captions(self) -> bool:
        return False

    def drawn_as(self, process: Any) -> Look:
        """The disc says in a word, or a sign, how the transaction stands that is most urgent."""
        look, paused = look_of(self.world, process), process.id in self.world.paused
        sub = f"❚❚ {look.sign}".rstrip() if paused else look.word if self.radius > 30 else look.sign
        parts = [stand.words for stand in stands(self.world, process)]
        state = ["has crashed"] if process.id in self.world.down else ["is paused"] if paused else []
        words = f"{process.id} {', '.join(state + parts) or 'has nothing to do'}"
        return Look(words, look.role, sub, tone=look.tone, heavy=look.tone == "solid")

    def in_words(self) -> str:
        return "; ".join([*(f"{txn} is blocked" for txn in blocked(self.world)), super().in_words()])

    def process(self, process: Any) -> list[Mark]:
        """Beside the coordinator: which transactions are blocked, and how its own stand."""
        marks = super().process(process)
        if not isinstance(process, Coordinator):
            return marks
        x, y = self.at[process.id]
        lines = [(f"blocked:{txn}", f"{txn} blocked", "bad") for txn in blocked(self.world)]
        lines += [(f"stands:{stand.txn}", stand.line, role_of(stand.txn)) for stand in stands(self.world, process)]
        left, top, of = x + self.radius + 14, y - 10, f"process:{process.id}"
        for at, (id, text, role) in enumerate(lines[:MOST_LINES]):
            marks.append(small(id, left, top + LINE * at, text, role, strong=True, of=of))
        return marks

    # What is kept

    @property
    def most_columns(self) -> int:
        return 5

    @property
    def rows(self) -> tuple[int, int]:
        return 7, 5

    def column_width(self, process: Any) -> float:
        """The coordinator has a cell for each vote."""
        return 102 if isinstance(process, Coordinator) else 92

    def heading(self, process: Any) -> Box:
        """Its name, its sign, and for how long it has been in doubt."""
        look, who = look_of(self.world, process), process.id
        since = [doubt.since for doubt in in_doubt(self.world) if doubt.participant == who]
        ms = duration(max(0, self.world.clock - min(since))) if since else ""
        text, title = (" ".join(filter(None, (who, word, ms))) for word in (look.sign, look.word))
        return box(f"name:{who}", text, look.role, look.tone, title)

    def disk_rows(self, process: Any) -> list[Row]:
        return rows.disk_rows(process, self.before(process), self.rows[0])

    def memory_rows(self, process: Any) -> list[Row]:
        return rows.memory_rows(process)

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        log = ", ".join(map(str, process.log)) or "empty"
        if isinstance(process, Participant):
            return {"log": log, **{account.name: account.balance for account in process.accounts}}
        return {"log": log, **({"life": process.life} if process.life > 1 else {})}

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        waits = {"not yet in the log": ", ".join(map(str, process.buffer))} if process.buffer else {}
        return {**waits, **(_coordinator(process) if isinstance(process, Coordinator) else _participant(process))}


def _coordinator(process: Coordinator) -> dict[str, str]:
    facts: dict[str, str] = {}
    for open in process.open.values():
        facts[open.txn] = open.phase
        if open.phase == "voting":
            facts[f"{open.txn} votes"] = ", ".join(f"{name} {vote}" for name, vote in open.votes) or "none"
        elif open.missing:
            facts[f"{open.txn} waits for"] = ", ".join(sorted(open.missing))
    return facts


def _participant(process: Participant) -> dict[str, str]:
    facts = {branch.txn: waits_for(process, branch) or branch.standing for branch in process.branches.values()}
    facts["locked"] = ", ".join(f"{lock.account} by {lock.txn}" for lock in process.locks) or "nothing"
    if suspects := getattr(process, "suspects", ()):
        facts["takes for crashed"] = ", ".join(sorted(suspects))
    for poll in getattr(process, "polls", NO_POLLS).values():
        facts[f"leads {poll.txn}, knows"] = ", ".join(f"{sender} {report.state}" for sender, report in poll.reports)
    return facts


VIEW = CommitView
