"""The static site in a browser, opened from the disk: from the map to a prediction, a bug, and a step that is sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from rig import KEEP_SCREENSHOTS, SCREENSHOTS
from test_player import AXE, IN_NAME

from widgets.site.build import Site

CHAPTERS = ("consistent_hashing", "sharding")
"""Chapters whose searches take a moment; the whole site is built in tests/widgets/test_site.py."""
AXE_RULES = {"light": {"rules": {IN_NAME: {"enabled": False}}}, "dark": {"runOnly": ["color-contrast"]}}
"""All rules in one colour scheme, and the colours in the other. tests/browser/test_player.py looks at the card."""
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a site of two chapters, in a folder."""
    folder = tmp_path_factory.mktemp("site")
    Site(folder).write(CHAPTERS)
    return folder.as_uri()


@pytest.fixture
def opened(browser: Browser, site: str) -> Iterator[Opened]:
    """`opened(address)`: a page of the site in a browser with an empty cache. Nothing goes wrong in it to the end."""
    contexts, problems, asked = [], list[str](), list[str]()

    def open_page(address: str, **options: Any) -> Page:
        options = {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce", **options}
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site}/{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems
    assert all(url.startswith((site, "data:", "blob:")) for url in asked), "a page asks for nothing from elsewhere"


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page, if pictures are asked for."""
    if KEEP_SCREENSHOTS:
        page.screenshot(path=SCREENSHOTS / f"{name}.png")


def count(stage: Any) -> Any:
    return stage.locator(".dp-count")


def test_from_the_map_to_a_prediction_a_bug_and_the_same_step_for_a_friend(opened: Opened) -> None:
    page = opened("index.html")
    page.locator("#map a.box", has_text="Sharding").locator("visible=true").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sharding")
    guided = page.locator("#move")
    guided.scroll_into_view_if_needed()
    guided.locator(".dp").focus()
    for _ in range(31):  # the steps of the run: a question stops the reader before the end
        page.keyboard.press("ArrowRight")
    expect(guided.locator(".dp-ask")).to_be_visible()  # locked until it is answered
    guided.locator(".dp-option").first.click()
    expect(guided.locator(".dp-guess")).to_be_visible()

    veil = page.locator("#break-it .veil").first
    expect(veil.locator("#break")).to_be_hidden()  # the search would answer the question
    page.locator("#break-it [data-question] .dp-option").first.click()
    expect(veil.locator("#break .dp-broken")).to_be_visible()

    page.locator("#bug-runs .list a", has_text="No drain").click()
    broken = page.locator("#bug-runs .stage")
    expect(broken.locator(".sentence")).to_contain_text("before the fence")
    expect(count(broken)).to_have_text("7 / 7")
    expect(broken.locator(".dp-broken")).to_contain_text("Cairo")
    broken.locator(".dp").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/sharding.html#broken-no-drain/4")

    friend = opened(page.url.rpartition("/")[0].rpartition("/")[2] + "/4")
    there = friend.locator("#bug-runs .stage")
    expect(count(there)).to_have_text("4 / 7")
    expect(there.locator(".dp-say")).to_have_text(broken.locator(".dp-say").inner_text(), use_inner_text=True)
    expect(there).to_be_in_viewport()


def test_an_address_behind_a_question_is_shown_without_an_answer(opened: Opened) -> None:
    page = opened("sharding.html#break/3")
    expect(count(page.locator("#break"))).to_have_text("3 / 7")


def test_the_cell_for_the_notebook_opens_at_the_step_that_is_shown(opened: Opened) -> None:
    page = opened("sharding.html#broken-no-drain/4")
    stage = page.locator("#bug-runs .stage")
    stage.get_by_text("Open this in the notebook").click()
    expect(stage.locator(".cell")).to_contain_text('play(BUGS["no drain"].found(), at=4)')
    stage.locator(".dp").focus()
    page.keyboard.press("ArrowRight")
    expect(stage.locator(".cell")).to_contain_text("at=5)")


def test_an_address_of_the_start_page_leads_to_the_run_in_its_chapter(opened: Opened) -> None:
    page = opened("index.html#sharding/broken-no-drain/4")
    page.wait_for_url("**/sharding.html#broken-no-drain/4")
    expect(count(page.locator("#bug-runs .stage"))).to_have_text("4 / 7")


def test_in_the_place_of_a_run_that_cannot_be_loaded_stands_a_sentence_until_it_can(opened: Opened, site: str) -> None:
    file = Path(unquote(urlsplit(site).path)) / "runs" / "sharding" / "broken-no-drain.js"
    page = opened("sharding.html#broken-no-fence/1")
    stage = page.locator("#bug-runs .stage")
    expect(stage.locator(".dp")).to_have_count(1)
    away = file.rename(file.with_suffix(".away"))
    try:
        page.locator("#bug-runs .list a", has_text="No drain").click()
        expect(stage.get_by_role("alert")).to_be_visible()
        expect(stage.locator(".dp")).to_have_count(0)
    finally:
        away.rename(file)
    page.locator("#bug-runs .list a", has_text="No drain").click()
    expect(count(stage)).to_have_text("7 / 7")
    expect(stage.get_by_role("alert")).to_have_count(0)


def test_before_the_first_step_a_page_offers_no_choice_that_only_a_notebook_has(opened: Opened) -> None:
    page = opened("sharding.html#broken-no-drain/0")
    stage = page.locator("#bug-runs .stage")
    expect(count(stage)).to_have_text("0 / 7")
    expect(stage.locator(".dp-say")).not_to_contain_text("choose")


def test_a_step_that_the_run_does_not_have_opens_where_the_run_opens(opened: Opened) -> None:
    page = opened("sharding.html#broken-no-drain/400")
    expect(count(page.locator("#bug-runs .stage"))).to_have_text("7 / 7")


def test_the_first_question_is_answered_and_its_outcome_opens_further_down(opened: Opened) -> None:
    page = opened("sharding.html")
    outcome = page.locator("[data-outcome]").first
    expect(outcome).to_contain_text("Answer the question above first")
    page.locator("[data-question] .dp-option").first.click()
    expect(page.locator("[data-question] .dp-option").first).to_have_attribute("aria-pressed", "true")
    expect(outcome).not_to_contain_text("Answer the question above first")


def test_the_picture_of_the_start_page_moves_and_can_be_paused(opened: Opened) -> None:
    page = opened("index.html", reduced_motion="no-preference")
    said = page.locator(".hero .said")
    expect(said).to_contain_text("Step 0")
    expect(said).to_contain_text("Step 1")
    page.locator(".hero figcaption button").click()
    expect(page.locator(".hero figcaption button")).to_have_text("Play")


def test_with_reduced_motion_the_picture_of_the_start_page_stands_still(opened: Opened) -> None:
    page = opened("index.html")
    expect(page.locator(".hero figcaption button")).to_have_text("Play")
    expect(page.locator(".hero .said")).to_contain_text("Step 0")


@pytest.mark.parametrize(
    "address", ["index.html", "sharding.html#broken-no-drain/4", "sharding.html#broken-never-learns/18"]
)
def test_a_phone_shows_a_page_without_scrolling_sideways(opened: Opened, address: str) -> None:
    page = opened(address, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.wait_for_load_state("load")
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    keep(page, f"site_phone_{address[:5]}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["index.html", "sharding.html#broken-no-drain/4"])
def test_axe_finds_no_violation_on_a_page(opened: Opened, address: str, scheme: str) -> None:
    if not AXE.exists() and os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip("no axe-core: npm ci --prefix tests/js")
    page = opened(address, color_scheme=scheme)
    if "#" in address:
        expect(count(page.locator("#bug-runs .stage"))).to_have_text("4 / 7")
    page.add_script_tag(path=AXE)
    violations = page.evaluate("async options => (await axe.run(document, options)).violations", AXE_RULES[scheme])
    found = [(each["id"], len(each["nodes"]), each["nodes"][0]["html"][:160]) for each in violations]
    keep(page, f"site_{address[:5]}_{scheme}")
    assert not found
