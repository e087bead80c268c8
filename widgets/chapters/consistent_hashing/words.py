"""What a step comes down to: the few words in the middle of the picture, and the same in a sentence (its text twin)."""

from __future__ import annotations

from typing import NamedTuple

from patterns.consistent_hashing.ring import Ring, Walk
from patterns.consistent_hashing.state import Tier

DONE = {"join": "joined", "place": "joined", "leave": "left", "crash": "crashed", "reweight": "was reweighted"}


class Middle(NamedTuple):
    """The one number or name that matters at this step, what it is about, and what it is measured against."""

    over: str
    big: str
    under: tuple[str, ...] = ()


def degrees(turn: float) -> str:
    """A part of the circle in words: `118.4°`."""
    return f"{360 * turn:.1f}°"


def count(number: int, thing: str) -> str:
    """`1 key`, `1,200 keys`."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def short(text: str, room: int) -> str:
    """At most `room` signs; the end of a key tells more than its beginning."""
    return text if len(text) <= room else "…" + text[1 - room :]


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
    points = f" · {count(len(state.router.positions), 'point')}" if isinstance(state.router, Ring) else ""
    return f"{count(len(state.router.nodes), 'node')}{points} · {count(len(state.keys), 'key')}"


def settled(state: Tier) -> bool:
    """Whether the last event ended a change of nodes, so that it can be measured as a whole."""
    return state.last.kind in DONE and state.joining is None


def walk_shown(state: Tier) -> Walk | None:
    """The walk, while it is what this step is about."""
    return state.walk if state.last.kind in ("look", "advance") else None


def middle(state: Tier) -> Middle:
    """The words in the middle of the picture."""
    last, joining, walk = state.last, state.joining, walk_shown(state)
    if settled(state):
        done = DONE[last.kind]
        over = f"{short(last.node, max(4, 20 - len(done)))} {done}"
        return Middle(over, f"{count(last.moved_so_far, 'key')} moved", against(state))
    if joining and last.kind == "place":
        so_far = (f"{last.moved_so_far:,} so far", f"point {joining.placed} of {joining.total}")
        return Middle(f"{short(joining.node.name, 14)} takes", count(len(last.moved), "key"), so_far)
    if joining and last.kind == "join":
        return Middle("", f"{short(joining.node.name, 9)} joins", (f"with {count(joining.total, 'point')}",))
    if walk:
        return _middle_of_walk(state, walk)
    if last.kind == "look":
        return Middle(short(last.key, 20), f"→ {short(last.node, 14)}")
    if last.kind == "read":
        return Middle(short(last.key, 20), "a hit" if last.hits else "a miss", (f"on {short(last.node, 16)}",))
    if last.kind == "read-all":
        rate = percent(last.hits, last.hits + last.misses)
        return Middle("every key read", f"{rate} hits", (f"{last.hits:,} hits", f"{last.misses:,} misses"))
    return Middle("", count(len(state.router.nodes), "node"), tuple(headline(state).split(" · ")[1:]))


def against(state: Tier) -> tuple[str, ...]:
    """What a change is measured against; `hash mod N` knows no weights."""
    ideal, modulo = f"ideal {state.last.ideal:.0f}", f"hash mod N: {state.last.modulo:,}"
    return (ideal,) if state.last.kind == "reweight" else (ideal, modulo)


def _middle_of_walk(state: Tier, walk: Walk) -> Middle:
    key, names = short(state.looked, 20), [short(name, 8) for name in walk.chosen]
    if not walk.outcome:
        return Middle(key, f"at {degrees(state.turn(walk.position))}", ("walks clockwise",))
    if walk.done and walk.chosen:
        under = ("owns it",) if len(names) == 1 else ("owner first, then copies",)
        return Middle(key, "→ " + short(", ".join(names), 12), under)
    if walk.outcome == "taken":
        return Middle(key, f"→ {short(', '.join(names), 10)} …", (f"{len(names)} of {walk.wanted} nodes",))
    node = short(state.points()[walk.at].node, 9)
    why = "it has a copy already" if walk.outcome == "same node" else "its rack has a copy"
    return Middle(key, f"skips {node}", (why,))


def told(state: Tier) -> str:
    """The step in a sentence, for who cannot see the picture."""
    last, joining, walk = state.last, state.joining, walk_shown(state)
    if settled(state):
        return f"{last.node} {DONE[last.kind]}: {count(last.moved_so_far, 'key')} moved; {', '.join(against(state))}."
    if joining:
        newest = f"; the newest takes the lit arcs and {count(len(last.moved), 'key')}" if last.kind == "place" else ""
        return f"{joining.node.name} joins, {joining.placed} of {joining.total} points placed{newest}."
    if walk:
        return _told_of_walk(state, walk)
    if last.kind == "look":
        return f"{last.key} goes to {last.node}."
    if last.kind == "read":
        return f"{last.key} is read on {last.node}: {'a hit' if last.hits else 'a miss'}."
    if last.kind == "read-all":
        rate = percent(last.hits, last.hits + last.misses)
        return f"Every key is read: {last.hits:,} hits, {last.misses:,} misses, {rate} hits."
    return "Nothing has happened yet."


def _told_of_walk(state: Tier, walk: Walk) -> str:
    key = f"{state.looked} stands at {degrees(state.turn(walk.position))}"
    if not walk.outcome:
        return f"{key}; its walk clockwise begins."
    point = state.points()[walk.at]
    reached = f"its walk has come to {point.node} at {degrees(point.turn)}"
    if walk.outcome != "taken":
        return f"{key}; {reached} and skips it: {walk.outcome}."
    homes = f"owner {walk.chosen[0]}" + (f", copies {', '.join(walk.chosen[1:])}" if walk.chosen[1:] else "")
    return f"{key}; {reached}: {homes}{'' if walk.done else ', and goes on'}."
