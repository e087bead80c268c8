"""Chapter 8 as a learner meets it: two pickers, a lost answer, snapshots, a late event, and a real file."""

from __future__ import annotations

import re

import pytest
from chapter import Chapter, answer, button, kept_all
from playwright.sync_api import expect

PATH = "notebooks/08_event_sourcing.ipynb"
OPEN = {"height": 1500}
VERSION_FIRST = """def append(stored, ids, expected):
    return "append" if expected in ("any", len(stored) - 1) else "conflict"
"""


def test_the_second_picker_decides_again_and_a_retry_stores_nothing(chapter: Chapter) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    answer(player, "it appends both")
    expect(player.locator(".dp-guess")).to_contain_text("It was: it refuses B's event, and B decides again")
    button(player, "Last step").click()
    answer(player, "it stores the event once more")
    expect(player.locator(".dp-guess")).to_contain_text("It was: it answers as the first time")
    button(player, "Last step").click()
    stage = player.locator(".dp-stage")
    expect(stage).to_contain_text("version 3")
    chapter.notebook.screenshot("chapter8_counted_light", player)
    kept_all(player)


def test_the_real_tables_have_the_events_of_the_picture(chapter: Chapter) -> None:
    rows = chapter.run("on-file").locator("table").first.locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.last).to_contain_text("corrected")
    expect(chapter.output("on-file")).to_contain_text("sqlite_sequence")


def test_a_snapshot_of_other_code_is_discarded(chapter: Chapter) -> None:
    player = chapter.player("snapshots")
    button(player, "Last step").click()
    answer(player, "an error: the database notices")
    expect(player.locator(".dp-say")).to_contain_text("The snapshot is discarded")
    chapter.notebook.screenshots("chapter8_snapshot", player)
    kept_all(player)


def test_the_shortest_run_that_loses_an_event_opens_at_the_bad_step(chapter: Chapter) -> None:
    player = chapter.player("late")
    expect(player.locator(".dp-broken").first).to_contain_text("no event appears at or below a position")
    expect(player.locator(".dp-say")).to_contain_text("commits")
    chapter.notebook.screenshot("chapter8_late_light", player)


def test_a_subscriber_goes_live_and_counts_each_event_once(chapter: Chapter) -> None:
    player = chapter.player("subscribe")
    button(player, "Last step").click()
    expect(player.locator(".dp-stage")).to_contain_text("live")
    kept_all(player)


def test_an_exercise_is_refused_with_a_hint_and_the_solution_is_accepted(chapter: Chapter) -> None:
    given = chapter.source("append")
    try:
        expect(chapter.run("append-check")).to_contain_text("Not attempted yet")
        chapter.write("append", VERSION_FIRST)
        chapter.run("append")
        expect(chapter.run("append-check")).to_contain_text("Your store compares versions first")
        chapter.write("append", "from solutions.event_sourcing import append")
        chapter.run("append")
        expect(chapter.run("append-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("append", given)
        chapter.run("append")


@pytest.mark.parametrize(
    ("cell", "said"), [("processes", "together 100"), ("unreadable", r"stream 'shelf-1', version 0, position 1")]
)
def test_a_cell_says_what_happened_for_real(chapter: Chapter, cell: str, said: str) -> None:
    expect(chapter.output(cell)).to_contain_text(re.compile(said))
