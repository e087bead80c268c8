"""How long a cluster is without a leader: the experiment of Raft 9.3 (Figure 16), and its results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from patterns.consensus_raft.lesson.measure import (
    PATIENCE,
    RANGES,
    FailOver,
    acknowledged_and_gone,
    fail_over,
    fail_overs,
    split_share,
)
from patterns.engine.params import ParameterError
from patterns.replication.lesson.measure import WAYS, outcome

SEEDS = range(200)
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_consensus_raft.ipynb"


@cache
def charted() -> Mapping[int, tuple[FailOver, ...]]:
    """What both charts of the notebook are drawn from, by the width of the range in ms."""
    return {high - low: fail_overs((low, high), SEEDS) for low, high in RANGES}


def test_a_seed_is_a_run() -> None:
    assert fail_over(seed=11) == fail_over(seed=11)
    assert len({run.without_leader for run in charted()[150]}) > 10


def test_nobody_stands_for_election_before_the_shortest_timeout_and_the_rest_of_a_heartbeat() -> None:
    """5.2: a follower waits an election timeout from the last word of its leader, which is up to a heartbeat old."""
    for run in charted()[150]:
        assert run.without_leader >= 150 - 50, run
        assert run.elected, run


def test_the_wider_the_range_the_rarer_a_split_vote() -> None:
    """9.3, Figure 16: a little randomness ends what without any is one split vote after another."""
    shares = [split_share(runs) for runs in charted().values()]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.8
    assert shares[-1] < 0.15


def test_a_run_without_a_split_vote_takes_one_election_and_one_with_takes_another_timeout() -> None:
    for run in charted()[25]:
        assert run.split == (run.elections > 1), run
        if run.split:
            assert run.without_leader > 150 - 50 + 150 - 15, run


def test_the_notebook_quotes_the_figures_of_its_charts() -> None:
    """It said that 5 ms end what none leaves going on, as the paper found: with our latency 103 of 200 runs go on."""
    leaderless = {width: sum(not run.elected for run in runs) for width, runs in charted().items()}
    at_once = {width: sum(not run.split for run in runs) for width, runs in charted().items()}
    waits = {width: int(median(run.without_leader for run in runs)) for width, runs in charted().items()}
    told = [leaderless[0], 200, 5, leaderless[5], 50, at_once[50], 200, 50, at_once[150], 150]
    told += [waits[50], 50, waits[150], 150]
    assert leaderless[50] == 0, "it says that none has no leader"
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    quoted = "".join(next(cell for cell in cells if cell["id"] == "break")["source"]).partition("(The paper")[0]
    assert [int(number) for number in re.findall(r"\d+", quoted)] == told


def test_what_is_given_up_waited_to_the_end_and_counts_as_split() -> None:
    given_up = [run for run in fail_overs((150, 150), range(20)) if not run.elected]
    assert given_up
    assert {run.without_leader for run in given_up} == {PATIENCE}
    assert all(run.split for run in given_up)
    assert FailOver(0, PATIENCE, 1, elected=False).split


def test_a_cluster_that_cannot_lose_a_server_is_refused() -> None:
    with pytest.raises(ValueError, match="servers is 2; it takes at least 3"):
        fail_over(servers=2)
    with pytest.raises(ValueError, match="election_timeout is"):
        fail_over((300, 150))


def test_the_next_leader_has_the_writes_that_were_acknowledged_before_the_kill() -> None:
    """5.4: Leader Completeness."""
    known, gone = acknowledged_and_gone(20)
    assert known > 10
    assert gone == 0


@pytest.mark.parametrize("count", [acknowledged_and_gone, partial(outcome, WAYS["asynchronous"])])
@pytest.mark.parametrize("kills", [0, 1.5, True])
def test_kills_that_are_not_a_whole_number_from_1_are_refused(count: Callable[[Any], Any], kills: Any) -> None:
    with pytest.raises(ParameterError, match=f"kills is {kills}; allowed is a whole number, at least 1"):
        count(kills)
