"""Cases of others for the contract of an event store, held by each of our stores.

- KurrentDB: its append sequences (events_idempotency.json, and nine more by their names, from EventStore/EventStore,
  src/EventStore.Core.Tests/ClientAPI/appending_to_implicitly_created_stream.cs).
- Emmett: expectedVersion.unit.spec.ts.
- Occurrent's test kit (Apache-2.0, tck/eventstore-blocking): StreamEventStore, StreamPosition, StreamConcurrency.
- JasperFx.Events' compliance tests: StreamRead, LiveAggregation.
- sliceworkz/eventstore: UpcastMultiTest. message-db 1.3: write_message, category.

Ported by name are the cases that this contract decides. Left out, with the reason:

- Occurrent's write conditions `in ne lt gt lte gte and or not` (22 cases): an expected version here is exact, `any`,
  `no stream` or `stream exists`. Its empty writes (3): an append without events is refused, as dcb.events has it. Its
  append ids: the ids of the events name an append. Its cases for stores without positions or without streams.
- JasperFx: as of a time (2), because times are no order; created, last time and type of a stream (2), and an event by
  its id alone (2), because there is no such query; an aggregate that its fold deletes (3): a state is never null here.
- sliceworkz: an event by its id (5), as above. A query for today's type, and a limit, that see upcast events (2): the
  store has no upcasters, so both see what is stored. A reader that asks for a type names its old types too.
- message-db: `cardinal_id` and `hash_64` divide a category among consumers, which this store does not do. A repeated id
  is an error there, in the whole store; here it is a retry, in its stream.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from event_stores import event, events, ids, versions

from patterns.event_sourcing.codec import Part
from patterns.event_sourcing.shelf import CODEC, EMPTY, Received, Shelf, Shipped, fold
from patterns.event_sourcing.snapshots import load
from patterns.event_sourcing.sqlite_store import SqliteStore
from patterns.event_sourcing.store import (
    ANY,
    NO_STREAM,
    STREAM_EXISTS,
    AppendRefused,
    Expected,
    Item,
    NewEvent,
    Store,
    WrongVersion,
    category_of,
    judge,
)

KURRENT = json.loads(Path(__file__).with_name("events_idempotency.json").read_text(encoding="utf-8"))

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


# Occurrent: StreamEventStore. Versions count from 1 there


def test_reads_back_several_events_written_in_one_call_in_the_order_they_were_written(store: Store) -> None:
    store.append("name", events(1, 2))
    assert (ids(store, "name"), store.tail("name") + 1) == (["e1", "e2"], 2)


def test_reads_back_events_written_on_separate_occasions_in_the_order_they_were_written(store: Store) -> None:
    for version in range(3):
        store.append("name", events(version + 1), version - 1)
    assert ids(store, "name") == ["e1", "e2", "e3"]


def test_events_written_to_different_streams_do_not_leak_into_each_other(store: Store) -> None:
    store.append("name", events(1))
    store.append("other-name", events(2))
    assert (ids(store, "name"), ids(store, "other-name")) == (["e1"], ["e2"])


def test_gives_back_every_attribute_and_the_payload_unchanged_with_its_stream_and_version(store: Store) -> None:
    written = event(1, "NameDefined", '{"name": "a subject"}', ("name:1",))
    store.append("name", [written, event(2)])
    first, second = store.read("name")
    assert (first.id, first.type, first.data, first.tags) == (written.id, written.type, written.data, written.tags)
    assert [(each.stream, each.version) for each in (first, second)] == [("name", 0), ("name", 1)]


@pytest.mark.parametrize(("skip", "limit", "found"), [(1, 1, ["e2"]), (2, 100, ["e3"]), (10, 10, [])])
def test_skips_and_limits_the_events_returned_without_changing_the_reported_version(
    store: Store, skip: int, limit: int, found: list[str]
) -> None:
    store.append("name", events(1, 2, 3))
    assert [each.id for each in store.read("name", skip, limit)] == found
    assert store.tail("name") == 2


def test_a_stream_nothing_was_written_to_does_not_exist(store: Store) -> None:
    assert (store.read("name"), store.tail("name")) == ((), -1)
    with pytest.raises(WrongVersion):
        store.append("name", events(1), STREAM_EXISTS)
    store.append("name", events(1))
    assert store.append("name", events(2), STREAM_EXISTS).version == 1


def test_reports_the_new_version_when_events_are_written(store: Store) -> None:
    assert store.append("name", events(1, 2)).version == 1
    assert store.append("name", events(3, 4)).version == 3


def test_writing_a_batch_containing_the_same_event_twice_writes_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="e1"):
        store.append("name", events(1, 1))
    assert (store.read("name"), store.tail("name")) == ((), -1)


def test_writing_an_event_that_is_already_persisted_writes_nothing_and_leaves_the_version_alone(store: Store) -> None:
    store.append("name", events(1))
    for again in (events(2, 1), [event(2), event(1, data='{"other": 1}')]):
        with pytest.raises(AppendRefused):
            store.append("name", again)
    assert (ids(store, "name"), store.tail("name")) == (["e1"], 0)


@pytest.mark.parametrize(
    ("type", "found"), [("defined", ["e1"]), ("changed", ["e2", "e3"]), ("no such type", [])], ids=str
)
def test_returns_only_the_events_of_the_filtered_type_and_the_version_of_the_stream_is_full(
    store: Store, type: str, found: list[str]
) -> None:
    store.append("name", [event(1, "defined"), event(2, "changed"), event(3, "changed")])
    assert [each.id for each in store.page(query=(Item((type,)),)).events] == found
    assert store.append("name", events(4), store.tail("name")).version == 3


@pytest.mark.parametrize(("expected", "fits"), [(ANY, True), (0, True), (9, False)])
def test_writes_events_when_the_stream_version_is_as_the_condition_says(
    store: Store, expected: Expected, fits: bool
) -> None:
    store.append("name", events(1))
    if fits:
        assert store.append("name", events(2), expected).version == 1
    else:
        with pytest.raises(WrongVersion) as refused:
            store.append("name", events(2), expected)
        assert (refused.value.expected, refused.value.actual, ids(store, "name")) == (expected, 0, ["e1"])


# Occurrent: StreamPosition


def test_positions_are_globally_unique_and_strictly_increase_across_writes_to_different_streams(store: Store) -> None:
    at = [store.append(stream, events(nth)).position for nth, stream in enumerate(("1", "2", "1", "1"))]
    assert at == sorted({*at})
    assert at[0] > 0, "a written event carries a positive position"
    assert [each.position for each in store.read("1")] == [at[0], *at[2:]]


def test_the_current_position_is_zero_on_an_empty_store_and_then_at_least_the_highest(store: Store) -> None:
    assert store.page().to == 0
    assert store.page().to >= store.append("1", events(1, 2)).position - 2
    assert store.page().to >= store.read("1")[-1].position


def test_reads_in_position_order_after_a_position_and_up_to_the_end(store: Store) -> None:
    at = [store.append(stream, events(nth)).position for nth, stream in enumerate("abab")]
    assert [each.position for each in store.page(0).events] == at
    assert [each.position for each in store.page(at[1]).events] == at[2:]
    assert [each.position for each in store.page(at[0], limit=2).events] == at[1:3]
    assert store.page(at[3] + 1_000_000).events == ()


# Occurrent: StreamConcurrency


def at_once(store: Store, *appends: tuple[str, list[NewEvent], Expected]) -> list[bool]:
    """Whether each of some appends is accepted that threads make together."""
    if not isinstance(store, SqliteStore):  # one after the other: a value and a simulation have no threads
        return [_accepted(store, *each) for each in appends]
    with ThreadPoolExecutor(len(appends)) as pool:
        return [*pool.map(lambda each: _accepted(store, *each), appends)]


def _accepted(store: Store, *given: Any) -> bool:
    try:
        return not store.append(*given).again
    except WrongVersion:
        return False


def test_a_conditional_write_from_two_threads_leaves_exactly_one_winner(store: Store) -> None:
    for nth in range(5):
        won = at_once(store, *((f"s{nth}", [event(f"{who}-{nth}")], NO_STREAM) for who in "ab"))
        assert sorted(won) == [False, True]
        assert ids(store, f"s{nth}") == [f"e{'ab'[won.index(True)]}-{nth}"]


def test_unconditional_writes_from_several_threads_all_succeed(store: Store) -> None:
    assert all(at_once(store, *(("s", events(who), ANY) for who in range(6))))
    assert sorted(ids(store)) == [f"e{who}" for who in range(6)]


# JasperFx.Events: StreamRead and LiveAggregation


def test_fetch_stream_within_a_version_window(store: Store) -> None:
    """With `fetch_stream_returns_every_event_in_order`, `..._bounded_by_version`, `..._from_a_starting_version`."""
    store.append("expedition", events(1, 2, 3, 4), NO_STREAM)
    for start, limit, found in ((None, 9, [0, 1, 2, 3]), (None, 2, [0, 1]), (2, 9, [2, 3]), (1, 2, [1, 2])):
        read = store.read("expedition", start, limit)
        assert [each.version for each in read] == found
        assert [each.position for each in read] == sorted(each.position for each in read)
    assert store.read("unknown") == (), "fetch_stream_for_an_unknown_stream_is_empty"


def test_aggregate_stream_folds_every_event(store: Store) -> None:
    """With `aggregate_stream_bounded_by_version` and `aggregate_stream_for_an_unknown_stream_is_null`: here, empty."""
    walked = (Received(12), Shipped(3, "Ann"), Received(9))
    store.append("trail", [CODEC.encode(f"e{nth}", fact) for nth, fact in enumerate(walked)], NO_STREAM)
    assert load(store, "trail")[:2] == (Shelf(18), 2)
    assert fold(CODEC.facts(store.read("trail", limit=2))) == Shelf(9)
    assert load(store, "unknown")[:2] == (EMPTY, -1)


# sliceworkz/eventstore: UpcastMultiTest, with the shop's old events


OF_2024 = [event(1, "exchanged", '{"boxes":1}'), event(2, "looked"), event(3, "shipped", '{"boxes":2}')]


def parts(store: Store, **how: Any) -> list[Part]:
    """What a reader makes of a stream; backwards, also within an event that became several."""
    read = [CODEC.decode(each) for each in store.read("s", **how)]
    return [part for found in read for part in (found[::-1] if how else found)]


def test_split_events_have_distinct_indices_and_filtered_events_are_invisible(store: Store) -> None:
    """`testForwardQueryMatchAll`, `testSplitEventsHaveDistinctIndices`, `testStoredTypePreservedOnSplitEvents`,
    `testFilteredEventsAreInvisibleInForwardQuery`, `testMultipleSplitEventsInStream` and those of backward queries."""
    store.append("s", [*OF_2024, CODEC.encode("e4", Received(1)), event(5, "exchanged", '{"boxes":2}')])
    forward = parts(store)
    today = [Received(6), Shipped(6, "unknown"), Shipped(12, "unknown"), Received(1), Received(12)]
    assert [part.event for part in forward] == [*today, Shipped(12, "unknown")]
    assert [(part.stored.version, part.nth) for part in forward] == [(0, 0), (0, 1), (2, 0), (3, 0), (4, 0), (4, 1)]
    assert [part.stored.type for part in forward[:3]] == ["exchanged", "exchanged", "shipped"]
    assert parts(store, backwards=True) == forward[::-1]


def test_a_stream_with_only_filtered_events_has_no_parts_and_its_version(store: Store) -> None:
    store.append("s", [event(1, "looked"), event(2, "looked")])
    assert (parts(store), parts(store, backwards=True)) == ([], [])
    assert load(store, "s")[:2] == (EMPTY, 1)


# message-db: write_message(id, stream, type, data, metadata, expected_version)


def test_write_message_returns_the_position_in_the_stream_and_checks_the_expected_version(store: Store) -> None:
    assert [store.append("acc-1", events(nth), nth - 1).version for nth in range(2)] == [0, 1]
    assert store.append("acc-1", events(2)).version == 2, "no expected version: NULL there, any here"
    for wrong in (NO_STREAM, 7):
        with pytest.raises(WrongVersion) as refused:
            store.append("acc-1", events(9), wrong)
        assert (refused.value.stream, refused.value.expected, refused.value.actual) == ("acc-1", wrong, 2)


@pytest.mark.parametrize(
    ("stream", "category"),
    [("acc", "acc"), ("acc-1", "acc"), ("acc-1+2", "acc"), ("acc-a-b", "acc"), ("acc:command-1", "acc:command")],
)
def test_the_category_of_a_stream_is_what_message_db_says(stream: str, category: str) -> None:
    assert category_of(stream) == category
