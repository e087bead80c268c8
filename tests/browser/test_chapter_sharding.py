"""Chapter 3 as a learner meets it: keys on machines, a slot that moves under writes, a crash in the middle."""

from __future__ import annotations

from chapter import Chapter, answer, button
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
    answer(player)
    button(player, "Last step").click()
    answer(player)
    button(player, "Last step").click()
    answer(player)
    expect(player.locator(".dp-say")).to_contain_text("A")
    button(player, "Last step").click()
    expect(player.locator(".dp-say")).to_contain_text("R2")
    chapter.notebook.screenshot("chapter3_moved_light", player)


def test_a_router_that_keeps_ask_is_told_so_with_a_run(chapter: Chapter) -> None:
    chapter.write("on-reply", KEEPS_ASK)
    chapter.run("on-reply")
    card = chapter.run("on-reply-check")
    expect(card).to_contain_text("Hint:")
    expect(card.locator(".dp-say p").first).to_be_attached()
