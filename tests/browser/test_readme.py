"""What the README tells a learner to type opens the index, and a link to a file of the repository opens that file."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect
from rig import REPOSITORY, jupyterlab


def options_in_the_readme() -> list[str]:
    """What its command gives JupyterLab."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found = re.search(r"bin/jupyter lab (.*)$", readme, re.MULTILINE)
    assert found, "the README starts JupyterLab"
    return shlex.split(found[1])


def test_a_link_out_of_the_notebooks_opens_its_file_under_the_command_of_the_readme(
    browser: Browser, tmp_path: Path
) -> None:
    copy = tmp_path / "repository"  # JupyterLab keeps notes beside a file that it opens
    shutil.copytree(REPOSITORY / "notebooks", copy / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(REPOSITORY / "README.md", copy)
    with jupyterlab(tmp_path, copy, options=options_in_the_readme()) as server:
        page = browser.new_page()
        page.goto(f"{server.url}?token={server.token}")
        link = page.locator('.jp-Notebook a[href*="README.md"]')
        link.first.scroll_into_view_if_needed()
        link.first.click()
        expect(page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel", has_text="README.md")).to_be_visible()
        page.close()
