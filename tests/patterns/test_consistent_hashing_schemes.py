"""The contract of every scheme, and where they differ: what moves, how even they are. Bounded loads."""

from __future__ import annotations

from collections import Counter
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.consistent_hashing.bounded import bounded_loads, capacities, peak_to_mean, place_bounded
from patterns.consistent_hashing.errors import DuplicateNode, NoNodes, RouterError, UnknownNode
from patterns.consistent_hashing.others import (
    ROUTERS,
    Jump,
    Maglev,
    Modulo,
    MultiProbe,
    Rendezvous,
    hash_of,
    jump_hash,
    maglev_table,
)
from patterns.consistent_hashing.placement import Ketama, Node, Placement
from patterns.consistent_hashing.ring import Ring
from patterns.consistent_hashing.router import Router, moved_keys

KEYS = [f"user:{number}" for number in range(20_000)]
NAMES = ["Ada", "Bob", "Cyd", "Dan", "Eve"]
SCHEMES = sorted(ROUTERS)


def router(scheme: str, names: list[str] | list[Node] = NAMES) -> Router:
    """A router of a scheme; Maglev with a table small enough to be made often."""
    return Maglev(names, size=5003) if scheme == "maglev" else ROUTERS[scheme](names)


@pytest.mark.parametrize("scheme", SCHEMES)
class TestEveryScheme:
    def test_sends_each_key_to_one_of_its_nodes(self, scheme: str) -> None:
        some = router(scheme)
        assert {some.lookup(key) for key in KEYS[:500]} == set(NAMES), "every node has some of 500 keys"

    def test_is_a_value(self, scheme: str) -> None:
        assert router(scheme) == router(scheme)
        assert hash(router(scheme)) == hash(router(scheme))
        assert router(scheme) != router(scheme, NAMES[:4])
        assert router(scheme).names == tuple(NAMES)
        if scheme != "jump":  # whose nodes are numbered
            assert router(scheme, NAMES[::-1]) == router(scheme)

    def test_shares_keys_about_evenly(self, scheme: str) -> None:
        """The fullest of 5 nodes. A ring of 160 points a node: five deviations of its share; multi-probe: 1.05."""
        loads = np.array(list(Counter(map(router(scheme).lookup, KEYS)).values()))
        spread = {"ring": 5 * sqrt(4 / (5 * 160 + 1)), "multi-probe": 0.05}.get(scheme, 0.0) + 5 * sqrt(5 / len(KEYS))
        assert (loads / loads.mean() - 1).max() < spread

    def test_including_and_excluding_are_inverse_and_change_nothing_in_place(self, scheme: str) -> None:
        before = router(scheme)
        after = before.including("Fay")
        assert after.names == (*NAMES, "Fay")
        assert after.excluding("Fay") == before
        assert before == router(scheme)
        assert moved_keys(after.excluding("Fay"), before, KEYS[:100]) == ()

    def test_a_new_node_moves_what_the_scheme_promises(self, scheme: str) -> None:
        before = router(scheme)
        after = before.including("Fay")
        moved = moved_keys(before, after, KEYS)
        some = [(key, before.lookup(key), after.lookup(key)) for key in KEYS[:500]]
        assert list(moved)[: sum(a != b for _, a, b in some)] == [(key, a, b) for key, a, b in some if a != b]
        share = len(moved) / len(KEYS)
        if scheme == "modulo":  # a key stays when its hash modulo 5 and modulo 6 agree: 5 of 30 residues
            assert share == pytest.approx(5 / 6, abs=0.015)
        elif scheme == "maglev":
            others = sum(taker != "Fay" for _, _, taker in moved)
            assert 0 < others < 0.1 * len(KEYS), "Eisenbud et al. 2016, 5.3: minimal but for a few"
        else:
            assert {move.taker for move in moved} == {"Fay"}, "monotone (Karger et al. 1997, section 3)"
            assert share == pytest.approx(1 / 6, rel=0.4 if scheme == "ring" else 0.15)

    def test_a_gone_node_moves_only_its_own_keys(self, scheme: str) -> None:
        """Jump hash can lose only its last node without more (Lamping and Veach 2014, section 1)."""
        before = router(scheme)
        gone = "Eve" if scheme == "jump" else "Bob"
        moved = moved_keys(before, before.excluding(gone), KEYS)
        givers = {move.giver for move in moved}
        if scheme == "modulo":
            assert givers == set(NAMES)
        elif scheme == "maglev":
            assert sum(move.giver != gone for move in moved) < 0.1 * len(KEYS)
        else:
            assert givers == {gone}
        assert gone not in {move.taker for move in moved}

    def test_names_what_is_wrong(self, scheme: str) -> None:
        kind = ROUTERS[scheme]
        with pytest.raises(NoNodes, match="no nodes"):
            kind().lookup("x")
        with pytest.raises(DuplicateNode, match="'A' is given twice"):
            kind(["A", "A"])
        with pytest.raises(DuplicateNode, match="'A' is there already"):
            kind(["A"]).including("A")
        with pytest.raises(UnknownNode, match="'B' is unknown; there are A"):
            kind(["A"]).excluding("B")
        with pytest.raises(UnknownNode, match="'B' is unknown"):
            kind(["A"]).reweighted("B", 2)
        for key in (7, b"x", None):
            with pytest.raises(TypeError, match="a key is a str"):
                kind(["A"]).lookup(key)


@pytest.mark.parametrize("scheme", ["jump", "maglev", "modulo", "multi-probe"])
def test_a_scheme_without_weights_says_so(scheme: str) -> None:
    with pytest.raises(RouterError, match=f"{scheme} knows no weights"):
        ROUTERS[scheme]([Node("A", 2)])
    with pytest.raises(RouterError, match=r"weight 3; .* knows no weights"):
        router(scheme).reweighted("Ada", 3)


def test_rendezvous_shares_keys_exactly_by_weight_and_moves_only_to_the_heavier() -> None:
    """Schindelhauer and Schomaker 2005, the logarithmic method."""
    before = Rendezvous([Node("A", 1), Node("B", 2), Node("C", 5)])
    loads = np.array([Counter(map(before.lookup, KEYS))[name] for name in "ABC"])
    expected = np.array([1, 2, 5]) / 8 * len(KEYS)
    assert (abs(loads - expected) < 5 * np.sqrt(expected)).all()
    moved = moved_keys(before, before.reweighted("A", 4), KEYS)
    assert {move.taker for move in moved} == {"A"}
    assert len(moved) == pytest.approx((4 / 11 - 1 / 8) * len(KEYS), rel=0.05)


def test_the_next_highest_draw_of_rendezvous_is_where_a_key_goes_when_the_first_node_is_gone() -> None:
    """Thaler and Ravishankar 1998, with the weights of Schindelhauer and Schomaker 2005."""
    some = Rendezvous([Node(name, weight) for name, weight in zip(NAMES, (1, 2, 1, 0.5, 5), strict=True)])
    for key in KEYS[:200]:
        ranked = sorted(zip(some.scores(hash_of(key)), some.names, strict=True), reverse=True)
        assert ranked[0][1] == some.lookup(key)
        assert some.excluding(ranked[0][1]).lookup(key) == ranked[1][1]


@given(st.integers(0, 2**64 - 1), st.integers(1, 500))
def test_a_key_jumps_only_to_the_new_bucket(key: int, buckets: int) -> None:
    """Lamping and Veach 2014, section 2: from n to n + 1 buckets a key stays or goes to bucket n."""
    before, after = jump_hash(key, buckets), jump_hash(key, buckets + 1)
    assert 0 <= before < buckets
    assert after in (before, buckets)


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(1, 10)), min_size=1, max_size=11), st.sampled_from([11, 13, 101])
)
def test_every_maglev_table_is_full_and_even(permutations: list[tuple[int, int]], size: int) -> None:
    """Eisenbud et al. 2016, 3.4, whatever the preferences are."""
    counts = np.bincount(maglev_table(permutations, size), minlength=len(permutations))
    assert counts.sum() == size
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jump_hash(1, 0), "buckets is 0"),
        (lambda: jump_hash(-1, 3), "key is -1"),
        (lambda: Maglev("AB", 100), "size is 100; .* a prime"),
        (lambda: Maglev("ABC", 2), "3 nodes need a table of more entries"),
        (lambda: MultiProbe("AB", 0), "probes is 0"),
        (lambda: bounded_loads(Ring("A"), ["x"], 1.0), "balance is 1.0; it is a number above 1"),
        (lambda: bounded_loads(Ring("A"), ["x"], float("inf")), "balance is inf"),
        (lambda: bounded_loads(Ring("A"), ["x"], "1.1"), "balance is '1.1'; it is a number above 1"),
        (lambda: capacities(Ring("A"), 1, float("nan")), "balance is nan"),
        (lambda: capacities(Ring("A"), -1), "keys is -1"),
        (lambda: capacities(Ring("A"), 1.5), "keys is 1.5"),
        (lambda: place_bounded(Ring("AB"), "x", {"A": 1, "B": 1}, {"A": 1, "B": 1}), "every node at its limit"),
        (lambda: peak_to_mean({"A": 0}), "no keys"),
    ],
)
def test_bad_numbers_are_named(call, said: str) -> None:
    with pytest.raises(RouterError, match=said):
        call()


# bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016)

HUNDREDTHS = {1.01: 101, 1.1: 110, 1.25: 125, 2.0: 200}
balances = st.sampled_from(list(HUNDREDTHS))
rings = st.builds(
    Ring,
    st.lists(
        st.builds(Node, st.text("abcdef", min_size=1, max_size=3), st.sampled_from([1.0, 2.0])),
        min_size=1,
        max_size=6,
        unique_by=lambda node: node.name,
    ),
    st.builds(Placement, bits=st.sampled_from([6, 16]), vnodes=st.integers(1, 6)),
)


@given(ring=rings, keys=st.lists(st.text(max_size=3), max_size=60), balance=balances)
def test_no_node_has_more_than_its_bound_and_every_key_is_at_the_first_with_room(
    ring: Ring, keys: list[str], balance: float
) -> None:
    """Section 1.1: capacity ceil(c m/n); a ball goes clockwise until a bin has room."""
    placed = bounded_loads(ring, keys, balance)
    keys = list(dict.fromkeys(keys))
    for node in ring.nodes:  # the least whole number that is not below the share, in hundredths
        share = HUNDREDTHS[balance] * len(keys) * int(node.weight)
        whole = 100 * sum(int(other.weight) for other in ring.nodes)
        assert (placed.capacities[node.name] - 1) * whole < share <= placed.capacities[node.name] * whole
    assert all(placed.loads[name] <= placed.capacities[name] for name in ring.names)
    assert Counter(placed.owners.values()) == Counter({name: load for name, load in placed.loads.items() if load})
    assert list(placed.owners) == keys
    loads: Counter[str] = Counter()
    for key in keys:
        clockwise = ring.preference_list(key, len(ring.nodes))
        first = next(name for name in clockwise if loads[name] < placed.capacities[name])
        assert placed.owners[key] == first == place_bounded(ring, key, loads, placed.capacities)
        assert (key in placed.forwarded) == (first != ring.lookup(key))
        loads[first] += 1


@given(keys=st.lists(st.text(max_size=3), min_size=1, max_size=40, unique=True), data=st.data(), balance=balances)
def test_with_one_point_a_node_the_loads_do_not_depend_on_the_order_of_the_keys(
    keys: list[str], data: st.DataObject, balance: float
) -> None:
    """Section 2: as in linear probing, who is forwarded depends on the order, how full each bin is does not."""
    ring = Ring("abcd", Placement(vnodes=1))
    shuffled = data.draw(st.permutations(keys))
    assert bounded_loads(ring, keys, balance).loads == bounded_loads(ring, shuffled, balance).loads


def test_a_limit_is_exact_where_a_float_is_a_little_too_large() -> None:
    """Section 1.1: ceil(c m/n). In floats 1.1 * 100 is 110.00000000000001, which would give 12 and 111."""
    assert set(capacities(Ring([f"n{number}" for number in range(10)]), 100, 1.1).values()) == {11}
    assert set(capacities(Ring([f"n{number}" for number in range(7)]), 700, 1.1).values()) == {110}


def test_keys_that_only_nodes_without_a_point_have_room_for_are_refused() -> None:
    """As in ketama.c, a light server has no points: its share of the digests rounds down to none."""
    light = [Node(f"light{number}", 0.48) for number in range(50)]
    ring = Ring([Node("heavy", 1000.0), *light], Ketama())
    with pytest.raises(RouterError, match="every node at its limit"):
        bounded_loads(ring, [f"k{number}" for number in range(1000)], 1.005)


def test_a_large_balance_is_the_plain_ring_and_a_small_one_is_even() -> None:
    ring = Ring(NAMES, Placement(vnodes=4))
    plain = Counter(map(ring.lookup, KEYS))
    loose = bounded_loads(ring, KEYS, 5.0)
    assert loose.loads == plain
    assert loose.forwarded == ()
    tight = bounded_loads(ring, KEYS, 1.05)
    assert peak_to_mean(plain) > 1.3
    assert peak_to_mean(tight.loads) <= 1.05
    assert len(tight.forwarded) > 0


def test_modulo_is_the_hash_modulo_the_number_of_nodes() -> None:
    assert all(Modulo(NAMES).lookup(key) == NAMES[hash_of(key) % 5] for key in KEYS[:100])


def test_jump_keeps_the_order_it_is_given() -> None:
    assert Jump("CAB").names == ("C", "A", "B")
    assert Jump("CAB") != Jump("ABC")
