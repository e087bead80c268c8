"""A chapter's notebook as a learner uses it: its cells by their ids, its players by their pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from playwright.sync_api import Locator, expect
from rig import REPOSITORY, Notebook

from widgets.cells import cell_of, needed


def before(sources: Sequence[str], at: int) -> list[int]:
    """The cells that must run before the one at `at`: those that make or change what it uses, and what these use."""
    cells = [cell_of(number, source) for number, source in enumerate(sources[: at + 1])]
    return [cell.number for cell in needed(cells, cells[at:])[:-1]]


class Chapter:
    """An open notebook. A cell is run with those that it needs; to have a fresh player, its cell is run again."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page
        cells = json.loads((REPOSITORY / notebook.path).read_text(encoding="utf-8"))["cells"]
        self.ids = [cell["id"] for cell in cells]
        self.sources = ["".join(cell["source"]) if cell["cell_type"] == "code" else "" for cell in cells]
        self.has_run: set[int] = set()

    def run(self, cell: str) -> Locator:
        """Run a cell by its id; its output, scrolled into view: a cell out of sight may be out of the page."""
        at = self.ids.index(cell)
        for each in [first for first in before(self.sources, at) if first not in self.has_run] + [at]:
            self.notebook.run(each)
            self.has_run.add(each)
        self.page.evaluate("at => window.panel.content.scrollToItem(at)", at)
        output = self.output(cell)
        output.scroll_into_view_if_needed()
        return output

    def output(self, cell: str) -> Locator:
        """The output of a cell, which is run if it has not been."""
        at = self.ids.index(cell)
        return self.notebook.cell(at).locator(".jp-OutputArea").first if at in self.has_run else self.run(cell)

    def player(self, cell: str) -> Locator:
        """A fresh player, where it opens."""
        player = self.run(cell).locator(".dp:not(.dp-question)")
        expect(player.locator(".dp-say p").first).to_be_attached()
        return player

    def write(self, cell: str, source: str) -> None:
        """Type over a cell's source, as a learner would."""
        script = "([at, source]) => window.panel.content.widgets[at].model.sharedModel.setSource(source)"
        self.page.evaluate(script, [self.ids.index(cell), source])

    def source(self, cell: str) -> str:
        script = "at => window.panel.content.widgets[at].model.sharedModel.getSource()"
        return str(self.page.evaluate(script, self.ids.index(cell)))

    def check_dark(self, player: Locator, name: str) -> None:
        """The dark theme reaches a player. Its pictures are kept as `<name>_light` and `<name>_dark`."""
        background = "element => getComputedStyle(element).backgroundColor"
        light = player.evaluate(background)
        self.notebook.screenshot(f"{name}_light", player)
        with self.notebook.dark():
            expect(player).not_to_have_css("background-color", light)
            channels = [int(channel) for channel in re.findall(r"\d+", player.evaluate(background))[:3]]
            assert max(channels) < 64, channels
            self.notebook.screenshot(f"{name}_dark", player)


def button(player: Locator, name: str) -> Locator:
    return player.get_by_role("button", name=name, exact=True)


def at_step(player: Locator, depth: int, of: int) -> None:
    expect(player.locator(".dp-count")).to_have_text(f"{depth} / {of}")


def depth(player: Locator) -> int:
    return int(player.locator(".dp-count").inner_text().split("/")[0])


def run_until(player: Locator, milestone: str) -> None:
    """Choose it, and wait until the kernel says that it was reached."""
    button(player, "Run until…").click()
    player.get_by_role("dialog").get_by_role("button", name=milestone, exact=True).click()
    expect(player.locator(".dp-said")).to_contain_text(f"{milestone}: after")


def menu(player: Locator, group: str) -> Locator:
    """The choices of a group, with all that are folded away."""
    breaks = group in (
        "crash",
        "restart",
        "cut",
        "heal",
        "pause",
        "resume",
        "cut one way",
        "drop",
        "duplicate",
        "delay",
    )
    player.locator(".dp-controls").get_by_role(
        "button", name=re.compile("Break…" if breaks else "Request…|Do…")
    ).click()
    dialog = player.get_by_role("dialog")
    dialog.evaluate("box => box.querySelectorAll('details').forEach(each => (each.open = true))")
    return dialog


def choose(player: Locator, group: str, choice: str) -> None:
    """Open the menu of requests or faults, and choose one."""
    before = depth(player)
    menu(player, group).locator(".dp-act:not(.dp-shut)", has_text=choice).first.click()
    expect(player.locator(".dp-count")).to_have_text(f"{before + 1} / {before + 1}")


def run_menu(player: Locator) -> Locator:
    """What belongs to the run as a whole: branches, its replay code, hidden steps."""
    player.locator(".dp-more-button").click()
    return player.get_by_role("dialog")


def code_of(player: Locator) -> str:
    """The replay code of the run, as far as it is shown."""
    code = run_menu(player).locator(".dp-codetext").inner_text()
    player.press("Escape")
    return code


def open_code(player: Locator, code: str) -> None:
    dialog = run_menu(player)
    dialog.get_by_role("textbox", name="Replay code", exact=True).fill(code)
    dialog.get_by_role("button", name="Open").click()


def kept_all(player: Locator) -> None:
    """Nothing that is promised is broken in the state shown."""
    expect(player.locator(".dp-promises")).to_contain_text("✓")
    expect(player.locator(".dp-broken")).to_have_count(0)


def row(player: Locator, mark: str, left: str, right: str) -> None:
    """A row of the picture, by its mark: what stands at its left end and at its right end, both in sight."""
    words = player.locator(f'.dp-stage [data-id="{mark}"] text')
    expect(words).to_have_text([left, right])
    for word in (words.first, words.last):
        expect(word).to_be_visible()


def answer(player: Locator) -> None:
    """Take the first option of the question that is open; it then stands beside the outcome."""
    option = player.locator(".dp-ask .dp-option").first
    taken = option.inner_text().splitlines()[-1]  # without its number
    option.click()
    expect(player.locator(".dp-guess")).to_contain_text(taken)
