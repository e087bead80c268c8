"""Chapter 2 as a learner meets it: a prediction, a confirmed write that is lost, and a search that finds why."""

from __future__ import annotations

from chapter import Chapter, answer, at_step, button, choose
from playwright.sync_api import expect

PATH = "notebooks/02_replication.ipynb"
OPEN = {"height": 1500}


def test_a_prediction_unlocks_the_step_in_which_milk_is_gone(chapter: Chapter) -> None:
    player = chapter.player("guided")
    for _ in range(3):
        button(player, "Last step").click()
        answer(player)
    button(player, "Last step").click()
    expect(player.locator(".dp-broken").first).to_contain_text("milk")
    chapter.notebook.screenshot("chapter2_gone_light", player)


def test_a_learner_loses_a_write_by_a_crash_of_its_own_and_the_promise_breaks(chapter: Chapter) -> None:
    player = chapter.player("yours")
    choose(player, "request", "X asks Ann")
    choose(player, "crash", "crash Ann")
    choose(player, "request", "Ann is silent")
    expect(player.locator(".dp-broken").first).to_contain_text("milk")


def test_the_search_finds_a_value_that_is_seen_and_then_not(chapter: Chapter) -> None:
    player = chapter.player("break-play")
    at_step(player, 7, of=7)
    expect(player.locator(".dp-broken").first).to_be_visible()
