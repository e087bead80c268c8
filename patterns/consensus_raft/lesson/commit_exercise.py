"""The commit rule as an exercise: tried on every small case, played through Figure 8, then searched through every run.

def commit_index(current_term, commit_index, terms, match): ...
judge_commit(commit_index)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.properties import ALWAYS, changed
from patterns.engine.counterexample import Watch
from patterns.engine.history import History
from patterns.engine.judge import Answer, Case, Mistake, Verdict, judge
from patterns.engine.properties import Property, Reason
from patterns.engine.step import Note
from patterns.engine.world import World

from .gallery import SectionFive, figure_8
from .judging import searched
from .small import SmallCluster, small_cluster_of

CommitRule = Callable[[int, int, tuple[int, ...], tuple[int, ...]], Any]


def commit_solution(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    """Leaders, rule 4 (5.3, 5.4.2)."""
    for index in range(len(terms), commit_index, -1):
        holders = sum(each >= index for each in match)
        if 2 * holders > len(match) and terms[index - 1] == current_term:
            return index
    return commit_index


def commit_cases() -> Iterator[Case]:
    """A leader of term 3, alone with two or four followers; logs of up to three entries."""
    logs = ((3,), (2,), (3, 3), (2, 3), (2, 2), (1, 2, 3), (2, 3, 3), (2, 2, 2))
    for terms in logs:
        for commit_index in range(len(terms) + 1):
            for followers in (2, 4):
                for match in product(range(len(terms) + 1), repeat=followers):
                    held = sum(each >= commit_index for each in match) + 1
                    if tuple(sorted(match)) == match and 2 * held > followers + 1:  # what is committed, a majority has
                        yield 3, commit_index, terms, (len(terms), *match)


def _commit_if(may: Callable[[int, int, int, int], bool]) -> CommitRule:
    """The highest index that may: `may(copies, servers, the entry's term, current_term)`."""

    def rule(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
        for index in range(len(terms), commit_index, -1):
            copies = sum(each >= index for each in match)
            if may(copies, len(match), terms[index - 1], current_term):
                return index
        return commit_index

    return rule


def _step_by_step(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
    while commit_index < len(terms) and terms[commit_index] == current_term:
        if 2 * sum(each > commit_index for each in match) <= len(match):
            break
        commit_index += 1
    return commit_index


COMMIT_MISTAKES = (
    Mistake(
        "counts old terms",
        "Your leader commits an entry of an older term because a majority holds it. In Figure 8 such an entry is "
        "overwritten all the same: count copies only of entries of `current_term` (5.4.2).",
        _commit_if(lambda copies, servers, term, current: 2 * copies > servers),
    ),
    Mistake(
        "half is no majority",
        "Your leader takes half of the servers, or a little less, for a majority. Of 5 it needs 3, of 3 it needs 2.",
        _commit_if(lambda copies, servers, term, current: copies >= servers // 2 and term == current),
    ),
    Mistake(
        "one copy too many",
        "Your leader waits for one server more than a majority: with one of three down it commits nothing any more. "
        "`match` has the leader itself in it, its own copy counts.",
        _commit_if(lambda copies, servers, term, current: 2 * (copies - 1) > servers and term == current),
    ),
    Mistake(
        "all must have it",
        "Your leader waits until every server has the entry. Then one that is down stops all: a majority is enough "
        "(5.3).",
        _commit_if(lambda copies, servers, term, current: copies == servers and term == current),
    ),
    Mistake(
        "one has it",
        "Your leader commits what it alone holds, or with one other. If it crashes, that is gone: a majority must hold "
        "the entry.",
        _commit_if(lambda copies, servers, term, current: term == current),
    ),
    Mistake(
        "stops at the old entry",
        "Your loop stops at the first entry that it may not count. An entry of the current term commits all before it, "
        "old ones too: look at the highest index first (5.4.2).",
        _step_by_step,
    ),
    Mistake(
        "index from 0",
        "Your rule is off by one: the entry at index 1 is `terms[0]`.",
        lambda current, commit, terms, match: max(
            commit, _commit_if(lambda n, of, term, now: 2 * n > of and term == now)(current, 0, terms, match) - 1
        ),
    ),
    Mistake(
        "never",
        "Your leader commits nothing new: no client is ever answered.",
        lambda current, commit, terms, match: commit,
    ),
)


def judge_commit(function: CommitRule) -> Verdict:
    """Judge `commit_index(current_term, commit_index, terms, match) -> int`: how far a leader may commit now.

    `terms` are the terms of its log's entries, `terms[0]` of index 1; `match` is for every server, the leader first,
    how far its log is known to agree. It is tried on small cases, played through Figure 8 and, put into a server,
    searched through every run of small clusters.
    """
    verdict = judge(function, commit_solution, commit_cases(), tell=_tell_commit, mistakes=COMMIT_MISTAKES)
    if not verdict.attempted:
        return verdict
    figure = _through_figure_8(function)
    if figure is not None:
        return verdict._replace(accepted=False, history=figure)
    cluster = small_cluster_of(_committing(function, Server))
    return searched(verdict, commit_searches(cluster), commits_by_the_book)


def commit_searches(cluster: type[SmallCluster]) -> list[SmallCluster]:
    """A leader and a client's request, an entry a message; a leader whose log holds entries of older terms."""
    return [
        cluster(elections={"S1": (1,)}, scripts={"A": ["put"]}, max_entries=1),
        cluster(elections={"S1": (3,)}, logs={"S1": (1, 2)}, max_entries=1),
    ]


def _committing(rule: CommitRule, server: type[Server]) -> type[Server]:
    """A server that commits by this rule, and is otherwise right."""

    class Commits(server):  # type: ignore[valid-type, misc]
        def committable_index(self) -> int:
            terms = tuple(entry.term for entry in self.log)
            match = (len(self.log), *self.match_index.values())
            return int(rule(self.current_term, self.commit_index, terms, match))

    return Commits


def _through_figure_8(rule: CommitRule) -> History[World, Any] | None:
    """The run of Figure 8 to the step in which an invariant breaks; None where none does."""
    try:
        history = figure_8(_committing(rule, SectionFive))
    except Exception:  # the rule raises, or gives no index: the search says so
        return None
    watch = Watch(history.machine, ALWAYS)
    memories = watch.begin(history.steps[0].state)
    for step in history.branch[1:]:
        assert step.parent is not None
        memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
        if watch.broken(memories, step.state):
            history.jump(step)
            return history
    return None


def _tell_commit(case: Case, right: Any, answer: Answer) -> str:
    current_term, commit_index, terms, match = case
    return (
        f"a leader of term {current_term} has entries of terms {', '.join(map(str, terms))}, of which {commit_index} "
        f"are committed, and the servers' logs are known to agree up to {', '.join(map(str, match))}, its own first: "
        f"it may commit up to {right}, yours {answer}."
    )


class CommitsByTheBook(Property):
    """A leader commits exactly as far as rule 4 says."""

    def __init__(self) -> None:
        super().__init__("Every leader commits by the book")

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: tuple[Note, ...]) -> Any:
        if memory:
            return memory
        for was, now in changed(before, after):
            if now.role == "leader":
                terms = tuple(entry.term for entry in now.log)
                match = (len(now.log), *now.match_index.values())
                right = commit_solution(now.current_term, was.commit_index, terms, match)
                if now.commit_index != right:
                    return (
                        f"{now.id}, the leader of term {now.current_term}, commits up to index {now.commit_index}; it "
                        f"should be {right}: its entries are of terms {', '.join(map(str, terms))}, and the logs are "
                        f"known to agree up to {', '.join(map(str, match))}, its own first"
                    )
        return None

    def reason(self, memory: Any, state: World) -> Reason:
        return memory  # type: ignore[no-any-return]


commits_by_the_book = CommitsByTheBook()
