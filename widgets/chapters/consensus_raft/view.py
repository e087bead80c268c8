"""The picture of a Raft cluster: servers and their messages, what is on their disks, and the bar of terms.

Colours are terms, as in the paper's Figure 5; roles have a sign and a word as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    RequestVote,
    RequestVoteReply,
    is_heartbeat,
)
from patterns.consensus_raft.properties import split_vote
from patterns.engine.step import Step
from patterns.engine.trace import received
from patterns.engine.world import Timer, World
from widgets.kit import Look, ProcessView, small
from widgets.scene import Box, Era, Label, Mark, Panel, Role

CELL, GAP, ROW = 44, 3, 70


def term_role(term: int) -> Role:
    """The colour of a term; the colours repeat after eight."""
    return f"c{(term - 1) % 8 + 1}" if term else "soft"


class RaftView(ProcessView):
    title = "Raft"
    signs = {
        "colour": "a term, as in the paper's Figure 5",
        "arc round a server": "its election timer, which runs out",
        "filled entry": "known to be committed; dashed: not yet",
        "bar under a log": "what the server knows to be committed",
    }
    timers_of_quiet = frozenset({"heartbeat"})
    calls_at = 352
    rules_of_quiet = frozenset({"AE.0", "L.1", "L.3.same"})

    @property
    def term(self) -> int:
        """The newest term."""
        terms: list[int] = [server.current_term for server in self.world.processes]
        return max(terms)

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), logs(self.world)

    def moment_role(self, step: Step[World, Any]) -> Role:
        return super().moment_role(step) if received(step) else term_role(self.term)

    def is_routine(self, message: Any) -> bool:
        return is_heartbeat(message)

    def era(self) -> Era | None:
        """The bar of Figure 5: each term an election, then normal operation or a split vote."""
        term = self.term
        leaders = [s.id for s in self.world.up if s.role == "leader" and s.current_term == term]
        if not term:
            return None
        if leaders:
            who = " and ".join(leaders)
            role = "bad" if leaders[1:] else term_role(term)
            return Era(key=f"{term} {who}", label=f"term {term} · {who}", role=role)
        if split_vote(self.world):
            return Era(key=f"{term} split", label=f"term {term}: split vote", role="bad", tone="dashed")
        return Era(key=f"{term} open", label=f"term {term}: no leader", role=term_role(term), tone="soft")

    def colour(self, message: Any) -> Role:
        return term_role(message.term)

    def short(self, message: Any) -> str:
        """A message in a word or two; a heartbeat has none."""
        match message:
            case RequestVote():
                return "vote?"
            case RequestVoteReply(vote_granted=granted):
                return "yes" if granted else "no"
            case AppendEntries(entries=entries, prev_log_index=prev) if entries:
                return f"append {prev + 1}" + (f"-{prev + len(entries)}" if len(entries) > 1 else "")
            case AppendEntriesReply(success=False):
                return "does not fit"
            case AppendEntriesReply(appended=appended, match_index=match) if appended:
                return f"has {match}"
        return ""

    def look(self, server: Server) -> Look:
        candidate = f"◇ candidate {len(server.votes)}/{server.servers // 2 + 1}"
        caption = {"leader": "★ leader", "candidate": candidate}.get(server.role, server.role)
        words = f"{server.id} is {server.role} in term {server.current_term}"
        leads = server.role == "leader"
        return Look(words, server.role, f"term {server.current_term}", caption, heavy=leads, timers=server.role)

    def whole(self, timer: Timer) -> int:
        """An election timer is drawn after a longest one, so that servers can be compared."""
        return self.world[timer.process].election_timeout[1] if timer.name == "election" else super().whole(timer)

    def on_disk(self, server: Server) -> Mapping[str, Any]:
        terms = [entry.term for entry in server.log]
        log = f"{len(terms)} of terms {', '.join(map(str, terms[-8:]))}" if terms else "empty"
        return {"term": server.current_term, "voted for": server.voted_for or "none", "log": log}

    def in_memory(self, server: Server) -> Mapping[str, Any]:
        facts: dict[str, Any] = {"role": server.role, "committed": server.commit_index, "applied": server.last_applied}
        if server.role == "candidate":
            facts["votes"] = server.votes
        if server.role == "leader":
            facts |= {"next": server.next_index, "match": server.match_index}
        if server.reads:
            facts["reads held back"] = tuple(read.client for read in server.reads)
        return facts


VIEW = RaftView


# What is on disk


class Columns(NamedTuple):
    """The part of the logs that is shown, and how. Longer logs show their entries' terms, as the paper's Figure 7."""

    first: int
    """The index before the first that is shown."""
    shown: int
    cell: float
    terms: bool

    @classmethod
    def of(cls, world: World[Server]) -> Columns:
        longest = max(len(server.log) for server in world.processes)
        return cls(0, 6, CELL, False) if longest <= 6 else cls(max(0, longest - 12), 12, (CELL - GAP) / 2, True)

    def x(self, index: int) -> float:
        """The left edge of the cell of this index."""
        return 6 + (index - self.first - 1) * (self.cell + GAP)

    @property
    def indexes(self) -> range:
        return range(self.first + 1, self.first + self.shown + 1)


def logs(world: World[Server]) -> Panel:
    """The servers' terms, votes and logs, a row each."""
    columns = Columns.of(world)
    marks: list[Mark] = [
        small(f"index:{index - columns.first}", columns.x(index) + columns.cell / 2, 12, str(index), anchor="middle")
        for index in columns.indexes
    ]
    for row, server in enumerate(world.processes):
        marks += _log(world, server, 22 + row * ROW, columns)
    height = 22 + len(world.processes) * ROW + 22
    marks.append(Box(id="key:bar", x=6, y=height - 13, w=22, h=4, tone="solid"))
    marks.append(small("key", 34, height - 7, "known to be committed (memory)"))
    words = "; ".join(
        f"{server.id}'s log has {len(server.log)} entries, {server.commit_index} of them known to be committed"
        for server in world.processes
    )
    title = "On disk: term, vote, log" + (" (its entries' terms)" if columns.terms else "")
    return Panel(id="logs", title=title, width=286, height=height, marks=tuple(marks), label=words)


def _log(world: World[Server], server: Server, y: float, columns: Columns) -> list[Mark]:
    """One server's vote and log, its commit bar, and how far a leader knows it to agree."""
    vote = f"voted {server.voted_for}" if server.voted_for else "no vote"
    marks: list[Mark] = [
        Label(id=f"name:{server.id}", x=6, y=y + 12, text=server.id, strong=True),
        small(f"disk:{server.id}", 32, y + 12, f"term {server.current_term}, {vote}"),
    ]
    leader = _leader(world)
    if leader is not None and leader.id != server.id:
        follows = f"next {leader.next_index[server.id]}, match {leader.match_index[server.id]}"
        marks.append(small(f"next:{server.id}", 284, y + 12, follows, "leader", "end"))
    marks += [_cell(server, index, y + 18, columns) for index in columns.indexes]
    known = min(server.commit_index, columns.indexes[-1]) - columns.first
    if known > 0:
        width = known * (columns.cell + GAP) - GAP
        marks.append(Box(id=f"commit:{server.id}", x=6, y=y + 48, w=width, h=4, tone="solid"))
    return marks


def _cell(server: Server, index: int, y: float, columns: Columns) -> Mark:
    cell = Box(id=f"cell:{server.id}:{index}", x=columns.x(index), y=y, w=columns.cell, h=27, tone="dashed")
    if index > len(server.log):
        return replace(cell, role="line")
    entry = server.log[index - 1]
    committed = index <= server.commit_index
    known = "committed" if committed else "not known to be committed"
    return replace(
        cell,
        text=str(entry.term) if columns.terms else str(entry.command).replace(" ", ""),
        role=term_role(entry.term),
        tone="solid" if committed else "dashed",
        title=f"{server.id}, index {index}, term {entry.term}: {entry.command}, {known}",
    )


def _leader(world: World[Server]) -> Server | None:
    """The leader of the newest term that has one."""
    leaders = [server for server in world.up if server.role == "leader"]
    return max(leaders, key=lambda server: server.current_term, default=None)
