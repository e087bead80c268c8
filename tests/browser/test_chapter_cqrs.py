"""Chapter 9 as a learner meets it: order, look, wait, crash between two writes, repair, rebuild, and a real file."""

from __future__ import annotations

import re

import pytest
from chapter import Chapter, answer, at_step, button, choose, depth, kept_all, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/09_cqrs.ipynb"
OPEN = {"height": 1500}
ADDS_ALL = """def project(row, checkpoint, position, event):
    return row + event, position
"""
HANGS = """def answer(model_position, wanted, waited_ms, deadline_ms):
    return "show" if model_position >= wanted else "wait"
"""


def stands(player: Locator, words: str) -> None:
    """What the picture says of a read model."""
    expect(player.locator(".dp-stage")).to_contain_text(words)


def test_ann_is_shown_her_order_when_her_own_projector_has_written(chapter: Chapter) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_contain_text("Which position must it ask for?")
    at_step(player, 3, of=11)
    chapter.notebook.screenshot("chapter9_locked_light", player)
    answer(player, "the newest in the store, 4")
    expect(player.locator(".dp-guess")).to_contain_text("It was: the one that her command returned, 3")
    for step in (5, 6):
        button(player, "Forward one step").click()
        at_step(player, step, of=11)
    expect(player.locator(".dp-say")).to_contain_text("ann's phone is shown ann-1, as of 3")
    stands(player, "at 2, 2 behind")
    chapter.notebook.screenshot("chapter9_shown_light", player)
    kept_all(player)


def test_a_query_ends_as_stale_at_its_deadline(chapter: Chapter) -> None:
    player = chapter.player("stale")
    button(player, "Last step").click()
    answer(player, "an error: the query has failed")
    expect(player.locator(".dp-say")).to_contain_text("The deadline has passed")
    stands(player, "nothing at 1, stale")
    kept_all(player)


def test_row_first_counts_twice_and_one_transaction_once(chapter: Chapter) -> None:
    player = chapter.player("row-first")
    button(player, "Last step").click()
    answer(player, "1: the event has an id")
    button(player, "Last step").click()
    stands(player, "mocha: 2")
    expect(player.locator(".dp-broken").first).to_contain_text("fold of the events up to its checkpoint")
    chapter.notebook.screenshot("chapter9_twice_light", player)
    player = chapter.player("one")
    button(player, "Last step").click()
    stands(player, "mocha: 1")
    kept_all(player)


def test_everything_later_of_its_shelf_waits_behind_a_poison_event(chapter: Chapter) -> None:
    player = chapter.player("parked")
    button(player, "Last step").click()
    answer(player, "both are applied: only the bad event is set aside")
    stands(player, "2 parked")
    chapter.notebook.screenshot("chapter9_parked_light", player)
    button(player, "Last step").click()
    stands(player, "mocha: 3")
    kept_all(player)


def test_a_new_version_is_read_when_it_is_level(chapter: Chapter) -> None:
    player = chapter.player("rebuild")
    button(player, "Last step").click()
    answer(player, "she gets a second letter")
    button(player, "Last step").click()
    answer(player, "yes: it has everything that it was built for")
    expect(player.locator(".dp-say")).to_contain_text("Queries read version 2 of orders")
    stands(player, "letters sent: ann-1, bob-1, cho-1")
    chapter.notebook.screenshots("chapter9_switched", player)
    kept_all(player)


def test_a_projector_that_crashes_anywhere_counts_each_order_once(chapter: Chapter) -> None:
    player = chapter.player("yours")
    choose(player, "request", "ann asks shop")
    at = depth(player)
    button(player, "Forward one step").click()
    at_step(player, at + 1, of=at + 1)
    choose(player, "crash", "crash sellers")
    choose(player, "restart", "restart sellers")
    run_until(player, "all read models are level")
    stands(player, "mocha: 1")
    kept_all(player)


def test_the_counterexamples_open_at_the_bad_step_with_the_reason(chapter: Chapter) -> None:
    player = chapter.player("break-play")
    expect(player.locator(".dp-broken").first).to_contain_text("counted each event once")
    player = chapter.player("numbers-play")
    expect(player.locator(".dp-broken").first).to_contain_text("an answer at p contains what p did")
    chapter.notebook.screenshot("chapter9_numbers_light", player)


@pytest.mark.parametrize(
    ("cell", "function", "wrong", "hint"),
    [
        ("project", "project", ADDS_ALL, "Compare the event's position with the checkpoint first"),
        ("answer", "answer", HANGS, "Your page waits for ever"),
    ],
)
def test_an_exercise_is_refused_with_a_hint_and_the_solution_is_accepted(
    chapter: Chapter, cell: str, function: str, wrong: str, hint: str
) -> None:
    given = chapter.source(cell)
    try:
        expect(chapter.run(f"{cell}-check")).to_contain_text("Not attempted yet")
        chapter.write(cell, wrong)
        chapter.run(cell)
        expect(chapter.run(f"{cell}-check")).to_contain_text(hint)
        chapter.write(cell, f"from solutions.cqrs import {function}")
        chapter.run(cell)
        expect(chapter.run(f"{cell}-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write(cell, given)
        chapter.run(cell)


def test_a_real_projector_is_killed_and_the_tables_tell(chapter: Chapter) -> None:
    output = chapter.output("real")
    expect(output).to_contain_text("row first, restarted: [('mocha', 3)] at 2")
    expect(output).to_contain_text("one transaction, restarted: [('mocha', 2)] at 2")
    expect(chapter.output("waits")).to_contain_text(re.compile(r"100 of 100 saw their order: median \d+"))
