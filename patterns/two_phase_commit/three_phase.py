"""Three-phase commit: between the votes and the commit everybody learns that all voted yes.

Skeen, "Nonblocking Commit Protocols", SIGMOD 1981; Bernstein, Hadzilacos, Goodman 1987 (`BHG`), section 7.5. Nobody
commits while another that is up may still be uncertain, so those that are up can always decide without the rest.

It assumes that processes crash and nothing else fails: no message is lost, each comes within a known time, and silence
means a crash. Under a partition each side takes the other for crashed, and they may decide differently.

A process that was down takes no part in others' deciding: it asks until it hears of a decision, or until all are back
(BHG 7.5, recovery and total failure: who failed last is then among them). Simpler than BHG's election by messages: the
participants stand in line, and one takes the coordinator's place when those before it have been silent, one timeout
each. A coordinator may be silent for longer than that while it waits for a vote, so who takes its place may be wrong:
then it gives up, for two must not lead.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from patterns.engine.process import on, on_timer, setting

from .coordinator import Coordinator, Open, client_name, decided
from .log import Aborted, Collecting, Committed, Ready, Records, by_transaction
from .messages import (
    Abort,
    Commit,
    Done,
    InDoubt,
    Inquiry,
    Outcome,
    PreCommit,
    PreCommitted,
    State,
    StateReport,
    StateRequest,
    named,
    past,
)
from .participant import Branch, Participant, Standing


class ThreePhaseCoordinator(Coordinator):
    """Votes, pre-commits, commits."""

    pre_commit_timeout: int = setting(60)

    def log_start(self, txn: str, asked: tuple[str, ...]) -> None:
        # After a crash it must ask the others: they may have decided without it.
        self.force(Collecting(txn, asked))

    def awaits_acks(self, outcome: Outcome) -> bool:
        return False

    def all_voted_yes(self, open: Open) -> None:
        self.note("3.pre", txn=open.txn, asked=named(open.asked))
        for participant in open.asked:
            self.send(participant, PreCommit(open.txn))
        self.replace(replace(open, phase="pre-committing", missing=frozenset(open.asked), due=False))
        self.watch("pre-commits", "pre-committing", self.pre_commit_timeout)
        self.rest()

    @on(PreCommitted)
    def take_pre_commit(self, participant: str, message: PreCommitted) -> None:
        open = self.find(message.txn)
        if open is None or open.phase != "pre-committing" or participant not in open.missing:
            self.late(participant, message)
            return
        open = replace(open, missing=open.missing - {participant})
        self.replace(open)
        self.note("3.ack", participant=participant, txn=open.txn, missing=named(open.missing))
        if not open.missing:
            self.decide(open, "commit")

    @on_timer("pre-commits")
    def pre_commits_are_late(self) -> None:
        for open in self.open:
            if open.phase == "pre-committing" and open.due:
                # Who has not answered has crashed: all that are up know, which is enough.
                self.note("3.enough", txn=open.txn, silent=named(open.missing), timeout=self.pre_commit_timeout)
                self.decide(open, "commit")
        self.watch("pre-commits", "pre-committing", self.pre_commit_timeout, again=True)

    def rest(self) -> None:
        super().rest()
        for timer, phase in (("pre-commits", "pre-committing"), ("recover", "recovering")):
            if not any(open.phase == phase for open in self.open):
                self.cancel_timer(timer)

    # Somebody takes its place

    @on(StateRequest)
    def report(self, sender: str, message: StateRequest) -> None:
        open = self.find(message.txn)
        if open is not None and open.phase == "voting" and not message.recovered:
            # It was only slow, and has said nothing yet that others could build on. Two must not lead.
            self.note("3.give", txn=open.txn, sender=sender)
            self.decide(open, "abort")
        open, outcome = self.find(message.txn), self.outcome_of(message.txn)
        state: State = "uncertain"
        if outcome:
            state = "committed" if outcome == "commit" else "aborted"
        elif open is not None and open.phase == "pre-committing":
            state = "committable"
        self.note("3.report", txn=message.txn, state=state, sender=sender)
        self.send(sender, StateReport(message.txn, state, open is not None and open.phase == "recovering"))

    @on(Commit, Abort)
    def learn(self, sender: str, message: Commit | Abort) -> None:
        open = self.find(message.txn)
        outcome: Outcome = "commit" if isinstance(message, Commit) else "abort"
        if open is None:
            self.note("3.known", txn=message.txn, outcome=past(self.outcome_of(message.txn) or outcome))
            return
        self.note("3.learn", txn=open.txn, sender=sender, outcome=past(outcome))
        self.log_decision(open, outcome, open.asked)
        if open.client:
            self.reply(open.client, Done(client_name(open.txn), outcome))
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
                self.open = (*self.open, Open(txn, "", start.participants, "recovering"))
        if self.open:
            self.ask_what_was_decided()

    @on_timer("recover")
    def ask_what_was_decided(self) -> None:
        for open in self.open:
            if open.phase == "recovering":
                self.note("3.ask", txn=open.txn, asked=named(open.asked))
                for participant in open.asked:
                    self.send(participant, Inquiry(open.txn))
        self.set_timer("recover", self.ack_timeout)


class Poll(msgspec.Struct, frozen=True, gc=False):
    """A participant that takes the coordinator's place asks how far the others are."""

    txn: str
    reports: tuple[StateReport, ...] = ()
    senders: tuple[str, ...] = ()
    """Who reported, in the order of the reports."""
    pre_committing: bool = False

    @property
    def told(self) -> dict[str, StateReport]:
        """What each reported."""
        return dict(zip(self.senders, self.reports, strict=True))

    def of(self, told: Mapping[str, StateReport]) -> Poll:
        """The same poll with these reports."""
        names = tuple(sorted(told))
        return replace(self, senders=names, reports=tuple([told[name] for name in names]))


class ThreePhaseParticipant(Participant):
    """A participant that can take the coordinator's place."""

    suspects: frozenset[str] = frozenset()
    """Who has been silent for too long: crashed, if the assumption holds."""
    polls: tuple[Poll, ...] = ()

    acknowledges = frozenset()

    def log_decision(self, record: Committed | Aborted) -> None:
        self.force(record)

    @on(PreCommit)
    def pre_commit(self, sender: str, message: PreCommit) -> None:
        branch = self.find(message.txn)
        if branch is None or branch.standing == "waiting":
            self.late(sender, message)
            return
        self.hear_from(sender, branch)
        self.become_committable(branch)
        self.send(sender, PreCommitted(message.txn))

    def become_committable(self, branch: Branch) -> None:
        if branch.standing == "in doubt":
            self.force(Ready(branch.txn))
            self.note("3.ready", txn=branch.txn)
            self.replace(replace(branch, standing="committable", due=False))

    def standing_of(self, records: tuple[Records, ...]) -> Standing:
        return "committable" if any(isinstance(record, Ready) for record in records) else "in doubt"

    def hear_from(self, sender: str, branch: Branch) -> None:
        """Somebody else leads, and is alive: it does not lead itself, and waits anew."""
        self.suspects -= {sender}
        self.drop_poll(branch.txn)
        self.replace(replace(branch, due=False))

    # Nobody is heard of

    def line(self, branch: Branch) -> tuple[str, ...]:
        """Who is to lead, in this order, as long as those before are silent."""
        return (self.coordinator, *branch.participants)

    def when_in_doubt(self, branch: Branch) -> None:
        poll = next((poll for poll in self.polls if poll.txn == branch.txn), None)
        if poll is not None:
            self.conclude(branch, poll)
            if self.find(branch.txn) is not None and not any(poll.txn == branch.txn for poll in self.polls):
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
        self.note("3.poll.back" if branch.recovered else "3.poll", txn=branch.txn, asked=named(others))
        own = StateReport(branch.txn, state_of(branch), branch.recovered)
        self.drop_poll(branch.txn)
        self.polls = (*self.polls, Poll(branch.txn, (own,), (self.id,)))
        for name in others:
            self.send(name, StateRequest(branch.txn, branch.recovered))

    @on(StateRequest)
    def report(self, sender: str, message: StateRequest) -> None:
        txn = message.txn
        branch = self.find(txn)
        if branch is None or branch.standing == "waiting":
            if self.logged_outcome(txn) is None:
                self.note("P.veto", txn=txn, sender=sender)
                self.force(Aborted(txn))
                self.release(txn)
            state: State = "committed" if self.logged_outcome(txn) == "commit" else "aborted"
            recovered = False
        else:
            state, recovered = state_of(branch), branch.recovered
            if not message.recovered:
                self.hear_from(sender, branch)
        self.note("3.report", txn=txn, state=state, sender=sender)
        self.send(sender, StateReport(txn, state, recovered))

    @on(StateReport)
    def take_report(self, sender: str, message: StateReport) -> None:
        branch = self.find(message.txn)
        poll = next((poll for poll in self.polls if poll.txn == message.txn), None)
        if branch is None or poll is None or poll.pre_committing:
            self.late(sender, message)
            return
        poll = self.keep(poll.of({**poll.told, sender: message}))
        self.note("3.heard", txn=poll.txn, sender=sender, state=message.state)
        if len(poll.senders) == len(self.line(branch)):
            self.conclude(branch, poll)

    @on(PreCommitted)
    def take_pre_commit(self, sender: str, message: PreCommitted) -> None:
        branch = self.find(message.txn)
        poll = next((poll for poll in self.polls if poll.txn == message.txn), None)
        if branch is None or poll is None or not poll.pre_committing:
            self.late(sender, message)
            return
        poll = self.keep(poll.of({**poll.told, sender: StateReport(poll.txn, "committable")}))
        if all(report.state == "committable" for report in poll.reports):
            self.conclude(branch, poll)

    def drop_poll(self, txn: str) -> None:
        self.polls = tuple(poll for poll in self.polls if poll.txn != txn)

    def keep(self, poll: Poll) -> Poll:
        self.polls = tuple(poll if other.txn == poll.txn else other for other in self.polls)
        return poll

    # The termination rules (BHG 7.5)

    def termination(self, states: frozenset[State]) -> Outcome | None:
        """What those that are up decide, by how far they are; None: make all committable first."""
        if "aborted" in states:  # TR1
            return "abort"
        if "committed" in states:  # TR2
            return "commit"
        if "committable" in states:  # TR4
            return "commit" if states == {"committable"} else None
        return "abort"  # TR3: all are uncertain, so nobody can have committed

    def conclude(self, branch: Branch, poll: Poll) -> None:
        """All have reported that will."""
        told = poll.told
        if poll.pre_committing:
            # Who has not acknowledged has crashed.
            self.lead_to(branch, "commit", {name: r.state for name, r in told.items() if r.state == "committable"})
            return
        undecided = [report for report in told.values() if report.state in ("uncertain", "committable")]
        knows = len(undecided) < len(told)
        whole = len(told) == len(self.line(branch))
        back = whole and all(report.recovered for report in undecided)
        if branch.recovered and not knows and not back:
            # Others may have decided while it was down, and crashed since: it must not decide. It asks again later.
            why = "those that were not will decide" if whole else "somebody that is not back may know more"
            self.note("3.blocked", txn=branch.txn, why=why)
            self.drop_poll(branch.txn)
            return
        # Who was down counts only if it knows, or if all were.
        counted = {name: r.state for name, r in told.items() if back or not r.recovered or r not in undecided}
        outcome = self.termination(frozenset(counted.values()))
        if outcome is not None:
            self.lead_to(branch, outcome, counted)
            return
        self.note("3.TR4.pre", txn=branch.txn)
        self.become_committable(branch)
        others = {name: told[name] for name in counted if name not in (self.coordinator, self.id)}
        own = {self.id: StateReport(branch.txn, "committable")}
        self.keep(replace(poll.of({**others, **own}), pre_committing=True))
        for name, report in others.items():
            if report.state == "uncertain":
                self.send(name, PreCommit(branch.txn))

    def lead_to(self, branch: Branch, outcome: Outcome, states: Mapping[str, State]) -> None:
        found = set(states.values())
        if outcome == "abort":
            rule = "3.TR1" if "aborted" in found else "3.TR3"
        else:
            rule = "3.TR2" if "committed" in found else "3.TR4"
        self.note(rule, txn=branch.txn, states=in_words(states))
        self.decided(branch.txn, outcome, self.id)
        for name in self.who_may_know(branch):
            self.send(name, decided(branch.txn, outcome))

    def release(self, txn: str) -> None:
        self.drop_poll(txn)
        super().release(txn)


def state_of(branch: Branch) -> State:
    """BHG's name for how far it is."""
    return "committable" if branch.standing == "committable" else "uncertain"


def in_words(states: Mapping[str, State]) -> str:
    """`P1, P3 uncertain, P2 committable`."""
    of = dict.fromkeys(states.values())
    return ", ".join(f"{', '.join(name for name in states if states[name] == state)} {state}" for state in of)
