"""How many messages an election takes: counted in real runs, beside what theory says.

Only messages that decide which process leads are counted. A ring's last lap, in which the winner tells the others, is
n more; the papers do not count it either. The bully's announcements are counted, as in the textbooks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from math import ceil, factorial, log2
from typing import Any, NamedTuple

from patterns.engine.arguments import listed, require_instance, require_whole
from patterns.engine.params import refuse
from patterns.engine.randomness import key_of
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, Deliver, Drop, World
from patterns.leader_election import bully
from patterns.leader_election.machines import BullyElection, ChangRobertsElection, HirschbergSinclairElection
from patterns.leader_election.properties import leaders
from patterns.leader_election.raft import RaftElection

BOUND = 1_000_000


class Cost(NamedTuple):
    """Messages of an election among n processes, over the runs that were counted."""

    n: int
    best: int
    average: float
    worst: int


def messages(
    machine: Simulation, first: Iterable[Any] = (), until: Callable[[World], Any] = lambda world: False
) -> Mapping[str, int]:
    """How many messages of each type a run takes, to its end or until a world is reached, by the types' names.

    `first` are events that happen before all others. Raises ValueError for a run that does not end.
    """
    require_instance("machine", machine, Simulation)
    world, counts, given = machine.start(), Counter[str](), list(first)
    for step in range(BOUND):
        event = given[step] if step < len(given) else machine.usual(world)
        if event is None or until(world):
            counts.update(type(packet.body).__name__ for packet in world.packets)
            return counts
        if isinstance(event, Deliver | Drop) and (packet := world.packet(event.id)):
            counts[type(packet.body).__name__] += 1
        world, _ = machine.apply(world, event)
    raise ValueError(f"{type(machine).__name__} goes on after {BOUND:,} steps; only runs that end can be counted")


# The runs that are counted

Variants = tuple[Sequence[Any], Sequence[Any]]
"""What differs between runs: values to take the mean over, and values that are known or thought to be extreme."""


def _starters(n: int, trials: int) -> Variants:
    """The processes that begin a bully's election, when the highest has crashed."""
    if n - 1 <= trials:
        return range(1, n), ()
    return [1 + key_of(trial, "starter") % (n - 1) for trial in range(trials)], (1, n - 1)


def _orders(n: int, trials: int) -> Variants:
    """Orders of the ids on a ring: all of them if they are few. To turn a ring changes nothing."""
    if factorial(n - 1) <= trials:
        return [(n, *rest) for rest in permutations(range(1, n))], ()
    up = tuple(range(1, n + 1))
    drawn = [sorted(up, key=lambda uid, seed=seed: key_of(seed, "order", uid)) for seed in range(trials)]  # type: ignore[misc]
    return drawn, (up, up[::-1], bit_reversed(n))


def bit_reversed(n: int) -> tuple[int, ...]:
    """The ids 1 to n in an order in which high ids are far apart on a ring: binary numbers, read backwards."""
    require_whole("n", n)
    bits = max(1, (n - 1).bit_length())
    order = sorted(range(n), key=lambda at: int(f"{at:0{bits}b}"[::-1], 2))
    return tuple(order.index(at) + 1 for at in range(n))


def harmonic(n: int) -> float:
    """1 + 1/2 + ... + 1/n."""
    require_whole("n", n)
    return sum(1 / k for k in range(1, n + 1))


class Measured(NamedTuple):
    """Which messages of an algorithm are counted, in which runs, and what theory says."""

    counted: str
    """The measure, in words."""
    kinds: tuple[str, ...]
    """The messages that are counted."""
    variants: Callable[[int, int], Variants]
    """`variants(n, trials)`."""
    run: Callable[[int, Any], Mapping[str, int]]
    """`run(n, variant)` counts the messages of one run."""
    curves: Mapping[str, Callable[[int], float]]
    """What theory says, in words -> the number of messages for n."""


MEASURED: Mapping[str, Measured] = {
    # A process with m higher ones asks m(m+1)/2 times in all, is answered as often but by the crashed one, and n - 2
    # are told: m^2 + n - 2, with m = 1 at best and n - 1 at worst (CDKB 15.3 gives n - 2 announcements and O(n^2)).
    "bully": Measured(
        "election, answer and coordinator messages, after the highest of n has crashed and one process has noticed",
        ("Election", "Answer", "Coordinator"),
        _starters,
        lambda n, starter: messages(BullyElection(n=n, starts=(starter,), heartbeat=0), [Crash(bully.name(n))]),
        {
            "best: n - 1": lambda n: n - 1,
            "average: n(2n - 1)/6 + n - 2": lambda n: n * (2 * n - 1) / 6 + n - 2,
            "worst: n² - n - 1": lambda n: n * n - n - 1,
        },
    ),
    # Chang and Roberts 1979: rising, falling, and any order as likely as any other.
    "chang_roberts": Measured(
        "ids passed on, if all n processes begin at once",
        ("Candidacy",),
        _orders,
        lambda n, ids: messages(ChangRobertsElection(ids=ids)),
        {
            "best: 2n - 1": lambda n: 2 * n - 1,
            "average: n(1 + 1/2 + ... + 1/n)": lambda n: n * harmonic(n),
            "worst: n(n + 1)/2": lambda n: n * (n + 1) / 2,
        },
    ),
    # The bound is Hirschberg and Sinclair's (1980), as cited by Franklin, CACM 25(5), 1982. The least is ours: all n
    # ask 1 far, 4 messages each. The highest asks 2, 4, 8 ... far, 4 times as many; its id goes round twice.
    "hirschberg_sinclair": Measured(
        "ids and replies passed on, if all n processes begin at once",
        ("From", "Reply"),
        _orders,
        lambda n, ids: messages(HirschbergSinclairElection(ids=ids)),
        {
            "best: 6n + 4(2^⌈log₂ n⌉ - 2)": lambda n: 6 * n + 4 * (2 ** (n - 1).bit_length() - 2),
            "bound: 8n + 8⌈n log₂ n⌉": lambda n: 8 * n + 8 * ceil(n * log2(n)),
        },
    ),
    # Ongaro and Ousterhout 2014, 5.2: one candidate, which asks each other server once and is answered once.
    "raft": Measured(
        "requests for votes and votes, up to the first leader",
        ("RequestVote", "RequestVoteReply"),
        lambda n, trials: (range(trials), ()),
        lambda n, seed: messages(RaftElection(servers=n, seed=seed), until=leaders),
        {"one candidate: 2(n - 1)": lambda n: 2 * (n - 1)},
    ),
}
"""Algorithm -> what is counted."""


def cost(algorithm: str, n: int, trials: int = 20) -> Cost:
    """The messages of an election among `n` processes: in all runs that differ, if these are at most `trials`. Else in
    `trials` drawn runs for the mean, and in runs known to be extreme.

    Raises ParameterError for an algorithm that is not measured, and for `n` or `trials` out of range.
    """
    if algorithm not in list(MEASURED):
        refuse("algorithm", algorithm, f"one of {', '.join(MEASURED)}")
    require_whole("n", n, 2)
    require_whole("trials", trials)
    measured = MEASURED[algorithm]

    def counts(variants: Sequence[Any]) -> list[int]:
        runs = [measured.run(n, variant) for variant in variants]
        return [sum(counted.get(kind, 0) for kind in measured.kinds) for counted in runs]

    usual, extreme = map(counts, measured.variants(n, trials))
    every = usual + extreme
    return Cost(n, min(every), sum(usual) / len(usual), max(every))


def costs(algorithm: str, ns: Iterable[int], trials: int = 20) -> tuple[Cost, ...]:
    """`cost` for each n: a chart's points."""
    return tuple(cost(algorithm, n, trials) for n in listed("ns", ns, "a list of whole numbers"))
