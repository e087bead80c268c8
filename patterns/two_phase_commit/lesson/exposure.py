"""How long rows stay locked in two-phase commit, and what others can read meanwhile: the old value, or nothing.

From its yes on a participant can neither commit nor abort alone. Its locks stay until it receives the decision
(Bernstein, Hadzilacos, Goodman 1987, section 7.4): as long as the slowest participant takes.
"""

from __future__ import annotations

from patterns.engine.exposure import Exposure, exposures
from patterns.engine.history import History
from patterns.engine.world import World
from patterns.two_phase_commit.machine import CUSTOMERS
from patterns.two_phase_commit.readings import participants

from .gallery import begun

COMMITTED, LOCKED = "committed", "locked"
"""What a reader finds in a row: a committed value; or it must wait, because the row is locked or its bank is down."""
PATIENCE = 1_000_000  # ms: as good as no timeout, so that what is measured is waiting, not giving up


def readable(world: World) -> dict[str, str]:
    """What a reader finds in each row now: `P1.ann` -> locked."""
    return {
        f"{each.id}.{account.name}": LOCKED
        if each.id in world.down or any(lock.account == account.name for lock in each.locks)
        else COMMITTED
        for each in participants(world)
        for account in each.accounts
    }


def exposed(history: History[World, object]) -> tuple[Exposure, ...]:
    """What a reader finds in each row from the start of a run's branch to its end, row by row, in order of time."""
    return exposures(history, readable)


def transferred(n: int = 3, delay: int = 0, protocol: str = "basic") -> History[World, object]:
    """A transfer from ann to all others, 10 ms a message and `delay` ms more to the last participant; at its end.

    No process times out. Raises ValueError for n out of range, an unknown protocol, or a negative delay.
    """
    if not 2 <= n <= len(CUSTOMERS):
        raise ValueError(f"n is {n}; allowed are 2 to {len(CUSTOMERS)} participants")
    if delay < 0:
        raise ValueError(f"delay is {delay} ms; allowed is 0 ms and more")
    amounts = {CUSTOMERS[0]: 10 * (1 - n), **dict.fromkeys(CUSTOMERS[1:n], 10)}
    patient = dict.fromkeys(("vote_timeout", "ack_timeout", "doubt_timeout", "lock_timeout"), PATIENCE)
    run = begun(n=n, protocol=protocol, transfers=(amounts,), latency=(10, 10), **patient)
    return run.finish(late={f"P{n}": delay}).history
