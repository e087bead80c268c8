"""The Raft chapter as a learner meets it: elect, replicate, crash, cut, heal, go back, take the other way, see why."""

from __future__ import annotations

import re

import pytest
from chapter import Chapter, answer, at_step, button, choose, depth, kept_all, menu, run_menu, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/05_consensus_raft.ipynb"
OPEN = {"motion": True}
LEADER = "S4"  # of the five with seed 3
OLD_TERMS = """def commit_index(current_term, commit_index, terms, match):
    return max([commit_index, *(i for i in range(1, len(terms) + 1) if 2 * sum(m >= i for m in match) > len(match))])"""


def disc(player: Locator, server: str) -> Locator:
    """A server in the picture, by its tooltip: `S4 is leader in term 1`."""
    return player.locator(".dp-stage").get_by_role("button", name=re.compile(rf"^{server} (is|has) "))


def led(chapter: Chapter) -> Locator:
    """Five servers, one of them just elected."""
    player = chapter.player("five")
    run_until(player, "a leader is elected")
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER} becomes leader of term 1")
    return player


def replicated(chapter: Chapter) -> Locator:
    """And one request of A committed and answered."""
    player = led(chapter)
    choose(player, "request", f"A asks {LEADER}: x = 10")
    run_until(player, "a client gets its answer")
    return player


def test_the_guided_run_is_locked_until_each_prediction_is_made(chapter: Chapter) -> None:
    player = chapter.player("story")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_contain_text("S3's request reaches S1")
    at_step(player, 2, of=9)
    chapter.notebook.screenshot("chapter5_locked_light", player)
    answer(player, "yes: S3 asked first")
    at_step(player, 3, of=9)
    expect(player.locator(".dp-guess")).to_contain_text("It was: no: it has voted for itself")
    expect(player.locator(".dp-say")).to_contain_text("already voted for S1")
    button(player, "Last step").click()
    answer(player, "already the leader")
    button(player, "Last step").click()
    answer(player, "two of three have it on disk")
    expect(player.locator(".dp-say")).to_contain_text("S3 commits all entries up to index 2")
    chapter.notebook.screenshot("chapter5_committed_light", player)
    button(player, "Last step").click()
    at_step(player, 9, of=9)
    run_until(player, "all servers know what is committed")
    kept_all(player)


def test_a_leader_is_elected_and_a_request_is_replicated_committed_and_answered(chapter: Chapter) -> None:
    player = replicated(chapter)
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER} answers A")
    expect(player.locator(".dp-stage")).to_contain_text("done: 10")
    chapter.notebook.screenshot("chapter5_replicated_light", player)


def test_a_crashed_leader_is_replaced_and_comes_back_with_its_disk(chapter: Chapter) -> None:
    player = replicated(chapter)
    before = depth(player)
    disc(player, LEADER).click()
    player.get_by_role("dialog").locator(".dp-act", has_text=f"crash {LEADER}").click()
    at_step(player, before + 1, of=before + 1)
    expect(disc(player, LEADER)).to_have_attribute("aria-label", re.compile("has crashed"))
    run_until(player, "a leader is elected")
    expect(player.locator(".dp-say")).to_contain_text("becomes leader of term 2")
    expect(player.locator(".dp-time")).to_contain_text("term 2 ·")
    choose(player, "restart", f"restart {LEADER}")
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER} is back")
    expect(player.locator(".dp-say")).to_contain_text("a log of length 2")
    run_until(player, "all servers know what is committed")
    chapter.notebook.screenshot("chapter5_second_leader_light", player)


def test_a_leader_cut_off_keeps_its_title_until_the_cut_is_healed(chapter: Chapter) -> None:
    player = replicated(chapter)
    choose(player, "cut", f"cut {LEADER} off")
    run_until(player, "a leader is elected")
    expect(player.locator(".dp-say")).to_contain_text("becomes leader of term 2")
    expect(disc(player, LEADER)).to_have_attribute("aria-label", re.compile("is leader in term 1"))
    chapter.notebook.screenshot("chapter5_two_leaders_of_two_terms_light", player)
    choose(player, "heal", "heal all cuts")
    run_until(player, "a leader steps down")
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER} steps down")
    kept_all(player)


def test_going_back_and_choosing_the_next_message_takes_the_other_branch_and_keeps_the_first(
    chapter: Chapter,
) -> None:
    player = led(chapter)
    end = depth(player)
    player.get_by_role("slider", name="Step").fill("1")  # LEADER's timer has run out
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER} starts an election")
    player.locator(".dp-next .dp-else").click()
    other = player.get_by_role("dialog").locator(".dp-act", has_text="election").filter(has_not_text=LEADER).first
    other.click()
    at_step(player, 2, of=2)
    expect(player.locator(".dp-say")).to_contain_text("starts an election")
    player.locator(".dp-next .dp-else").click()
    request = player.get_by_role("dialog").locator(".dp-act", has_text="vote? term 1").last
    words = request.locator(".dp-label").inner_text()
    request.click()
    at_step(player, 3, of=3)
    expect(player.get_by_role("slider", name="Step")).to_have_attribute("aria-valuetext", re.compile(re.escape(words)))
    player.locator(".dp-branches").click()
    player.get_by_role("dialog").locator(".dp-branch", has_text="the first run").click()
    at_step(player, end, of=end)
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER} becomes leader of term 1")


def test_a_click_in_the_space_time_diagram_goes_there_and_lights_its_causal_past(chapter: Chapter) -> None:
    player = led(chapter)
    end = depth(player)
    elected = player.locator(".dp-time .dp-event").last
    elected.locator(".dp-hit").click()
    expect(player.locator(".dp-time .dp-event.dp-past")).not_to_have_count(0)
    timeout = player.locator(".dp-time .dp-event.k-fire").first
    expect(timeout).to_have_class(re.compile("dp-past"))  # the winner's timer is a cause of its election
    chapter.notebook.screenshot("chapter5_causal_past_light", player)
    timeout.locator(".dp-hit").click()
    at_step(player, 1, of=end)


def test_heartbeats_can_be_hidden_and_shown(chapter: Chapter) -> None:
    player = replicated(chapter)
    run_until(player, "all servers know what is committed")
    toggle = run_menu(player).get_by_role("checkbox", name=re.compile("heartbeats"))
    expect(toggle).to_be_checked()  # the notebook begins so
    hidden = player.locator(".dp-time .dp-event").count()
    toggle.click()
    expect(run_menu(player).get_by_role("checkbox", name=re.compile("heartbeats"))).not_to_be_checked()
    chapter.page.keyboard.press("Escape")
    assert player.locator(".dp-time .dp-event").count() > hidden


def test_figure_8_is_predicted_and_its_other_branch_is_kept(chapter: Chapter) -> None:
    player = chapter.player("figure-8")
    expect(player.locator(".dp-branches")).to_contain_text("of 2")
    button(player, "Last step").click()
    expect(player.locator(".dp-ask")).to_contain_text("Can that entry of term 2 still be lost?")
    answer(player, "no: it is on a majority")
    expect(player.locator(".dp-guess")).to_contain_text("It was: yes: S5 can win, and overwrites it")
    button(player, "Last step").click()
    chapter.notebook.screenshot("chapter5_figure_8_light", player)


def test_the_counterexample_opens_at_the_bad_step_with_the_reason(chapter: Chapter) -> None:
    player = chapter.player("break-play")
    at_step(player, 8, of=8)
    broken = player.locator(".dp-broken")
    expect(broken).to_contain_text("Election Safety")
    expect(broken).to_contain_text("first S2, now S3")
    player.locator(".dp-promises").click()
    expect(player.get_by_role("dialog").locator("li.dp-no")).to_contain_text("at most one leader in a term")
    chapter.page.keyboard.press("Escape")
    expect(broken).to_be_in_viewport()
    chapter.notebook.screenshot("chapter5_two_leaders_of_one_term_light", player)


def test_a_wrong_commit_rule_is_refused_with_figure_8_in_the_player_and_the_solution_accepted(chapter: Chapter) -> None:
    given = chapter.source("commit")
    try:
        chapter.write("commit", OLD_TERMS)
        chapter.run("commit")
        verdict = chapter.run("commit-check")
        expect(verdict).to_contain_text("Not yet.")
        expect(verdict).to_contain_text("In Figure 8 such an entry is overwritten all the same")
        player = verdict.locator(".dp")
        expect(player.locator(".dp-broken")).to_be_visible()
        chapter.notebook.screenshot("chapter5_exercise_light", player)
        chapter.write("commit", "from solutions.consensus_raft import commit_index")
        chapter.run("commit")
        expect(chapter.run("commit-check")).to_contain_text("Accepted: right in all")
    finally:
        chapter.write("commit", given)
        chapter.run("commit")


def test_the_game_has_two_crashes_and_one_drop_and_no_more(chapter: Chapter) -> None:
    player = chapter.player("game")
    choose(player, "crash", "crash S1")
    choose(player, "crash", "crash S2")
    refused = menu(player, "crash").locator(".dp-cannot .dp-act", has_text="crash S3")
    expect(refused).to_contain_text("no crash left")
    chapter.page.keyboard.press("Escape")
    expect(chapter.run("referee")).to_contain_text("0 of 2 crashes and 1 of 1 drops are left")


def test_a_run_that_really_happened_can_be_stepped_and_not_changed(chapter: Chapter) -> None:
    output = chapter.run("real-run")
    expect(output).to_contain_text("A: done: 10")
    expect(output).to_contain_text("is back")
    player = output.locator(".dp")
    button(player, "Last step").click()
    expect(player.locator(".dp-stage")).to_contain_text("done: 10")
    changes = player.locator(".dp-controls button:visible", has_text=re.compile("Request|Do|Break"))
    expect(changes).to_have_count(0)


@pytest.mark.parametrize("cell", ["minority", "figure-7"])
def test_the_dark_theme_reaches_the_player(chapter: Chapter, cell: str) -> None:
    player = chapter.player(cell)
    chapter.check_dark(player, f"chapter5_{cell}")


@pytest.mark.parametrize("at", [0, 1])
def test_the_charts_are_drawn(chapter: Chapter, at: int) -> None:
    chart = chapter.run("waits").locator(".js-plotly-plot").nth(at)
    expect(chart.locator("svg").first).to_be_visible()
    chapter.notebook.screenshots(f"chapter5_waits_{at}", chart)
