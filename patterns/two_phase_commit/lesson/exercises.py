"""Two exercises: the coordinator's decision, and a participant's recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.milestones import fired, when
from patterns.engine.planted import Properties, Scripted, Search, planted
from patterns.engine.script import Script
from patterns.two_phase_commit.coordinator import Coordinator
from patterns.two_phase_commit.log import Aborted, Committed, Prepared, Records
from patterns.two_phase_commit.machine import TwoPhaseCommit
from patterns.two_phase_commit.messages import Outcome, Prepare, Vote
from patterns.two_phase_commit.participant import Participant
from patterns.two_phase_commit.properties import ALWAYS, committed_somewhere, given_up
from patterns.two_phase_commit.readings import in_doubt

from .broken import SMALL, TRANSFER

# The coordinator's decision


def decision_cases() -> Iterator[Case]:
    """(votes so far, participants asked, whether the time is up), few votes first.

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
    """Commit if all have voted and none voted no; abort on a no, or when the time is up; else wait (BHG 7.4)."""
    if timed_out or "no" in votes.values():
        return "abort"
    return "commit" if len(votes) == len(asked) else "wait"


def _may_answer(votes: Any, asked: tuple[str, ...], timed_out: bool) -> tuple[str, ...]:
    """The right answers: after a no, while votes are missing, it may abort at once, or wait for the rest first."""
    right = decision_solution(dict(votes), asked, timed_out)
    return ("abort", "wait") if right == "abort" and not timed_out and len(votes) < len(asked) else (right,)


def _when(holds: Callable[[Mapping[str, str], tuple[str, ...]], bool]) -> Rule:
    """Commits when this holds of the votes and those that were asked, and else waits until the time is up."""
    return lambda votes, asked, timed_out: "commit" if holds(votes, asked) else "abort" if timed_out else "wait"


def _all_yes(votes: Mapping[str, str], asked: tuple[str, ...]) -> bool:
    return [*votes.values()].count("yes") == len(asked)


# v: votes, a: asked, up: timed_out
DECISION_MISTAKES = mistakes_of(
    __package__,
    "decide",
    {
        "silence is a yes": [
            lambda v, a, up: decision_solution(v, (*v,) if up else a, False),
            lambda v, a, up: (
                "wait" if len(v) < len(a) and not up else "commit" if {*v.values()} <= {"yes"} else "abort"
            ),
        ],
        "does not wait": lambda v, a, up: decision_solution(v, a, up).replace("wait", "abort"),
        "all of nothing": [
            lambda v, a, up: "commit" if all(vote == "yes" for vote in v.values()) else "abort",
            lambda v, a, up: "abort" if "no" in v.values() else "commit",
        ],
        "looks up a missing vote": [
            lambda v, a, up: "commit" if all(v[name] == "yes" for name in a) else "abort",
            lambda v, a, up: "abort" if up else "commit" if all(v[name] == "yes" for name in a) else "wait",
        ],
        "commits in time": lambda v, a, up: "abort" if up else "commit",
        "waits after a no": [_when(lambda v, a: len(v) == len(a) and "no" not in v.values()), _when(_all_yes)],
        "waits for ever": lambda v, a, up: decision_solution(v, a, False),
        "no veto": _when(lambda v, a: len(v) == len(a)),
        "majority": lambda v, a, up: (
            "commit"
            if 2 * sum(vote != "no" for vote in v.values()) > len(a)
            else decision_solution(v, a, up or len(v) == len(a))
        ),
        "the first vote": lambda v, a, up: decision_solution(v, tuple(v) or a, up),
        "only yes counts": [
            lambda v, a, up: decision_solution({n: vote.replace("read-only", "no") for n, vote in v.items()}, a, up),
            lambda v, a, up: _when(_all_yes)(v, a, up or len(v) == len(a)),
        ],
        "only yes counts, and waits": lambda v, a, up: decision_solution(
            {name: vote for name, vote in v.items() if vote != "read-only"}, a, up
        ),
        "never": lambda v, a, up: decision_solution(v, a, up).replace("commit", "abort"),
    },
)


def _tell_decision(case: Case, right: Any, answer: Answer) -> Told:
    votes, asked, timed_out = case
    given = ", ".join(f"{name}: {vote}" for name, vote in votes) or "none"
    time = "the time is up" if timed_out else "there is time"
    return Told(f"asked {', '.join(asked)}; votes {given}; {time}", " or ".join(map(repr, right)))


def _deciding(rule: Rule, machine: Any) -> Any:
    """The machine with a coordinator that decides by this rule."""

    class Mine(Coordinator):
        def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
            answer = rule(dict(votes), asked, timed_out)
            if answer not in ("commit", "abort", "wait"):
                raise ValueError(f'the answer is {answer!r}; allowed are "commit", "abort" and "wait"')
            return None if answer == "wait" else answer

    return planted(machine, coordinator=Mine)


COMMITS: Properties = (*ALWAYS, committed_somewhere)
DECIDE = Exercise(
    "decide",
    decision_solution,
    decision_cases,
    DECISION_MISTAKES,
    _tell_decision,
    right=_may_answer,
    same=lambda right, given: given in right,
    prepare=lambda case: (dict(case[0]), *case[1:]),
    put=_deciding,
    searches=[
        Search(SMALL.again(n=3, transfers=({"ann": -140, "bob": 70, "cho": 70},)), ALWAYS),
        Search(SMALL.again(n=3, transfers=({**TRANSFER, "cho": 0},), protocol="read_only"), COMMITS),
        Search(SMALL.again(cooperative=False, budget={"drop": 1}), (*ALWAYS, committed_somewhere, given_up)),
        Search(SMALL.again(budget={"crash": 1}), COMMITS),
    ],
    otherwise=Scripted(SMALL.again(budget=None), lambda run: run.ask("A").lose(Prepare, to="P2").advance(30)),
)


# A participant's recovery

KINDS = {Prepared: "prepared", Committed: "committed", Aborted: "aborted"}


def recovery_cases() -> Iterator[Case]:
    """Logs as a participant can have them, short ones first: each transaction is prepared, and then it may be decided;
    or it is aborted without ever being prepared."""
    lives = ((), ("prepared",), ("prepared", "committed"), ("prepared", "aborted"), ("aborted",))
    logs: dict[tuple[tuple[str, str], ...], None] = {}
    for two, one in product(lives, repeat=2):
        for merged in _merges([(kind, "T1") for kind in one], [(kind, "T2") for kind in two]):
            logs[tuple(merged)] = None
    for three in lives:
        for log in list(logs):
            logs[(*log, *((kind, "T3") for kind in three))] = None
    yield from ((log,) for log in sorted(logs, key=len))


def _merges(a: list[Any], b: list[Any]) -> Iterator[list[Any]]:
    if not a or not b:
        yield a + b
        return
    yield from ([a[0], *rest] for rest in _merges(a[1:], b))
    yield from ([b[0], *rest] for rest in _merges(a, b[1:]))


def recovery_solution(log: Sequence[tuple[str, str]]) -> list[str]:
    """The transactions that are prepared and neither committed nor aborted (BHG 7.4)."""
    decided = {txn for kind, txn in log if kind != "prepared"}
    return [txn for kind, txn in log if kind == "prepared" and txn not in decided]


def _last_promise(log: Sequence[tuple[str, str]]) -> list[str]:
    open: list[str] = []
    for kind, txn in log:
        open = [*open, txn] if kind == "prepared" else open[:-1]
    return open


def _taken_out(log: Sequence[tuple[str, str]], collection: Any) -> Any:
    open = collection()
    for kind, txn in log:
        if kind == "prepared":
            open = collection([*open, txn])
        else:
            open.remove(txn)
    return open


RECOVERY_MISTAKES = mistakes_of(
    __package__,
    "to_ask",
    {
        "nothing": lambda log: [],
        "all prepared": lambda log: [txn for kind, txn in log if kind == "prepared"],
        "an abort is no decision": lambda log: [
            txn for kind, txn in log if kind == "prepared" and ("committed", txn) not in log
        ],
        "a commit is no decision": lambda log: [
            txn for kind, txn in log if kind == "prepared" and ("aborted", txn) not in log
        ],
        "only the last record": [
            lambda log: [log[-1][1]] if log and log[-1][0] == "prepared" else [],
            lambda log: [log[-1][1]] if log[-1][0] == "prepared" else [],
        ],
        "the next record": [
            lambda log: [
                txn
                for at, (kind, txn) in enumerate(log)
                if kind == "prepared" and (at + 1 == len(log) or log[at + 1][0] == "prepared")
            ],
            _last_promise,
        ],
        "takes out what is not there": [lambda log: _taken_out(log, set), lambda log: _taken_out(log, list)],
        "all undecided or aborted": lambda log: [
            txn for txn in dict.fromkeys(txn for _, txn in log) if ("committed", txn) not in log
        ],
    },
)


def _in_any_order(right: Any, given: Any) -> bool:
    return not isinstance(given, str) and sorted(given) == sorted(right)


def _tell_recovery(case: Case, right: Any, answer: Answer) -> Told:
    (log,) = case
    lines = ", ".join(f"{kind} {txn}" for kind, txn in log) or "nothing"
    return Told(f"the log has {lines}")


def _asking(rule: Rule, machine: Any) -> Any:
    """The machine with participants that ask by this rule."""

    class Mine(Participant):
        def must_ask(self, records: tuple[Records, ...]) -> bool:
            log = tuple((KINDS[type(record)], record.txn) for record in self.log if type(record) in KINDS)
            return records[0].txn in rule(log)

    return planted(machine, participant=Mine)


def _a_yes_and_a_no(run: Script) -> Script:
    """P3 has promised T1 and refused T2; then it crashes."""
    run.ask("A").until(when(lambda world: len(in_doubt(world)) == 3)).ask("B").until(fired("P.wait")).crash("C")
    return run.until(fired("P.tired")).crash("P3").restart("P3").advance(20)


TO_ASK = Exercise(
    "to_ask",
    recovery_solution,
    recovery_cases,
    RECOVERY_MISTAKES,
    _tell_recovery,
    same=_in_any_order,
    alike=_in_any_order,
    what="logs",
    put=_asking,
    searches=[
        Search(SMALL.again(budget={"crash": 1}), ALWAYS),
        Search(SMALL.again(budget={"crash": 1}, transfers=({"ann": -140, "bob": 140},)), ALWAYS),
    ],
    otherwise=Scripted(TwoPhaseCommit(), _a_yes_and_a_no),
)

EXERCISES: Mapping[str, Exercise] = {exercise.name: exercise for exercise in (DECIDE, TO_ASK)}
