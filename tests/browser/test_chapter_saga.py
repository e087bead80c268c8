"""The saga chapter as a learner meets it: define, decline, crash the orchestrator, go back, take another way."""

from __future__ import annotations

import re

from chapter import Chapter, answer, at_step, button, choose, kept_all, menu, row, run_until
from playwright.sync_api import Locator, expect
from rig import Server

from widgets.progress import progress

PATH = "notebooks/07_saga.ipynb"
OPEN = {"height": 1500}
NO_UNDO = """try:
    saga("order", step("charge", at="payment", do=Move("ann", "shop", 30)))
except DefinitionError as problem:
    print(problem)"""
NO_TABLE = """def what_to_do(table, saga, step, undo):
    return "apply" """


def process(player: Locator, name: str) -> Locator:
    """A process in the picture, by its tooltip: `stock is up`."""
    return player.locator(".dp-stage").get_by_role("button", name=re.compile(rf"^{name} (is|has) "))


def kept(player: Locator) -> None:
    """Nothing that is promised is broken in the state shown."""
    kept_all(player)


def go(player: Locator, step: int) -> None:
    player.get_by_role("slider", name="Step").fill(str(step))


def begun(chapter: Chapter, cell: str = "yours") -> Locator:
    """A fresh player of the learner's own saga; A has asked for it."""
    player = chapter.player(cell)
    choose(player, "request", "A asks")
    expect(player.locator(".dp-say")).to_contain_text("A1")
    return player


def test_a_definition_of_the_learners_own_is_played(chapter: Chapter) -> None:
    given = chapter.source("define")
    try:
        chapter.write("define", given.replace('"ship"', '"send"').replace('"shop", 30)', '"shop", 60)'))
        chapter.run("define")
        player = begun(chapter)
        run_until(player, "all sagas have ended")
        row(player, "row:payment:ann", "ann", "40")
        expect(player.locator(".dp-say")).to_contain_text("send")
    finally:
        chapter.write("define", given)
        chapter.run("define")


def test_a_definition_that_cannot_work_is_refused_with_the_reason(chapter: Chapter) -> None:
    output = chapter.run("refused")
    expect(output).to_contain_text("'approve'")
    given = chapter.source("refused")
    try:
        chapter.write("refused", NO_UNDO)
        expect(chapter.run("refused")).to_contain_text("undo=")
    finally:
        chapter.write("refused", given)
        chapter.run("refused")


def test_the_guided_run_is_locked_until_each_prediction_is_made_and_each_is_kept(
    chapter: Chapter, server: Server
) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_be_visible()
    at_step(player, 1, of=11)
    chapter.notebook.screenshot("chapter7_locked_light", player)
    answer(player)
    button(player, "Last step").click()
    answer(player)
    chapter.notebook.screenshot("chapter7_turned_back_light", player)
    button(player, "Last step").click()
    answer(player)
    at_step(player, 10, of=11)
    row(player, "row:payment:ann", "ann", "100")
    chapter.notebook.screenshot("chapter7_compensated_light", player)
    kept(player)
    chapter.notebook.settle()
    (saga,) = (each for each in progress(server.root / "notebooks").chapters if each.chapter == "saga")
    assert {"SEEN", "FIRST_UNDONE", "GONE"} <= saga.answers.keys()


def test_a_request_that_is_doubled_by_hand_is_done_once(chapter: Chapter) -> None:
    player = begun(chapter)
    menu(player, "duplicate").locator(".dp-act", has_text="duplicate").filter(has_text="reserve").first.click()
    at_step(player, 2, of=2)
    run_until(player, "all sagas have ended")
    row(player, "row:stock:beans", "beans", "2")
    kept(player)


def test_both_styles_meet_the_same_failure_one_below_the_other(chapter: Chapter) -> None:
    player = chapter.player("choreo")
    button(player, "Last step").click()
    answer(player)
    panels = player.locator(".dp-panel")
    expect(panels).to_have_count(2)
    upper, lower, stage = (each.bounding_box() for each in (*panels.all(), player.locator(".dp-stage")))
    assert upper is not None
    assert lower is not None
    assert stage is not None
    assert lower["y"] >= upper["y"] + upper["height"] - 1
    assert abs(lower["x"] - upper["x"]) <= 1, "a step stands below the same step"
    assert lower["y"] + lower["height"] <= stage["y"] + stage["height"] + 1, "both are seen at once"
    chapter.notebook.screenshot("chapter7_side_by_side_light", player)
    button(player, "Last step").click()
    kept(player)


def test_the_second_exercise_is_refused_with_a_hint_and_a_run_and_the_solution_accepted(chapter: Chapter) -> None:
    given = chapter.source("idempotent")
    try:
        chapter.write("idempotent", NO_TABLE)
        chapter.run("idempotent")
        verdict = chapter.run("idempotent-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text("Hint:")
        player = verdict.locator(".dp")
        broken = player.locator(".dp-broken")
        expect(broken.first).to_be_visible()
        expect(broken.last).to_be_visible()
        chapter.write("idempotent", "from solutions.saga import what_to_do")
        chapter.run("idempotent")
        expect(chapter.run("idempotent-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("idempotent", given)
        chapter.run("idempotent")


def test_the_orchestrator_is_really_killed_and_the_card_is_charged_once(chapter: Chapter) -> None:
    output = chapter.run("real-run")
    expect(output).to_contain_text("done reserve, started charge")
    expect(output).to_contain_text("bank: ann 70, shop 30")
    expect(output).to_contain_text("A1 completed")
    player = output.locator("xpath=..").locator(".dp:not(.dp-question)").first
    button(player, "Last step").click()
    row(player, "row:payment:ann", "ann", "70")
    opens = player.locator(".dp-controls [aria-haspopup]:visible")
    expect(opens).to_have_text(["Run until…"])  # which goes on along it: nothing can be asked for, nor broken
    chapter.notebook.screenshot("chapter7_real_light", player)
