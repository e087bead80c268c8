"""Chapter 9 as a learner meets it: order, look, wait, crash between two writes, repair, rebuild, and a real file."""

from __future__ import annotations

from chapter import Chapter, answer, at_step, button, kept_all
from playwright.sync_api import Locator, expect

PATH = "notebooks/09_cqrs.ipynb"
OPEN = {"height": 1500}
HANGS = """def answer(model_position, wanted, waited_ms, deadline_ms):
    return "show" if model_position >= wanted else "wait"
"""


def stands(player: Locator, words: str) -> None:
    """What the picture says of a read model."""
    expect(player.locator(".dp-stage")).to_contain_text(words)


def test_ann_is_shown_her_order_when_her_own_projector_has_written(chapter: Chapter) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_be_visible()
    at_step(player, 3, of=11)
    chapter.notebook.screenshot("chapter9_locked_light", player)
    answer(player)
    for step in (5, 6):
        button(player, "Forward one step").click()
        at_step(player, step, of=11)
    expect(player.locator(".dp-say")).to_contain_text("ann-1")
    stands(player, "2 behind")
    chapter.notebook.screenshot("chapter9_shown_light", player)
    kept_all(player)


def test_an_exercise_is_refused_with_a_hint_and_the_solution_is_accepted(chapter: Chapter) -> None:
    given = chapter.source("answer")
    try:
        expect(chapter.run("answer-check")).to_contain_text("Not attempted yet")
        chapter.write("answer", HANGS)
        chapter.run("answer")
        expect(chapter.run("answer-check")).to_contain_text("Hint:")
        chapter.write("answer", "from solutions.cqrs import answer")
        chapter.run("answer")
        expect(chapter.run("answer-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("answer", given)
        chapter.run("answer")
