"""Chapter 1 as a learner meets it: the whole notebook in JupyterLab, its players, its questions, its exercises."""

from __future__ import annotations

import re
from typing import Any

from chapter import Chapter, answer, button, code_of, menu, open_code, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/01_consistent_hashing.ipynb"
OPEN: dict[str, Any] = {}
SOLUTION = "from solutions.consistent_hashing import lookup"
COUNTS_SEEN = """element => {
    window.seen = [element.textContent];
    const all = {childList: true, characterData: true, subtree: true};
    new MutationObserver(() => window.seen.push(element.textContent)).observe(element, all);
}"""
NO_WRAP = """def lookup(points, position):
    return next(node for stop, node in points if stop >= position)"""


def at_step(player: Locator, depth: int, of: int = 8) -> None:
    expect(player.locator(".dp-count")).to_have_text(f"{depth} / {of}")


def says(player: Locator, text: str) -> None:
    """The words beside the picture have this, wherever in a sentence."""
    expect(player.locator(".dp-say")).to_contain_text(text, ignore_case=True)


def walk_to_the_end(player: Locator) -> None:
    """Step through the guided run and its three questions."""
    for _ in range(3):
        button(player, "Last step").click()
        answer(player)
    at_step(player, 8)


def test_a_step_forward_and_back_by_button(chapter: Chapter) -> None:
    player = chapter.player("tier")
    at_step(player, 0)
    button(player, "Forward one step").click()
    at_step(player, 1)
    says(player, "7675429209529607170")
    button(player, "Back one step").click()
    at_step(player, 0)


def test_a_locked_step_opens_with_a_prediction_and_shows_it_beside_the_outcome(chapter: Chapter) -> None:
    player = chapter.player("tier")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_be_visible()
    at_step(player, 4)
    chapter.notebook.screenshot("chapter1_locked_light", player)
    answer(player)
    at_step(player, 5)
    says(player, "D")


def test_the_scrubber_goes_anywhere(chapter: Chapter) -> None:
    player = chapter.player("tier")
    walk_to_the_end(player)
    scrubber = player.get_by_role("slider", name="Step")
    scrubber.fill("5")
    at_step(player, 5)
    says(player, "D")
    scrubber.fill("0")
    at_step(player, 0)


def test_choosing_what_happens_next_makes_a_branch_and_keeps_the_first_run(chapter: Chapter) -> None:
    player = chapter.player("tier")
    walk_to_the_end(player)
    player.get_by_role("slider", name="Step").fill("4")
    menu(player, "crash").locator(".dp-act", has_text="A crashes").click()
    says(player, "5 of 12 keys")
    at_step(player, 5, of=5)
    expect(player.locator(".dp-branches")).to_contain_text("branch 2 of 2")
    player.locator(".dp-branches").click()
    chapter.notebook.screenshot("chapter1_branches_light", player)
    player.get_by_role("dialog").locator(".dp-branch", has_text="the first run").click()
    at_step(player, 8)
    says(player, "9")


def test_playing_ends_with_the_run_and_goes_on_step_by_step_when_asked_again(chapter: Chapter) -> None:
    player = chapter.player("tier")
    walk_to_the_end(player)
    for _ in range(2):
        player.locator(".dp-speed").click()
    expect(player.locator(".dp-speed")).to_have_text("4×")
    button(player, "First step").click()
    button(player, "Play").click()
    expect(button(player, "Play")).to_be_visible()  # by itself it has become what it was
    at_step(player, 8)
    player.locator(".dp-count").evaluate(COUNTS_SEEN)
    button(player, "Play").click()
    at_step(player, 18, of=18)
    expect(button(player, "Forward one step")).to_be_disabled()  # every featured key was looked up
    depths = [int(count.partition(" ")[0]) for count in chapter.page.evaluate("() => window.seen")]
    assert sorted(set(depths)) == list(range(8, 19)), depths


def test_run_until_goes_on_until_it_is_so(chapter: Chapter) -> None:
    player = chapter.player("tier")
    walk_to_the_end(player)
    player.get_by_role("slider", name="Step").fill("5")
    run_until(player, "every point is placed")
    expect(player.locator(".dp-said")).to_have_text("every point is placed: after 2 steps")
    at_step(player, 7)


def test_the_replay_code_is_shown_and_opens_the_same_run_again(chapter: Chapter) -> None:
    player = chapter.player("tier")
    walk_to_the_end(player)
    code = code_of(player)
    assert re.fullmatch(r"consistent_hashing:[\w-]+:[0-9a-f]{8}", code)
    open_code(player, f"{code}@7")
    at_step(player, 7)
    says(player, "D")


def test_the_signs_of_this_picture_are_explained_under_the_question_mark(chapter: Chapter) -> None:
    player = chapter.player("tier")
    button(player, "Keys and signs").click()
    expect(player.get_by_role("dialog")).to_contain_text("Signs")


def test_a_short_run_opens_from_a_step_that_it_does_not_have(chapter: Chapter) -> None:
    player = chapter.player("modulo")
    button(player, "Forward one step").click()
    code = code_of(player)
    chapter.run("tier")
    player = chapter.player("tier")
    walk_to_the_end(player)
    open_code(player, code)
    at_step(player, 1, of=3)


def test_the_keyboard_cannot_delete_the_learners_cell(chapter: Chapter) -> None:
    player = chapter.player("tier")
    before = chapter.notebook.cells
    player.focus()
    for key in "ddxabm":
        chapter.page.keyboard.press(key)
    chapter.run("guess").locator(".dp-option").first.focus()
    for key in "dd":
        chapter.page.keyboard.press(key)
    chapter.notebook.settle()
    assert chapter.notebook.cells == before


def test_a_question_outside_a_run_keeps_what_was_said_until_it_is_seen(chapter: Chapter) -> None:
    question = chapter.run("guess")
    option = question.locator(".dp-option").first
    taken = option.inner_text().splitlines()[-1]
    option.click()
    expect(option).to_have_attribute("aria-pressed", "true")
    expect(question).to_contain_text("Noted.")
    chapter.notebook.screenshot("chapter1_guess_light", question)
    chapter.notebook.settle()
    outcome = chapter.run("outcome")
    expect(outcome).to_contain_text(taken)


def test_an_exercise_is_refused_with_a_hint_and_a_run_to_step_then_accepted(chapter: Chapter) -> None:
    given = chapter.source("lookup")
    try:
        chapter.write("lookup", NO_WRAP)
        chapter.run("lookup")
        verdict = chapter.run("lookup-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text("Hint:")
        expect(verdict.locator(".dp-say")).to_be_visible()
        chapter.notebook.screenshot("chapter1_exercise_light", verdict)
        chapter.write("lookup", SOLUTION)
        chapter.run("lookup")
        expect(chapter.run("lookup-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("lookup", given)
        chapter.run("lookup")


def test_the_dark_theme_reaches_the_player(chapter: Chapter) -> None:
    chapter.check_dark(chapter.player("tier"), "chapter1")
