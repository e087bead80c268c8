"""Chapter 6 as a learner meets it: promise, decide, crash anybody anywhere, go back, choose another, see who waits."""

from __future__ import annotations

import re

import pytest
from chapter import Chapter, answer, at_step, button, choose, depth, kept_all, row, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/06_two_phase_commit.ipynb"
OPEN = {"height": 1500}
SILENCE_IS_YES = """def decide(votes, asked, timed_out):
    if "no" in votes.values():
        return "abort"
    return "commit" if timed_out or len(votes) == len(asked) else "wait"
"""
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
    """Do something with what is in the picture, by its own menu; by the keyboard, as an arrow is thin."""
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


def test_a_wrong_guess_stands_beside_the_outcome(chapter: Chapter) -> None:
    card = chapter.run("guess")
    card.locator(".dp-option", has_text="give up: no money has moved yet").click()
    chapter.notebook.settle()
    outcome = chapter.run("crash-ms")
    expect(outcome).to_contain_text("You said: give up: no money has moved yet")
    expect(outcome).to_contain_text("It is: wait, however long")
    expect(outcome).to_contain_text(re.compile(r"C was down for \d+ ms, and rows were locked for \d+ ms"))


def test_the_guided_run_is_locked_until_each_prediction_is_made(chapter: Chapter) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    expect(player.locator(".dp-era text").last).to_have_text("T1 voting")  # the phase of step 1
    expect(player.locator(".dp-ask")).to_contain_text("What does P1 do before it says yes?")
    at_step(player, 1, of=9)
    chapter.notebook.screenshot("chapter6_locked_light", player)
    answer(player, "it takes the 40")
    expect(player.locator(".dp-guess")).to_contain_text("It was: it writes ann 60 to its disk as a promise")
    expect(player.locator(".dp-say")).to_contain_text("P1 votes yes on T1")
    button(player, "Last step").click()
    answer(player, "when commit is on C's disk")
    expect(player.locator(".dp-say")).to_contain_text("C decides: commit T1")
    says(player, "P1", "in doubt")
    chapter.notebook.screenshot("chapter6_decided_light", player)
    button(player, "Last step").click()
    answer(player, "only when P1's acknowledgement is here too")
    button(player, "Last step").click()
    at_step(player, 9, of=9)
    expect(player.locator(".dp-say")).to_contain_text("C forgets T1")
    row(player, "account:P2:bob", "bob", "140")
    kept(player)


def test_the_coordinator_crashes_after_the_votes_and_all_are_blocked_until_it_is_back(chapter: Chapter) -> None:
    player = all_in_doubt(chapter)
    process(player, "C").click()
    player.get_by_role("dialog").locator(".dp-act", has_text="crash C").click()
    says(player, "C", "has crashed")
    expect(player.locator(".dp-stage")).to_contain_text("T1 is blocked")
    run_until(player, "a participant in doubt asks")
    says(player, "P2", r"in doubt for \d\d+ ms")
    expect(player.locator(".dp-stage")).to_contain_text("lock ann")
    chapter.notebook.screenshot("chapter6_blocked_light", player)
    choose(player, "restart", "restart C")
    run_until(player, "all is done")
    for name in ("P1", "P2", "P3"):
        says(player, name, "has aborted T1")
    row(player, "account:P1:ann", "ann", "100")
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


def test_a_participant_that_crashed_in_doubt_locks_its_row_again_before_it_asks(chapter: Chapter) -> None:
    player = all_in_doubt(chapter)
    on_mark(player, process(player, "P2"), "crash P2")
    says(player, "P2", "has crashed, has its yes on T1 on disk, and no decision")
    on_mark(player, process(player, "P2"), "restart P2")
    expect(player.locator(".dp-say")).to_contain_text("It locks bob again")
    says(player, "P2", "in doubt")
    run_until(player, "all is done")
    row(player, "account:P2:bob", "bob", "120")
    kept(player)


@pytest.mark.parametrize(
    ("step", "outcome"),
    [(1, ""), (6, "aborted"), (7, "committed"), (13, "committed")],
    ids=["it asked", "one vote is missing", "it decided", "it forgot"],
)
def test_wherever_the_coordinator_crashes_all_decide_the_same_when_it_is_back(
    chapter: Chapter, step: int, outcome: str
) -> None:
    """AC1 and AC5 (Bernstein, Hadzilacos, Goodman 1987, section 7.3), by hand."""
    player = chapter.player("yours")
    choose(player, "request", "A asks C")
    for at in range(2, step + 1):
        button(player, "Forward one step").click()
        at_step(player, at, of=at)
    choose(player, "crash", "crash C")
    choose(player, "restart", "restart C")
    if step < 13:
        run_until(player, "all is done")
    for name in ("P1", "P2", "P3"):
        says(player, name, f"has {outcome} T1" if outcome else "has aborted T1|has nothing to do")
    kept(player)


def test_a_stranger_behind_the_lock_is_given_up(chapter: Chapter) -> None:
    player = chapter.player("crash")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_contain_text("T1's coordinator is down. What may P3 do?")
    answer(player, "abort T1, which is blocked")
    expect(player.locator(".dp-guess")).to_contain_text("It was: abort T2, though nothing is wrong with it")
    expect(player.locator(".dp-say")).to_contain_text("T2 has waited 70 ms at P3")
    chapter.notebook.screenshot("chapter6_behind_light", player)
    button(player, "Last step").click()
    says(player, "P3", "has committed T1")
    kept(player)


def test_a_partition_makes_three_phase_commit_decide_both_ways(chapter: Chapter) -> None:
    player = chapter.player("split")
    button(player, "Last step").click()
    answer(player, "abort: P2 and P3 are both uncertain")
    broken = player.locator(".dp-broken")
    expect(broken).to_contain_text("AC1, agreement: ")
    expect(broken).to_contain_text("P1 has committed, P2 has aborted")
    chapter.notebook.screenshot("chapter6_split_light", player)
    player.locator(".dp-promises").click()
    named = player.get_by_role("dialog").locator(".dp-no")
    expect(named).to_contain_text("AC1, agreement: all that decide, decide the same: ")
    expect(named).to_contain_text("P1 has committed, P2 has aborted")


def test_the_counterexamples_open_at_the_bad_step_with_the_reason(chapter: Chapter) -> None:
    player = chapter.player("break-play")
    at_step(player, 9, of=9)
    expect(player.locator(".dp-broken", has_text="P1 has committed, P2 has aborted")).to_be_visible()
    chapter.notebook.screenshot("chapter6_alone_light", player)
    player = chapter.player("memory")
    at_step(player, 7, of=7)
    expect(player.locator(".dp-broken", has_text="160 is left of 200")).to_be_visible()


@pytest.mark.parametrize(
    ("cell", "wrong", "hint", "solution"),
    [
        ("decide", SILENCE_IS_YES, "Silence is not a yes", "decide"),
        ("to-ask", FORGETS, "Your participant forgets its promise", "to_ask"),
    ],
    ids=["the decision", "the recovery"],
)
def test_an_exercise_is_refused_with_a_hint_and_a_run_and_the_solution_accepted(
    chapter: Chapter, cell: str, wrong: str, hint: str, solution: str
) -> None:
    given = chapter.source(cell)
    try:
        chapter.write(cell, wrong)
        chapter.run(cell)
        verdict = chapter.run(f"{cell}-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text(hint)
        player = verdict.locator(".dp")
        expect(player.locator(".dp-broken")).to_be_visible()
        chapter.notebook.screenshot(f"chapter6_exercise_{cell}_light", player)
        chapter.write(cell, f"from solutions.two_phase_commit import {solution}")
        chapter.run(cell)
        expect(chapter.run(f"{cell}-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write(cell, given)
        chapter.run(cell)
        expect(chapter.run(f"{cell}-check")).to_contain_text("Not attempted yet")


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ('{"C": DieAt("C.commit", "written")}', ["C ('Committed', 'T1')", "T1: committed", "('ann', 60) ('bob', 140)"]),
        ('{"P1": DieAt("P.yes", "written")}', ["P1 ('Prepared', 'T1')", "T1: aborted", "('ann', 100) ('bob', 100)"]),
    ],
    ids=["the coordinator, its decision written", "a participant, its promise written"],
)
def test_a_real_process_is_killed_and_its_file_says_what_it_had_promised(
    chapter: Chapter, point: str, said: list[str]
) -> None:
    given = chapter.source("real")
    try:
        chapter.write("real", re.sub(r"point = .*", f"point = {point}", given))
        chapter.run("real")
        output = chapter.run("real-run")
        for words in said:
            expect(output).to_contain_text(words)
        player = chapter.player("real-play")
        button(player, "Last step").click()
        expect(player.locator(".dp-stage")).to_contain_text(said[-1].split("'")[1])
        opens = player.locator(".dp-controls [aria-haspopup]:visible")
        expect(opens).to_have_text(["Run until…"])  # which goes on along it: nothing can be asked for, nor broken
        chapter.notebook.screenshot("chapter6_real_light", player)
    finally:
        chapter.write("real", given)


def test_once_more_the_one_that_was_not_asked_ends_it(chapter: Chapter) -> None:
    card = chapter.run("last-guess")
    card.locator(".dp-option", has_text="Cho's bank aborts, and so all three do").click()
    chapter.notebook.settle()
    player = chapter.player("last")
    expect(chapter.output("last")).to_contain_text("As you said: Cho's bank aborts")
    button(player, "Last step").click()
    for name in ("P1", "P2", "P3"):
        says(player, name, "has aborted T1")
    kept(player)


@pytest.mark.parametrize(("cell", "step"), [("crash", 14), ("three", 20)])
def test_the_dark_theme_reaches_the_player(chapter: Chapter, cell: str, step: int) -> None:
    player = chapter.player(cell)
    go(player, step)
    chapter.check_dark(player, f"chapter6_{cell}")


def test_in_a_narrow_window_nothing_is_cut_off(chapter: Chapter) -> None:
    size = chapter.page.viewport_size
    assert size is not None
    try:
        chapter.page.set_viewport_size({"width": 620, "height": 900})
        player = chapter.player("crash")
        go(player, 14)
        panels = player.locator(".dp-panel")
        expect(panels).to_have_count(1)
        parts = [player.locator(part).bounding_box() for part in (".dp-picture", ".dp-words", ".dp-time")]
        picture, words, time = (box for box in parts if box is not None)
        assert words["y"] >= picture["y"] + picture["height"] - 1
        assert time["y"] >= words["y"] + words["height"] - 1
        panel = panels.bounding_box()
        assert panel is not None
        assert panel["x"] >= picture["x"] - 1
        assert panel["x"] + panel["width"] <= picture["x"] + picture["width"] + 1
        assert panel["y"] + panel["height"] <= picture["y"] + picture["height"] + 1
        assert player.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
        chapter.notebook.screenshot("chapter6_narrow_light", player)
    finally:
        chapter.page.set_viewport_size(size)


@pytest.mark.parametrize("cell", ["cost", "blocked"])
def test_the_charts_are_drawn(chapter: Chapter, cell: str) -> None:
    chart = chapter.run(cell).locator(".js-plotly-plot")
    expect(chart.locator("svg").first).to_be_visible()
    chapter.notebook.screenshots(f"chapter6_{cell}", chart)
