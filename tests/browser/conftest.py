"""Browser tests drive real JupyterLab in headless Chromium; `lab` and `open_notebook` are all a test needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chapter import Chapter
from playwright.sync_api import Browser, expect, sync_playwright
from rig import HOW_TO_GET_CHROMIUM, QUIET, REPOSITORY, WAIT, Lab, Notebook, Server, find_chromium, jupyterlab

expect.set_options(timeout=WAIT)  # a busy machine is no failure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One JupyterLab for all browser tests. It serves copies: nothing a test saves reaches the repository."""
    home = tmp_path_factory.mktemp("jupyterlab")
    for folder in ("notebooks", "patterns", "widgets", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", ".*", "progress.jsonl")
        if (REPOSITORY / folder).is_dir():
            shutil.copytree(REPOSITORY / folder, home / "root" / folder, ignore=ignored)
    with jupyterlab(home, home / "root") as started:
        yield started


# Not for the session: while Playwright's synchronous API is in use its event loop counts as this thread's running one,
# and asyncio tests of other folders would be refused.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all browser tests. Without Chromium the tests skip; where CI is true they fail."""
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None and os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(HOW_TO_GET_CHROMIUM)
        if executable is None:
            pytest.fail(f"CI must not skip the browser tests: {HOW_TO_GET_CHROMIUM}", pytrace=False)
        started = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="package")
def lab(browser: Browser, server: Server) -> Lab:
    """`with lab.open("notebooks/01_consistent_hashing.ipynb") as notebook:`, also for a fixture of a whole module."""
    return Lab(server, browser)


@pytest.fixture(scope="module")
def opened(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Chapter]:
    """The notebook at a module's `PATH`, opened as its `OPEN` says. No cell has run."""
    with lab.open(request.module.PATH, **request.module.OPEN) as notebook:
        yield Chapter(notebook)


@pytest.fixture
def chapter(opened: Chapter) -> Iterator[Chapter]:
    """The module's notebook. After each test nothing may have gone wrong in the page or the kernel."""
    yield opened
    opened.notebook.settle()
    opened.notebook.check()


@pytest.fixture
def open_notebook(lab: Lab) -> Iterator[Callable[..., Notebook]]:
    """`open_notebook(path)`: a notebook in a page of its own, closed and checked for errors when the test ends."""
    with ExitStack() as opened:
        yield lambda path, **size: opened.enter_context(lab.open(path, **size))
