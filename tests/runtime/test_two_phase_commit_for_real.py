"""The very coordinator and participants of the simulator, each an OS process with a SQLite database of its own, killed
with -9 at a chosen point. What counts is read from the files.

Every point of every protocol, a few minutes: pytest -m slow tests/runtime/test_two_phase_commit_for_real.py
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import pytest

from patterns.engine.counterexample import Watch
from patterns.engine.history import History
from patterns.engine.world import Crash
from patterns.runtime import Cluster, DieAt
from patterns.runtime.failpoint import STAGES
from patterns.two_phase_commit import PROTOCOLS, Done, Move, NameTaken, Reply, Transfer, TwoPhaseCommit
from widgets.chapters.two_phase_commit.view import VIEW as view

T = TypeVar("T")
START = 100
REAL = {"vote_timeout": 20_000, "ack_timeout": 1000, "doubt_timeout": 2000, "lock_timeout": 30_000}
"""Timeouts in ms, for a busy machine: nobody is to be taken for dead who is only slow."""
SOON = {"vote_timeout": 1500}
"""Where a vote is waited for that never comes."""
DECIDED = "('Committed', 'Aborted')"
Outcome = Literal["commit", "abort"]


def run(work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work

    return asyncio.run(bounded())


class Case(NamedTuple):
    """Who dies where, in a transfer that all agree to or that one must refuse."""

    who: str
    rule: str
    stage: str
    nth: int = 1
    refused: bool = False
    again: tuple[str, str] = ("", "")
    """Where it dies once more when it is back: rule and stage."""

    def __str__(self) -> str:
        then = ", then " + " ".join(self.again) if self.again[0] else ""
        return f"{self.who} at {self.rule} {self.nth}, {self.stage}{' (refused)' * self.refused}{then}"


class Banks:
    """A cluster of a coordinator and `n` banks while it runs, and what its files say."""

    def __init__(self, n: int, protocol: str = "basic", soon: bool = False, **die_at: DieAt) -> None:
        timeouts = {**REAL, **(SOON if soon else {})}
        self.simulation = TwoPhaseCommit(n=n, protocol=protocol, balance=START, **timeouts)
        self.names = tuple(f"P{number}" for number in range(1, n + 1))
        self.accounts = dict(zip(self.names, self.simulation.params.customers, strict=False))
        self.cluster = Cluster(self.simulation, replies=Reply, disk="sqlite", die_at=die_at)

    def transfer(self, txn: str, *amounts: int) -> Transfer:
        moves = zip(self.names, amounts, strict=False)
        return Transfer(txn, tuple(Move(bank, self.accounts[bank], amount) for bank, amount in moves))

    def select(self, name: str, query: str) -> list[Any]:
        return self.cluster.database(name).execute(query).fetchall()

    @property
    def balances(self) -> list[int]:
        """In the files."""
        return [self.select(bank, "SELECT balance FROM accounts")[0][0] for bank in self.names]

    def in_doubt(self, name: str) -> list[str]:
        """Transactions that are prepared in a file, and not decided."""
        query = f"SELECT txn FROM log GROUP BY txn HAVING max(type = 'Prepared') AND NOT max(type IN {DECIDED})"
        return [txn for (txn,) in self.select(name, query)]

    def decisions(self, txn: str) -> set[str]:
        """What the files of all say became of a transaction, under all its names."""
        query = f"SELECT type FROM log WHERE (txn = '{txn}' OR txn LIKE '{txn}.%') AND type IN {DECIDED}"
        return {f"{name}: {type}" for name in ("C", *self.names) for (type,) in self.select(name, query)}

    async def settled(self) -> None:
        """Nothing is undecided anywhere, and no row is locked."""
        await self.cluster.until(lambda now: is_settled(now, ("C", *self.names)))

    async def restart_dead(self) -> None:
        for name in ("C", *self.names):
            if name not in self.cluster.running:
                await self.cluster.restart(name)


def who_noted(cluster: Cluster, rule: str) -> set[str]:
    return {record.process for record in cluster.records if rule in dict(record.notes)}


def is_settled(now: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return set(now) == set(names) and not now["C"].open and not any(now[name].branches for name in names[1:])


def moved(start: list[int], amounts: tuple[int, ...], outcome: Outcome) -> list[int]:
    return [have + amount * (outcome == "commit") for have, amount in zip(start, amounts, strict=True)]


async def die_and_recover(case: Case, n: int, protocol: str = "basic") -> History[Any, Any]:
    """The process dies there and comes back; then the promises hold. The run, as a history."""
    out = START + 10 if case.refused else 40  # of the last one, which has START
    amounts = (out, -out) if n == 2 else (-10, out + 10, -out)
    no_vote = case.rule in ("P.yes", "P.no") and case.stage != "sent"
    banks = Banks(n, protocol, no_vote, **{case.who: DieAt(case.rule, case.stage, case.nth)})  # type: ignore[arg-type]
    async with banks.cluster as cluster:
        transfer = banks.transfer("T1", *amounts)
        asking = cluster.asking("A", transfer, to="C", deadline=90)
        await cluster.died(case.who)
        if case.again[0]:
            await cluster.restart(case.who, die_at=DieAt(*case.again))  # type: ignore[arg-type]
            await cluster.died(case.who)
        await banks.restart_dead()
        reply = await asking
        await banks.settled()
        assert_all_decided_the_same(banks, amounts, reply.outcome, protocol)
        # A decision that was made is kept: asked again, it is answered again, and done once. What is presumed to be
        # aborted leaves no record, and asked for again it may be begun again.
        if reply.outcome == "commit" or protocol == "basic":
            assert await cluster.request("A", transfer, to="C") == reply
            await banks.settled()
        # No row is locked: a next transaction has them all.
        await committed_soon(banks, [0] * n)
        await banks.settled()
        assert banks.balances == moved([START] * n, amounts, reply.outcome), "T2 took what was lazy to the disk"
        assert not any("T1" in txn for name in banks.names for txn in banks.in_doubt(name))
        assert all(now.locks == () for name, now in cluster.states.items() if name != "C")
        if case.refused:
            assert reply.outcome == "abort"
        assert cluster.missed == 0
    return assert_the_run_keeps_what_is_promised(banks.cluster)


async def committed_soon(banks: Banks, amounts: list[int]) -> None:
    """A transaction of all banks is committed, if not at once: a participant that is in doubt for long may have it
    aborted."""
    for number in range(2, 7):
        reply = await banks.cluster.request("B", banks.transfer(f"T{number}", *amounts), to="C", deadline=60)
        if reply.outcome == "commit":
            return
    raise AssertionError("five transactions were aborted, one after the other")


def assert_all_decided_the_same(banks: Banks, amounts: tuple[int, ...], outcome: Outcome, protocol: str) -> None:
    """By the files alone. What a presumption leaves to be written lazily is not there yet."""
    if protocol == "basic":
        assert banks.balances == moved([START] * len(amounts), amounts, outcome)
        assert sum(banks.balances) == START * len(amounts)
        assert [banks.in_doubt(name) for name in banks.names] == [[] for _ in banks.names]
    committed = {decision.partition(":")[0] for decision in banks.decisions("T1") if decision.endswith("Committed")}
    if outcome == "abort":
        assert not committed
    elif protocol == "basic":
        assert committed == {"C", *banks.names}


def assert_the_run_keeps_what_is_promised(cluster: Cluster) -> History[Any, Any]:
    """Bernstein, Hadzilacos, Goodman 1987, 7.3: AC1-AC5, on every state of the run as it was."""
    history = cluster.recording().history()
    watch = Watch(history.machine, history.machine.always)
    memories = watch.begin(history.state)
    for step in history.branch[1:]:
        assert step.parent is not None
        memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
        assert watch.broken(memories, step.state) is None
    return history


USUAL = [
    Case("C", "C.ask", "sent"),
    *(Case("C", "C.commit", stage) for stage in STAGES),
    Case("C", "C.ack", "written"),
    *(Case("P1", "P.yes", stage) for stage in STAGES),
    Case("P2", "P.commit", "written"),
    Case("C", "C.abort", "written", refused=True),
]
"""Those that a run of all tests has time for: two banks, two-phase commit."""


@pytest.mark.parametrize("case", USUAL, ids=str)
def test_killed_with_9_at_a_chosen_point_all_decide_the_same_and_money_is_conserved(case: Case) -> None:
    # BHG 7.4: after a crash at any step and its repair, all reach the same decision (AC1, AC5)
    history = run(die_and_recover(case, n=2))
    crashes = [step.event.process for step in history.branch if isinstance(step.event, Crash)]
    assert crashes == [case.who]
    for step in history.branch:  # and it can be looked at
        assert view.scene_of(step).panels
        assert not any("{" in history.machine.say(note) for note in step.notes)


EVERY = [
    *(Case("C", "C.ask", stage) for stage in STAGES),
    *(Case("C", "C.vote", stage, nth) for stage in STAGES for nth in (1, 2, 3)),
    *(Case("C", "C.commit", stage) for stage in STAGES),
    *(Case("C", "C.ack", stage, nth) for stage in STAGES for nth in (1, 2, 3)),
    *(Case(name, "P.yes", stage) for stage in STAGES for name in ("P1", "P3")),
    *(Case(name, "P.commit", stage) for stage in STAGES for name in ("P1", "P3")),
    *(Case("C", "C.abort", stage, refused=True) for stage in STAGES),
    *(Case("P3", "P.no", stage, refused=True) for stage in STAGES),
    *(Case("P1", "P.yes", stage, refused=True) for stage in STAGES),
    *(Case("P1", "P.abort", stage, refused=True) for stage in STAGES),
    *(Case("P1", "P.yes", "sent", again=("P.back", stage)) for stage in STAGES),
    *(Case("P1", "P.yes", "written", again=("P.ask", stage)) for stage in STAGES),
]
"""With three banks, in each protocol."""
ONLY_IN = {
    "C.ack": {"basic", "presumed_abort"},  # presumed commit: nobody acknowledges a commit
    "P.abort": {"basic", "presumed_abort", "presumed_commit"},
}


def cases_of(protocol: str) -> list[Case]:
    return [case for case in EVERY if protocol in ONLY_IN.get(case.rule, PROTOCOLS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "case"),
    [
        pytest.param(protocol, case, id=f"{protocol}: {case}")
        for protocol in ("basic", "presumed_abort", "presumed_commit")
        for case in cases_of(protocol)
    ],
)
def test_killed_with_9_at_every_point_of_every_protocol_all_decide_the_same(protocol: str, case: Case) -> None:
    # pytest -m slow tests/runtime/test_two_phase_commit_for_real.py
    run(die_and_recover(case, 3, protocol))


@pytest.mark.parametrize("stage", ["noted", *(pytest.param(s, marks=pytest.mark.slow) for s in ("written", "sent"))])
def test_a_coordinator_that_dies_again_while_it_recovers_recovers(stage: str) -> None:
    # BHG 7.4: recovery is from the log alone, so it can be begun again
    history = run(die_and_recover(Case("C", "C.commit", "written", again=("C.back", stage)), n=2))
    assert sum(isinstance(step.event, Crash) for step in history.branch) == 2


def test_while_the_coordinator_is_dead_the_rows_stay_locked_and_nobody_knows() -> None:
    # BHG 7.4: blocking - all that are up are in doubt
    async def scenario() -> None:
        banks = Banks(2, C=DieAt("C.commit", "written"))
        async with banks.cluster as cluster:
            asking = cluster.asking("A", banks.transfer("T1", -40, 40), to="C")
            await cluster.died("C")
            await cluster.until(lambda now: all(now[bank].locks for bank in banks.names))
            # both have asked and learned nothing
            await cluster.until(lambda now: {"P1", "P2"} <= who_noted(cluster, "P.blocked"))
            assert banks.in_doubt("P1") == banks.in_doubt("P2") == ["T1"], "both files say: prepared, and no more"
            assert banks.decisions("T1") == {"C: Committed"}, "the dead one's file knows"
            assert banks.balances == [START, START]
            assert not asking.done()
            await cluster.restart("C")
            done = await asking
            assert done == Done("T1", banks.transfer("T1", -40, 40).moves, "commit")
            await banks.settled()
            other = banks.transfer("T1", 90, -90)
            assert await cluster.request("B", other, to="C") == NameTaken("T1", other.moves)
            assert banks.balances == [START - 40, START + 40]

    run(scenario())


def test_the_vote_is_in_the_database_before_it_is_sent() -> None:
    # Mohan, Lindsay, Obermarck 1986, section 2: the prepare record is forced before the vote
    async def scenario() -> None:
        banks = Banks(2, soon=True, P1=DieAt("P.yes", "written"), P2=DieAt("P.yes", "noted"))
        async with banks.cluster as cluster:
            asking = cluster.asking("A", banks.transfer("T1", -40, 40), to="C")
            await cluster.died("P1")
            await cluster.died("P2")
            assert banks.in_doubt("P1") == ["T1"]
            [(redo,)] = banks.select("P1", "SELECT redo ->> '$[0].balance' FROM log WHERE type = 'Prepared'")
            assert redo == START - 40
            assert banks.select("P2", "SELECT * FROM log") == []
            assert not who_noted(cluster, "C.vote"), "no vote left"
            await banks.restart_dead()
            done = await asking
            assert done.outcome == "abort", "no votes in time"
            await banks.settled()
            assert banks.balances == [START, START]

    run(scenario())


def test_who_looks_on_cannot_write_and_sees_money_conserved_in_each_file_at_any_time() -> None:
    async def scenario() -> None:
        banks = Banks(2)
        async with banks.cluster as cluster:
            for number in range(1, 6):
                assert (await cluster.request("A", banks.transfer(f"T{number}", -10, 10), to="C")).outcome == "commit"
                await banks.settled()
                assert banks.balances == [START - 10 * number, START + 10 * number]
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                banks.select("P1", "UPDATE accounts SET balance = 1000000")

    run(scenario())


@pytest.mark.slow
def test_many_clients_at_once_and_every_process_killed_in_turn_lose_no_money() -> None:
    async def scenario() -> None:
        banks = Banks(3, soon=True)
        async with banks.cluster as cluster:

            async def client(name: str, *amounts: int) -> int:
                """One transfer after the other until all were killed; how many of them were committed."""
                asked = done = 0
                while not killing.done():
                    asked += 1
                    transfer = banks.transfer(f"{name}{asked}", *amounts)
                    reply = await cluster.request(name, transfer, to="C", deadline=60)
                    done += reply.outcome == "commit"
                return done

            async def kill_all() -> None:
                for name in ("P1", "C", "P2", "C", "P3"):
                    seen = len(cluster.records)
                    await cluster.until(lambda now, seen=seen: len(cluster.records) > seen + 10)  # type: ignore[misc]
                    await cluster.kill(name)
                    await cluster.restart(name)

            transfers = {"A": (-10, 10, 0), "B": (0, -10, 10), "D": (10, 0, -10)}
            killing = asyncio.create_task(kill_all())
            committed = await asyncio.gather(*(client(name, *amounts) for name, amounts in transfers.items()))
            await killing
            # With nobody killed any more, and nobody in its way, a transfer goes through.
            outcome, asked = "", 0
            while outcome != "commit":
                asked += 1
                last = banks.transfer(f"A{1000 + asked}", *transfers["A"])
                outcome = (await cluster.request("A", last, to="C", deadline=60)).outcome
            committed[0] += 1
            await banks.settled()
            expected = [START] * 3
            for times, amounts in zip(committed, transfers.values(), strict=True):
                expected = [have + times * amount for have, amount in zip(expected, amounts, strict=True)]
            assert banks.balances == expected
            assert [banks.in_doubt(name) for name in banks.names] == [[], [], []]
        assert_the_run_keeps_what_is_promised(cluster)

    run(scenario(), seconds=240)
