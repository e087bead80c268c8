"""Who is there and what is on its way: the coordinator on top, the participants below it in an arc."""

from __future__ import annotations

from typing import Any

from patterns.engine.world import Call, World
from patterns.two_phase_commit import Coordinator, coordinator, participants
from widgets.scene import Arc, Disc, Label, Mark, Panel
from widgets.views.processes import Seats, cuts, messages

from .words import in_short, look_of, message_role, role_of, stands

WIDTH = 324
TOP, ROW, DEEP = 46, 224, 60
"""Where the coordinator is, where the outermost participants are, and how much lower the middle one, in px."""
MOST_WITH_LINES = 3
"""As many participants have room for words under their discs."""
LINE = 16
MOST_CALLS = 3


def panel(world: World) -> Panel:
    at, r = _seats(world), _radius(world)
    marks: list[Mark] = [*cuts(world, at, r + 4)]
    for process in world.processes:
        marks += _process(world, process, at, r)
    marks += messages(world, at, r + 4, message_role, lambda message: in_short(world, message))
    calls = world.calls[:MOST_CALLS]
    marks += [_call(call, 384 + 18 * row) for row, call in enumerate(calls)]
    label = "; ".join(in_words(world, process) for process in world.processes)
    return Panel(id="network", width=WIDTH, height=392 + 18 * max(1, len(calls) - 1), marks=tuple(marks), label=label)


def _seats(world: World) -> Seats:
    """The coordinator on top; the participants in an arc, from five on in two rows."""
    names = [process.id for process in participants(world)]
    n = len(names)
    step = min(150.0, (WIDTH - 120) / max(1, n - 1))
    at = {coordinator(world).id: (WIDTH / 2, float(TOP))}
    for i, name in enumerate(names):
        bow = 1 - (2 * i / (n - 1) - 1) ** 2 if n > 1 else 1.0
        low = DEEP * bow if n <= MOST_WITH_LINES else 1.6 * DEEP * (i % 2)
        at[name] = (round(WIDTH / 2 + (i - (n - 1) / 2) * step, 1), round(ROW + low, 1))
    return at


def _radius(world: World) -> int:
    return 30 if len(world.processes) <= MOST_WITH_LINES + 1 else 24 if len(world.processes) <= 6 else 18


def _process(world: World, process: Any, at: Seats, r: int) -> list[Mark]:
    x, y = at[process.id]
    look, paused = look_of(world, process), process.id in world.paused
    disc = Disc(
        id=f"process:{process.id}",
        x=x,
        y=y,
        r=r,
        text=process.id,
        sub=look.word if r >= 30 else look.sign,
        role=look.role,
        tone="dashed" if paused else look.tone,
        heavy=look.tone == "solid",
        title=in_words(world, process),
    )
    leads = isinstance(process, Coordinator)
    roomy = leads or len(at) <= MOST_WITH_LINES + 1
    lines = _lines(world, process) if roomy else []
    marks: list[Mark] = [*_timers(world, process.id, at, r), disc]
    for row, (key, text, role) in enumerate(lines):
        across, down = (x + r + 16, y - 8) if leads else (x, y + r + 24)
        marks.append(
            Label(
                id=f"stands:{process.id}:{key}",
                x=across,
                y=down + LINE * row,
                text=text,
                role=role,
                size="small",
                strong=True,
                anchor="start" if leads else "middle",
                of=f"process:{process.id}",
            )
        )
    return marks


def _lines(world: World, process: Any) -> list[tuple[str, str, str]]:
    """(key, words, role) of the lines beside its disc: that it is down or paused, and its two latest transactions."""
    lines = [(stand.txn, stand.line, role_of(stand.txn)) for stand in stands(world, process)[:2]]
    if process.id in world.down:
        return [("down", "✕ crashed", "down"), *lines]
    if process.id in world.paused:
        return [("paused", "❚❚ paused", "soft"), *lines]
    return lines


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
