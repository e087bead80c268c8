"""The index as a learner meets it: a line of the map says why it is there, and a box opens its notebook."""

from __future__ import annotations

import re

import pytest
from chapter import Chapter
from playwright.sync_api import Browser, Locator, expect

from widgets.course.concept_map import COURSE, concept_map

PATH = "notebooks/00_index.ipynb"
OPEN = {"width": 1280, "height": 720}


def test_the_living_picture_is_above_the_fold_before_any_cell_has_run(chapter: Chapter) -> None:
    picture = chapter.notebook.cell(0).locator("img").first
    box = picture.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] / 2 < OPEN["height"]
    assert picture.evaluate("image => image.naturalWidth") > 100


@pytest.mark.parametrize("width", [1280, 700])
def test_a_sign_on_a_line_says_why_the_line_is_there_by_tap_and_by_key(
    chapter: Chapter, browser: Browser, width: int
) -> None:
    """On a narrow page the map is turned, and says the same. (JupyterLab itself fails when its window gets narrow.)"""
    if width < OPEN["width"]:
        page = browser.new_page(viewport={"width": width, "height": 720})
        page.set_content(concept_map()._repr_html_())
        says_why(page.locator(".dp-map"))
        page.close()
    else:
        says_why(chapter.run("map").locator(".dp-map"))


def says_why(shown: Locator) -> None:
    says = shown.locator(".dp-map-says p:visible")
    expect(says).to_contain_text("Press a sign")
    edge = COURSE.edges[3]
    name = re.compile(rf"^{COURSE.patterns[edge.tail].title} {edge.kind} {COURSE.patterns[edge.head].title}")
    sign = shown.get_by_role("radio", name=name)
    sign.click()
    expect(says).to_contain_text(edge.because)
    sign.press("ArrowRight")  # the next sign: JupyterLab does not take the key
    expect(says).to_contain_text(COURSE.edges[4].because)


def test_the_map_follows_the_dark_theme(chapter: Chapter) -> None:
    box = chapter.output("map").locator("a.box:visible").first
    light = box.evaluate("element => getComputedStyle(element).backgroundColor")
    chapter.notebook.screenshot("index_map_light", chapter.output("map"))
    with chapter.notebook.dark():
        expect(box).not_to_have_css("background-color", light)
        chapter.notebook.screenshot("index_map_dark", chapter.output("map"))


def test_a_box_opens_the_notebook_of_its_pattern(chapter: Chapter) -> None:
    """As a link in a text does: JupyterLab opens it beside the index."""
    box = chapter.run("map").locator("a.box:visible", has_text="Saga")
    box.click()
    tab = chapter.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel", has_text="07_saga.ipynb")
    expect(tab).to_be_visible()
