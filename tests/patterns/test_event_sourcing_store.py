"""The contract of an event store, held by each store: the value in memory and the SQLite file.

Cases from outside: KurrentDB's append sequences (events_idempotency.json, and nine more by their names, from
EventStore/EventStore, src/EventStore.Core.Tests/ClientAPI/appending_to_implicitly_created_stream.cs), the DCB
specification (dcb.events), Emmett's expectedVersion.unit.spec.ts, Occurrent's published test kit, and JasperFx.Events'
compliance tests, ported by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patterns.event_sourcing.log import Log
from patterns.event_sourcing.sqlite_store import SqliteStore
from patterns.event_sourcing.store import (
    ANY,
    LARGEST,
    NO_STREAM,
    STREAM_EXISTS,
    Appended,
    AppendRefused,
    Condition,
    ConditionFailed,
    Expected,
    Item,
    NewEvent,
    OtherContent,
    Page,
    Recorded,
    Store,
    Tombstoned,
    WrongVersion,
    judge,
)

KURRENT = json.loads(Path(__file__).with_name("events_idempotency.json").read_text(encoding="utf-8"))


class InMemory(Store):
    """The value in memory behind the interface of a store."""

    def __init__(self) -> None:
        self.log = Log()

    def append(self, *given: Any, **named: Any) -> Appended:
        self.log, answer = self.log.append(*given, **named)
        return answer

    def delete(self, *given: Any, **named: Any) -> None:
        self.log = self.log.delete(*given, **named)

    def read(self, *given: Any, **named: Any) -> tuple[Recorded, ...]:
        return self.log.read(*given, **named)

    def tail(self, stream: str) -> int:
        return self.log.tail(stream)

    def page(self, *given: Any, **named: Any) -> Page:
        return self.log.page(*given, **named)


@pytest.fixture(params=["value in memory", "SQLite file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "value in memory":
        yield InMemory()
        return
    on_file = SqliteStore(tmp_path / "events.sqlite", synchronous="OFF")  # nobody cuts the power here
    yield on_file
    on_file.close()


def event(id: object, type: str = "happened", data: str = "{}", tags: tuple[str, ...] = ()) -> NewEvent:
    return NewEvent(f"e{id}", type, data, tags=tags)


def events(*ids: int) -> list[NewEvent]:
    return [event(id) for id in ids]


def versions(store: Store, stream: str = "s", **how: Any) -> list[int]:
    return [each.version for each in store.read(stream, **how)]


def ids(store: Store, stream: str = "s") -> list[str]:
    return [each.id for each in store.read(stream)]


# KurrentDB: an append that is sent again

NAMED = [
    "sequence_0em1_1e0_2e1_3e2_4e3_5e4_0e4_wev",
    "sequence_0em1_0e0_non_idempotent",
    "sequence_0em1_0em1_idempotent",
    "sequence_0em1_1e0_2e1_1any_1any_idempotent",
    "sequence_S_0em1_1em1_E_S_0em1_E_idempotent",
    "sequence_S_0em1_1em1_E_S_0any_E_idempotent",
    "sequence_S_0em1_1em1_E_S_1e0_E_idempotent",
    "sequence_S_0em1_1em1_E_S_1any_E_idempotent",
    "sequence_S_0em1_1em1_E_S_0em1_1em1_2em1_E_idempotancy_fail",
]
"""The names say what is sent: event 1 expecting version 0 is `1e0`, `S ... E` is one batch. The end says what comes of
the last batch."""


def sent(name: str) -> list[tuple[list[int], Expected]]:
    """The batches of a sequence, each with its expected version: that of its first event."""
    batches: list[tuple[list[int], Expected]] = []
    inside = False
    for word in name.removeprefix("sequence_").split("_"):
        if word in ("S", "E"):
            inside = word == "S"
            batches += [([], ANY)] if inside else []
        elif part := re.fullmatch(r"(\d)(any|em1|e\d)", word):
            number = int(part[1])
            expected = {"any": ANY, "em1": NO_STREAM}.get(part[2]) or int(part[2][1:])
            if not inside:
                batches.append(([number], expected))
            else:
                earlier, first = batches[-1]
                batches[-1] = ([*earlier, number], first if earlier else expected)
    return batches


@pytest.mark.parametrize("name", NAMED)
def test_a_sequence_of_kurrentdb_ends_as_its_name_says(store: Store, name: str) -> None:
    *before, (last, expected) = sent(name)
    for numbers, version in before:
        store.append("s", events(*numbers), version)
    stands = versions(store)
    if name.endswith("_non_idempotent"):
        assert store.append("s", events(*last), expected).version == len(stands)
        return
    if name.endswith("_idempotent"):
        assert store.append("s", events(*last), expected).again
    else:
        with pytest.raises(WrongVersion):
            store.append("s", events(*last), expected)
    assert versions(store) == stands


@pytest.mark.parametrize("sequence", KURRENT["sequences"], ids=lambda sequence: sequence["name"])
def test_a_sequence_of_kurrentdb_has_its_published_results(store: Store, sequence: dict[str, Any]) -> None:
    for step in sequence["steps"]:
        try:
            answer = store.append("s", events(*step["events"]), step["expect"])
            result = "idempotent" if answer.again else "appended"
        except WrongVersion:
            result = "wrong_expected_version"
        assert result == step["result"], step
    assert len(versions(store)) == sequence["count"]


EXPECTS = {"any": ANY, "no_stream": NO_STREAM, "stream_exists": STREAM_EXISTS}


@pytest.mark.parametrize(
    "case", [*KURRENT["append"], *KURRENT["delete"]], ids=lambda case: f"{case['id']} {case['what']}"
)
def test_appends_and_deletions_answer_as_kurrentdb_does(store: Store, case: dict[str, Any]) -> None:
    """But for an empty batch, which is refused here: the DCB specification says that events must not be empty."""
    fresh = iter(range(1_000))
    for step in case["steps"]:
        stream, expected = step.get("stream", "s"), EXPECTS.get(step.get("expect"), step.get("expect"))
        if step["op"] == "append":
            batch = events(*step["ids"]) if "ids" in step else [event(f"fresh{next(fresh)}") for _ in range(step["n"])]
            if not batch:
                with pytest.raises(ValueError, match="events"):
                    store.append(stream, batch, expected)
            elif "error" in step:
                with pytest.raises(WrongVersion) as refused:
                    store.append(stream, batch, expected)
                assert refused.value.actual == step["actual"]
            else:
                assert store.append(stream, batch, expected).version == step["next"]
        elif step["op"] == "soft_delete":
            store.delete(stream, expected)
        else:
            assert len(versions(store)) == step.get("events", len(versions(store)))
            assert versions(store) == step.get("numbers", versions(store))
            assert store.tail("s") == step.get("last", store.tail("s"))


# Emmett, expectedVersion.unit.spec.ts: which current versions each expectation accepts

CURRENT = (-1, 0, 1, 100)
EMMETT: dict[Expected, tuple[int, ...]] = {ANY: CURRENT, NO_STREAM: (-1,), STREAM_EXISTS: (0, 1, 100), 0: (0,), 1: (1,)}


@pytest.mark.parametrize("expected", EMMETT)
def test_an_expectation_accepts_the_current_versions_that_emmett_lists(expected: Expected) -> None:
    stored = {current: [f"e{version}" for version in range(current + 1)] for current in CURRENT}
    accepted = tuple(current for current in CURRENT if judge(stored[current], ["new"], expected) == "append")
    assert accepted == EMMETT[expected]


# What an append promises


def test_a_batch_is_appended_in_its_order_or_not_at_all(store: Store) -> None:
    assert store.append("s", events(0, 1, 2), NO_STREAM).version == 2
    with pytest.raises(WrongVersion):
        store.append("s", events(3, 4), 1)
    assert ids(store) == ["e0", "e1", "e2"]


def test_the_answer_to_a_lost_acknowledgement_is_the_same_as_the_first_time(store: Store) -> None:
    first = store.append("s", events(0, 1), NO_STREAM)
    store.append("s", events(2), 1)
    assert store.append("s", events(0, 1), NO_STREAM) == first._replace(again=True)


def test_a_mixed_batch_is_a_conflict_because_a_batch_is_one_decision(store: Store) -> None:
    store.append("s", events(0), NO_STREAM)
    for mixed in (events(0, 1), events(1, 0)):
        with pytest.raises(WrongVersion):
            store.append("s", mixed, ANY)
    assert ids(store) == ["e0"]


@pytest.mark.parametrize("expected", [ANY, STREAM_EXISTS, NO_STREAM])
def test_the_same_id_with_other_content_is_a_conflict(store: Store, expected: Expected) -> None:
    store.append("s", [event(0, data='{"bags": 5}', tags=("a:1",))], NO_STREAM)
    others = (
        event(0, data='{"bags": 6}', tags=("a:1",)),
        event(0, "other", '{"bags": 5}', ("a:1",)),
        event(0, data='{"bags": 5}'),
    )
    for other in others:
        with pytest.raises(OtherContent) as refused:
            store.append("s", [other], expected)
        assert (refused.value.version, refused.value.id) == (0, "e0")
    assert versions(store) == [0]


def test_metadata_may_differ_in_a_retry(store: Store) -> None:
    store.append("s", [NewEvent("e0", "happened", "{}", '{"at": 1}')], NO_STREAM)
    assert store.append("s", [NewEvent("e0", "happened", "{}", '{"at": 2}')], NO_STREAM).again
    assert store.read("s")[0].meta == '{"at": 1}'


def test_the_scope_of_an_id_is_its_stream(store: Store) -> None:
    """KurrentDB#1173: the same id in two streams is two events, and a retry in either is recognised."""
    for stream in ("a", "b"):
        assert not store.append(stream, events(0), ANY).again
        assert store.append(stream, events(0), ANY).again


def test_an_id_that_stands_twice_in_a_batch_is_refused_and_writes_nothing(store: Store) -> None:
    """Occurrent's test kit: "writes nothing"."""
    with pytest.raises(ValueError, match=r"events\[1\]\.id is 'e0'"):
        store.append("s", events(0, 0), ANY)
    assert versions(store) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", events(0), ANY), "stream is ''"),
        (("s", [], ANY), "events is ()"),
        (("s", [NewEvent("", "happened", "{}")], ANY), "events[0].id is ''"),
        (("s", [NewEvent("e0", "", "{}")], ANY), "events[0].type is ''"),
        (("s", [event(0, tags=("a b",))], ANY), "events[0].tags is ('a b',)"),
        (("s", events(0), -2), "expected is -2"),
        (("s", events(0), True), "expected is True"),
        (("s", events(0), "none"), "expected is 'none'"),
        (("s", events(0), LARGEST + 1), f"expected is {LARGEST + 1}"),
    ],
)
def test_a_bad_argument_of_an_append_is_refused_with_its_name(store: Store, arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        store.append(*arguments)
    assert store.page().events == ()


def test_a_bad_argument_of_a_reader_is_refused_with_its_name(store: Store) -> None:
    for name, call in {
        "start": lambda: store.read("s", -1),
        "limit": lambda: store.read("s", limit=-1),
        "after": lambda: store.page(after=-1),
    }.items():
        with pytest.raises(ValueError, match=f"{name} is -1"):
            call()


# Reading


def test_a_stream_is_read_forwards_backwards_from_a_version_and_in_parts(store: Store) -> None:
    store.append("s", events(*range(10)), NO_STREAM)
    assert versions(store) == [*range(10)]
    assert versions(store, backwards=True) == [*range(9, -1, -1)]
    assert versions(store, start=7) == [7, 8, 9]
    assert versions(store, start=2, backwards=True) == [2, 1, 0]
    assert versions(store, start=0, backwards=True) == [0]
    assert versions(store, start=3, limit=2) == [3, 4]
    assert versions(store, backwards=True, limit=2) == [9, 8]
    assert versions(store, limit=0) == versions(store, start=10) == versions(store, "missing") == []


def test_an_event_is_read_as_it_was_appended(store: Store) -> None:
    written = NewEvent("é0", "ships", '{"to": "陈 Ann \\u0000"}', '{"by": "B"}', ("shelf:1", "order:7"))
    store.append("货架-1", [written], NO_STREAM)
    [read] = store.read("货架-1")
    assert (read.id, read.type, read.data, read.meta, read.tags) == (
        written.id,
        written.type,
        written.data,
        written.meta,
        written.tags,
    )
    assert (read.stream, read.version, read.position) == ("货架-1", 0, 1)


def test_pages_by_position_give_every_event_once_in_the_order_of_positions(store: Store) -> None:
    for nth in range(25):
        store.append(f"s-{nth % 3}", events(nth), ANY)
    seen, after = [], 0
    while (page := store.page(after, limit=7)).events:
        seen += [each.position for each in page.events]
        after = page.to
    assert seen == sorted({*seen})
    assert len(seen) == 25
    assert page.to == after, "an empty page leaves its reader where it is"


def test_a_category_is_what_stands_before_the_first_dash(store: Store) -> None:
    """message-db: category('acc:command-1') = 'acc:command'."""
    for stream in ("acc-1", "acc:command-1", "account-1", "acc", "acc-1-2"):
        store.append(stream, [event(stream)], ANY)
    assert [each.stream for each in store.page(category="acc").events] == ["acc-1", "acc", "acc-1-2"]
    assert [each.stream for each in store.page(category="acc:command").events] == ["acc:command-1"]


def test_a_filter_holds_a_reader_neither_back_nor_lets_it_run_ahead(store: Store) -> None:
    """Eventuous#554 (held back), KurrentDB#4892 and #4990 (ran ahead)."""
    for nth in range(6):
        store.append("seldom-1" if nth == 1 else "often-1", events(nth), ANY)
    head = store.page().to
    assert store.page(category="seldom", limit=10) == store.page(category="seldom", limit=10)._replace(to=head)
    full = store.page(category="seldom", limit=1)
    assert full.to == full.events[-1].position < head
    assert store.page(after=head + 5).to == head + 5, "a reader never falls back"


def test_a_refused_append_is_never_read(store: Store) -> None:
    store.append("s", events(0), NO_STREAM)
    with pytest.raises(WrongVersion):
        store.append("s", events(1), 5)
    assert [each.id for each in store.page().events] == ["e0"]


# Deleted streams


def test_the_versions_of_a_recreated_stream_go_on(store: Store) -> None:
    store.append("s", events(0, 1), NO_STREAM)
    store.delete("s", 1)
    assert versions(store) == []
    assert store.append("s", events(2, 3), NO_STREAM).version == 3
    assert versions(store) == [2, 3]


@pytest.mark.parametrize("expected", [ANY, NO_STREAM, 1])
def test_a_deleted_stream_begins_again_with_any_no_stream_or_its_last_version(store: Store, expected: Expected) -> None:
    """KurrentDB, soft_delete.cs."""
    store.append("s", events(0, 1), NO_STREAM)
    store.delete("s")
    for wrong in (STREAM_EXISTS, 0, 2):
        with pytest.raises(WrongVersion):
            store.append("s", events(2), wrong)
    first = store.append("s", events(2), expected)
    assert first.version == 2
    assert store.append("s", events(2), expected) == first._replace(again=True)


def test_an_old_retry_does_not_fit_a_recreated_stream_by_accident(store: Store) -> None:
    store.append("s", events(0), NO_STREAM)
    store.append("s", events(1), 0)
    store.delete("s", 1)
    store.append("s", events(7), NO_STREAM)
    for expected in (NO_STREAM, 0):
        with pytest.raises(WrongVersion):
            store.append("s", events(1), expected)
    assert ids(store) == ["e7"]


def test_a_tombstone_refuses_for_ever(store: Store) -> None:
    store.append("s", events(0), NO_STREAM)
    store.delete("s", for_ever=True)
    for expected in (ANY, NO_STREAM, STREAM_EXISTS, 0):
        with pytest.raises(Tombstoned):
            store.append("s", events(1), expected)
    with pytest.raises(Tombstoned):
        store.delete("s")
    assert (versions(store), store.tail("s")) == ([], 0)


def test_a_stream_that_is_missing_or_elsewhere_cannot_be_deleted(store: Store) -> None:
    store.append("s", events(0, 1), NO_STREAM)
    for stream, expected in (("missing", ANY), ("s", 0), ("s", 2), ("s", NO_STREAM)):
        with pytest.raises(WrongVersion):
            store.delete(stream, expected)
    store.delete("s")
    with pytest.raises(WrongVersion):
        store.delete("s")


def test_positions_still_show_the_events_of_a_deleted_stream(store: Store) -> None:
    store.append("s", events(0, 1), NO_STREAM)
    store.delete("s")
    assert [each.id for each in store.page().events] == ["e0", "e1"]


# Dynamic consistency boundary (dcb.events, "Specification")

FULL = (Item(("booked",), ("course:1",)),)


def test_a_query_needs_one_item_any_of_its_types_and_all_of_its_tags(store: Store) -> None:
    store.append("s", [event(0, "a", tags=("x:1", "y:1")), event(1, "b", tags=("x:1",)), event(2, "c")], NO_STREAM)

    def found(*items: Item) -> list[str]:
        return [each.id for each in store.page(query=items).events]

    assert found(Item(("a", "b"))) == ["e0", "e1"]
    assert found(Item(tags=("x:1", "y:1"))) == ["e0"]
    assert found(Item(("b",), ("x:1",)), Item(("c",))) == ["e1", "e2"]
    assert found(Item(("b",), ("y:1",))) == []
    assert found(Item()) == found() == ["e0", "e1", "e2"]


def test_an_append_fails_if_an_event_after_the_known_position_matches_its_query(store: Store) -> None:
    known = store.append("s", [event(0, "booked", tags=("course:1",))], ANY).position
    store.append("s", [event(1, "booked", tags=("course:2",))], ANY)
    assert store.append("s", [event(2, "booked", tags=("course:1",))], ANY, Condition(FULL, known))
    with pytest.raises(ConditionFailed) as refused:
        store.append("s", [event(3, "booked", tags=("course:1",))], ANY, Condition(FULL, known))
    assert refused.value.position == known + 2
    assert ids(store) == ["e0", "e1", "e2"]


def test_a_retry_under_a_condition_is_recognised_before_the_condition_is_judged(store: Store) -> None:
    booked = [event(0, "booked", tags=("course:1",))]
    first = store.append("s", booked, ANY, Condition(FULL, 0))
    assert store.append("s", booked, ANY, Condition(FULL, 0)) == first._replace(again=True)


def test_a_condition_without_items_refuses_after_any_event(store: Store) -> None:
    store.append("s", events(0), ANY)
    with pytest.raises(ConditionFailed):
        store.append("s", events(1), ANY, Condition(()))


# Occurrent's published test kit (Apache-2.0), StreamEventStore and StreamConcurrency, by name


def test_does_not_write_anything_if_one_event_of_many_is_refused(store: Store) -> None:
    store.append("s", events(0, 1), NO_STREAM)
    with pytest.raises(AppendRefused):
        store.append("s", [event(2), event(1, data='{"other": 1}')], ANY)
    assert ids(store) == ["e0", "e1"]


def test_the_stream_version_is_the_version_of_the_last_event_written(store: Store) -> None:
    assert store.tail("s") == -1
    for count in (1, 3, 2):
        before = store.tail("s")
        answer = store.append("s", [event(f"{before}-{nth}") for nth in range(count)], before)
        assert answer.version == store.tail("s") == before + count


def test_streams_have_versions_of_their_own_and_positions_in_common(store: Store) -> None:
    store.append("a", events(0), NO_STREAM)
    store.append("b", events(0, 1), NO_STREAM)
    assert [(each.stream, each.version) for each in store.page().events] == [("a", 0), ("b", 0), ("b", 1)]
    positions = [each.position for each in store.page().events]
    assert positions == sorted({*positions})


def test_sqlite_and_the_value_refuse_with_the_same_words(tmp_path: Path) -> None:
    on_file = SqliteStore(tmp_path / "events.sqlite", synchronous="OFF")
    for one in (InMemory(), on_file):
        one.append("s", events(0), NO_STREAM)
        with pytest.raises(WrongVersion, match="stream 's' is at version 0; expected is 3"):
            one.append("s", events(1), 3)
    on_file.close()


def test_a_log_is_a_value_that_an_append_leaves_alone() -> None:
    before, _ = Log().append("s", events(0))
    after, answer = before.append("s", events(1), 0)
    assert answer == Appended(1, 2)
    assert (len(before.events), len(after.events)) == (1, 2)
    assert hash(before) != hash(after)
