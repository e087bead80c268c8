"""The picture of a Raft cluster: servers and their messages, what is on their disks, and the bar of terms.

Colours are terms, as in the paper's Figure 5; roles have a sign and a word as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

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
from patterns.engine.world import Fire, World
from widgets.kit import Seats, calls, costs_of, cuts, is_fault, messages, seats, sends_of, timer_arc
from widgets.scene import Box, Disc, Era, Fact, Label, Mark, Panel, Role, Scene
from widgets.spacetime import moment_of

__all__ = ["costs_of", "facts_of", "scene_of", "sends_of", "signs", "title"]

title = "Raft"
signs = {
    "colour": "a term, as in the paper's Figure 5",
    "arc round a server": "its election timer, which runs out",
    "filled entry": "known to be committed; dashed: not yet",
    "bar under a log": "what the server knows to be committed",
}

WorldStep = Step[World, Any]
QUIET_RULES = {"AE.0", "L.1", "L.3.same"}
CELL, GAP, ROW = 44, 3, 70


def term_role(term: int) -> Role:
    """The colour of a term; they come round again after eight."""
    return f"c{(term - 1) % 8 + 1}" if term else "soft"


def servers(world: World) -> tuple[Server, ...]:
    return cast(tuple[Server, ...], world.processes)


def scene_of(step: WorldStep) -> Scene:
    world = step.state
    names = world.names
    term = packet.body.term if (packet := received(step)) else max(server.current_term for server in servers(world))
    return Scene(
        panels=(_servers(world), _logs(world)),
        clock=f"{world.clock:,} ms",
        moment=moment_of(step, term_role(term)),
        era=_era(world),
        lanes=names,
        quiet=_is_quiet(step),
        fault=is_fault(step),
    )


def _is_quiet(step: WorldStep) -> bool:
    """A heartbeat that changes nothing but timers."""
    packet = received(step)
    fire = step.event
    beat = is_heartbeat(packet.body) if packet else isinstance(fire, Fire) and fire.timer == "heartbeat"
    return beat and all(note.rule in QUIET_RULES for note in step.notes)


def _era(world: World) -> Era | None:
    """The bar of Figure 5: each term an election, then normal operation or a split vote."""
    term = max(server.current_term for server in servers(world))
    leaders = [s.id for s in world.up if s.role == "leader" and s.current_term == term]
    if not term:
        return None
    if leaders:
        who = " and ".join(leaders)
        return Era(key=f"{term} {who}", label=f"term {term} · {who}", role="bad" if leaders[1:] else term_role(term))
    if split_vote(world):
        return Era(key=f"{term} split", label=f"term {term}: split vote", role="bad", tone="dashed")
    return Era(key=f"{term} open", label=f"term {term}: no leader", role=term_role(term), tone="soft")


# Servers and messages


def _servers(world: World) -> Panel:
    at = seats(world.names, 170, 180, 122)
    marks: list[Mark] = [*cuts(world, at, 30)]
    for server in servers(world):
        marks += _server(world, server, at)
    marks += messages(world, at, 30, lambda message: term_role(message.term), _in_short)
    marks += calls(world, 6, 352)
    label = "; ".join(_in_words(world, server) for server in servers(world))
    return Panel(id="servers", width=340, height=392, marks=tuple(marks), label=label)


def _in_short(message: object) -> str:
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


def _server(world: World, server: Server, at: Seats) -> list[Mark]:
    x, y = at[server.id]
    down, paused = server.id in world.down, server.id in world.paused
    needed = server.servers // 2 + 1
    caption = {
        "leader": "★ leader",
        "candidate": f"◇ candidate {len(server.votes)}/{needed}",
        "follower": "follower",
    }[server.role]
    caption = "✕ crashed" if down else f"❚❚ paused {server.role}" if paused else caption
    disc = Disc(
        id=f"process:{server.id}",
        x=x,
        y=y,
        r=27,
        text=server.id,
        sub=f"term {server.current_term}",
        caption=caption,
        above=y < 80,
        role="down" if down else server.role,
        tone="dashed" if down or paused else "outline",
        heavy=server.role == "leader" and not down,
        title=_in_words(world, server),
    )
    timers = [
        *timer_arc(world, server.id, "election", at, 34, server.election_timeout[1], server.role),
        *timer_arc(world, server.id, "heartbeat", at, 34, server.heartbeat_interval, server.role),
    ]
    return [*timers, disc]


def _in_words(world: World, server: Server) -> str:
    if server.id in world.down:
        return f"{server.id} has crashed, its disk is of term {server.current_term}"
    paused = ", paused" if server.id in world.paused else ""
    return f"{server.id} is {server.role} in term {server.current_term}{paused}"


# What is on disk


class Columns(NamedTuple):
    """The part of the logs that is shown, and how. Longer logs show their entries' terms, as the paper's Figure 7."""

    first: int
    """The index before the first that is shown."""
    shown: int
    cell: float
    terms: bool

    @classmethod
    def of(cls, world: World) -> Columns:
        longest = max(len(server.log) for server in servers(world))
        return cls(0, 6, CELL, False) if longest <= 6 else cls(max(0, longest - 12), 12, (CELL - GAP) / 2, True)

    def x(self, index: int) -> float:
        """The left edge of the cell of this index."""
        return 6 + (index - self.first - 1) * (self.cell + GAP)

    @property
    def indexes(self) -> range:
        return range(self.first + 1, self.first + self.shown + 1)


def _logs(world: World) -> Panel:
    columns = Columns.of(world)
    marks: list[Mark] = [
        Label(
            id=f"index:{index - columns.first}",
            x=columns.x(index) + columns.cell / 2,
            y=12,
            text=str(index),
            size="small",
            role="soft",
            anchor="middle",
        )
        for index in columns.indexes
    ]
    for row, server in enumerate(servers(world)):
        marks += _log(world, server, 22 + row * ROW, columns)
    height = 22 + len(world.processes) * ROW + 22
    marks.append(Box(id="key:bar", x=6, y=height - 13, w=22, h=4, tone="solid"))
    marks.append(Label(id="key", x=34, y=height - 7, text="known to be committed (memory)", size="small", role="soft"))
    words = "; ".join(
        f"{server.id}'s log has {len(server.log)} entries, {server.commit_index} of them known to be committed"
        for server in servers(world)
    )
    title = "On disk: term, vote, log" + (" (its entries' terms)" if columns.terms else "")
    return Panel(id="logs", title=title, width=286, height=height, marks=tuple(marks), label=words)


def _log(world: World, server: Server, y: float, columns: Columns) -> list[Mark]:
    """One server's vote and log, its commit bar, and how far a leader knows it to agree."""
    vote = f"voted {server.voted_for}" if server.voted_for else "no vote"
    marks: list[Mark] = [
        Label(id=f"name:{server.id}", x=6, y=y + 12, text=server.id, strong=True),
        Label(
            id=f"disk:{server.id}",
            x=32,
            y=y + 12,
            text=f"term {server.current_term}, {vote}",
            size="small",
            role="soft",
        ),
    ]
    leader = _leader(world)
    if leader is not None and leader.id != server.id:
        follows = f"next {leader.next_index[server.id]}, match {leader.match_index[server.id]}"
        marks.append(
            Label(id=f"next:{server.id}", x=284, y=y + 12, text=follows, size="small", role="leader", anchor="end")
        )
    marks += [_cell(server, index, y + 18, columns) for index in columns.indexes]
    known = min(server.commit_index, columns.indexes[-1]) - columns.first
    if known > 0:
        width = known * (columns.cell + GAP) - GAP
        marks.append(Box(id=f"commit:{server.id}", x=6, y=y + 48, w=width, h=4, tone="solid"))
    return marks


def _cell(server: Server, index: int, y: float, columns: Columns) -> Mark:
    name, x, w = f"cell:{server.id}:{index}", columns.x(index), columns.cell
    if index > len(server.log):
        return Box(id=name, x=x, y=y, w=w, h=27, role="line", tone="dashed")
    entry = server.log[index - 1]
    committed = index <= server.commit_index
    known = "committed" if committed else "not known to be committed"
    return Box(
        id=name,
        x=x,
        y=y,
        w=w,
        h=27,
        text=str(entry.term) if columns.terms else str(entry.command).replace(" ", ""),
        role=term_role(entry.term),
        tone="solid" if committed else "dashed",
        title=f"{server.id}, index {index}, term {entry.term}: {entry.command}, {known}",
    )


def _leader(world: World) -> Server | None:
    """The leader of the newest term that one leads."""
    leaders = [server for server in world.up if server.role == "leader"]
    return max(leaders, key=lambda server: server.current_term, default=None)


# Before and after


def facts_of(world: World) -> tuple[Fact, ...]:
    return tuple(fact for server in servers(world) for fact in _facts(world, server))


def _facts(world: World, server: Server) -> list[Fact]:
    who = server.id
    facts = [
        Fact(who, "term", str(server.current_term), "disk"),
        Fact(who, "voted for", server.voted_for or "none", "disk"),
        Fact(who, "log", _log_in_words(server), "disk"),
    ]
    if who in world.down:
        return [*facts, Fact(who, "role", "crashed", "memory")]
    facts.append(Fact(who, "role", server.role, "memory"))
    facts.append(Fact(who, "committed, applied", f"{server.commit_index}, {server.last_applied}", "memory"))
    if server.role == "candidate":
        facts.append(Fact(who, "votes", ", ".join(sorted(server.votes)), "memory"))
    if server.role == "leader":
        facts.append(Fact(who, "next", ", ".join(f"{peer}: {index}" for peer, index in server.next_index), "memory"))
        facts.append(Fact(who, "match", ", ".join(f"{peer}: {index}" for peer, index in server.match_index), "memory"))
    if server.reads:
        facts.append(Fact(who, "reads held back", ", ".join(read.client for read in server.reads), "memory"))
    return facts


def _log_in_words(server: Server) -> str:
    terms = [entry.term for entry in server.log]
    return f"{len(terms)} of terms {', '.join(map(str, terms[-8:]))}" if terms else "empty"
