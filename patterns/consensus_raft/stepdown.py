"""Step-down, an extension beside the core: a leader that no majority answers stops leading (Ongaro's thesis, 6.2).

Figure 2 has no such rule. Without it, a leader that is heard and hears nobody leads for ever: its heartbeats keep the
others from an election, and it commits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from patterns.engine.process import on_timer
from patterns.engine.sentences import rules_of
from patterns.engine.step import Rule
from patterns.engine.table import Table

from .clients import Server
from .cluster import RaftCluster
from .prevote import PreVoteServer

STEP_DOWN_RULES = rules_of(__package__, "stepdown.toml")


class StepDownServer(Server):
    """A Raft server that leads only as long as a majority answers."""

    rules: ClassVar[Mapping[str, Rule]] = {**Server.rules, **STEP_DOWN_RULES}

    def become_leader(self) -> None:
        super().become_leader()
        self.begin_check()

    def begin_check(self) -> None:
        """Forget the answers so far. The next heartbeats bring new ones, also for the reads that wait."""
        self.acked_round = Table.filled(self.peers, -1)
        self.set_timer("check", self.election_timeout[0])

    @on_timer("check")
    def check_majority(self) -> None:
        heard = tuple(peer for peer, acked in self.acked_round if acked >= 0)
        values = {"term": self.current_term, "timeout": self.election_timeout[0], "heard": heard}
        if self.is_majority((self.id, *heard)):
            self.note("SD.1", count=len(heard) + 1, servers=self.servers, **values)
            self.begin_check()
        else:
            self.note("SD.2", needed=self.tally()["needed"], **values)
            self.become_follower(self.current_term)

    def become_follower(self, term: int) -> None:
        if self.role == "leader":
            self.cancel_timer("check")
            self.leader_id = None
        super().become_follower(term)


class PreVoteStepDownServer(StepDownServer, PreVoteServer):
    """Both extensions, as the thesis pairs them.

    With pre-vote alone, a server that still hears an old leader refuses every pre-vote. Where a majority needs its
    vote, no leader is elected until the old leader steps down.
    """

    rules: ClassVar[Mapping[str, Rule]] = {**PreVoteServer.rules, **STEP_DOWN_RULES}


class StepDownCluster(RaftCluster):
    """A cluster with both extensions."""

    name = "consensus_raft_step_down"
    server = PreVoteStepDownServer
    rules = PreVoteStepDownServer.rules
