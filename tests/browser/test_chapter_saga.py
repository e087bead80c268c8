"""The saga chapter as a learner meets it: define, decline, crash the orchestrator, go back, take another way."""

from __future__ import annotations

import re

import pytest
from chapter import Chapter, answer, at_step, button, choose, depth, kept_all, menu, row, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/07_saga.ipynb"
OPEN = {"height": 1500}
FIRST_FIRST = """def compensate_next(after, log):
    gone = {step for what, step in log if what in ("refused", "undone")}
    return [step for what, step in log if what == "started" and step not in gone][:1]"""
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
    expect(player.locator(".dp-say")).to_contain_text("begins order A1")
    return player


def test_a_declined_card_turns_the_learners_own_saga_back(chapter: Chapter) -> None:
    player = begun(chapter, "own")
    run_until(player, "a saga turns back")
    expect(player.locator(".dp-say")).to_contain_text("A1 turns back")
    chapter.notebook.screenshot("chapter7_declined_light", player)
    run_until(player, "all sagas have ended")
    expect(player.locator(".dp-say")).to_contain_text("A1 is compensated")
    kept(player)


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
    expect(output).to_contain_text("pivot 'approve' comes before compensatable 'charge', which may still be refused")
    given = chapter.source("refused")
    try:
        chapter.write("refused", NO_UNDO)
        expect(chapter.run("refused")).to_contain_text("step 'charge' has no compensation: give its undo=")
    finally:
        chapter.write("refused", given)
        chapter.run("refused")


def test_the_guided_run_is_locked_until_each_prediction_is_made(chapter: Chapter) -> None:
    player = chapter.player("guided")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_contain_text("Who can see at that moment that the beans are reserved?")
    at_step(player, 1, of=11)
    chapter.notebook.screenshot("chapter7_locked_light", player)
    answer(player, "only this saga, until it is complete")
    expect(player.locator(".dp-guess")).to_contain_text("It was: every customer who looks at the shelf")
    button(player, "Last step").click()
    answer(player, "reserve, because it was done first")
    expect(player.locator(".dp-guess")).to_contain_text("It was: charge")
    expect(player.locator(".dp-say")).to_contain_text("charge and reserve")
    chapter.notebook.screenshot("chapter7_turned_back_light", player)
    button(player, "Last step").click()
    answer(player, "only the disks: they say what happened")
    at_step(player, 10, of=11)
    row(player, "row:payment:ann", "ann", "100")
    chapter.notebook.screenshot("chapter7_compensated_light", player)
    kept(player)


def test_past_the_pivot_it_goes_only_forward(chapter: Chapter) -> None:
    player = chapter.player("forward")
    button(player, "Last step").click()
    answer(player, "it turns back")
    expect(player.locator(".dp-guess")).to_contain_text("It was: it waits, and asks for ship again")
    chapter.notebook.screenshot("chapter7_forward_light", player)
    button(player, "Last step").click()
    expect(player.locator(".dp-say")).to_contain_text("A1 is completed")
    kept(player)


@pytest.mark.parametrize("step", [1, 4, 8])  # all of them, and every order: test_saga_checks.py
def test_wherever_the_orchestrator_crashes_its_saga_ends(chapter: Chapter, step: int) -> None:
    """By its mark in the picture; then it restarts, and goes on from its log."""
    player = begun(chapter)
    for at in range(2, step + 1):
        player.locator(".dp-next .dp-act").first.click()
        at_step(player, at, of=at)
    process(player, "orchestrator").click()
    player.get_by_role("dialog").locator(".dp-act", has_text="crash orchestrator").click()
    at_step(player, step + 1, of=step + 1)
    expect(process(player, "orchestrator")).to_have_attribute("aria-label", re.compile("crashed"))
    if step == 4:
        chapter.notebook.screenshot("chapter7_crashed_light", player)
    choose(player, "restart", "restart orchestrator")
    expect(player.locator(".dp-say")).to_contain_text(re.compile("A1 was (forward|past the pivot)"))
    run_until(player, "all sagas have ended")
    expect(player.locator(".dp-say")).to_contain_text("A1 is completed")
    row(player, "row:payment:ann", "ann", "70")
    kept(player)


def test_going_back_and_crashing_another_keeps_the_first_run(chapter: Chapter) -> None:
    player = begun(chapter)
    run_until(player, "the pivot is passed")
    passed = depth(player)
    choose(player, "crash", "crash orchestrator")
    first = depth(player)
    go(player, 3)
    choose(player, "crash", "crash stock")
    at_step(player, 4, of=4)
    expect(process(player, "stock")).to_have_attribute("aria-label", re.compile("has crashed"))
    player.locator(".dp-branches").click()
    player.get_by_role("dialog").locator(".dp-branch", has_text="the first run").click()
    at_step(player, first, of=first)
    assert first == passed + 1
    expect(process(player, "orchestrator")).to_have_attribute("aria-label", re.compile("crashed"))


def test_a_request_that_is_doubled_by_hand_is_done_once(chapter: Chapter) -> None:
    player = begun(chapter)
    menu(player, "duplicate").locator(".dp-act", has_text="duplicate").filter(has_text="reserve").first.click()
    at_step(player, 2, of=2)
    run_until(player, "all sagas have ended")
    row(player, "row:stock:beans", "beans", "2")
    kept(player)


def test_a_late_request_and_a_stuck_compensation(chapter: Chapter) -> None:
    player = chapter.player("late")
    go(player, 9)
    button(player, "Last step").click()
    answer(player, "it does nothing, because it has noted the compensation")
    expect(player.locator(".dp-say")).to_contain_text("its compensation came first")
    chapter.notebook.screenshot("chapter7_late_light", player)
    kept(player)
    player = chapter.player("stuck")
    go(player, 16)
    expect(player.locator(".dp-say")).to_contain_text("needs a human")
    chapter.notebook.screenshot("chapter7_stuck_light", player)
    button(player, "Last step").click()
    expect(player.locator(".dp-say")).to_contain_text("A1 is compensated")


def test_both_styles_meet_the_same_failure_one_below_the_other(chapter: Chapter) -> None:
    player = chapter.player("choreo")
    button(player, "Last step").click()
    answer(player, "it undoes its reservation at once")
    expect(player.locator(".dp-guess")).to_contain_text("It was: nothing, until it hears that charge is undone")
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


def test_what_b_used_cannot_be_taken_back(chapter: Chapter) -> None:
    player = chapter.player("dirty")
    button(player, "Last step").click()
    answer(player, "it fails: there is no credit left")
    expect(player.locator(".dp-say")).to_contain_text("delivery refuses call back")
    chapter.notebook.screenshot("chapter7_dirty_light", player)
    player = chapter.player("lost")
    button(player, "Last step").click()
    player.locator(".dp-option").get_by_text("150", exact=True).click()
    row(player, "row:accounts:limit", "limit", "150")
    chapter.notebook.screenshot("chapter7_lost_light", player)


def test_the_counterexample_opens_at_the_bad_step_with_the_reason(chapter: Chapter) -> None:
    player = chapter.player("break-play")
    at_step(player, 4, of=4)
    broken = player.locator(".dp-broken")
    expect(broken.first).to_contain_text("each saga has ended as the logs say")
    expect(broken.first).to_contain_text("A1 is compensated in the log, but reserve still stands")
    chapter.notebook.screenshot("chapter7_forgotten_light", player)


def test_the_first_exercise_is_refused_with_a_hint_and_a_run_and_the_solution_accepted(chapter: Chapter) -> None:
    given = chapter.source("compensate")
    try:
        expect(chapter.run("compensate-check")).to_contain_text("Not attempted yet")
        chapter.write("compensate", FIRST_FIRST)
        chapter.run("compensate")
        verdict = chapter.run("compensate-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text("undo these first")
        player = verdict.locator(".dp")
        expect(player.locator(".dp-broken")).to_contain_text("compensations run in reverse order")
        chapter.notebook.screenshot("chapter7_exercise_light", player)
        chapter.write("compensate", "from solutions.saga import compensate_next")
        chapter.run("compensate")
        expect(chapter.run("compensate-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("compensate", given)
        chapter.run("compensate")


def test_the_second_exercise_is_refused_with_a_hint_and_a_run_and_the_solution_accepted(chapter: Chapter) -> None:
    given = chapter.source("idempotent")
    try:
        chapter.write("idempotent", NO_TABLE)
        chapter.run("idempotent")
        verdict = chapter.run("idempotent-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text("A message may come twice: look it up in the table first")
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
    expect(output).to_contain_text("('done', 'reserve') ('started', 'charge')")
    expect(output).to_contain_text("bank: ('ann', 70) ('shop', 30)")
    expect(output).to_contain_text("A1 completed")
    player = output.locator("xpath=..").locator(".dp:not(.dp-question)").first
    button(player, "Last step").click()
    row(player, "row:payment:ann", "ann", "70")
    opens = player.locator(".dp-controls [aria-haspopup]:visible")
    expect(opens).to_have_text(["Run until…"])  # which goes on along it: nothing can be asked for, nor broken
    chapter.notebook.screenshot("chapter7_real_light", player)


@pytest.mark.parametrize("cell", ["guided", "choreo"])
def test_the_dark_theme_reaches_the_player(chapter: Chapter, cell: str) -> None:
    player = chapter.player(cell)
    go(player, 3)
    chapter.check_dark(player, f"chapter7_{cell}")


def test_the_chart_is_drawn(chapter: Chapter) -> None:
    chart = chapter.run("versus").locator(".js-plotly-plot")
    expect(chart.locator("svg").first).to_be_visible()
    chapter.notebook.screenshots("chapter7_versus", chart)


def test_in_a_narrow_window_the_picture_stands_above_the_services(chapter: Chapter) -> None:
    size = chapter.page.viewport_size
    assert size is not None
    try:
        chapter.page.set_viewport_size({"width": 620, "height": 900})
        player = chapter.player("guided")
        go(player, 3)
        marks = player.locator(".dp-stage .dp-mark.dp-box")
        steps = marks.and_(player.page.locator('[data-id^="step:"]')).all()
        services = marks.and_(player.page.locator('[data-id^="process:"]')).all()
        path, below = ([each.bounding_box() for each in some] for some in (steps, services))
        assert len(path) == len(below) - 1 == 4
        assert max(box["y"] + box["height"] for box in path if box) <= min(box["y"] for box in below if box)
        assert player.evaluate("element => element.scrollWidth <= element.clientWidth + 1")
        chapter.notebook.screenshot("chapter7_narrow_light", player)
    finally:
        chapter.page.set_viewport_size(size)
