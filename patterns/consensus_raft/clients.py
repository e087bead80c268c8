"""What section 8 adds for clients: each request is executed once, and no read is stale.

Sessions follow Ongaro's thesis 6.3, reads by ReadIndex 6.4.
"""

from __future__ import annotations

from patterns.engine.clients import Misused
from patterns.engine.process import on_request
from patterns.engine.table import Table
from patterns.engine.values import Value

from .messages import Add, AppendEntriesReply, Command, Done, Entry, Get, NoOp, NotLeader, Put
from .raft import Raft


class Read(Value):
    """A read that the leader holds back (thesis 6.4)."""

    client: str
    request: Get
    read_index: int
    """The state machine must have applied this entry before the read is answered."""
    read_round: int
    """A majority must have answered a message of this round of leadership checks, or of a later one."""


class Server(Raft):
    """A whole Raft server: Figure 2, and what clients need."""

    # Volatile state on leaders
    reads: tuple[Read, ...] = ()
    """Reads that wait."""
    acked_round: Table[int] = Table()
    """Per peer, the last round of leadership checks that it has answered."""

    # Commands

    @on_request(Put, Add)
    def take_command(self, client: str, request: Put | Add) -> None:
        command = Command(client, request)
        if self.role != "leader":
            self.redirect(client, request)
        elif before := self.other_request(command):
            # A serial names one request: the answer to the earlier one is no answer to this one.
            self.note("CL.misused", client=client, request=request, before=before)
            self.reply(client, Misused(request.serial))
        elif self.was_executed(command) and self.is_last_of(command):
            # The answer to the first attempt was lost: the session still has it.
            value = self.state_machine.sessions[client].value
            self.note("CL.session", client=client, serial=request.serial, value=value)
            self.reply(client, Done(request.serial, value))
        else:
            # Leaders 2 (5.3): append it and replicate it; answer when it is applied.
            self.log = (*self.log, Entry(self.current_term, command))
            self.note("L.2", client=client, request=request, index=self.last_log_index, term=self.current_term)
            self.send_to_all()
            self.advance_commit_index()

    def was_executed(self, command: Command) -> bool:
        """Whether the command is a retry of one that was executed. A client asks one thing at a time (thesis 6.3)."""
        session = self.state_machine.sessions.get(command.client)
        return session is not None and session.serial >= command.request.serial

    def is_last_of(self, command: Command) -> bool:
        """Whether it is the last one executed for its client: answers to earlier ones are not kept."""
        return self.state_machine.sessions[command.client].serial == command.request.serial

    def other_request(self, command: Command) -> Put | Add | None:
        """Another request of this client under the same serial: executed, or in the log behind what is applied.

        A read leaves no trace in the log or in a session, so its serial cannot be checked.
        """
        session = self.state_machine.sessions.get(command.client)
        waiting = [entry.command for entry in self.log[self.last_applied + 1 - self.first_log_index :]]
        known = [session.request] if session else []
        known += [each.request for each in waiting if isinstance(each, Command) and each.client == command.client]
        same_serial = (request for request in known if request.serial == command.request.serial)
        return next((request for request in same_serial if request != command.request), None)

    def apply(self, index: int, entry: Entry) -> None:
        command = entry.command
        if isinstance(command, NoOp):
            super().apply(index, entry)
            return
        if self.was_executed(command):
            self.note("CL.twice", index=index, client=command.client, serial=command.request.serial)
        else:
            super().apply(index, entry)
        if self.role == "leader" and self.is_last_of(command):
            value = self.state_machine.sessions[command.client].value
            self.note("CL.done", client=command.client, request=command.request, value=value)
            self.reply(command.client, Done(command.request.serial, value))

    # Reads

    @on_request(Get)
    def take_read(self, client: str, request: Get) -> None:
        if self.role != "leader":
            self.redirect(client, request)
            return
        # ReadIndex (thesis 6.4): the read must see all that is committed now. A new leader knows what is committed
        # once an entry of its own term is. It knows that it still leads once a majority has answered a message sent
        # after the read arrived.
        self.read_round += 1
        read = Read(client, request, max(self.commit_index, self.first_of_term()), self.read_round)
        self.reads = (*(other for other in self.reads if other.client != client), read)
        self.note("RI.1", client=client, key=request.key, read_index=read.read_index, term=self.current_term)
        self.send_to_all()
        self.serve_reads()

    def first_of_term(self) -> int:
        """The index of the first entry of this term, or the next index if this term has no entry yet."""
        entries = enumerate(self.log, start=self.first_log_index)
        own = (index for index, entry in entries if entry.term == self.current_term)
        return next(own, self.last_log_index + 1)

    def may_serve(self, read: Read) -> bool:
        """Whether a majority has confirmed that we led after the read arrived, and we have applied enough for it."""
        confirmed = [self.id, *(peer for peer, acked in self.acked_round if acked >= read.read_round)]
        return self.is_majority(confirmed) and self.last_applied >= read.read_index

    def serve_reads(self) -> None:
        ready = [read for read in self.reads if self.may_serve(read)]
        self.reads = tuple(read for read in self.reads if read not in ready)
        for read in ready:
            value = self.state_machine.store.get(read.request.key)
            self.note("RI.2", client=read.client, key=read.request.key, value=value, applied=self.last_applied)
            self.reply(read.client, Done(read.request.serial, value))

    def receive_append_reply(self, follower: str, reply: AppendEntriesReply) -> None:
        self.note_round(follower, reply.term, reply.read_round)
        super().receive_append_reply(follower, reply)
        self.serve_reads()

    def note_round(self, follower: str, term: int, read_round: int) -> None:
        # Whether it accepted the entries or not: it answered as a follower of this term.
        current = self.role == "leader" and term == self.current_term
        if current and read_round > self.acked_round[follower]:
            self.acked_round = self.acked_round.put(follower, read_round)

    # Leading, and not leading

    def become_leader(self) -> None:
        self.acked_round = Table.filled(self.peers, 0)
        super().become_leader()

    def become_follower(self, term: int) -> None:
        super().become_follower(term)
        held_back, self.reads = self.reads, ()
        self.read_round, self.acked_round = 0, Table()
        for read in held_back:
            self.redirect(read.client, read.request)

    def redirect(self, client: str, request: Put | Add | Get) -> None:
        # Section 8: a server that is not the leader names the leader that it knows of.
        self.note("CL.redirect", client=client, role=self.role, hint=self.leader_id)
        self.reply(client, NotLeader(request.serial, self.leader_id))
