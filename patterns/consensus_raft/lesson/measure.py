"""How long a cluster is without a leader, and how often votes split: what the range of election timeouts decides.

The experiment is the paper's (9.3, Figure 16): crash the leader at some moment between two heartbeats, and see when the
next one is elected. A seed is a run, so every figure can be had again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.properties import servers_of
from patterns.consensus_raft.state import ServerState
from patterns.engine.draw import draw
from patterns.engine.world import Crash, Deliver, Fire, World, agenda

RANGES: tuple[tuple[int, int], ...] = ((150, 150), (150, 155), (150, 175), (150, 200), (150, 300))
"""Ranges of the election timeout in ms, each starting at the paper's 150 ms, from none to the paper's own."""
PATIENCE = 1_000
"""Simulated ms after which a run without a leader is given up."""


class FailOver(NamedTuple):
    """What followed one crash of a leader."""

    seed: int
    without_leader: int
    """From the crash to the next election won, in ms; `PATIENCE` where it was given up."""
    elections: int
    """Terms that were begun. All but the last were won by nobody: their votes were split."""
    elected: bool
    """Whether there was a leader in the end."""

    @property
    def split(self) -> bool:
        """Whether the first election was won by nobody."""
        return self.elections > 1 or not self.elected


def fail_over(election_timeout: Sequence[int] = (150, 300), seed: int = 0, **cluster: Any) -> FailOver:
    """Elect S1, crash it at a moment drawn from one heartbeat interval, and wait for the next leader.

    `election_timeout` is the range in ms, `cluster` what else a `RaftCluster` takes. Raises ValueError for a cluster
    that cannot be, or has too few servers to go on without one.
    """
    machine = RaftCluster(election_timeout=election_timeout, seed=seed, **cluster)
    if len(machine.names) < 3:
        raise ValueError(f"servers is {len(machine.names)}; it takes at least 3 to elect a leader after a crash")
    world = _led_by_first(machine)
    leader, term = machine.names[0], world[machine.names[0]].current_term
    crashed_at = world.clock + draw(1, machine.params.heartbeat_interval, seed, "crash")
    while next(agenda(world)).due <= crashed_at:
        world = _usual(machine, world)
    world, _ = machine.apply(world, Crash(leader))
    while (new := _leader(world, term)) is None and world.clock < crashed_at + PATIENCE:
        world = _usual(machine, world)
    newest = max(server.current_term for server in servers_of(world))
    waited = world.clock - crashed_at if new else PATIENCE
    return FailOver(seed, waited, (new.current_term if new else newest) - term, new is not None)


def fail_overs(election_timeout: Sequence[int], seeds: Iterable[int], **cluster: Any) -> tuple[FailOver, ...]:
    """`fail_over` for each seed: what a chart is drawn from."""
    return tuple(fail_over(election_timeout, seed, **cluster) for seed in seeds)


def split_share(runs: Sequence[FailOver]) -> float:
    """The part of the runs whose first election was won by nobody, 0 to 1."""
    return sum(run.split for run in runs) / len(runs)


def _led_by_first(machine: RaftCluster) -> World:
    """The world once S1 is elected, all know it, and no message is on its way. The others' timers wait for that: with
    too narrow a range there would be no first leader to crash."""
    world, _ = machine.apply(machine.start(), Fire(machine.names[0], "election"))
    while world.packets:
        world, _ = machine.apply(world, Deliver(world.packets[0].id))
    return world


def _usual(machine: RaftCluster, world: World) -> World:
    event = machine.usual(world)
    assert event is not None  # an election timer always runs
    return machine.apply(world, event)[0]


def _leader(world: World, after: int) -> ServerState | None:
    """A server that is up and leads a term later than `after`."""
    return next((s for s in world.up if s.role == "leader" and s.current_term > after), None)
