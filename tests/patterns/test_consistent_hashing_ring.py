"""What the papers say of the ring, a sentence a test (Karger et al. 1997; Dynamo 2007; Stoica et al. 2001)."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.consistent_hashing.errors import DuplicateNode, NoNodes, RouterError, UnknownNode
from patterns.consistent_hashing.fast import FastRing
from patterns.consistent_hashing.placement import Ketama, Node, Placement
from patterns.consistent_hashing.ring import Arc, Move, Ring, moves_between
from patterns.consistent_hashing.router import moved_keys

KEYS = [f"user:{number}" for number in range(10_000)]
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
weights = st.sampled_from([0.5, 1.0, 2.0, 3.7])
racks = st.sampled_from(["", "", "r1", "r2", "r3"])
nodes_of = st.builds(Node, names, weights, racks)
node_lists = st.lists(nodes_of, min_size=1, max_size=7, unique_by=lambda node: node.name)
placements = st.one_of(
    st.builds(Placement, bits=st.integers(2, 7), vnodes=st.integers(1, 5)),
    st.builds(Placement, hash=st.sampled_from(["blake2b", "fnv1a-mixed"]), vnodes=st.integers(1, 20)),
    st.just(Ketama()),
)


def clockwise(ring: Ring, position: int) -> list[str]:
    """The nodes of all points clockwise from a position, by the definition: nearest first, at one place by name."""
    points = [
        ((stop - position) % ring.placement.size, node.name)
        for node, count in zip(ring.nodes, ring.placement.counts(ring.nodes), strict=True)
        for stop in ring.placement.points(node.name, count)
    ]
    return [name for _, name in sorted(points)]


def tail_bound(successes: float, trials: float, chance: float) -> float:
    """Above P(Binomial(trials, chance) <= successes), and for chance below the mean, >=: Chernoff's bound with KL."""
    part = successes / trials
    low = part * log(part / chance) if part else 0.0
    high = (1 - part) * log((1 - part) / (1 - chance)) if part < 1 else 0.0
    return exp(-trials * (low + high))


def greatest_share(nodes: int, vnodes: int, risk: float = 1e-9) -> float:
    """A share of the circle that no node exceeds but with chance `risk`.

    The part of the circle owned by v of N*v uniform points is Beta(v, (N-1)v) (spacings; Pyke 1965), and
    P(Beta(a, b) >= x) = P(Binomial(a + b - 1, x) <= a - 1).
    """
    low, high = 1 / nodes, 1 - 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        too_likely = tail_bound(vnodes - 1, nodes * vnodes - 1, middle) * nodes > risk
        low, high = (middle, high) if too_likely else (low, middle)
    return high


# lookup


@given(nodes=node_lists, placement=placements, key=names)
def test_a_key_belongs_to_the_first_point_clockwise_from_it(nodes: list[Node], placement: Placement, key: str) -> None:
    """Dynamo 2007, 4.2: walk the ring clockwise to the first node whose position is larger than the key's. (Karger et
    al. 1997 took the nearest point, on either side.)"""
    ring = Ring(nodes, placement)
    if ring.points:
        assert ring.lookup(key) == clockwise(ring, ring.position_of(key))[0]


def test_past_the_last_point_comes_the_first_at_every_position_of_small_circles() -> None:
    """Dynamo 2007, 4.2: the largest hash value wraps around to the smallest."""
    wrapped = 0
    for trial in range(20):
        ring = Ring([f"A{trial}", f"B{trial}", f"C{trial}"], Placement(bits=4, vnodes=2))
        for position in range(16):
            assert ring.owner_at(position) == clockwise(ring, position)[0], (ring, position)
            wrapped += position > ring.positions[-1]
    assert wrapped > 0


@given(nodes=node_lists, placement=placements)
def test_the_fast_ring_answers_as_the_plain_one(nodes: list[Node], placement: Placement) -> None:
    ring, fast = Ring(nodes, placement), FastRing(nodes, placement)
    if not ring.points:
        return
    stops, owned = fast.arrays
    assert (stops.tolist(), [fast.names[at] for at in owned]) == (ring.positions, ring.owners)
    assert (fast.positions, fast.owners) == (ring.positions, ring.owners)
    keys = [*KEYS[:50], "", "Zürich", "北京"]
    assert fast.positions_of(keys).tolist() == [ring.position_of(key) for key in keys]
    many = fast.lookup_many(keys)
    assert many.shape == (53,)
    assert many.dtype == np.intp
    assert [fast.names[index] for index in many] == [ring.lookup(key) for key in keys]
    assert [fast.lookup(key) for key in keys] == [ring.lookup(key) for key in keys]
    assert (fast.lookup_many(np.array(keys)) == many).all()
    every = np.arange(placement.size, dtype=np.uint64) if placement.bits <= 7 else stops
    assert fast.points_at(every).tolist() == [ring.first_point(int(position)) for position in every]


def test_a_lookup_needs_no_numpy() -> None:
    """The ring and its tier are plain Python, so that they run where nothing is installed."""
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from patterns.consistent_hashing import CacheTier, Join, Ring\n"
        "tier = CacheTier(); print(Ring('ABC').lookup('x'), len(tier.apply(tier.start(), Join('D'))[1]))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == [Ring("ABC").lookup("x"), "1"]


@given(nodes=node_lists, placement=placements, data=st.data())
def test_the_order_in_which_nodes_came_does_not_matter(nodes: list[Node], placement: Placement, data: st.DataObject):
    shuffled = data.draw(st.permutations(nodes))
    one, other = Ring(nodes, placement), Ring(shuffled, placement)
    assert one == other
    assert hash(one) == hash(other)
    assert one.points == other.points
    grown = Ring((), placement)
    for node in shuffled:
        grown = grown.including(node)
    assert grown.points == one.points


def test_points_at_one_position_go_to_the_first_name() -> None:
    """Equal positions are resolved by name, so that routers agree without talking."""
    tied = 0
    for trial in range(40):
        ring = Ring([f"A{trial}", f"B{trial}", f"C{trial}"], Placement(bits=2, vnodes=1))
        for position in range(4):
            here = [name for name in ring.names if ring.placement.points(name, 1) == [position]]
            if len(here) > 1:
                tied += 1
                assert ring.owner_at(position) == min(here)
    assert tied > 10


def test_lookups_are_the_same_in_every_process() -> None:
    """PYTHONHASHSEED salts Python's own `hash`; it must not reach the ring."""
    program = (
        "from patterns.consistent_hashing import *\n"
        "for kind in ROUTERS.values():\n"
        "    router = kind('ABC')\n"
        "    print(kind.scheme, [router.lookup(str(i)) for i in range(50)])\n"
        "print(Ring('CBA').preference_list('x', 3), CacheTier().start().loads())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert said[0].count("\n") == 7


# balance


@pytest.mark.parametrize("vnodes", [1, 5, 40, 160])
def test_the_spread_of_shares_shrinks_as_the_root_of_the_number_of_points(vnodes: int) -> None:
    """Dynamo 6.2, Stoica et al. 2001 theorem 1: more virtual nodes, a more even load.

    A node's share is Beta(v, (N-1)v): its deviation over its mean is sqrt((N-1)/(Nv+1)), about 1/sqrt(v).
    """
    rings = [Ring([f"{trial}-{node}" for node in range(10)], Placement(vnodes=vnodes)) for trial in range(60)]
    shares = np.array([list(ring.shares().values()) for ring in rings])
    assert np.allclose(shares.sum(axis=1), 1)
    expected = sqrt(9 / (10 * vnodes + 1))
    assert shares.std() * 10 == pytest.approx(expected, rel=0.12), "600 shares: a deviation known to about 3 percent"


@given(nodes=st.lists(names, min_size=2, max_size=12, unique=True), vnodes=st.sampled_from([20, 80, 320]))
def test_no_node_owns_more_than_the_bound(nodes: list[str], vnodes: int) -> None:
    """The bound holds but for one ring in a billion, and falls towards 1/N as the points grow."""
    shares = Ring(nodes, Placement(vnodes=vnodes)).shares()
    assert max(shares.values()) <= greatest_share(len(nodes), vnodes)


def test_the_bound_falls_as_points_grow() -> None:
    bounds = [greatest_share(10, vnodes) for vnodes in (20, 80, 320, 1280)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 1.2 / 10


def test_weights_share_the_circle_in_proportion() -> None:
    """Dynamo 4.2: a node of more capacity has more virtual nodes."""
    totals = np.zeros(3)
    for trial in range(40):
        ring = Ring([Node(f"a{trial}", 1), Node(f"b{trial}", 2), Node(f"c{trial}", 5)])
        totals += np.array(list(ring.shares().values()))
    assert totals / 40 == pytest.approx([1 / 8, 2 / 8, 5 / 8], rel=0.05)


# nodes that come and go


@given(nodes=node_lists, new=nodes_of, placement=placements.filter(lambda p: not isinstance(p, Ketama)))
def test_adding_moves_keys_only_to_the_new_node_and_removing_is_its_inverse(
    nodes: list[Node], new: Node, placement: Placement
) -> None:
    """Karger et al. 1997, section 3, monotonicity: when a bucket is added, items move only from old to new."""
    nodes = [node for node in nodes if node.name != new.name] or [Node(new.name + "'")]
    before = Ring(nodes, placement)
    after = before.including(new)
    moves = moves_between(before, after)
    assert {move.taker for move in moves} <= {new.name}
    moved = moved_keys(before, after, KEYS[:200])
    assert {move.taker for move in moved} <= {new.name}
    assert len(moved) == sum(after.lookup(key) == new.name for key in KEYS[:200])
    back = after.excluding(new.name)
    assert back == before
    assert back.points == before.points
    assert {(move.start, move.end, move.taker) for move in moves_between(after, back)} == {m[:3] for m in moves}


def test_about_one_key_in_n_plus_1_moves_when_a_node_joins() -> None:
    """Karger et al. 1997: K/(N+1) of K keys, on average."""
    shares = []
    for trial in range(80):
        ring = FastRing([f"{trial}-{node}" for node in range(4)])
        grown = ring.including(f"{trial}-new")
        before, after = np.array(ring.names)[ring.lookup_many(KEYS)], np.array(grown.names)[grown.lookup_many(KEYS)]
        shares.append((before != after).mean())
    deviation = sqrt(4 / (5 * 160 + 1)) / 5  # of one share, by the law of Beta(160, 640)
    assert np.mean(shares) == pytest.approx(1 / 5, abs=5 * deviation / sqrt(80))


@given(nodes=node_lists, placement=placements, data=st.data())
def test_changes_one_by_one_and_a_ring_made_at_once_are_the_same(
    nodes: list[Node], placement: Placement, data: st.DataObject
) -> None:
    """Every path of joins, leaves and new weights to the same nodes ends in the same ring."""
    ring = Ring(nodes, placement)
    for _ in range(data.draw(st.integers(1, 5))):
        before = ring
        what = data.draw(st.sampled_from(["add", "remove", "reweight"]))
        if what == "add" and (new := data.draw(nodes_of)).name not in ring.names:
            ring = ring.including(new)
        elif what == "remove" and len(ring.nodes) > 1:
            ring = ring.excluding(data.draw(st.sampled_from(ring.names)))
        else:
            ring = ring.reweighted(data.draw(st.sampled_from(ring.names)), data.draw(weights))
        assert Ring(ring.nodes, placement).points == ring.points
        if before.points and ring.points:
            _check_moves(before, ring, moves_between(before, ring))


def _check_moves(before: Ring, after: Ring, moves: tuple[Move, ...]) -> None:
    """The moves hold exactly the positions that changed hands, between those hands."""
    size = before.placement.size
    near = {(stop + step) % size for ring in (before, after) for stop in ring.positions for step in (-1, 0, 1)}
    positions = list(range(size)) if size <= 128 else sorted(near)[:: 1 + len(near) // 150]
    for position in positions:
        giver, taker = before.owner_at(position), after.owner_at(position)
        holding = [move for move in moves if move.holds(position)]
        expected = [] if giver == taker else [(giver, taker)]
        assert [(move.giver, move.taker) for move in holding] == expected, (position, moves)


def test_a_move_across_the_top_of_the_circle_is_one() -> None:
    """Neighbouring ranges of the same hands are one, also where the last and the first of them meet."""
    crossed = 0
    for trial in range(40):
        before = Ring([f"A{trial}", f"B{trial}"], Placement(bits=6, vnodes=3))
        moves = moves_between(before, before.including(f"C{trial}"))
        for one, following in zip(moves, [*moves[1:], *moves[:1]], strict=True):
            assert len(moves) == 1 or one.end != following.start or one[2:] != following[2:]
        crossed += any(move.start > move.end for move in moves)
    assert crossed > 5


def test_the_moves_of_two_rings_with_nothing_in_common_are_the_whole_circle() -> None:
    moves = moves_between(Ring("A"), Ring("B"))
    assert len(moves) == 1
    assert moves[0].start == moves[0].end
    assert all(moves[0].holds(position) for position in (0, 1, moves[0].end, 2**64 - 1))


def test_a_new_weight_moves_keys_only_to_or_from_its_node() -> None:
    """Points are numbered: more weight adds some, less removes the last."""
    ring = Ring("ABCD")
    heavier = ring.reweighted("B", 2)
    assert {move.taker for move in moves_between(ring, heavier)} == {"B"}
    lighter = heavier.reweighted("B", 0.5)
    assert {move.giver for move in moves_between(heavier, lighter)} == {"B"}
    assert lighter.reweighted("B", 1) == ring


@given(nodes=node_lists, placement=placements)
def test_arcs_and_shares_tell_what_lookups_do(nodes: list[Node], placement: Placement) -> None:
    ring = Ring(nodes, placement)
    if not ring.points:
        return
    arcs, size = ring.arcs(), placement.size
    lengths = dict.fromkeys(ring.names, 0)
    for arc in arcs:
        lengths[arc.owner] += (arc.end - arc.start) % size or size
        assert ring.owner_at(arc.end) == arc.owner
    assert sum(lengths.values()) == size
    assert ring.shares() == pytest.approx({name: length / size for name, length in lengths.items()}, abs=1e-9)
    assert all(isinstance(arc, Arc) for arc in arcs)


# several nodes


@given(nodes=node_lists, placement=placements, key=names, data=st.data())
def test_a_preference_list_is_of_the_first_distinct_nodes_clockwise(
    nodes: list[Node], placement: Placement, key: str, data: st.DataObject
) -> None:
    """Dynamo 4.3: the list skips positions so that it has only distinct physical nodes."""
    bare = [Node(node.name, node.weight) for node in nodes]
    ring = Ring(bare, placement)
    placed = list(dict.fromkeys(clockwise(ring, ring.position_of(key))))
    if placed:
        n = data.draw(st.integers(1, len(placed)))
        assert ring.preference_list(key, n) == tuple(placed[:n])
        assert ring.preference_list(key, n)[0] == ring.lookup(key)


@given(nodes=node_lists, placement=placements, key=names, data=st.data())
def test_a_preference_list_uses_every_rack_before_any_twice(
    nodes: list[Node], placement: Placement, key: str, data: st.DataObject
) -> None:
    """Dynamo 4.6: the nodes of a list are spread over data centres. Those passed over follow in their order."""
    ring = Ring(nodes, placement)
    order = list(dict.fromkeys(clockwise(ring, ring.position_of(key)))) if ring.points else []
    if not order:
        return
    rack = {node.name: node.rack or f"alone {node.name}" for node in nodes}
    first = [name for at, name in enumerate(order) if rack[name] not in {rack[other] for other in order[:at]}]
    last_rack = order.index(first[-1])
    waiting = [name for name in order[:last_rack] if name not in first]
    expected = first + waiting + [name for name in order[last_rack + 1 :] if name not in first]
    n = data.draw(st.integers(1, len(order)))
    assert ring.preference_list(key, n) == tuple(expected[:n])


def test_each_point_of_a_walk_is_a_step_with_its_outcome() -> None:
    ring = Ring([Node("A", rack="r1"), Node("B", rack="r1"), Node("C", rack="r2")], Placement(vnodes=3))
    outcomes = set()
    for key in KEYS[:50]:
        walk = ring.begin(key, 3)
        while not walk.done:
            walk = ring.advance(walk)
            outcomes.add(walk.visits[-1][1])
        assert walk.chosen == ring.preference_list(key, 3)
        assert len(set(walk.chosen)) == 3
    assert outcomes == {"taken", "same node", "same rack"}


# bad input


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Ring().lookup("x"), NoNodes, "no nodes"),
        (lambda: FastRing().lookup_many(["x"]), NoNodes, "no nodes"),
        (lambda: Ring().shares(), NoNodes, "no nodes"),
        (lambda: Ring().preference_list("x", 1), NoNodes, "no nodes"),
        (lambda: Ring(["A", "A"]), DuplicateNode, "'A' is given twice"),
        (lambda: Ring("AB").including("B"), DuplicateNode, "'B' is there already; there are A, B"),
        (lambda: Ring("AB").excluding("C"), UnknownNode, "'C' is unknown; there are A, B"),
        (lambda: Ring("AB").reweighted("C", 2), UnknownNode, "'C' is unknown"),
        (lambda: Ring("AB").reweighted("A", 0), RouterError, "weight is 0; the weight of A is above zero"),
        (lambda: Ring("AB").including(Node("C", -1)), RouterError, "weight is -1"),
        (lambda: Ring("AB").including(Node("C", float("nan"))), RouterError, "weight is nan"),
        (lambda: Ring("AB").including(Node("C", "2")), TypeError, "weight is '2'"),
        (lambda: Ring([""]), RouterError, "name is ''"),
        (lambda: Ring([7]), RouterError, "name is 7"),
        (lambda: Ring("A").lookup(7), TypeError, "key is 7, of type int; a key is a str"),
        (lambda: Ring("A").lookup(b"x"), TypeError, "key is b'x', of type bytes"),
        (lambda: Ring("A").lookup(None), TypeError, "key is None"),
        (lambda: Ring("A").position_of(7), TypeError, "key is 7"),
        (lambda: Ring("A", Placement(bits=3)).lookup(7), TypeError, "key is 7"),
        (lambda: FastRing("A").lookup_many(["x", 7]), TypeError, r"keys\[1\] is 7"),
        (lambda: FastRing("A").lookup_many(np.array([1, 2])), TypeError, r"keys\[0\] is .*1.*; a key is a str"),
        (lambda: FastRing("A").lookup_many("xy"), TypeError, "the one str 'xy'"),
        (lambda: Ring("AB").preference_list("x", 3), RouterError, "n is 3; .* from 1 to 2"),
        (lambda: Ring("AB").preference_list("x", 0), RouterError, "n is 0"),
        (lambda: Placement("crc"), RouterError, "hash is 'crc'; it is one of blake2b"),
        (lambda: Placement(bits=65), RouterError, "bits is 65; it is from 1 to the 64"),
        (lambda: Placement(vnodes=0), RouterError, "vnodes is 0"),
        (lambda: Ketama(vnodes=3), RouterError, "in fours"),
        (lambda: moves_between(Ring("A"), Ring("A", Placement(bits=3))), RouterError, "different circles"),
        (lambda: moves_between(Ring(), Ring("A")), NoNodes, "no nodes"),
        (lambda: moves_between(Ring("A"), Ring()), NoNodes, "no nodes"),
        (lambda: Ring([Node("A", 1e308)]), RouterError, "weight is 1e.308; .* at most 1e9"),
        (lambda: Ring([Node("A", 10**400)]), RouterError, "weight is 1.*0; .* at most 1e9"),
        (lambda: Ring([Node("A", 626)]), RouterError, "weight is 626; A would have over 100,000 points"),
        (lambda: Placement(vnodes=10**9), RouterError, "vnodes is 1000000000; a node has from 1 to 100,000 points"),
        (lambda: Ketama(vnodes=4 * 10**8), RouterError, "vnodes is 400000000"),
        (lambda: Ring(["\ud800"]), RouterError, "name is .* half a surrogate pair"),
        (lambda: Node("A", rack="\ud800"), RouterError, "rack is .* half a surrogate pair"),
        (lambda: Ring("A").lookup("\udfff"), RouterError, "key is .* half a surrogate pair"),
        (lambda: FastRing("A").lookup_many(["x", "\udfff"]), RouterError, r"keys\[1\] is .* half a surrogate pair"),
        (lambda: moved_keys(Ring("A"), Ring("B"), "xy"), RouterError, "the one str 'xy'"),
    ],
)
def test_what_is_wrong_with_a_call_is_named(call, error, said: str) -> None:
    with pytest.raises(error, match=said):
        call()


def test_a_refused_change_leaves_the_ring_as_it_was() -> None:
    ring = Ring("AB")
    with pytest.raises(DuplicateNode):
        ring.including("A")
    assert ring == Ring("AB")
    assert ring.names == ("A", "B")


def test_a_ring_cannot_be_written_to_and_travels_as_a_value() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FastRing("ABC").arrays[0][0] = 0
    for ring in (Ring("ABC"), FastRing("ABC")):
        ring.lookup("x")
        copy = pickle.loads(pickle.dumps(ring))
        assert copy == ring
        assert copy.lookup("x") == ring.lookup("x")
        assert {ring: 1}[copy] == 1
    assert repr(Ring("AB")).startswith("Ring(['A', 'B']")
