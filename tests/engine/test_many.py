"""The same work gives the same result in one process, in a pool of processes and on the workers of Dask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from models.replicas import A_WRITE_IS_ANSWERED, ANSWERED_IS_EVERYWHERE, HastyReplicas, Replicas

from patterns.consensus_raft.lesson.measure import fail_overs
from patterns.engine.many import AHEAD, TOGETHER, each
from patterns.engine.params import ParameterError
from patterns.engine.properties import Always
from patterns.engine.random_worlds import RandomRuns, random_worlds
from patterns.replication.lesson.measure import WAYS, outcome
from patterns.runtime import processes


@pytest.fixture(scope="module", params=["a pool of processes", "Dask"])
def workers(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "Dask":
        from distributed import Client

        with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
            yield client.get_executor()
    else:
        with processes(2) as pool:
            yield pool


def told(runs: RandomRuns) -> tuple[Any, ...]:
    """All but the time."""
    broken = runs.counterexample
    return (*runs[:3], runs.failed_seed, broken and (broken.property.name, broken.reason, broken.history.code))


def test_random_worlds_give_the_same_result_whatever_the_executor(workers: Executor) -> None:
    local_lambda = Always("few steps", lambda world: None if world.clock < 10**9 else "too late")  # not importable
    right = (Replicas(), range(12), 60, (ANSWERED_IS_EVERYWHERE, A_WRITE_IS_ANSWERED, local_lambda))
    alone = random_worlds(*right)
    assert alone.runs == 12
    assert told(random_worlds(*right, executor=workers)) == told(alone)
    hasty = (HastyReplicas(), range(40), 200, (ANSWERED_IS_EVERYWHERE,))
    alone = random_worlds(*hasty)
    assert alone.failed_seed is not None
    assert told(random_worlds(*hasty, executor=workers)) == told(alone), "the first seed that fails, by its number"


def test_sweeps_give_the_same_figures_whatever_the_executor(workers: Executor) -> None:
    assert fail_overs((150, 300), range(6), executor=workers) == fail_overs((150, 300), range(6))
    assert outcome(WAYS["asynchronous"], 6, workers) == outcome(WAYS["asynchronous"], 6)


def test_what_a_worker_raises_is_raised_here(workers: Executor) -> None:
    with pytest.raises(ParameterError, match="seed is 'x'"):
        random_worlds(Replicas(), [1, "x"], 5, executor=workers)  # type: ignore[list-item]


def test_items_may_be_endless_and_what_has_not_begun_is_cancelled() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    with ThreadPoolExecutor(1) as pool, closing(each(lambda number: 2 * number, items(), pool)) as found:
        assert [next(found) for _ in range(9)] == [(number, 2 * number) for number in range(9)]
    assert len(taken) <= (AHEAD + 3) * TOGETHER


def stops_after(runs: int) -> Any:
    def report(done: int) -> None:
        if done == runs:
            raise KeyboardInterrupt

    return report


def test_an_interruption_ends_the_runs_keeps_what_was_found_and_claims_no_more(workers: Executor) -> None:
    found = random_worlds(Replicas(), count(), 60, executor=workers, progress=stops_after(5))
    assert (found.runs, found.cut_by, found.holds) == (5, "an interruption", False)
    assert "5 runs" in str(found)
    assert "cut short by an interruption" in str(found)
    assert random_worlds(Replicas(), range(3), 20, executor=workers).runs == 3, "the workers are still there"


STOPPED = """
import os, signal, threading
from itertools import count
from patterns.consensus_raft import RaftCluster
from patterns.engine.random_worlds import random_worlds
from patterns.runtime import processes

def stop(runs):
    if runs == 8:
        os.killpg(0, signal.SIGINT)  # a notebook's stop button: all of the kernel's processes get it

if __name__ == "__main__":
    with processes(2) as pool:
        found = random_worlds(RaftCluster(), count(), 100, executor=pool, progress=stop)
        print(found.cut_by, found.runs >= 8, random_worlds(RaftCluster(), range(3), 20, executor=pool).runs)
"""


def test_the_stop_button_ends_a_search_in_a_pool_without_a_traceback(tmp_path: Any) -> None:
    (tmp_path / "search.py").write_text(STOPPED)
    command = [sys.executable, str(tmp_path / "search.py")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, start_new_session=True)
    assert (ran.stdout, ran.stderr) == ("an interruption True 3\n", "")


def test_progress_is_drawn_over_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    random_worlds(Replicas(), range(3), 20, progress=True)
    said = capsys.readouterr().err
    assert said.endswith("3 of 3 runs \n")
    assert said.count("\r") == 3
