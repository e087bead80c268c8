"""The vote rule as an exercise: tried on every small case, then searched through every run of small elections.

def grant(server, request): ...
check(EXERCISES["grant"], grant)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, ClassVar, NamedTuple

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.messages import RequestVote
from patterns.consensus_raft.properties import ALWAYS
from patterns.consensus_raft.state import ServerState
from patterns.engine.along import Along, Broken, Transition
from patterns.engine.exercise import Answer, Case, Exercise, Told, mistakes_of
from patterns.engine.planted import Scripted, Search, planted
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

    @classmethod
    def of(cls, server: ServerState) -> Voter:
        return cls(server.current_term, server.voted_for, server.last_log_index, server.last_log_term)


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
    """A candidate S2 asks, of the server's term or an older one; logs end in any of a few ways, then far apart."""
    ends = ((0, 0), (1, 1), (2, 1), (1, 2), (2, 2), (3, 1))  # (index, term)
    for term, voted_for, own, theirs in product((2, 1), (None, "S3", "S2"), ends, ends):
        yield Voter(2, voted_for, *own), RequestVote(term, "S2", *theirs)
    for far, other in product(((9, 1), (12, 1), (101, 1), (1_001, 1)), ((1, 2), (10, 1))):
        for own, theirs in ((far, other), (other, far)):
            yield Voter(2, None, *own), RequestVote(2, "S2", *theirs)


def _grants(
    up_to_date: Callable[[tuple[int, int], tuple[int, int]], bool] = lambda theirs, own: theirs >= own,
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


def _in_one_number(factor: int) -> VoteRule:
    return _grants(lambda theirs, own: factor * theirs[0] + theirs[1] >= factor * own[0] + own[1])


def _any_log(theirs: tuple[int, int], own: tuple[int, int]) -> bool:
    return True


def _repeats(server: Voter, request: RequestVote) -> bool:
    """Right, but a vote that was given once is given again without a look at the logs."""
    repeated = request.term >= server.current_term and server.voted_for == request.candidate_id
    return repeated or vote_solution(server, request)


# Of two that answer alike in all that is wrong, the first is named: the narrower stands first.
VOTE_MISTAKES = mistakes_of(
    __package__,
    "grant",
    {
        "refuses the repeated request": _grants(again=False),
        "repeats a vote without the log": _repeats,
        "more, not at least as much": _grants(lambda theirs, own: theirs > own),
        "term and index both": _grants(lambda theirs, own: theirs[0] >= own[0] and theirs[1] >= own[1]),
        "term and index in one number": [_in_one_number(factor) for factor in (1_000, 100, 10, 1)],
        "term or index": _grants(lambda theirs, own: theirs[0] >= own[0] or theirs[1] >= own[1]),
        "only the last term": _grants(lambda theirs, own: theirs[0] >= own[0]),
        "index before term": _grants(lambda theirs, own: theirs[::-1] >= own[::-1]),
        "only the length": _grants(lambda theirs, own: theirs[1] >= own[1]),
        "no log check": [_grants(_any_log, term, True, again) for again in (True, False) for term in (True, False)],
        "no first vote": [
            lambda server, request: server.voted_for == request.candidate_id and vote_solution(server, request),
            lambda server, request: server.voted_for == request.candidate_id,
        ],
        "no term check": _grants(term=False),
        "votes twice": _grants(vote=False),
        "always": lambda *given: True,
        "never": lambda *given: False,
    },
    shown_by={
        "index before term": BUGS["the longer log wins"].search,
        "only the length": BUGS["the longer log wins"].search,
        "no log check": BUGS["votes for any log"].search,
        "votes twice": BUGS["the vote is not durable"].search,
        "always": BUGS["the vote is not durable"].search,
    },
)


def _situation(server: Voter, request: RequestVote) -> str:
    vote = f"voted for {server.voted_for}" if server.voted_for else "has not voted"
    own, theirs = (
        f"term {log.last_log_term} at index {log.last_log_index}" if log.last_log_index else "nothing"
        for log in (server, request)
    )
    return (
        f"a server in term {server.current_term} {vote}, and its log ends with {own}. {request.candidate_id} asks it "
        f"in term {request.term}, with a log that ends with {theirs}"
    )


def _tell(case: Case, right: Any, answer: Answer) -> Told:
    return Told(_situation(*case))


OWN_REFUSAL = Rule("**{who} refuses** {candidate}'s request for a vote in term {term}: so says your rule.", "your rule")


def _voting(rule: VoteRule) -> type[Server]:
    """A server that votes by this rule, and is otherwise right."""

    class Votes(Server):
        rules: ClassVar[Mapping[str, Rule]] = {**Server.rules, "RV.own": OWN_REFUSAL}

        def may_grant(self, request: RequestVote) -> bool:
            return bool(rule(Voter.of(self), request))

        def note_refusal(self, candidate: str, request: RequestVote) -> None:
            if super().may_grant(request):
                self.note("RV.own", candidate=candidate, term=request.term)
            else:
                super().note_refusal(candidate, request)

    return Votes


@Along.named("Every request for a vote is answered by the book", lambda world: None)
def votes_by_the_book(memory: None, step: Transition) -> Broken | None:
    """As rules 1 and 2 say."""
    packet = step.before.packet(step.event.id) if isinstance(step.event, Deliver) else None
    if packet is None or not isinstance(packet.body, RequestVote):
        return None
    request, voter = packet.body, Voter.of(step.before[packet.to])
    if request.term > voter.current_term:
        voter = voter._replace(current_term=request.term, voted_for=None)
    granted, right = any(note.rule == "RV.2" for note in step.notes), vote_solution(voter, request)
    if granted == right:
        return None
    does = "does not grant" if right else "grants"
    return Broken(f"{_situation(voter, request)}. {packet.to} {does} the vote")


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
    otherwise=Scripted(
        RaftCluster(servers=3, logs={"S1": (1,) * 12, "S2": (1, 2), "S3": (1, 2)}, term=2),
        lambda run: run.fire("S1", "election").settle(),
    ),
)
"""`grant(server, request) -> bool`: whether a server votes for the candidate that asks.

`server` is a `Voter`, `request` a RequestVote. The server has already entered the request's term if it was newer. The
searches: one term with a crash or a doubled message; two terms; logs that are newer or longer than others. Where none
finds a run that goes wrong, S1 stands with a long log of an old term.
"""
