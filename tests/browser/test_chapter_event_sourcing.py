"""Chapter 8 as a learner meets it: two pickers, a lost answer, snapshots, a late event, and a real file."""

from __future__ import annotations

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
    answer(player)
    button(player, "Last step").click()
    answer(player)
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


def test_an_exercise_is_refused_with_a_hint_and_the_solution_is_accepted(chapter: Chapter) -> None:
    given = chapter.source("append")
    try:
        expect(chapter.run("append-check")).to_contain_text("Not attempted yet")
        chapter.write("append", VERSION_FIRST)
        chapter.run("append")
        expect(chapter.run("append-check")).to_contain_text("Hint:")
        chapter.write("append", "from solutions.event_sourcing import append")
        chapter.run("append")
        expect(chapter.run("append-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("append", given)
        chapter.run("append")
