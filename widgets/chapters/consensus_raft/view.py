"""The picture of a Raft cluster: servers and their messages, what is on their disks, and the bar of terms.

Colours are terms, as in the paper's Figure 5, and nothing else: a role is a shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    RequestVote,
    RequestVoteReply,
    is_heartbeat,
)
from patterns.consensus_raft.properties import split_vote
from patterns.consensus_raft.snapshots import InstallSnapshot, InstallSnapshotReply, SnapshotServer
from patterns.engine.choices import leader_of
from patterns.engine.step import Step
from patterns.engine.trace import received
from patterns.engine.world import Timer, World
from widgets.kit import Look, ProcessView, legend_of, small
from widgets.scene import Box, Era, Label, Line, Mark, Panel, Role

WIDTH, TOP, ROW = 272, 24, 57
CELL, HIGH, GAP = 51, 24, 3


def term_role(term: int) -> Role:
    """The colour of a term; the colours repeat after eight."""
    return f"c{(term - 1) % 8 + 1}" if term else "soft"


class RaftView(ProcessView):
    title = "Raft"
    signs = legend_of(__package__, title)
    timers_of_quiet = frozenset({"heartbeat"})
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
            return Era(key=f"{term} split", label=f"term {term} · split vote", role=term_role(term), tone="dashed")
        return Era(key=f"{term} open", label=f"term {term} · no leader", role=term_role(term), tone="soft")

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
            case InstallSnapshot(last_included_index=index, offset=offset, end=end):
                return f"snapshot {index}: bytes {offset}-{end}"
            case InstallSnapshotReply(installed=installed, offset=offset, last_included_index=index):
                return f"has {index}" if installed else f"has {offset} bytes"
        return ""

    def token(self, message: Any) -> tuple[str, bool]:
        match message:
            case RequestVote():
                return "?", False
            case RequestVoteReply(vote_granted=granted):
                return "yes" if granted else "no", True
            case AppendEntries(entries=entries):
                return "append" if entries else "beat", False
            case AppendEntriesReply(success=success, appended=appended):
                return "" if success and not appended else "yes" if success else "no", True
            case InstallSnapshot():
                return "append", False
            case InstallSnapshotReply():
                return "yes", True
        return "", False

    def look(self, server: Server) -> Look:
        term, role = server.current_term, server.role
        votes = f"{len(server.votes)} of {server.servers // 2 + 1} votes"
        caption = {"leader": "leader", "candidate": votes}.get(role, "")
        return Look(f"{server.id} is {role} in term {term}", role, f"term {term}", caption, hue=term_role(term))

    def whole(self, timer: Timer) -> int:
        """An election timer is drawn after a longest one, so that servers can be compared."""
        return self.world[timer.process].election_timeout[1] if timer.name == "election" else super().whole(timer)

    def on_disk(self, server: Server) -> Mapping[str, Any]:
        first = server.last_log_index - len(server.log) + 1
        log = ", ".join(f"{index}: {entry}" for index, entry in enumerate(server.log, first)) or "empty"
        facts = {"term": server.current_term, "voted for": server.voted_for or "none", "log": log}
        if isinstance(server, SnapshotServer) and server.snapshot.data:
            facts["snapshot"] = f"to index {server.snapshot.last_included_index}: {contents(server)}"
        return facts

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
        longest = max(server.last_log_index for server in world.processes)
        return cls(0, 5, CELL, False) if longest <= 5 else cls(max(0, longest - 12), 12, 19.5, True)

    def x(self, index: int) -> float:
        """The left edge of the cell of this index."""
        return 2 + (index - self.first - 1) * (self.cell + GAP)

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
        marks += _log(world, server, TOP + row * ROW, columns)
    bottom = TOP + len(world.processes) * ROW
    for x, tone, text in ((70, "outline", "written"), (166, "solid", "committed")):
        marks.append(Box(id=f"key:{tone}", x=x, y=bottom + 6, w=20, h=12, role="soft", tone=tone))  # type: ignore[arg-type]
        marks.append(small(f"keytext:{tone}", x + 26, bottom + 17, text))
    words = "; ".join(
        f"{server.id}'s log has {counted(server.last_log_index)}, {server.commit_index} of them known to be committed"
        for server in world.processes
    )
    title = "On disk: term, vote, " + ("terms of the log" if columns.terms else "log")
    return Panel(id="logs", title=title, width=WIDTH, height=bottom + 20, marks=tuple(marks), label=words)


def counted(entries: int) -> str:
    return f"{entries} {'entry' if entries == 1 else 'entries'}"


def _log(world: World[Server], server: Server, y: float, columns: Columns) -> list[Mark]:
    """One server's term and vote, how far a leader knows it to agree, and below them its log."""
    who, term, vote = server.id, server.current_term, server.voted_for
    marks: list[Mark] = [
        Line(id=f"rule:{who}", x=0, y=y - 5, x2=WIDTH, y2=y - 5, role="line", wide=1),
        Label(id=f"name:{who}", x=2, y=y + 11, text=who, strong=True, role=term_role(term)),
        small(f"term:{who}", 30, y + 11, f"term {term}", "ink"),
        small(f"disk:{who}", 84, y + 11, f"voted {vote}" if vote else "no vote", "ink" if vote else "soft"),
    ]
    leader = _leader(world)
    if leader is not None and leader.id != who:
        follows = f"next {leader.next_index[who]}, match {leader.match_index[who]}"
        title = (
            f"{leader.id}, the leader, tries index {leader.next_index[who]} next on {who}; it knows that their logs "
        )
        title += f"agree up to index {leader.match_index[who]}"
        marks.append(small(f"next:{who}", WIDTH - 2, y + 11, follows, "soft", "end", title=title))
    if discarded := [index for index in columns.indexes if index < server.first_log_index]:
        marks.append(_snapshot(server, discarded, y + 19, columns))
    return [*marks, *(_cell(server, index, y + 19, columns) for index in columns.indexes[len(discarded) :])]


def _snapshot(server: Server, indexes: Sequence[int], y: float, columns: Columns) -> Mark:
    """The box in place of the discarded entries at these indexes."""
    assert isinstance(server, SnapshotServer)
    last, x = server.snapshot.last_included_index, columns.x(indexes[0])
    return Box(
        id=f"snapshot:{server.id}",
        x=x,
        y=y,
        w=columns.x(indexes[-1]) + columns.cell - x,
        h=HIGH,
        text=contents(server).replace(" ", ""),
        role="soft",
        tone="solid",
        title=f"{server.id} has a snapshot of all entries up to index {last}: {contents(server)}",
    )


def contents(server: SnapshotServer) -> str:
    """The keys and values of its snapshot."""
    return ", ".join(f"{key} = {value}" for key, value in server.snapshot.state_machine.store) or "no keys"


def _cell(server: Server, index: int, y: float, columns: Columns) -> Mark:
    """An entry; or a faint rule where there is room for one."""
    who, x = server.id, columns.x(index)
    if index > server.last_log_index:
        return Line(id=f"slot:{who}:{index}", x=x, y=y + HIGH, x2=x + columns.cell, y2=y + HIGH, role="line", wide=1)
    entry = server.entry_at(index)
    committed = index <= server.commit_index
    known = "committed" if committed else "not known to be committed"
    return Box(
        id=f"cell:{who}:{index}",
        x=x,
        y=y,
        w=columns.cell,
        h=HIGH,
        text=str(entry.term) if columns.terms else str(entry.command).replace(" ", ""),
        role=term_role(entry.term),
        tone="solid" if committed else "outline",
        title=f"{who}, index {index}, term {entry.term}: {entry.command}, {known}",
    )


def _leader(world: World[Server]) -> Server | None:
    """The leader of the newest term that has one."""
    name = leader_of(world)
    return world[name] if name else None
