"""Slots, partitions and ranges beside redis-py and kafka-python, in one run.

    pip install -r tests/benchmarks/requirements.txt
    python tests/benchmarks/bench_sharding.py

Every contender takes its turn in every round, so that a busy machine slows all of them alike, and processor time is
counted; the figures are medians over the rounds, the ratios medians of each round's ratio to the first contender.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time
from typing import Any

from patterns.sharding.fast import at_many, murmur2_many, slots_of
from patterns.sharding.hashes import murmur2, slot_of, token_of
from patterns.sharding.ranges import Ranges

try:
    from redis.crc import key_slot
except ImportError:
    key_slot = None  # type: ignore[assignment]
try:
    from kafka.partitioner.default import murmur2 as kafka_murmur2
except ImportError:
    kafka_murmur2 = None

Work = Callable[[], Any]


def each(function: Callable[[Any], Any], keys: list[Any]) -> Work:
    def work() -> None:
        for key in keys:
            function(key)

    return work


def contenders(number: int) -> Mapping[str, Mapping[str, Work]]:
    """Row -> contender -> one round's work. The first of a row is what the others are compared with."""
    plain = [f"user:{at}" for at in range(number)]
    tagged = [f"{{user:{at}}}.parcels" for at in range(number)]
    data, tags = [key.encode() for key in plain], [key.encode() for key in tagged]
    ranges = Ranges(("", *(f"user:{at:06}" for at in range(1, 4096))))
    rows: dict[str, dict[str, Work]] = {
        "slots, plain keys": {"single": each(slot_of, data), "bulk": lambda: slots_of(plain)},
        "slots, tagged keys": {"single": each(slot_of, tags), "bulk": lambda: slots_of(tagged)},
        "murmur2": {"single": each(murmur2, data), "bulk": lambda: murmur2_many(plain)},
        "tokens": {"single": each(token_of, data[: number // 10] * 10)},
        "4,096 ranges": {"single": each(ranges.at, plain), "bulk": lambda: at_many(ranges, plain)},
    }
    if key_slot is not None:
        rows["slots, plain keys"]["redis-py"] = each(key_slot, data)
        rows["slots, tagged keys"]["redis-py"] = each(key_slot, tags)
    if kafka_murmur2 is not None:
        rows["murmur2"]["kafka-python"] = each(kafka_murmur2, data)
    return rows


def measure(row: Mapping[str, Work], rounds: int) -> dict[str, tuple[float, float]]:
    """Contender -> (median seconds, median ratio of the first one's time to its own)."""
    times: dict[str, list[float]] = {name: [] for name in row}
    for turn in range(rounds + 1):
        for name, work in row.items():
            begin = process_time()
            work()
            if turn:  # the first round warms caches up
                times[name].append(process_time() - begin)
    first = times[next(iter(row))]
    return {
        name: (median(taken), median(one / other for one, other in zip(first, taken, strict=True)))
        for name, taken in times.items()
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--keys", type=int, default=100_000)
    chosen = options.parse_args()
    print(f"Python {platform.python_version()}, {platform.machine()}, medians of {chosen.rounds} rounds")
    if key_slot is None or kafka_murmur2 is None:
        print("a peer is not installed: pip install -r tests/benchmarks/requirements.txt", file=sys.stderr)
    for title, row in contenders(chosen.keys).items():
        for name, (seconds, ratio) in measure(row, chosen.rounds).items():
            speed = f"{chosen.keys / seconds / 1000:>9,.0f} k/s"
            print(f"  {title:<20} {name:<14} {speed}   {ratio:5.2f} x the speed of single")


if __name__ == "__main__":
    main()
