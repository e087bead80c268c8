"""Every step of every run, at fixed widths: nothing overlaps, is cut, is too small or too high, nothing moves.

One page of one Chromium walks them all; a run is what a saved page holds. By default every eighth step of the runs of
the gallery is looked at in the card of JupyterLab at 1280x720. `-m slow` looks in all windows at every step of these
and of every player of every notebook.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import Browser, Page, expect
from rig import SCREENSHOTS

from patterns.engine.history import History
from widgets.assets import SCRIPTS, STYLE
from widgets.player import Player
from widgets.question import questions_of

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = sorted(path.parent.name for path in ROOT.glob("patterns/*/lesson"))
SIZES = {
    "lab at 1280x720": (850, 590, 590),
    "lab at 1440x900": (1110, 779, 779),
    "file browser open": (640, 600, None),
    "900 px with the file browser": (466, 600, None),
    "zoom of 200 %": (350, 450, None),
    "phone": (390, 844, None),
}
"""Window -> its width and height, and the height that the card may have."""
MOST_SCROLLING = 0.05
"""The part of the steps in which the words may be longer than their place."""
PAGE = f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>walk</title><style>body {{ margin: 0; }} {STYLE}</style><body></body></html>"""


def runs(chapter: str) -> dict[str, Callable[[], History[Any, Any]]]:
    return dict(import_module(f"patterns.{chapter}.lesson").CHAPTER.gallery)


def state_of(history: History[Any, Any], title: str = "") -> str:
    """What a saved page of this run holds."""
    history.jump(0)
    return Player(history, subtitle=title).saved


COLLECT = """
import gc, json
from widgets.player import Player
from widgets.question import questions_of
players = [each for each in gc.get_objects() if issubclass(type(each), Player)]
print(json.dumps([[player.head["subtitle"], player.saved] for player in players]))
"""


def players_of(path: Path) -> dict[tuple[str, str], str]:
    """What the saved pages of all players of a notebook hold, after every cell was run."""
    notebook = nbformat.read(path, 4)
    notebook.cells.append(nbformat.v4.new_code_cell(COLLECT))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    said = "".join(output.text for output in notebook.cells[-1].outputs if output.get("name") == "stdout")
    return {(path.stem, f"{at}: {title}"): state for at, (title, state) in enumerate(json.loads(said))}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(reduced_motion="reduce")
    opened.set_content(PAGE)
    opened.add_script_tag(content=SCRIPTS["player"].replace("export default", "window.player ="), type="module")
    opened.add_script_tag(path=Path(__file__).parent / "walk.js")
    yield opened
    opened.close()


def walked(page: Page, state: str, size: tuple[int, int, int | None], every: int) -> dict[str, Any]:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    found: dict[str, Any] = page.evaluate("([state, every]) => walk(player, JSON.parse(state), every)", [state, every])
    return found


def judge(found: dict[str, Any], size: tuple[int, int, int | None], what: str) -> list[str]:
    """The problems of a walk, one line for each kind."""
    kinds = Counter(kind for kind, _, _ in found["problems"])
    first = {kind: f"{where}: {text}" for kind, where, text in reversed(found["problems"])}
    wrong = [f"{what}: {count} x {kind}, first at {first[kind]}" for kind, count in kinds.items()]
    if size[2] is not None and found["high"] > size[2] + 0.5:
        wrong.append(f"{what}: the card is {found['high']} px high, {size[2]} are there")
    return wrong


@pytest.fixture(scope="module")
def states() -> dict[tuple[str, str], str]:
    return {(chapter, title): state_of(run(), title) for chapter in CHAPTERS for title, run in runs(chapter).items()}


CUT = {
    ("zoom of 200 %", "A read is not repeatable"),
    ("phone", "A read is not repeatable"),
    ("zoom of 200 %", "Both styles: two sagas wait for each other"),
}
"""Two sagas beside one another on so few pixels: a step's name is cut in some steps, and nothing else may be wrong."""
QUESTIONS = sorted(path.parent.name for path in ROOT.glob("widgets/chapters/*/questions.toml"))
FITS = """() => {
  const [read, last] = [document.querySelector(".dp-read"), [...document.querySelectorAll(".dp-option")].at(-1)];
  return last.getBoundingClientRect().bottom <= read.getBoundingClientRect().bottom + 0.5;
}"""
SCROLLS = "() => document.querySelector('.dp-read').scrollHeight > document.querySelector('.dp-read').clientHeight + 1"
OTHERS = [name for name in SIZES if name != "lab at 1280x720"]


def walk_all(page: Page, states: dict[tuple[str, str], str], name: str, every: int) -> None:
    wrong, steps, scrolls = [], 0, 0
    for (chapter, title), state in states.items():
        found = walked(page, state, SIZES[name], every)
        if (name, title) in CUT:
            assert {kind for kind, _, _ in found["problems"]} <= {"cut"}, f"{name}, {title}: other than said in CUT"
            continue
        wrong += judge(found, SIZES[name], f"{chapter}, {title}")
        steps += found["steps"]
        scrolls += found["scrolls"]
    assert steps >= len(states) > 0, "each run has a step"
    if scrolls > MOST_SCROLLING * steps:
        wrong.append(f"the words are too long in {scrolls} of {steps} steps")
    assert not wrong, f"{len(wrong)} in {steps} steps:\n" + "\n".join(wrong)


def test_every_run_fits_one_screen(page: Page, states: dict[tuple[str, str], str]) -> None:
    """JupyterLab at 1280x720 leaves 850 x 590 pixels."""
    walk_all(page, states, "lab at 1280x720", 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_run_fits_one_other_window(page: Page, states: dict[tuple[str, str], str], name: str) -> None:
    mine = {run: state for at, (run, state) in enumerate(states.items()) if at % len(OTHERS) == OTHERS.index(name)}
    walk_all(page, mine, name, 40)


def test_every_question_shows_all_its_options_and_then_what_happened(page: Page) -> None:
    """JupyterLab at 1280x720. A learner who must scroll to the last option takes one of the first."""
    history = History(next(iter(runs("cqrs").values()))().machine)
    history.advance()  # one step is enough for a question to stand at
    history.jump(0)
    page.set_viewport_size({"width": 850, "height": 590})
    hidden = []
    for chapter in QUESTIONS:
        for name, question in questions_of(f"widgets.chapters.{chapter}").items():
            page.evaluate("state => { show(player, JSON.parse(state)); }", Player(history, ask={1: question}).saved)
            page.locator(".dp").focus()
            page.keyboard.press("ArrowRight")
            expect(page.locator(".dp-option")).to_have_count(len(question.options))
            if not page.evaluate(FITS):
                hidden.append(f"{chapter}: {name}")
            wrong = max((len(o.because), at) for at, o in enumerate(question.options) if not o.right)[1]
            page.keyboard.press(str(wrong + 1))
            expect(page.locator(".dp-guess")).to_contain_text("You said")
            if page.evaluate(SCROLLS):
                hidden.append(f"{chapter}: after {name}")
    assert not hidden, hidden


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_every_step_of_every_run_fits_its_window(page: Page, states: dict[tuple[str, str], str], name: str) -> None:
    walk_all(page, states, name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_step_of_every_player_of_a_notebook_fits_its_window(page: Page, notebook: Path) -> None:
    """With its questions, and the runs that its exercises show before anything is attempted."""
    states = players_of(notebook)
    for name in SIZES:
        walk_all(page, states, name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_each_chapter_are_kept_to_be_looked_at(page: Page, scheme: Literal["light", "dark"]) -> None:
    """A step in the middle of each chapter's first run, as `.screenshots/walk_<chapter>_<scheme>.png`."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": 850, "height": 590})
    sizes = []
    for chapter in CHAPTERS:
        title, run = next(iter(runs(chapter).items()))
        page.evaluate("state => { show(player, JSON.parse(state)); }", state_of(run(), title))
        slider = page.get_by_role("slider", name="Step")
        slider.fill(str(int(slider.get_attribute("max") or 0) // 2))
        sizes.append(len(page.screenshot(path=SCREENSHOTS / f"walk_{chapter}_{scheme}.png")))
    assert min(sizes) > 10_000, "each is a picture"
