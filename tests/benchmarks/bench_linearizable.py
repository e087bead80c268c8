"""How long it takes to judge what the clients of one register saw.

    python tests/benchmarks/bench_linearizable.py

Every history takes its turn in every round, with other seeds each round; figures are medians over the rounds with
the slowest beside them. Seconds are those of the processor, not of the wall. The good histories are of a register that
truly is atomic; in the bad ones one read has another value, and the time includes the minimal counterexample.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from models.concurrent_clients import atomic_history, with_one_read_corrupted

from patterns.engine.linearizable import CompareAndSwapRegister, check

HISTORIES: dict[str, dict[str, Any]] = {
    "1,000 by 5 clients, all values differ": {},
    "1,000 by 5 clients, 5 values": {"values": 5},
    "1,000 by 5 clients, 5 values, swaps": {"values": 5, "swaps": 0.3},
    "1,000 by 5 clients, 5 values, 1% lost": {"values": 5, "lost": 0.01},
    "1,000 by 10 clients, all values differ": {"clients": 10},
    "10,000 by 5 clients, all values differ": {"operations": 10_000},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    good: dict[str, list[float]] = {name: [] for name in HISTORIES}
    bad: dict[str, list[float]] = {name: [] for name in HISTORIES}
    shown: dict[str, list[int]] = {name: [] for name in HISTORIES}
    for seed in range(rounds):
        for name, shape in HISTORIES.items():
            history = atomic_history(seed, **shape)
            began = process_time()
            assert check(history, CompareAndSwapRegister()), f"{name}, seed {seed}"
            good[name].append(process_time() - began)
            history = with_one_read_corrupted(history, seed)
            began = process_time()
            found = check(history, CompareAndSwapRegister()).counterexample
            if found is not None:  # with few values another one may do as well
                bad[name].append(process_time() - began)
                shown[name].append(len(found.operations))
    print(f"Python {platform.python_version()}, {rounds} rounds; milliseconds: median (slowest)")
    print(f"{'operations':40} {'linearizable':>17} {'not':>17}   shown")
    for name in HISTORIES:
        print(f"{name:40} {figures(good[name])} {figures(bad[name])}   {median(shown[name] or [0]):g}")


def figures(seconds: list[float]) -> str:
    return f"{1000 * median(seconds):8,.0f} ({1000 * max(seconds):6,.0f})" if seconds else f"{'-':>17}"


if __name__ == "__main__":
    main()
