"""Replication: a comparison of Merkle trees beside a scan, and the checker on histories of these machines.

    python tests/benchmarks/bench_replication.py

Medians of the rounds. A scan sends one hash of 32 bytes for each key. The histories are of a primary and of a quorum
with write-back: 1,000 operations of four clients.
"""

from __future__ import annotations

import argparse
from statistics import median
from time import process_time
from typing import Any

from patterns.engine.clients import is_done
from patterns.engine.linearizable import Register, check
from patterns.engine.linearizable.seen import operations_of
from patterns.engine.script import Script
from patterns.replication import PrimaryBackup, Quorum
from patterns.replication.merkle import DIGEST, Tree, compare_trees
from patterns.replication.quorum import Version

KEYS, LEAVES = 10_000, 1_024


def history(machine: Any, operations: int) -> Any:
    """Four clients in turn, two of them writing; each asks again as soon as it has its answer."""
    half = operations // 4
    plans = {"W": tuple(f"w{n}" for n in range(half)), "V": tuple(f"v{n}" for n in range(half))}
    plans |= {"R": ("read",) * half, "S": ("read",) * half}
    run = Script(machine.again(clients=plans, patience=False))
    while True:
        offered = {request.client: request for request in run.history.machine.requests(run.world)}
        if not offered and not run.world.packets:
            return operations_of(run.history.path, is_done)
        run.do(*offered.values())
        run.history.advance()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = range(parser.parse_args().rounds)
    rows = {f"key {n}": Version(1, "Ann", str(n)) for n in range(KEYS)}
    builds = []
    for _ in rounds:
        began = process_time()
        tree = Tree(rows, LEAVES)
        builds.append(process_time() - began)
    print(f"build a tree of {KEYS:,} keys: {KEYS / median(builds) / 1000:,.0f}k keys a second")
    for many in (1, 1_000):
        changed = {f"key {n * KEYS // many}": Version(2, "Ann", "x") for n in range(many)}
        leaves, hashes = compare_trees(tree, Tree({**rows, **changed}, LEAVES))
        ratio = KEYS * DIGEST / (hashes * DIGEST)
        print(
            f"{many:,} differences: {hashes * DIGEST:,} bytes compared, {len(leaves)} leaves; a scan has {ratio:.1f}x"
        )
    for name, machine in (("primary", PrimaryBackup()), ("quorum, write-back", Quorum())):
        seen = history(machine, 1_000)
        times = []
        for _ in rounds:
            began = process_time()
            verdict = check(seen, Register())
            times.append(1000 * (process_time() - began))
        print(f"linearizable, {len(seen):,} operations of a {name}: {bool(verdict)} in {median(times):.0f} ms")


if __name__ == "__main__":
    main()
