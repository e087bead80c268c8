"""The picture of an election, whatever the algorithm: the processes, the messages, the leader that each follows.

Processes of the bully algorithm and of a ring sit on a circle, the ring's links drawn; a lease has its lock server
above and its storage below the holders. Raft's servers are drawn as in their own chapter. A leader has a colour of its
own, so that two beliefs are two colours.
"""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft.clients import Server
from patterns.engine.step import Step
from patterns.engine.world import World
from patterns.leader_election import LockServer, RingProcess
from widgets.chapters.consensus_raft.view import RaftView
from widgets.kit import ProcessView
from widgets.scene import Panel

from . import beliefs
from .circle import CircleView, RingView
from .lease import LeaseView
from .reign import ReignView


class RaftElectionView(RaftView):
    """Raft's servers, and beside them which leader each of them follows."""

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), beliefs.panel(self.world)


class ElectionView(ReignView):
    """The view of any election: each kind of process has its own."""

    @classmethod
    def of(cls, world: World[Any], step: Step[World, Any] | None = None) -> ProcessView:
        kinds = ((Server, RaftElectionView), (LockServer, LeaseView), (RingProcess, RingView))
        first = world.processes[0]
        view = next((view for kind, view in kinds if isinstance(first, kind)), CircleView)
        return view(world, step)


VIEW = ElectionView
