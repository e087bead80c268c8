"""The Raft chapter as a learner meets it: elect, replicate, crash, cut, heal, go back, take the other way, see why."""

from __future__ import annotations

import re

from chapter import Chapter, at_step, button, choose, depth, menu, run_menu, run_until
from playwright.sync_api import Locator, expect

PATH = "notebooks/05_consensus_raft.ipynb"
OPEN = {"height": 1500}
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
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER}")
    return player


def replicated(chapter: Chapter) -> Locator:
    """And one request of A committed and answered."""
    player = led(chapter)
    choose(player, "request", f"A asks {LEADER}: x = 10")
    run_until(player, "a client gets its answer")
    return player


def test_a_crashed_leader_is_replaced_and_comes_back_with_its_disk(chapter: Chapter) -> None:
    player = replicated(chapter)
    before = depth(player)
    disc(player, LEADER).click()
    player.get_by_role("dialog").locator(".dp-act", has_text=f"crash {LEADER}").click()
    at_step(player, before + 1, of=before + 1)
    expect(disc(player, LEADER)).to_have_attribute("aria-label", re.compile("has crashed"))
    run_until(player, "a leader is elected")
    expect(player.locator(".dp-time")).to_contain_text("term 2 ·")
    choose(player, "restart", f"restart {LEADER}")
    expect(player.locator(".dp-say")).to_contain_text(LEADER)
    run_until(player, "all servers know what is committed")
    chapter.notebook.screenshot("chapter5_second_leader_light", player)


def test_going_back_and_choosing_the_next_message_takes_the_other_branch_and_keeps_the_first(
    chapter: Chapter,
) -> None:
    player = led(chapter)
    end = depth(player)
    player.get_by_role("slider", name="Step").fill("1")  # LEADER's timer has run out
    expect(player.locator(".dp-say")).to_contain_text(LEADER)
    player.locator(".dp-next .dp-else").click()
    other = player.get_by_role("dialog").locator(".dp-act", has_text="election").filter(has_not_text=LEADER).first
    other.click()
    at_step(player, 2, of=2)
    player.locator(".dp-next .dp-else").click()
    request = player.get_by_role("dialog").locator(".dp-act", has_text="vote? term 1").last
    words = request.locator(".dp-label").inner_text()
    request.click()
    at_step(player, 3, of=3)
    expect(player.get_by_role("slider", name="Step")).to_have_attribute("aria-valuetext", re.compile(re.escape(words)))
    player.locator(".dp-branches").click()
    player.get_by_role("dialog").locator(".dp-branch", has_text="the first run").click()
    at_step(player, end, of=end)
    expect(player.locator(".dp-say")).to_contain_text(f"{LEADER}")


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


def test_the_counterexample_opens_at_the_bad_step_with_the_reason(chapter: Chapter) -> None:
    player = chapter.player("break-play")
    at_step(player, 8, of=8)
    broken = player.locator(".dp-broken")
    expect(broken).to_contain_text("S3")
    player.locator(".dp-promises").click()
    expect(player.get_by_role("dialog").locator("li.dp-no")).to_contain_text("S3")
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
        expect(verdict).to_contain_text("Hint:")
        player = verdict.locator(".dp")
        expect(player.locator(".dp-broken").first).to_be_visible()
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
    expect(refused).to_be_visible()
    chapter.page.keyboard.press("Escape")
    expect(chapter.run("referee")).to_contain_text("0 of 2 crashes and 1 of 1 drops are left")


def test_a_run_that_really_happened_can_be_stepped_and_not_changed(chapter: Chapter) -> None:
    output = chapter.run("real-run")
    expect(output).to_contain_text("A: done: 10")
    player = output.locator(".dp")
    button(player, "Last step").click()
    expect(player.locator(".dp-stage")).to_contain_text("done: 10")
    changes = player.locator(".dp-controls button:visible", has_text=re.compile("Request|Do|Break"))
    expect(changes).to_have_count(0)
