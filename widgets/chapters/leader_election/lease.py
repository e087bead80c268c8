"""A lease: the lock server above, the holders, the storage below; what lock and storage have kept stands beside it.

A token has a colour. The lease is an arc round who holds it and round the lock server, both to the same scale: a
whole circle is the lease's term. Where clocks differ, or a holder stands still, the two arcs do.
"""

from __future__ import annotations

from typing import Any, cast

from patterns.engine.step import Step
from patterns.engine.world import World
from patterns.leader_election import Holder, LockServer, Storage
from patterns.leader_election.lease_messages import (
    Acquire,
    Busy,
    Granted,
    Read,
    Refused,
    Renew,
    Stored,
    Write,
    Written,
)
from widgets.kit.old import Seats, cuts, messages, timer_arc
from widgets.scene import Box, Disc, Fact, Label, Mark, Panel, Role

from . import circle

WIDTH, HEIGHT, R = 340, 372, 27
KEPT, ROW = 240, 24
MOST_LINES = 6


def token_role(token: int) -> Role:
    """The colour of a token; they come round again after eight."""
    return f"c{(token - 1) % 8 + 1}" if token else "soft"


def _seats(world: World) -> Seats:
    """The lock server on top, the holders in a row, the storage below."""
    holders = [process.id for process in world.processes if isinstance(process, Holder)]
    step = WIDTH / len(holders)
    row = {name: (round(step * (at + 0.5), 1), 182.0) for at, name in enumerate(holders)}
    return {"lock": (WIDTH / 2, 52.0), **row, "storage": (WIDTH / 2, 306.0)}


def _parts(world: World) -> tuple[LockServer, Storage]:
    return cast(LockServer, world["lock"]), cast(Storage, world["storage"])


def in_short(message: Any) -> str:
    """A message in a few words; what carries a token says which."""
    match message:
        case Acquire():
            return "acquire"
        case Renew(token=token):
            return f"renew {token}"
        case Granted(token=token):
            return f"token {token}"
        case Busy():
            return "busy"
        case Read(token=token):
            return f"read, {token}"
        case Stored():
            return "stored"
        case Write(token=token, content=content):
            return f"write {content[-1]}, {token}"
        case Written(content=content):
            return f"has {content[-1]}"
        case Refused():
            return "refused"
    return ""


# Who is there


def processes(world: World) -> Panel:
    at = _seats(world)
    marks: list[Mark] = [*cuts(world, at, R + 4)]
    for process in world.processes:
        marks += _process(world, process, at)
    marks += messages(world, at, R + 4, message_role, in_short)
    label = "; ".join(_in_words(world, process) for process in world.processes)
    return Panel(id="processes", width=WIDTH, height=HEIGHT, marks=tuple(marks), label=label)


def message_role(message: Any) -> Role:
    """The colour of the token that a message carries; a refusal is red."""
    token = getattr(message, "token", 0)
    return token_role(token) if token and not isinstance(message, Refused) else circle.message_role(message)


def _process(world: World, process: Any, at: Seats) -> list[Mark]:
    x, y = at[process.id]
    down, paused = process.id in world.down, process.id in world.paused
    leads = isinstance(process, Holder) and process.role == "leader"
    token = process.highest if isinstance(process, Storage) else process.token
    disc = Disc(
        id=f"process:{process.id}",
        x=x,
        y=y,
        r=R,
        text=process.id,
        sub=f"token {token}" if token and not down else "",
        caption=_caption(world, process),
        above=isinstance(process, LockServer),
        role="down" if down else token_role(token) if token else "ink",
        tone="dashed" if down or paused else "solid" if leads else "outline",
        heavy=leads and not down,
        title=_in_words(world, process),
    )
    timer = "expire" if isinstance(process, LockServer) else "lease"
    role = token_role(token) if token else "soft"
    term = 1 if isinstance(process, Storage) else process.term
    return [*timer_arc(world, process.id, timer, at, R + 7, term, role), disc]


def _caption(world: World, process: Any) -> str:
    if process.id in world.down:
        return "✕ crashed"
    if process.id in world.paused:
        return "❚❚ paused, leads" if getattr(process, "role", "") == "leader" else "❚❚ paused"
    if isinstance(process, LockServer):
        return "grants nothing yet" if process.recovering else f"{process.holder} holds" if process.holder else "free"
    if isinstance(process, Storage):
        return "highest seen" if process.highest else ""
    return "★ leads" if process.role == "leader" else "waits"


def _in_words(world: World, process: Any) -> str:
    if process.id in world.down:
        return f"{process.id} has crashed"
    paused = ", paused" if process.id in world.paused else ""
    if isinstance(process, LockServer):
        held = f"{process.holder} holds the lease with token {process.token}" if process.holder else "the lease is free"
        return f"for the lock server {held}{paused}"
    if isinstance(process, Storage):
        return f"the storage has seen tokens up to {process.highest}{paused}"
    return f"{process.id} {f'leads with token {process.token}' if process.role == 'leader' else 'waits'}{paused}"


# What is kept


def kept(step: Step[World, Any]) -> Panel:
    """The lock server's lease, and the storage as a box: the highest token seen, and the lines from top to bottom."""
    world = step.state
    lock, storage = _parts(world)
    expire = world.timer("lock", "expire")
    left = f", {max(0, expire.due - world.clock)} ms left" if expire else ""
    held = f"{lock.holder} with token {lock.token}{left}" if lock.holder else f"nobody{left}"
    missing = [line for line in acknowledged(step) if line not in storage.content]
    lines = [*((line, False) for line in storage.content), *((line, True) for line in missing)][-MOST_LINES:]
    marks: list[Mark] = [
        Label(id="lock:name", x=6, y=16, text="lock", strong=True),
        Label(id="lock:held", x=58, y=16, text=held, size="small", role=token_role(lock.token)),
        Label(id="lock:last", x=58, y=36, text=f"last token given: {lock.last_token}", size="small", role="soft"),
        Label(id="storage:name", x=6, y=72, text="storage", strong=True),
        Box(
            id="storage:highest",
            x=84,
            y=54,
            w=150,
            h=28,
            text=f"highest token {storage.highest}",
            role=token_role(storage.highest),
            title=f"the highest token that the storage has seen is {storage.highest}",
        ),
        Box(id="storage:box", x=84, y=82, w=150, h=8 + MOST_LINES * ROW, role="line"),
    ]
    for row, (line, gone) in enumerate(lines):
        marks.append(_line(line, gone, 88 + row * ROW))
    if not lines:
        marks.append(
            Label(id="storage:empty", x=159, y=106, text="nothing yet", size="small", role="soft", anchor="middle")
        )
    words = f"the lease is held by {held}; stored is {', '.join(storage.content) or 'nothing'}"
    if missing:
        words += f"; lost is {', '.join(missing)}"
    height = 106 + MOST_LINES * ROW
    return Panel(
        id="kept", title="Kept by lock and storage", width=KEPT, height=height, marks=tuple(marks), label=words
    )


def _line(line: str, gone: bool, y: float) -> Mark:
    """A line of the file in the colour of the token that it was written with; struck where it was lost."""
    token = int(line.partition(".")[0].lstrip("ABCDEFGHI"))
    return Box(
        id=f"line:{line}",
        x=90,
        y=y,
        w=138,
        h=ROW - 3,
        text=f"✕ {line} lost" if gone else line,
        role="bad" if gone else token_role(token),
        tone="dashed" if gone else "soft",
        title=f"{line} was acknowledged, and is not there any more" if gone else f"{line}, written with token {token}",
    )


def acknowledged(step: Step[World, Any]) -> tuple[str, ...]:
    """The lines whose write was acknowledged up to this step, in that order."""
    found: list[str] = []
    at: Step[World, Any] | None = step
    while at is not None:
        found += [note.values["item"] for note in at.notes if note.rule == "H.wrote"]
        at = at.parent
    return tuple(reversed(found))


# Before and after


def facts_of(world: World) -> tuple[Fact, ...]:
    lock, storage = _parts(world)
    facts = [Fact("lock", "last token", str(lock.last_token), "disk")]
    if "lock" in world.down:
        facts.append(Fact("lock", "lease", "crashed", "memory"))
    else:
        held = f"{lock.holder}, token {lock.token}" if lock.holder else "waits out" if lock.recovering else "free"
        facts.append(Fact("lock", "lease", held, "memory"))
    for process in world.processes:
        if isinstance(process, Holder):
            facts += _holder(world, process)
    return (
        *facts,
        Fact("storage", "highest token", str(storage.highest), "disk"),
        Fact("storage", "content", ", ".join(storage.content) or "empty", "disk"),
        Fact("storage", "written with token", str(storage.written_with), "disk"),
    )


def _holder(world: World, holder: Holder) -> list[Fact]:
    asked = Fact(holder.id, "asked", f"{holder.asked} times", "disk")
    if holder.id in world.down:
        return [asked, Fact(holder.id, "role", "crashed", "memory")]
    role = f"leader, token {holder.token}" if holder.role == "leader" else holder.role
    read = ", ".join(holder.content) or "empty"
    return [
        asked,
        Fact(holder.id, "role", role, "memory"),
        Fact(holder.id, "has read", read if holder.knows else "nothing", "memory"),
        Fact(holder.id, "waits for its write of", holder.writing or "none", "memory"),
    ]
