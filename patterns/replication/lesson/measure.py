"""What replication costs and loses: staleness, writes that are gone, siblings, bytes of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import Any, NamedTuple

import numpy as np

from patterns.engine.clients import is_done
from patterns.engine.draw import key_of, mix
from patterns.engine.linearizable import Operation, Register, check
from patterns.engine.linearizable.levels import levels
from patterns.engine.linearizable.seen import operations_of
from patterns.engine.planted import Search
from patterns.engine.script import Script
from patterns.engine.table import Table
from patterns.replication.client import one_copy
from patterns.replication.configuration import SERVICE, Suspect
from patterns.replication.machines import Chain, Merging, PrimaryBackup, Quorum
from patterns.replication.merkle import DIGEST, Row, Tree, compare_trees, leaf_of
from patterns.replication.properties import members, values_of
from patterns.replication.versions import KINDS

from .broken import PAIR, READERS, SHORT

# Staleness (Bailis et al., Probabilistically Bounded Staleness, VLDB 2012)


def fresh(n: int, r: int, w: int, versions: int = 1) -> float:
    """How likely a read sees one of the last so many versions, if nothing spreads after W have a write (section 3.1)."""
    return float(1 - (comb(n - w, r) / comb(n, r)) ** versions)


def drawn_fresh(n: int, r: int, w: int, draws: int = 20_000, seed: int = 0) -> float:
    """The same by drawing a read quorum for each write: the part of the reads that meet it."""
    order = np.random.default_rng(seed).random((draws, n)).argsort(axis=1)
    return float((order[:, :r] < w).any(axis=1).mean())


def wars(times: Sequence[float], r: int, w: int, n: int = 3, draws: int = 100_000, seed: int = 0) -> list[float]:
    """How likely a read is fresh that begins so many ms after the write is acknowledged.

    The WARS model (section 4.1): write, acknowledgement, read, and response of each replica take a time of their own,
    each drawn from the distribution of LinkedIn's SSDs (table 3).
    """
    rng = np.random.default_rng(seed)
    pareto = 0.235 * (1 + rng.pareto(10, (4, draws, n)))
    write, ack, read, response = np.where(
        rng.random(pareto.shape) < 0.9122, pareto, rng.exponential(1 / 1.66, pareto.shape)
    )
    done = np.sort(write + ack)[:, w - 1 : w]
    first = (read + response).argsort()[:, :r]
    lag = np.take_along_axis(write - read, first, axis=1).min(axis=1) - done[:, 0]
    return [float((lag <= time).mean()) for time in times]


# Acknowledged and gone

WAYS: Mapping[str, Any] = {
    "asynchronous": PrimaryBackup(mode="async"),
    "semi-synchronous": PrimaryBackup(mode="semi"),
    "synchronous": PrimaryBackup(),
    "chain": Chain(spare=False),
    "quorum": Quorum(ask_first=False),
}
WRITES = tuple(f"w{number}" for number in range(1, 100))
PAUSE = 10  # ms


class Outcome(NamedTuple):
    """What some runs of one way came to."""

    latency: float
    """ms from a write to its acknowledgement, on average."""
    acknowledged: int
    gone: int
    """Acknowledged writes that the next reader cannot see."""


def outcome(machine: Any, kills: int = 40) -> Outcome:
    """A client writes, again 10 ms after each answer. At some moment Ann is killed, with all that it has not sent yet; another leads.

    Without a leader a write is gone if no replica that is left has it.
    """
    latencies, gone = list[int](), 0
    for seed in range(kills):
        run = Script(
            machine.again(seed=seed, clients={"X": WRITES}, latency=(2, 28), ask={"X": ("Ann",)}, crash_stop=True)
        )
        known, at = set[str](), 5 + mix(key_of(seed, "kill"), 0) % 100
        while run.world.clock < at:
            call, now = run.world.call("X"), run.world
            if not call or (is_done(call) and (now.clock >= call.replied + PAUSE or not now.packets)):
                run.ask("X")
            run.advance()
            call = run.world.call("X")
            if is_done(call) and call.body.value not in known:
                known.add(call.body.value)
                latencies.append(call.replied - call.asked)
        run.crash("Ann").lose(sender="Ann")
        if isinstance(machine, Quorum):
            newest = max(keeper.version for keeper in run.world.up)
            gone += len(known) > newest.number
        else:
            run.ask("M", Suspect("Ann"), to=SERVICE).settle()
            gone += len(known - values_of(run.world[members(run.world)[0]]))
    return Outcome(sum(latencies) / len(latencies), len(latencies), gone)


# Siblings, and trees


def siblings_after(writes: int, data: str) -> list[int]:
    """How many siblings there are after each write of two clients that write in turn, with what each was told last."""
    state: Any = KINDS[data]
    context: dict[int, Any] = {0: Table(), 1: Table()}
    counts = []
    for number in range(writes):
        state = state.written("Ann", f"v{number + 1}", context[number % 2])
        context[number % 2] = state.seen
        counts.append(len(state.shown))
    return counts


def bytes_compared(differences: int, keys: int = 10_000, leaves: int = 1_024) -> tuple[int, int]:
    """The bytes of hashes that a comparison sends, and the rows of the leaves that differ."""
    rows = {f"key {number}": Row(1, "Ann", "1") for number in range(keys)}
    changed = {f"key {number * keys // differences}": Row(2, "Ann", "2") for number in range(differences)}
    differ, hashes = compare_trees(Tree(rows, leaves), Tree({**rows, **changed}, leaves))
    return hashes * DIGEST, sum(leaf_of(key, leaves) in {*differ} for key in rows)


# Configuration against verdict

ASKED = {"clients": {"X": ("milk",), "Y": ("read",)}}
CONFIGURATIONS: Mapping[str, Any] = {
    "primary, synchronous": PAIR.again(**ASKED, ask={"X": ("Ann",)}),
    "primary, asynchronous": PAIR.again(**ASKED, mode="async"),
    "chain, crashes noticed rightly": SHORT.again(**ASKED),
    "chain, a tail suspected wrongly": SHORT.again(**ASKED, wrong=True),
    "the same, and the tail asks": SHORT.again(**ASKED, wrong=True, guard="ask"),
    **{
        f"quorum, W = {w}, R = {r}, {'write-back' if repair == 'first' else 'no write-back'}": Quorum(
            **READERS, w=w, r=r, repair=repair
        )
        for w, r, repair in (
            (1, 1, "first"),
            (2, 1, "first"),
            (2, 2, "none"),
            (3, 1, "none"),
            (2, 2, "first"),
            (2, 3, "none"),
        )
    },
    "last write wins": Merging(
        clients={"X": ("milk",), "Y": ("read",)}, data="last write", patience=False, budget={}, meets=0
    ),
}
"""In words -> a small machine whose every run is looked at."""


class Verdict(NamedTuple):
    """Whether all runs of a configuration are linearizable, and if not, the shortest history that is not."""

    states: int
    history: tuple[Operation, ...]
    words: str

    @property
    def kept(self) -> list[str]:
        """The levels of consistency that this history has."""
        return [level for level, has in levels(self.history).items() if has]


def verdict(machine: Any) -> Verdict:
    """Raises ValueError if the search was cut short: then there is no verdict."""
    found = Search(machine, (one_copy,)).run()
    if found.counterexample is None:
        if not found.complete:
            raise ValueError(f"machine has too many states to look at: {found}")
        return Verdict(found.states, (), "")
    seen = operations_of(found.counterexample.history.path, is_done)
    return Verdict(found.states, seen, str(check(seen, Register())))
