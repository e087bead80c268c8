"""What a step comes down to: the few words in the middle of the picture, and the same in a sentence (its text twin)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from patterns.consistent_hashing.ring import Ring, Walk
from patterns.consistent_hashing.state import Tier
from widgets.scene import Label

FEW_POSITIONS = 64
DONE = {"join": "joined", "place": "joined", "leave": "left", "crash": "crashed", "reweight": "was reweighted"}


class Words(NamedTuple):
    """The one number or name that matters at this step, what stands over and under it, and the step in a sentence."""

    over: str
    big: str
    under: tuple[str, ...]
    told: str


def degrees(turn: float) -> str:
    """A part of the circle in words: `118.4°`."""
    return f"{360 * turn:.1f}°"


def place_of(state: Tier, turn: float) -> str:
    """Where on the circle: in degrees, or in positions where they are few, as in the exercises."""
    size = state.router.placement.size if isinstance(state.router, Ring) else 0
    return f"{round(turn * size)} of {size}" if 0 < size <= FEW_POSITIONS else degrees(turn)


def count(number: int, thing: str) -> str:
    """`1 key`, `1,200 keys`."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def short(text: str, room: int) -> str:
    """At most `room` signs: of a long name its beginning and its end, where names differ."""
    if len(text) <= room:
        return text
    head = (room - 1) // 2
    return f"{text[:head]}…{text[head + 1 - room :]}"


def percent(part: int, whole: int) -> str:
    """A share in whole per cent, but 100 % only of all and 0 % only of nothing."""
    share = 100 * part / whole if whole else 100.0
    if 99 < share < 100 or 0 < share < 1:
        return f"{share:.1f} %" if 0.1 <= share <= 99.9 else "<0.1 %" if share < 1 else ">99.9 %"
    return f"{share:.0f} %"


def about(number: float) -> str:
    """A mean: whole where it is large, else to a tenth."""
    return f"{number:,.0f}" if number >= 20 or number == int(number) else f"{number:.1f}"


def headline(state: Tier) -> str:
    """The tier in one line: nodes, points, keys."""
    points = f" · {count(len(state.points()), 'point')}" if isinstance(state.router, Ring) else ""
    return f"{count(len(state.router.nodes), 'node')}{points} · {count(len(state.keys), 'key')}"


def settled(state: Tier) -> bool:
    """Whether the last event ended a change of nodes, so that it can be measured as a whole."""
    return state.last.kind in DONE and state.joining is None


def walk_shown(state: Tier) -> Walk | None:
    """The walk, while it is what this step is about."""
    return state.walk if state.last.kind in ("look", "advance") else None


def against(state: Tier) -> tuple[str, ...]:
    """What a change is measured against; `hash mod N` knows no weights."""
    ideal, modulo = f"ideal {state.last.ideal:.0f}", f"hash mod N: {state.last.modulo:,}"
    return (ideal,) if state.last.kind == "reweight" else (ideal, modulo)


def words_of(state: Tier) -> Words:
    """The words of a step."""
    last, joining, walk = state.last, state.joining, walk_shown(state)
    if settled(state):
        done, moved = DONE[last.kind], f"{count(len(last.all_moved), 'key')} moved"
        told = f"{last.node} {done}: {moved}; {', '.join(against(state))}."
        return Words(f"{short(last.node, max(4, 20 - len(done)))} {done}", moved, against(state), told)
    told, nodes = "Nothing has happened yet.", headline(state).split(" · ")
    if joining:
        told, keys = f"{state.newcomer} joins, {joining.placed} of {joining.total} points placed.", len(last.moved)
        if last.kind == "place":
            under = (f"{len(last.all_moved):,} so far", f"point {joining.placed} of {joining.total}")
            told = f"{told[:-1]}; the newest takes the lit arcs and {count(keys, 'key')}."
            return Words(f"{short(state.newcomer, 14)} takes", count(keys, "key"), under, told)
        if last.kind == "join":
            return Words("", f"{short(state.newcomer, 9)} joins", (f"with {count(joining.total, 'point')}",), told)
    if walk:
        return _words_of_walk(state, walk)
    key = short(last.key, 20)
    if last.kind == "look":
        return Words(key, f"→ {short(last.node, 14)}", (), f"{last.key} goes to {last.node}.")
    if last.kind == "read":
        hit = "a hit" if last.hits else "a miss"
        return Words(key, hit, (f"on {short(last.node, 16)}",), f"{last.key} is read on {last.node}: {hit}.")
    if last.kind == "read-all":
        rate = f"{percent(last.hits, last.hits + last.misses)} hits"
        under = (f"{last.hits:,} hits", f"{last.misses:,} misses")
        return Words("every key read", rate, under, f"Every key is read: {', '.join(under)}, {rate}.")
    return Words("", nodes[0], tuple(nodes[1:]), told)


def _words_of_walk(state: Tier, walk: Walk) -> Words:
    key, names, at = short(state.looked, 20), [short(name, 8) for name in walk.chosen], state.turn(walk.position)
    told = f"{state.looked} stands at {place_of(state, at)}; its walk"
    if not walk.visits:
        return Words(key, f"at {place_of(state, at)}", ("walks clockwise",), f"{told} clockwise begins.")
    (place, outcome), copies = walk.visits[-1], walk.chosen[1:]
    point = state.points()[place]
    told += f" has come to {point.node} at {place_of(state, point.turn)}"
    if outcome == "taken":
        told += f": owner {walk.chosen[0]}" + f", copies {', '.join(copies)}" * bool(copies)
        told += "." if walk.done else ", and goes on."
    else:
        told += f" and skips it: {outcome}."
    if walk.done and walk.chosen:
        under = "owner first, then copies" if copies else "owns it"
        return Words(key, "→ " + short(", ".join(names), 12), (under,), told)
    if outcome == "taken":
        return Words(key, f"→ {short(', '.join(names), 12)}", (f"{len(names)} of {walk.wanted} nodes",), told)
    why = "it has a copy already" if outcome == "same node" else "its rack has a copy"
    return Words(key, f"skips {short(point.node, 9)}", (why,), told)


def labels(x: float, y: float, words: Words) -> Iterator[Label]:
    """The words of a step, the large one at `y`."""
    if words.over:
        yield Label(id="over", x=x, y=y - 21, anchor="middle", text=words.over, strong=True)
    yield Label(id="big", x=x, y=y + 3, anchor="middle", text=words.big, size="large", strong=True)
    for at, text in enumerate(words.under):
        yield Label(id=f"under{at}", x=x, y=y + 24 + 18 * at, anchor="middle", text=text, role="soft")
