"""The questions of the event sourcing chapter say what happens in its runs; its charts and pictures show what is so."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.milestones import find
from patterns.engine.step import Step
from patterns.event_sourcing.lesson import BUGS, GALLERY
from patterns.event_sourcing.properties import lost, no_late_arrival, readers, store_of, voucher_once
from patterns.event_sourcing.shelf import CODEC, Shipped
from patterns.runtime.postgres import NoPostgres
from widgets.chapters.event_sourcing import charts
from widgets.chapters.event_sourcing import questions as ask
from widgets.chapters.event_sourcing.view import VIEW
from widgets.question import Question

STORY = "Two pickers decide on one version, and one answer is lost"
SNAPSHOTS = "A snapshot is kept, and then the code changes"


@cache
def run(title: str) -> History[Any, Any]:
    return GALLERY[title]()


def where(question: Question, title: str = STORY) -> Step[Any, Any]:
    """The step of the run that the question locks."""
    assert question.at is not None
    step = find(run(title), question.at)
    assert step is not None
    return step


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def is_right(question: Question, word: str) -> bool:
    """Whether the right option, and no other one, has this word."""
    return [option.text for option in question.options if word in option.text] == [question.right.text]


# Questions


def test_the_second_append_is_refused_and_its_picker_decides_otherwise() -> None:
    assert is_right(ask.SECOND, "B decides again")
    step, end = where(ask.SECOND), run(STORY).branch[-1].state
    assert step.parent is not None
    assert store_of(step.state).log == store_of(step.parent.state).log
    assert end.call("d").reply.said == "declined: only 4 left"


def test_the_retry_gets_the_first_answer_and_nothing_is_stored() -> None:
    assert is_right(ask.AGAIN, "as the first time")
    step, end = where(ask.AGAIN), run(STORY).branch[-1].state
    assert step.parent is not None
    assert store_of(step.state).log == store_of(step.parent.state).log
    shipped = [part.event for each in store_of(end).log.events for part in CODEC.decode(each)]
    assert [event.to for event in shipped if isinstance(event, Shipped)] == ["Ann", "Bob"]
    assert (end.call("c").reply.said, end.call("c").reply.position) == ("done, version 2", 3)


def test_the_reader_of_a_store_that_numbers_first_never_gets_the_event_and_takes_itself_for_up_to_date() -> None:
    found = BUGS["position before commit"].found().counterexample
    assert found.property is no_late_arrival
    world = found.history.step.state
    [(reader, _)] = readers(world)
    assert [event.position for event in lost(world)] == [1]
    assert reader.reached == (max(event.position for event in store_of(world).log.events),)
    assert ask.LATE.right.text.startswith("it never gets event 1")


def test_a_condition_stops_the_second_parcel_and_no_version_does() -> None:
    history = run("One voucher is sent for two shelves")
    refused = next(step for step in history.branch if "E.refuse" in rules(step))
    [note] = refused.notes
    assert "matches the query" in note.values["why"]
    end = history.branch[-1].state
    assert sorted(end.call(client).reply.said for client in "cd") == ["declined: voucher V was used", "done, version 1"]
    assert BUGS["check and insert in two steps"].found().counterexample.property is voucher_once


def test_a_snapshot_of_other_code_is_discarded_and_used_it_would_give_a_mixture() -> None:
    step = where(ask.STALE, SNAPSHOTS)
    assert step.state.snapshot.fold != step.state.fold
    assert step.state.loaded.state == step.state.states()[-1]
    assert not step.state.loaded.from_snapshot
    broken = BUGS["a stale snapshot"].found().counterexample
    assert broken.history.step.state.loaded.state != broken.history.step.state.states()[-1]


def test_an_event_is_pushed_and_in_a_page_and_counted_once() -> None:
    history = run("A subscriber reads the past and goes live while a picker appends")
    fired = [rule for step in history.branch for rule in rules(step)]
    [(_, table)] = readers(history.branch[-1].state)
    assert "S.twice" in fired
    assert table.positions == (1, 2, 3, 4)


# Pictures


def marks(step: Step[Any, Any]) -> dict[str, Any]:
    return {mark.id: mark for panel in VIEW.scene_of(step).panels for mark in panel.marks}


def test_a_late_event_and_its_reader_are_red_and_say_why() -> None:
    step = next(s for s in run("An event appears below a position that its reader has passed").branch if lost(s.state))
    drawn = marks(step)
    assert (drawn["event:1"].role, drawn["event:2"].role) == ("bad", "c2")
    assert "below a position that its reader had passed" in drawn["event:1"].title
    assert drawn["process:Sub"].role == "bad"


def test_a_hole_and_an_open_position_are_dashed_and_named() -> None:
    history = run("A reader that holds at holes waits for a rolled back transaction")
    texts = [[marks(step)[id].text for id in ("event:1", "event:2") if id in marks(step)] for step in history.branch]
    assert ["open", "open"] in texts
    assert texts[-1] == ["+1", "hole"]
    assert marks(history.branch[-1])["event:2"].tone == "dashed"


def test_the_fold_stands_below_each_version_and_a_snapshot_ends_at_its_own() -> None:
    drawn = marks(run(SNAPSHOTS).branch[-1])
    assert [drawn[f"state:{at}"].text for at in range(5)] == ["12", "9", "7", "6", "3"]
    assert drawn["snapshot"].x + drawn["snapshot"].w == drawn["event:3"].x + drawn["event:3"].w
    assert drawn["read"].text == "5 read"


def test_an_old_event_is_shown_as_stored_and_as_it_is_today() -> None:
    drawn = marks(run("Events of 2024 pass their upcasters").branch[-1])
    assert (drawn["kind:3"].text, drawn["today:3"].text, drawn["event:3"].tone) == ("exchanged", "+6, −6", "dashed")
    assert drawn["today:1"].text == "nothing"


def test_the_name_is_gone_when_the_key_is_destroyed() -> None:
    branch = run("A customer's key is destroyed, and the shelf stays as it is").branch
    assert {marks(step)["to:1"].text for step in branch[2:4]} == {"to Ann"}
    assert marks(branch[4])["to:1"].text == "to (erased)"
    assert marks(branch[3])["state:1"].text == marks(branch[4])["state:1"].text


# Charts


def test_a_load_with_a_snapshot_reads_the_tail_only() -> None:
    measured = charts.loads((10, 250), every=100)
    assert [(length, read) for length, _, _, read in measured] == [(10, 9), (250, 49)]
    figure = charts.load_time(measured)
    assert [list(line.x) for line in figure.data] == [[10, 250], [10, 250]]


def test_the_chart_of_losses_says_them_in_words() -> None:
    figure = charts.survivors({"a power cut": {"FULL": (40, 0, 0), "OFF": (40, 40, 17)}})
    survive, lost_ones = figure.data
    assert list(survive.x) == [40, 0]
    assert list(lost_ones.text) == ["0 of 40 lost", "40 of 40 lost, 17 files damaged"]


def test_the_chart_of_rates_has_a_line_for_each_way_to_write() -> None:
    measured = charts.rates(sizes=(1, 5), threads=(1, 2), seconds=0.05)
    figure = charts.throughput(measured)
    assert [line.name for line in figure.data] == ["one writer", "own connections", "group commit"]
    assert all(rate > 0 for points in measured.values() for _, rate in points)


@pytest.mark.parametrize("chart", [charts.load_time, charts.survivors, charts.throughput])
def test_a_chart_of_nothing_is_refused(chart: Any) -> None:
    with pytest.raises(ValueError, match="is empty"):
        chart({} if chart is not charts.load_time else [])


# Real systems


@pytest.fixture
def postgres() -> None:
    try:
        charts.programs()
    except NoPostgres as none:
        if os.environ.get("CI") and sys.platform == "linux":
            raise
        pytest.skip(str(none))


def test_a_naive_poller_of_postgresql_loses_events_and_the_cure_loses_none(postgres: None) -> None:
    """commanded/eventstore#3, marten#1629, protean#1088: positions are handed out before the commit."""
    there, missing = charts.poll_postgres(cured=False)
    assert there == 400
    assert missing > 0
    assert charts.poll_postgres(cured=True) == (400, 0)


def test_umadb_accepts_one_of_eight_racers_for_a_voucher() -> None:
    pytest.importorskip("umadb")
    assert charts.race_for_a_voucher() == "1 accepted at 1, 7 refused"
