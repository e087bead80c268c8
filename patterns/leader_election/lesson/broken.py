"""Elections with one rule broken: each a subclass with one small method overridden, and the check that finds it.

A check that never fails proves nothing. An exhaustive search of a small machine finds each bug here. Where the bug is
a matter of time, which a search does not know, random worlds find it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.consensus_raft import Server
from patterns.consensus_raft.properties import election_safety
from patterns.engine.milestones import messages
from patterns.engine.planted import Bug, RandomWorlds, Search
from patterns.engine.properties import Property, Sometimes
from patterns.engine.world import Crash, Deliver, Fire, Packet, World
from patterns.leader_election.bully import Bully
from patterns.leader_election.lease import Holder, LockServer, Storage
from patterns.leader_election.lease_messages import Acquire, Read, Refused, Written
from patterns.leader_election.machines import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
    RingElection,
)
from patterns.leader_election.properties import (
    acknowledged_writes_stay,
    all_know,
    elected,
    highest_alive_agreed,
    highest_alive_leads,
    highest_wins,
    leader_writes,
    one_holder_a_token,
    one_leader,
    tokens_never_fall,
)
from patterns.leader_election.raft import RaftElection
from patterns.leader_election.ring import ChangRoberts, HirschbergSinclair, RingProcess

# Bully


class SilentInElection(Bully):
    """It answers only if it is in no election itself."""

    def answers(self, lower: str) -> bool:
        return self.role != "candidate"


class IgnoresAnswers(Bully):
    """It remains a candidate although a higher process answered."""

    def stands_back(self) -> bool:
        return False


class OnlyAnswers(Bully):
    """It answers, and begins no election of its own."""

    def joins(self, lower: str) -> bool:
        return False


class Impatient(Bully):
    """It waits for the time of one message, not of two."""

    def patience(self) -> int:
        return self.timeout // 2


# Rings


class PassesEverything(ChangRoberts):
    """It swallows no id, so every id comes round."""

    def passes_on(self, uid: int) -> bool:
        return True


class RelayCompares(ChangRoberts):
    """It swallows lower ids even if it does not stand itself."""

    def passes_on(self, uid: int) -> bool:
        return uid > self.uid


class WantsThreeReplies(HirschbergSinclair):
    """It waits for a third reply, which never comes."""

    def replies_needed(self) -> int:
        return 3


class NeverSaysNo(HirschbergSinclair):
    """It lets lower ids pass too."""

    def is_refused(self, value: int) -> bool:
        return False


# Leases


class NeedsANewToken(Storage):
    """It accepts each token once."""

    def accepts(self, token: int) -> bool:
        return token > self.highest


class ReadsWithoutToken(Storage):
    """It remembers the tokens of writes only."""

    def remembers_reads(self) -> bool:
        return False


class SameTokenForAll(LockServer):
    """Its tokens do not grow."""

    def next_token(self) -> int:
        return 1


class ForgetsTokens(LockServer):
    """It counts tokens in memory, and starts again after a crash."""

    counted: int = 0

    def next_token(self) -> int:
        self.counted += 1
        return self.counted


class GrantsAtOnce(LockServer):
    """After a crash it does not wait until the leases that it granted have expired."""

    def waits_after_restart(self) -> bool:
        return False


class CountsFromTheAnswer(Holder):
    """It counts its lease from the answer, not from the request."""

    def lease_left(self) -> int:
        return self.lease_length()


# Raft


class VotesTwice(Server):
    """It votes for every candidate that asks, again in the same term."""

    def vote_is_free(self, candidate: str) -> bool:
        return True


# Where each is found


class OneLeaseEach(LeaseElection):
    """A small search of leases: each holder asks once, no message is on its way twice, and only the lock crashes.

    The first request to arrive is A's. Holders are alike, so these runs stand for all.
    """

    name = "leader_election.one_lease_each"

    def may_happen(self, world: World, event: Any) -> bool:
        match event:
            case Fire(process, "ask" | "renew" | "asked"):
                small = world[process].asked == 0
            case Fire(process, "work"):
                small = not messages(world, sender=process, to="storage")
            case Deliver():
                small = self.is_in_turn(world, world.packet(event.id))
            case Crash(process):
                small = process == "lock"
            case _:
                small = True
        return small and super().may_happen(world, event)

    def is_in_turn(self, world: World, packet: Packet | None) -> bool:
        """Whether this message may arrive now: A asks first, and no two answers to writes are on their way to a holder.

        A read is answered only while no other answer of the storage is on its way to this holder.
        """
        match packet:
            case Packet(body=Acquire(), sender=asker) if asker != "A":
                return world["A"].asked > 0 and not messages(world, Acquire, sender="A")
            case Packet(to="storage", body=Read(), sender=holder):
                return not messages(world, sender="storage", to=holder)
            case Packet(to="storage", sender=holder):
                return not any(messages(world, answer, sender="storage", to=holder) for answer in (Written, Refused))
        return True


class OneTerm(RaftElection):
    """A small search of Raft: each server starts an election for term 1 at most, and a leader sends no heartbeats."""

    name = "leader_election.one_term"

    def may_happen(self, world: World, event: Any) -> bool:
        later = isinstance(event, Fire) and world[event.process].current_term > 0
        return not later and super().may_happen(world, event)


def _bully(sentence: str, process: type[Bully], breaks: Property | Sometimes) -> Bug:
    machine = BullyElection(n=3, heartbeat=0, timing="quiet", crash_stop=True, budget={"crash": 1})
    search = Search(machine, (one_leader, highest_alive_leads, highest_alive_agreed))
    return Bug(sentence, {"process": process}, search, breaks)


def _ring(sentence: str, process: type[RingProcess], machine: RingElection, breaks: Property) -> Bug:
    return Bug(sentence, {"process": process}, Search(machine, (one_leader, highest_wins, all_know, elected)), breaks)


def _lease(sentence: str, changes: Mapping[str, Any], breaks: Property | Sometimes, **options: Any) -> Bug:
    machine = OneLeaseEach(**{"writes": 1, "budget": {}, **options})
    properties = dict.fromkeys((breaks, one_holder_a_token, acknowledged_writes_stay, leader_writes))
    return Bug(sentence, changes, Search(machine, (*properties,)), breaks)


NO_FENCING = "The storage checks no token."
BUGS: Mapping[str, Bug] = {
    "silent in an election": _bully("A process in an election sends no answers.", SilentInElection, one_leader),
    "ignores answers": _bully("A process leads although a higher process answered.", IgnoresAnswers, one_leader),
    "only answers": _bully("A process answers, and begins no election.", OnlyAnswers, highest_alive_agreed),
    "impatient": Bug(
        "A process waits for an answer only as long as one message takes.",
        {"process": Impatient},
        RandomWorlds(BullyElection(n=3, heartbeat=0, budget={}), (one_leader,), faults={}),
        one_leader,
    ),
    "passes everything": _ring(
        "A process swallows no id.", PassesEverything, ChangRobertsElection(ids=(1, 2, 3), budget={}), highest_wins
    ),
    "relays compare": _ring(
        "A process swallows lower ids although it does not stand itself.",
        RelayCompares,
        ChangRobertsElection(ids=(1, 2, 3), initiators=(1, 2), budget={}),
        all_know,
    ),
    "never says no": _ring(
        "A process lets lower ids pass.", NeverSaysNo, HirschbergSinclairElection(ids=(1, 2, 3), budget={}), all_know
    ),
    "wants three replies": _ring(
        "A process waits for a third reply.",
        WantsThreeReplies,
        HirschbergSinclairElection(ids=(1, 2), budget={}),
        all_know,
    ),
    "no fencing": _lease(NO_FENCING, {"fencing": False}, tokens_never_fall),
    "unfenced writes": _lease(
        "The same; the search looks for a lost line.", {"fencing": False}, acknowledged_writes_stay
    ),
    "reads without token": _lease(
        "The storage learns a token only from a write.", {"storage": ReadsWithoutToken}, acknowledged_writes_stay
    ),
    "needs a new token": _lease(
        "The storage accepts each token once.", {"storage": NeedsANewToken}, leader_writes, true_clocks=True
    ),
    "same token for all": _lease("Tokens do not grow.", {"server": SameTokenForAll}, one_holder_a_token),
    "forgets tokens": _lease(
        "The lock server counts tokens in memory.", {"server": ForgetsTokens}, one_holder_a_token, budget={"crash": 1}
    ),
    "grants at once": _lease(
        "After a crash the lock server grants at once.",
        {"server": GrantsAtOnce},
        one_leader,
        budget={"crash": 1},
        true_clocks=True,
    ),
    "counts from the answer": Bug(
        "A holder counts its lease from the answer, not from the request.",
        {"holder": CountsFromTheAnswer},
        RandomWorlds(LeaseElection(latency=(1, 80), retry=5), (one_leader,), faults={"cut": 0.02, "heal": 0.02}),
        one_leader,
    ),
    "votes twice": Bug(
        "A Raft server votes again in the same term.",
        {"server": VotesTwice},
        Search(OneTerm(servers=3, budget={}), (election_safety,)),
        election_safety,
    ),
}
"""The fault in a few words -> the bug."""
