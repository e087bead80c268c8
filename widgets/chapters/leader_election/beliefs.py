"""Which leader each process follows, one line for each: two different names in the column are two leaders."""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft.clients import Server
from patterns.engine.world import World
from patterns.leader_election import Bully, HirschbergSinclair
from widgets.chapters.consensus_raft.view import term_role
from widgets.kit import small
from widgets.scene import Box, Label, Mark, Panel, Tone

from .reign import leader_role

WIDTH, ROW = 240, 36
MOST = 9
"""As many processes have a line."""


def panel(world: World) -> Panel:
    marks: list[Mark] = []
    shown = world.processes[:MOST]
    for at, process in enumerate(shown):
        marks += _row(world, process, 8 + at * ROW)
    if len(world.processes) > len(shown):
        marks.append(small("more", 6, 8 + len(shown) * ROW + 14, f"and {len(world.processes) - len(shown)} more"))
    label = "; ".join(f"{process.id} follows {_believed(world, process) or 'nobody'}" for process in shown)
    height = 8 + (len(shown) + 1) * ROW
    title = "Follows; term and vote on disk" if isinstance(shown[0], Server) else "Follows"
    return Panel(id="beliefs", title=title, width=WIDTH, height=height, marks=tuple(marks), label=label)


def _believed(world: World, process: Any) -> str:
    """The leader that a process follows, itself perhaps; empty while it is down."""
    if process.id in world.down:
        return ""
    if process.role == "leader":
        return str(process.id)
    return str(getattr(process, "leader", "") or getattr(process, "leader_id", "") or "")


def _row(world: World, process: Any, y: float) -> list[Mark]:
    who, believed = process.id, _believed(world, process)
    role = "down" if who in world.down else leader_role(world, believed) if believed else "soft"
    if believed and isinstance(process, Server):
        role = term_role(process.current_term)
    tone: Tone = "solid" if believed == who else "soft" if believed else "dashed"
    title, text = f"{who} follows {believed or 'nobody'}", believed or "–"
    return [
        Label(id=f"name:{who}", x=6, y=y + 18, text=who, strong=True),
        Box(id=f"believes:{who}", x=46, y=y, w=44, h=26, text=text, role=role, tone=tone, title=title),
        small(f"does:{who}", 98, y + 18, _does(world, process)),
    ]


def _does(world: World, process: Any) -> str:
    """What it does in the election, in a few words."""
    if process.id in world.down:
        return "crashed"
    if process.id in world.paused:
        return "paused"
    if isinstance(process, Server):
        vote = f"voted {process.voted_for}" if process.voted_for else "no vote"
        return f"term {process.current_term}, {vote}"
    if process.role == "leader":
        return "leads"
    if process.role != "candidate":
        return "follows" if process.leader else "waits"
    if isinstance(process, Bully):
        return "a higher one is alive" if process.answered else "waits for an answer"
    if isinstance(process, HirschbergSinclair):
        told = ", ".join("ok" if ok else "no" for _, ok in process.replies) or "no reply yet"
        return f"asks {process.maxnum} far: {told}"
    return "its id is on its way"
