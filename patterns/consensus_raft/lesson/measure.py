"""How long a cluster is without a leader, how often votes split, and which writes a crash of the leader loses.

The experiment with a range of timeouts is the paper's (9.3, Figure 16). It crashes the leader at some moment between
two heartbeats, and measures when the next one is elected. A seed is a run, so every figure can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

from patterns.consensus_raft.cluster import RaftCluster, is_done
from patterns.consensus_raft.messages import Add, Command
from patterns.consensus_raft.state import ServerState
from patterns.engine.arguments import listed, require_whole
from patterns.engine.many import each
from patterns.engine.milestones import when
from patterns.engine.params import refuse
from patterns.engine.randomness import draw, moment_of_kill
from patterns.engine.script import Script
from patterns.engine.world import World

from .gallery import elected

RANGES: tuple[tuple[int, int], ...] = ((150, 150), (150, 155), (150, 175), (150, 200), (150, 300))
"""Ranges of the election timeout in ms, each starting at the paper's 150 ms, from none to the paper's own."""
PATIENCE = 1_000
"""Simulated ms after which a run without a leader ends."""


class FailOver(NamedTuple):
    """What followed one crash of a leader."""

    seed: int
    without_leader: int
    """From the crash to the next election won, in ms; `PATIENCE` if no candidate won one."""
    elections: int
    """Terms that were begun. In all but the last one the votes were split."""
    elected: bool
    """Whether there was a leader in the end."""

    @property
    def split(self) -> bool:
        """Whether no candidate won the first election."""
        return self.elections > 1 or not self.elected


def fail_over(election_timeout: Sequence[int] = (150, 300), seed: int = 0, **cluster: Any) -> FailOver:
    """Elect S1, crash it at a moment drawn from one heartbeat interval, and wait for the next leader.

    `election_timeout` is the range in ms, `cluster` what else a `RaftCluster` takes. Raises ValueError for invalid
    parameters, and for fewer than 3 servers.
    """
    machine = RaftCluster(election_timeout=election_timeout, seed=seed, **cluster)
    if machine.params.servers < 3:
        raise ValueError(f"servers is {machine.params.servers}; it takes at least 3 to elect a leader after a crash")
    # The others' timers wait until all know S1: with too narrow a range no first leader would be elected.
    run = Script(machine).fire("S1", "election").settle()
    term, moment = run.world["S1"].current_term, draw(1, machine.params.heartbeat_interval, seed, "crash")
    crashed_at = run.world.clock + moment
    run.wait(moment).crash("S1")
    while not (led := bool(_led_after(run.world, term))) and run.world.clock < crashed_at + PATIENCE:
        run.advance()
    newest = max(server.current_term for server in run.world.processes)
    return FailOver(seed, run.world.clock - crashed_at if led else PATIENCE, newest - term, led)


def _led_after(world: World[ServerState], term: int) -> tuple[ServerState, ...]:
    """The servers that are up and lead a later term."""
    return tuple(server for server in world.up if server.role == "leader" and server.current_term > term)


def fail_overs(
    election_timeout: Sequence[int], seeds: Iterable[int], *, executor: Executor | None = None, **cluster: Any
) -> tuple[FailOver, ...]:
    """`fail_over` for each seed: what a chart is drawn from. The workers of an `executor` share the seeds."""
    seeds = listed("seeds", seeds, "a list of whole numbers")
    work = partial(fail_over, election_timeout, **cluster)
    return tuple(run for _, run in each(work, seeds, executor))


ALLOWED = "one or more runs that `fail_over` measured"


def split_share(runs: Sequence[FailOver]) -> float:
    """The part of the runs whose first election no candidate won, 0 to 1."""
    measured: Sequence[FailOver] = listed("runs", runs, ALLOWED)
    if not measured or not all(isinstance(run, FailOver) for run in measured):
        refuse("runs", runs, ALLOWED)
    return sum(run.split for run in measured) / len(measured)


def acknowledged_and_gone(kills: int = 200, executor: Executor | None = None) -> tuple[int, int]:
    """Writes that were acknowledged before S1 was killed, and how many of them the next leader does not have.

    A client adds 1, again 10 ms after each answer. At some moment S1, which leads three servers, is killed with all
    that it has not sent yet. The workers of an `executor` share the kills.

    Raises ParameterError unless `kills` is a whole number, at least 1.
    """
    require_whole("kills", kills)
    runs = [run for _, run in each(_kill, range(kills), executor)]
    return sum(known for known, _ in runs), sum(gone for _, gone in runs)


def _kill(seed: int) -> tuple[int, int]:
    run = elected(RaftCluster(servers=3, seed=seed, latency=(2, 28)))
    term, end = run.world["S1"].current_term, run.world.clock + moment_of_kill(seed)
    while (now := run.world).clock < end:
        call = now.call("A")
        if call is None or (is_done(call) and now.clock >= call.replied + 10):
            run.ask("A", Add, to="S1")
        run.advance()
    known = {call.body.serial for step in run.history.branch if (call := step.state.call("A")) and is_done(call)}
    run.crash("S1").lose(sender="S1").until(when(lambda world: _led_after(world, term)))
    log = _led_after(run.world, term)[0].log
    kept = {entry.command.request.serial for entry in log if isinstance(entry.command, Command)}
    return len(known), len(known - kept)
