"""The vote rule as an exercise: tried on every small case, then searched through every run of small elections.

def grant(server, request): ...
judge_vote(grant)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, ClassVar, NamedTuple

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.messages import RequestVote
from patterns.engine.judge import Answer, Case, Mistake, Verdict, judge
from patterns.engine.properties import Property, Reason
from patterns.engine.step import Note, Rule
from patterns.engine.world import Deliver, World

from .judging import searched
from .small import SmallCluster, small_cluster_of


class Voter(NamedTuple):
    """What a server knows when a RequestVote comes to it. Its log counts by its last entry alone."""

    current_term: int
    voted_for: str | None
    last_log_index: int
    last_log_term: int


VoteRule = Callable[[Voter, RequestVote], Any]


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


def _vote_without(*parts: str) -> Callable[[Voter, RequestVote], bool]:
    """The rule without its check of the `term`, the `vote` or the `log`."""

    def rule(server: Voter, request: RequestVote) -> bool:
        checks = {
            "term": request.term >= server.current_term,
            "vote": server.voted_for in (None, request.candidate_id),
            "log": (request.last_log_term, request.last_log_index) >= (server.last_log_term, server.last_log_index),
        }
        return all(holds for part, holds in checks.items() if part not in parts)

    return rule


def _vote_with_log(up_to_date: Callable[[Voter, RequestVote], bool]) -> Callable[[Voter, RequestVote], bool]:
    """The rule with another comparison of logs."""
    return lambda server, request: _vote_without("log")(server, request) and up_to_date(server, request)


VOTE_MISTAKES = (  # of two that answer alike in all that is wrong, the first is named: the narrower stands first
    Mistake(
        "refuses the repeated request",
        "Your server refuses the very candidate it voted for when the request comes again. The answer may have been "
        "lost: the same vote may be said twice (RequestVote rule 2).",
        lambda server, request: _vote_without("vote")(server, request) and server.voted_for is None,
    ),
    Mistake(
        "more, not at least as much",
        "Your server votes only for logs that are more up-to-date than its own. Equal is enough: in a new cluster all "
        "logs are equal, and somebody has to be elected.",
        _vote_with_log(
            lambda server, request: (
                (request.last_log_term, request.last_log_index) > (server.last_log_term, server.last_log_index)
            )
        ),
    ),
    Mistake(
        "term and index both",
        "Your rule wants the candidate's last term and its last index both to be at least its own. With a later last "
        "term the length does not matter: otherwise perhaps nobody can be elected (5.4.1).",
        _vote_with_log(
            lambda server, request: (
                request.last_log_term >= server.last_log_term and request.last_log_index >= server.last_log_index
            )
        ),
    ),
    Mistake(
        "only the last term",
        "Your rule compares the last terms alone. Of two logs that end in the same term the longer one has more "
        "(5.4.1).",
        _vote_with_log(lambda server, request: request.last_log_term >= server.last_log_term),
    ),
    Mistake(
        "index before term",
        "Your rule compares the lengths of logs before their last terms. A long log of an old term is not more "
        "up-to-date: the later last term wins, and only for equal ones the longer log (5.4.1).",
        _vote_with_log(
            lambda server, request: (
                (request.last_log_index, request.last_log_term) >= (server.last_log_index, server.last_log_term)
            )
        ),
    ),
    Mistake(
        "only the length",
        "Your rule compares the lengths of logs alone. Which entries they hold is told by the last one's term, and "
        "that counts first (5.4.1).",
        _vote_with_log(lambda server, request: request.last_log_index >= server.last_log_index),
    ),
    Mistake(
        "no log check",
        "Your server votes for a candidate whose log lacks what it has itself. What is lost then may be committed: "
        "compare the logs' last entries (5.4.1).",
        _vote_without("log"),
    ),
    Mistake(
        "no term check",
        "Your server votes in a term that is over. Its answer carries its own, newer term: refuse a request whose term "
        "is below `server.current_term` (5.1).",
        _vote_without("term"),
    ),
    Mistake(
        "votes twice",
        "Your server gives its one vote of the term to a second candidate. Two candidates can then both count a "
        "majority: see what `server.voted_for` says (5.2).",
        _vote_without("vote"),
    ),
    Mistake("always", "Your server grants every request. One vote a term, and not for every log.", lambda *given: True),
    Mistake("never", "Your server refuses every request: nobody is ever elected.", lambda *given: False),
)


def judge_vote(function: VoteRule) -> Verdict:
    """Judge `grant(server, request) -> bool`: whether a server votes for the candidate that asks.

    `server` is a `Voter`, `request` a RequestVote; the server has already entered the request's term if it was newer.
    It is tried on small cases and, put into a server, searched through every run of small elections.
    """
    verdict = judge(function, vote_solution, vote_cases(), tell=_tell_vote, mistakes=VOTE_MISTAKES)
    if not verdict.attempted:
        return verdict
    cluster = small_cluster_of(_voting(function))
    consequence = CONSEQUENCES.get(verdict.mistake)
    return searched(verdict, vote_searches(cluster), votes_by_the_book, cluster, consequence)


CONSEQUENCES = {
    "no log check": "VotesForAnyLog",
    "index before term": "LongerLogWins",
    "only the length": "LongerLogWins",
    "votes twice": "VoteNotDurable",
    "always": "VoteNotDurable",
}
"""Mistakes of which a short run shows what they do, and the planted bug in whose bounds to look for it."""


def vote_searches(cluster: type[SmallCluster]) -> list[SmallCluster]:
    """One term with a crash or a doubled message; two terms; logs that are newer or longer than others."""
    return [
        cluster(replicate=False, budget={"crash": 1}),
        cluster(replicate=False, budget={"duplicate": 1}),
        cluster(replicate=False, elections={"S1": (1, 2), "S2": (1, 2)}),
        cluster(replicate=False, elections={"S1": (4, 5), "S2": (4, 5)}, logs={"S1": (1, 1, 1), "S2": (3,)}),
        cluster(replicate=False, elections={"S1": (1, 2), "S2": (1, 2)}, logs={"S1": (1, 1), "S2": (1,)}),
    ]


OWN_REFUSAL = Rule("**{who} refuses** {candidate}'s request for a vote in term {term}: so says your rule.", "your rule")


def _voting(rule: VoteRule) -> type[Server]:
    """A server that votes by this rule, and is otherwise right."""

    class Votes(Server):
        rules: ClassVar[Mapping[str, Rule]] = {**Server.rules, "RV.own": OWN_REFUSAL}

        def may_grant(self, request: RequestVote) -> bool:
            return bool(
                rule(Voter(self.current_term, self.voted_for, self.last_log_index, self.last_log_term), request)
            )

        def note_refusal(self, candidate: str, request: RequestVote) -> None:
            if super().may_grant(request):
                self.note("RV.own", candidate=candidate, term=request.term)
            else:
                super().note_refusal(candidate, request)

    return Votes


def _tell_vote(case: Case, right: Any, answer: Answer) -> str:
    server, request = case
    vote = f"voted for {server.voted_for}" if server.voted_for else "has not voted"
    return (
        f"a server in term {server.current_term} that {vote}, its log ending with {_end(*server[2:])}, is asked by "
        f"{request.candidate_id} in term {request.term}, its log ending with "
        f"{_end(request.last_log_index, request.last_log_term)}: it {'grants' if right else 'refuses'} the vote, "
        f"yours {answer}."
    )


def _end(index: int, term: int) -> str:
    return f"term {term} at index {index}" if index else "nothing"


class VotesByTheBook(Property):
    """Every RequestVote is answered as rules 1 and 2 say."""

    def __init__(self) -> None:
        super().__init__("Every request for a vote is answered by the book")

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: tuple[Note, ...]) -> Any:
        packet = before.packet(event.id) if isinstance(event, Deliver) else None
        if memory or packet is None or not isinstance(packet.body, RequestVote):
            return memory
        request, was = packet.body, before[packet.to]
        newer = request.term > was.current_term
        voter = Voter(
            max(was.current_term, request.term),
            None if newer else was.voted_for,
            was.last_log_index,
            was.last_log_term,
        )
        answers = [p.body.vote_granted for p in after.packets if p.id >= before.next_id and p.to == packet.sender]
        right = vote_solution(voter, request)
        if answers == [right]:
            return None
        vote = f"voted for {voter.voted_for}" if voter.voted_for else "had not voted"
        return (
            f"{packet.to}, which {vote} in term {voter.current_term} and has {_end(*voter[2:])}, should "
            f"{'grant' if right else 'refuse'} {packet.sender}'s request of term {request.term} with "
            f"{_end(request.last_log_index, request.last_log_term)}"
        )

    def reason(self, memory: Any, state: World) -> Reason:
        return memory  # type: ignore[no-any-return]


votes_by_the_book = VotesByTheBook()
