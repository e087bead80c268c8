"""The ring: the nodes' points and arcs, the keys at their hashes, a lookup's walk, and what a change moves.

From the outside in: moved keys and ranges, the band of arcs with the points on it, the keys, the walk, the words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from math import pi
from typing import Any

from msgspec.structs import replace

from patterns.consistent_hashing.ring import Move, Point, Ring, Walk
from patterns.consistent_hashing.state import Outcome, Tier
from patterns.engine.step import Step
from widgets.scene import Arc, Disc, Label, Line, Mark, Panel, Ticks, Tone, around

from .cast import FEW_KEYS, FEW_NODES, FEW_POINTS, Cast
from .words import Middle, count, degrees, headline, middle, told, walk_shown

WIDTH, HEIGHT = 330.0, 348.0
X, Y = 165.0, 176.0
BAND, KEYS, WALK, MOVED = 115.0, 97.0, 81.0, 152.0  # radii
COLD = {True: "hollow: not cached", False: "long, inside: not cached"}
SAMPLES = 180  # places round a crowded circle where its owner is shown


def circle(step: Step[Tier, object], cast: Cast) -> Panel:
    """The ring of one step."""
    state = step.state
    assert isinstance(state.router, Ring)
    crowded = len(state.router.positions) > FEW_POINTS
    marks = [
        Label(id="top", x=X, y=Y - MOVED - 12, anchor="middle", size="small", role="soft", text="0°"),
        Ticks(id="zero", role="soft", x=X, y=Y, r=BAND + 6, r2=MOVED + 8, at=(0.0,), wide=1),
        *(_samples(state, cast) if crowded else _arcs(state, cast)),
        *([] if crowded else _discs(step, cast)),
        *_keys(state, cast),
        *_moved(step),
        *_walk(step, cast, crowded),
        *words_at(X, Y, middle(state)),
        *_legend(state),
    ]
    return Panel(
        id="where",
        width=WIDTH,
        height=HEIGHT,
        marks=tuple(marks),
        title="A key belongs to the next point clockwise",
        label=f"A ring: {headline(state)}. {told(state)}",
    )


def _legend(state: Tier) -> Iterator[Label]:
    """What the lit marks mean, where there are any."""
    if state.last.moved:
        yield Label(id="lit", x=2, y=HEIGHT - 4, size="small", role="accent", text="outside: moved")
    if state.cold():
        yield Label(
            id="unlit", x=WIDTH - 2, y=HEIGHT - 4, anchor="end", size="small", role="bad", text=COLD[dotted(state)]
        )


def words_at(x: float, y: float, words: Middle) -> Iterator[Label]:
    """The words of a step, the large one at `y`."""
    if words.over:
        yield Label(id="over", x=x, y=y - 21, anchor="middle", text=words.over, strong=True)
    yield Label(id="big", x=x, y=y + 3, anchor="middle", text=words.big, size="large", strong=True)
    for at, text in enumerate(words.under):
        yield Label(id=f"under{at}", x=x, y=y + 24 + 18 * at, anchor="middle", text=text, role="soft")


# who owns what


def _arcs(state: Tier, cast: Cast) -> Iterator[Mark]:
    """An arc for each range, named after the point at its end, which is where it belongs."""
    ends = {(point.position, point.node): point for point in reversed(state.points())}
    for arc in state.arcs():
        point = ends[arc.end, arc.owner]
        start, end = _span(state, arc.start, arc.end)
        yield Arc(
            id=f"arc:{point.node}#{point.number}",
            of=f"node:{point.node}",
            role=cast.roles[point.node],
            x=X,
            y=Y,
            r=BAND,
            start=start,
            end=end,
            wide=9,
            title=f"{point.node} owns {degrees(start)} to {degrees(point.turn)}",
        )


def _span(state: Tier, start: int, end: int) -> tuple[float, float]:
    """A range of positions in turns, its end beyond its start."""
    first, last = state.turn(start), state.turn(end)
    return first, last if last > first else last + 1


def _samples(state: Tier, cast: Cast) -> Iterator[Mark]:
    """A circle of more arcs than can be told apart: the owner at each of evenly spaced places, a mark a colour."""
    arcs = state.arcs()
    named = len(state.router.nodes) <= FEW_NODES
    at: dict[str, list[float]] = {}
    for turn in ((sample + 0.5) / SAMPLES for sample in range(SAMPLES)):
        owner = arcs[bisect_left(arcs, turn, key=lambda arc: state.turn(arc.end)) % len(arcs)].owner
        at.setdefault(owner if named else cast.roles[owner], []).append(round(turn, 4))
    wide = round(2 * pi * BAND / SAMPLES, 1)
    for owner in sorted(at):
        role = cast.roles[owner] if named else owner
        title = f"{owner} owns {100 * state.shares()[owner]:.0f} % of the ring" if named else "sampled ownership"
        of = f"node:{owner}" if named else ""
        yield Ticks(
            id=f"share:{owner}", of=of, role=role, x=X, y=Y, r=BAND - 5, r2=BAND + 5, at=tuple(at[owner]), wide=wide,
            title=title,
        )  # fmt: skip


def _discs(step: Step[Tier, object], cast: Cast) -> Iterator[Mark]:
    """The points on the band; one that has no room there stands further out, on a stem, or is a dot.

    The points of a node that left in this step are still drawn, dashed.
    """
    visits = dict(visited(step))
    standing = [(point, visits.get(at, "")) for at, point in enumerate(step.state.points())]
    standing += [(point, "gone") for point in _gone(step)]
    room: list[tuple[float, float, float]] = []
    stems = []
    for point, fate in standing:
        tag, big = cast.tags[point.node], fate == "taken" or _is_newest(step.state, point)
        size = (10.0 if len(tag) < 3 else 13.0) + 2 * big
        for radius in (BAND, BAND + 21 + 2 * big):
            x, y = around(X, Y, radius, point.turn)
            if all((x - a) ** 2 + (y - b) ** 2 >= (size + c) ** 2 for a, b, c in room):
                stems += [point.turn] if radius > BAND else []
                break
        else:
            (x, y), size, tag = around(X, Y, BAND, point.turn), 4.0, ""
        room.append((x, y, size))
        disc = _disc(point, cast, x=x, y=y, r=size, text=tag, tone=TONES.get(fate, "dashed"), heavy=big)
        yield replace(disc, of="") if fate == "gone" else disc
    if stems:
        yield Ticks(id="stems", role="soft", x=X, y=Y, r=BAND - 4, r2=BAND + 12, at=rounded(stems), wide=2)


TONES: dict[str, Tone] = {"": "solid", "taken": "solid"}  # the points that were skipped, or are gone, are dashed


def _disc(point: Point, cast: Cast, **look: Any) -> Disc:
    return Disc(
        id=f"point:{point.node}#{point.number}",
        of=f"node:{point.node}",
        role=cast.roles[point.node],
        title=f"point {point.number + 1} of {point.node}, at {degrees(point.turn)}",
        **look,
    )


def _gone(step: Step[Tier, object]) -> tuple[Point, ...]:
    """The points of the node that left in this step."""
    last = step.state.last
    if last.kind not in ("leave", "crash") or step.parent is None:
        return ()
    return tuple(point for point in step.parent.state.points() if point.node == last.node)


def _is_newest(state: Tier, point: Point) -> bool:
    """Whether this point was placed in this very step."""
    last, joining = state.last, state.joining
    if last.kind != "place" or point.node != last.node:
        return False
    placed = joining.placed if joining else sum(other.node == last.node for other in state.points())
    return point.number + 1 == placed


# keys


def _keys(state: Tier, cast: Cast) -> Iterator[Mark]:
    turns, table, cold = state.turns(), state.home_table(), frozenset(state.cold())
    looked = shown_key(state)
    if dotted(state):
        for key in state.keys:
            if key != looked:
                yield _key_dot(state, key, table[key][0], key in cold, cast)
    else:
        at = rounded(turns.values())
        yield Ticks(
            id="keys", role="soft", x=X, y=Y, r=KEYS - 3, r2=KEYS + 5, at=at, wide=1, title=count(len(turns), "key")
        )
        if cold:
            cold_at, title = (
                rounded(turns[key] for key in cold),
                f"{count(len(cold), 'key')} not cached where asked for",
            )
            yield Ticks(id="cold", role="bad", x=X, y=Y, r=KEYS - 6, r2=KEYS + 5, at=cold_at, wide=1.6, title=title)
    if looked:
        turn = turns[looked] if looked in turns else state.turn(state.position(looked))
        x, y = around(X, Y, WALK, turn)
        title = f"{looked}, at {degrees(turn)}"
        yield Disc(id=f"key:{looked}", role="ink", tone="solid", x=x, y=y, r=6, title=title)


def dotted(state: Tier) -> bool:
    """Whether every key has a dot of its own."""
    return len(state.keys) <= FEW_KEYS


def shown_key(state: Tier) -> str:
    """The key that this step is about."""
    return state.looked if walk_shown(state) else state.last.key


def _key_dot(state: Tier, key: str, owner: str, cold: bool, cast: Cast) -> Disc:
    turn = state.turns()[key]
    x, y = around(X, Y, KEYS, turn)
    tone: Tone = "outline" if cold else "solid"
    title = f"{key}, at {degrees(turn)}: {owner} owns it and {'does not hold it' if cold else 'holds it'}"
    return Disc(id=f"key:{key}", role=cast.roles[owner], tone=tone, x=x, y=y, r=3.5, title=title)


def rounded(turns: Iterable[float]) -> tuple[float, ...]:
    """Turns in order; where there are many, only as many as can be told apart."""
    listed = list(turns)
    if len(listed) <= 200:
        return tuple(sorted({round(turn, 4) for turn in listed}))
    places = 500 if len(listed) <= 1_000 else 250
    return tuple(place / places for place in sorted({round(turn * places) % places for turn in listed}))


# what a change moved


def changes(step: Step[Tier, object]) -> list[Outcome]:
    """The outcomes to be lit: this step's, and once a node's last point is placed those of all its points."""
    last = step.state.last
    if last.kind != "place" or step.state.joining:
        return [last]
    placed = [last]
    while (step := step.parent or step).parent and step.state.joining:  # the steps since it began to join
        if step.state.last.kind == "place":
            placed.append(step.state.last)
    return placed


def _moved(step: Step[Tier, object]) -> Iterator[Mark]:
    state, lit = step.state, changes(step)
    turns = state.turns()
    moves = [move for change in lit for move in change.moves]
    if len(moves) <= FEW_POINTS:
        for move in moves:
            yield _moved_arc(state, move)
    else:
        at = rounded((sum(_span(state, move.start, move.end)) / 2) % 1 for move in moves)
        title = f"{count(len(moves), 'range')} changed hands"
        yield Ticks(id="moved", role="accent", x=X, y=Y, r=MOVED - 12, r2=MOVED - 3, at=at, wide=2, title=title)
    keys = [turns[move.key] for change in lit for move in change.moved]
    if keys:
        title = f"{count(len(keys), 'key')} moved"
        at = rounded(keys)
        yield Ticks(id="moved-keys", role="accent", x=X, y=Y, r=MOVED + 1, r2=MOVED + 9, at=at, wide=2, title=title)


def _moved_arc(state: Tier, move: Move) -> Arc:
    start, end = _span(state, move.start, move.end)
    return Arc(
        id=f"moved:{start:.4f}",
        role="accent",
        x=X,
        y=Y,
        r=MOVED - 3,
        start=start,
        end=end,
        wide=6,
        title=f"{degrees(start)} to {degrees(end % 1)} went from {move.giver} to {move.taker}",
    )


# a lookup


def visited(step: Step[Tier, object]) -> list[tuple[int, str]]:
    """(point, outcome) of the walk that is shown, read from the steps that made it, the latest first."""
    walk, found = walk_shown(step.state), []
    earlier: Step[Tier, object] | None = step
    seen = -1
    while walk and earlier and walk.at >= 0:
        if walk.seen != seen:
            found.append((walk.at, walk.outcome))
            seen = walk.seen
        earlier = earlier.parent
        walk = earlier.state.walk if earlier else None
    return found


def _walk(step: Step[Tier, object], cast: Cast, crowded: bool) -> Iterator[Mark]:
    state = step.state
    walk = walk_shown(state)
    if walk is None:
        return
    start, end = _walked(state, walk)
    yield Arc(id="walk", role="ink", x=X, y=Y, r=WALK, start=start, end=end, wide=3.5, title="the walk clockwise")
    if walk.at < 0:
        return
    x, y = around(X, Y, WALK, end)
    x2, y2 = around(X, Y, BAND - 12, end)
    yield Line(id="reach", role="ink", x=x, y=y, x2=x2, y2=y2, arrow=True, wide=3)
    if crowded:
        for at, outcome in visited(step):
            yield _crowded_point(state.points()[at], outcome, cast)


def _walked(state: Tier, walk: Walk) -> tuple[float, float]:
    start = state.turn(walk.position)
    if walk.at < 0:
        return start, start
    end = state.points()[walk.at].turn
    return start, end if end >= start else end + 1


def _crowded_point(point: Point, outcome: str, cast: Cast) -> Disc:
    took = outcome == "taken"
    x, y = around(X, Y, BAND + (12 if took else 0), point.turn)
    tag = cast.tags[point.node] if took else ""
    return _disc(point, cast, x=x, y=y, r=14 if took else 5, text=tag, tone=TONES.get(outcome, "dashed"), heavy=took)
