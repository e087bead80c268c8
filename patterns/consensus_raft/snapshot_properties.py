"""What must hold with snapshots: all that holds without them, and that a snapshot is what its entries made."""

from __future__ import annotations

from typing import Any

from patterns.engine.along import Along, Broken, Transition
from patterns.engine.properties import Always, Property, Reason
from patterns.engine.world import World

from .messages import Entry, NoOp
from .properties import ALWAYS as WITHOUT_SNAPSHOTS
from .properties import changed
from .state_machine import StateMachine

States = tuple[StateMachine, ...]
"""The state machine after each index, from 0 on."""


def executed(state: StateMachine, entry: Entry) -> StateMachine:
    """The state machine after one more entry; a retry of an executed request changes nothing."""
    command = entry.command
    if isinstance(command, NoOp):
        return state
    session = state.sessions.get(command.client)
    return state if session and session.serial >= command.request.serial else state.execute(command)


@Along.named("State machines and snapshots are what the committed entries make", lambda world: (StateMachine(),))
def made_by_entries(states: States, step: Transition) -> States | Broken:
    """A server that applied entries up to an index has their state machine, and so has a snapshot up to there."""
    servers: list[tuple[Any, Any]] = changed(step.before, step.after)
    for _, now in servers:
        if len(states) >= now.first_log_index:
            for index in range(len(states), now.last_applied + 1):
                states += (executed(states[-1], now.entry_at(index)),)
    for was, now in servers:
        held = [("state machine", now.last_applied, now.state_machine)]
        if now.snapshot is not was.snapshot:
            held.append(("snapshot", now.snapshot.last_included_index, now.snapshot.state_machine))
        for what, index, state in held:
            if index >= len(states):
                return Broken(f"{now.id}'s {what} is of {index} entries, and no server has applied so many")
            if state != states[index]:
                return Broken(
                    f"{now.id}'s {what} is not what the entries up to {index} make: {_odd(state, states[index])}"
                )
    return states


def _odd(state: StateMachine, right: StateMachine) -> str:
    """The first key or client that differs."""
    for what, one, other in (("", state.store, right.store), ("the session of ", state.sessions, right.sessions)):
        for name in sorted({*one.names, *other.names}):
            if one.get(name) != other.get(name):
                values = [str(value) if value is not None else "missing" for value in (one.get(name), other.get(name))]
                return f"{what}{name} is {values[0]}, and must be {values[1]}"
    raise AssertionError("they are equal")


@Always.named("Along a log, its snapshot included, the terms never fall")
def terms_never_fall_along_logs(world: World[Any]) -> Reason:
    """The vote rule compares last terms because of this (thesis, appendix B)."""
    for server in world.processes:
        for index in range(server.first_log_index, server.last_log_index + 1):
            before, term = server.term_at(index - 1), server.term_at(index)
            if term < before:
                return f"{server.id} has an entry of term {term} at index {index}, after one of term {before}"
    return None


ALWAYS: tuple[Property, ...] = (*WITHOUT_SNAPSHOTS, made_by_entries, terms_never_fall_along_logs)
