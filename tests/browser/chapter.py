"""A chapter's notebook as a learner uses it: its cells by their ids, its players by what they show."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, expect
from rig import REPOSITORY, Notebook


class Chapter:
    """An open notebook with every cell run once. A test that needs a fresh player runs the player's cell again."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page
        cells = json.loads((REPOSITORY / notebook.path).read_text(encoding="utf-8"))["cells"]
        self.ids = [cell["id"] for cell in cells]

    def run(self, cell: str) -> Locator:
        """Run a cell by its id; its output, scrolled into view: a cell out of sight may be out of the page."""
        self.notebook.run(self.ids.index(cell))
        self.page.evaluate("at => window.panel.content.scrollToItem(at)", self.ids.index(cell))
        output = self.output(cell)
        output.scroll_into_view_if_needed()
        return output

    def output(self, cell: str) -> Locator:
        return self.notebook.cell(self.ids.index(cell)).locator(".jp-OutputArea").first

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


def button(player: Locator, name: str) -> Locator:
    return player.get_by_role("button", name=name, exact=True)


def at_step(player: Locator, depth: int, of: int) -> None:
    expect(player.locator(".dp-count")).to_have_text(f"{depth} / {of}")


def depth(player: Locator) -> int:
    return int(player.locator(".dp-count").inner_text().split("/")[0])


def run_until(player: Locator, milestone: str) -> None:
    """Choose it, and wait until the kernel says that it was reached."""
    player.get_by_role("combobox", name="Run until").select_option(milestone)
    expect(player.locator(".dp-said")).to_contain_text(f"{milestone}: after")


def choose(player: Locator, menu: str, choice: str) -> None:
    """Open one of the menus of what can be done, and do one of it."""
    before = depth(player)
    button(player, f"{menu}…").click()
    player.get_by_role("dialog").locator(".dp-act", has_text=choice).first.click()
    expect(player.locator(".dp-count")).to_have_text(f"{before + 1} / {before + 1}")


def answer(player: Locator, text: str) -> None:
    player.locator(".dp-option", has_text=text).click()
