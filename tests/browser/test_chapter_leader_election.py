"""Chapter 4 as a learner meets it: the whole notebook in JupyterLab, and the parts of its pictures that are new."""

from __future__ import annotations

from chapter import Chapter, answer, row
from playwright.sync_api import Locator, expect

PATH = "notebooks/04_leader_election.ipynb"
OPEN = {"motion": True}  # the one chapter whose messages fly in the browser tests


def go(shown: Locator, depth: int) -> None:
    shown.get_by_role("slider", name="Step").fill(str(depth))


def test_a_paused_leader_wakes_up_and_its_write_undoes_another(chapter: Chapter) -> None:
    shown = chapter.player("unfenced")
    go(shown, 28)
    expect(shown.locator(".dp-ask")).to_be_visible()
    answer(shown)
    go(shown, 28)
    broken = shown.locator(".dp-broken")
    expect(broken.filter(has_text="A2.1").first).to_be_visible()
    row(shown, "line:A2.1", "A2.1", "lost")
    chapter.notebook.screenshot("chapter4_lost_light", shown)


def test_the_two_panels_of_a_ring_stand_side_by_side(chapter: Chapter) -> None:
    shown = chapter.player("hs-play")
    go(shown, 12)
    left, right = (shown.locator(".dp-panel").nth(at).bounding_box() for at in (0, 1))
    assert left is not None
    assert right is not None
    assert right["x"] >= left["x"] + left["width"] - 1
    chapter.notebook.screenshot("chapter4_ring_light", shown)


def test_the_run_of_real_processes_opens_in_the_same_player(chapter: Chapter) -> None:
    shown = chapter.player("real-run")
    expect(shown.locator(".dp-count")).to_contain_text("0 /")
    shown.get_by_role("button", name="Last step", exact=True).click()
    leader = shown.locator(".dp-panel").first.locator(".dp-disc.r-leader")
    expect(leader).to_contain_text("P3 leads")
    expect(leader.locator(".dp-crown")).to_be_visible()
    expect(leader.locator(".dp-caption")).to_have_text("leader")
    chapter.notebook.screenshot("chapter4_real_light", shown)
