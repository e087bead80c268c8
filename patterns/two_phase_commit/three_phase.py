"""Three-phase commit: between the votes and the commit every participant learns that all voted yes.

Skeen, "Nonblocking Commit Protocols", SIGMOD 1981; Bernstein, Hadzilacos, Goodman 1987 (`BHG`), section 7.5. No process
commits while another that is up may still be uncertain. So those that are up can always decide without the rest.

It assumes that processes crash and nothing else fails: no message is lost, each arrives within a known time, and
silence means a crash. Under a partition each side counts the other as crashed, and the sides may decide differently.

A process that was down takes no part in the others' decision. It asks until it hears a decision, or until all are back
(BHG 7.5, recovery and total failure: the process that failed last is then among them).

Simpler than BHG's election by messages: the participants stand in line. A participant takes the coordinator's place
when those before it have been silent, one timeout each, and gives the place up only to a process before it in line.
If each gave way to the other, two backups could poll for ever, like two candidates of Raft that split the votes. Raft
decides such a duel by lot: timeouts of random length. A coordinator that waits for a vote may be silent for longer. It
gives up when a backup asks it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from patterns.engine.process import on, on_timer, setting
from patterns.engine.table import Table
from patterns.engine.values import Value

from .coordinator import Coordinator, Open, decided
from .log import Aborted, Collecting, Committed, Ready, Records, by_transaction
from .messages import (
    Abort,
    Commit,
    InDoubt,
    Inquiry,
    Outcome,
    PreCommit,
    PreCommitted,
    State,
    StateReport,
    StateRequest,
)
from .participant import Branch, BranchState, Participant

STATES: Mapping[str, State] = {"commit": "committed", "abort": "aborted", "committable": "committable"}
"""An outcome, or a branch's state -> BHG's name for the state; all others are uncertain."""


class ThreePhaseCoordinator(Coordinator):
    """Votes, pre-commits, commits."""

    pre_commit_timeout: int = setting(60)

    def log_start(self, open: Open) -> None:
        # After a crash it must ask the others: they may have decided without it.
        self.force(Collecting(open.txn, open.asked, open.moves))

    def awaits_acks(self, outcome: Outcome) -> bool:
        return False

    def all_voted_yes(self, open: Open) -> None:
        self.note("3.pre", txn=open.txn, asked=open.asked)
        for participant in open.asked:
            self.send(participant, PreCommit(open.txn))
        self.keep(replace(open, phase="pre-committing", missing=frozenset(open.asked)))
        self.cancel_timer("votes", about=open.txn)
        self.set_timer("pre-commits", self.pre_commit_timeout, about=open.txn)

    @on(PreCommitted)
    def take_pre_commit(self, participant: str, message: PreCommitted) -> None:
        open = self.open.get(message.txn)
        if open is None or open.phase != "pre-committing" or participant not in open.missing:
            self.late(participant, message)
            return
        open = replace(open, missing=open.missing - {participant})
        self.keep(open)
        self.note("3.ack", participant=participant, txn=open.txn, missing=tuple(sorted(open.missing)))
        if not open.missing:
            self.decide(open, "commit")

    @on_timer("pre-commits")
    def pre_commits_are_late(self, txn: str) -> None:
        # A participant that has not answered has crashed: all that are up know, which is enough.
        open = self.open[txn]
        self.note("3.enough", txn=txn, silent=tuple(sorted(open.missing)), timeout=self.pre_commit_timeout)
        self.decide(open, "commit")

    def forget(self, open: Open) -> None:
        super().forget(open)
        for timer in ("votes", "pre-commits", "recover"):
            self.cancel_timer(timer, about=open.txn)

    # A participant takes its place

    @on(StateRequest)
    def report(self, sender: str, message: StateRequest) -> None:
        txn = message.txn
        open = self.open.get(txn)
        if open is not None and open.phase == "voting" and not message.recovered:
            # It was only slow, and has sent nothing yet that others could build on. Two must not lead.
            self.note("3.give", txn=txn, sender=sender)
            self.decide(open, "abort")
        open, state = self.open.get(txn), STATES.get(self.outcome_of(txn) or "", "uncertain")
        if open is not None and open.phase == "pre-committing":
            state = "committable"
        self.note("3.report", txn=txn, state=state, sender=sender)
        self.send(sender, StateReport(txn, state, open is not None and open.phase == "recovering"))

    @on(Commit, Abort)
    def learn(self, sender: str, message: Commit | Abort) -> None:
        open = self.open.get(message.txn)
        outcome: Outcome = "commit" if isinstance(message, Commit) else "abort"
        if open is None:
            self.note("P.known", txn=message.txn, outcome=self.outcome_of(message.txn) or outcome)
            return
        self.note("3.learn", txn=open.txn, sender=sender, outcome=outcome)
        self.log_decision(open, outcome, open.asked)
        self.answer(open, outcome)
        self.forget(open)

    @on(InDoubt)
    def no_help(self, sender: str, message: InDoubt) -> None:
        self.note("P.blocked", txn=message.txn, sender=sender)

    # After a crash

    def on_restart(self) -> None:
        self.life += 1
        for txn, records in by_transaction(self.log):
            start = next((record for record in records if isinstance(record, Collecting)), None)
            if self.recovery(records) is None and start is not None:
                self.keep(Open(txn, (), start.participants, "recovering"))
                self.ask_what_was_decided(txn)

    @on_timer("recover")
    def ask_what_was_decided(self, txn: str) -> None:
        asked = self.open[txn].asked
        self.note("3.ask", txn=txn, asked=asked)
        for participant in asked:
            self.send(participant, Inquiry(txn))
        self.set_timer("recover", self.ack_timeout, about=txn)


class Poll(Value):
    """What a participant that takes the coordinator's place knows about the others' states."""

    txn: str
    reports: Table[StateReport]
    """Process -> its report."""
    pre_committing: bool = False


class ThreePhaseParticipant(Participant):
    """A participant that can take the coordinator's place."""

    suspects: frozenset[str] = frozenset()
    """Processes that have been silent for too long: crashed, if the assumption holds."""
    polls: Table[Poll] = Table()

    acknowledges = frozenset()

    def log_decision(self, record: Committed | Aborted) -> None:
        self.force(record)

    @on(PreCommit)
    def pre_commit(self, sender: str, message: PreCommit) -> None:
        if not self.is_in_doubt(message.txn):
            self.late(sender, message)
            return
        branch = self.branches[message.txn]
        self.hear_from(sender, branch)
        self.become_committable(branch)
        self.send(sender, PreCommitted(message.txn))

    def become_committable(self, branch: Branch) -> None:
        if branch.state == "in doubt":
            self.force(Ready(branch.txn))
            self.note("3.ready", txn=branch.txn)
            self.keep(replace(branch, state="committable"))
            self.set_timer("doubt", self.doubt_timeout, about=branch.txn)

    def state_from_log(self, records: tuple[Records, ...]) -> BranchState:
        return "committable" if any(isinstance(record, Ready) for record in records) else "in doubt"

    def yields_to(self, sender: str, branch: Branch) -> bool:
        """Whether it lets the sender lead: one before it in line. A process that was down stands in no line."""
        line = self.line(branch)
        return branch.recovered or line.index(sender) < line.index(self.id)

    def hear_from(self, sender: str, branch: Branch) -> None:
        """Another process leads and is alive: this one does not lead, and waits anew."""
        self.suspects -= {sender}
        self.polls = self.polls.without(branch.txn)
        self.set_timer("doubt", self.doubt_timeout, about=branch.txn)

    # The leader is silent

    def line(self, branch: Branch) -> tuple[str, ...]:
        """The processes in the order in which they lead, as long as those before are silent."""
        return (self.coordinator, *branch.participants)

    def when_in_doubt(self, branch: Branch) -> None:
        poll = self.polls.get(branch.txn)
        if poll is not None:
            self.conclude(branch, poll)
            if branch.txn in self.branches and branch.txn not in self.polls:
                self.ask_all(branch)
        elif branch.recovered:
            self.ask_all(branch)
        else:
            silent = next(name for name in self.line(branch) if name not in self.suspects)
            if silent != self.id:
                self.suspects |= {silent}
                self.note("3.suspect", txn=branch.txn, silent=silent, timeout=self.doubt_timeout)
            leader = next(name for name in self.line(branch) if name not in self.suspects)
            if leader == self.id:
                self.ask_all(branch)
            else:
                self.note("3.wait", txn=branch.txn, leader=leader)

    def ask_all(self, branch: Branch) -> None:
        others = self.who_may_know(branch)
        self.note("3.poll.back" if branch.recovered else "3.poll", txn=branch.txn, asked=others)
        own = StateReport(branch.txn, state_of(branch), branch.recovered)
        self.follow(Poll(branch.txn, Table(((self.id, own),))))
        for name in others:
            self.send(name, StateRequest(branch.txn, branch.recovered))

    @on(StateRequest)
    def report(self, sender: str, message: StateRequest) -> None:
        txn, recovered = message.txn, False
        if self.is_in_doubt(txn):
            branch = self.branches[txn]
            state, recovered = state_of(branch), branch.recovered
            if not message.recovered:
                if self.yields_to(sender, branch):
                    self.hear_from(sender, branch)
                else:
                    self.note("3.first", txn=txn, sender=sender)
        else:
            if self.logged_outcome(txn) is None:
                self.veto(txn, sender)
            state = STATES[self.logged_outcome(txn) or "abort"]
        self.note("3.report", txn=txn, state=state, sender=sender)
        self.send(sender, StateReport(txn, state, recovered))

    @on(StateReport)
    def take_report(self, sender: str, message: StateReport) -> None:
        branch, poll = self.branches.get(message.txn), self.polls.get(message.txn)
        if branch is None or poll is None or poll.pre_committing:
            self.late(sender, message)
            return
        poll = self.follow(replace(poll, reports=poll.reports.put(sender, message)))
        self.note("3.heard", txn=poll.txn, sender=sender, state=message.state)
        if len(poll.reports) == len(self.line(branch)):
            self.conclude(branch, poll)

    @on(PreCommitted)
    def take_pre_commit(self, sender: str, message: PreCommitted) -> None:
        branch, poll = self.branches.get(message.txn), self.polls.get(message.txn)
        if branch is None or poll is None or not poll.pre_committing:
            self.late(sender, message)
            return
        report = StateReport(poll.txn, "committable")
        poll = self.follow(replace(poll, reports=poll.reports.put(sender, report)))
        if all(report.state == "committable" for report in poll.reports.values()):
            self.conclude(branch, poll)

    def follow(self, poll: Poll) -> Poll:
        self.polls = self.polls.put(poll.txn, poll)
        return poll

    # The termination rules (BHG 7.5)

    def termination(self, states: frozenset[State]) -> Outcome | None:
        """The decision of those that are up, by their states; None: make all committable first."""
        if "aborted" in states:  # TR1
            return "abort"
        if "committed" in states:  # TR2
            return "commit"
        if "committable" in states:  # TR4
            return "commit" if states == {"committable"} else None
        return "abort"  # TR3: all are uncertain, so none can have committed

    def conclude(self, branch: Branch, poll: Poll) -> None:
        """Every process that is up has reported."""
        txn, reports = branch.txn, dict(poll.reports)
        if poll.pre_committing:
            # A process that has not acknowledged has crashed.
            self.lead_to(branch, "commit", {name: r.state for name, r in reports.items() if r.state == "committable"})
            return
        undecided = {name: r for name, r in reports.items() if r.state in ("uncertain", "committable")}
        absent = tuple(name for name in self.line(branch) if name not in reports)
        back = not absent and all(report.recovered for report in undecided.values())
        if branch.recovered and len(undecided) == len(reports) and not back:
            # Others may have decided while it was down, and crashed since: it must not decide. It asks again later.
            up = tuple(name for name, report in undecided.items() if not report.recovered)
            self.note("3.blocked", txn=txn, others=absent or up)
            self.polls = self.polls.without(txn)
            return
        # A process that was down counts only if it knows the decision, or if all were down.
        counted = {name: r.state for name, r in reports.items() if back or not r.recovered or name not in undecided}
        outcome = self.termination(frozenset(counted.values()))
        if outcome is not None:
            self.lead_to(branch, outcome, counted)
            return
        self.note("3.TR4.pre", txn=txn)
        self.become_committable(branch)
        followers = Table(tuple((name, reports[name]) for name in counted if name not in (self.coordinator, self.id)))
        self.follow(Poll(txn, followers.put(self.id, StateReport(txn, "committable")), pre_committing=True))
        for name, report in followers:
            if report.state == "uncertain":
                self.send(name, PreCommit(txn))

    def lead_to(self, branch: Branch, outcome: Outcome, states: Mapping[str, State]) -> None:
        found = set(states.values())
        if outcome == "abort":
            rule = "3.TR1" if "aborted" in found else "3.TR3"
        else:
            rule = "3.TR2" if "committed" in found else "3.TR4"
        committable = tuple(name for name in states if states[name] == "committable")
        uncertain = tuple(name for name in states if states[name] == "uncertain")
        self.note(rule, txn=branch.txn, committable=committable, uncertain=uncertain)
        self.decided(branch.txn, outcome, self.id)
        for name in self.who_may_know(branch):
            self.send(name, decided(branch.txn, outcome))

    def release(self, txn: str) -> None:
        self.polls = self.polls.without(txn)
        super().release(txn)


def state_of(branch: Branch) -> State:
    """BHG's name for a branch's state."""
    return STATES.get(branch.state, "uncertain")
