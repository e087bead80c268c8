"""Chapter 6 as a learner meets it: promise, decide, crash anybody anywhere, go back, choose another, see who waits."""

from __future__ import annotations

import re

from chapter import Chapter, answer, at_step, button, choose, depth, kept_all, row, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/06_two_phase_commit.ipynb"
OPEN = {"height": 1500}
FORGETS = """def to_ask(log):
    return []
"""


def process(player: Locator, name: str) -> Locator:
    """A process in the picture, by its tooltip: `P1 has voted yes on T1 and is in doubt for 3 ms`."""
    return player.locator(".dp-stage").get_by_role("button", name=re.compile(rf"^{name} (has|is|asks|lets|waits) "))


def says(player: Locator, name: str, words: str) -> None:
    """What the picture says of a process."""
    expect(process(player, name)).to_have_attribute("aria-label", re.compile(words))


def go(player: Locator, step: int) -> None:
    player.get_by_role("slider", name="Step").fill(str(step))


def kept(player: Locator) -> None:
    """Nothing that is promised is broken in the state shown."""
    kept_all(player)


def on_mark(player: Locator, mark: Locator, what: str) -> None:
    """Do something with a mark of the picture, by its own menu; by the keyboard, as an arrow is thin."""
    before = depth(player)
    mark.press("Enter")
    player.get_by_role("dialog").locator(".dp-act", has_text=what).click()
    at_step(player, before + 1, of=before + 1)


def drop(player: Locator, message: str) -> None:
    arrow = player.locator(".dp-stage").get_by_role("button", name=re.compile(rf"^{message}, "))
    on_mark(player, arrow, "drop")


def all_in_doubt(chapter: Chapter) -> Locator:
    """The learner's own world: A has asked, all three have voted yes, and C has none of the votes yet."""
    player = chapter.player("yours")
    choose(player, "request", "A asks C")
    run_until(player, "a participant is in doubt")
    for at in (3, 4):
        button(player, "Forward one step").click()
        at_step(player, at, of=at)
    for name in ("P1", "P2", "P3"):
        says(player, name, "has voted yes on T1 and is in doubt")
    return player


def test_the_guided_run_is_locked_until_each_prediction_is_made(chapter: Chapter) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    expect(player.locator(".dp-era text").last).to_have_text("T1 voting")  # the phase of step 1
    expect(player.locator(".dp-ask")).to_be_visible()
    at_step(player, 1, of=9)
    chapter.notebook.screenshot("chapter6_locked_light", player)
    answer(player)
    expect(player.locator(".dp-say")).to_contain_text("P1")
    button(player, "Last step").click()
    answer(player)
    expect(player.locator(".dp-say")).to_contain_text("T1")
    says(player, "P1", "in doubt")
    chapter.notebook.screenshot("chapter6_decided_light", player)
    button(player, "Last step").click()
    answer(player)
    button(player, "Last step").click()
    at_step(player, 9, of=9)
    expect(player.locator(".dp-say")).to_contain_text("T1")
    row(player, "account:P2:bob", "bob", "140")
    kept(player)


def test_going_back_and_crashing_it_later_is_another_branch_and_the_first_is_kept(chapter: Chapter) -> None:
    player = all_in_doubt(chapter)
    choose(player, "crash", "crash C")
    run_until(player, "a participant in doubt asks")
    first = depth(player)
    go(player, 4)
    run_until(player, "the coordinator has decided")
    at_step(player, 7, of=7)
    choose(player, "crash", "crash C")
    drop(player, "commit T1, C → P2")
    drop(player, "commit T1, C → P3")
    run_until(player, "a participant in doubt asks")
    says(player, "P1", "has committed T1")
    run_until(player, "all is done")
    says(player, "C", "has crashed")
    for name in ("P1", "P2", "P3"):
        says(player, name, "has committed T1")
    chapter.notebook.screenshot("chapter6_helped_light", player)
    kept(player)
    player.locator(".dp-branches").click()
    player.get_by_role("dialog").locator(".dp-branch", has_text="the first run").click()
    at_step(player, first, of=first)
    says(player, "P1", "in doubt")


def test_an_exercise_is_refused_with_a_hint_and_a_run_and_the_solution_accepted(chapter: Chapter) -> None:
    given = chapter.source("to-ask")
    try:
        chapter.write("to-ask", FORGETS)
        chapter.run("to-ask")
        verdict = chapter.run("to-ask-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text("Hint:")
        player = verdict.locator(".dp")
        expect(player.locator(".dp-broken").first).to_be_visible()
        chapter.notebook.screenshot("chapter6_exercise_light", player)
        chapter.write("to-ask", "from solutions.two_phase_commit import to_ask")
        chapter.run("to-ask")
        expect(chapter.run("to-ask-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("to-ask", given)
        chapter.run("to-ask")
        expect(chapter.run("to-ask-check")).to_contain_text("Not attempted yet")


def test_a_real_process_is_killed_and_its_file_says_what_it_had_promised(chapter: Chapter) -> None:
    given = chapter.source("real")
    try:
        chapter.write("real", re.sub(r"point = .*", 'point = {"C": DieAt("C.commit", "written")}', given))
        chapter.run("real")
        output = chapter.run("real-run")
        for words in ("C's log: Committed T1", "T1: committed", "ann 60, bob 140"):
            expect(output).to_contain_text(words)
        player = chapter.player("real-play")
        button(player, "Last step").click()
        expect(player.locator(".dp-stage")).to_contain_text("ann")
        opens = player.locator(".dp-controls [aria-haspopup]:visible")
        expect(opens).to_have_text(["Run until…"])  # which goes on along it: nothing can be asked for, nor broken
        chapter.notebook.screenshot("chapter6_real_light", player)
    finally:
        chapter.write("real", given)


def test_a_chart_is_drawn(chapter: Chapter) -> None:
    chart = chapter.run("cost").locator(".js-plotly-plot")
    expect(chart.locator("svg").first).to_be_visible()
    chapter.notebook.screenshots("chapter6_cost", chart)
