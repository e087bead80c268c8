"""A run with every event chosen: who times out, which message arrives, which is lost."""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.messages import (
    Add,
    AppendEntries,
    AppendEntriesReply,
    Get,
    Put,
    RequestVote,
    RequestVoteReply,
)
from patterns.consensus_raft.state import ServerState
from patterns.engine.history import History
from patterns.engine.world import Crash, Cut, Deliver, Drop, Fire, Heal, Packet, Request, Restart, World


class Director:
    """Gives a cluster's history its events. Raises NotEnabled or ValueError where one cannot happen."""

    def __init__(self, cluster: RaftCluster) -> None:
        self.history: History[World, Any] = History(cluster)

    @property
    def world(self) -> World:
        return self.history.state

    def server(self, name: str) -> ServerState:
        server: ServerState = self.world[name]
        return server

    # Single events

    def times_out(self, server: str) -> None:
        """Its election timer runs out."""
        self.history.apply(Fire(server, "election"))

    def beats(self, leader: str) -> None:
        """Its heartbeat is due."""
        self.history.apply(Fire(leader, "heartbeat"))

    def asks(self, client: str, server: str, request: Put | Add | Get) -> None:
        self.history.apply(Request(client, server, request))

    def crash(self, *servers: str) -> None:
        for server in servers:
            self.history.apply(Crash(server))

    def restart(self, *servers: str) -> None:
        for server in servers:
            self.history.apply(Restart(server))

    def cut_off(self, *servers: str) -> None:
        rest = tuple(name for name in self.world.names if name not in servers)
        self.history.apply(Cut(servers, rest))

    def heal(self) -> None:
        self.history.apply(Heal())

    # Messages

    def on_their_way(self, sender: str = "", to: str = "", kind: type | None = None) -> list[Packet]:
        """The packets of this sender, to this server, of this kind; what is left out can be any. First sent first."""
        found = [
            packet
            for packet in self.world.packets
            if sender in ("", packet.sender)
            and to in ("", packet.to)
            and (kind is None or isinstance(packet.body, kind))
        ]
        return sorted(found, key=lambda packet: packet.id)

    def deliver(self, sender: str, to: str, kind: type | None = None) -> None:
        """The first such message arrives. Raises ValueError when there is none."""
        packets = self.on_their_way(sender, to, kind)
        if not packets:
            what = "message" if kind is None else kind.__name__
            raise ValueError(f"there is no {what} from {sender} to {to} on its way")
        self.history.apply(Deliver(packets[0].id))

    def overtake(self, sender: str, to: str) -> None:
        """The last message on this link arrives ahead of those sent before it. Raises ValueError when there is none."""
        packets = self.on_their_way(sender, to)
        if not packets:
            raise ValueError(f"there is no message from {sender} to {to} on its way")
        self.history.apply(Deliver(packets[-1].id))

    def lose(self, sender: str = "", to: str = "", kind: type | None = None) -> None:
        """All such messages are lost."""
        for packet in self.on_their_way(sender, to, kind):
            self.history.apply(Drop(packet.id))

    # What is often done together

    def stand(self, candidate: str, *voters: str) -> None:
        """It starts an election, and its requests and the answers of these servers arrive."""
        self.times_out(candidate)
        for voter in voters:
            self.deliver(candidate, voter, RequestVote)
            self.deliver(voter, candidate, RequestVoteReply)

    def replicate(self, leader: str, *followers: str) -> None:
        """With each follower in turn: what the leader sent arrives, then the answer, until nothing is on its way."""
        for follower in followers:
            while self.on_their_way(leader, follower, AppendEntries):
                self.deliver(leader, follower, AppendEntries)
                self.deliver(follower, leader, AppendEntriesReply)

    def settle(self, steps: int = 200) -> None:
        """What is on its way arrives or is lost, as is usual, no timer runs out."""
        for _ in range(steps):
            if not self.world.packets:
                return
            packet = self.world.packets[0]
            lost = packet.to in self.world.down or (packet.sender, packet.to) in self.world.cuts
            self.history.apply(Drop(packet.id) if lost else Deliver(packet.id))
        raise ValueError(f"after {steps} steps messages are still on their way")
