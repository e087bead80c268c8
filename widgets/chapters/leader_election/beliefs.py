"""Who goes by whom, a line a process: where two names stand below one another, two are followed."""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft.clients import Server
from patterns.engine.world import World
from patterns.leader_election import Bully, HirschbergSinclair
from widgets.chapters.consensus_raft.view import term_role
from widgets.scene import Box, Label, Mark, Panel

from .circle import leader_role

WIDTH, ROW = 240, 36
MOST = 9
"""As many processes have a line."""


def panel(world: World) -> Panel:
    marks: list[Mark] = []
    shown = world.processes[:MOST]
    for at, process in enumerate(shown):
        marks += _row(world, process, 8 + at * ROW)
    if len(world.processes) > len(shown):
        more = f"and {len(world.processes) - len(shown)} more"
        marks.append(Label(id="more", x=6, y=8 + len(shown) * ROW + 14, text=more, size="small", role="soft"))
    label = "; ".join(f"{process.id} goes by {_believed(world, process) or 'nobody'}" for process in shown)
    height = 8 + (len(shown) + 1) * ROW
    title = "Goes by; term and vote on disk" if isinstance(shown[0], Server) else "Goes by"
    return Panel(id="beliefs", title=title, width=WIDTH, height=height, marks=tuple(marks), label=label)


def _believed(world: World, process: Any) -> str:
    """Who a process takes for its leader; nothing while it is down."""
    if process.id in world.down:
        return ""
    if process.role == "leader":
        return str(process.id)
    return str(getattr(process, "leader", "") or getattr(process, "leader_id", "") or "")


def _row(world: World, process: Any, y: float) -> list[Mark]:
    believed = _believed(world, process)
    role = "down" if process.id in world.down else leader_role(world, believed) if believed else "soft"
    if believed and isinstance(process, Server):
        role = term_role(process.current_term)
    box = Box(
        id=f"believes:{process.id}",
        x=46,
        y=y,
        w=44,
        h=26,
        text=believed or "–",
        role=role,
        tone="solid" if believed == process.id else "soft" if believed else "dashed",
        title=f"{process.id} goes by {believed or 'nobody'}",
    )
    name = Label(id=f"name:{process.id}", x=6, y=y + 18, text=process.id, strong=True)
    doing = Label(id=f"does:{process.id}", x=98, y=y + 18, text=_does(world, process), size="small", role="soft")
    return [name, box, doing]


def _does(world: World, process: Any) -> str:
    """What it does in the election, in a few words."""
    if process.id in world.down:
        return "crashed"
    if process.id in world.paused:
        return "stands still"
    if isinstance(process, Server):
        vote = f"voted {process.voted_for}" if process.voted_for else "no vote"
        return f"term {process.current_term}, {vote}"
    if process.role == "leader":
        return "leads"
    if process.role != "candidate":
        return "follows" if process.leader else "waits"
    if isinstance(process, Bully):
        return "somebody higher is alive" if process.answered else "waits for an answer"
    if isinstance(process, HirschbergSinclair):
        told = ", ".join("ok" if ok else "no" for _, ok in process.replies) or "no reply yet"
        return f"asks {process.maxnum} far: {told}"
    return "its id is on its way"
