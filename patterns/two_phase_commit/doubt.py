"""Who is in doubt, since when, and what is locked: read off the state, for pictures and checks."""

from __future__ import annotations

from typing import NamedTuple

from patterns.engine.world import Packet, World

from .coordinator import Coordinator
from .log import Prepared, outcome_in
from .messages import InDoubt, Outcome, Voted
from .participant import Participant
from .three_phase import ThreePhaseParticipant


class Doubt(NamedTuple):
    """A participant that has voted yes and does not know what was decided."""

    participant: str
    txn: str
    since: int
    """When it came into doubt, or back with it, in ms by its own clock."""


def participants(world: World) -> tuple[Participant, ...]:
    return tuple(process for process in world.processes if isinstance(process, Participant))


def coordinator(world: World) -> Coordinator:
    return next(process for process in world.processes if isinstance(process, Coordinator))


def in_doubt(world: World) -> tuple[Doubt, ...]:
    """The participants that are up and in doubt; one that is down will be, when it comes back."""
    return tuple(
        Doubt(process.id, branch.txn, branch.since)
        for process in participants(world)
        if process.id not in world.down
        for branch in process.branches
        if branch.standing != "waiting"
    )


def transactions(world: World) -> tuple[str, ...]:
    """All transactions that left a trace at anybody, in no order that means anything but always the same."""
    found: dict[str, None] = {}
    for process in world.processes:
        for record in (*process.log, *process.buffer):
            found[record.txn] = None
        kept = process.open if isinstance(process, Coordinator) else process.branches
        for each in kept:
            found[each.txn] = None
    return tuple(found)


def outcomes(world: World, txn: str) -> dict[str, Outcome]:
    """Process -> what it has decided, or learnt, of a transaction: what its log or its memory says.

    A process that is down has what is on its disk.
    """
    found: dict[str, Outcome] = {}
    for process in world.processes:
        outcome = process.outcome_of(txn) if isinstance(process, Coordinator) else process.logged_outcome(txn)
        if outcome:
            found[process.id] = outcome
    return found


def blocked(world: World) -> tuple[str, ...]:
    """The transactions that nobody who is up can decide: all whom those in doubt can reach and ask are in doubt, too,
    and the coordinator is down or cut off. In three-phase commit one that was not down itself may take its place."""
    found = []
    may_lead = {
        branch.txn
        for process in participants(world)
        if isinstance(process, ThreePhaseParticipant) and process.id not in world.down
        for branch in process.branches
        if branch.standing != "waiting" and not branch.recovered
    }
    for txn in dict.fromkeys(doubt.txn for doubt in in_doubt(world)):
        doubters = {doubt.participant for doubt in in_doubt(world) if doubt.txn == txn}
        told = {
            name
            for process in participants(world)
            for record in process.log
            if isinstance(record, Prepared) and record.txn == txn
            for name in record.participants
        }
        may_know = {coordinator(world).id, *told} - doubters
        if txn not in may_lead and not any(_reaches(world, one, other) for one in doubters for other in may_know):
            found.append(txn)
    return tuple(found)


def _reaches(world: World, one: str, other: str) -> bool:
    """Whether a question gets there, and an answer back."""
    return other not in world.down and not {(one, other), (other, one)} & world.cuts


def is_spent(world: World, packet: Packet) -> bool:
    """Whether a message can change nothing any more, whenever it comes: that somebody is in doubt, too; or a vote on
    what is no longer voted on, for a transaction is voted on once."""
    if isinstance(packet.body, InDoubt):
        return True
    if isinstance(packet.body, Voted):
        open = coordinator(world).find(packet.body.txn)
        return open is None or open.phase != "voting"
    return False


def at_rest(world: World) -> bool:
    """Whether nothing more happens by itself that changes anything, and no fault is left that could be repaired."""
    if world.timers or world.down or world.paused or world.cuts:
        return False
    return all(is_spent(world, packet) for packet in world.packets)


def prepared_undecided(process: Participant) -> tuple[str, ...]:
    """The transactions that it has promised, and of which it knows no decision, be it up or down."""
    return tuple(
        record.txn
        for record in (*process.log, *process.buffer)
        if isinstance(record, Prepared) and outcome_in(process.records_of(record.txn)) is None
    )
