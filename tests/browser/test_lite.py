"""The notebooks in JupyterLite: Python runs inside the page. The site is built and walked; this takes minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from chapter import before
from playwright.sync_api import Browser, Page, expect
from rig import REPOSITORY

from widgets.site import lite
from widgets.site.wheels import NotFetched

pytestmark = pytest.mark.slow

STARTING_MS = 240_000
"""How long a kernel may take to start on a busy machine: it compiles Python, and unpacks its packages."""
OPEN = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    window.panel = panel;
    return panel?.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN = """async (at) => {
    const { content, sessionContext } = window.panel;
    content.activeCellIndex = at;
    content.deselectAll();
    await window.jupyterapp.commands.execute('notebook:run-cell');
    await sessionContext.session.kernel.requestKernelInfo();
    content.scrollToItem(at);
    return content.widgets[at].model.outputs.toJSON();
}"""


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the built site on this machine."""
    folder = tmp_path_factory.mktemp("site")
    try:
        lite.write(folder)
    except NotFetched as problem:
        pytest.skip(f"the packages of JupyterLite cannot be fetched here: {problem}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/lite"
    server.shutdown()
    server.server_close()


class Cells:
    """An open notebook in JupyterLite. A cell runs after those that it needs."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        cells = json.loads((REPOSITORY / "notebooks" / name).read_text("utf-8"))["cells"]
        self.ids = [cell["id"] for cell in cells]
        self.sources = ["".join(cell["source"]) if cell["cell_type"] == "code" else "" for cell in cells]
        self.has_run: set[int] = set()

    def run(self, cell: str) -> Any:
        """The cell in the page, after it has run without an error."""
        at = self.ids.index(cell)
        for each in [*before(self.sources, at), at]:
            if each not in self.has_run or each == at:
                outputs = self.page.evaluate(RUN, each)
                assert not [output for output in outputs if output["output_type"] == "error"], (self.ids[each], outputs)
                self.has_run.add(each)
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{at}"]')

    def write(self, cell: str, source: str) -> None:
        script = "([at, source]) => window.panel.content.widgets[at].model.sharedModel.setSource(source)"
        self.page.evaluate(script, [self.ids.index(cell), source])


@contextmanager
def notebook(browser: Browser, site: str, name: str, app: str = "lab") -> Iterator[Cells]:
    """A notebook with its kernel, in a new browser. At the end, no request went to another host.

    `app` is `lab`, or `notebooks`: one notebook in the whole window, which fits a phone too.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"{site}/{app}/index.html?path=notebooks/{name}")
    page.wait_for_function(OPEN, timeout=STARTING_MS, polling=200)
    yield Cells(page, name)
    context.close()
    host = site.removesuffix("lite")
    assert [url for url in asked if not url.startswith((host, "data:", "blob:"))] == []


def test_raft_is_stepped_and_judged_inside_the_page(browser: Browser, site: str) -> None:
    with notebook(browser, site, "05_consensus_raft.ipynb") as cells:
        player = cells.run("minority").locator(".dp:not(.dp-question)").first
        count = player.locator(".dp-count")
        expect(count).to_have_text("27 / 69")
        player.get_by_role("button", name="Forward").first.click()
        expect(count).to_have_text("28 / 69")

        cells.write("grant", "def grant(server, request):\n    return True")
        refused = cells.run("grant-check")
        expect(refused).to_contain_text("Not yet")
        solution = (REPOSITORY / "notebooks" / "solutions" / "consensus_raft.py").read_text("utf-8")
        cells.write("grant", solution)
        cells.page.evaluate(RUN, cells.ids.index("grant"))
        expect(cells.run("grant-check")).to_contain_text("Accepted")

        recorded = cells.run("real-run")
        expect(recorded).to_contain_text("Python inside a web page has none. Below is a recording")
        expect(recorded).to_contain_text("killed; B asks")
        player = recorded.locator(".dp")
        player.get_by_role("button", name="Forward").click()
        expect(player.locator(".dp-count")).to_contain_text("1 /")


def test_the_ring_needs_no_numpy_and_its_chart_is_drawn_or_recorded(browser: Browser, site: str) -> None:
    with notebook(browser, site, "01_consistent_hashing.ipynb", "notebooks") as cells:
        player = cells.run("tier").locator(".dp:not(.dp-question)").first
        player.get_by_role("button", name="Forward").first.click()
        expect(player.locator(".dp-count")).to_have_text("1 / 8")
        expect(cells.run("balance").locator(".js-plotly-plot")).to_be_visible()
        expect(cells.run("servers-ring")).to_contain_text("143 keys moved")


def test_a_cell_that_the_learner_changes_shows_no_recording(browser: Browser, site: str) -> None:
    with notebook(browser, site, "02_replication.ipynb") as cells:
        source = cells.sources[cells.ids.index("real")]
        cells.write("real", source.replace('mode="async"', 'mode="sync"'))
        changed = cells.run("real")
        expect(changed).to_contain_text("The cell has been changed")
        expect(changed.locator(".dp")).to_have_count(0)
