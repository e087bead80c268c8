"""A Raft server as Figure 2 of the paper has it, in its names: elections, the log, commitment.

Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014. Numbers in
brackets are its sections. `state.py` has its fields and its rules, `clients.py` adds section 8: clients.
"""

from __future__ import annotations

from typing import Any

from patterns.engine.process import on, on_timer
from patterns.engine.table import Table

from .messages import AppendEntries, AppendEntriesReply, Command, Entry, NoOp, RequestVote, RequestVoteReply
from .state import ServerState


class Raft(ServerState):
    """The rules of Figure 2 for one server of a cluster."""

    # One door for every change of role

    def become_follower(self, term: int) -> None:
        if term > self.current_term:
            self.current_term, self.voted_for, self.leader_id = term, None, None
        if self.role == "leader":
            self.cancel_timer("heartbeat")
            self.restart_election_timer()  # a leader has none
        self.role = "follower"
        self.votes = frozenset()
        self.next_index, self.match_index = Table(), Table()

    def become_candidate(self) -> None:
        # Candidates 1 (5.2): a new term, a vote for oneself, a new timeout, RequestVote to all others.
        self.current_term += 1
        self.role, self.leader_id = "candidate", None
        self.voted_for, self.votes = self.id, frozenset({self.id})
        self.restart_election_timer()
        request = RequestVote(self.current_term, self.id, self.last_log_index, self.last_log_term)
        for peer in self.peers:
            self.send(peer, request)
        self.count_votes()  # alone in its cluster, it is elected already

    def become_leader(self) -> None:
        self.role, self.leader_id = "leader", self.id
        self.cancel_timer("election")
        # Figure 2, State: next_index begins after the leader's last entry, match_index at 0.
        self.next_index = Table.filled(self.peers, self.last_log_index + 1)
        self.match_index = Table.filled(self.peers, 0)
        voters = tuple(sorted(self.votes))
        self.note("C.2", term=self.current_term, voters=voters, count=len(voters), servers=self.servers)
        self.open_term()
        # Leaders 1 (5.2): tell all others at once.
        self.send_to_all()
        self.advance_commit_index()

    def open_term(self) -> None:
        # Section 8: begin with a no-op, since only an entry of its own term shows a leader what is committed.
        self.log = (*self.log, Entry(self.current_term, NoOp()))
        self.note("L.0", index=self.last_log_index, term=self.current_term)

    # All servers

    def on_start(self) -> None:
        self.restart_election_timer()

    def on_restart(self) -> None:
        self.note("UP", term=self.current_term, voted_for=self.voted_for, length=self.last_log_index)
        self.restart_election_timer()

    def receive(self, sender: str, message: Any) -> None:
        # All servers 2 (5.1): a server that sees a newer term enters it as a follower.
        if message.term > self.current_term:
            rule = "ALL.2" if self.role == "follower" else "ALL.2.down"
            self.note(rule, sender=sender, term=message.term, old_term=self.current_term, role=self.role)
            self.become_follower(message.term)
        super().receive(sender, message)

    def apply_committed(self) -> None:
        # All servers 1 (5.3): apply what is committed, in order.
        self.apply_up_to(self.commit_index)

    def apply_up_to(self, index: int) -> None:
        while self.last_applied < index:
            self.last_applied += 1
            self.apply(self.last_applied, self.entry_at(self.last_applied))

    def apply(self, index: int, entry: Entry) -> None:
        self.note("ALL.1", index=index, entry=entry)
        if isinstance(entry.command, Command):
            self.state_machine = self.state_machine.execute(entry.command)

    # Elections

    def restart_election_timer(self) -> None:
        self.set_timer("election", *self.election_timeout)

    @on_timer("election")
    def election_timeout_elapses(self) -> None:
        # Followers 2, Candidates 4 (5.2): no leader was heard from in time.
        if self.role == "candidate":
            self.note("C.4", term=self.current_term + 1, old_term=self.current_term, **self.tally())
        else:
            self.note("F.2", term=self.current_term + 1)
        self.become_candidate()

    @on(RequestVote)
    def request_vote(self, candidate: str, request: RequestVote) -> None:
        granted = self.may_grant(request)
        if granted:
            # 2. Vote for it if the vote is still free and its log is at least as up-to-date as ours (5.2, 5.4).
            self.note("RV.2", candidate=candidate, term=request.term)
            self.voted_for = candidate
            self.restart_election_timer()
        else:
            self.note_refusal(candidate, request)
        self.send(candidate, RequestVoteReply(self.current_term, granted))

    def note_refusal(self, candidate: str, request: RequestVote) -> None:
        asked = {"candidate": candidate, "term": request.term}
        if request.term < self.current_term:
            # 1. Refuse a candidate of an older term (5.1).
            self.note("RV.1", current_term=self.current_term, **asked)
        elif not self.vote_is_free(candidate):
            self.note("RV.2.voted", voted_for=self.voted_for, **asked)
        else:
            own = {"own_term": self.last_log_term, "own_index": self.last_log_index}
            theirs = {"last_log_term": request.last_log_term, "last_log_index": request.last_log_index}
            self.note("RV.2.log", **own, **theirs, **asked)

    @on(RequestVoteReply)
    def receive_vote(self, voter: str, reply: RequestVoteReply) -> None:
        if self.role != "candidate" or reply.term < self.current_term:
            self.note_late(voter, reply.term)
        elif not reply.vote_granted:
            self.note("C.refused", voter=voter, term=self.current_term, **self.tally())
        else:
            known = self.votes
            self.add_vote(voter)
            rule = "C.again" if self.votes == known else "C.vote"
            self.note(rule, voter=voter, term=self.current_term, **self.tally())
            self.count_votes()

    def add_vote(self, voter: str) -> None:
        # Voters are counted, not messages: a network may deliver the same vote twice.
        self.votes |= {voter}

    def count_votes(self) -> None:
        # Candidates 2 (5.2): votes of a majority make a leader.
        if self.role == "candidate" and self.is_majority(self.votes):
            self.become_leader()

    # Followers

    @on(AppendEntries)
    def append_entries(self, leader: str, message: AppendEntries) -> None:
        # 1. Refuse a leader of an older term (5.1).
        if message.term < self.current_term:
            self.note("AE.1", leader=leader, term=message.term, current_term=self.current_term)
            self.send(leader, AppendEntriesReply(self.current_term, False))
            return
        self.hear_from_leader(leader)
        # 2. Refuse entries that do not follow one that we have (5.3).
        if not self.agrees_at(message.prev_log_index, message.prev_log_term):
            self.refuse_entries(leader, message)
            return
        before = (self.log, self.commit_index)
        self.take_entries(leader, message)
        # 5. Commit what the leader has committed, as far as our log is known to agree with the leader's.
        last_new = self.last_new_index(message)
        if min(message.leader_commit, last_new) > self.commit_index:
            self.commit_index = min(message.leader_commit, last_new)
            values = {"leader_commit": message.leader_commit, "last_new": last_new}
            self.note("AE.5", leader=leader, index=self.commit_index, **values)
            self.apply_committed()
        if before == (self.log, self.commit_index):
            self.note("AE.0", leader=leader, term=message.term)
        appended = len(message.entries)
        match_index = message.prev_log_index + appended
        self.send(leader, AppendEntriesReply(self.current_term, True, match_index, appended, message.read_round))

    def hear_from_leader(self, leader: str) -> None:
        """There is a leader of our term (5.2)."""
        if self.role == "candidate":
            # Candidates 3: another won this term.
            self.note("C.3", leader=leader, term=self.current_term)
            self.become_follower(self.current_term)
        self.leader_id = leader
        self.restart_election_timer()

    def refuse_entries(self, leader: str, message: AppendEntries) -> None:
        # The fast back-up (5.3): with the first index of the conflicting term, one message a term is enough.
        prev, term = message.prev_log_index, 0
        if prev > self.last_log_index:
            first = self.last_log_index + 1
            self.note("AE.2.short", leader=leader, prev_log_index=prev, length=first - 1, conflict_index=first)
        else:
            first, term = prev, self.term_at(prev)
            while first > self.first_log_index and self.term_at(first - 1) == term:
                first -= 1
            values = {"prev_log_term": message.prev_log_term, "conflict_term": term, "conflict_index": first}
            self.note("AE.2", leader=leader, prev_log_index=prev, **values)
        conflict = {"conflict_term": term, "conflict_index": first}
        self.send(leader, AppendEntriesReply(self.current_term, False, read_round=message.read_round, **conflict))

    def take_entries(self, leader: str, message: AppendEntries) -> None:
        prev, entries = message.prev_log_index, message.entries
        # 3. Where an entry conflicts with a new one, delete it and all that follow it (5.3).
        conflict = self.first_conflict(prev, entries)
        if conflict is not None:
            values = {"old_term": self.term_at(conflict), "count": self.last_log_index - conflict + 1}
            gone = self.log[conflict - self.first_log_index :]
            clients = tuple(sorted({entry.command.client for entry in gone if isinstance(entry.command, Command)}))
            self.log = self.log[: conflict - self.first_log_index]
            new_term = entries[conflict - prev - 1].term if conflict <= prev + len(entries) else 0
            self.note("AE.3", leader=leader, index=conflict, new_term=new_term, clients=clients, **values)
        # 4. Append the new entries that are not there yet.
        new = entries[self.last_log_index - prev :]
        if new:
            self.log += new
            self.note("AE.4", leader=leader, count=len(new), index=self.last_log_index, entry_term=self.last_log_term)

    # Leaders

    @on_timer("heartbeat")
    def heartbeat(self) -> None:
        # Leaders 1 (5.2): prevent election timeouts.
        self.note("L.1", term=self.current_term)
        self.send_to_all()

    def send_to_all(self) -> None:
        for peer in self.peers:
            self.send_append_entries(peer)
        self.set_timer("heartbeat", self.heartbeat_interval)

    def send_append_entries(self, follower: str) -> None:
        # Leaders 3 (5.3): the entries from next_index on; with none of them it is a heartbeat.
        prev = self.next_index[follower] - 1
        new = self.entries_after(prev)
        state = (self.commit_index, self.read_round)
        self.send(follower, AppendEntries(self.current_term, self.id, prev, self.term_at(prev), new, *state))

    @on(AppendEntriesReply)
    def receive_append_reply(self, follower: str, reply: AppendEntriesReply) -> None:
        if self.role != "leader" or reply.term < self.current_term:
            self.note_late(follower, reply.term)
            return
        if reply.success:
            self.advance_follower(follower, reply.match_index)
        else:
            self.go_back(follower, reply)

    def advance_follower(self, follower: str, match_index: int) -> None:
        if match_index <= self.match_index[follower]:  # a heartbeat's answer, or one that was overtaken
            self.note("L.3.same", follower=follower, match_index=self.match_index[follower])
            return
        # Leaders 3: it has the entries.
        self.match_index = self.match_index.put(follower, match_index)
        self.next_index = self.next_index.put(follower, max(match_index + 1, self.next_index[follower]))
        self.note("L.3", follower=follower, match_index=match_index)
        self.advance_commit_index()
        self.note_old_entry(match_index, follower)
        if self.last_log_index >= self.next_index[follower]:
            self.send_append_entries(follower)

    def go_back(self, follower: str, reply: AppendEntriesReply) -> None:
        # Leaders 3: it does not agree there, so try from its suggestion on; never below what it is known to have.
        tried, match_index = self.next_index[follower] - 1, self.match_index[follower]
        if tried == match_index:  # a refusal that was overtaken
            self.note("L.3.same", follower=follower, match_index=match_index)
            return
        next_index = max(match_index + 1, min(tried, reply.conflict_index))
        self.note("L.3.back", follower=follower, prev_log_index=tried, next_index=next_index)
        self.next_index = self.next_index.put(follower, next_index)
        self.send_append_entries(follower)

    def advance_commit_index(self) -> None:
        # Leaders 4 (5.3, 5.4.2)
        index = self.committable_index()
        if index > self.commit_index:
            self.note("L.4", index=index, term=self.current_term, servers=self.servers, **self.copies(index))
            self.commit_index = index
            self.apply_committed()

    def note_old_entry(self, index: int, follower: str) -> None:
        """Note that with this follower a majority holds an entry that counting copies must not commit (5.4.2)."""
        holders = self.holders(index)
        before = [holder for holder in holders if holder != follower]
        if index > self.commit_index and self.is_majority(holders) and not self.is_majority(before):
            entry_term = self.term_at(index)
            self.note("L.4.old", index=index, entry_term=entry_term, term=self.current_term, **self.copies(index))

    # Values of notes

    def tally(self) -> dict[str, int]:
        return {"count": len(self.votes), "needed": self.servers // 2 + 1}

    def copies(self, index: int) -> dict[str, Any]:
        holders = self.holders(index)
        return {"holders": holders, "count": len(holders)}

    def note_late(self, sender: str, term: int) -> None:
        self.note("ALL.late", sender=sender, term=term, role=self.role, current_term=self.current_term)
