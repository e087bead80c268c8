"""The picture of a commit protocol: which participants are in doubt, since when, and the records on disk and in memory.

The processes stand in a row, the coordinator first, their memories and disks below them. Colours are transactions, and
nothing else: how one stands with a process is a shape and a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from patterns.two_phase_commit.messages import InDoubt, Inquiry, Transfer
from patterns.two_phase_commit.three_phase import Poll
from widgets.kit import Ends, Look, Point, ProcessView, Row, arched, cuts, legend_of, messages, row, small, wide
from widgets.kit.storage import BETWEEN, regions, told_of, words
from widgets.scene import Era, Mark, Panel, Role

from . import rows
from .phases import era
from .states import ANSWERS, CRASHED, GLYPHS, IDLE, MESSAGES, Stand, duration, pressing, role_of, stands, waits_for

WIDTH, HEIGHT, LEVEL = 548.0, 356.0, 100.0
"""The picture; how far down the processes stand."""
MEMORY, CALL = 174.0, 330
"""How far down the memories begin; the room for what a client asked for."""
NO_POLLS: Table[Poll] = Table()
MOST_COLUMNS = 6


class CommitView(ProcessView):
    title = "Two-phase commit"
    signs = legend_of(__package__, title)
    shorts, glyphs, answers = MESSAGES, GLYPHS, ANSWERS
    width, height, middle = WIDTH, HEIGHT, (WIDTH / 2, 0.0)

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

    def token(self, message: Any) -> tuple[str, bool]:
        sign, answers = super().token(message)
        return "r" if sign == "read-only" else sign, answers

    def asked(self, call: Call) -> tuple[str, Role]:
        if not isinstance(call.body, Transfer):
            return f"{call.client}: {call.body}: {'waits' if call.waits else call.reply}", "soft"
        moves = ", ".join(str(move) for move in call.body.moves[:3]) + (" …" if len(call.body.moves) > 3 else "")
        told = "waits" if call.waits else str(call.reply).removeprefix(f"{call.body.txn}: ")
        text = f"{call.client}, {call.body.txn}: {moves}: {told}"
        text = text if wide(text) <= CALL else f"{call.client}, {call.body.txn}: {told}"
        return text, role_of(call.body.txn) if call.waits else "soft"

    # Processes

    def seats(self) -> Mapping[str, Point]:
        return row([coordinator(self.world).id, *(each.id for each in participants(self.world))], LEVEL, 0, WIDTH)

    @property
    def radius(self) -> int:
        n = len(self.world.processes)
        return 27 if n <= MOST_COLUMNS else max(12, 150 // n)

    def ends(self, a: str, b: str) -> Ends:
        """Messages go over the heads of all that stand between."""
        (x, y), (x2, y2), r = self.at[a], self.at[b], self.radius + 4
        aside = 0.6 * r if x < x2 else -0.6 * r
        return (x + aside, y - 0.8 * r), (x2 - aside, y2 - 0.8 * r)

    def drawn_as(self, process: Any) -> Look:
        """The shape says how the transaction stands that presses most; the caption says it in a word."""
        world, who, found = self.world, process.id, stands(self.world, process)
        down, paused, stand = who in world.down, who in world.paused, pressing(world, process)
        look = CRASHED if down else stand.look if stand else IDLE
        state = ["has crashed"] if down else ["is paused"] if paused else []
        words = f"{who} {', '.join(state + [each.words for each in found]) or 'has nothing to do'}"
        caption = look.word if down or stand is None else self.caption(process, stand)
        hue = role_of(stand.txn) if stand and not down else ""
        return Look(words, look.role, caption=f"❚❚ {caption}" if paused else caption, tone=look.tone, hue=hue)

    def caption(self, process: Any, stand: Stand) -> str:
        """How the transaction stands here, and for how long it has been in doubt."""
        since = [doubt.since for doubt in in_doubt(self.world) if doubt[:2] == (process.id, stand.txn)]
        ms = [duration(max(0, self.world.clock - min(since)))] if since and len(self.at) < MOST_COLUMNS else []
        return " ".join([stand.look.word, *ms])

    # The picture

    def panels(self) -> tuple[Panel, ...]:
        """The processes in a row, what is on its way above them, what each keeps below it."""
        world = self.world
        marks = [*cuts(world, self.ends, self.at)]
        for process in world.processes:
            marks += self.process(process)
        marks += arched(messages(world, self.ends, self.colour, self.short, self.token), 8, 0.1)
        marks += self.lines()
        shown = [self.column(process) for process in world.processes[:MOST_COLUMNS]]
        disk, memory = regions(self.rows)
        marks += words(MEMORY - 6, MEMORY + memory + BETWEEN - 6)
        for at, column in enumerate(shown):
            x = self.at[column.who][0] - column.width / 2 + 4
            if self.crowded:  # columns wider than their processes stand apart from them, and have names
                x = at * column.width + 4
                marks.append(column.titled(x, MEMORY + memory + disk + BETWEEN - 5))
            marks += column.draw(round(x, 1), MEMORY, memory, disk)
        label = f"{self.in_words()}. {told_of(shown)}"
        return (Panel(id="commit", width=WIDTH, height=HEIGHT, marks=tuple(marks), label=label),)

    def lines(self) -> Iterator[Mark]:
        """Above all: which transactions are blocked, and what the clients wait for."""
        for at, txn in enumerate(blocked(self.world)[:2]):
            yield small(f"blocked:{txn}", 4, 12 + 16 * at, f"{txn} is blocked", role_of(txn), strong=True)
        for at, call in enumerate(self.world.calls[:2]):
            text, role = self.asked(call)
            title = f"{call.client} asked for {call.body}"
            yield small(f"client:{call.client}", WIDTH - 4, 12 + 16 * at, text, role, "end", title=title)

    def in_words(self) -> str:
        return "; ".join([*(f"{txn} is blocked" for txn in blocked(self.world)), super().in_words()])

    # What is kept

    @property
    def rows(self) -> tuple[int, int]:
        return (4 if self.crowded else 5), 3

    def column_width(self, process: Any) -> float:
        return WIDTH / (MOST_COLUMNS if self.crowded else max(4, len(self.at)))

    @property
    def crowded(self) -> bool:
        """Whether there are more processes than columns have room."""
        return len(self.at) > MOST_COLUMNS

    def disk_rows(self, process: Any) -> list[Row]:
        return rows.disk_rows(process, self.rows[0], self.column_width(process) - 26)

    def memory_rows(self, process: Any) -> list[Row]:
        return rows.memory_rows(process, self.column_width(process) - 26)

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
    facts = {branch.txn: waits_for(process, branch) or branch.state for branch in process.branches.values()}
    facts["locked"] = ", ".join(f"{lock.account} by {lock.txn}" for lock in process.locks) or "nothing"
    if suspects := getattr(process, "suspects", ()):
        facts["takes for crashed"] = ", ".join(sorted(suspects))
    for poll in getattr(process, "polls", NO_POLLS).values():
        facts[f"leads {poll.txn}, knows"] = ", ".join(f"{sender} {report.state}" for sender, report in poll.reports)
    return facts


VIEW = CommitView
