"""The vote rule as an exercise: tried on every small case, then searched through every run of small elections.

def grant(server, request): ...
check(EXERCISES["grant"], grant)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, ClassVar, NamedTuple

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.messages import RequestVote
from patterns.consensus_raft.properties import ALWAYS
from patterns.engine.exercise import Answer, Case, Exercise, Mistake
from patterns.engine.planted import Search, planted
from patterns.engine.properties import Along, Broken, Transition
from patterns.engine.step import Rule
from patterns.engine.world import Deliver

from .broken import BUGS
from .small import SmallCluster


class Voter(NamedTuple):
    """What a server knows when a RequestVote arrives. Of its log only the last entry counts."""

    current_term: int
    voted_for: str | None
    last_log_index: int
    last_log_term: int


VoteRule = Callable[[Voter, RequestVote], Any]
Comparison = Callable[[tuple[int, int], tuple[int, int]], bool]


def vote_solution(server: Voter, request: RequestVote) -> bool:
    """RequestVote, rules 1 and 2 (5.1, 5.2, 5.4.1)."""
    if request.term < server.current_term:
        return False
    if server.voted_for not in (None, request.candidate_id):
        return False
    theirs = (request.last_log_term, request.last_log_index)
    return theirs >= (server.last_log_term, server.last_log_index)


def vote_cases() -> Iterator[Case]:
    """A candidate S2 asks, of the server's term or an older one; logs end in any of a few ways."""
    ends = ((0, 0), (1, 1), (2, 1), (1, 2), (2, 2), (3, 1))  # (index, term)
    for term, voted_for, own, theirs in product((2, 1), (None, "S3", "S2"), ends, ends):
        yield Voter(2, voted_for, *own), RequestVote(term, "S2", *theirs)


def _grants(
    up_to_date: Comparison = lambda theirs, own: theirs >= own,
    term: bool = True,
    vote: bool = True,
    again: bool = True,
) -> VoteRule:
    """The rule with another comparison of the logs' (last term, last index), or without one of its other checks."""

    def rule(server: Voter, request: RequestVote) -> bool:
        free = (None, request.candidate_id) if again else (None,)
        theirs = (request.last_log_term, request.last_log_index)
        return (
            (not term or request.term >= server.current_term)
            and (not vote or server.voted_for in free)
            and up_to_date(theirs, (server.last_log_term, server.last_log_index))
        )

    return rule


VOTE_MISTAKES = (  # of two that answer alike in all that is wrong, the first is named: the narrower stands first
    Mistake(
        "refuses the repeated request",
        "Your server refuses the candidate that it voted for when the request arrives again. Its first answer may have "
        "been lost: it may repeat the same vote (RequestVote rule 2).",
        _grants(again=False),
    ),
    Mistake(
        "more, not at least as much",
        "Your server votes only for logs that are more up-to-date than its own. Equal is enough: in a new cluster all "
        "logs are equal, and a leader must be elected.",
        _grants(lambda theirs, own: theirs > own),
    ),
    Mistake(
        "term and index both",
        "Your rule requires that the candidate's last term and its last index are both at least its own. With a later "
        "last term the length does not matter; otherwise it can happen that no server can be elected (5.4.1).",
        _grants(lambda theirs, own: theirs[0] >= own[0] and theirs[1] >= own[1]),
    ),
    Mistake(
        "only the last term",
        "Your rule compares only the last terms. Of two logs that end in the same term the longer one has more "
        "(5.4.1).",
        _grants(lambda theirs, own: theirs[0] >= own[0]),
    ),
    Mistake(
        "index before term",
        "Your rule compares the lengths of logs before their last terms. A long log of an old term is not more "
        "up-to-date. Compare the last terms first, and the lengths only if the terms are equal (5.4.1).",
        _grants(lambda theirs, own: theirs[::-1] >= own[::-1]),
        BUGS["the longer log wins"].search,
    ),
    Mistake(
        "only the length",
        "Your rule compares only the lengths of logs. The term of the last entry counts first (5.4.1).",
        _grants(lambda theirs, own: theirs[1] >= own[1]),
        BUGS["the longer log wins"].search,
    ),
    Mistake(
        "no log check",
        "Your server votes for a candidate whose log lacks entries that it has itself. Such an entry may be committed, "
        "and is then lost: compare the logs' last entries (5.4.1).",
        _grants(lambda theirs, own: True),
        BUGS["votes for any log"].search,
    ),
    Mistake(
        "no term check",
        "Your server votes in a term that is over. Its answer carries its own, newer term: refuse a request whose term "
        "is below `server.current_term` (5.1).",
        _grants(term=False),
    ),
    Mistake(
        "votes twice",
        "Your server gives its one vote of the term to a second candidate. Two candidates can then both count a "
        "majority: look at `server.voted_for` (5.2).",
        _grants(vote=False),
        BUGS["the vote is not durable"].search,
    ),
    Mistake(
        "always",
        "Your server grants every request. It has one vote in each term, and must not give it to every log.",
        lambda *given: True,
        BUGS["the vote is not durable"].search,
    ),
    Mistake("never", "Your server refuses every request: no server is ever elected.", lambda *given: False),
)


def _tell(case: Case, right: Any, answer: Answer) -> str:
    server, request = case
    vote = f"voted for {server.voted_for}" if server.voted_for else "has not voted"
    return (
        f"a server in term {server.current_term} that {vote} has a log that ends with {_end(*server[2:])}. "
        f"{request.candidate_id} asks it in term {request.term}, with a log that ends with "
        f"{_end(request.last_log_index, request.last_log_term)}. It {'grants' if right else 'refuses'} the vote, "
        f"yours {answer}."
    )


def _end(index: int, term: int) -> str:
    return f"term {term} at index {index}" if index else "nothing"


OWN_REFUSAL = Rule("**{who} refuses** {candidate}'s request for a vote in term {term}: so says your rule.", "your rule")


def _voting(rule: VoteRule) -> type[Server]:
    """A server that votes by this rule, and is otherwise right."""

    class Votes(Server):
        rules: ClassVar[Mapping[str, Rule]] = {**Server.rules, "RV.own": OWN_REFUSAL}

        def may_grant(self, request: RequestVote) -> bool:
            server = Voter(self.current_term, self.voted_for, self.last_log_index, self.last_log_term)
            return bool(rule(server, request))

        def note_refusal(self, candidate: str, request: RequestVote) -> None:
            self.note("RV.own", candidate=candidate, term=request.term)

    return Votes


def _votes_by_the_book(memory: None, step: Transition) -> Broken | None:
    packet = step.before.packet(step.event.id) if isinstance(step.event, Deliver) else None
    if packet is None or not isinstance(packet.body, RequestVote):
        return None
    request, was = packet.body, step.before[packet.to]
    newer = request.term > was.current_term
    voter = Voter(
        max(was.current_term, request.term), None if newer else was.voted_for, was.last_log_index, was.last_log_term
    )
    sent = (p for p in step.after.packets if p.id >= step.before.next_id and p.to == packet.sender)
    right = vote_solution(voter, request)
    if [p.body.vote_granted for p in sent] == [right]:
        return None
    vote = f"voted for {voter.voted_for}" if voter.voted_for else "had not voted"
    return Broken(
        f"{packet.to}, which {vote} in term {voter.current_term} and has {_end(*voter[2:])}, should "
        f"{'grant' if right else 'refuse'} {packet.sender}'s request of term {request.term} with "
        f"{_end(request.last_log_index, request.last_log_term)}"
    )


votes_by_the_book = Along("Every request for a vote is answered by the book", lambda world: None, _votes_by_the_book)
"""As rules 1 and 2 say."""


def _search(**bounds: Any) -> Search:
    return Search(SmallCluster(replicate=False, **bounds), (*ALWAYS, votes_by_the_book))


VOTE = Exercise(
    "grant",
    vote_solution,
    vote_cases,
    VOTE_MISTAKES,
    _tell,
    put=lambda rule, machine: planted(machine, server=_voting(rule)),
    searches=[
        _search(budget={"crash": 1}),
        _search(budget={"duplicate": 1}),
        _search(elections={"S1": (1, 2), "S2": (1, 2)}),
        _search(elections={"S1": (4, 5), "S2": (4, 5)}, logs={"S1": (1, 1, 1), "S2": (3,)}),
        _search(elections={"S1": (1, 2), "S2": (1, 2)}, logs={"S1": (1, 1), "S2": (1,)}),
    ],
)
"""`grant(server, request) -> bool`: whether a server votes for the candidate that asks.

`server` is a `Voter`, `request` a RequestVote. The server has already entered the request's term if it was newer. The
searches: one term with a crash or a doubled message; two terms; logs that are newer or longer than others.
"""
