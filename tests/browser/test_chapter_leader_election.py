"""Chapter 4 as a learner meets it: the whole notebook in JupyterLab, and what is new in its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from chapter import row
from playwright.sync_api import Locator, expect
from rig import REPOSITORY, Lab, Notebook

PATH = "notebooks/04_leader_election.ipynb"
CELLS = [cell["id"] for cell in json.loads((REPOSITORY / PATH).read_text(encoding="utf-8"))["cells"]]


@pytest.fixture(scope="module")
def chapter(lab: Lab) -> Iterator[Notebook]:
    with lab.open(PATH) as notebook:
        notebook.run_all()
        yield notebook


@pytest.fixture(autouse=True)
def nothing_went_wrong(chapter: Notebook) -> Iterator[None]:
    yield
    chapter.settle()
    chapter.check()


def player(chapter: Notebook, cell: str) -> Locator:
    """A fresh player."""
    chapter.run(CELLS.index(cell))
    shown = chapter.cell(CELLS.index(cell)).locator(".jp-OutputArea .dp")
    shown.scroll_into_view_if_needed()
    expect(shown.locator(".dp-say p").first).to_be_visible()
    return shown


def go(shown: Locator, depth: int) -> None:
    shown.get_by_role("slider", name="Step").fill(str(depth))


def test_a_paused_leader_wakes_up_and_its_write_undoes_another(chapter: Notebook) -> None:
    shown = player(chapter, "unfenced")
    go(shown, 28)
    expect(shown.locator(".dp-ask")).to_contain_text("What does it do first?")
    shown.locator(".dp-option", has_text="it writes").click()
    go(shown, 28)
    broken = shown.locator(".dp-broken")
    expect(broken.filter(has_text="no acknowledged write is lost")).to_contain_text("A2.1 was acknowledged")
    row(shown, "line:A2.1", "A2.1", "lost")
    chapter.screenshot("chapter4_lost_light", shown)


def test_the_same_write_is_refused_with_fencing_in_the_dark_theme_too(chapter: Notebook) -> None:
    shown = player(chapter, "fenced")
    go(shown, 28)
    shown.locator(".dp-option", has_text="it refuses: 1 is less than 2").click()
    chapter.theme(dark=True)
    try:
        expect(shown.locator(".dp-say")).to_contain_text("refuses B")
        row(shown, "storage:highest", "highest token", "2")
        chapter.screenshot("chapter4_fenced_dark", shown)
    finally:
        chapter.theme(dark=False)


def test_the_two_panels_of_a_ring_stand_side_by_side(chapter: Notebook) -> None:
    shown = player(chapter, "hs-play")
    go(shown, 12)
    left, right = (shown.locator(".dp-panel").nth(at).bounding_box() for at in (0, 1))
    assert left is not None
    assert right is not None
    assert right["x"] >= left["x"] + left["width"] - 1
    chapter.screenshot("chapter4_ring_light", shown)


def test_the_run_of_real_processes_opens_in_the_same_player(chapter: Notebook) -> None:
    shown = player(chapter, "real-run")
    expect(shown.locator(".dp-count")).to_contain_text("0 /")
    shown.get_by_role("button", name="Last step", exact=True).click()
    leader = shown.locator(".dp-panel").first.locator(".dp-disc.r-leader")
    expect(leader).to_contain_text("P3 leads")
    expect(leader.locator(".dp-crown")).to_be_visible()
    expect(leader.locator(".dp-caption")).to_have_text("leader")
    chapter.screenshot("chapter4_real_light", shown)
