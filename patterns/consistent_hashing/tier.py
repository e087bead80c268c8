"""A cache tier as a machine: three caches behind one router, a fourth joins, and the tier must not go cold.

    history = History(CacheTier(nodes="ABC", keys=sorted(zoneinfo.available_timezones())))
    history.run([Look(key="Europe/Paris"), Advance()])      a lookup: hash the key, walk clockwise to the first point
    history.apply(Join(node="D"))                           a node joins; with few points each is placed in a step
    history.run([Place()] * 4)
    history.apply(ReadAll())                                what misses now? `history.state.last.misses`

The same machine runs with another scheme, `CacheTier(scheme="modulo")`, to see the cold cache. The marks of a picture
that choices are about are `node:A` and `key:Europe/Paris`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.params import Count, refuse
from patterns.engine.params import Params as AnyParams
from patterns.engine.step import Note, Rule

from .change import accounts, changed, counted, filled
from .errors import RouterError
from .events import Advance, Crash, Event, Join, Leave, Look, Place, Read, ReadAll, Reweight
from .others import ROUTERS, Unweighted
from .placement import Node, Placement
from .properties import ALWAYS, ALWAYS_ELSEWHERE
from .ring import Ring, Walk
from .router import Router
from .rules import RULES
from .state import Joining, Outcome, Tier

CITIES: tuple[str, ...] = tuple(
    "Abidjan Accra Algiers Amsterdam Athens Baghdad Bangkok Beirut Berlin Bogota Brussels Cairo Caracas Chicago "  # noqa: SIM905
    "Dhaka Dublin Havana Helsinki Istanbul Jakarta Karachi Kolkata Lagos Lima Lisbon London Madrid Manila Melbourne "
    "Moscow Nairobi Oslo Paris Perth Prague Rome Seoul Shanghai Sydney Tokyo Toronto Vienna".split()
)


class CacheTier(ValueMachine[Tier, Event]):
    """Cache machines behind a router, stepped.

    Replay codes hold up to 32 keys. More keys are named by a check sum: such a code is replayed on a machine that has
    the same keys.
    """

    class Params(AnyParams, frozen=True, omit_defaults=True):
        nodes: str | tuple[str | Node, ...] = "ABC"
        """The machines at the start: names, or [name, weight, rack]; of one text each letter is a name."""
        keys: tuple[str, ...] | str | None = None
        """The keys that clients read; city names if not given."""
        scheme: Literal["ring", "modulo", "rendezvous", "jump", "maglev", "multi-probe"] = "ring"
        """How a key finds its machine."""
        vnodes: Annotated[int, Meta(ge=1, le=1000)] = 4
        """How many points a machine of weight 1 has on the ring."""
        hash: Literal["blake2b", "fnv1a", "fnv1a-mixed", "ketama"] = "blake2b"
        """The hash function that places keys and points on the ring."""
        bits: Annotated[int, Meta(ge=0, le=64)] = 0
        """The ring has 2^bits positions; 0 stands for the width of the hash function."""
        copies: Annotated[int, Meta(ge=1)] = 1
        """On how many machines a key is cached; only the ring keeps more than 1."""
        pool: str | tuple[str, ...] = "DE"
        """The machines that can join."""
        weights: tuple[float, ...] = (0.5, 1, 2)
        """The weights that a machine can be given."""
        warm: bool = True
        """Whether every cache holds its keys at the start."""
        stepwise: Count = 8
        """A machine with at most this many points places them one by one when it joins."""

        def check(self) -> None:
            if not self.nodes:
                refuse("nodes", self.nodes, "at least one node")
            if self.copies > 1 and self.scheme != "ring":
                refuse("copies", self.copies, f"1 under {self.scheme}: only the ring keeps more")

    params: Params
    name = view = "consistent_hashing"
    rules: ClassVar[Mapping[str, Rule]] = RULES
    ring_type: ClassVar[type[Ring]] = Ring  # a subclass with one rule changed shows what the rule is for

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        params = self.params
        if isinstance(params.keys, str):
            refuse("keys", params.keys, "a list of names; this replay code needs a machine that has its keys")
        self.keys = tuple(sorted(set(CITIES if params.keys is None else params.keys)))
        if params.keys is not None and len(self.keys) > 32:  # too many for a replay code
            self.params = replace(params, keys=self._check_sum)
        self.placement = Placement(params.hash, params.bits, params.vnodes)
        self.nodes = tuple(node if isinstance(node, Node) else Node(node) for node in params.nodes)
        self.router_of(self.nodes)
        self.weighted = not issubclass(ROUTERS[params.scheme], Unweighted)
        self.always = ALWAYS if params.scheme == "ring" else ALWAYS_ELSEWHERE
        # choices are offered for these keys; any other can be asked for by name
        self.featured = self.keys[:: max(1, len(self.keys) // 6)][:6]

    @property
    def _check_sum(self) -> str:
        return f"{len(self.keys)} keys, {zlib.crc32(chr(0).join(self.keys).encode()):08x}"

    def again(self, **changes: Any) -> Self:
        given = {**msgspec.to_builtins(self.params), **changes}
        return type(self)(**given | ({"keys": self.keys} if given.get("keys") == self._check_sum else {}))

    def router_of(self, nodes: Sequence[Node]) -> Router:
        """The router of this tier's scheme over `nodes`."""
        scheme = self.params.scheme
        return self.ring_type(nodes, self.placement) if scheme == "ring" else ROUTERS[scheme](nodes)

    def start(self) -> Tier:
        router = self.router_of(self.nodes)
        empty = tuple((name, frozenset[str]()) for name in router.names)
        state = Tier(router, self.keys, empty, router.names, self.params.copies)
        return filled(state, self.keys)[0] if self.params.warm else state

    def key(self, state: Tier) -> Tier:
        """The last outcome decides nothing that follows."""
        return replace(state, last=Outcome(), looked=state.looked if state.walk else "")

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

    # why an event cannot happen

    def no_key(self, state: Tier, event: Look | Read) -> str:
        return "" if event.key else "the key is empty"

    def walking(self, state: Tier, event: Event) -> str:
        return f"the lookup of {state.looked} is not finished" if state.busy else ""

    def no_walk(self, state: Tier, event: Advance) -> str:
        return "" if state.busy else "no lookup is under way"

    def no_join(self, state: Tier, event: Place) -> str:
        return "" if state.joining else "no node is joining"

    def unsettled(self, state: Tier, event: Event) -> str:
        return self.walking(state, event) or (f"{state.newcomer} is still joining" if state.joining else "")

    def too_many(self, state: Tier, event: Look) -> str:
        most = len(state.router.nodes)
        return "" if 0 <= event.copies <= most else f"copies is {event.copies}; allowed is 0 to {most}"

    def known(self, state: Tier, event: Join) -> str:
        return f"{event.node} is a node already" if event.node in state.router.names else ""

    def unknown(self, state: Tier, event: Leave | Crash | Reweight) -> str:
        return "" if event.node in state.router.names else f"{event.node} is not a node"

    def last_one(self, state: Tier, event: Leave | Crash) -> str:
        return f"{event.node} is the last node" if len(state.router.nodes) == 1 else ""

    def invalid(self, state: Tier, event: Join | Reweight) -> str:
        try:
            self.placement.counts([Node(event.node, event.weight)])
        except (RouterError, TypeError) as problem:
            return str(problem)
        return "" if self.weighted or event.weight == 1 else f"the {self.params.scheme} scheme knows no weights"

    def unchanged(self, state: Tier, event: Reweight) -> str:
        same = state.router.node(event.node).weight == event.weight
        return f"{event.node} weighs {event.weight:g} already" if same else ""

    # what choices are offered for

    def some_keys(self, state: Tier) -> Iterable[str]:
        return self.featured

    def pool(self, state: Tier) -> Iterable[str]:
        return self.params.pool

    def names(self, state: Tier) -> Iterable[str]:
        return state.router.names

    def weights(self, state: Tier) -> Iterable[tuple[str, float]]:
        return product(state.router.names, map(float, self.params.weights if self.weighted else ()))

    # a lookup

    @act(Advance, "walk on for **{state.busy:names|a key}**", about="key:{state.busy}", unless=[no_walk])
    def advance(self, state: Tier, event: Advance) -> Happened[Tier]:
        assert isinstance(state.router, Ring)
        assert state.walk is not None
        walk = state.router.advance(state.walk)
        last = Outcome("advance", node=walk.chosen[0] if walk.chosen else "", key=state.looked)
        return replace(state, walk=walk, last=last), _told_of_walk(state, state.router, state.walk, walk)

    @act(
        Place,
        "place the next point of **{state.newcomer:names|a node}**",
        about="node:{state.newcomer}",
        unless=[walking, no_join],
    )
    def place(self, state: Tier, event: Place) -> Happened[Tier]:
        assert state.joining is not None
        joining, name, number = state.joining, state.newcomer, state.joining.placed + 1
        done = number == joining.total
        # a node with some of its points is a node of that part of its weight
        weight = joining.node.weight if done else joining.node.weight * number / joining.total
        router = state.router.excluding(name) if joining.placed else state.router
        after = changed(state, router.including(Node(name, weight, joining.node.rack)), "place", name)
        last = after.last
        turn = next(point.turn for point in after.points() if point[:2] == (name, joining.placed))
        givers = tuple(sorted({move.giver for move in last.moves}))
        rule = "point" if givers else "point-within"
        notes = [counted(rule, after, number=number, degrees=360 * turn, givers=givers)]
        if done:
            taken = {"node": name, "total": number, "moved": len(last.all_moved), "keys": len(state.keys)}
            notes += [Note("joined", taken)]
        going = None if done else replace(joining, placed=number, moves=last.all_moves, moved=last.all_moved)
        return replace(after, joining=going), [*notes, *accounts(state, after, whole=done)]

    @act(
        Look,
        "look up **{key}**",
        "look up",
        about="key:{key}",
        ask="key",
        offers=some_keys,
        unless=[no_key, walking, too_many],
    )
    def look(self, state: Tier, event: Look) -> Happened[Tier]:
        key, position, last = event.key, state.position(event.key), Outcome("look", key=event.key)
        hashed = Note("hash", {"key": key, "position": position, "degrees": 360 * state.turn(position)})
        if isinstance(state.router, Ring):
            walk = state.router.begin(key, event.copies or min(state.copies, len(state.router.nodes)))
            return replace(state, walk=walk, looked=key, last=last), [hashed]
        node = state.owner(key)
        routed = {"scheme": state.router.scheme, "key": key, "node": node, "nodes": len(state.router.nodes)}
        return replace(state, looked=key, last=replace(last, node=node)), [hashed, Note("route", routed)]

    # reads

    @act(ReadAll, "read every key", "read")
    def read_all(self, state: Tier, event: ReadAll) -> Happened[Tier]:
        state, misses = filled(state, state.keys)
        hits = len(state.keys) - misses
        note = Note("read-all", {"keys": len(state.keys), "hits": hits, "misses": misses})
        return replace(state, last=Outcome("read-all", hits=hits, misses=misses)), [note]

    @act(Read, "read **{key}**", "read", about="key:{key}", ask="key", offers=some_keys, unless=[no_key])
    def read(self, state: Tier, event: Read) -> Happened[Tier]:
        key = event.key
        if key not in state.keys:
            state = replace(state, keys=tuple(sorted((*state.keys, key))))
        node = state.owner(key)
        state, misses = filled(state, (key,))
        last = Outcome("read", node=node, key=key, hits=1 - misses, misses=misses)
        return replace(state, last=last), [Note("miss" if misses else "hit", {"node": node, "key": key})]

    # nodes come and go

    @act(
        Join,
        "**{node}** joins",
        "join",
        ask="node",
        offers=pool,
        unless=[unsettled, known, invalid],
    )
    def join(self, state: Tier, event: Join) -> Happened[Tier]:
        node, is_ring = Node(event.node, event.weight, event.rack), isinstance(state.router, Ring)
        [total] = self.placement.counts([node])
        known = state.known if node.name in state.known else (*state.known, node.name)
        if is_ring and total <= self.params.stepwise:
            joining = Joining(node, 0, total, state.router.nodes)
            began = Note("begin-join", {"node": node.name, "total": total})
            last = Outcome("join", node=node.name)
            return replace(state, known=known, joining=joining, walk=None, last=last), [began]
        after = changed(state, state.router.including(node), "join", node.name)
        rule = "join" if is_ring else "join-other"
        note = counted(rule, after, points=total, ranges=len(after.last.moves))
        return replace(after, known=known), [note, *accounts(state, after)]

    @act(Leave, "**{node}** leaves", "leave", about="node:{node}", offers=names, unless=[unsettled, unknown, last_one])
    def leave(self, state: Tier, event: Leave) -> Happened[Tier]:
        held = state.cached()[event.node]
        after, _ = filled(self._without(state, event.node, "leave"), held)  # it hands over what it holds
        return after, [counted("leave", after), *accounts(state, after)]

    @act(Crash, "**{node}** crashes", "crash", about="node:{node}", offers=names, unless=[walking, unknown, last_one])
    def crash(self, state: Tier, event: Crash) -> Happened[Tier]:
        lost, after = len(state.cached()[event.node]), self._without(state, event.node, "crash")
        return after, [counted("crash", after, lost=lost), *accounts(state, after, lost=lost)]

    def _without(self, state: Tier, name: str, kind: str) -> Tier:
        """The tier without this node; of a join under way, which goes on unless it is the node's own, too."""
        after, joining = changed(state, state.router.excluding(name), kind, name), state.joining
        if joining is not None:
            left = tuple(node for node in joining.before if node.name != name)
            joining = None if state.newcomer == name else replace(joining, before=left)
        return replace(after, joining=joining)

    @act(
        Reweight,
        "**{node}** weighs {weight:g}",
        "reweight",
        about="node:{node}",
        offers=weights,
        unless=[unsettled, unknown, unchanged, invalid],
    )
    def reweight(self, state: Tier, event: Reweight) -> Happened[Tier]:
        router = state.router.reweighted(event.node, event.weight)
        after = changed(state, router, "reweight", event.node)
        [points] = self.placement.counts([router.node(event.node)])
        rule = "reweight" if isinstance(router, Ring) else "reweight-other"
        return after, [counted(rule, after, weight=event.weight, points=points), *accounts(state, after)]


def _told_of_walk(state: Tier, ring: Ring, before: Walk, walk: Walk) -> list[Note]:
    """The point that a walk has come to, and the nodes it had set aside that follow now."""
    at, outcome = walk.visits[-1]
    point = ring.points[at]
    values = {"key": state.looked, "node": point.node, "degrees": 360 * point.turn}
    if outcome != "taken":
        return [Note(outcome.replace(" ", "-"), values | {"rack": ring.node(point.node).rack})]
    first = "wrap" if point.position < walk.position else "first-point"
    found = Note("next-node" if before.chosen else first, values | {"copy": len(before.chosen) + 1})
    late = walk.chosen[len(before.chosen) + 1 :]
    return [found, Note("from-aside", {"nodes": late})] if late else [found]
