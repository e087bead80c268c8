"""How many messages an election takes: counted in real runs, beside what theory says.

Counted are the messages that decide who leads. A ring's last lap, in which the winner tells the others, is not: the
papers do not count it either (it is n more). The bully's announcements are part of it, as in its textbook counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from math import ceil, factorial, log2
from typing import Any, NamedTuple

from patterns.engine.draw import key_of
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, Deliver, Drop, World
from patterns.leader_election import bully
from patterns.leader_election.machines import BullyElection, ChangRobertsElection, HirschbergSinclairElection
from patterns.leader_election.properties import leaders
from patterns.leader_election.raft import RaftElection

COUNTED: Mapping[str, str] = {
    "bully": "election, answer and coordinator messages, after the highest of n has crashed and one has noticed",
    "chang_roberts": "ids passed on, all n beginning at once",
    "hirschberg_sinclair": "ids and replies passed on, all n beginning at once",
    "raft": "requests for votes and votes, up to the first leader",
}
"""What is counted of each algorithm."""

BOUND = 1_000_000


class Cost(NamedTuple):
    """Messages of an election among n processes: the fewest, the mean and the most over the runs that were made."""

    n: int
    best: int
    average: float
    worst: int
    runs: int
    exact: bool
    """Whether the runs were all that differ: every order of the ring, every process that may begin."""


Run = tuple[Simulation, tuple[Any, ...]]
"""A machine, and what happens to it first."""


def messages(
    machine: Simulation, first: Iterable[Any] = (), until: Callable[[World], Any] = lambda world: False
) -> Mapping[str, int]:
    """How many messages of each type a run takes, to its end or until a world is reached, by the types' names.

    `first` are events that happen before all else. Raises ValueError for a run that does not end.
    """
    world, counts, given = machine.start(), Counter[str](), list(first)
    for step in range(BOUND):
        event = given[step] if step < len(given) else machine.usual(world)
        if event is None or until(world):
            counts.update(type(packet.body).__name__ for packet in world.packets)
            return counts
        if isinstance(event, Deliver | Drop):
            packet = world.packet(event.id)
            assert packet is not None
            counts[type(packet.body).__name__] += 1
        world, _ = machine.apply(world, event)
    raise ValueError(f"{type(machine).__name__} goes on after {BOUND:,} steps; only runs that end can be counted")


# The runs that are compared


def shuffled(n: int, seed: int) -> tuple[int, ...]:
    """The ids 1 to n in an order that depends on the seed alone."""
    return tuple(sorted(range(1, n + 1), key=lambda uid: key_of(seed, "order", uid)))


def bit_reversed(n: int) -> tuple[int, ...]:
    """The ids 1 to n so that on a ring high ones stand far apart: counting in binary, backwards."""
    bits = max(1, (n - 1).bit_length())
    order = sorted(range(n), key=lambda at: int(f"{at:0{bits}b}"[::-1], 2))
    return tuple(order.index(at) + 1 for at in range(n))


def _orders(n: int, trials: int) -> tuple[Sequence[tuple[int, ...]], Sequence[tuple[int, ...]]]:
    """Orders to take the mean over, and orders that are known or thought to be extreme. All orders, if they are few."""
    if factorial(n - 1) <= trials:
        return [(n, *rest) for rest in permutations(range(1, n))], ()  # turning a ring changes nothing
    up = tuple(range(1, n + 1))
    return [shuffled(n, seed) for seed in range(trials)], [up, up[::-1], bit_reversed(n)]


def _bully_runs(n: int, trials: int) -> tuple[list[Run], list[Run], bool]:
    """The highest has crashed; one of the others begins."""

    def run(starter: int) -> Run:
        return BullyElection(n=n, starts=(starter,), heartbeat=0), (Crash(bully.name(n)),)

    lower = range(1, n)
    if len(lower) <= trials:
        return [run(starter) for starter in lower], [], True
    drawn = [1 + key_of(trial, "starter") % (n - 1) for trial in range(trials)]
    return [run(starter) for starter in drawn], [run(1), run(n - 1)], False


def _ring_runs(machine: Callable[..., Simulation]) -> Callable[[int, int], tuple[list[Run], list[Run], bool]]:
    def runs(n: int, trials: int) -> tuple[list[Run], list[Run], bool]:
        usual, extreme = _orders(n, trials)
        return [(machine(ids=ids), ()) for ids in usual], [(machine(ids=ids), ()) for ids in extreme], not extreme

    return runs


def _raft_runs(n: int, trials: int) -> tuple[list[Run], list[Run], bool]:
    return [(RaftElection(servers=n, seed=seed), ()) for seed in range(trials)], [], False


_RUNS: Mapping[str, Callable[[int, int], tuple[list[Run], list[Run], bool]]] = {
    "bully": _bully_runs,
    "chang_roberts": _ring_runs(ChangRobertsElection),
    "hirschberg_sinclair": _ring_runs(HirschbergSinclairElection),
    "raft": _raft_runs,
}
_DECIDING: Mapping[str, frozenset[str]] = {
    "bully": frozenset({"Election", "Answer", "Coordinator"}),
    "chang_roberts": frozenset({"Candidacy"}),
    "hirschberg_sinclair": frozenset({"From", "Reply"}),
    "raft": frozenset({"RequestVote", "RequestVoteReply"}),
}


def cost(algorithm: str, n: int, trials: int = 20) -> Cost:
    """The messages of an election among `n`: over all that can differ if it is at most `trials` runs, else over
    `trials` drawn ones for the mean, and the orders known to be extreme.

    Raises ValueError for an algorithm that is not measured, and for n below 2.
    """
    if algorithm not in _RUNS:
        raise ValueError(f"algorithm is {algorithm!r}; measured are {', '.join(_RUNS)}")
    if n < 2 or trials < 1:
        raise ValueError(f"n is {n} and trials is {trials}; allowed are n from 2 and trials from 1")
    usual, extreme, exact = _RUNS[algorithm](n, trials)
    until = leaders if algorithm == "raft" else lambda world: ()

    def count(run: Run) -> int:
        counts = messages(*run, until=until)
        return sum(counts[kind] for kind in counts.keys() & _DECIDING[algorithm])

    counted = [count(run) for run in usual]
    every = counted + [count(run) for run in extreme]
    return Cost(n, min(every), sum(counted) / len(counted), max(every), len(every), exact)


def costs(algorithm: str, ns: Iterable[int], trials: int = 20) -> tuple[Cost, ...]:
    """`cost` for each n: a chart's points."""
    return tuple(cost(algorithm, n, trials) for n in ns)


# Theory


def harmonic(n: int) -> float:
    """1 + 1/2 + ... + 1/n."""
    return sum(1 / k for k in range(1, n + 1))


CURVES: Mapping[str, Mapping[str, Callable[[int], float]]] = {
    # Who starts with m higher ones asks m(m+1)/2 times in all, is answered as often but by the crashed one, and
    # n - 2 are told: m^2 + n - 2 with m = 1 at best, n - 1 at worst (CDKB 15.3 gives n - 2 announcements and O(n^2)).
    "bully": {
        "best: n - 1": lambda n: n - 1,
        "average: n(2n - 1)/6 + n - 2": lambda n: n * (2 * n - 1) / 6 + n - 2,
        "worst: n² - n - 1": lambda n: n * n - n - 1,
    },
    # Chang and Roberts 1979: rising, falling, and any order as likely as any other.
    "chang_roberts": {
        "best: 2n - 1": lambda n: 2 * n - 1,
        "average: n(1 + 1/2 + ... + 1/n)": lambda n: n * harmonic(n),
        "worst: n(n + 1)/2": lambda n: n * (n + 1) / 2,
    },
    # The bound is Hirschberg and Sinclair's (1980), as cited by Franklin, CACM 25(5), 1982. The least is ours: all n
    # ask 1 far, 4 messages each; the highest asks 2, 4, 8 ... far, 4 times so many; 2 ids of it go all the way round.
    "hirschberg_sinclair": {
        "best: 6n + 4(2^⌈log₂ n⌉ - 2)": lambda n: 6 * n + 4 * (2 ** (n - 1).bit_length() - 2),
        "bound: 8n + 8⌈n log₂ n⌉": lambda n: 8 * n + 8 * ceil(n * log2(n)),
    },
    # Ongaro and Ousterhout 2014, 5.2: one candidate, asked and answered once each.
    "raft": {"one candidate: 2(n - 1)": lambda n: 2 * (n - 1)},
}
"""Algorithm -> what theory says, in words -> the number of messages for n."""
