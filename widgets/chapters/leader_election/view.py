"""The picture of an election, whatever the algorithm: who is there, what is on its way, and who goes by whom.

Processes of the bully algorithm and of a ring sit round a circle, the ring's links drawn; a lease has its lock server
above and its storage below the holders. Raft's servers are drawn as in their own chapter. A leader has a colour of its
own, so that two beliefs are two colours.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from patterns.consensus_raft.clients import Server
from patterns.engine.step import Step
from patterns.engine.trace import received
from patterns.engine.world import Fire, World
from patterns.leader_election import Heartbeat, LockServer, RingProcess, leaders
from patterns.leader_election.lease_messages import Granted, Renew
from widgets.chapters.consensus_raft.view import VIEW as consensus_raft
from widgets.kit.old import costs_of, is_fault, sends_of
from widgets.scene import Era, Fact, Panel, Role, Scene
from widgets.spacetime import moment_of

from . import beliefs, circle, lease

__all__ = ["costs_of", "facts_of", "scene_of", "sends_of", "signs", "title"]

title = "Leader election"
signs = {
    "colour": "a leader, and who goes by it; with a lease, a token",
    "★": "leads, by its own belief",
    "arc round a process": "a timer that runs out; with a lease, what is left of it",
}

WorldStep = Step[World, Any]
QUIET_RULES = {"B.beat", "B.heard", "L.renew", "H.renew", "H.renewed"}


def scene_of(step: WorldStep) -> Scene:
    world = step.state
    if _is_raft(world):
        scene = consensus_raft.scene_of(step)
        return replace(scene, panels=(scene.panels[0], beliefs.panel(world)))
    packet = received(step)
    role_of = lease.message_role if _is_lease(world) else circle.message_role
    return Scene(
        panels=_panels(step),
        clock=f"{world.clock:,} ms",
        moment=moment_of(step, role_of(packet.body) if packet else "ink"),
        era=_era(world),
        lanes=world.names,
        quiet=_is_quiet(step),
        fault=is_fault(step),
    )


def _is_raft(world: World) -> bool:
    return isinstance(world.processes[0], Server)


def _is_lease(world: World) -> bool:
    return isinstance(world.processes[0], LockServer)


def _panels(step: WorldStep) -> tuple[Panel, ...]:
    world = step.state
    if _is_lease(world):
        return lease.processes(world), lease.kept(step)
    if isinstance(world.processes[0], RingProcess):
        return circle.ring(world), beliefs.panel(world)
    return circle.complete(world), beliefs.panel(world)


def _is_quiet(step: WorldStep) -> bool:
    """A heartbeat or a renewal that changes nothing but timers."""
    packet, fire = received(step), step.event
    if packet:
        routine = isinstance(packet.body, Heartbeat | Renew | Granted)
    else:
        routine = isinstance(fire, Fire) and fire.timer in ("heartbeat", "renew")
    return routine and all(note.rule in QUIET_RULES for note in step.notes)


def _era(world: World) -> Era:
    """A reign: who leads, by what it believes itself; the bar is red as long as two do."""
    lead = leaders(world)
    if not lead:
        return Era(key="nobody", label="no leader", role="soft", tone="dashed")
    names = [f"{leader.id}: token {leader.token}" if _is_lease(world) else f"{leader.id} leads" for leader in lead]
    if len(lead) > 1:
        return Era(
            key=" ".join(names),
            label=f"two lead: {' and '.join(leader.id for leader in lead)}",
            role="bad",
            tone="dashed",
        )
    return Era(key=names[0], label=names[0], role=_reign(world, lead[0]))


def _reign(world: World, leader: Any) -> Role:
    return lease.token_role(leader.token) if _is_lease(world) else circle.leader_role(world, leader.id)


# Before and after


def facts_of(world: World) -> tuple[Fact, ...]:
    if _is_raft(world):
        return consensus_raft.facts_of(world)
    if _is_lease(world):
        return lease.facts_of(world)
    return circle.facts_of(world)
