"""Only new entries are sent, an extension beside the core for real runs (Ongaro's thesis, 10.2.1).

In the core a leader sends a follower all entries that it has not acknowledged, with each new command again. Here
`next_index` moves on when an entry is sent, so each entry is sent once, unless it is lost. A few messages to a follower
may be under way; commands that come meanwhile go together in the next one. A lost message shows when the follower
refuses the one after it, at the latest a heartbeat: the leader then goes back, as in the core.
"""

from __future__ import annotations

from patterns.engine.process import setting
from patterns.engine.table import Table

from .messages import AppendEntriesReply
from .snapshots import SnapshotServer


class PipelinedServer(SnapshotServer):
    """A Raft server with snapshots that sends each entry once."""

    window: int = setting(2)
    """So many messages to one follower may be under way without an answer."""

    # Volatile state on leaders; per peer
    unanswered: Table[int] = Table()
    """Messages since the last heartbeat that have no answer yet."""
    told_round: Table[int] = Table()
    """The last round of leadership checks that was sent."""

    def become_leader(self) -> None:
        self.unanswered = self.told_round = Table.filled(self.peers, 0)
        super().become_leader()
        self.set_timer("heartbeat", self.heartbeat_interval)

    def heartbeat(self) -> None:
        self.unanswered = Table.filled(self.peers, 0)  # an answer that has not come by now may be lost
        super().heartbeat()
        self.set_timer("heartbeat", self.heartbeat_interval)  # also while a follower gets a snapshot

    def send_to_all(self) -> None:
        for peer in self.peers:
            self.send_append_entries(peer)
        if not any(self.owes(peer) for peer in self.peers):  # else the heartbeat comes when it would have come
            self.set_timer("heartbeat", self.heartbeat_interval)

    def send_append_entries(self, follower: str) -> None:
        next_index = self.next_index[follower]
        if next_index < self.first_log_index:  # it gets the snapshot, which knows what is under way
            super().send_append_entries(follower)
        elif self.unanswered[follower] < self.window:
            super().send_append_entries(follower)
            sent = len(self.entries_after(next_index - 1))
            self.next_index = self.next_index.put(follower, next_index + sent)
            self.unanswered = self.unanswered.put(follower, self.unanswered[follower] + 1)
            self.told_round = self.told_round.put(follower, self.read_round)

    def owes(self, follower: str) -> bool:
        """Whether there are entries, or a leadership check, that the follower was not sent."""
        return self.next_index[follower] <= self.last_log_index or self.told_round[follower] < self.read_round

    def receive_append_reply(self, follower: str, reply: AppendEntriesReply) -> None:
        if self.role == "leader" and reply.term == self.current_term:
            self.unanswered = self.unanswered.put(follower, max(0, self.unanswered[follower] - 1))
        super().receive_append_reply(follower, reply)
        if self.role == "leader" and self.owes(follower):
            self.send_append_entries(follower)

    def committable_index(self) -> int:
        """As in the core, found without a look at each entry: of the indexes that servers hold, the middle one."""
        held = sorted([self.last_log_index, *self.match_index.values()])
        index = held[(len(held) - 1) // 2]
        return index if index > self.commit_index and self.may_commit(index) else self.commit_index
