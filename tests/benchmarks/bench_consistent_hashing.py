"""Our ring beside uhashring and a bare MD5 + bisect loop, in one run.

    pip install -r tests/benchmarks/requirements.txt
    python tests/benchmarks/bench_consistent_hashing.py

Every contender takes its turn in every round, so that a busy machine slows all of them alike, and processor time is
counted; the figures are medians over the rounds, the ratios medians of each round's ratio to ours. Every ring has 160
points for each node. Ours is `FastRing`; `plain` is `Ring`, the one that reads like the paper. `add a node` ends with a
first lookup, so that nobody gains by putting work off; `plain, moves` works out the ranges that move instead, which no
peer does.
"""

from __future__ import annotations

import argparse
import platform
import sys
from bisect import bisect
from collections.abc import Callable
from hashlib import md5
from statistics import median
from time import process_time
from typing import Any

from patterns.consistent_hashing import Ring, moves_between
from patterns.consistent_hashing.fast import FastRing
from patterns.consistent_hashing.placement import Ketama

try:
    from uhashring import HashRing
except ImportError:
    HashRing = None

VNODES = 160
ADDED = 10  # nodes added in a round, each to a ring of its own
Work = Callable[[], Any]


class Bare:
    """The least code that is a ring: MD5, two lists, bisect."""

    def __init__(self, names: list[str]) -> None:
        self.points: list[tuple[int, str]] = []
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self.points += [(self.hash(f"{name}-{number}"), name) for number in range(VNODES)]
        self.points.sort()
        self.stops = [position for position, _ in self.points]
        self.owners = [name for _, name in self.points]

    @staticmethod
    def hash(key: str) -> int:
        return int.from_bytes(md5(key.encode()).digest()[:8], "big")

    def lookup(self, key: str) -> str:
        at = bisect(self.stops, int.from_bytes(md5(key.encode()).digest()[:8], "big"))
        return self.owners[at if at < len(self.owners) else 0]


def each(lookup: Callable[[str], Any], keys: list[str]) -> Work:
    def work() -> None:
        for key in keys:
            lookup(key)

    return work


def contenders(nodes: int, keys: list[str], many: list[str]) -> dict[str, dict[str, Callable[[], Work]]]:
    """Row -> contender -> what makes one round's work; making it is not timed. Ours comes first."""
    names = [f"cache-{number}" for number in range(nodes)]
    ring, plain, ketama, bare = FastRing(names), Ring(names), FastRing(names, Ketama()), Bare(names)
    rows: dict[str, dict[str, Callable[[], Work]]] = {
        "single lookups": {
            "ours": lambda: each(ring.lookup, keys),
            "plain": lambda: each(plain.lookup, keys),
            "bare": lambda: each(bare.lookup, keys),
        },
        "bulk lookups": {
            "ours": lambda: lambda: ring.lookup_many(many),
            "plain": lambda: lambda: [plain.lookup(key) for key in many],
            "bare": lambda: lambda: [bare.lookup(key) for key in many],
        },
        "ketama lookups": {"ours": lambda: each(ketama.lookup, keys)},
        "add a node": {
            "ours": lambda: repeated(ADDED, lambda: ring.including("new").lookup("key")),
            "plain": lambda: repeated(ADDED, lambda: plain.including("new").lookup("key")),
            "plain, moves": lambda: repeated(ADDED, lambda: len(moves_between(plain, plain.including("new")))),
            "bare": lambda: adding([Bare(names) for _ in range(ADDED)], Bare.add, Bare.lookup),
        },
    }
    if HashRing is not None:
        peer, peer_ketama = HashRing(names, vnodes=VNODES), HashRing(names, hash_fn="ketama")
        rows["single lookups"]["uhashring"] = lambda: each(peer.get_node, keys)
        rows["bulk lookups"]["uhashring"] = lambda: lambda: [peer.get_node(key) for key in many]
        rows["ketama lookups"]["uhashring"] = lambda: each(peer_ketama.get_node, keys)
        rows["add a node"]["uhashring"] = lambda: adding(
            [HashRing(names, vnodes=VNODES) for _ in range(ADDED)], HashRing.add_node, HashRing.get_node
        )
    return rows


def repeated(times: int, work: Work) -> Work:
    def all_of_it() -> None:
        for _ in range(times):
            work()

    return all_of_it


def adding(rings: list[Any], add: Callable[[Any, str], None], lookup: Callable[[Any, str], Any]) -> Work:
    """Add a node to each of some rings that can change, and look a key up."""

    def work() -> None:
        for ring in rings:
            add(ring, "new")
            lookup(ring, "key")

    return work


def measure(row: dict[str, Callable[[], Work]], rounds: int) -> dict[str, tuple[float, float]]:
    """Contender -> (median seconds, median ratio to ours)."""
    times: dict[str, list[float]] = {name: [] for name in row}
    for turn in range(rounds + 1):
        for name, prepare in row.items():
            work = prepare()
            begin = process_time()
            work()
            if turn:  # the first round warms caches up
                times[name].append(process_time() - begin)
    ours = times["ours"]
    return {
        name: (median(taken), median(one / other for one, other in zip(taken, ours, strict=True)))
        for name, taken in times.items()
    }


def report(nodes: int, single: int, bulk: int, rounds: int) -> None:
    keys, many = [f"user:{number}" for number in range(single)], [f"user:{number}" for number in range(bulk)]
    counts = {"single lookups": single, "bulk lookups": bulk, "ketama lookups": single}
    print(f"\n{nodes} nodes x {VNODES} points")
    for title, row in contenders(nodes, keys, many).items():
        for name, (seconds, ratio) in measure(row, rounds).items():
            figure = (
                f"{counts[title] / seconds:>12,.0f} /s" if title in counts else f"{seconds / ADDED * 1e6:>12,.0f} us"
            )
            beside = "" if name == "ours" else f"   {ratio:5.2f} x the time of ours"
            print(f"  {title:<16} {name:<12} {figure}{beside}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--single", type=int, default=20_000, help="single lookups a round")
    options.add_argument("--bulk", type=int, default=50_000, help="keys of a bulk lookup")
    options.add_argument("--nodes", type=int, nargs="*", default=[3, 10, 100])
    chosen = options.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, medians of {chosen.rounds} rounds")
    if HashRing is None:
        print("uhashring is not installed: pip install -r tests/benchmarks/requirements.txt", file=sys.stderr)
    for nodes in chosen.nodes:
        report(nodes, chosen.single, chosen.bulk, chosen.rounds)


if __name__ == "__main__":
    main()
