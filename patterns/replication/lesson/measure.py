"""What replication costs and loses: writes that are gone, siblings, bytes compared; and what each way promises."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from math import log
from typing import Any

from patterns.engine.arguments import require_whole
from patterns.engine.clients import is_done
from patterns.engine.linearizable import Register, check
from patterns.engine.linearizable.levels import levels
from patterns.engine.linearizable.seen import judged, operations_of
from patterns.engine.many import each
from patterns.engine.planted import Search
from patterns.engine.randomness import draw, moment_of_kill
from patterns.engine.script import Script
from patterns.engine.table import Table
from patterns.replication.client import one_copy
from patterns.replication.configuration import SERVICE, Suspect
from patterns.replication.machines import Chain, PrimaryBackup, Quorum
from patterns.replication.merkle import DIGEST, Tree, compare_trees, leaf_of
from patterns.replication.properties import members, values_of
from patterns.replication.quorum import Version
from patterns.replication.versions import KINDS, Stamped

from .broken import AT_ANN, PAIR, READERS, SHORT, merging

# Acknowledged and gone

WAYS: Mapping[str, Any] = {
    "asynchronous": PrimaryBackup(mode="async"),
    "semi-synchronous": PrimaryBackup(mode="semi"),
    "synchronous": PrimaryBackup(),
    "chain": Chain(spare=False),
    "quorum": Quorum(ask_first=False),
}
WRITES = tuple(f"w{number}" for number in range(1, 100))


def outcome(machine: Any, kills: int = 200, executor: Executor | None = None) -> tuple[float, int, int]:
    """ms from a write to its acknowledgement on average, writes acknowledged, and acknowledged writes that are gone.

    A client writes, again 10 ms after each answer. At some moment Ann is killed, with all that it has not sent yet, and
    another leads. Without a leader a write is gone if no replica that is left has it. The workers of an `executor`
    share the kills. Raises ParameterError unless `kills` is a whole number, at least 1.
    """
    require_whole("kills", kills)
    runs = [run for _, run in each(partial(_kill, machine), range(kills), executor)]
    latencies = [latency for known, _ in runs for latency in known]
    return sum(latencies) / len(latencies), len(latencies), sum(gone for _, gone in runs)


def _kill(machine: Any, seed: int) -> tuple[list[int], int]:
    """How long the writes took that were acknowledged when Ann was killed, and how many of them are gone."""
    run = Script(machine.again(seed=seed, latency=(2, 28), clients={"X": WRITES}, ask=AT_ANN, crash_stop=True))
    while (now := run.world).clock < moment_of_kill(seed):
        call = now.call("X")
        if not call or (is_done(call) and (now.clock >= call.replied + 10 or not now.packets)):
            run.ask("X")
        run.advance()
    calls = [call for step in run.history.branch if (call := step.state.call("X")) and is_done(call)]
    known = {call.body.value: call.replied - call.asked for call in calls}
    run.crash("Ann").lose(sender="Ann")
    if isinstance(machine, Quorum):
        return [*known.values()], len(known) > max(keeper.version for keeper in run.world.up).number
    run.ask("M", Suspect("Ann"), to=SERVICE).settle()
    return [*known.values()], len(known.keys() - values_of(run.world[members(run.world)[0]]))


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


def dropped(behind: int, writes: int = 4_000, by_clock: bool = True) -> float:
    """The share of all writes that last write wins drops when it is told of them, and nobody hears of it.

    Two phones write in turn, on average every 10 ms. Ben's clock is `behind` by so many ms. If not `by_clock`, each
    stamp is later than all that its phone has seen.
    """
    now, gone, newest = 0.0, 0, Stamped()
    for number in range(writes):
        now -= 10_000 * log(draw(1, 1 << 30, "pause", behind, number) / (1 << 30))  # in µs
        clock = int(now) - number % 2 * behind * 1_000
        new = Stamped(clock if by_clock else newest.time + 1, ("Ann", "Ben")[number % 2], f"w{number}")
        newest = newest.merged(new)
        gone += newest is not new
    return gone / writes


def bytes_compared(differences: int, keys: int = 10_000, leaves: int = 1_024) -> tuple[int, int]:
    """The bytes of hashes that a comparison sends, and the rows of the leaves that differ."""
    rows = {f"key {number}": Version(1, "Ann", "1") for number in range(keys)}
    changed = {f"key {number * keys // differences}": Version(2, "Ann", "2") for number in range(differences)}
    differ, hashes = compare_trees(Tree(rows, leaves), Tree({**rows, **changed}, leaves))
    return hashes * DIGEST, sum(leaf_of(key, leaves) in {*differ} for key in rows)


# Configuration against verdict

ASKED = {"clients": {"X": ("milk",), "Y": ("read",)}}
# In words -> a small machine whose every run is looked at.
CONFIGURATIONS: dict[str, Any] = {
    "primary, synchronous": PAIR.again(**ASKED, ask={"X": ("Ann",)}),
    "primary, asynchronous": PAIR.again(**ASKED, mode="async"),
    "chain, crashes noticed rightly": SHORT.again(**ASKED, budget={"crash": 1}),
    "chain, a tail suspected wrongly": SHORT.again(**ASKED, wrong=True),
    "chain, suspected wrongly, the tail asks Fridge": SHORT.again(**ASKED, wrong=True, guard="ask"),
    "last write wins": merging("last write", **ASKED),
}
# In words, a small machine whose every run is looked at.
for w, r, repair in ((1, 1, "first"), (2, 1, "first"), (2, 2, "none"), (3, 1, "none"), (2, 2, "first"), (2, 3, "none")):
    name = f"quorum, W = {w}, R = {r}, {'write-back' if repair == 'first' else 'no write-back'}"
    CONFIGURATIONS[name] = Quorum(**READERS, w=w, r=r, repair=repair)


def verdict(machine: Any) -> tuple[int, str, list[str]]:
    """How many states all its runs have; the shortest history that is not linearizable, in words; and weaker levels.

    These are the levels that some run breaks if each client reads once more. Of such runs, 5,000 states are looked at.

    Empty if every run is linearizable. Raises ValueError if the search was cut short: then there is no verdict.
    """
    found = Search(machine, (one_copy,)).run()
    if found.counterexample is None and not found.complete:
        raise ValueError(f"machine has too many states to look at: {found}")
    if found.counterexample is None:
        return found.states, "", []
    seen, broken = operations_of(found.counterexample.history.path, is_done), dict[str, bool]()
    more = machine.again(clients={client: (*asked, "read") for client, asked in machine.params.clients.items()})
    noted = judged("levels", lambda all: broken.update({k: has for k, has in levels(all).items() if not has}), is_done)
    Search(more, (noted,), max_states=5_000).run()
    return found.states, str(check(seen, Register())), [level for level in [*levels(seen)][1:] if level in broken]
