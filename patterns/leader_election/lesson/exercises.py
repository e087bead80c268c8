"""Two exercises, tried on every case and then searched through every run: the bully's answer rule, the fencing check.

    def on_election(me, sender, electing): ...      judge_bully_answer(on_election)
    def may_pass(token, highest): ...               judge_fencing(may_pass)

The reference solutions stand beside their judges, named `..._solution`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from patterns.engine.explore import Exploration, explore
from patterns.engine.history import History
from patterns.engine.judge import Answer, Case, Mistake, Verdict, judge
from patterns.engine.properties import NoFailure
from patterns.engine.world import Crash
from patterns.leader_election.bully import Bully
from patterns.leader_election.lease import Storage
from patterns.leader_election.machines import BullyElection, LeaseElection
from patterns.leader_election.properties import (
    acknowledged_writes_stay,
    highest_alive_agreed,
    highest_alive_leads,
    leader_writes,
    one_leader,
    tokens_never_fall,
)

from .broken import NO_FAULTS, in_first_requests, running

AnswerRule = Callable[[int, int, bool], Any]
FencingCheck = Callable[[int, int], Any]
LONG = 40  # steps: more than an election of four processes needs


def _with_run(verdict: Verdict, found: Exploration, otherwise: Callable[[], History[Any, Any]]) -> Verdict:
    """The verdict on the cases, and what a search of all runs says: what goes wrong, in a shortest run."""
    if verdict.accepted and found.holds:
        return verdict._replace(tried=found.states, what="states")
    if found.counterexample and not isinstance(found.counterexample.property, NoFailure):
        then = f"In a run: {found.counterexample.reason}."
        history = found.counterexample.history
    elif found.counterexample:
        then, history = "", found.counterexample.history
    elif found.never:
        then, history = f"In {found.states:,} states it never happens that {found.never[0]}.", otherwise()
    else:
        then, history = "", otherwise()
    return verdict._replace(accepted=False, failing=f"{verdict.failing} {then}".strip(), history=history)


# The bully's answer rule


def bully_answer_cases() -> Iterator[Case]:
    """(me, sender, electing): an ELECTION comes from a lower process, and I am in an election already or not."""
    for me in (2, 3, 4):
        for sender in range(1, me):
            for electing in (False, True):
                yield me, sender, electing


def bully_answer_solution(me: int, sender: int, electing: bool) -> tuple[bool, bool]:
    """Always answer; begin an election unless one has begun already (CDKB 15.3)."""
    return True, not electing


BULLY_MISTAKES = (
    Mistake(
        "silent in an election",
        "While it is in an election itself your process does not answer. The lower one hears nothing, takes that for a "
        "crash, and leads: answer whenever you are alive.",
        lambda me, sender, electing: (not electing, not electing),
    ),
    Mistake(
        "no answer",
        "Your process begins an election, but does not answer. The lower one waits, hears nothing and takes that for "
        "a crash.",
        lambda me, sender, electing: (False, not electing),
    ),
    Mistake(
        "no election",
        "Your process answers, so the lower one stands back and waits for a coordinator. Who tells it of one, if you "
        "begin no election?",
        lambda me, sender, electing: (True, False),
    ),
    Mistake(
        "begins again",
        "Nothing goes wrong, but your process begins a new election for each message, though one is under way: the "
        "messages multiply.",
        lambda me, sender, electing: (True, True),
    ),
    Mistake(
        "the other way round",
        "Your process answers those with a higher id. An ELECTION always comes from below: the higher one bullies the "
        "lower one.",
        lambda me, sender, electing: (sender > me, sender > me and not electing),
    ),
    Mistake(
        "begins only in an election",
        "Your process begins an election exactly when it is in one already. It is the other way round.",
        lambda me, sender, electing: (True, electing),
    ),
    Mistake(
        "answers only",
        "Give two answers: whether to answer the sender, and whether to begin an election of your own.",
        lambda me, sender, electing: True,
    ),
)


def judge_bully_answer(function: AnswerRule) -> Verdict:
    """Judge `on_election(me, sender, electing) -> (answer, begin)`: what to do when a lower process begins an election.

    `me` and `sender` are ids; `electing` is whether this process is in an election already. It is tried in every case,
    and searched through every run of three processes, of which one may crash.
    """
    verdict = judge(
        function,
        bully_answer_solution,
        bully_answer_cases(),
        tell=_tell_bully,
        mistakes=BULLY_MISTAKES,
        same=lambda right, given: (bool(given[0]), bool(given[1])) == right and len(given) == 2,
    )
    if not verdict.attempted or not callable(function):
        return verdict
    machine = _bully_with(function)
    small = machine(n=3, heartbeat=0, synchronous=True, crash_stop=True, budget={**NO_FAULTS, "crash": 1})
    found = explore(small, (one_leader, highest_alive_leads, highest_alive_agreed), max_states=100_000)
    return _with_run(verdict, found, lambda: _election_of_four(machine))


def _bully_with(rule: AnswerRule) -> type[BullyElection]:
    class Mine(Bully):
        """The bully with the learner's answer rule."""

        def answers(self, lower: str) -> bool:
            return bool(rule(self.rank, self.rank_of(lower), self.role == "candidate")[0])

        def joins(self, lower: str) -> bool:
            return bool(rule(self.rank, self.rank_of(lower), self.role == "candidate")[1])

        def rank_of(self, lower: str) -> int:
            return self.ranks[self.lower.index(lower)]

    return running(BullyElection, process=Mine)


def _election_of_four(machine: type[BullyElection]) -> History[Any, Any]:
    """The lowest of four begins, the highest has crashed: the most messages that an election of four should take."""
    history = History(machine(n=4, heartbeat=0))
    history.apply(Crash("P4"))
    history.run_until(lambda step: False, LONG)
    return history


def _tell_bully(case: Case, right: Any, answer: Answer) -> str:
    me, sender, electing = case
    state = "is in an election already" if electing else "is in no election"
    return f"P{sender}'s ELECTION comes to P{me}, which {state}: (answer, begin) is {right}; yours {answer}."


# The fencing check


def fencing_cases() -> Iterator[Case]:
    """(token, highest), small ones first."""
    for most in range(1, 7):
        for token in range(1, most + 1):
            for highest in range(most + 1):
                if max(token, highest) == most:
                    yield token, highest


def fencing_solution(token: int, highest: int) -> bool:
    """No older than any token seen (Kleppmann 2016)."""
    return token >= highest


# What fails in fewer cases comes first: it is told from the next by where it is right.
FENCING_MISTAKES = (
    Mistake(
        "each token once",
        "A leader comes with the same token again and again while it leads. Only an older token is to be refused.",
        lambda token, highest: token > highest,
    ),
    Mistake(
        "one behind",
        "Your check lets the last leader but one pass: it is older than what was seen, if only by one.",
        lambda token, highest: token >= highest - 1,
    ),
    Mistake(
        "only the next token",
        "Tokens may leave gaps: who was granted the lease and crashed never came. Any higher token is newer.",
        lambda token, highest: token in (highest, highest + 1),
    ),
    Mistake(
        "only the same token",
        "A new leader comes with a higher token than any seen so far: it must pass, or nobody ever does.",
        lambda token, highest: token == highest,
    ),
    Mistake(
        "closed",
        "Your check lets nobody pass: the storage is safe, and of no use.",
        lambda token, highest: False,
    ),
    Mistake(
        "no fence",
        "Your check lets everyone pass, also a leader whose lease ran out long ago: it undoes what the new one wrote.",
        lambda token, highest: True,
    ),
    Mistake(
        "the other way round",
        "Your check refuses the new and lets the old pass: tokens grow, so the higher one is the newer one.",
        lambda token, highest: token <= highest,
    ),
    Mistake(
        "the other way round, strictly",
        "Your check lets only those pass that are older than what was seen: tokens grow, so the higher is the newer.",
        lambda token, highest: token < highest,
    ),
)


def judge_fencing(function: FencingCheck) -> Verdict:
    """Judge `may_pass(token, highest) -> bool`: whether the storage takes a request that comes with `token`.

    `highest` is the highest token seen so far, 0 at first. It is tried for all small tokens, and searched through
    every run of two holders that ask for the lease once, with messages that take any time.
    """
    verdict = judge(
        function,
        fencing_solution,
        fencing_cases(),
        tell=_tell_fencing,
        mistakes=FENCING_MISTAKES,
        same=lambda right, given: isinstance(given, int) and bool(given) == right,
    )
    if not verdict.attempted or not callable(function):
        return verdict

    class Mine(Storage):
        """The storage with the learner's check."""

        def accepts(self, token: int) -> bool:
            return bool(function(token, self.highest))

    machine = running(LeaseElection, storage=Mine)
    small = machine(writes=1, synchronous=True, budget=NO_FAULTS)
    properties = (acknowledged_writes_stay, tokens_never_fall, leader_writes)
    found = explore(small, properties, within=in_first_requests, max_states=100_000)
    return _with_run(verdict, found, lambda: _leader_at_work(machine))


def _leader_at_work(machine: type[LeaseElection]) -> History[Any, Any]:
    history = History(machine())
    history.run_until(lambda step: any(note.rule in ("S.refuse", "H.wrote") for note in step.notes), LONG)
    return history


def _tell_fencing(case: Case, right: Any, answer: Answer) -> str:
    token, highest = case
    age = "older than" if token < highest else "the same as" if token == highest else "newer than"
    return f"Token {token} is {age} the highest seen, {highest}: {right}; yours {answer}."
