"""Readings of a state, for pictures and checks: the participants in doubt, and the blocked transactions."""

from __future__ import annotations

from typing import NamedTuple

from patterns.engine.world import Packet, World

from .coordinator import Coordinator
from .log import Prepared, outcome_in
from .messages import InDoubt, Outcome, Voted
from .participant import Participant
from .three_phase import ThreePhaseParticipant


class Doubt(NamedTuple):
    """A participant that has voted yes and does not know the decision."""

    participant: str
    txn: str
    since: int
    """When the doubt began, or the participant came back with it, in ms by its own clock."""


def participants(world: World) -> tuple[Participant, ...]:
    return tuple(process for process in world.processes if isinstance(process, Participant))


def coordinator(world: World) -> Coordinator:
    return next(process for process in world.processes if isinstance(process, Coordinator))


def in_doubt(world: World) -> tuple[Doubt, ...]:
    """The participants that are up and in doubt."""
    return tuple(
        Doubt(process.id, txn, branch.since)
        for process in participants(world)
        if process.id not in world.down
        for txn, branch in process.branches
        if process.is_in_doubt(txn)
    )


def transactions(world: World) -> tuple[str, ...]:
    """All transactions with a trace at any process, in a fixed order."""
    found: list[str] = []
    for process in world.processes:
        found += [record.txn for record in (*process.log, *process.buffer)]
        found += (process.open if isinstance(process, Coordinator) else process.branches).names
    return tuple(dict.fromkeys(found))


def outcomes(world: World, txn: str) -> dict[str, Outcome]:
    """Process -> the decision that it has made or learnt, by its log or its memory; a crashed process has its disk."""
    found: dict[str, Outcome] = {}
    for process in world.processes:
        known = process.outcome_of(txn) if isinstance(process, Coordinator) else process.logged_outcome(txn)
        if known:
            found[process.id] = known
    return found


def blocked(world: World) -> tuple[str, ...]:
    """The transactions that no process that is up can decide: every participant that those in doubt can reach is in
    doubt too, and the coordinator is down or cut off. In three-phase commit a participant that was not down itself may
    take its place."""
    doubts = in_doubt(world)
    may_lead = {
        txn
        for process in participants(world)
        if isinstance(process, ThreePhaseParticipant) and process.id not in world.down
        for txn, branch in process.branches
        if process.is_in_doubt(txn) and not branch.recovered
    }
    found = []
    for txn in dict.fromkeys(doubt.txn for doubt in doubts):
        doubters = {doubt.participant for doubt in doubts if doubt.txn == txn}
        take_part = {
            name
            for process in participants(world)
            for record in process.log
            if isinstance(record, Prepared) and record.txn == txn
            for name in record.participants
        }
        may_know = {coordinator(world).id, *take_part} - doubters
        if txn not in may_lead and not any(_reaches(world, one, other) for one in doubters for other in may_know):
            found.append(txn)
    return tuple(found)


def _reaches(world: World, one: str, other: str) -> bool:
    """Whether a question gets there, and an answer back."""
    return other not in world.down and not {(one, other), (other, one)} & world.cuts


def is_spent(world: World, packet: Packet) -> bool:
    """Whether a message can change nothing any more, whenever it arrives: a report of doubt, or a vote on a transaction
    that is no longer voted on."""
    if isinstance(packet.body, InDoubt):
        return True
    if isinstance(packet.body, Voted):
        open = coordinator(world).open.get(packet.body.txn)
        return open is None or open.phase != "voting"
    return False


def at_rest(world: World) -> bool:
    """Whether nothing more happens by itself that changes anything, and no fault is left to repair."""
    if world.timers or world.down or world.paused or world.cuts:
        return False
    return all(is_spent(world, packet) for packet in world.packets)


def prepared_undecided(process: Participant) -> tuple[str, ...]:
    """The transactions that it has promised and not learnt the decision on, by its log, whether it is up or down."""
    return tuple(
        record.txn
        for record in (*process.log, *process.buffer)
        if isinstance(record, Prepared) and outcome_in(process.records_of(record.txn)) is None
    )
