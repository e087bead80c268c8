"""The player in a page without a kernel: motion, keys, what is heard, what is left behind, a kernel that is gone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect
from test_walk import PAGE, ROOT, runs

from patterns.engine.history import History
from patterns.saga import SagaMachine
from widgets.assets import SCRIPTS
from widgets.player import Player
from widgets.question import Option, Question

AXE = ROOT / "tests" / "js" / "node_modules" / "axe-core" / "axe.min.js"
# A mark's name is a sentence, "S1 leads in term 1", and not the two words that stand in its disc: that one rule is for
# all that is no picture.
IN_NAME = "label-content-name-mismatch"
AXE_RUNS: list[tuple[Any, Any]] = [
    (".dp", {"rules": {IN_NAME: {"enabled": False}}}),
    ({"include": [".dp"], "exclude": [".dp-stage"]}, {"rules": {IN_NAME: {"enabled": True}}}),
]
LONGEST = 600
"""Milliseconds from a key to the last change."""
QUESTION = Question("What now?", (Option("up", "it goes up", right=True), Option("down", "it does not")))
# Milliseconds of the page's own clock, which the test moves: how busy the machine is does not matter.
LAST_CHANGE = """async key => {
    const root = document.querySelector('.dp');
    let last = 0;
    const began = performance.now();
    const watch = new MutationObserver(() => { last = performance.now() - began; });
    watch.observe(root.querySelector('.dp-stage'), { subtree: true, attributes: true, childList: true });
    root.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    for (let i = 0; i < 80; i++) await window.frame();
    watch.disconnect();
    return last;
}"""
# requestAnimationFrame, setTimeout and performance.now on one clock that goes 16 ms with each frame.
CLOCK = """() => {
    let now = 0, next = [], timers = [];
    window.requestAnimationFrame = (run) => next.push(run);
    window.cancelAnimationFrame = (id) => { next[id - 1] = null; };
    performance.now = () => now;
    window.frame = async () => {
        now += 16;
        const due = next; next = [];
        for (const run of due) run?.(now);
        await Promise.resolve();
    };
}"""


def raft(title: str = "An old leader returns from a partition and steps down", **options: Any) -> str:
    history = runs("consensus_raft")[title]()
    history.jump(0)
    return Player(history, **options).saved


@pytest.fixture
def shown(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`shown(state)`: a page that shows this run; `live`: as if there were a kernel, which never answers."""
    opened = []

    def show(state: str, *, live: bool = False, **options: Any) -> Page:
        page = browser.new_page(viewport={"width": 850, "height": 590}, **options)
        opened.append(page)
        page.set_content(PAGE)
        page.add_script_tag(content=SCRIPTS["player"].replace("export default", "window.player ="), type="module")
        page.add_script_tag(path=Path(__file__).parent / "walk.js")
        loaded = json.loads(state)
        loaded["head"]["live"] = live
        page.evaluate("state => { window.state = state; show(player, state); }", loaded)
        page.locator(".dp").focus()
        return page

    yield show
    for page in opened:
        page.close()


def test_the_start_says_which_button_makes_something_happen(shown: Callable[..., Page]) -> None:
    player = Player(History(SagaMachine()))
    offers = {"frames": player.frames, "words": player.words}  # a saved page has no choices
    orders = shown(msgspec.json.encode({**json.loads(player.saved), **offers}).decode(), live=True)
    expect(orders.locator(".dp-say")).to_contain_text("Press Request…")
    expect(orders.get_by_role("button", name="Forward one step")).to_be_disabled()
    servers = shown(raft(), live=True)
    expect(servers.locator(".dp-say")).to_contain_text("Step forward, or choose")


def test_a_delivery_a_loss_and_a_timer_end_within_600_ms(shown: Callable[..., Page]) -> None:
    page = shown(raft())
    page.evaluate(CLOCK)
    took = [page.evaluate(LAST_CHANGE, "ArrowRight") for _ in range(45)]
    assert 150 < max(took) <= LONGEST, took


def test_a_delivered_message_flies_on_before_the_picture_changes(shown: Callable[..., Page]) -> None:
    page = shown(raft())
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.evaluate(CLOCK)
    token = '[data-kind="message"]'
    there = page.locator(token).count()
    place = "() => [...document.querySelectorAll('.dp-token')].map(each => each.getAttribute('transform'))"
    before = page.evaluate(place)
    page.keyboard.press("ArrowRight")
    page.evaluate("async () => { for (let i = 0; i < 6; i++) await frame(); }")
    assert page.locator(token).count() == there, "it is still on its way"
    assert page.evaluate(place) != before


def test_the_next_key_ends_a_motion_and_the_picture_is_that_of_its_step(shown: Callable[..., Page]) -> None:
    page = shown(raft())
    still = shown(raft(), reduced_motion="reduce")
    for each in (page, still):
        for _ in range(12):
            each.keyboard.press("ArrowRight")
        each.keyboard.press("ArrowLeft")
    expect(page.locator(".dp-count")).to_have_text("11 / 83")
    picture = "() => [...document.querySelectorAll('.dp-mark')].map(each => each.dataset.id).sort()"
    assert page.evaluate(picture) == still.evaluate(picture)


def test_with_reduced_motion_a_step_is_one_picture(shown: Callable[..., Page]) -> None:
    page = shown(raft(), reduced_motion="reduce")
    page.evaluate(CLOCK)
    assert max(page.evaluate(LAST_CHANGE, "ArrowRight") for _ in range(12)) <= 16, "in the first frame"


def test_space_never_answers_and_a_number_does(shown: Callable[..., Page]) -> None:
    page = shown(raft(ask={3: QUESTION}), reduced_motion="reduce")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    asked = page.locator(".dp-ask")
    expect(asked).to_contain_text("What now?")
    expect(page.locator(".dp-promises")).to_be_hidden()  # a promise could answer it
    page.locator(".dp-option").first.focus()
    for key in ("Space", "End", "ArrowRight", "Space"):
        page.keyboard.press(key)
        expect(asked).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator(".dp-guess")).to_contain_text("As you said")
    expect(page.locator("[aria-live]")).to_contain_text("it goes up")
    expect(page.locator(".dp-count")).to_have_text("3 / 83")


def test_was_and_now_are_heard_and_the_slider_says_what_happened(shown: Callable[..., Page]) -> None:
    page = shown(raft(), reduced_motion="reduce")
    page.keyboard.press("ArrowRight")
    facts = page.locator(".dp-facts tr").all_text_contents()
    assert any("was" in fact and "now" in fact for fact in facts), facts
    assert "step 1 of 83: " in str(page.get_by_role("slider", name="Step").get_attribute("aria-valuetext"))


def test_one_mark_is_reached_by_tab_and_arrows_go_on(shown: Callable[..., Page]) -> None:
    page = shown(raft(), live=True, reduced_motion="reduce")
    assert page.locator('.dp-stage [tabindex="0"]').count() == 1
    page.locator('.dp-stage [tabindex="0"]').focus()
    first = page.evaluate("() => document.activeElement.dataset.id")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => document.activeElement.dataset.id") != first
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_menu_of_a_process_begins_with_its_crash(shown: Callable[..., Page]) -> None:
    history = runs("consensus_raft")["An old leader returns from a partition and steps down"]()
    history.jump(0)
    player = Player(history)
    state = {name: getattr(player, name) for name in ("head", "frames", "words", "codes", "cursor", "answers")}
    page = shown(json.dumps(state), live=True, reduced_motion="reduce")
    page.locator('[data-id="process:S1"]').click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".dp-act").first).to_contain_text("crash S1")
    expect(dialog.locator("details.dp-cannot")).to_contain_text("restart S1")


def test_a_player_whose_kernel_is_gone_says_so_within_two_seconds(shown: Callable[..., Page]) -> None:
    page = shown(raft(), live=True, reduced_motion="reduce")
    page.clock.install()
    page.keyboard.press("End")
    page.get_by_role("button", name="Run until…").click()
    page.get_by_role("dialog").locator(".dp-act").first.click()
    page.clock.run_for(2000)
    expect(page.locator(".dp-said")).to_contain_text("run this cell again")
    expect(page.get_by_role("button", name="Break…")).to_be_disabled()


@pytest.mark.slow
def test_a_cell_that_is_run_fifty_times_leaves_nothing_behind(shown: Callable[..., Page]) -> None:
    page = shown(raft(), reduced_motion="reduce")
    left = page.evaluate(
        """async () => {
            const heard = new Map(), seen = [];
            const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
            let listeners = 0, observers = 0;
            const observe = ResizeObserver.prototype.observe, disconnect = ResizeObserver.prototype.disconnect;
            EventTarget.prototype.addEventListener = function (...all) { listeners += 1; return add.apply(this, all); };
            EventTarget.prototype.removeEventListener = function (...all) {
                listeners -= 1;
                remove.apply(this, all);
            };
            ResizeObserver.prototype.observe = function (...all) { observers += 1; return observe.apply(this, all); };
            ResizeObserver.prototype.disconnect = function () { observers -= 1; return disconnect.call(this); };
            window.leave();
            [listeners, observers] = [0, 0];
            for (let i = 0; i < 50; i++) {
                show(player, window.state);
                const end = new KeyboardEvent('keydown', { key: 'End', bubbles: true });
                document.querySelector('.dp').dispatchEvent(end);
                window.leave();
                window.leave = undefined;
            }
            return { listeners, observers, nodes: document.body.childElementCount };
        }"""
    )
    assert left == {"listeners": 0, "observers": 0, "nodes": 0}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(shown: Callable[..., Page], scheme: str) -> None:
    if not AXE.exists() and os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip("no axe-core: npm ci --prefix tests/js")
    page = shown(raft(ask={30: QUESTION}), live=True, reduced_motion="reduce", color_scheme=scheme)
    page.add_script_tag(path=AXE)
    found = []
    for key in ("Home", "ArrowRight", "End", "?"):
        page.keyboard.press(key)
        for context, options in AXE_RUNS:
            result = page.evaluate("([context, options]) => axe.run(context, options)", [context, options])
            found += [(key, each["id"], each["nodes"][0]["html"][:120]) for each in result["violations"]]
    assert not found


def test_keys_and_signs_fit_the_card_and_name_each_sign_once(shown: Callable[..., Page]) -> None:
    page = shown(raft())
    page.keyboard.press("?")
    sheet = page.locator(".dp-menu")
    assert sheet.evaluate("menu => menu.scrollHeight <= menu.clientHeight + 1"), "nothing scrolls at 850 x 590"
    signs = page.locator(".dp-sheet dt").all_text_contents()
    assert len(signs) == len({*signs})


def test_what_is_heard_of_an_entry_names_its_server_and_what_repeats_others_is_not_heard(
    shown: Callable[..., Page],
) -> None:
    page = shown(raft())
    page.keyboard.press("End")
    entry = page.locator('[data-id="cell:S1:1"]')
    expect(entry).to_have_attribute("role", "img")
    expect(entry).to_have_attribute("aria-label", re.compile("^S1, index 1, term 1: "))
    expect(page.locator('[data-id="index:1"]')).to_have_attribute("aria-hidden", "true")
