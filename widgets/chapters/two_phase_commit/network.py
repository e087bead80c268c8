"""Who is there and what is on its way: the coordinator on top, the participants below it."""

from __future__ import annotations

from typing import Any

from patterns.engine.world import Call, World
from patterns.two_phase_commit import Coordinator, blocked, coordinator, participants
from widgets.kit.old import Seats, cuts, messages
from widgets.scene import Arc, Disc, Label, Mark, Panel

from .words import in_short, look_of, message_role, role_of, stands

WIDTH = 294
TOP, HIGH, MIDDLE, LOW = 46, 152, 200, 292
"""How far down the coordinator stands, and the participants. Of three the middle one is low: so the words of what the
outer ones ask each other lie beside those of what it asks the coordinator."""
FEW = 3
"""As many participants have words in their discs."""
LINE = 16
MOST_LINES, MOST_CALLS = 3, 3


def panel(world: World) -> Panel:
    at, r = _seats(world), _radius(world)
    marks: list[Mark] = [*cuts(world, at, r + 4)]
    for process in world.processes:
        marks += _process(world, process, at, r)
    marks += messages(world, at, r + 4, message_role, lambda message: in_short(world, message))
    calls = world.calls[:MOST_CALLS]
    marks += [_call(call, 360 + 18 * row) for row, call in enumerate(calls)]
    label = "; ".join(
        [*(f"{txn} is blocked" for txn in blocked(world)), *(in_words(world, each) for each in world.processes)]
    )
    return Panel(id="network", width=WIDTH, height=370 + 18 * max(1, len(calls) - 1), marks=tuple(marks), label=label)


def _seats(world: World) -> Seats:
    """The coordinator on top; the participants below it, three and more in two rows."""
    names = [process.id for process in participants(world)]
    n = len(names)
    step = min(160.0, (WIDTH - 110) / max(1, n - 1))
    at = {coordinator(world).id: (WIDTH / 2, float(TOP))}
    rows = (HIGH, LOW) if n == FEW else (MIDDLE,) if n < FEW else (MIDDLE, LOW)
    for i, name in enumerate(names):
        at[name] = (round(WIDTH / 2 + (i - (n - 1) / 2) * step, 1), float(rows[i % len(rows)]))
    return at


def _radius(world: World) -> int:
    return 31 if len(world.processes) <= FEW + 1 else 24 if len(world.processes) <= 6 else 18


def _process(world: World, process: Any, at: Seats, r: int) -> list[Mark]:
    x, y = at[process.id]
    look, paused = look_of(world, process), process.id in world.paused
    word = "❚❚ " + look.sign if paused else look.word if r > 30 else look.sign
    disc = Disc(
        id=f"process:{process.id}",
        x=x,
        y=y,
        r=r,
        text=process.id,
        sub=word.strip(),
        role=look.role,
        tone="dashed" if paused else look.tone,
        heavy=look.tone == "solid",
        title=in_words(world, process),
    )
    marks: list[Mark] = [*_timers(world, process.id, at, r), disc]
    if isinstance(process, Coordinator):
        marks += _lines(world, process, x + r + 14, y - 10)
    return marks


def _lines(world: World, process: Coordinator, x: float, y: float) -> list[Mark]:
    """Beside the coordinator: which transactions are blocked, and how its own stand."""
    lines = [(f"blocked:{txn}", f"{txn} blocked", "bad") for txn in blocked(world)]
    lines += [(f"stands:{stand.txn}", stand.line, role_of(stand.txn)) for stand in stands(world, process)]
    return [
        Label(
            id=id,
            x=x,
            y=y + LINE * row,
            text=text,
            role=role,
            size="small",
            strong=True,
            of=f"process:{process.id}",
        )
        for row, (id, text, role) in enumerate(lines[:MOST_LINES])
    ]


def _timers(world: World, name: str, at: Seats, r: int) -> list[Mark]:
    """Its timers that run, each an arc that runs out; a whole circle is the time it was set for."""
    x, y = at[name]
    arcs: list[Mark] = []
    for timer in world.timers:
        if timer.process != name or timer.due <= timer.set:
            continue
        left = max(0, timer.due - world.clock)
        part = round(min(1.0, left / (timer.due - timer.set)), 3)
        arcs.append(
            Arc(
                id=f"timer:{name}:{timer.name}",
                x=x,
                y=y,
                r=r + 6 + 5 * len(arcs),
                start=0,
                end=part,
                tone="soft",
                title=f"{name}'s {timer.name} timer: {left} ms left",
            )
        )
    return arcs


def _call(call: Call, y: float) -> Mark:
    """What a client asked, and what it was told."""
    moves = ", ".join(str(move) for move in call.body.moves[:3]) + (" …" if len(call.body.moves) > 3 else "")
    told = "waits" if call.waits else str(call.reply).removeprefix(f"{call.body.txn}: ")
    role = role_of(call.body.txn) if call.waits else "soft"
    text = f"{call.client}, {call.body.txn}: {moves}: {told}"
    return Label(id=f"client:{call.client}", x=6, y=y, text=text, size="small", role=role)


def in_words(world: World, process: Any) -> str:
    """A process in a sentence."""
    parts = [stand.words for stand in stands(world, process)]
    state = ["has crashed"] if process.id in world.down else ["is paused"] if process.id in world.paused else []
    return f"{process.id} {', '.join(state + parts) or 'has nothing to do'}"
