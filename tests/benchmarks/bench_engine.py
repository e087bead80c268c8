"""The engine beside simpy's ping-pong, its memory, and the speed of the exhaustive search, in one run.

    pip install -r tests/benchmarks/requirements.txt
    python tests/benchmarks/bench_engine.py

Every contender takes its turn in every round, so that a busy machine slows all of them alike; figures are medians
over the rounds with the best round beside them, ratios medians of each round's ratio. Seconds are those of the
processor, not of the wall. The engine's figures are with its full history kept and its check for mutable values on;
simpy keeps nothing. Both draw a latency of 5 to 15 ms a message; in both a message counts as one event.
"""

from __future__ import annotations

import argparse
import gc
import platform
import random
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from models.ping_pong import FiveGossips, PingPong
from models.replicas import Replicas

from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.random_worlds import random_worlds
from patterns.engine.simulation import Simulation
from patterns.two_phase_commit.specification import TwoPhase

try:
    import simpy
except ImportError:
    simpy = None

EVENTS = 100_000
Speed = Callable[[], float]


def of_history(machine: Simulation) -> Speed:
    """Usual events a second, every state and every step kept."""

    def run() -> float:
        history = History(machine)
        began = process_time()
        for _ in range(EVENTS):
            history.advance()
        return EVENTS / (process_time() - began)

    return run


def of_simpy() -> float:
    """Messages a second between two simpy processes, through a store each."""
    environment = simpy.Environment()
    stores = [simpy.Store(environment), simpy.Store(environment)]
    draws = random.Random(0)
    done = environment.event()

    def player(mine: Any, other: Any) -> Any:
        while True:
            count = yield mine.get()
            if count == EVENTS:
                done.succeed()
            yield environment.timeout(draws.randint(5, 15))
            yield other.put(count + 1)

    environment.process(player(stores[0], stores[1]))
    environment.process(player(stores[1], stores[0]))
    stores[0].put(0)
    began = process_time()
    environment.run(until=done)
    return EVENTS / (process_time() - began)


def of_two_phase() -> float:
    """Distinct states a second; six resource managers have 50,816."""
    began = process_time()
    result = explore(TwoPhase(rms=6))
    assert result.states == 50_816
    return result.states / (process_time() - began)


def of_worlds() -> float:
    """Distinct worlds a second: three replicas, one write, one crash, resending."""
    began = process_time()
    result = explore(Replicas(backups=2, writes=1, budget={"crash": 1}), max_states=8_000)
    return result.states / (process_time() - began)


def of_random_worlds() -> float:
    """Steps a second with faults and one property."""
    began = process_time()
    result = random_worlds(Replicas(), range(40), 300)
    return result.steps / (process_time() - began)


def bytes_per_step(machine: Simulation, steps: int = 10_000) -> float:
    gc.collect()
    tracemalloc.start()
    history = History(machine)
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(steps):
        history.advance()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    contenders: dict[str, tuple[str, Speed]] = {
        "ping-pong": ("events/s", of_history(PingPong())),
        "five processes": ("events/s", of_history(FiveGossips())),
        "explore TwoPhase(6)": ("states/s", of_two_phase),
        "explore replicas": ("states/s", of_worlds),
        "random worlds": ("steps/s", of_random_worlds),
    }
    if simpy is not None:
        contenders["simpy ping-pong"] = ("events/s", of_simpy)
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (_, run) in contenders.items():
            gc.collect()
            taken[name].append(run())
    print(f"Python {platform.python_version()}, {rounds} rounds")
    for name, (unit, _) in contenders.items():
        print(f"{name:22} {median(taken[name]):>10,.0f} {unit:9} best {max(taken[name]):>10,.0f}")
    if simpy is not None:
        ratios = [ours / theirs for ours, theirs in zip(taken["ping-pong"], taken["simpy ping-pong"], strict=True)]
        print(f"ours / simpy's         {median(ratios):>10.2f}")
    else:
        print("simpy is not installed: nothing to compare with")
    for machine in (PingPong(), FiveGossips()):
        print(f"{type(machine).__name__:22} {bytes_per_step(machine):>10,.0f} bytes a step")


if __name__ == "__main__":
    main()
