"""Vectors, dots, sets, counters and trees: published cases, laws of a merge, and every history of two replicas."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from patterns.engine.milestones import find, fired
from patterns.engine.table import Table
from patterns.replication.lesson import BUGS, GALLERY, measure
from patterns.replication.lesson.gallery import added_again, siblings
from patterns.replication.merkle import DIGEST, Tree, compare_trees
from patterns.replication.quorum import Version
from patterns.replication.versions import Counter, Dotted, Plain, Stamped, Tombstones, compare, joined, next_dot

# Version vectors


def test_dynamos_figure_3() -> None:
    """Dynamo 4.4: D1 [x1], D2 [x2], D3 [x2, y1], D4 [x2, z1], D5 [x3, y1, z1]."""
    d1, d2, d3, d4, d5 = {"x": 1}, {"x": 2}, {"x": 2, "y": 1}, {"x": 2, "z": 1}, {"x": 3, "y": 1, "z": 1}
    assert compare(d1, d2) == "before"
    assert (compare(d2, d3), compare(d2, d4)) == ("before", "before")
    assert compare(d3, d4) == "concurrent"
    assert (compare(d5, d3), compare(d5, d4)) == ("after", "after")


vectors = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3))


@given(vectors, vectors)
def test_comparing_the_other_way_round_turns_the_answer_round(a: dict[str, int], b: dict[str, int]) -> None:
    turned = {"before": "after", "after": "before"}
    assert compare(b, a) == turned.get(compare(a, b), compare(a, b))


@given(vectors, vectors)
def test_a_replica_that_a_vector_does_not_name_counts_0(a: dict[str, int], b: dict[str, int]) -> None:
    assert compare(a, b) == compare({**dict.fromkeys("xyz", 0), **a}, {**dict.fromkeys("xyz", 0), **b})


@given(vectors, vectors)
def test_a_join_has_seen_what_either_has_seen(a: dict[str, int], b: dict[str, int]) -> None:
    both = dict(joined(Table(tuple(sorted(a.items()))), Table(tuple(sorted(b.items())))))
    assert compare(a, both) in ("before", "same")
    assert compare(b, both) in ("before", "same")


# Siblings


def test_mary_and_peter() -> None:
    """The first example of dotted version vector sets (ricardobcl/Dotted-Version-Vectors): v1; v2 blind; v3 by a client
    that has seen v1 only. Left are v3 and v2, and the vector says a: 3."""
    one = Dotted().written("a", "v1", Table())
    two = one.written("a", "v2", Table())
    three = two.written("a", "v3", one.seen)
    assert three.shown == ("v2", "v3")
    assert dict(three.seen) == {"a": 3}


def test_a_write_with_the_whole_context_leaves_one_value() -> None:
    state = Dotted().written("a", "v1", Table()).written("a", "v2", Table())
    assert state.written("a", "v3", state.seen).shown == ("v3",)


def test_twenty_writes_in_turn_leave_twenty_siblings_without_dots_and_two_with() -> None:
    """Preguiça et al. 2012, 3 and 5; riak_kv#746."""
    assert measure.siblings_after(20, "siblings")[-1] == 20
    assert max(measure.siblings_after(20, "dotted siblings")) == 2


def test_a_client_that_has_seen_both_siblings_writes_one_value_for_both() -> None:
    end = siblings().branch[-1].state
    assert end["Ann"].has.shown == end["Ben"].has.shown == ("3 milk",)


# Last write wins


def test_equal_stamps_have_the_same_winner_everywhere() -> None:
    """ai-memory#344."""
    one, other = Stamped(1, "Ann", "milk"), Stamped(1, "Ben", "tea")
    assert one.merged(other) == other.merged(one) == other


def test_a_clock_that_is_behind_drops_a_later_write_silently() -> None:
    """riak_kv#1512; cockroach#143096."""
    broken = BUGS["the clock gives the stamp"].found().counterexample
    assert "does not show it" in broken.reason


@pytest.mark.parametrize(("behind", "share"), [(1, 0.05), (5, 0.20), (20, 0.43), (100, 0.50)])
def test_a_clock_that_is_behind_drops_a_share_of_all_writes(behind: int, share: float) -> None:
    """Two phones in turn, a write every 10 ms: half of 1 - exp(-behind / 10). Stamps after all seen drop none."""
    found = measure.dropped(behind)
    assert found == pytest.approx(share, abs=0.02)
    assert found == pytest.approx((1 - exp(-behind / 10)) / 2, abs=0.02)
    assert measure.dropped(behind, by_clock=False) == 0


# Sets and counters


def test_a_removed_element_stays_removed_and_an_unseen_one_stays() -> None:
    """riak_dt#78: A adds foo, bar; B adds baz; C is A merged with B; A removes bar. Merged either way: foo, baz."""
    a = Dotted().added("a", "foo").added("a", "bar")
    c = a.merged(Dotted().added("b", "baz"))
    a = a.removed("bar")
    assert a.merged(c).shown == c.merged(a).shown == ("baz", "foo")


def test_an_add_that_the_remover_has_not_seen_wins() -> None:
    """Shapiro et al. 2011, specification 15."""
    for data in ("set", "set with tombstones"):
        assert added_again(data).branch[-1].state["Ben"].has.shown == ("beer",)


def _next(a: Dotted, b: Dotted, s: Tombstones, t: Tombstones, counts: bool = False) -> Iterator[tuple[Any, ...]]:
    """The pairs of replicas after one more operation. `counts`: a removal takes the next number of its replica."""
    for name, x, y, u, v in (("a", a, b, s, t), ("b", b, a, t, s)):
        without = x.removed("e")
        if counts:
            without = replace(without, seen=without.seen.put(*next_dot(without.seen, name)))
        for p, q in (
            (x.added(name, "e"), u.added(name, "e")),
            (without, u.removed("e")),
            (x.merged(y), u.merged(v)),
        ):
            yield (p, y, q, v) if name == "a" else (y, p, v, q)


def test_every_history_of_six_operations_on_two_replicas_shows_the_same_with_dots_and_with_tombstones() -> None:
    """All 46,656: at each replica add or remove one element, or merge with the other one."""
    pairs: list[tuple[Any, ...]] = [(Dotted(), Dotted(), Tombstones(), Tombstones())]
    for _ in range(6):
        pairs = [after for pair in pairs for after in _next(*pair)]
    assert len(pairs) == 46_656
    assert all((a.shown, b.shown) == (s.shown, t.shown) for a, b, s, t in pairs)


def test_a_removal_that_counts_itself_is_harmless() -> None:
    """So that is not planted. All 7,776 histories of five operations show the same as with tombstones.

    The planted bug is a removal that counts writes which it has not seen.
    """
    pairs: list[tuple[Any, ...]] = [(Dotted(), Dotted(), Tombstones(), Tombstones())]
    for _ in range(5):
        pairs = [after for pair in pairs for after in _next(*pair, counts=True)]
    assert len(pairs) == 7_776
    assert all((a.shown, b.shown) == (s.shown, t.shown) for a, b, s, t in pairs)


STEPS = st.lists(
    st.tuples(st.sampled_from(("add", "remove", "merge")), st.integers(0, 2), st.integers(0, 2)), max_size=8
)


@given(STEPS, st.sampled_from((Dotted, Tombstones)))
def test_a_merge_is_commutative_associative_and_idempotent(steps: Any, kind: type[Dotted] | type[Tombstones]) -> None:
    """Shapiro et al. 2011, 2.2."""
    states: list[Any] = [kind(), kind(), kind()]
    for what, at, other in steps:
        if what == "merge":
            states[at] = states[at].merged(states[other])
        else:
            states[at] = states[at].added(f"r{at}", "e") if what == "add" else states[at].removed("e")
    a, b, c = states
    assert a.merged(b) == b.merged(a)
    assert a.merged(b).merged(c) == a.merged(b.merged(c))
    assert a.merged(a) == a
    assert a.merged(b).merged(b) == a.merged(b)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=10))
def test_a_counter_shows_what_was_counted_once_all_have_met(steps: list[tuple[int, int]]) -> None:
    counters = [Counter(), Counter(), Counter()]
    for at, other in steps:
        counters[at] = counters[at].counted(f"r{at}") if at == other else counters[at].merged(counters[other])
    total = counters[0].merged(counters[1]).merged(counters[2])
    assert total.shown == (str(sum(at == other for at, other in steps)),)


def test_a_counter_that_is_merged_twice_counts_once() -> None:
    end = GALLERY["A counter is merged twice, and counts once"]().branch[-1].state
    assert end["Ann"].has.shown == end["Ben"].has.shown == ("4",)


def test_one_vector_for_all_siblings_does_not_even_agree() -> None:
    """The same vector with different values: why Riak gave each value a dot."""
    a = Plain().written("a", "milk", Table())
    b = Plain().written("b", "tea", Table()).merged(a)
    newer = a.written("a", "eggs", a.seen)
    one, other = newer.merged(Plain().written("b", "tea", Table())), b.merged(newer)
    assert one.seen == other.seen
    assert one.shown != other.shown


# Trees of hashes

ROWS = {f"key {number}": Version(1, "Ann", str(number)) for number in range(64)}
changed_rows = st.dictionaries(st.sampled_from(sorted(ROWS)), st.sampled_from(("", "new")), max_size=6)


@given(changed_rows)
def test_trees_have_equal_roots_if_and_only_if_the_rows_are_equal(changed: dict[str, str]) -> None:
    """Dynamo 4.7; a removal is a version too, with an empty value."""
    other = {**ROWS, **{key: Version(2, "Ben", value) for key, value in changed.items()}}
    assert (Tree(ROWS, 8).root == Tree(other, 8).root) == (not changed)


@pytest.mark.parametrize(
    "other", [Version(2, "Ann", "7"), Version(1, "Ben", "7"), Version(1, "Ann", "8"), Version(1, "Ann", "")]
)
def test_a_leafs_hash_covers_version_value_and_tombstone(other: Version) -> None:
    """ferrosa#47: a hash of the keys only."""
    leaves, hashes = compare_trees(Tree(ROWS, 8), Tree({**ROWS, "key 7": other}, 8))
    assert len(leaves) == 1
    assert hashes == 1 + 2 + 2 + 2


def test_one_difference_in_10_000_keys_costs_21_hashes() -> None:
    """At most 1 kB is compared, against 320 kB of a scan."""
    compared, rows = measure.bytes_compared(1)
    assert compared == 21 * DIGEST == 672
    assert rows < 30


def test_many_differences_send_far_more_rows_than_differ() -> None:
    """A leaf is sent whole: 1,000 differences in 1,024 leaves hit over 600 of them."""
    compared, rows = measure.bytes_compared(1_000)
    assert rows > 5 * 1_000
    assert compared > 600 * DIGEST


@pytest.mark.parametrize("leaves", [0, 3, 6, -2])
def test_a_number_of_leaves_that_is_no_power_of_two_is_refused(leaves: int) -> None:
    with pytest.raises(ValueError, match=f"leaves is {leaves}; allowed is a power of two"):
        Tree(ROWS, leaves)


def test_trees_of_different_ranges_are_not_compared() -> None:
    with pytest.raises(ValueError, match="allowed are equal numbers"):
        compare_trees(Tree(ROWS, 4), Tree(ROWS, 8))


def test_two_replicas_are_equal_after_they_have_compared_themselves() -> None:
    history = GALLERY["Two trees of hashes are compared branch by branch"]()
    ann, ben = history.branch[-1].state.processes
    assert ann.rows == ben.rows
    assert ann.rows["beer"] == Version(2, "Ann", "")
    levels = [note.values["compared"] for step in history.steps for note in step.notes if note.rule == "MT.level"]
    assert levels == [1, 2, 2, 2] * 2


def test_a_hint_that_comes_home_late_loses_against_the_tombstone() -> None:
    """A hint must not outlive the tombstone of its row: scylla#21662; Cassandra bounds both by time."""
    history = GALLERY["A hint comes home to a tombstone, and loses"]()
    home = find(history, fired("MT.home"))
    assert home is not None
    assert [each.rows["milk"].value for each in home.state.processes] == ["", ""]
    ann, ben = history.branch[-1].state.processes
    assert "milk" not in ann.rows
    assert ann.rows == ben.rows


@pytest.mark.parametrize(("title", "steps"), [("a hint outlives a tombstone", 7), ("a tombstone goes too soon", 5)])
def test_the_shortest_run_that_brings_a_removed_key_back(title: str, steps: int) -> None:
    assert len(BUGS[title].found().counterexample.history.path) - 1 == steps


def test_every_pair_of_orders_of_two_writes_gives_one_last_write() -> None:
    stamps = [Stamped(time, by, f"{time}{by}") for time, by in product((1, 2), ("Ann", "Ben"))]
    assert all(a.merged(b) == b.merged(a) for a, b in product(stamps, repeat=2))
