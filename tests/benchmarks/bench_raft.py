"""How fast Raft is simulated, how much a step keeps, how fast its runs are checked and searched.

    python tests/benchmarks/bench_raft.py

Five servers at their defaults; histories are kept whole. Figures are medians over the rounds with the best round beside
them, in seconds of the processor. Every contender takes its turn in every round.
"""

from __future__ import annotations

import argparse
import gc
import platform
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import process_time

from patterns.consensus_raft import ALWAYS, Put, RaftCluster
from patterns.consensus_raft.histories import linearizable
from patterns.consensus_raft.lesson.game import GAME_SEARCH
from patterns.consensus_raft.lesson.milestones import MILESTONES
from patterns.consensus_raft.properties import settled
from patterns.engine.history import History
from patterns.engine.random_worlds import random_worlds
from patterns.engine.world import Request

EVENTS = 20_000
Speed = Callable[[], float]


def of_heartbeats() -> float:
    """Usual events a second: one election, then heartbeats."""
    history = History(RaftCluster(clients=0))
    began = process_time()
    for _ in range(EVENTS):
        history.advance()
    return EVENTS / (process_time() - began)


def of_requests() -> float:
    """Events a second with a request every 20 events, replicated to all and answered: 100 in a log, then anew."""
    done, began = 0, process_time()
    while done < EVENTS:
        history = History(RaftCluster())
        history.run_until(MILESTONES["an entry is committed"], 200)
        leader = next(server.id for server in history.state.processes if server.role == "leader")
        for serial in range(1, 101):
            history.apply(Request("A", leader, Put(serial, "x", serial)))
            for _ in range(19):
                history.advance()
        done += len(history.steps)
    return done / (process_time() - began)


def of_random_worlds() -> float:
    """Steps a second with faults; all invariants on every state, clients linearizable, recovery at the end."""
    runs = random_worlds(RaftCluster(), range(20), 400, [*ALWAYS, linearizable, settled])
    assert runs.holds
    return runs.steps / runs.seconds


def of_search() -> float:
    """Distinct worlds a second: three servers, one term, two crashes."""
    found = GAME_SEARCH.run()
    assert found.complete
    return found.states / found.seconds


def bytes_per_step(steps: int = 5_000) -> float:
    gc.collect()
    tracemalloc.start()
    history = History(RaftCluster(clients=0))
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(steps):
        history.advance()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    contenders: dict[str, tuple[str, Speed]] = {
        "heartbeats": ("events/s", of_heartbeats),
        "requests": ("events/s", of_requests),
        "random worlds": ("steps/s", of_random_worlds),
        "exhaustive": ("states/s", of_search),
    }
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (_, run) in contenders.items():
            gc.collect()
            taken[name].append(run())
    print(f"Python {platform.python_version()}, {rounds} rounds")
    for name, (unit, _) in contenders.items():
        print(f"{name:16} {median(taken[name]):>10,.0f} {unit:9} best {max(taken[name]):>10,.0f}")
    print(f"{'memory':16} {bytes_per_step():>10,.0f} bytes a step")


if __name__ == "__main__":
    main()
