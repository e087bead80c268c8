"""The static site's first picture on a cold cache, beside a bare page with one drawing, in one run.

    .venv/bin/python tests/benchmarks/bench_site.py

Each page is opened from the disk in a browser context of its own, with nothing in its cache. Every page takes its turn
in every round, so that a busy machine slows all of them alike. Figures are medians, and the slowest beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from rig import QUIET, find_chromium

from widgets.site.build import Site

ROUNDS = 9
BARE = (
    "<!doctype html><title>bare</title><svg width='300' height='300'><circle cx='150' cy='150' r='99'/></svg><h1>x</h1>"
)
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) =>
    done(Math.max(...list.getEntries().map((entry) => entry.startTime)))
).observe({ type: "largest-contentful-paint", buffered: true }))"""


def measured(folder: Path) -> dict[str, list[float]]:
    """Page in the folder -> ms to its first picture, in each round."""
    took: dict[str, list[float]] = {"bare.html": [], "index.html": [], "sharding.html": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(QUIET))
        for _ in range(ROUNDS):
            for name, ms in took.items():
                context = browser.new_context(viewport={"width": 1280, "height": 720})
                page = context.new_page()
                page.goto((folder / name).as_uri())
                ms.append(page.evaluate(PAINTED))
                context.close()
        browser.close()
    return took


def main() -> None:
    with TemporaryDirectory() as folder:
        Site(Path(folder)).write(("consistent_hashing", "sharding"))
        (Path(folder) / "bare.html").write_text(BARE, encoding="utf-8")
        took = measured(Path(folder))
    print(f"{'page':16}{'first picture':>16}{'slowest':>12}")
    for name, ms in took.items():
        print(f"{name:16}{median(ms):13.0f} ms{max(ms):9.0f} ms")


if __name__ == "__main__":
    main()
