"""Chapter 3 as a learner meets it: keys on machines, a slot that moves under writes, a crash in the middle."""

from __future__ import annotations

import re

from chapter import Chapter, answer, button, choose, run_until
from playwright.sync_api import expect

PATH = "notebooks/03_sharding.ipynb"
OPEN = {"height": 1500}
KEEPS_ASK = """def on_reply(map, request, reply):
    if reply.kind == "ok":
        return map, None
    if reply.kind == "ask":
        return {**map, request.slot: (reply.to, map[request.slot][1])}, (reply.to, True)
    if reply.kind == "moved" and reply.epoch > map[request.slot][1]:
        map = {**map, request.slot: (reply.to, reply.epoch)}
    return map, (map[request.slot][0], False)
"""


def test_the_move_is_locked_until_each_prediction_is_made(chapter: Chapter) -> None:
    player = chapter.player("move")
    button(player, "Last step").click()
    answer(player, "it goes to B after the copy")
    button(player, "Last step").click()
    answer(player, "A still owns slot 0")
    button(player, "Last step").click()
    answer(player, "it repeats A's answer")
    expect(player.locator(".dp-say")).to_contain_text("it repeats the answer")
    button(player, "Last step").click()
    expect(player.locator(".dp-say")).to_contain_text("R2 refuses look")
    chapter.notebook.screenshot("chapter3_moved_light", player)


def test_a_source_that_crashes_behind_its_fence_goes_on_when_it_is_back(chapter: Chapter) -> None:
    player = chapter.player("yours")
    choose(player, "request", "O asks A")
    run_until(player, "the slot is fenced")
    choose(player, "crash", "crash A")
    choose(player, "restart", "restart A")
    run_until(player, "the source is clean")
    expect(player.locator(".dp-part-always li.dp-no")).to_have_count(0)
    expect(player.locator(".dp-say")).to_contain_text("A deletes 2 pigeonholes of slot 0")


def test_a_router_that_keeps_ask_is_told_so_with_a_run(chapter: Chapter) -> None:
    chapter.write("on-reply", KEEPS_ASK)
    chapter.run("on-reply")
    card = chapter.run("on-reply-check")
    expect(card).to_contain_text("ASK is for this one request")
    expect(card.locator(".dp-say p").first).to_be_attached()


def test_the_real_cluster_sends_a_client_to_and_fro_if_the_source_is_told_first(chapter: Chapter) -> None:
    told = chapter.output("valkey-traps")
    expect(told).to_contain_text(re.compile(r"source told first\. A: MOVED 609 \S+ \| B: MOVED 609"))
