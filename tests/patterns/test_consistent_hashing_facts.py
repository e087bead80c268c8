"""Figures and vectors that others published, reached by our code."""

from __future__ import annotations

from hashlib import blake2b, md5

import numpy as np
import pytest

from patterns.consistent_hashing.fast import FastRing
from patterns.consistent_hashing.hashes import HASHES, avalanche, blake2b_64, fnv1a_64, mix64
from patterns.consistent_hashing.others import Jump, Maglev, MultiProbe, jump_hash, maglev_table
from patterns.consistent_hashing.placement import Ketama, Node, Placement

KETAMA_SERVERS = {  # ketama.servers of libketama: address -> memory
    "10.0.1.1:11211": 600,
    "10.0.1.2:11211": 300,
    "10.0.1.3:11211": 200,
    "10.0.1.4:11211": 350,
    "10.0.1.5:11211": 1000,
    "10.0.1.6:11211": 800,
    "10.0.1.7:11211": 950,
    "10.0.1.8:11211": 100,
}


def test_a_million_lookups_agree_with_libketama() -> None:
    """libketama's test.sh: the MD5 over what ketama_test.c prints for keys 0 to 999,999 with ketama.servers.

    The program prints an empty line (no error), then `hash point server` for each key. Bulk lookup, about 2 s.
    """
    ring = FastRing([Node(name, weight) for name, weight in KETAMA_SERVERS.items()], Ketama())
    hashes = ring.positions_of([str(number) for number in range(1_000_000)])
    stops, owned = ring.arrays
    at = ring.points_at(hashes)
    printed = zip(hashes.tolist(), stops[at].tolist(), owned[at].tolist(), strict=True)
    lines = "\n" + "".join([f"{key} {point} {ring.names[owner]}\n" for key, point, owner in printed])
    assert md5(lines.encode()).hexdigest() == "5672b131391f5aa2b280936aec1eea74"


def test_a_thousand_single_lookups_agree_with_libketama() -> None:
    """The figure for the first thousand keys of the same program in MediaWiki (HashRingTest, Ketama mode)."""
    ring = FastRing([Node(name, weight) for name, weight in KETAMA_SERVERS.items()], Ketama())
    printed = []
    for number in range(1000):
        walk = ring.advance(ring.begin(str(number)))
        assert ring.lookup(str(number)) == walk.chosen[0]
        printed.append(f"{walk.position} {ring.positions[walk.visits[-1][0]]} {walk.chosen[0]}\n")
    assert md5(("\n" + "".join(printed)).encode()).hexdigest() == "d1a4912a80e4654ec2e4e462c8b911c6"


def test_four_equal_ketama_servers_have_160_points_each() -> None:
    """ketama.c: 40 digests a server of mean weight, four points a digest."""
    for servers in (4, 7):  # with 7, single precision rounds the share to 40 digests, double precision to 39
        assert Ketama().counts([Node(f"10.0.0.{number}:11211") for number in range(servers)]) == (160,) * servers


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0xCBF29CE484222325), ("a", 0xAF63DC4C8601EC8C), ("foobar", 0x85944171F73967E8)],
)
def test_fnv1a_gives_its_test_vectors(text: str, value: int) -> None:
    """RFC 9923, the FNV-1a 64-bit vectors of the authors' test suite."""
    assert fnv1a_64(text.encode()) == value


def test_ketama_and_blake2b_positions_are_the_first_bytes_of_the_digests() -> None:
    """RFC 1321, A.5: MD5 of "abc" is 900150983cd24fb0d6963f7d28e17f72; BLAKE2b is the standard library's (RFC 7693)."""
    assert HASHES["ketama"].of(b"abc") == int.from_bytes(bytes.fromhex("90015098"), "little")
    assert blake2b_64(b"abc") == int.from_bytes(blake2b(b"abc", digest_size=8).digest(), "big")


def test_splitmix64_gives_its_known_sequence() -> None:
    """The first outputs of SplitMix64 seeded with 1234567 (the generator's published reference sequence)."""
    golden = 0x9E3779B97F4A7C15
    states = [(1234567 + golden * step) % 2**64 for step in range(1, 6)]
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [mix64(state) for state in states] == known


# the lesson of FNV-1a


def loads(hash: str) -> list[int]:
    ring = FastRing(["node_1", "node_2", "node_3"], Placement(hash, vnodes=150))
    return np.bincount(ring.lookup_many([f"key_{number}" for number in range(1000)]), minlength=3).tolist()


def test_an_fnv1a_ring_puts_100_100_and_800_of_1000_sequential_keys_on_its_nodes() -> None:
    """Three nodes of 150 points named `node_1#0` ... `node_3#149`, keys `key_0` ... `key_999`, 64-bit FNV-1a."""
    assert loads("fnv1a") == [100, 100, 800]


def test_it_is_the_keys_that_stand_in_ten_heaps() -> None:
    """The last two digits reach only positions near by: a hundred keys stand within a thousandth of the circle."""
    hundreds = [[fnv1a_64(b"key_%d" % number) / 2**64 for number in range(h, h + 100)] for h in range(100, 1000, 100)]
    assert max(max(heap) - min(heap) for heap in hundreds) < 1 / 200
    mixed = [mix64(fnv1a_64(b"key_%d" % number)) / 2**64 for number in range(100, 200)]
    assert max(mixed) - min(mixed) > 0.9


def test_a_last_byte_hardly_reaches_the_upper_bits_of_fnv1a_and_every_bit_of_a_mixing_hash() -> None:
    """The last byte is multiplied once, by 2^40 + 0x1b3: a flip of its lowest bit hardly goes above bit 40."""
    keys = [f"key_{number}" for number in range(4000)]
    fnv = avalanche("fnv1a", keys)
    assert len(fnv) == 64
    for bit in range(24):  # above bit 40 only a carry gets, half as often with each bit
        assert fnv[23 - bit] <= 1.5 / 2**bit
    for name in ("blake2b", "fnv1a-mixed", "ketama"):
        flips = avalanche(name, keys)
        # 4000 fair coins: 5 standard deviations of 0.0079
        assert max(abs(flip - 0.5) for flip in flips) < 0.04, name
    with pytest.raises(ValueError, match="no key with a byte"):
        avalanche("blake2b", [""])


@pytest.mark.parametrize("name", ["fnv1a-mixed", "blake2b"])
def test_a_finalizer_or_a_mixing_hash_repairs_it(name: str) -> None:
    """As even as 150 points a node can be: shares within the bound of that many points."""
    assert max(loads(name)) < 450


# jump, Maglev, multi-probe


def test_jump_hash_gives_the_published_buckets() -> None:
    """Guava's and go-jump's vectors for Lamping and Veach 2014, Figure 1."""
    first = [0, 55, 62, 8, 45, 59, 86, 97, 82, 59, 73, 37, 17, 56, 86, 21, 90, 37, 38, 83]
    assert [jump_hash(key, 100) for key in range(20)] == first
    assert jump_hash(256, 1024) == 520
    assert [jump_hash(key, 11) for key in (10863919174838991, 2016238256797177309, 1673758223894951030)] == [6, 3, 5]
    assert [jump_hash(key, 100_001) for key in (2, 2201, 2202)] == [80343, 22152, 15018]
    for key, buckets in {
        1: [0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 17, 17],
        0xDEADBEEF: [0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16],
        0x0DDC0FFEEBADF00D: [0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 15, 15, 15, 15],
    }.items():
        assert [jump_hash(key, count + 1) for count in range(19)] == buckets
    assert [Jump("ABC").index_of(key) for key in range(500)] == [jump_hash(key, 3) for key in range(500)]


def test_maglev_fills_the_table_of_the_papers_example() -> None:
    """Eisenbud et al. 2016, Table 1: three backends, a table of 7; then without B1."""
    b0, b1, b2 = (3, 4), (0, 2), (3, 1)
    assert maglev_table([b0, b1, b2], 7) == [1, 0, 1, 0, 2, 2, 0]
    assert maglev_table([b0, b2], 7) == [0, 0, 0, 0, 1, 1, 1]


def test_maglev_shares_its_table_to_within_one_entry() -> None:
    """Eisenbud et al. 2016, 3.4: backends take turns, so none has more than one entry more than another."""
    for nodes in (3, 7, 50):
        counts = np.bincount(Maglev([f"backend-{number}" for number in range(nodes)]).table, minlength=nodes)
        assert counts.sum() == 65537
        assert counts.max() - counts.min() <= 1


def probed(router: MultiProbe, hashed: np.ndarray) -> np.ndarray:
    """The node of each hash, by the definition, for many at once: the least distance clockwise from any probe."""
    points = [np.uint64(blake2b_64(name.encode())) for name in router.names]
    probes = [mix64(hashed ^ np.uint64(mix64(probe))) for probe in range(router.probes)]
    return np.stack([np.stack([point - probe for probe in probes]).min(axis=0) for point in points]).argmin(axis=0)


def test_multi_probe_with_21_probes_comes_within_5_percent_of_the_mean() -> None:
    """Appleton and O'Reilly 2015: 1 + 1/epsilon probes for a peak of 1 + epsilon; on average over sets of nodes."""
    hashed = mix64(np.arange(100_000, dtype=np.uint64))
    peaks = []
    for trial in range(10):
        router = MultiProbe([f"{trial}-{node}" for node in range(10)])
        owners = probed(router, hashed)
        assert owners[:100].tolist() == [router.index_of(int(value)) for value in hashed[:100]]
        counts = np.bincount(owners, minlength=10)
        peaks.append(counts.max() / counts.mean())
    assert np.mean(peaks) < 1.05 + 3 * np.sqrt(10 / 100_000), peaks  # 3 deviations of a count's own noise
