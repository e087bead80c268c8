"""Two rules to write: how the bully answers an election, and how the storage checks a token.

def on_election(me, sender, electing): ...      EXERCISES["on_election"].judge(on_election)
def may_pass(token, highest): ...               EXERCISES["may_pass"].judge(may_pass)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.milestones import fired
from patterns.engine.planted import Scripted, Search, planted
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

from .broken import OneLeaseEach

# The bully's answer rule


def on_election_cases() -> Iterator[Case]:
    """(me, sender, electing): an ELECTION comes from a lower process, and I am in an election already or not."""
    for me in (2, 3, 4):
        for sender in range(1, me):
            for electing in (False, True):
                yield me, sender, electing


def on_election_solution(me: int, sender: int, electing: bool) -> tuple[bool, bool]:
    """Always answer. Begin an election, unless one has begun already (CDKB 15.3)."""
    return True, not electing


ON_ELECTION_MISTAKES = mistakes_of(
    __package__,
    "on_election",
    {
        "silent in an election": [
            lambda me, sender, electing: (not electing, not electing),
            lambda me, sender, electing: (not electing, True),
        ],
        "no answer": [
            lambda me, sender, electing: (False, not electing),
            lambda me, sender, electing: (electing, not electing),
        ],
        "no election": lambda me, sender, electing: (True, False),
        "begins again": lambda me, sender, electing: (True, True),
        "does nothing": [
            lambda me, sender, electing: (sender > me, sender > me and not electing),
            lambda me, sender, electing: (electing, electing),
        ],
        "only the highest begins": [
            lambda me, sender, electing: (True, me == 4 and not electing),
            lambda me, sender, electing: (True, me > 2 and not electing),
        ],
        "begins only in an election": lambda me, sender, electing: (True, electing),
        "answers only": lambda me, sender, electing: True,
    },
)


def _answering(rule: Rule) -> type[Bully]:
    class Mine(Bully):
        """The bully with the learner's answer rule."""

        def answers(self, lower: str) -> bool:
            return bool(self.decided(lower)[0])

        def joins(self, lower: str) -> bool:
            return bool(self.decided(lower)[1])

        def decided(self, lower: str) -> Any:
            return rule(self.rank, self.ranks[self.lower.index(lower)], self.role == "candidate")

    return Mine


def _tell_answer(case: Case, right: Any, answer: Answer) -> Told:
    me, sender, electing = case
    state = "is in an election already" if electing else "is in no election"
    return Told(f"P{sender}'s election reaches P{me}, which {state}")


# The fencing check


def may_pass_cases() -> Iterator[Case]:
    """(token, highest), small numbers first; then large ones, which differ from texts and from their last digits."""
    for most in range(1, 7):
        for token in range(1, most + 1):
            for highest in range(most + 1):
                if max(token, highest) == most:
                    yield token, highest
    yield from ((9, 10), (10, 9), (7, 100), (100, 7))


def may_pass_solution(token: int, highest: int) -> bool:
    """The token is not older than any token seen (Kleppmann 2016)."""
    return token >= highest


# The mistake that is wrong in fewer cases comes first: it differs from the next where it is right.
MAY_PASS_MISTAKES = mistakes_of(
    __package__,
    "may_pass",
    {
        "as texts": lambda token, highest: str(token) >= str(highest),
        "each token once": lambda token, highest: token > highest,
        "one behind": lambda token, highest: token >= highest - 1,
        "only the next token": lambda token, highest: token in (highest, highest + 1),
        "only the same token": [
            lambda token, highest: token == highest,
            lambda token, highest: token == highest or highest == 0,
        ],
        "closed": lambda token, highest: False,
        "no fence": lambda token, highest: True,
        "the other way round": lambda token, highest: token <= highest,
        "the other way round, strictly": lambda token, highest: token < highest,
    },
)


def _checking(rule: Rule) -> type[Storage]:
    class Mine(Storage):
        """The storage with the learner's check."""

        def accepts(self, token: int) -> bool:
            return bool(rule(token, self.highest))

    return Mine


def _tell_check(case: Case, right: Any, answer: Answer) -> Told:
    token, highest = case
    age = "older than" if token < highest else "the same as" if token == highest else "newer than"
    return Told(f"token {token} is {age} the highest seen, {highest}")


BULLIES = Search(
    BullyElection(n=3, heartbeat=0, timing="quiet", crash_stop=True, budget={"crash": 1}),
    (one_leader, highest_alive_leads, highest_alive_agreed),
)
LEASES = Search(
    OneLeaseEach(writes=1, true_clocks=True, budget={}),
    (acknowledged_writes_stay, tokens_never_fall, leader_writes),
)

EXERCISES: Mapping[str, Exercise] = {
    "on_election": Exercise(
        "on_election",
        on_election_solution,
        on_election_cases,
        ON_ELECTION_MISTAKES,
        _tell_answer,
        put=lambda rule, machine: planted(machine, process=_answering(rule)),
        searches=[BULLIES],
        otherwise=Scripted(BullyElection(n=4, heartbeat=0), lambda run: run.crash("P4").advance(40)),
    ),
    "may_pass": Exercise(
        "may_pass",
        may_pass_solution,
        may_pass_cases,
        MAY_PASS_MISTAKES,
        _tell_check,
        put=lambda rule, machine: planted(machine, storage=_checking(rule)),
        searches=[LEASES],
        otherwise=Scripted(LeaseElection(), lambda run: run.until(fired("S.refuse", "H.wrote"))),
    ),
}
