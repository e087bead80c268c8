"""A cache tier as a machine: three caches behind one router, a fourth joins, and the tier must not go cold.

    tier = CacheTier(nodes=["A", "B", "C"], keys=sorted(zoneinfo.available_timezones()))
    history = History(tier)
    history.run([Look(key="Europe/Paris"), Advance()])      a lookup: hash the key, walk clockwise to the first point
    history.apply(Join(node="D"))                         a node joins; with few points each is placed in a step
    history.run_until(tier.milestones["every point is placed"], 20)
    history.apply(ReadAll())                              who misses now? `history.state.last.misses`

The same machine runs with another scheme, `CacheTier(scheme="modulo")`, to see the cold cache. What a state holds and
tells is in `state.py`; which notes a step makes, in `events.RULES`. Marks of a picture that choices are about are
`node:A` and `key:Europe/Paris`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec.structs import replace

from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.step import Note, Rule

from .change import accounts, changed, copies_held, counted, filled
from .errors import RouterError
from .events import RULES, Advance, Crash, Event, Join, Leave, Look, Place, Read, ReadAll, Reweight
from .others import ROUTERS, Unweighted
from .placement import Node, Placement
from .properties import tier_properties
from .ring import Ring
from .router import Router
from .state import Joining, Outcome, Tier

CITIES: tuple[str, ...] = tuple(
    "Abidjan Accra Algiers Amsterdam Athens Baghdad Bangkok Beirut Berlin Bogota Brussels Cairo Caracas Chicago "  # noqa: SIM905
    "Dhaka Dublin Havana Helsinki Istanbul Jakarta Karachi Kolkata Lagos Lima Lisbon London Madrid Manila Melbourne "
    "Moscow Nairobi Oslo Paris Perth Prague Rome Seoul Shanghai Sydney Tokyo Toronto Vienna".split()
)


_USUAL: dict[str, Any] = {}  # the parameters that a replay code need not name, filled in below


class CacheTier(Machine[Tier, Event]):
    """Cache machines behind a router, stepped.

    nodes     the machines at the start: names, or [name, weight, rack]
    keys      what clients read; city names when not given
    scheme    `ring`, or one of `ROUTERS`
    vnodes    points of a node of weight 1 on the ring;  hash, bits: see `Placement`
    copies    on how many machines a key is cached (the ring alone knows more than 1)
    pool      the machines that can join;  weights: the weights that can be chosen
    warm      whether every cache holds its keys at the start
    stepwise  a joining node of at most this many points places them one by one

    Raises RouterError for what cannot be. Replay codes hold up to 32 keys; more are named by a check sum, and such a
    code is replayed on a machine that has those keys.
    """

    name = "consistent_hashing"
    rules: ClassVar[Mapping[str, Rule]] = RULES
    events: ClassVar[Any] = Event
    ring_type: ClassVar[type[Ring]] = Ring
    """The ring it runs on: a subclass with one rule changed shows what the rule is for."""

    milestones = {
        "the lookup has found its nodes": lambda step: step.state.walk is not None and step.state.walk.done,
        "every point is placed": lambda step: step.state.joining is None and step.state.last.kind in ("place", "join"),
        "a key has moved": lambda step: bool(step.state.last.moved),
        "a read has missed": lambda step: step.state.last.misses > 0,
        "every cache is warm": lambda step: not step.state.cold(),
    }

    def __init__(
        self,
        nodes: Iterable[Any] = ("A", "B", "C"),
        keys: Sequence[str] | None = None,
        scheme: str = "ring",
        vnodes: int = 4,
        hash: str = "blake2b",
        bits: int = 0,
        copies: int = 1,
        pool: Iterable[str] = ("D", "E"),
        weights: Iterable[float] = (0.5, 1, 2),
        warm: bool = True,
        stepwise: int = 8,
    ) -> None:
        if scheme not in ROUTERS:
            raise RouterError(f"scheme is {scheme!r}; it is one of {', '.join(ROUTERS)}")
        if copies < 1 or (copies > 1 and scheme != "ring"):
            raise RouterError(f"copies is {copies!r}; it is at least 1, and only the ring knows more")
        if isinstance(keys, int | float):
            raise RouterError(f"keys is {keys!r}; allowed are names, or None for the chapter's cities")
        if isinstance(keys, str):
            raise RouterError(f"this is of other keys ({keys}): replay it on a machine that has them")
        self.scheme = scheme
        self.placement = Placement(hash, bits, vnodes)
        self.nodes = tuple(_node_of(node) for node in nodes)
        self.keys = tuple(sorted(set(CITIES if keys is None else keys)))
        self.copies, self.warm, self.stepwise = copies, warm, stepwise
        self.pool, self.weights = tuple(pool), tuple(weights)
        self.router_of(self.nodes)._require_nodes()
        self.always = tier_properties(self)
        self.featured = self.keys[:: max(1, len(self.keys) // 6)][:6]
        """The keys that choices are offered for; any other can be asked for by name."""

    @property
    def params(self) -> dict[str, Any]:
        given: dict[str, Any] = {
            "nodes": [[node.name, node.weight, node.rack] for node in self.nodes],
            "keys": self._told_keys,
            "scheme": self.scheme,
            "vnodes": self.placement.vnodes,
            "hash": self.placement.hash,
            "bits": self.placement.bits,
            "copies": self.copies,
            "pool": list(self.pool),
            "weights": list(self.weights),
            "warm": self.warm,
            "stepwise": self.stepwise,
        }
        return {name: value for name, value in given.items() if name not in _USUAL or value != _USUAL[name]}

    @property
    def _told_keys(self) -> list[str] | str | None:
        if self.keys == CITIES:
            return None
        return list(self.keys) if len(self.keys) <= 32 else self._fingerprint

    @property
    def _fingerprint(self) -> str:
        return f"{len(self.keys)} keys, {zlib.crc32(chr(0).join(self.keys).encode()):08x}"

    def again(self, **params: Any) -> Self:
        if params.get("keys") == self._fingerprint:
            params["keys"] = self.keys
        return super().again(**params)

    def router_of(self, nodes: Sequence[Node]) -> Router:
        """The router of this tier's scheme over `nodes`."""
        return self.ring_type(nodes, self.placement) if self.scheme == "ring" else ROUTERS[self.scheme](nodes)

    def start(self) -> Tier:
        router = self.router_of(self.nodes)
        empty = tuple((name, frozenset[str]()) for name in router.names)
        state = Tier(router, self.keys, empty, tuple(node.name for node in self.nodes), self.copies)
        return filled(state, self.keys)[0] if self.warm else state

    def key(self, state: Tier) -> Tier:
        """What the last event did decides nothing that follows."""
        return replace(state, last=Outcome(), looked=state.looked if state.walk else "")

    # what can happen

    def why_not(self, state: Tier, event: Event) -> str:
        """Why an event cannot happen in this state; empty when it can."""
        match event:
            case Look(key="") | Read(key=""):
                return "the key is empty"
            case Look(copies=copies):
                if state.busy:
                    return f"the lookup of {state.looked} is not finished"
                if copies > len(state.router.nodes):
                    return f"there are {len(state.router.nodes)} nodes, too few for {copies} distinct ones"
                return "" if copies >= 0 else f"copies is {copies}; it cannot be negative"
            case Advance():
                return "" if state.busy else "no lookup is under way"
            case Place():
                return self._why_not_now(state) or ("" if state.joining else "no node is joining")
            case Read() | ReadAll():
                return ""
        return self._why_no_change(state, event)

    def _why_not_now(self, state: Tier) -> str:
        return f"the lookup of {state.looked} is not finished" if state.busy else ""

    def _why_no_change(self, state: Tier, event: Join | Leave | Crash | Reweight) -> str:
        name, there = event.node, event.node in state.router.names
        reason = self._why_not_now(state)
        if not reason and state.joining and not isinstance(event, Crash):
            reason = f"{state.joining.node.name} is still joining"
        if reason:
            return reason
        match event:
            case Join(weight=weight):
                if there:
                    return f"{name} is a node already"
                return self._why_not_node(name, weight)
            case Reweight(weight=weight):
                if not there:
                    return f"{name} is no node"
                if state.router.node(name).weight == weight:
                    return f"{name} weighs {weight:g} already"
                return self._why_not_node(name, weight)
        if not there:
            return f"{name} is no node"
        return f"{name} is the last node" if len(state.router.nodes) == 1 else ""

    def _why_not_node(self, name: str, weight: float) -> str:
        try:
            Node(name, weight)
        except (RouterError, TypeError) as problem:
            return str(problem)
        unweighted = issubclass(ROUTERS[self.scheme], Unweighted) and weight != 1
        return f"the {self.scheme} scheme knows no weights" if unweighted else ""

    def choices(self, state: Tier) -> tuple[Choice[Event], ...]:
        offered: list[tuple[Event, str, tuple[str, ...], str]] = [
            (Advance(), "next", (f"key:{state.looked}",) if state.busy else (), ""),
            (Place(), "next", (f"node:{state.joining.node.name}",) if state.joining else (), ""),
        ]
        for at, key in enumerate(self.featured):
            offered.append((Look(key), "look up", (f"key:{key}",), "" if at else "key"))
        offered.append((ReadAll(), "read", (), ""))
        for at, key in enumerate(self.featured):
            offered.append((Read(key), "read", (f"key:{key}",), "" if at else "key"))
        for at, name in enumerate(self.pool):
            offered.append((Join(name), "join", (f"node:{name}",), "" if at else "node"))
        for node in state.router.nodes:
            about = (f"node:{node.name}",)
            offered += [(Leave(node.name), "leave", about, ""), (Crash(node.name), "crash", about, "")]
            if not issubclass(ROUTERS[self.scheme], Unweighted):
                offered += [(Reweight(node.name, float(weight)), "reweight", about, "") for weight in self.weights]
        return tuple(
            Choice(event, self.describe(state, event), group, "", self.why_not(state, event), about, ask)
            for event, group, about, ask in offered
        )

    def usual(self, state: Tier) -> Event | None:
        """A lookup or a join goes on; else clients read while anything is cold, and look each featured key up once."""
        if state.busy:
            return Advance()
        if state.joining:
            return Place()
        if state.cold():
            return ReadAll()
        after = self.featured.index(state.looked) + 1 if state.looked in self.featured else 0
        return Look(self.featured[after]) if after < len(self.featured) else None

    def describe(self, state: Tier, event: Event) -> str:
        match event:
            case Look(key=key):
                return f"look up **{key}**"
            case Advance():
                return "walk to the next point" if not state.busy else f"walk on for **{state.looked}**"
            case Join(node=name):
                return f"**{name}** joins"
            case Place():
                return "place the next point" + (f" of **{state.joining.node.name}**" if state.joining else "")
            case Leave(node=name):
                return f"**{name}** leaves"
            case Crash(node=name):
                return f"**{name}** crashes"
            case Reweight(node=name, weight=weight):
                return f"**{name}** weighs {weight:g}"
            case Read(key=key):
                return f"read **{key}**"
        return "read every key"

    # what happens

    def apply(self, state: Tier, event: Event) -> tuple[Tier, tuple[Note, ...]]:
        if not isinstance(event, Event):
            raise NotEnabled(f"{event!r} is nothing that can happen in a cache tier")
        reason = self.why_not(state, event)
        if reason:
            raise NotEnabled(f"{self.describe(state, event)}: {reason}")
        match event:
            case Look():
                return self._look(state, event)
            case Advance():
                return self._advance(state)
            case Join():
                return self._join(state, event)
            case Place():
                return self._place(state)
            case Leave() | Crash():
                return self._go(state, event)
            case Reweight():
                return self._reweight(state, event)
            case Read(key=key):
                return self._read(state, key)
        return self._read_all(state)

    def _look(self, state: Tier, event: Look) -> tuple[Tier, tuple[Note, ...]]:
        key = event.key
        position = state.position(key)
        hashed = Note("hash", {"key": key, "position": position, "degrees": degrees(state.turn(position))})
        last = Outcome("look", key=key)
        if isinstance(state.router, Ring):
            walk = state.router.begin(key, event.copies or min(state.copies, len(state.router.nodes)))
            return replace(state, walk=walk, looked=key, last=last), (hashed,)
        node = state.owner(key)
        routed = {"scheme": state.router.scheme, "key": key, "node": node, "nodes": len(state.router.nodes)}
        return replace(state, looked=key, last=replace(last, node=node)), (hashed, Note("route", routed))

    def _advance(self, state: Tier) -> tuple[Tier, tuple[Note, ...]]:
        assert isinstance(state.router, Ring)
        assert state.walk is not None
        before, walk = state.walk, state.router.advance(state.walk)
        position = int(state.router.positions[walk.at])
        node = state.router.names[state.router.owners[walk.at]]
        values = {"key": state.looked, "node": node, "degrees": degrees(state.turn(position))}
        if walk.outcome == "taken" and not before.chosen:
            notes = [Note("wrap" if position < walk.position else "first-point", values)]
        elif walk.outcome == "taken":
            notes = [Note("next-node", values | {"copy": len(before.chosen) + 1})]
        else:
            rack = state.router.node(node).rack
            notes = [Note("same-node" if walk.outcome == "same node" else "same-rack", values | {"rack": rack})]
        late = walk.chosen[len(before.chosen) + 1 :] if walk.outcome == "taken" else ()
        if late:
            notes.append(Note("from-aside", {"nodes": ", ".join(late)}))
        last = Outcome("advance", node=walk.chosen[0] if walk.chosen else "", key=state.looked)
        return replace(state, walk=walk, last=last), tuple(notes)

    def _join(self, state: Tier, event: Join) -> tuple[Tier, tuple[Note, ...]]:
        node = Node(event.node, event.weight, event.rack)
        total = self.placement.counts((node,))[0]
        if self.scheme == "ring" and total <= self.stepwise:
            joining = Joining(node, 0, total, 0, state.router.nodes)
            began = Note("begin-join", {"node": node.name, "total": total})
            return replace(state, joining=joining, walk=None, last=Outcome("join", node=node.name)), (began,)
        after = changed(state, state.router.including(node), "join", node.name, state.router.nodes)
        values = counted(after) | {"points": total, "ranges": len(after.last.moves)}
        joined = Note("join" if self.scheme == "ring" else "join-other", values)
        return replace(after, joined=(*state.joined, node.name)), (joined, *accounts(after))

    def _place(self, state: Tier) -> tuple[Tier, tuple[Note, ...]]:
        assert state.joining is not None
        joining, name = state.joining, state.joining.node.name
        number = joining.placed + 1
        # a node with some of its points is a node of that part of its weight
        weight = joining.node.weight * number / joining.total if number < joining.total else joining.node.weight
        first = number == 1
        grown = Node(name, weight, joining.node.rack)
        router = state.router.including(grown) if first else state.router.reweighted(name, weight)
        after = changed(state, router, "place", name, joining.before, joining.moved)
        position = next(point.position for point in after.points() if point[:2] == (name, joining.placed))
        givers = ", ".join(sorted({move.giver for move in after.last.moves}))
        values = counted(after) | {"number": number, "degrees": degrees(after.turn(position)), "givers": givers}
        notes = [Note("point" if givers else "point-within", values)]
        moved = joining.moved + len(after.last.moved)
        done = number == joining.total
        if done:
            notes += [Note("joined", {"node": name, "total": number, "moved": moved, "keys": len(state.keys)})]
        notes += accounts(after, whole=done)
        going = None if done else Joining(joining.node, number, joining.total, moved, joining.before)
        joined = (*state.joined, name) if first else state.joined
        return replace(after, joined=joined, joining=going), tuple(notes)

    def _go(self, state: Tier, event: Leave | Crash) -> tuple[Tier, tuple[Note, ...]]:
        name, held = event.node, state.cached()[event.node]
        kind = "leave" if isinstance(event, Leave) else "crash"
        after = changed(state, state.router.excluding(name), kind, name, state.router.nodes)
        joining = state.joining
        if joining is not None:
            left = tuple(node for node in joining.before if node.name != name)
            joining = None if joining.node.name == name else replace(joining, before=left)
        after = replace(after, joined=tuple(node for node in state.joined if node != name), joining=joining)
        if kind == "leave":
            after = filled(after, held)[0]
            after = replace(after, last=replace(after.last, dropped=copies_held(state) - copies_held(after)))
        lost = len(held) if kind == "crash" else 0
        return after, (Note(kind, counted(after) | {"lost": len(held)}), *accounts(after, lost=lost))

    def _reweight(self, state: Tier, event: Reweight) -> tuple[Tier, tuple[Note, ...]]:
        router = state.router.reweighted(event.node, event.weight)
        after = changed(state, router, "reweight", event.node, state.router.nodes)
        points = self.placement.counts((router.node(event.node),))[0] if self.scheme == "ring" else 0
        values = counted(after) | {"weight": f"{event.weight:g}", "points": points}
        rule = "reweight" if self.scheme == "ring" else "reweight-other"
        return after, (Note(rule, values), *accounts(after))

    def _read(self, state: Tier, key: str) -> tuple[Tier, tuple[Note, ...]]:
        if key not in state.keys:
            state = replace(state, keys=tuple(sorted((*state.keys, key))))
        node = state.owner(key)
        hit = key in state.cached()[node]
        state = filled(state, (key,))[0]
        last = Outcome("read", node=node, key=key, hits=int(hit), misses=int(not hit))
        return replace(state, last=last), (Note("hit" if hit else "miss", {"node": node, "key": key}),)

    def _read_all(self, state: Tier) -> tuple[Tier, tuple[Note, ...]]:
        state, misses = filled(state, state.keys)
        values = {"keys": len(state.keys), "hits": len(state.keys) - misses, "misses": misses}
        last = Outcome("read-all", hits=values["hits"], misses=misses)
        return replace(state, last=last), (Note("read-all", values),)


def _node_of(given: Any) -> Node:
    """A node from a name, from [name, weight, rack], or as it is."""
    return given if isinstance(given, Node) else Node(given) if isinstance(given, str) else Node(*given)


def degrees(turn: float) -> str:
    """A part of the circle in words: `118.4°`."""
    return f"{360 * turn:.1f}°"


_USUAL.update(CacheTier().params, keys=None)
