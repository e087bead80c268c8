"""Keys, slots, tokens, partitions, ranges, maps and plans, beside what their systems publish."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.sharding.fast import at_many, murmur2_many, slots_of
from patterns.sharding.hashes import LEAST_TOKEN, murmur2, partition_of, slot_of, token_of
from patterns.sharding.hot import Heat, hot_keys, price, salted, zipf
from patterns.sharding.maps import MAPS, ModuloMap, RangeMap, SlotMap, moved_keys
from patterns.sharding.plan import Move, fewest_moves, moved, plan, totals
from patterns.sharding.query import Parcel, Question, leg, merged, slow
from patterns.sharding.ranges import RangeError, Ranges, scan

KEYS = st.text(alphabet="ab{}éA/ ", max_size=12)


# Redis Cluster: keys in slots


@pytest.mark.parametrize(
    ("key", "slot"), [("foo", 12182), ("123456789", 12739), ("foo{bar}{zap}", 5061), ("{abc", 444), ("aga", 609)]
)
def test_a_key_has_the_slot_that_a_live_cluster_gives_it(key: str, slot: int) -> None:
    """Tried on Redis 7.0.15; `aga` is the key of Valkey's half-migrated-slot.tcl."""
    assert slot_of(key) == slot


# The last rows of Valkey's table: the shortest key of letters and digits in each slot.
LAST = [
    "02I",
    "45c",
    "6DH",
    "iw",
    "0JE",
    "0di",
    "2QJ",
    "6jd",
    "5Of",
    "4Rw",
    "5W7",
    "Jk",
    "0iY",
    "0Gu",
    "dG",
    "6Ix",
    "48S",
    "47R",
    "6Fy",
    "kF",
    "0Ht",
    "0fX",
    "Ej",
    "5X6",
    "5MW",
    "4PF",
    "6ee",
    "HZ",
    "0kh",
    "0ED",
    "fv",
    "6KI",
    "5nK",
    "6UK",
    "54A",
    "1Kg",
    "xt",
    "VX",
    "C9",
    "4ND",
    "7kF",
    "5F4",
    "4Ct",
    "0xZ",
    "2My",
    "1L",
    "0Vv",
    "4mX",
    "4x9",
    "430",
    "4bY",
    "0Yw",
    "zE",
    "Ti",
    "03S",
    "4Lu",
    "5I5",
    "60n",
    "4AE",
    "L8",
    "YY",
    "wu",
    "0TG",
    "4oi",
    "6ZJ",
]


def test_the_last_slots_have_the_keys_of_valkeys_table() -> None:
    """valkey, `src/crc16_slottable.h`. A real server is asked about all 16,384 slots in tests/runtime."""
    assert [slot_of(key) for key in LAST] == [*range(16_384 - len(LAST), 16_384)]
    assert slots_of(LAST).tolist() == [*range(16_384 - len(LAST), 16_384)]


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        ("{user1000}.following", "user1000"),
        ("foo{}{bar}", "foo{}{bar}"),
        ("foo{{bar}}zap", "{bar"),
        ("foo{bar}{zap}", "bar"),
        ("}a{b}", "b"),
        ("a}b", "a}b"),
        ("", ""),
    ],
)
def test_the_tag_stands_between_the_first_brace_and_the_first_one_that_closes_it(key: str, tag: str) -> None:
    """Redis Cluster specification, "Hash tags"; there is one try."""
    assert slot_of(key) == crc_hqx(tag.encode(), 0) % 16_384


@given(st.lists(KEYS))
def test_many_keys_at_once_have_the_slots_that_each_has_by_itself(keys: list[str]) -> None:
    assert slots_of(keys).tolist() == [slot_of(key) for key in keys]


def test_a_key_that_is_no_text_is_refused_by_its_place() -> None:
    with pytest.raises(TypeError, match=r"keys\[1\] is 7"):
        slots_of(["a", 7])  # type: ignore[list-item]


# Kafka and Cassandra


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_gives_kafkas_values(key: str, hashed: int) -> None:
    """kafka, `UtilsTest.testMurmur2`: its six values, signed."""
    assert murmur2(key.encode()) == hashed & 0xFFFFFFFF


@given(st.lists(KEYS))
def test_many_keys_at_once_have_the_murmur2_that_each_has_by_itself(keys: list[str]) -> None:
    assert murmur2_many(keys).tolist() == [murmur2(key.encode()) for key in keys]


def test_eight_partitions_hide_a_wrong_sign_bit_and_ten_show_it() -> None:
    """librdkafka issue 1816: one producer masks the sign bit, another takes the remainder of the unsigned hash."""
    keys = [f"key {n}" for n in range(400)]
    unlike = {n: sum(partition_of(key, n) != murmur2(key.encode()) % n for key in keys) for n in (8, 10)}
    assert unlike[8] == 0
    assert 150 < unlike[10] < 250


@pytest.mark.parametrize(("key", "token"), [("123", -7468325962851647638), ("", LEAST_TOKEN)])
def test_a_key_has_cassandras_token(key: str, token: int) -> None:
    assert token_of(key) == token


def test_only_keys_with_bytes_above_127_show_an_unsigned_tail() -> None:
    """gocql issue 1033 and others: a tail of unsigned bytes gives other tokens."""
    assert token_of("plain") == token_of("plain", tail=int)
    assert all(token_of(key) != token_of(key, tail=int) for key in ("Zürich", "東京", "São Paulo"))


# Ranges and maps

CUTS = st.lists(st.text(alphabet="abcd", min_size=1, max_size=3), unique=True).map(sorted)


@given(CUTS, st.text(alphabet="abcde", max_size=4))
def test_every_key_is_in_exactly_one_range(cuts: list[str], key: str) -> None:
    """Half-open ranges; the last one has no end (estuary/flow issue 255 and others)."""
    ranges = Ranges(("", *cuts))
    assert [at for at in range(len(ranges)) if ranges[at].holds(key)] == [ranges.at(key)]
    assert at_many(ranges, [key]).tolist() == [ranges.at(key)]
    assert all(one.end == other.start for one, other in pairwise(ranges[at] for at in range(len(ranges))))


def test_a_range_splits_strictly_inside_and_merges_with_the_next() -> None:
    """foundationdb issue 2227: a split at the end of a range never ends."""
    ranges = Ranges(("", "m")).split("f")
    assert ranges.starts == ("", "f", "m")
    assert ranges.merged(0) == Ranges(("", "m"))
    with pytest.raises(RangeError, match="strictly inside a range"):
        ranges.split("f")
    with pytest.raises(RangeError, match="allowed is 0 to 1"):
        ranges.merged(2)
    with pytest.raises(RangeError, match="starts are"):
        Ranges(("a", "b"))


@given(CUTS, st.lists(st.text(alphabet="abcde", max_size=3), unique=True).map(sorted))
def test_a_scan_reads_each_key_once_in_order_and_asks_each_range_once(cuts: list[str], keys: list[str]) -> None:
    ranges = Ranges(("", *cuts))
    assert scan(ranges, keys, lambda this: this.end) == (keys, len(ranges))


def test_modulo_moves_three_of_four_keys_from_3_to_4_machines_and_91_percent_from_10_to_11() -> None:
    keys = [f"user:{n}" for n in range(4000)]
    for n, share in ((3, 0.75), (10, 10 / 11)):
        before = ModuloMap.begin(tuple(f"m{at}" for at in range(n)), n, ())
        assert len(moved_keys(before, before.joined("new"), keys)) / len(keys) == pytest.approx(share, abs=0.03)


def test_a_machine_that_joins_moves_no_key_under_any_other_scheme() -> None:
    keys = ("Cairo", "Lima", "Oslo")
    for name in ("range", "slots", "directory", "tokens"):
        map = MAPS[name].begin(("A", "B"), 4, keys)
        assert moved_keys(map, map.joined("C"), keys) == ()


def test_a_range_finds_neighbours_in_few_shards_and_a_hash_asks_all() -> None:
    keys = ("Africa/Cairo", "Europe/Paris")
    assert len(RangeMap.begin(("A", "B"), 6, keys).asked_for("Europe/")) == 1
    assert len(SlotMap.begin(("A", "B"), 6, keys).asked_for("Europe/")) == 6


# Plans


def load_of(counts: Sequence[int], weight: float = 1) -> dict[str, tuple[str, float]]:
    return {f"{name}{at}": (name, weight) for name, count in zip("ABCD", counts, strict=False) for at in range(count)}


def test_a_plan_for_equal_shards_has_the_fewest_moves_and_a_second_run_is_empty() -> None:
    """Of 0 to 4 shards on four machines. All 2,401 clusters of 0 to 6 were tried: none is above the lower bound."""
    machines = dict.fromkeys("ABCD", 1.0)
    for counts in product(range(5), repeat=4):
        load = load_of(counts)
        moves = plan(load, machines)
        after = moved(load, moves)
        weights = totals(after, machines).values()
        assert len(moves) == fewest_moves(dict(zip("ABCD", counts, strict=True)), machines), counts
        assert max(weights) - min(weights) <= 1, counts
        assert plan(after, machines) == [], counts


@pytest.mark.parametrize(
    ("counts", "moves", "end"), [((1, 2, 0), 1, [1, 1, 1]), ((2, 0, 0), 1, [1, 1, 0]), ((4, 4, 0), 2, [3, 3, 2])]
)
def test_a_plan_moves_as_few_shards_as_akka(counts: tuple[int, ...], moves: int, end: list[int]) -> None:
    """akka, `LeastShardAllocationStrategySpec`."""
    load, machines = load_of(counts), dict.fromkeys("ABC", 1.0)
    made = plan(load, machines)
    assert len(made) == moves
    assert list(totals(moved(load, made), machines).values()) == end


@pytest.mark.parametrize(
    ("on_a", "on_b", "room", "moves"),
    [
        ([1, 1, 1], [], (1, 1), 1),  # something is done when nothing is quite even
        ([1, 1], [1, 1], (0, 1), 2),  # a balanced machine is drained
        ([], [1, 1, 1, 1], (0, 1), 0),  # a drained machine is not filled again
        ([1, 1, 1, 3], [], (1, 1), 1),  # weights count
        ([1, 1, 1, 1], [], (1, 3), 3),  # capacities count
        ([1], [1, 1], (1, 3), 0),  # as full as before, and the other one worse: no move
        ([], [1, 1, 1], (1, 3), 1),  # as full as before, and the other one better: a move
        ([1], [1, 1, 1, 1], (1, 2), 1),
        ([1, 1], [1, 1, 1], (1, 2), 0),
        ([1, 1, 1], [], (1, 4), 3),  # all go to a machine that is large enough
        ([], [1, 1, 1, 1], (1, 3), 1),
        ([], [1, 3], (1, 3), 1),
    ],
)
def test_a_plan_has_as_many_moves_as_in_citus(
    on_a: list[float], on_b: list[float], room: tuple[float, float], moves: int
) -> None:
    """citus, `shard_rebalancer_unit.sql`: by its comments, of the cases of two nodes."""
    placed = [*(("A", weight) for weight in on_a), *(("B", weight) for weight in on_b)]
    load = {str(at): each for at, each in enumerate(placed, 1)}
    assert len(plan(load, dict(zip("AB", room, strict=True)))) == moves


def test_a_plan_respects_weights_capacities_drains_and_the_threshold() -> None:
    machines = {"A": 1.0, "B": 1.0}
    assert plan({"big": ("A", 5), "small": ("A", 1)}, machines) == [Move("big", "A", "B")]
    assert plan({"big": ("A", 5)}, machines) == [], "a move that only swaps the two does not pay"
    assert len(plan(load_of((6, 0)), {"A": 1.0, "B": 2.0})) == 4
    assert {move.shard for move in plan(load_of((3, 1)), {"A": 0.0, "B": 1.0})} == {"A0", "A1", "A2"}
    assert plan(load_of((3, 1)), machines, threshold=0.5) == []
    assert len(plan(load_of((3, 1)), machines, threshold=0.4)) == 1


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 9)), max_size=9),
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)),
)
def test_every_move_of_a_plan_pays_and_a_second_run_is_empty(
    shards: list[tuple[str, int]], rooms: tuple[int, ...]
) -> None:
    load = {f"s{at}": shard for at, shard in enumerate(shards)}
    machines = dict(zip("ABC", map(float, rooms), strict=True))
    moves = plan(load, machines)
    for move in moves:
        before = totals(load, machines)
        load = moved(load, [move])
        after, room = totals(load, machines), machines
        assert room[move.taker] > 0
        if room[move.giver]:
            assert after[move.taker] / room[move.taker] <= before[move.giver] / room[move.giver]
    assert plan(load, machines) == []
    assert all(machines[machine] for machine, _ in load.values())


def test_a_bad_load_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"load\['1'\] is on 'C'"):
        plan({"1": ("C", 1)}, {"A": 1})
    with pytest.raises(ValueError, match="allowed are capacities"):
        plan({}, {"A": 0})
    with pytest.raises(ValueError, match="threshold is -1"):
        plan({}, {"A": 1}, -1)


# Hot keys and questions to all shards


@pytest.mark.parametrize(("keys", "share", "ten"), [(10**3, 0.129, 0.38), (10**5, 0.078, 0.23)])
def test_the_most_popular_key_has_its_share_of_a_zipf_load(keys: int, share: float, ten: float) -> None:
    """zipf(0.99): 12.9 % of 1,000 keys, 7.8 % of 100,000; the ten most popular keys 38 % and 23 %."""
    parts = zipf(keys)
    assert parts[0] == pytest.approx(share, abs=0.003)
    assert sum(parts) == pytest.approx(1)
    assert sum(parts[:10]) == pytest.approx(ten, abs=0.005)


def test_a_key_is_hot_by_operations_or_by_bytes() -> None:
    """foundationdb issue 1450: many small writes have few bytes."""
    heat = {"small": Heat(900, 10), "large": Heat(10, 9000), **{f"k{n}": Heat(5, 50) for n in range(18)}}
    assert hot_keys(heat) == ("large", "small")
    assert hot_keys({}) == ()


def test_salt_divides_writes_and_multiplies_reads_and_copies_do_the_reverse() -> None:
    assert price(reads=8, writes=8) == (16, 16)
    assert price(reads=8, writes=8, salt=4) == (8 + 2, 32 + 8)
    assert price(reads=8, writes=8, copies=4) == (2 + 8, 8 + 32)
    assert len({*salted("Ann", 4)}) == 4
    assert salted("Ann", 1) == ("Ann",)


def test_a_fan_out_of_100_is_slow_as_often_as_published_and_hedging_makes_it_rare() -> None:
    """Dean and Barroso 2013: 63 % of the answers, if 1 leg of 100 is slow."""
    assert slow(100) == pytest.approx(0.634, abs=0.001)
    assert slow(10) == pytest.approx(0.096, abs=0.001)
    assert slow(100, tries=2) == pytest.approx(0.01, abs=0.001)


PARCELS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz"), st.integers(0, 4)), max_size=9)


@given(PARCELS, st.integers(1, 3), st.sampled_from(["page", "top", "mean"]), st.integers(0, 3), st.integers(0, 3))
def test_the_parts_of_all_shards_make_the_answer_over_all_rows(
    rows: list[tuple[str, str, int]], shards: int, kind: str, limit: int, offset: int
) -> None:
    """Offset and limit are cut once, a sum is not cut at a shard, a mean needs sum and count (S19, S20)."""
    every = [Parcel(f"{key}{at}", sender, parcels) for at, (key, sender, parcels) in enumerate(rows)]
    parts = [every[at::shards] for at in range(shards)]
    question = Question(1, kind, limit, offset)  # type: ignore[arg-type]
    got = merged(question, [leg(question, part) for part in parts])
    assert got == merged(question, [leg(Question(1, kind, 99), every)])  # type: ignore[arg-type]
    if kind == "page":
        ordered = sorted(((row.key, row.parcels) for row in every), key=lambda item: (-item[1], item[0]))
        assert list(got) == ordered[offset : offset + limit]
