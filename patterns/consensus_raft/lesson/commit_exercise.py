"""The commit rule as an exercise: tried on every small case, played through Figure 8, then searched through every run.

def commit_index(current_term, commit_index, terms, match): ...
check(EXERCISES["commit_index"], commit_index)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement
from typing import Any

from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.properties import ALWAYS, changed
from patterns.consensus_raft.state import ServerState
from patterns.engine.along import AlwaysNext
from patterns.engine.exercise import Case, Exercise, mistakes_of
from patterns.engine.planted import Scripted, Search, planted
from patterns.engine.properties import Reason
from patterns.engine.script import Script
from patterns.engine.world import World

from .gallery import figure_8_cluster, figure_8_to_c, figure_8_to_d, replicate, stand
from .small import SmallCluster

CommitRule = Callable[[int, int, tuple[int, ...], tuple[int, ...]], Any]


def commit_solution(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    """Leaders, rule 4 (5.3, 5.4.2)."""
    for index in range(len(terms), commit_index, -1):
        holders = sum(each >= index for each in match)
        if 2 * holders > len(match) and terms[index - 1] == current_term:
            return index
    return commit_index


def commit_cases() -> Iterator[Case]:
    """A leader of term 3 with two, three or four followers; logs of up to three entries, then a long one."""
    logs = ((3,), (2,), (3, 3), (2, 3), (2, 2), (1, 2, 3), (2, 3, 3), (2, 2, 2))
    for terms in logs:
        for commit_index in range(len(terms) + 1):
            for followers in (2, 3, 4):
                for match in combinations_with_replacement(range(len(terms) + 1), followers):
                    held = sum(each >= commit_index for each in match) + 1
                    if 2 * held > followers + 1:  # a majority holds what is committed
                        yield 3, commit_index, terms, (len(terms), *match)
    for match in combinations_with_replacement((7, 9, 10, 12), 4):
        yield 3, 7, (2,) * 8 + (3,) * 4, (12, *match)


def _commit_if(may: Callable[[int, int, bool], bool]) -> CommitRule:
    """The highest index that may: `may(copies, servers, whether the entry is of the current term)`."""

    def rule(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
        for index in range(len(terms), commit_index, -1):
            copies = sum(each >= index for each in match)
            if may(copies, len(match), terms[index - 1] == current_term):
                return index
        return commit_index

    return rule


def _counting(
    count: Callable[[int, tuple[int, ...]], int], entry: Callable[[int], int] = lambda index: index - 1
) -> CommitRule:
    """The right rule, but with another way to count copies, or to look an entry up."""

    def rule(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
        for index in range(len(terms), commit_index, -1):
            if 2 * count(index, match) > len(match) and terms[entry(index)] == current_term:
                return index
        return commit_index

    return rule


def _copies(index: int, match: tuple[int, ...]) -> int:
    return sum(each >= index for each in match)


def _entry_after(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    held = sorted(match, reverse=True)[len(match) // 2]
    return max(held, commit_index) if terms[held] == current_term else commit_index


def _entry_first(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    for index in range(len(terms), commit_index, -1):
        if terms[index] == current_term and 2 * _copies(index, match) > len(match):
            return index
    return commit_index


def _lowest(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    for index in range(commit_index + 1, len(terms) + 1):
        if 2 * _copies(index, match) > len(match) and terms[index - 1] == current_term:
            return index
    return commit_index


def _step_by_step(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    while commit_index < len(terms) and terms[commit_index] == current_term:
        if 2 * sum(each > commit_index for each in match) <= len(match):
            break
        commit_index += 1
    return commit_index


COMMIT_MISTAKES = mistakes_of(
    __package__,
    "commit_index",
    {
        "counts old terms": _commit_if(lambda copies, servers, current: 2 * copies > servers),
        "half is no majority": [
            _commit_if(lambda copies, servers, current: copies >= servers // 2 and current),
            _commit_if(lambda copies, servers, current: 2 * copies >= servers and current),
        ],
        "one copy too many": _commit_if(lambda copies, servers, current: 2 * (copies - 1) > servers and current),
        "all must have it": _commit_if(lambda copies, servers, current: copies == servers and current),
        "one has it": _commit_if(lambda copies, servers, current: current),
        "stops at the old entry": _step_by_step,
        "stops at the first": _lowest,
        "exact copies": _counting(lambda index, match: match.count(index)),
        "falls back": lambda current, commit, terms, match: commit_solution(current, 0, terms, match),
        "index from 0": [
            lambda current, commit, terms, match: max(commit, commit_solution(current, 0, terms, match) - 1),
            _counting(_copies, lambda index: index),
            _entry_after,
            _entry_first,
        ],
        "never": lambda current, commit, terms, match: commit,
    },
)


def _situation(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> str:
    return f"current_term is {current_term}, commit_index is {commit_index}, terms is {terms}, and match is {match}"


def _given(leader: ServerState) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The `terms` and the `match` of a leader."""
    return tuple(entry.term for entry in leader.log), (len(leader.log), *leader.match_index.values())


def _committing(rule: CommitRule, cluster: Any) -> RaftCluster:
    """The cluster with servers that commit by this rule, and are otherwise right."""

    class Commits(cluster.server):  # type: ignore[misc]
        def committable_index(self) -> int:
            return int(rule(self.current_term, self.commit_index, *_given(self)))

    return planted(cluster, server=Commits)  # type: ignore[no-any-return]


@AlwaysNext.named("Every leader commits by the book")
def commits_by_the_book(before: World[ServerState], after: World[ServerState]) -> Reason:
    """Exactly as far as rule 4 says."""
    for was, now in changed(before, after):
        if now.role == "leader":
            given = (now.current_term, was.commit_index, *_given(now))
            right = commit_solution(*given)
            if now.commit_index != right:
                return f"{now.id} commits up to {now.commit_index}, not {right}, when {_situation(*given)}"
    return None


BY_THE_BOOK = (*ALWAYS, commits_by_the_book)


def _half_of_four(run: Script) -> None:
    replicate(stand(run, "S1", "S2", "S3"), "S1", "S2")


COMMIT = Exercise(
    "commit_index",
    commit_solution,
    commit_cases,
    COMMIT_MISTAKES,
    put=_committing,
    searches=[
        Scripted(figure_8_cluster(), lambda run: figure_8_to_d(figure_8_to_c(run)), ALWAYS),
        Scripted(RaftCluster(servers=4), _half_of_four, BY_THE_BOOK),
        Search(SmallCluster(elections={"S1": (1,)}, scripts={"A": ("put",)}, max_entries=1), BY_THE_BOOK),
        Search(SmallCluster(elections={"S1": (3,)}, logs={"S1": (1, 2)}, max_entries=1), BY_THE_BOOK),
    ],
    otherwise=Scripted(figure_8_cluster(), figure_8_to_c),
)
"""`commit_index(current_term, commit_index, terms, match) -> int`: how far a leader may commit now.

`terms` are the terms of its log's entries, `terms[0]` of index 1. `match` is for every server, the leader first, how
far its log is known to agree. The runs: Figure 8, and a leader whose entry two of four servers have. The searches: a
leader, one client request, one entry per message; a leader whose log holds entries of older terms.
"""
