"""The contract of an event store, held by each store: the value in memory, the process on the simulated network, the
SQLite file. The cases of others are in test_event_sourcing_outside.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from event_stores import InMemory, OnTheNetwork, event, events, ids, versions

from patterns.event_sourcing.log import Log
from patterns.event_sourcing.sqlite_store import SqliteStore
from patterns.event_sourcing.store import (
    ANY,
    LARGEST,
    NO_STREAM,
    STREAM_EXISTS,
    Appended,
    Condition,
    ConditionFailed,
    Expected,
    Item,
    NewEvent,
    OtherContent,
    Store,
    Tombstoned,
    WrongVersion,
)

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


def test_all_stores_refuse_with_the_same_words(tmp_path: Path) -> None:
    on_file = SqliteStore(tmp_path / "events.sqlite", synchronous="OFF")
    for one in (InMemory(), OnTheNetwork(), on_file):
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
