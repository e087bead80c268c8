"""Charts of event sourcing, and their measurements on this machine: loads, losses, events per second."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory, mkdtemp
from threading import Thread
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import apsw

from patterns.engine.history import History
from patterns.engine.randomness import key_of, mix
from patterns.event_sourcing.properties import store_of as store_in
from patterns.event_sourcing.shelf import CODEC, Received, Shelf
from patterns.event_sourcing.snapshots import TODAY, Snapshot, load
from patterns.event_sourcing.sqlite_store import SqliteStore, Synchronous
from patterns.event_sourcing.store import NO_STREAM, NewEvent, WrongVersion
from patterns.runtime.here import require as require_here
from patterns.runtime.postgres import Postgres, programs
from patterns.runtime.power_cut import PowerCut
from widgets.charts import ACCENT, BAD, PALETTE, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

LEVELS: tuple[Synchronous, ...] = ("FULL", "NORMAL", "OFF")
Load = tuple[int, float, float, int]
"""Length of the stream, ms without a snapshot, ms with one, events read with one."""
Losses = tuple[int, int, int]
Survivors = Mapping[str, Losses]
"""Level -> events that were acknowledged, acknowledged events that were lost, and damaged files."""


@contextmanager
def store_of(synchronous: Synchronous = "FULL") -> Iterator[SqliteStore]:
    """A store in a folder of its own, which is removed."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "events.sqlite", synchronous)
        try:
            yield store
        finally:
            store.close()


def on_file(history: History[Any, Any]) -> Path:
    """A SQLite file with the events that a run ends with: each is appended anew, on the version before it."""
    path = Path(mkdtemp()) / "events.sqlite"
    store = SqliteStore(path)
    for event in store_in(history.branch[-1].state).log.events:
        new = NewEvent(event.id, event.type, event.data, event.meta, event.tags)
        store.append(event.stream, [new], event.version - 1)
    store.close()
    return path


# How long a load takes


def loads(lengths: Sequence[int], every: int = 100) -> list[Load]:
    """Loads of streams of these lengths, with a snapshot at each `every` events."""
    require("lengths", lengths)
    measured = []
    with store_of("OFF") as store:
        for length in sorted(lengths):
            tail = store.tail("shelf-1")
            events = [CODEC.encode(f"e{version}", Received(1)) for version in range(tail + 1, length)]
            if events:
                store.append("shelf-1", events, tail)
            at = length - 1 - (length - 1) % every
            kept = Snapshot(TODAY.name, at, Shelf(at + 1))
            whole, full = _ms(partial(load, store, "shelf-1"))
            part, short = _ms(partial(load, store, "shelf-1", snapshot=kept))
            assert whole.state == part.state
            measured.append((length, full, short, part.read))
    return measured


def _ms(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and the shortest of three times, in ms."""
    times = []
    for _ in range(3):
        begun = perf_counter()
        given = call()
        times.append(1_000 * (perf_counter() - begun))
    return given, min(times)


def load_time(
    measured: Sequence[tuple[int, float, float, int]], title: str = "A load, with and without snapshots"
) -> Figure:
    """ms of a load against the length of its stream."""
    require("measured", measured)
    figure = figure_of(title, 360, "events in the stream", "ms for one load")
    lengths = [length for length, *_ in measured]
    for name, column, colour, dash in (
        ("from the first event", 1, BAD, "solid"),
        ("from a snapshot", 2, ACCENT, "dash"),
    ):
        times = [row[column] for row in measured]
        read = [row[0] if column == 1 else row[3] for row in measured]
        figure.add_scatter(
            x=lengths,
            y=times,
            name=name,
            customdata=read,
            line={"color": colour, "dash": dash},
            mode="lines+markers",
            hovertemplate="%{x:,} events: %{y:.2f} ms, %{customdata:,} read<extra></extra>",
        )
    figure.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=1)  # short loads, too, are told apart
    return figure.update_layout(showlegend=True)


# What survives


class OnPowerCut(SqliteStore):
    """The store on files whose unsynced writes a power cut takes."""

    def __init__(self, path: Path, synchronous: Synchronous, cut: PowerCut) -> None:
        self.cut = cut
        super().__init__(path, synchronous)

    def connect(self, wait: float, options: Any) -> Any:
        return apsw.Connection(str(self.path), vfs=self.cut.name)


def cut_power(events: int = 40) -> dict[str, Losses]:
    """Cut the power after each append, twice: the disk has kept none of the unsynced writes, or some of them."""
    found: dict[str, Losses] = {}
    for level in LEVELS:
        worst = damaged = 0
        with TemporaryDirectory() as folder:
            cut = PowerCut(f"power cut {level} {folder}")
            store = OnPowerCut(Path(folder) / "events.sqlite", level, cut)
            store._writer.execute("PRAGMA wal_autocheckpoint=8")
            for version in range(events):
                store.append("race", [NewEvent(f"e{version}", "written", "{}")], version - 1)
                for kept in (_none, partial(_some, key_of(version, level))):
                    lost = _lost(cut, kept, version + 1)
                    worst, damaged = max(worst, lost or 0), damaged + (lost is None)
            store.close()
        found[level] = (events, worst, damaged)
    return found


def _none(write: int) -> bool:
    return False


def _some(key: int, write: int) -> bool:
    return bool(mix(key, write) % 2)


def _lost(cut: PowerCut, kept: Callable[[int], bool], acknowledged: int) -> int | None:
    """How many acknowledged events are gone after a power cut; None if the file is damaged."""
    with TemporaryDirectory() as after:
        cut.after(Path(after), kept)
        try:
            with closing(sqlite3.connect(Path(after) / "events.sqlite")) as db:
                sound = db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
                there = [version for (version,) in db.execute("SELECT version FROM events ORDER BY version")]
        except sqlite3.OperationalError as problem:
            return acknowledged if "no such table" in str(problem) else None
        except sqlite3.DatabaseError:
            return None
        return acknowledged - len(there) if sound and there == [*range(len(there))] else None


def kill(acknowledged: int = 30) -> dict[str, Losses]:
    """Kill a writer, as `kill -9` does, once it was told of so many events."""
    found: dict[str, Losses] = {}
    for level in LEVELS:
        with TemporaryDirectory() as folder:
            file = str(Path(folder) / "events.sqlite")
            with writer(file, "A", 1_000_000, level) as process:
                told = [int(line) for line, _ in zip(process.stdout, range(acknowledged), strict=False)]
                process.kill()
                told += [int(line) for line in process.stdout if line.endswith("\n")]
            store = SqliteStore(file)
            there = {event.version for event in store.read("race")}
            store.close()
        found[level] = (len(told), len({*told} - there), 0)
    return found


def write(file: str, name: str, rounds: str, synchronous: Synchronous) -> None:
    """A writer: it says `ready`, waits for a line, tries each version, and prints those that were acknowledged."""
    store = SqliteStore(file, synchronous, wait=60)
    print("ready", flush=True)
    sys.stdin.readline()
    for version in range(int(rounds)):
        try:
            store.append("race", [NewEvent(f"{name}{version}", "written", "{}")], version - 1)
        except WrongVersion:
            continue
        print(version, flush=True)
        sleep(0.01)  # the other writer gets its turn


@contextmanager
def writer(file: str, name: str, rounds: int, level: str = "FULL") -> Iterator[Any]:
    """A writer as an OS process, which has begun."""
    require_here("processes of an operating system")
    command = [sys.executable, "-m", __name__, file, name, str(rounds), level]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()


def survivors(found: Mapping[str, Survivors], title: str = "Acknowledged events that are lost") -> Figure:
    """What happened (a kill, a power cut) -> for each level what was lost."""
    require("found", found)
    rows = [(what, level, *figures) for what, levels in found.items() for level, figures in levels.items()]
    figure = figure_of(title, 110 + 30 * len(rows), "acknowledged events", "")
    figure.update_yaxes(autorange="reversed")
    y = [[what for what, *_ in rows], [level for _, level, *_ in rows]]
    words = [f"{lost} of {told} lost" + (f", {bad} files damaged" if bad else "") for *_, told, lost, bad in rows]
    for name, values, colour, text in (
        ("survive", [told - lost for *_, told, lost, _ in rows], PALETTE[0], None),
        ("lost", [lost for *_, lost, _ in rows], BAD, words),
    ):
        figure.add_bar(
            name=name, orientation="h", y=y, x=values, marker_color=colour, text=text, textposition="outside"
        )
    return figure.update_layout(barmode="stack", showlegend=True, margin_r=190)  # for the words after the longest bar


# How many events a second


def rates(
    sizes: Sequence[int] = (1, 10, 100), threads: Sequence[int] = (1, 4, 16, 64), seconds: float = 0.4
) -> dict[str, list[tuple[int, float]]]:
    """Events per second in three set-ups. One writer appends batches of these sizes. Several writers have a connection
    each. As many writers share one connection, which commits for all that wait."""
    alone = [(size, _rate(1, size, True, seconds)) for size in sizes]
    own = [(count, _rate(count, 1, False, seconds)) for count in threads]
    group = [(count, _rate(count, 1, True, seconds)) for count in threads]
    return {"batch": alone, "own": own, "group": group}


def _rate(threads: int, size: int, shared: bool, seconds: float) -> float:
    require_here("threads")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.sqlite"
        stores = [SqliteStore(path, wait=60) for _ in range(1 if shared else threads)]
        done = [0] * threads
        end = perf_counter() + seconds

        def write(who: int) -> None:
            store, version = stores[who % len(stores)], NO_STREAM
            while not done[who] or perf_counter() < end:  # on a busy machine one append can outlast the time
                batch = [NewEvent(f"{version}-{nth}", "written", "{}") for nth in range(size)]
                version = store.append(f"s-{who}", batch, version).version
                done[who] += size

        begun = perf_counter()
        writers = [Thread(target=write, args=(who,)) for who in range(threads)]
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        rate = sum(done) / (perf_counter() - begun)
        for store in stores:
            store.close()
        return rate


def throughput(
    measured: Mapping[str, Sequence[tuple[int, float]]], title: str = "Events per second, synchronous=FULL"
) -> Figure:
    """On the left: events in one append. On the right: writers, with and without group commit."""
    require("measured", measured)
    figure = figure_of(title, 340, "events in an append", "events/s", columns=2)
    figure.update_xaxes(type="log", title_text="events in an append", row=1, col=1)
    figure.update_xaxes(type="log", title_text="writers, one event in an append", row=1, col=2)
    figure.update_yaxes(type="log")
    for key, name, column, colour, dash in (
        ("batch", "one writer", 1, PALETTE[2], "dot"),
        ("own", "own connections", 2, BAD, "solid"),
        ("group", "group commit", 2, ACCENT, "dash"),
    ):
        points = measured[key]
        figure.add_scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash},
            hovertemplate="%{x}: %{y:,.0f} events/s<extra></extra>",
            row=1,
            col=column,
        )
    return figure.update_layout(showlegend=True)


# Real systems beside it


def poll_postgres(cured: bool, events: int = 400, writers: int = 4) -> tuple[int, int]:
    """(events that were committed, events that a poller never saw) on a PostgreSQL server of its own.

    Writers hold their transactions open for a millisecond or two. The poller remembers the highest position, or when
    `cured` the highest (transaction, position) below the oldest open transaction. Raises NoPostgres.
    """
    programs()
    import psycopg

    position = "SELECT 0, position FROM events WHERE position > %s ORDER BY position"
    horizon = (
        "SELECT tx::text::bigint, position FROM events WHERE (tx::text::bigint, position) > (%s, %s)"
        " AND tx < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY 1, 2"
    )
    with Postgres("fsync=off") as server, psycopg.connect(server.address, autocommit=True) as reader:
        reader.execute("CREATE TABLE events (position bigserial PRIMARY KEY, tx xid8 DEFAULT pg_current_xact_id())")

        def write() -> None:
            with psycopg.connect(server.address) as client:
                for _ in range(events // writers):
                    client.execute("INSERT INTO events DEFAULT VALUES")
                    client.execute("SELECT pg_sleep(0.002 * random())")
                    client.commit()

        threads = [Thread(target=write) for _ in range(writers)]
        for each in threads:
            each.start()
        checkpoint, seen = (0, 0), set[int]()
        while True:
            last_round = not any(each.is_alive() for each in threads)
            rows = reader.execute(horizon if cured else position, checkpoint if cured else checkpoint[1:]).fetchall()
            seen |= {at for _, at in rows}
            checkpoint = rows[-1] if rows else checkpoint
            if last_round:
                break
        [(there,)] = reader.execute("SELECT count(*) FROM events").fetchall()
        return there, there - len(seen)


def race_for_a_voucher(racers: int = 8) -> str:
    """All racers append on the condition that nobody has used the voucher, to a UmaDB server of its own.

    Raises ImportError where `umadb` is not installed.
    """
    require_here("servers such as UmaDB")
    import socket

    import umadb

    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        command = [str(Path(sys.executable).parent / "umadb"), "--listen", address, "--db-path", f"{folder}/voucher.db"]
        with Popen(command, stdout=DEVNULL, stderr=DEVNULL) as server:
            try:
                client = _connected(umadb, f"http://{address}")
                condition = umadb.AppendCondition(umadb.Query([umadb.QueryItem(tags=["voucher:V"])]), client.head())
                answers: list[str] = []

                def use(who: int) -> None:
                    event = umadb.Event("shipped", b"{}", ["voucher:V"])
                    try:
                        answers.append(f"accepted at {umadb.Client(f'http://{address}').append([event], condition)}")
                    except umadb.IntegrityError:
                        answers.append("refused")

                threads = [Thread(target=use, args=(who,)) for who in range(racers)]
                for each in threads:
                    each.start()
                for each in threads:
                    each.join()
            finally:
                server.kill()
    return ", ".join(f"{answers.count(each)} {each}" for each in sorted({*answers}))


def _connected(umadb: Any, url: str) -> Any:
    """A client, as soon as the server answers; it takes a moment to start."""
    until = perf_counter() + 20
    while True:
        try:
            client = umadb.Client(url)
            client.head()
            return client
        except umadb.TransportError:
            if perf_counter() > until:
                raise


if __name__ == "__main__":  # as an OS process, that of `writer`
    write(*sys.argv[1:])  # type: ignore[arg-type]
