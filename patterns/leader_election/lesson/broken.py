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
from patterns.engine.sentences import page_of
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


Found = tuple[Mapping[str, Any], Search | RandomWorlds, Property | Sometimes]
"""The change, where it is found, what it breaks."""


def _bully(process: type[Bully], breaks: Property | Sometimes) -> Found:
    machine = BullyElection(n=3, heartbeat=0, timing="quiet", crash_stop=True, budget={"crash": 1})
    return {"process": process}, Search(machine, (one_leader, highest_alive_leads, highest_alive_agreed)), breaks


def _ring(process: type[RingProcess], machine: RingElection, breaks: Property) -> Found:
    return {"process": process}, Search(machine, (one_leader, highest_wins, all_know, elected)), breaks


def _lease(breaks: Property | Sometimes, options: Mapping[str, Any] = {}, **changes: Any) -> Found:
    machine = OneLeaseEach(**{"writes": 1, "budget": {}, **options})
    properties = dict.fromkeys((breaks, one_holder_a_token, acknowledged_writes_stay, leader_writes))
    return changes, Search(machine, (*properties,)), breaks


CLOCKWISE = ChangRobertsElection(ids=(1, 2, 3), budget={})
BOTH_WAYS = HirschbergSinclairElection(ids=(1, 2, 3), budget={})
CRASH: Mapping[str, Any] = {"budget": {"crash": 1}}
TRUE_CLOCKS: Mapping[str, Any] = {"true_clocks": True}
SLOW_LINKS = LeaseElection(latency=(1, 80), retry=5)
FOUND: Mapping[str, Found] = {
    "silent in an election": _bully(SilentInElection, one_leader),
    "ignores answers": _bully(IgnoresAnswers, one_leader),
    "only answers": _bully(OnlyAnswers, highest_alive_agreed),
    "impatient": (
        {"process": Impatient},
        RandomWorlds(BullyElection(n=3, heartbeat=0, budget={}), (one_leader,), faults={}),
        one_leader,
    ),
    "passes everything": _ring(PassesEverything, CLOCKWISE, highest_wins),
    "relays compare": _ring(RelayCompares, CLOCKWISE.again(initiators=(1, 2)), all_know),
    "never says no": _ring(NeverSaysNo, BOTH_WAYS, all_know),
    "wants three replies": _ring(WantsThreeReplies, BOTH_WAYS.again(ids=(1, 2)), all_know),
    "no fencing": _lease(tokens_never_fall, fencing=False),
    "unfenced writes": _lease(acknowledged_writes_stay, fencing=False),
    "reads without token": _lease(acknowledged_writes_stay, storage=ReadsWithoutToken),
    "needs a new token": _lease(leader_writes, TRUE_CLOCKS, storage=NeedsANewToken),
    "same token for all": _lease(one_holder_a_token, server=SameTokenForAll),
    "forgets tokens": _lease(one_holder_a_token, CRASH, server=ForgetsTokens),
    "grants at once": _lease(one_leader, {**CRASH, **TRUE_CLOCKS}, server=GrantsAtOnce),
    "counts from the answer": (
        {"holder": CountsFromTheAnswer},
        RandomWorlds(SLOW_LINKS, (one_leader,), faults={"cut": 0.02, "heal": 0.02}),
        one_leader,
    ),
    "votes twice": (
        {"server": VotesTwice},
        Search(OneTerm(servers=3, budget={}), (election_safety,)),
        election_safety,
    ),
}
SENTENCES = page_of(__package__, "bugs.toml")
BUGS: Mapping[str, Bug] = {title: Bug(SENTENCES[title], *found) for title, found in FOUND.items()}
"""The fault in a few words -> the bug."""
