"""The store on a SQLite file: what is true of a real database only. Sources: sqlite.org, and the reports named here."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

from patterns.event_sourcing.log import Log
from patterns.event_sourcing.sqlite_store import SqliteStore, StoreError
from patterns.event_sourcing.store import (
    ANY,
    NO_STREAM,
    STREAM_EXISTS,
    AppendRefused,
    Condition,
    Item,
    NewEvent,
    WrongVersion,
)
from widgets.chapters.event_sourcing import charts


def event(id: object, data: str = "{}", tags: tuple[str, ...] = ()) -> NewEvent:
    return NewEvent(f"e{id}", "happened", data, tags=tags)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., SqliteStore]]:
    """Opens the file, as another OS process would; every store is closed at the end."""
    stores: list[SqliteStore] = []

    def open_it(**options: Any) -> SqliteStore:
        stores.append(SqliteStore(path, **{"synchronous": "OFF", **options}))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


def test_a_store_closed_while_threads_read_and_write_refuses_them_in_words(path: Path) -> None:
    """sqlite3_close: to use a connection after it is closed is undefined; it killed the process."""
    for _ in range(20):
        store, begin, refused = SqliteStore(path, "OFF"), Barrier(4), []

        def work(of: Callable[[], object], begin: Barrier = begin, refused: list[str] = refused) -> None:
            begin.wait()
            try:
                while True:
                    of()
            except StoreError as why:
                refused.append(str(why))

        jobs = (store.page, store.page, lambda store=store: store.append("s", [event(0)]))
        threads = [Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        begin.wait()
        store.close()
        for thread in threads:
            thread.join(60)
        assert len(refused) == 3, "each of the three is told"


# Transactions


def test_two_connections_race_and_exactly_one_wins_each_version(opened: Callable[..., SqliteStore]) -> None:
    stores, start = [opened(wait=60), opened(wait=60)], Barrier(2)
    won: dict[int, list[int]] = {0: [], 1: []}

    def write(who: int) -> None:
        start.wait()
        for version in range(60):
            try:
                stores[who].append("race", [event(f"{who}-{version}")], version - 1)
            except WrongVersion:
                continue
            won[who].append(version)

    threads = [Thread(target=write, args=(who,)) for who in won]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(won[0] + won[1]) == [*range(60)]
    assert [each.version for each in stores[0].read("race")] == [*range(60)]


def test_a_deferred_transaction_that_has_read_fails_at_once_and_an_immediate_one_waits(
    opened: Callable[..., SqliteStore], path: Path
) -> None:
    """sqlite.org/lang_transaction.html, 2.1: why it begins with BEGIN IMMEDIATE (boring-ui#1128, profilarr#519)."""
    store = opened()
    with closing(sqlite3.connect(path, 60, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM events").fetchone()
        store.append("s", [event(0)], NO_STREAM)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO deleted VALUES ('s', 1)")
        other.execute("ROLLBACK")
    statements: list[str] = []
    store._writer.set_trace_callback(statements.append)
    store.append("s", [event(1)], 0)
    assert statements[0] == "BEGIN IMMEDIATE"


def test_a_group_of_waiting_appends_is_one_transaction(opened: Callable[..., SqliteStore]) -> None:
    store, statements = opened(), list[str]()
    store._writer.set_trace_callback(statements.append)
    store._writes.acquire()  # a commit takes its time
    threads = [Thread(target=store.append, args=(f"s-{who}", [event(0)], NO_STREAM)) for who in range(20)]
    for each in threads:
        each.start()
    while len(store._waiting) < len(threads):
        pass
    store._writes.release()
    for each in threads:
        each.join()
    assert statements.count("COMMIT") == 1
    assert len(store.page().events) == 20


def test_a_refused_append_of_a_group_writes_nothing_and_the_others_are_stored(
    opened: Callable[..., SqliteStore],
) -> None:
    store, refused = opened(), list[str]()

    def wrong() -> None:
        try:
            store.append("wrong", [event(1), event(2)], 7)
        except WrongVersion as why:
            refused.append(why.stream)

    store._writes.acquire()
    threads = [Thread(target=store.append, args=(f"s-{who}", [event(0)], NO_STREAM)) for who in range(3)]
    threads.insert(1, Thread(target=wrong))
    for each in threads:
        each.start()
    while len(store._waiting) < len(threads):
        pass
    store._writes.release()
    for each in threads:
        each.join()
    assert refused == ["wrong"]
    assert sorted(each.stream for each in store.page().events) == ["s-0", "s-1", "s-2"]


def test_a_text_that_sqlite_cannot_store_fails_alone(opened: Callable[..., SqliteStore]) -> None:
    store = opened()
    store.append("s", [event(0)], NO_STREAM)
    with pytest.raises(UnicodeEncodeError):
        store.append("s", [event(1), event(2, data="\ud800")], 0)
    assert store.append("s", [event(1)], 0).version == 1
    assert len(store.read("s")) == 2


# Positions


def test_a_position_is_never_given_twice(opened: Callable[..., SqliteStore], path: Path) -> None:
    """sqlite.org/autoinc.html: without AUTOINCREMENT the number of a deleted last row is given again."""
    store = opened()
    last = store.append("s", [event(0), event(1)], NO_STREAM).position
    with closing(sqlite3.connect(path)) as other:
        other.execute("DELETE FROM events WHERE position = ?", (last,))
        other.commit()
    assert store.append("t", [event(2)], NO_STREAM).position == last + 1


def test_a_refused_append_burns_no_position(opened: Callable[..., SqliteStore]) -> None:
    """INSERT OR IGNORE would: two rows, one of them ignored, get positions 1 and 3."""
    store = opened()
    store.append("s", [event(0)], NO_STREAM)
    for _ in range(3):
        with pytest.raises(WrongVersion):
            store.append("s", [event(1)], 7)
        store.append("s", [event(0)], NO_STREAM)
    assert store.append("s", [event(1)], 0).position == 2


def test_the_tables_are_strict_and_hold_what_they_say(opened: Callable[..., SqliteStore], path: Path) -> None:
    opened()
    with closing(sqlite3.connect(path)) as other:
        assert {
            name: strict for _, name, _, _, _, strict in other.execute("PRAGMA table_list") if name in TABLES
        } == TABLES
        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
            other.execute("INSERT INTO events VALUES (1, 's', 'first', 'e', 't', '{}', '{}', '')")


TABLES = {"events": 1, "tags": 1, "deleted": 1}

# The write-ahead log


def test_the_default_is_full_synchronous_in_wal_mode(path: Path) -> None:
    store = SqliteStore(path)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


@pytest.mark.parametrize("level", ["full", "EXTRA", "", 2])
def test_another_level_of_synchronous_is_refused(path: Path, level: Any) -> None:
    with pytest.raises(ValueError, match="synchronous is"):
        SqliteStore(path, synchronous=level)


def test_the_log_does_not_grow_while_a_reader_stands_in_the_middle(
    opened: Callable[..., SqliteStore], path: Path
) -> None:
    """stellar-core#2040, gotosocial#2808, loreai#1221: a half-read cursor keeps the log from being reset."""

    def grown(store: SqliteStore, stream: str) -> int:
        for version in range(400):
            store.append(stream, [event(version, data=f'"{"x" * 4000}"')], version - 1)
        return path.with_name(path.name + "-wal").stat().st_size

    store = opened()
    store.append("filled", [event(n) for n in range(500)], NO_STREAM)
    page = store.page(limit=3)
    assert len(page.events) == 3  # the reader goes on later
    alone = grown(store, "a")
    half_read = store._reader.execute("SELECT * FROM events")
    half_read.fetchone()
    held = grown(store, "b")
    half_read.close()
    assert held > 1.3 * alone, (alone, held)


# What goes wrong with a file


def test_a_full_disk_is_an_error_in_words_and_leaves_nothing_half_written(opened: Callable[..., SqliteStore]) -> None:
    store = opened()
    store.append("s", [event(0)], NO_STREAM)
    store._writer.execute("PRAGMA max_page_count = 12")
    with pytest.raises(StoreError, match="database or disk is full; nothing of this was written"):
        store.append("s", [event(n, data=f'"{"x" * 4000}"') for n in range(1, 20)], 0)
    store._writer.execute("PRAGMA max_page_count = 10000")
    assert [each.version for each in store.read("s")] == [0]
    assert store.append("s", [event(1)], 0).version == 1


def test_a_locked_file_is_an_error_in_words(opened: Callable[..., SqliteStore], path: Path) -> None:
    store = opened(wait=0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked"):
            store.append("s", [event(0)], NO_STREAM)
        assert store.read("s") == (), "readers do not wait for a writer"
    assert store.append("s", [event(0)], NO_STREAM).version == 0


def test_a_read_only_file_is_an_error_in_words(opened: Callable[..., SqliteStore]) -> None:
    store = opened()
    store._writer.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError, match="readonly database"):
        store.append("s", [event(0)], NO_STREAM)
    assert store.read("s") == ()


def test_a_file_that_is_no_database_is_an_error_in_words(path: Path) -> None:
    path.write_bytes(b"a shopping list" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        SqliteStore(path)
    assert path.read_bytes().startswith(b"a shopping list")


def test_any_tool_reads_the_table(opened: Callable[..., SqliteStore], path: Path) -> None:
    opened().append("shelf-1", [NewEvent("a1", "received", '{"bags": 12}')], NO_STREAM)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as other:
        rows = other.execute("SELECT position, stream, version, type, data ->> 'bags' FROM events").fetchall()
    assert rows == [(1, "shelf-1", 0, "received", 12)]


# Kill and power cut


def test_two_os_processes_race_on_a_file_and_each_version_has_one_winner(path: Path) -> None:
    with charts.writer(str(path), "A", 30, "OFF") as a, charts.writer(str(path), "B", 30, "OFF") as b:
        won = [[int(line) for line in process.stdout] for process in (a, b)]
    assert sorted(won[0] + won[1]) == [*range(30)]


def test_a_killed_writer_has_lost_none_of_the_events_that_it_was_told_of() -> None:
    for level, (told, lost, _) in charts.kill(10).items():
        assert told >= 10, level
        assert lost == 0, level


def test_a_power_cut_loses_nothing_with_full_some_events_with_normal_and_all_with_off() -> None:
    """sqlite.org/pragma.html#pragma_synchronous: NORMAL may roll back after a power loss, OFF may damage the file."""
    found = charts.cut_power(12)
    assert found["FULL"] == (12, 0, 0)
    (_, lost, damaged) = found["NORMAL"]
    assert lost > 0
    assert damaged == 0
    assert found["OFF"][1] == 12


# The contract under any sequence: the file does what the value does


class Twins(RuleBasedStateMachine):
    """A store on a file beside the log as a value: the same answers and the same refusals."""

    appended = Bundle("appended")

    def __init__(self) -> None:
        super().__init__()
        self.store, self.log, self.fresh = SqliteStore(":memory:", synchronous="OFF"), Log(), 0
        self.store._reader = self.store._writer  # a database in memory has one connection

    def teardown(self) -> None:
        self.store.close()

    def both(self, *given: Any) -> None:
        try:
            self.log, right = self.log.append(*given)
        except AppendRefused as refusal:
            with pytest.raises(type(refusal)) as refused:
                self.store.append(*given)
            said = str(refusal)
            assert said == str(refused.value)
        else:
            assert self.store.append(*given)[0::2] == right[0::2]  # version and again; positions agree below

    @rule(target=appended, stream=st.sampled_from("ab"), n=st.integers(1, 3), tag=st.sampled_from(("x:1", "x:2")))
    def append_new(self, stream: str, n: int, tag: str) -> Any:
        self.fresh += 1
        batch = [event(f"{self.fresh}-{nth}", tags=(tag,)) for nth in range(n)]
        given = (stream, batch, self.log.tail(stream))
        self.both(*given)
        return given

    @rule(given=appended)
    def retry(self, given: Any) -> None:
        self.both(*given)

    @rule(given=appended, expected=st.sampled_from((ANY, STREAM_EXISTS, NO_STREAM, 0, 1, 3)))
    def retry_otherwise(self, given: Any, expected: Any) -> None:
        self.both(*given[:2], expected)

    @rule(given=consumes(appended), after=st.integers(0, 6), tag=st.sampled_from(("x:1", "x:2")))
    def append_under_a_condition(self, given: Any, after: int, tag: str) -> None:
        self.fresh += 1
        self.both(given[0], [event(f"c{self.fresh}")], ANY, Condition((Item(tags=(tag,)),), after))

    @rule(stream=st.sampled_from("ab"), for_ever=st.booleans(), expected=st.sampled_from((ANY, 0, 2)))
    def delete(self, stream: str, for_ever: bool, expected: Any) -> None:
        for_ever = for_ever and self.fresh > 8
        try:
            self.log = self.log.delete(stream, expected, for_ever)
        except AppendRefused as refusal:
            with pytest.raises(type(refusal)):
                self.store.delete(stream, expected, for_ever)
        else:
            self.store.delete(stream, expected, for_ever)

    @rule(
        stream=st.sampled_from("ab"), start=st.none() | st.integers(0, 5), back=st.booleans(), limit=st.integers(0, 4)
    )
    def read(self, stream: str, start: int | None, back: bool, limit: int) -> None:
        assert self.store.read(stream, start, limit, back) == self.log.read(stream, start, limit, back)

    @rule(after=st.integers(0, 9), limit=st.integers(0, 5), tag=st.sampled_from(("x:1", "x:2", "")))
    def page(self, after: int, limit: int, tag: str) -> None:
        query = (Item(tags=(tag,)),) if tag else ()
        assert self.store.page(after, limit, query=query) == self.log.page(after, limit, query=query)


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=25, stateful_step_count=25)


@given(st.text(min_size=1), st.text(), st.lists(st.sampled_from(("x:1", "陈:ü", "y:2")), unique=True))
@settings(max_examples=15)
def test_any_text_comes_back_as_it_was(stream: str, data: str, tags: list[str]) -> None:
    store = SqliteStore(":memory:", synchronous="OFF")
    store._reader = store._writer
    try:
        store.append(stream, [NewEvent("e", "t", data, tags=tuple(tags))], NO_STREAM)
    except UnicodeEncodeError:  # a half of a surrogate pair is no text in UTF-8
        store.close()
        return
    [back] = store.read(stream)
    store.close()
    assert (back.stream, back.data, back.tags) == (stream, data, tuple(tags))
