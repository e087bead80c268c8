"""Planted bugs of Raft: the runs that show them are short, and searches without them go to the end.

That each is found, and what breaks, is in tests/test_chapters.py.

| bug                          | found in every run of a small cluster                       | random worlds |
|------------------------------|-------------------------------------------------------------|---------------|
| half is a majority           | 3 servers, elections of 1 term                              | yes           |
| votes for any log            | S1 leads term 1, S3 stands in term 2                        | yes           |
| the longer log wins          | logs 1 1 1 and 3, S2 leads term 4, S1 stands in term 5      | no            |
| counts votes, not voters     | 5 servers, elections of 1 term, 2 candidates, 1 duplicate   | yes           |
| a heartbeat clears the vote  | S1 has one entry more, 1 term                               | no            |
| the vote is not durable      | 3 servers, elections of 1 term, 1 crash                     | yes           |
| the log is not durable       | S1 leads term 1, S3 stands in term 2, 1 crash               | yes           |
| ignores the term before ...  | logs 1 1 and 2, S2 leads term 3, one entry per message      | yes           |
| always truncates the log     | S1 leads term 1, a put with retries                         | yes           |
| commits entries of old terms | logs 2 and 3, S1 leads term 4, S3 term 5, one entry each    | no            |
| commits beyond the new ...   | logs 1 2 and 1 1, S1 leads term 3, one entry per message    | no            |
| ignores heartbeats           | 3 servers, 1 term                                           | yes           |
| reads without asking         | S1 leads term 1, S2 term 2, a put and a get                 | yes           |
| executes retries             | S1 leads term 1, two adds with retries                      | yes           |

"no" is: not within 300 seeds of 300 rough steps. Old terms are caught in Figure 8 too (test_raft_figures.py).
"""

from __future__ import annotations

import pytest

from patterns.consensus_raft.histories import is_linearizable
from patterns.consensus_raft.lesson.broken import BUGS
from patterns.consensus_raft.lesson.small import SmallCluster

ENDLESS = ("always truncates the log", "executes retries", "reads without asking")


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_every_run_within_the_bounds_is_right_without_the_bug(bug: str) -> None:
    """All of them. Where clients may retry for ever there is no end, and with reads none is near."""
    found = BUGS[bug].search._replace(max_states=50_000).run()  # type: ignore[attr-defined]
    assert found.counterexample is None, str(found)
    assert found.complete != (bug in ENDLESS), str(found)


@pytest.mark.parametrize("bug", ["reads without asking", "executes retries"])
def test_clients_of_a_broken_cluster_see_a_history_that_is_not_linearizable(bug: str) -> None:
    """Section 8: without ReadIndex, and without sessions. It is a shortest run."""
    found = BUGS[bug].found().counterexample
    assert found is not None
    assert len(found.history.branch) <= 12
    verdict = is_linearizable(found.history.path)
    assert not verdict
    assert "cannot be placed" in str(verdict)


def test_every_planted_bug_is_a_server_with_one_method_overridden() -> None:
    for bug in BUGS.values():
        own = [name for name, value in vars(bug.changes["server"]).items() if callable(value) and name[:2] != "__"]
        assert len(own) == 1, (bug, own)


def test_bad_bounds_of_a_search_are_refused() -> None:
    with pytest.raises(ValueError, match=r"elections\['S9'\] is .*S1, S2, S3"):
        SmallCluster(elections={"S9": (1,)})
    with pytest.raises(ValueError, match=r"scripts\['A'\]\[0\] is 'eat'"):
        SmallCluster(scripts={"A": ["eat"]})
