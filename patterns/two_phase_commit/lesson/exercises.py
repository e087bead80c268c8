"""Two exercises, tried on every case and then searched through every run: a decision, and a recovery.

    def decide(votes, asked, timed_out): ...      judge_decision(decide)
    def to_ask(log): ...                          judge_recovery(to_ask)

The reference solutions stand beside their judges, named `..._solution`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.judge import Answer, Case, Mistake, Verdict, judge
from patterns.engine.properties import NoFailure, Property, Sometimes
from patterns.engine.scripted import lose
from patterns.two_phase_commit.coordinator import Coordinator
from patterns.two_phase_commit.log import Aborted, Committed, Prepared, Records
from patterns.two_phase_commit.machine import TwoPhaseCommit
from patterns.two_phase_commit.messages import Outcome, Prepare, Vote
from patterns.two_phase_commit.participant import Action, Participant
from patterns.two_phase_commit.properties import ALWAYS, committed_somewhere, given_up

from .broken import NO_FAULTS, TWO, running
from .gallery import begun

DecisionRule = Callable[[dict[str, str], tuple[str, ...], bool], Any]
RecoveryRule = Callable[[tuple[tuple[str, str], ...]], Any]
LONG = 30  # steps: enough to see that nothing comes of it
SMALL: Mapping[str, Any] = {"n": 2, "transfers": TWO, "retries": False, "timing": "quiet"}


Searched = tuple[TwoPhaseCommit, tuple[Property | Sometimes, ...]]
"""A machine, and what must hold in all its runs."""


def _with_runs(verdict: Verdict, searches: Iterable[Searched]) -> Verdict:
    """The verdict on the cases, and what a search of all runs of each machine says: what goes wrong, in a shortest
    run."""
    tried = 0
    for machine, properties in searches:
        found = explore(machine, properties, max_states=100_000)
        tried += found.states
        if found.counterexample is not None:
            failure = isinstance(found.counterexample.property, NoFailure)
            then = "" if failure and verdict.failing else f"In a run: {found.counterexample.reason}."
            return _refused(verdict, then, found.counterexample.history)
        if found.never:
            then = f"In {found.states:,} states it never happens that {found.never[0]}."
            return _refused(verdict, then, _a_vote_is_missing(machine))
    return verdict._replace(tried=tried, what="states") if verdict.accepted else verdict


def _refused(verdict: Verdict, then: str, history: History[Any, Any]) -> Verdict:
    return verdict._replace(accepted=False, failing=f"{verdict.failing} {then}".strip(), history=history)


def _a_vote_is_missing(machine: TwoPhaseCommit) -> History[Any, Any]:
    """One participant never hears of the transaction; what happens then, for a while."""
    run = begun(machine.again(budget=None))
    lose(run, Prepare, "P2")
    for _ in range(LONG):
        run.advance()
    run.jump(0)
    return run


# The coordinator's decision


def decision_cases() -> Iterator[Case]:
    """(votes so far, who was asked, whether the time is up), few votes first.

    A vote is `yes`, `no` or `read-only`; votes are pairs, of which each call gets a new dictionary.
    """
    for n in (1, 2, 3):
        asked = tuple(f"P{i}" for i in range(1, n + 1))
        for given in sorted(product(("", "yes", "no", "read-only"), repeat=n), key=lambda votes: n - votes.count("")):
            votes = tuple((name, vote) for name, vote in zip(asked, given, strict=True) if vote)
            for timed_out in (False, True):
                if not (timed_out and len(votes) == n):  # when all have voted no time is running
                    yield votes, asked, timed_out


def decision_solution(votes: Mapping[str, str], asked: tuple[str, ...], timed_out: bool) -> str:
    """Commit if all have voted and nobody said no; abort on a no, or when the time is up; else wait (BHG 7.4)."""
    if timed_out or "no" in votes.values():
        return "abort"
    return "commit" if len(votes) == len(asked) else "wait"


def _may_answer(votes: Any, asked: tuple[str, ...], timed_out: bool) -> tuple[str, ...]:
    """What is right: after a no, while votes are missing, it may abort at once, or wait for the rest first."""
    right = decision_solution(dict(votes), asked, timed_out)
    return ("abort", "wait") if right == "abort" and not timed_out and len(votes) < len(asked) else (right,)


DECISION_MISTAKES = (
    Mistake(
        "silence is a yes",
        "When the time is up your coordinator commits, though a vote is missing. Who was silent may have voted no, or "
        "never heard of it: silence is no yes.",
        lambda votes, asked, timed_out: (
            "abort" if "no" in votes.values() else "commit" if timed_out or len(votes) == len(asked) else "wait"
        ),
    ),
    Mistake(
        "does not wait",
        "Your coordinator aborts while votes are still on their way. While there is time and nobody said no, wait.",
        lambda votes, asked, timed_out: (
            "commit" if len(votes) == len(asked) and "no" not in votes.values() else "abort"
        ),
    ),
    Mistake(
        "waits for ever",
        "A vote may be lost, or its sender may have crashed: your coordinator waits for it for ever, and who voted yes "
        "keeps its rows locked. When the time is up, abort.",
        lambda votes, asked, timed_out: (
            "abort" if "no" in votes.values() else "commit" if len(votes) == len(asked) else "wait"
        ),
    ),
    Mistake(
        "no veto",
        "All have voted, but somebody voted no, and your coordinator commits. One no decides for all.",
        lambda votes, asked, timed_out: "commit" if len(votes) == len(asked) else "abort" if timed_out else "wait",
    ),
    Mistake(
        "majority",
        "Your coordinator commits when most voted yes. A majority elects a leader; a commit needs everyone, for each "
        "writes its own part.",
        lambda votes, asked, timed_out: (
            "commit"
            if 2 * sum(vote != "no" for vote in votes.values()) > len(asked)
            else "abort"
            if timed_out or len(votes) == len(asked)
            else "wait"
        ),
    ),
    Mistake(
        "the first vote",
        "Your coordinator commits on the votes it has, though not all that were asked have voted.",
        lambda votes, asked, timed_out: (
            "abort" if timed_out or "no" in votes.values() else "commit" if votes else "wait"
        ),
    ),
    Mistake(
        "only yes counts",
        "Who only read votes `read-only`: it has nothing to write, and agrees to whatever is decided. Your coordinator "
        "takes that for a no, or waits for a yes that never comes.",
        lambda votes, asked, timed_out: (
            "abort"
            if timed_out or "no" in votes.values() or "read-only" in votes.values()
            else "commit"
            if len(votes) == len(asked)
            else "wait"
        ),
    ),
    Mistake(
        "only yes counts, and waits",
        "Who only read votes `read-only`: it has nothing to write, and agrees to whatever is decided. Your coordinator "
        "takes that for a no, or waits for a yes that never comes.",
        lambda votes, asked, timed_out: (
            "abort"
            if timed_out or "no" in votes.values()
            else "commit"
            if [*votes.values()].count("yes") == len(asked)
            else "wait"
        ),
    ),
    Mistake(
        "never",
        "Your coordinator never commits: nothing goes wrong, and nobody is ever paid.",
        lambda votes, asked, timed_out: (
            "abort" if timed_out or "no" in votes.values() or len(votes) == len(asked) else "wait"
        ),
    ),
)


def judge_decision(function: DecisionRule) -> Verdict:
    """Judge `decide(votes, asked, timed_out) -> "commit" | "abort" | "wait"`: what the coordinator decides now.

    `votes` is a dictionary participant -> "yes", "no" or "read-only"; `asked` are all the participants. It is tried on
    all votes of up to three, and put into a coordinator that is searched through every run of two participants, with a
    message lost, a crash, and of three of whom one votes no, or only reads.
    """
    verdict = judge(
        function,
        _may_answer,
        decision_cases(),
        tell=_tell_decision,
        mistakes=DECISION_MISTAKES,
        prepare=lambda case: (dict(case[0]), *case[1:]),
        same=lambda right, given: given in right,
    )
    if not verdict.attempted or not callable(function):
        return verdict

    class Mine(Coordinator):
        """The coordinator with the learner's rule."""

        def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
            answer = function(dict(votes), asked, timed_out)
            if answer not in ("commit", "abort", "wait"):
                raise ValueError(f'the answer is {answer!r}; allowed are "commit", "abort" and "wait"')
            return None if answer == "wait" else answer

    machine = running(coordinator=Mine)
    refused = machine(**{**SMALL, "n": 3, "transfers": ({"ann": -140, "bob": 70, "cho": 70},)}, budget=NO_FAULTS)
    read = machine(
        **{**SMALL, "n": 3, "protocol": "read_only", "transfers": ({"ann": -40, "bob": 40, "cho": 0},)},
        budget=NO_FAULTS,
    )
    lost = machine(**SMALL, cooperative=False, budget={**NO_FAULTS, "drop": 1})
    crashed = machine(**SMALL, budget={**NO_FAULTS, "crash": 1})
    return _with_runs(
        verdict,
        [
            (refused, ALWAYS),
            (read, (*ALWAYS, committed_somewhere)),
            (lost, (*ALWAYS, committed_somewhere, given_up)),
            (crashed, (*ALWAYS, committed_somewhere)),
        ],
    )


def _tell_decision(case: Case, right: Any, answer: Answer) -> str:
    votes, asked, timed_out = case
    given = ", ".join(f"{name}: {vote}" for name, vote in votes) or "none"
    time = "the time is up" if timed_out else "there is time"
    return f"Asked {', '.join(asked)}; votes {given}; {time}: {' or '.join(right)}; yours {answer}."


# A participant's recovery

KINDS = ("prepared", "committed", "aborted")


def recovery_cases() -> Iterator[Case]:
    """Logs as a participant can have them, short ones first: each transaction is prepared, and then it may be decided;
    or aborted without ever being prepared."""
    lives = ((), (0,), (0, 1), (0, 2), (2,))
    logs: dict[tuple[tuple[str, str], ...], None] = {}
    for two, one in product(lives, repeat=2):
        for merged in _merges([(KINDS[k], "T1") for k in one], [(KINDS[k], "T2") for k in two]):
            logs[tuple(merged)] = None
    for three in lives:
        for log in list(logs):
            logs[(*log, *((KINDS[k], "T3") for k in three))] = None
    yield from ((log,) for log in sorted(logs, key=len))


def _merges(a: list[Any], b: list[Any]) -> Iterator[list[Any]]:
    if not a or not b:
        yield a + b
        return
    yield from ([a[0], *rest] for rest in _merges(a[1:], b))
    yield from ([b[0], *rest] for rest in _merges(a, b[1:]))


def recovery_solution(log: Sequence[tuple[str, str]]) -> list[str]:
    """Those that are prepared and neither committed nor aborted (BHG 7.4)."""
    decided = {txn for kind, txn in log if kind != "prepared"}
    return [txn for kind, txn in log if kind == "prepared" and txn not in decided]


RECOVERY_MISTAKES = (
    Mistake(
        "nothing",
        "Your participant forgets what it promised. The others may have committed because of its yes: it must lock "
        "those rows again and ask.",
        lambda log: [],
    ),
    Mistake(
        "all prepared",
        "Your participant asks about all it ever promised, and locks rows of transactions that ended long ago: nobody "
        "will free them. Leave out what has a decision.",
        lambda log: [txn for kind, txn in log if kind == "prepared"],
    ),
    Mistake(
        "an abort is no decision",
        "Your participant asks about a transaction that it has aborted: an abort record is a decision, too.",
        lambda log: [txn for kind, txn in log if kind == "prepared" and ("committed", txn) not in log],
    ),
    Mistake(
        "a commit is no decision",
        "Your participant asks about a transaction that it has committed: its rows are written, and locked again for "
        "nothing.",
        lambda log: [txn for kind, txn in log if kind == "prepared" and ("aborted", txn) not in log],
    ),
    Mistake(
        "only the last record",
        "Your participant looks at the end of the log only. Several transactions may have been under way when it "
        "crashed.",
        lambda log: [log[-1][1]] if log and log[-1][0] == "prepared" else [],
    ),
    Mistake(
        "the next record",
        "Your participant takes the next record for the answer. Records of several transactions lie mixed in the log: "
        "look for one of the same transaction.",
        lambda log: [
            txn
            for at, (kind, txn) in enumerate(log)
            if kind == "prepared" and (at + 1 == len(log) or log[at + 1][0] == "prepared")
        ],
    ),
    Mistake(
        "all undecided or aborted",
        "Your participant asks about transactions to which it never said yes. It has aborted them, and nobody waits "
        "for it.",
        lambda log: [txn for txn in dict.fromkeys(txn for _, txn in log) if ("committed", txn) not in log],
    ),
)


def judge_recovery(function: RecoveryRule) -> Verdict:
    """Judge `to_ask(log) -> list of transactions`: which rows a participant locks again after a crash, and of which
    transactions it asks what was decided.

    `log` has (kind, transaction) pairs as they were written; a kind is "prepared", "committed" or "aborted". It is
    tried on logs of up to three transactions, and put into a participant that is searched through every run of two
    participants and a crash.
    """
    verdict = judge(
        function,
        recovery_solution,
        recovery_cases(),
        tell=_tell_recovery,
        mistakes=RECOVERY_MISTAKES,
        what="logs",
        same=lambda right, given: not isinstance(given, str) and sorted(given) == sorted(right),
    )
    if not verdict.attempted or not callable(function):
        return verdict

    class Mine(Participant):
        """The participant with the learner's recovery."""

        def recovery(self, records: tuple[Records, ...]) -> Action:
            return "ask" if records[0].txn in function(_as_pairs(self.log)) else "done"

    machine = running(participant=Mine)
    budget = {**NO_FAULTS, "crash": 1}
    refused = machine(**{**SMALL, "transfers": ({"ann": -140, "bob": 140},)}, budget=budget)
    return _with_runs(verdict, [(machine(**SMALL, budget=budget), ALWAYS), (refused, ALWAYS)])


def _as_pairs(log: tuple[Records, ...]) -> tuple[tuple[str, str], ...]:
    kinds = {Prepared: "prepared", Committed: "committed", Aborted: "aborted"}
    return tuple((kinds[type(record)], record.txn) for record in log if type(record) in kinds)


def _tell_recovery(case: Case, right: Any, answer: Answer) -> str:
    (log,) = case
    lines = ", ".join(f"{kind} {txn}" for kind, txn in log) or "nothing"
    return f"The log has {lines}: ask about {', '.join(right) or 'nothing'}; yours {answer}."
