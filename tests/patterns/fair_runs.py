"""Fair runs: the usual events happen in the order in which they are due. Waiting clients ask again until all has ended.

Each kind of machine has its own promises of the end. All machines of all chapters are here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.properties import settled
from patterns.cqrs import Cqrs
from patterns.cqrs.properties import ordered_and_level
from patterns.engine.chapter import Chapter
from patterns.engine.properties import AtRest
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, World
from patterns.event_sourcing.event_store import NumbersFirst
from patterns.event_sourcing.properties import pickers, readers, store_of
from patterns.event_sourcing.shop import Shop
from patterns.leader_election.machines import BullyElection, LeaseElection, RingElection
from patterns.leader_election.properties import elected, highest_alive_agreed, leader_writes, leaders
from patterns.leader_election.raft import RaftElection
from patterns.replication.client import Replicated
from patterns.replication.configuration import SERVICE, Configured, Suspect
from patterns.replication.machines import AntiEntropy, Merging
from patterns.saga.lesson.side_by_side import SideBySide
from patterns.saga.machines import SagaMachine
from patterns.saga.properties import all_ended as all_sagas_ended
from patterns.sharding.gather import ScatterGather
from patterns.sharding.properties import shards
from patterns.sharding.resharding import Resharding
from patterns.two_phase_commit import TwoPhaseCommit
from patterns.two_phase_commit.lesson.milestones import all_ended

ROUND = 250
"""A client that waits asks again after this many ms. A late repair comes after four rounds."""
MOST_ROUNDS = 8
"""After the repair everything ends within so many rounds: 2 s of the simulated clock."""
OPERATORS = ("operator", "O", "M")
NOT_ASKED = ("Undo", "LoseDisk", "Forget", "Decide")
"""Requests that are faults, or that take back what is to end."""


REDIRECTS = ("NotLeader", "NotHere", "Elsewhere", "NotCoordinator")
"""Answers after which a client asks again elsewhere."""


def whoever_asks(world: World) -> bool:
    return bool(world.calls)


def moved(world: World) -> bool:
    """Whether the slot's move has begun, and each slot is nobody's or one shard's."""
    roles = {hold.role for shard in shards(world) for hold in shard.holds}
    return world.call("O") is not None and not roles & {"copying", "fenced", "importing", "undoing"}


def alike(world: World) -> bool:
    """Whether all copies are the same, after at least one change that a client asked for."""
    kept = [getattr(copy, "rows", getattr(copy, "state", None)) for copy in world.processes]
    return bool(world.calls) and all(each == kept[0] for each in kept)


def picked(world: World) -> bool:
    """Whether no picker is at work, and the subscriber has each event; NumbersFirst loses events, as it is to show."""
    there = {event.position for event in store_of(world).log.events}
    level = all(there <= {*table.positions} for _, table in readers(world))
    return all(each.command is None for each in pickers(world)) and (level or type(store_of(world)) is NumbersFirst)


ENDED: Mapping[type[Simulation], Callable[[World], Any]] = {
    TwoPhaseCommit: all_ended,
    BullyElection: highest_alive_agreed.reached,
    RingElection: elected.reached,
    LeaseElection: leader_writes.reached,
    RaftElection: leaders,
    RaftCluster: settled.reached,
    SagaMachine: all_sagas_ended,
    SideBySide: all_sagas_ended,
    Cqrs: ordered_and_level,
    Shop: picked,
    Replicated: whoever_asks,
    AntiEntropy: alike,
    Merging: alike,
    Resharding: moved,
    ScatterGather: whoever_asks,
}
"""Kind of machine -> the promises that must hold at the end. Besides, every client that asked has an answer."""
ASK_ONCE = (Shop, ScatterGather, Cqrs)
"""Machines whose clients ask only once: the answer of a process that has crashed since is lost."""
UNBOUNDED: Mapping[type[Simulation], Mapping[str, Any]] = {
    Shop: {"idle": 99},
    AntiEntropy: {"syncs": 99},
    Configured: {"suspicions": 99},
}
"""Settings that bound a search: how often a subscriber asks, or a monitor compares or suspects."""
LESSONS = Path(__file__).resolve().parents[2].glob("patterns/*/lesson/__init__.py")
CHAPTERS: Mapping[str, Chapter] = {
    name: import_module(f"patterns.{name}.lesson").CHAPTER for name in sorted(path.parts[-3] for path in LESSONS)
}


def unbounded(machine: Simulation) -> Mapping[str, Any]:
    return next((UNBOUNDED[kind] for kind in type(machine).__mro__ if kind in UNBOUNDED), {})


MACHINES = {
    f"{name}: {title}": machine.again(
        **next((UNBOUNDED[kind] for kind in type(machine).__mro__ if kind in UNBOUNDED), {})
    )
    for name, chapter in CHAPTERS.items()
    for title, machine in chapter.machines.items()
    if isinstance(machine, Simulation)
}


def is_wrong(world: World, body: Any) -> bool:
    """Whether a monitor suspects a member that is up. To report again that it is out is no new mistake."""
    return isinstance(body, Suspect) and body.who not in world.down and body.who in world[SERVICE].members


class Run:
    """A fair run: what is due first happens first, and who waits asks again."""

    def __init__(self, machine: Simulation, world: World) -> None:
        self.machine, self.world, self.asked, self.rounds = machine, world, world.clock, 0
        self.crashed = set[str]()
        self.ended = next(ENDED[kind] for kind in type(machine).__mro__ if kind in ENDED)
        self.promises = [promise for promise in machine.always if isinstance(promise, AtRest)]

    def has_ended(self) -> bool:
        """Also what is promised of the end holds, though a timer may still run."""
        return bool(self.ended(self.world)) and not self.waiting() and not self.broken()

    def broken(self) -> list[str]:
        """Why promises of the end do not hold in this state; empty if all hold."""
        return [reason for promise in self.promises if (reason := promise.reason(None, self.world))]

    def waiting(self) -> set[str]:
        """The clients without an answer: those that wait, and those that were sent elsewhere."""
        calls = {call.client: call for call in self.world.calls if call.client not in OPERATORS}
        lost = self.crashed if isinstance(self.machine, ASK_ONCE) else set()
        waits = (call for call in calls.values() if call.waits or type(call.reply).__name__ in REDIRECTS)
        return {call.client for call in waits if call.to not in lost}

    def ask(self) -> None:
        """Each client that has not asked or has no answer asks, each round at another door; so does the operator."""
        self.asked, self.rounds = self.world.clock, self.rounds + 1
        for client in dict.fromkeys(each.client for each in self.machine.requests(self.world)):
            offered = [each for each in self.machine.requests(self.world) if each.client == client and self.may(each)]
            if offered:
                self.do(offered[self.rounds % len(offered)])

    def may(self, request: Any) -> bool:
        call, body = self.world.call(request.client), request.body
        if type(body).__name__ in NOT_ASKED or is_wrong(self.world, body):
            return False
        first = request.client in OPERATORS or call is None or body == call.body
        return first and not self.machine.why_not(self.world, request)

    def do(self, event: Any) -> None:
        self.crashed |= {event.process} if isinstance(event, Crash) else set()
        self.world, _ = self.machine.apply(self.world, event)

    def advance(self) -> bool:
        """The usual next event, or a new round of asking; whether anything happened."""
        event = self.machine.usual(self.world)
        if event is not None and self.world.clock < self.asked + ROUND:
            self.do(event)
            return True
        before = self.world
        self.ask()
        if event is not None and self.world is before:
            self.do(event)
        return self.world is not before

    def wait(self, ms: int) -> None:
        until, rounds = self.world.clock + ms, self.rounds + ms // ROUND
        while self.world.clock < until and self.rounds <= rounds and self.advance():
            pass

    def end(self) -> int | None:
        """How many ms it takes to the end; None if it never comes."""
        begun, rounds = self.world.clock, self.rounds
        while not self.has_ended():
            late = self.world.clock > begun + MOST_ROUNDS * ROUND or self.rounds > rounds + MOST_ROUNDS
            if late or not self.advance():
                return None
        return self.world.clock - begun


def standard_run(machine: Simulation) -> list[World]:
    """All clients ask, and the usual events happen until all has ended."""
    run = Run(machine, machine.start())
    run.ask()
    worlds = [run.world]
    while not run.has_ended():
        assert run.world.clock < MOST_ROUNDS * ROUND, f"{machine.name} does not even end without a fault"
        assert run.advance(), f"{machine.name} is at rest before its end"
        worlds.append(run.world)
    return worlds
