"""kill -9 at a chosen point: a process dies by itself where a rule was noted, before the write, after it, or after
what it asked for was sent. Nothing is left to chance, so every test says exactly what is on disk and who heard of it.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest

from patterns.engine.history import History, ReplayError
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer, setting
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import Crash, Deliver, Drop, Request, Restart
from patterns.runtime import Cluster, DieAt, Host
from patterns.runtime.__main__ import point
from patterns.runtime.envelopes import Began, Killed
from patterns.runtime.failpoint import STAGES, Failpoint

T = TypeVar("T")


class Pay(Message, frozen=True):
    serial: int
    amount: int


class Paid(Message, frozen=True):
    serial: int


class Booked(Message, frozen=True):
    amount: int


class Account(msgspec.Struct, frozen=True):
    owner: str
    balance: int


class Till(Process):
    """Takes payments, and tells the book of each."""

    rules: ClassVar[Mapping[str, Rule]] = {
        "T.open": Rule("{who} opens", "here"),
        "T.pay": Rule("{who} takes {amount}", "here"),
        "T.back": Rule("{who} is back", "here"),
    }

    book: str
    accounts: tuple[Account, ...] = durable(())

    def on_start(self) -> None:
        self.note("T.open")

    def on_restart(self) -> None:
        self.note("T.back")

    @on_request(Pay)
    def pay(self, client: str, message: Pay) -> None:
        self.note("T.pay", amount=message.amount)
        self.accounts = (*self.accounts, Account(client, message.amount))
        self.send(self.book, Booked(message.amount))
        self.reply(client, Paid(message.serial))


class Book(Process):
    """Another class, with other messages: what a till tells it, no till can hear."""

    total: int = durable(0)
    slow: int = setting(0)
    waited: bool = False

    def on_start(self) -> None:
        self.set_timer("wait", self.slow)

    @on_timer("wait")
    def wait(self) -> None:
        self.waited = True

    @on(Booked)
    def booked(self, sender: str, message: Booked) -> None:
        self.note("B.book", amount=message.amount)
        self.total += message.amount


class Shop(Simulation):
    name = "shop"
    rules: ClassVar[Mapping[str, Rule]] = {**Till.rules, "B.book": Rule("{who} books {amount}", "here")}

    def processes(self) -> list[Process]:
        return [Till(id="T", book="B"), Book(id="B")]


def run(work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work

    return asyncio.run(bounded())


def shop(**options: Any) -> Cluster:
    return Cluster(Shop().processes(), replies=Paid, disk="sqlite", **options)


def balances(cluster: Cluster) -> list[int]:
    """What is in the till's file."""
    return [balance for (balance,) in cluster.database("T").execute("SELECT balance FROM accounts ORDER BY nth")]


def booked(total: int) -> Any:
    return lambda states: "B" in states and states["B"].total == total


async def died(stage: str) -> tuple[Cluster, list[int], int]:
    """The till died at the second payment: what its file had, and what the book had heard of."""
    async with shop(die_at={"T": DieAt("T.pay", stage, nth=2)}) as cluster:  # type: ignore[arg-type]
        assert await cluster.request("A", Pay(1, 10), to="T") == Paid(1)
        asking = cluster.asking("A", Pay(2, 5), to="T")
        await cluster.died("T")
        assert cluster.running == ("B",)
        if stage == "sent":
            assert await asking == Paid(2)
        await cluster.until(booked(15 if stage == "sent" else 10))
        assert asking.done() == (stage == "sent"), "no reply left before that"
        asking.cancel()
        kept = balances(cluster)
        await cluster.restart("T")
        await cluster.until(lambda states: states.get("T"))
        assert [account.balance for account in cluster.states["T"].accounts] == kept
        assert await cluster.request("C", Pay(1, 100), to="T") == Paid(1)
        final = await cluster.until(lambda states: "B" in states and states["B"].total >= 100 and states["B"].total)
    return cluster, kept, final - 100


@pytest.mark.parametrize(
    ("stage", "kept", "heard"),
    [
        ("noted", [10], 10),  # it happened to nobody
        ("written", [10, 5], 10),  # the disk alone knows
        ("sent", [10, 5], 15),  # so does the book
    ],
)
def test_a_process_dies_before_the_write_or_between_write_and_messages_or_after_them(
    stage: str, kept: list[int], heard: int
) -> None:
    cluster, on_disk, told = run(died(stage))
    assert (on_disk, told) == (kept, heard)
    assert [record.process for record in cluster.records if isinstance(record.event, Killed)] == ["T"]


def test_who_dies_after_sending_has_answered() -> None:
    async def scenario() -> None:
        async with shop(die_at={"T": DieAt("T.pay", "sent")}) as cluster:
            assert await cluster.request("A", Pay(1, 10), to="T") == Paid(1)
            await cluster.died("T")
            await cluster.until(booked(10))

    run(scenario())


def test_a_recording_shows_what_the_disk_knew_when_the_process_died() -> None:
    cluster, _, _ = run(died("written"))
    history = cluster.recording(Shop()).history()
    crash = next(step for step in history.branch if isinstance(step.event, Crash))
    last = [step for step in crash.path if isinstance(step.event, Request)][-1]
    assert [(note.rule, note.values["amount"]) for note in last.notes] == [("T.pay", 5)]
    assert Booked(5) not in [packet.body for packet in last.state.packets], "nothing was sent"
    assert [account.balance for account in crash.state["T"].accounts] == [10, 5]
    assert crash.state.down == {"T"}
    assert sum(isinstance(step.event, Restart) for step in history.branch) == 1


def test_a_recording_tells_of_a_process_that_dies_before_the_write_what_its_disk_says() -> None:
    cluster, _, _ = run(died("noted"))
    history = cluster.recording(Shop()).history()
    crash = next(step for step in history.branch if isinstance(step.event, Crash))
    assert [account.balance for account in crash.state["T"].accounts] == [10]
    back = next(step for step in history.branch if isinstance(step.event, Restart))
    assert [account.balance for account in back.state["T"].accounts] == [10]


def test_a_process_can_die_again_when_it_comes_back() -> None:
    async def scenario() -> None:
        async with shop(die_at={"T": DieAt("T.open", "noted")}) as cluster:
            await cluster.died("T")
            with pytest.raises(FileNotFoundError, match=r"there is no T\.sqlite yet"):
                cluster.database("T")
            await cluster.restart("T", die_at=DieAt("T.open", "written"))  # it never started, so it starts
            await cluster.died("T")
            assert balances(cluster) == []
            await cluster.restart("T", die_at=DieAt("T.back", "sent"))
            await cluster.died("T")
            await cluster.restart("T")
            assert await cluster.request("A", Pay(1, 10), to="T") == Paid(1)
            assert balances(cluster) == [10]

    run(scenario())


def test_messages_for_who_is_down_hold_up_no_death() -> None:
    async def scenario() -> None:
        async with shop(die_at={"T": DieAt("T.pay", "sent")}) as cluster:
            await cluster.kill("B")
            assert await cluster.request("A", Pay(1, 10), to="T") == Paid(1)
            await cluster.died("T")
            assert cluster.running == ()

    run(scenario())


def test_who_never_comes_to_the_point_lives_and_that_is_said() -> None:
    async def scenario() -> None:
        async with shop(die_at={"T": DieAt("T.pay", "sent", nth=9)}) as cluster:
            with pytest.raises(TimeoutError, match=r"T was to die and is alive after 0\.05 s"):
                await cluster.died("T", deadline=0.05)
            await cluster.kill("T")
            await cluster.died("T")  # a dead process stays dead

    run(scenario())


def test_a_process_that_fails_by_itself_is_noticed_and_nothing_of_its_last_step_is_kept_or_told(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def scenario() -> Cluster:
        async with Cluster([Till(id="T", book="nobody")], replies=Paid, disk="sqlite") as cluster:
            asking = cluster.asking("A", Pay(1, 10), to="T")
            await cluster.died("T")
            assert not asking.done()
            assert cluster.running == ()
            assert balances(cluster) == []
        return cluster

    cluster = run(scenario())
    assert [type(record.event) for record in cluster.records] == [Began, Killed]
    assert "sends to 'nobody'" in capfd.readouterr().err


def test_an_os_process_of_its_own_can_be_told_where_to_die(tmp_path: Path) -> None:
    module = f"{Path(__file__).stem}:Till"
    command = [sys.executable, "-m", "patterns.runtime", module, "--id", "T", "--fields", '{"book": "T"}']
    place = {"PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parents[2]}"}
    options = ["--disk", str(tmp_path / "T.sqlite"), "--die-at", "T.open", "written"]
    ran = subprocess.run([*command, *options], env=place, capture_output=True, text=True, timeout=30)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    refused = subprocess.run([*command, "--die-at", "T.shut", "written"], env=place, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "rule is 'T.shut'; the rules of Till are T.open, T.pay, T.back" in refused.stderr


# What is refused


def test_a_point_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="stage is 'later'; allowed are noted, written, sent"):
        DieAt("T.pay", "later")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nth is 0; it must be at least 1"):
        DieAt("T.pay", "sent", 0)
    with pytest.raises(ValueError, match=r"rule is 'T\.shut'; the rules of Till are T\.open, T\.pay, T\.back"):
        shop(die_at={"T": DieAt("T.shut", "sent")})
    with pytest.raises(ValueError, match="die_at names 'X'; the processes are T, B"):
        shop(die_at={"X": DieAt("T.pay", "sent")})
    with pytest.raises(ValueError, match=r"rule is 'T\.shut'"):
        Host(Till(id="T", book="B"), {}, die_at=DieAt("T.shut", "sent"))
    shop(die_at={"B": DieAt("any", "sent")})  # a book has no table of rules: it cannot be known


@pytest.mark.parametrize("words", [["T.pay"], ["T.pay", "sent", "often"], ["T.pay", "sent", "1", "2"]])
def test_a_point_is_a_rule_a_stage_and_a_number(words: list[str]) -> None:
    with pytest.raises(ValueError, match="allowed is: rule stage"):
        point(words)
    assert point(["T.pay", "sent"]) == DieAt("T.pay", "sent", 1)
    assert point(["T.pay", "noted", "3"]) == DieAt("T.pay", "noted", 3)


@pytest.mark.parametrize("stage", STAGES)
def test_the_nth_time_is_counted_over_all_that_was_noted(stage: Any) -> None:
    _, paid = Till(id="T", book="B").after_request("A", Pay(1, 10))
    _, back = Till(id="T", book="B").after_restart()
    third = Failpoint(DieAt("T.pay", stage, 3))
    assert [third.stage_of(notes) for notes in (paid.notes, back.notes, paid.notes, paid.notes)] == [
        None,
        None,
        None,
        stage,
    ]
    assert Failpoint(DieAt("T.pay", stage, 2)).stage_of([*paid.notes, *paid.notes, *paid.notes]) == stage


def test_a_database_is_opened_only_where_there_is_one() -> None:
    with pytest.raises(ValueError, match="disk is 'paper'; allowed are file, sqlite"):
        Cluster([Book(id="B")], disk="paper")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'B' has no database"):
        Cluster([Book(id="B")]).database("B")
    with pytest.raises(ValueError, match="'C' has no database; with disk='sqlite' T, B have one"):
        shop().database("C")


def test_a_process_with_something_in_its_memory_already_is_refused() -> None:
    with pytest.raises(ValueError, match=r"B\.waited is True, in memory only: it would start as False"):
        Cluster([Book(id="B", waited=True)])
    assert Cluster([Book(id="B", slow=7, total=3)]).processes["B"].slow == 7


def test_a_request_to_one_alone_is_answered_by_it_or_by_nobody() -> None:
    async def scenario() -> None:
        async with shop() as cluster:
            with pytest.raises(ValueError, match="to is 'X'; the processes are T, B"):
                await cluster.request("A", Pay(1, 1), to="X")
            await cluster.kill("T")
            with pytest.raises(TimeoutError):
                await cluster.request("A", Pay(1, 1), to="T", deadline=0.2)
            await cluster.restart("T")
            assert await cluster.request("A", Pay(1, 1), to="T") == Paid(1)

    run(scenario())


# A recording is what was


def test_a_recording_begins_with_everybody_up_and_offers_no_replay_code() -> None:
    async def scenario() -> Cluster:
        async with shop() as cluster:
            await cluster.request("A", Pay(1, 10), to="T")
            await cluster.until(booked(10))
            await cluster.until(lambda states: states["B"].waited)
        return cluster

    recording = run(scenario()).recording(Shop())
    start = recording.start()
    assert start.down == frozenset()
    assert start.timer("B", "wait") is not None, "set when it started"
    history = recording.history()
    events = [type(step.event) for step in history.branch]
    assert Restart not in events
    assert Drop not in events
    assert events.count(Deliver) == 1
    assert history.code == ""
    assert history.code_of(history.branch[-1]) == ""
    code = History(Shop()).code
    with pytest.raises(ReplayError, match="has really happened; play a replay code in a simulation"):
        History.replay(recording, code)
