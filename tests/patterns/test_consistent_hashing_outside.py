"""Cases that others met: issues of other projects, and what papers and ketama.c say that nobody here had written down.

Where an answer is known it stands here as a literal, or is counted another way than the package counts it.
"""

from __future__ import annotations

import pytest

from patterns.consistent_hashing import Node, Placement, Ring, bounded_loads, moved_keys, moves_between
from patterns.consistent_hashing.bounded import capacities
from patterns.consistent_hashing.fast import FastRing
from patterns.consistent_hashing.placement import Ketama

KEYS = [f"key-{number}" for number in range(2_000)]


@pytest.mark.parametrize("gone", ["A", "B", "C"])
def test_nodes_whose_points_collide_leave_one_by_one(gone: str) -> None:
    """ultrabug/uhashring#6, apache/pekko#3279, pragmatica#1324, go-zero#5595, carbon#196: the node that leaves took
    points of another node with it, because a table kept one node for each position."""
    ring = Ring("ABC", Placement(bits=3, vnodes=6))  # 18 points on 8 positions
    assert len({point.position for point in ring.points}) < len(ring.points)
    left = ring.excluding(gone)
    assert left == Ring([name for name in "ABC" if name != gone], ring.placement)
    assert len(left.points) == 12
    assert all(move.giver == gone for move in moved_keys(ring, left, KEYS))
    for last in set("ABC") - {gone}:
        assert {left.excluding(last).lookup(key) for key in KEYS[:50]} == set("ABC") - {gone, last}


def test_ketama_counts_points_in_single_precision() -> None:
    """ketama.c: `float pct`, so 7 equal servers have 160 points each. In double precision 1/7 would give 156."""
    assert Ring("ABCDEFG", Ketama()).counts == (160,) * 7


@pytest.mark.parametrize(
    ("nodes", "keys", "balance", "limit"),
    [
        (10, 100, 1.1, 11),
        (7, 700, 1.1, 110),
        (3, 10, 1.25, 5),  # 4.17
        (4, 8, 1.5, 3),
        (5, 1, 1.01, 1),
        (6, 0, 2.0, 0),
    ],
)
def test_a_limit_is_the_papers_ceiling(nodes: int, keys: int, balance: float, limit: int) -> None:
    """Mirrokni, Thorup and Zadimoghaddam 2016, 1.1: ceil(c m/n)."""
    ring = Ring([f"n{number}" for number in range(nodes)])
    assert set(capacities(ring, keys, balance).values()) == {limit}
    assert max(bounded_loads(ring, KEYS[:keys], balance).loads.values()) <= limit


def test_the_first_node_takes_the_whole_circle_and_the_last_gives_it() -> None:
    """There is no owner before the first join and after the last leave, so no range changes hands."""
    empty, alone = Ring(), Ring().including("A")
    assert set(map(alone.lookup, KEYS)) == {"A"}
    assert alone.excluding("A") == empty
    (whole,) = moves_between(alone, Ring("B"))
    assert whole.start == whole.end


@pytest.mark.parametrize("weights", [(1, 1, 8), (6, 3, 1)])
def test_with_unequal_weights_a_new_ketama_server_moves_keys_between_the_old_ones(weights: tuple[int, ...]) -> None:
    """memcached's own word, pull request 873: weights "would shift unrelated servers". The number of digests depends on
    the number of servers. A notebook and `Ketama` say: 1.3 to 2.4 times as many keys as must."""
    keys = [f"k{number}" for number in range(20_000)]
    for names in range(6):
        nodes = [Node(f"{names}.{at}", float(weight)) for at, weight in enumerate(weights)]
        before, after = FastRing(nodes, Ketama()), FastRing([*nodes, Node("~new")], Ketama())  # the last in order
        owners, then = before.lookup_many(keys), after.lookup_many(keys)
        moved, between = (owners != then).sum(), ((owners != then) & (then != 3)).sum()
        assert between > 500
        assert 1.3 < moved / (len(keys) / (sum(weights) + 1)) < 2.4, f"names {names}"


def test_with_equal_weights_a_new_ketama_server_takes_keys_and_moves_no_other() -> None:
    before, after = Ring("ABC", Ketama()), Ring("ABCD", Ketama())
    assert {move.taker for move in moved_keys(before, after, KEYS)} == {"D"}


def test_a_forwarded_key_is_found_by_asking_machine_after_machine_clockwise() -> None:
    """Mirrokni, Thorup and Zadimoghaddam 2016, 1.1: a lookup goes on from where the key belongs."""
    ring = Ring("ABCDE", Placement(vnodes=3))
    placed = bounded_loads(ring, KEYS, 1.1)
    asked = {key: ring.preference_list(key, 5).index(owner) + 1 for key, owner in placed.owners.items()}
    assert {key for key in KEYS if asked[key] > 1} == set(placed.forwarded)
    assert max(asked.values()) > 2
    assert sum(asked.values()) / len(KEYS) < 2.5


def test_under_a_bound_keys_move_when_others_leave_and_on_a_plain_ring_none_does() -> None:
    """The paper's subject: each change moves O(1/epsilon^2) others on average."""
    ring, left = Ring("ABCDE", Placement(vnodes=3)), KEYS[100:]
    moved = {}
    for balance in (1.1, 2.0, 100.0):
        before, after = (bounded_loads(ring, keys, balance).owners for keys in (KEYS, left))
        moved[balance] = sum(before[key] != after[key] for key in left)
    assert moved[1.1] > moved[2.0] >= moved[100.0] == 0
