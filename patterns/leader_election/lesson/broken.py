"""Elections with one rule broken: each a subclass with one small method overridden, and the check that catches it.

A check that never fails proves nothing. Every bug here is caught by an exhaustive search of a small machine, or where
it is a matter of time, which a search does not know, by random worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from patterns.consensus_raft import Server
from patterns.engine.explore import Exploration, explore
from patterns.engine.properties import Property, Sometimes
from patterns.engine.random_worlds import RandomRuns, random_worlds
from patterns.engine.simulation import Simulation
from patterns.engine.world import World
from patterns.leader_election.bully import Bully
from patterns.leader_election.lease import Holder, LockServer, Storage, UnfencedStorage
from patterns.leader_election.machines import (
    BullyElection,
    ChangRobertsElection,
    HirschbergSinclairElection,
    LeaseElection,
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
from patterns.leader_election.ring import ChangRoberts, HirschbergSinclair

M = TypeVar("M", bound=Simulation)
NO_FAULTS: Mapping[str, int] = dict.fromkeys(("crash", "pause", "cut", "drop", "duplicate", "delay"), 0)


def running(machine: type[M], **parts: Any) -> type[M]:
    """The machine with other processes in it: `running(BullyElection, process=Mine)`."""
    given = "".join(getattr(part, "__name__", "") for part in parts.values())
    return type(f"{given}{machine.__name__}", (machine,), parts)


# Bully


class SilentInElection(Bully):
    """It answers only when it is in no election itself."""

    def answers(self, lower: str) -> bool:
        return self.role != "candidate"


class IgnoresAnswers(Bully):
    """It waits on for its turn although someone higher answered."""

    def stands_back(self) -> bool:
        return False


class OnlyAnswers(Bully):
    """It answers, and begins no election of its own."""

    def joins(self, lower: str) -> bool:
        return False


class Impatient(Bully):
    """It takes for a crash what is only a long way: it waits for one message, not for two."""

    def patience(self) -> int:
        return self.timeout // 2


# Rings


class PassesEverything(ChangRoberts):
    """It swallows nothing, so every id comes round."""

    def passes_on(self, uid: int) -> bool:
        return True


class RelayCompares(ChangRoberts):
    """It swallows lower ids even where it does not stand itself."""

    def passes_on(self, uid: int) -> bool:
        return uid > self.uid


class NeverSaysNo(HirschbergSinclair):
    """It lets lower ids pass, too."""

    def is_refused(self, value: int) -> bool:
        return False


class WantsThreeReplies(HirschbergSinclair):
    """It waits for a reply more than there can be."""

    def replies_needed(self) -> int:
        return 3


# Leases


class ReadsWithoutToken(Storage):
    """It remembers the tokens of writes only."""

    def remembers_reads(self) -> bool:
        return False


class NeedsANewToken(Storage):
    """It takes a token once, as if every write had one of its own."""

    def accepts(self, token: int) -> bool:
        return token > self.highest


class SameTokenForAll(LockServer):
    """Its tokens do not grow."""

    def next_token(self) -> int:
        return 1


class ForgetsTokens(LockServer):
    """It counts tokens in memory, and from the start again after a crash."""

    counted: int = 0

    def next_token(self) -> int:
        self.counted += 1
        return self.counted


class GrantsAtOnce(LockServer):
    """After a crash it does not wait out what it granted before."""

    def waits_after_restart(self) -> bool:
        return False


class CountsFromTheAnswer(Holder):
    """It counts its lease from when the answer came: the way of the answer too long."""

    def lease_left(self) -> int:
        return self.lease_length()


# Raft


class VotesTwice(Server):
    """It gives its vote to whoever asks, again in the same term."""

    def vote_is_free(self, candidate: str) -> bool:
        return True


# How each is caught


def in_first_requests(world: World) -> bool:
    """Bounds a search of leases: each holder asks once, and repeats no message while the first is on its way.

    Holders are alike, so that runs in which A gets the first token stand for all.
    """
    lock: LockServer = world["lock"]
    if lock.token == 1 and lock.holder != "A":
        return False
    if any(process.asked > 1 for process in world.processes if isinstance(process, Holder)):
        return False
    sent = [(packet.sender, packet.to, packet.body) for packet in world.packets]
    return len(set(sent)) == len(sent)


class Bug(NamedTuple):
    """A planted bug, in a machine small enough for the check that catches it."""

    sentence: str
    machine: Simulation
    properties: tuple[Property | Sometimes, ...]
    breaks: str
    """The name of the property that it breaks."""
    by: Literal["search", "random worlds"] = "search"
    within: Callable[[Any], bool] | None = None
    faults: Mapping[str, float] = {}

    def search(self, machine: Simulation | None = None) -> Exploration:
        """The exhaustive search, of this machine or of another under the same properties."""
        return explore(machine or self.machine, self.properties, within=self.within, max_states=100_000)

    def wander(self, machine: Simulation | None = None, seeds: int = 200) -> RandomRuns:
        """Random worlds, of this machine or of another under the same properties."""
        return random_worlds(machine or self.machine, range(seeds), 120, self.properties, faults=self.faults)


def _bully(process: type[Bully], sentence: str, breaks: Property | Sometimes, **options: Any) -> Bug:
    settings = {"n": 3, "heartbeat": 0, "synchronous": True, "crash_stop": True, "budget": {**NO_FAULTS, "crash": 1}}
    machine = running(BullyElection, process=process)(**{**settings, **options})
    return Bug(sentence, machine, (one_leader, highest_alive_leads, highest_alive_agreed), breaks.name)


def _ring(machine: Simulation, sentence: str, breaks: Property | Sometimes) -> Bug:
    return Bug(sentence, machine, (one_leader, highest_wins, all_know, elected), breaks.name)


def _lease(sentence: str, breaks: Property | Sometimes, parts: dict[str, Any], crashes: int = 0, **options: Any) -> Bug:
    machine = running(LeaseElection, **parts)(writes=1, budget={**NO_FAULTS, "crash": crashes}, **options)
    properties: list[Property | Sometimes] = [one_holder_a_token, acknowledged_writes_stay, leader_writes]
    if breaks not in properties:
        properties.insert(0, breaks)
    return Bug(sentence, machine, tuple(properties), breaks.name, within=in_first_requests)


BUGS: Mapping[str, Bug] = {
    "silent in an election": _bully(SilentInElection, "It answers only when it is in no election itself.", one_leader),
    "ignores answers": _bully(IgnoresAnswers, "It leads although someone higher answered.", one_leader),
    "only answers": _bully(OnlyAnswers, "It answers, and begins no election of its own.", highest_alive_agreed),
    "impatient": Bug(
        "It waits for an answer no longer than one message takes.",
        running(BullyElection, process=Impatient)(n=3, heartbeat=0, budget=NO_FAULTS),
        (one_leader,),
        one_leader.name,
        by="random worlds",
    ),
    "passes everything": _ring(
        running(ChangRobertsElection, process=PassesEverything)(ids=(1, 2, 3), budget=NO_FAULTS),
        "It swallows no id.",
        highest_wins,
    ),
    "relays compare": _ring(
        running(ChangRobertsElection, process=RelayCompares)(ids=(1, 2, 3), initiators=(1, 2), budget=NO_FAULTS),
        "It swallows lower ids though it does not stand itself.",
        all_know,
    ),
    "never says no": _ring(
        running(HirschbergSinclairElection, process=NeverSaysNo)(ids=(1, 2, 3), budget=NO_FAULTS),
        "It lets lower ids pass.",
        all_know,
    ),
    "wants three replies": _ring(
        running(HirschbergSinclairElection, process=WantsThreeReplies)(ids=(1, 2), budget=NO_FAULTS),
        "It waits for a third reply.",
        all_know,
    ),
    "no fencing": _lease(
        "The storage takes what comes, whatever the token.", tokens_never_fall, {"storage": UnfencedStorage}
    ),
    "no fencing loses a write": _lease(
        "The storage takes what comes, whatever the token.", acknowledged_writes_stay, {"storage": UnfencedStorage}
    ),
    "reads without token": _lease(
        "The storage learns a token only by a write.", acknowledged_writes_stay, {"storage": ReadsWithoutToken}
    ),
    "needs a new token": _lease(
        "The storage takes each token once.", leader_writes, {"storage": NeedsANewToken}, synchronous=True
    ),
    "same token for all": _lease("Tokens do not grow.", one_holder_a_token, {"server": SameTokenForAll}),
    "forgets tokens": _lease(
        "The lock server counts tokens in memory.", one_holder_a_token, {"server": ForgetsTokens}, crashes=1
    ),
    "grants at once": _lease(
        "After a crash the lock server grants at once.",
        one_leader,
        {"server": GrantsAtOnce},
        crashes=1,
        synchronous=True,
    ),
    "counts from the answer": Bug(
        "A holder counts its lease from the answer, not from the question.",
        running(LeaseElection, holder=CountsFromTheAnswer)(latency=(1, 80), retry=5, fifo=True),
        (one_leader,),
        one_leader.name,
        by="random worlds",
        faults={"cut": 0.02, "heal": 0.02},
    ),
    "votes twice": Bug(
        "A Raft server votes again in the same term.",
        running(RaftElection, server=VotesTwice)(servers=3, budget=NO_FAULTS),
        (RaftElection.always[0],),
        RaftElection.always[0].name,
        within=lambda world: all(server.current_term <= 1 for server in world.processes),
    ),
}
