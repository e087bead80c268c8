"""The ring: the nodes' points and arcs, the keys at their hashes, a lookup's walk, and what a change moves.

From the outside in: moved keys and ranges, the band of arcs with the points on it, the keys, the walk, the words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import partial
from math import pi
from typing import Any

from msgspec.structs import replace

from patterns.consistent_hashing.ring import Point
from patterns.consistent_hashing.state import Tier
from patterns.engine.step import Step
from widgets.scene import Arc, Disc, Label, Line, Mark, Panel, Ticks, around

from .captions import count, degrees, headline, labels, walk_shown, words_of
from .cast import FEW_KEYS, FEW_NODES, FEW_POINTS, Cast

WIDTH, HEIGHT = 364.0, 384.0
X, Y = 182.0, 196.0
BAND, KEYS, WALK, MOVED = 130.0, 111.0, 94.0, 168.0  # radii
COLD = {True: "hollow: not cached", False: "long, inside: not cached"}
SAMPLES = 180  # places round a crowded circle where its owner is shown

arc, ticks, place = partial(Arc, x=X, y=Y), partial(Ticks, x=X, y=Y), partial(around, X, Y)


def circle(step: Step[Tier, object], cast: Cast) -> Panel:
    """The ring of one step."""
    state = step.state
    crowded, words = len(state.points()) > FEW_POINTS, words_of(state)
    marks = (
        Label(id="top", x=X, y=Y - MOVED - 12, anchor="middle", size="small", role="soft", text="0°"),
        ticks(id="zero", role="soft", r=BAND + 6, r2=MOVED + 8, at=(0.0,), wide=1),
        *(_samples(state, cast) if crowded else _arcs(state, cast)),
        *([] if crowded else _discs(step, cast)),
        *_keys(state, cast),
        *_moved(state),
        *_walk(state, cast, crowded),
        *labels(X, Y, words),
        *_legend(state),
    )
    title, label = "A key belongs to the next point clockwise", f"A ring: {headline(state)}. {words.told}"
    return Panel(id="where", width=WIDTH, height=HEIGHT, marks=marks, title=title, label=label)


def _legend(state: Tier) -> Iterator[Label]:
    """What the lit marks mean, where there are any."""
    if state.last.moved:
        yield Label(id="lit", x=2, y=HEIGHT - 4, size="small", role="accent", text="outside: moved")
    if state.cold():
        text = COLD[dotted(state)]
        yield Label(id="unlit", x=WIDTH - 2, y=HEIGHT - 4, anchor="end", size="small", role="bad", text=text)


# owners


def _arcs(state: Tier, cast: Cast) -> Iterator[Mark]:
    """An arc for each range, named after the point at its end, which is where it belongs."""
    ends = {(point.position, point.node): point for point in reversed(state.points())}
    for owned in state.arcs():
        point = ends[owned.end, owned.owner]
        start, end = span(state.turn(owned.start), state.turn(owned.end))
        title = f"{point.node} owns {degrees(start)} to {degrees(point.turn)}"
        of, role = f"node:{point.node}", cast.roles[point.node]
        name = f"arc:{point.node}#{point.number}"
        yield arc(id=name, of=of, role=role, r=BAND, start=start, end=end, wide=9, title=title)


def span(start: float, end: float) -> tuple[float, float]:
    """A range in turns, its end beyond its start."""
    return start, end if end > start else end + 1


def _samples(state: Tier, cast: Cast) -> Iterator[Mark]:
    """A circle of more arcs than can be told apart: the owner at each of evenly spaced places, a mark a colour."""
    arcs, shares = state.arcs(), state.shares()
    named = len(state.router.nodes) <= FEW_NODES
    at: dict[str, list[float]] = {}
    for turn in ((sample + 0.5) / SAMPLES for sample in range(SAMPLES)):
        owner = arcs[bisect_left(arcs, turn, key=lambda owned: state.turn(owned.end)) % len(arcs)].owner
        at.setdefault(owner if named else cast.roles[owner], []).append(round(turn, 4))
    sampled = partial(ticks, r=BAND - 5, r2=BAND + 5, wide=round(2 * pi * BAND / SAMPLES, 1))
    for owner, turns in sorted(at.items()):
        role, of = (cast.roles[owner], f"node:{owner}") if named else (owner, "")
        title = f"{owner} owns {100 * shares[owner]:.0f} % of the ring" if named else "sampled ownership"
        yield sampled(id=f"share:{owner}", of=of, role=role, at=tuple(turns), title=title)


def _discs(step: Step[Tier, object], cast: Cast) -> Iterator[Mark]:
    """The points on the band; one that has no room there stands further out, on a stem, or is a dot.

    The points of a node that left in this step are still drawn, dashed.
    """
    walk, last = walk_shown(step.state), step.state.last
    visits = dict(walk.visits) if walk else {}
    standing = [(point, visits.get(at, "")) for at, point in enumerate(step.state.points())]
    if last.kind in ("leave", "crash") and step.parent is not None:
        standing += [(point, "gone") for point in step.parent.state.points() if point.node == last.node]
    room: list[tuple[float, float, float]] = []
    stems = []
    for point, fate in standing:
        tag, big = cast.tags[point.node], fate == "taken" or _is_newest(step.state, point)
        size = (10.0 if len(tag) < 3 else 13.0) + 2 * big
        for radius in (BAND, BAND + 21 + 2 * big):
            x, y = place(radius, point.turn)
            if all((x - a) ** 2 + (y - b) ** 2 >= (size + c) ** 2 for a, b, c in room):
                stems += [point.turn] if radius > BAND else []
                break
        else:
            (x, y), size, tag = place(BAND, point.turn), 4.0, ""
        room.append((x, y, size))
        disc = _disc(point, fate, cast, x=x, y=y, r=size, text=tag, heavy=big)
        yield replace(disc, of="") if fate == "gone" else disc
    if stems:
        yield ticks(id="stems", role="soft", r=BAND - 4, r2=BAND + 12, at=rounded(stems), wide=2)


def _disc(point: Point, fate: str, cast: Cast, **look: Any) -> Disc:
    """A point; those that a walk skipped, or that are gone, are dashed."""
    title, tone = f"point {point.number + 1} of {point.node}, at {degrees(point.turn)}", "dashed"
    look |= {"role": cast.roles[point.node], "tone": "solid" if fate in ("", "taken") else tone}
    return Disc(id=f"point:{point.node}#{point.number}", of=f"node:{point.node}", title=title, **look)


def _is_newest(state: Tier, point: Point) -> bool:
    """Whether this point was placed in this very step."""
    placed = state.joining.placed if state.joining else sum(other.node == point.node for other in state.points())
    return state.last.kind == "place" and (point.node, point.number + 1) == (state.last.node, placed)


# keys


def _keys(state: Tier, cast: Cast) -> Iterator[Mark]:
    turns, cold, looked = state.turns(), frozenset(state.cold()), state.looked if walk_shown(state) else state.last.key
    if dotted(state):
        for key, (owner, *_) in state.home_table().items():
            if key != looked:
                x, y = place(KEYS, turns[key])
                yield key_dot(key, owner, key in cold, cast, f", at {degrees(turns[key])}", x=x, y=y, r=3.5)
    else:
        title, inside = count(len(turns), "key"), f"{count(len(cold), 'key')} not cached where asked for"
        every, missing = rounded(turns.values()), rounded(turns[key] for key in cold)
        yield ticks(id="keys", role="soft", r=KEYS - 3, r2=KEYS + 5, at=every, wide=1, title=title)
        if cold:
            yield ticks(id="cold", role="bad", r=KEYS - 6, r2=KEYS + 5, at=missing, wide=1.6, title=inside)
    if looked:
        turn = turns[looked] if looked in turns else state.turn(state.position(looked))
        (x, y), title = place(WALK, turn), f"{looked}, at {degrees(turn)}"
        yield Disc(id=f"key:{looked}", role="ink", tone="solid", x=x, y=y, r=6, title=title)


def dotted(state: Tier) -> bool:
    """Whether every key has a dot of its own."""
    return len(state.keys) <= FEW_KEYS


def key_dot(key: str, owner: str, cold: bool, cast: Cast, where: str = "", **look: Any) -> Disc:
    """A key in its owner's colour; hollow if it is not cached there."""
    title = f"{key}{where}: {owner} owns it and {'does not hold it' if cold else 'holds it'}"
    look = {"role": cast.roles[owner]} | look
    return Disc(id=f"key:{key}", tone="outline" if cold else "solid", title=title, **look)


def rounded(turns: Iterable[float]) -> tuple[float, ...]:
    """Turns in order; where there are many, only as many as can be told apart."""
    listed = list(turns)
    if len(listed) <= 200:
        return tuple(sorted({round(turn, 4) for turn in listed}))
    places = 500 if len(listed) <= 1_000 else 250
    return tuple(at / places for at in sorted({round(turn * places) % places for turn in listed}))


# what a change moved


def _moved(state: Tier) -> Iterator[Mark]:
    """What this step moved, and once a node's last point is placed all that its points did."""
    last, turns = state.last, state.turns()
    moves, moved = (last.moves, last.moved) if state.joining else (last.all_moves, last.all_moved)
    spans = [(move, *span(state.turn(move.start), state.turn(move.end))) for move in moves]
    if len(moves) <= FEW_POINTS:
        for move, start, end in spans:
            title = f"{degrees(start)} to {degrees(end % 1)} went from {move.giver} to {move.taker}"
            name = f"moved:{start:.4f}"
            yield arc(id=name, role="accent", r=MOVED - 3, start=start, end=end, wide=6, title=title)
    else:
        at, title = (
            rounded((start + end) / 2 % 1 for _, start, end in spans),
            f"{count(len(moves), 'range')} changed hands",
        )
        yield ticks(id="moved", role="accent", r=MOVED - 12, r2=MOVED - 3, at=at, wide=2, title=title)
    if moved:
        at, title = rounded(turns[move.key] for move in moved), f"{count(len(moved), 'key')} moved"
        yield ticks(id="moved-keys", role="accent", r=MOVED + 1, r2=MOVED + 9, at=at, wide=2, title=title)


# a lookup


def _walk(state: Tier, cast: Cast, crowded: bool) -> Iterator[Mark]:
    walk = walk_shown(state)
    if walk is None:
        return
    points = [(state.points()[at], outcome) for at, outcome in walk.visits]
    start = end = state.turn(walk.position)
    if points:
        end = points[-1][0].turn
        end += end < start
    yield arc(id="walk", role="ink", r=WALK, start=start, end=end, wide=3.5, title="the walk clockwise")
    if points:
        (x, y), (x2, y2) = place(WALK, end), place(BAND - 12, end)
        yield Line(id="reach", role="ink", x=x, y=y, x2=x2, y2=y2, arrow=True, wide=3)
    for point, outcome in reversed(points if crowded else []):
        took = outcome == "taken"
        x, y = place(BAND + 12 * took, point.turn)
        tag = cast.tags[point.node] if took else ""
        yield _disc(point, outcome, cast, x=x, y=y, r=14 if took else 5, text=tag, heavy=took)
