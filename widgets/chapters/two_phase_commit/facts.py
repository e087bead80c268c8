"""Every process's fields in words, and where each is kept."""

from __future__ import annotations

from typing import Any

from patterns.engine.world import World
from patterns.two_phase_commit import Coordinator, Participant
from widgets.scene import Fact


def facts_of(world: World) -> tuple[Fact, ...]:
    return tuple(fact for process in world.processes for fact in _facts(world, process))


def _facts(world: World, process: Any) -> list[Fact]:
    who = process.id
    facts = [Fact(who, "log", ", ".join(map(str, process.log)) or "empty", "disk")]
    if isinstance(process, Participant):
        facts += [Fact(who, account.name, str(account.balance), "disk") for account in process.accounts]
    elif process.life > 1:
        facts.append(Fact(who, "life", str(process.life), "disk"))
    if who in world.down:
        return [*facts, Fact(who, "memory", "crashed: empty", "memory")]
    if process.buffer:
        facts.append(Fact(who, "not yet in the log", ", ".join(map(str, process.buffer)), "memory"))
    return facts + (_coordinator(process) if isinstance(process, Coordinator) else _participant(process))


def _coordinator(process: Coordinator) -> list[Fact]:
    facts = []
    for open in process.open:
        facts.append(Fact(process.id, open.txn, open.phase, "memory"))
        if open.phase == "voting":
            votes = ", ".join(f"{name} {vote}" for name, vote in open.votes)
            facts.append(Fact(process.id, f"{open.txn} votes", votes or "none", "memory"))
        elif open.missing:
            missing = ", ".join(sorted(open.missing))
            facts.append(Fact(process.id, f"{open.txn} waits for", missing, "memory"))
    return facts


def _participant(process: Participant) -> list[Fact]:
    facts = []
    for branch in process.branches:
        standing = branch.standing
        if standing == "waiting":
            standing = f"waits for {', '.join(process.in_the_way(branch))}"  # type: ignore[assignment]
        facts.append(Fact(process.id, branch.txn, standing, "memory"))
    locks = ", ".join(f"{lock.account} by {lock.txn}" for lock in process.locks)
    facts.append(Fact(process.id, "locked", locks or "nothing", "memory"))
    if suspects := getattr(process, "suspects", ()):
        facts.append(Fact(process.id, "takes for crashed", ", ".join(sorted(suspects)), "memory"))
    for poll in getattr(process, "polls", ()):
        told = zip(poll.senders, poll.reports, strict=True)
        said = ", ".join(f"{sender} {report.state}" for sender, report in told)
        facts.append(Fact(process.id, f"leads {poll.txn}, knows", said, "memory"))
    return facts
