"""The picture of a cache tier: where keys go (`circle.py`, or `slots.py` for schemes without a ring), and the load.

Pure: every fact shown is read from the state. This module only works out the places on the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from patterns.consistent_hashing.ring import Ring
from patterns.consistent_hashing.state import Tier
from patterns.engine.step import Step
from widgets.kit import legend_of
from widgets.scene import Era, Fact, Scene

from .captions import count, place_of
from .cast import FEW_NODES, cast_of
from .circle import circle
from .load import extremes, load
from .slots import slots

CHANGES = {"leave": "leaves", "crash": "crashes", "reweight": "reweighted"}


class TierView:
    title = "Consistent hashing"
    signs = legend_of(__package__, title)

    @staticmethod
    def scene_of(step: Step[Tier, object]) -> Scene:
        """The ring, or the slots of another scheme, and beside it the load of every node."""
        state, cast = step.state, cast_of(step.state)
        where = circle(step, cast) if isinstance(state.router, Ring) else slots(state, cast)
        crashed, panels = state.last.kind == "crash", (where, load(state, cast))
        return Scene(
            panels=panels,
            clock=f"{count(len(state.router.nodes), 'node')} · {count(len(state.keys), 'key')}",
            era=era_of(state, cast.roles),
            fault=crashed,
        )

    @staticmethod
    def facts_of(state: Tier) -> tuple[Fact, ...]:
        """Every node's fields, or only the tier's where there are many nodes; and the lookup's."""
        loads = state.loads()
        facts = _node_facts(state, loads) if len(loads) <= FEW_NODES else _tier_facts(state, loads)
        return (*facts, *_lookup_facts(state))

    @staticmethod
    def costs_of(step: Step[Tier, object]) -> dict[str, int]:
        """What the step cost: keys that moved, reads, and those that went to the database."""
        last = step.state.last
        costs = {"keys moved": len(last.moved), "reads": last.hits + last.misses, "misses": last.misses}
        return {name: cost for name, cost in costs.items() if cost}


VIEW = TierView


def era_of(state: Tier, roles: Mapping[str, str]) -> Era:
    """The phase a step belongs to: so many nodes, or the change from one such phase to the next."""
    kind, node = state.last.kind, state.newcomer or state.last.node
    if state.joining or kind in ("join", "place"):
        return Era(key=f"join {node}", label=f"{node} joins", role=roles[node])
    if kind in CHANGES:
        return Era(
            key=f"{kind} {node}", label=f"{node} {CHANGES[kind]}", role="bad" if kind == "crash" else roles[node]
        )
    nodes = count(len(state.router.nodes), "machine")
    return Era(key=f"{len(state.router.nodes)} nodes", label=nodes, role="ink", tone="soft")


def _node_facts(state: Tier, loads: Mapping[str, int]) -> Iterator[Fact]:
    shares, cached, points = state.shares(), state.cached(), Counter(point.node for point in state.points())
    for node in state.router.nodes:
        name = node.name
        yield Fact(name, "keys", f"{loads[name]:,}")
        yield Fact(name, "cached", f"{len(cached[name]):,}", "memory")
        if name in points:
            yield Fact(name, "points", f"{points[name]:,}")
            yield Fact(name, "share", f"{100 * shares[name]:.1f} %")
        if node.weight != 1 and name != state.newcomer:
            yield Fact(name, "weight", f"{node.weight:g}")
        if node.rack:
            yield Fact(name, "rack", node.rack)


def _tier_facts(state: Tier, loads: Mapping[str, int]) -> Iterator[Fact]:
    (most, high), (least, low) = extremes(loads)
    yield Fact("the tier", "nodes", f"{len(loads):,}")
    yield Fact("the tier", "cached", f"{sum(map(len, state.cached().values())):,}", "memory")
    yield Fact("the tier", "fullest", f"{most}: {high:,}")
    yield Fact("the tier", "emptiest", f"{least}: {low:,}")


def _lookup_facts(state: Tier) -> Iterator[Fact]:
    walk, key = state.walk, state.looked
    if walk is not None:
        yield Fact(key, "stands at", place_of(state, state.turn(walk.position)))
        yield Fact(key, "points seen", str(len(walk.visits)))
        yield Fact(key, "nodes found", ", ".join(walk.chosen) or "none yet")
        if walk.aside:
            yield Fact(key, "set aside", ", ".join(walk.aside))
