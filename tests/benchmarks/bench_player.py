"""The player, measured in real JupyterLab: the first picture from a cold kernel, the work of a step, a page's size.

    .venv/bin/python tests/benchmarks/bench_player.py

A step's work is everything the browser does in one go for a key press: script, style and layout, forced at once.
Painting follows in the next frame. Figures are medians over fresh kernels (first picture) and over steps forward and
back (work); the machine's other work is in them, so the peer, a bare widget of one line, runs beside them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from rig import QUIET, Lab, Notebook, find_chromium, jupyterlab

RUNS = 5
STEPS = 50

BARE = """import anywidget, traitlets
class Bare(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.innerHTML = '<b class=ready>ready</b>'; } }"
Bare()"""
RING = """from zoneinfo import available_timezones
from patterns.consistent_hashing import CacheTier
from patterns.engine.history import History
from widgets import play
from patterns.consistent_hashing import Advance, Look
zones = sorted(available_timezones())
run = History(CacheTier(keys=zones))
for zone in zones[:25]: run.run([Look(zone), Advance()])
run.jump(0)
player = play(run)
player"""
RAFT = """from patterns.consensus_raft import RaftCluster
from patterns.engine.history import History
from widgets import play
run = History(RaftCluster(seed=7))
for _ in range(50): run.advance()
run.jump(0)
player = play(run)
player"""
CELLS = {"bare widget": (BARE, ".ready"), "ring": (RING, ".dp .dp-body"), "raft": (RAFT, ".dp .dp-body")}

FIRST_PICTURE = """(selector) => new Promise((done) => {
    const began = performance.now();
    const seen = () => document.querySelector(selector)
        ? requestAnimationFrame(() => done(performance.now() - began)) : requestAnimationFrame(seen);
    window.jupyterapp.commands.execute('notebook:run-cell');
    seen();
})"""
WORK = """(steps) => {
    const root = document.querySelector('.dp'), took = [];
    for (const key of ['ArrowRight', 'ArrowLeft'])
        for (let i = 0; i < steps; i++) {
            const began = performance.now();
            root.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
            root.getBoundingClientRect();
            took.push(performance.now() - began);
        }
    return took;
}"""


def write(root: Path, name: str, source: str) -> str:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("")])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / f"{name}.ipynb")
    return f"{name}.ipynb"


def measure(lab: Lab, name: str, source: str, selector: str) -> tuple[list[float], list[float], int]:
    """Milliseconds to the first picture, one a fresh kernel; milliseconds of each step; bytes of the saved page."""
    path = write(lab.server.root, name.replace(" ", "_"), source)
    first, work, size = [], [], 0
    for _ in range(RUNS):
        with lab.open(path) as notebook:
            first.append(notebook.page.evaluate(FIRST_PICTURE, selector))
            notebook.wait_idle()
            if selector.startswith(".dp"):
                work += notebook.page.evaluate(WORK, STEPS)
                size = page_size(notebook)
    return first, work, size


def page_size(notebook: Notebook) -> int:
    return int(
        notebook.page.evaluate(
            """() => new Promise((done) => {
                const kernel = window.panel.sessionContext.session.kernel;
                const wanted = { n: 'len(player.page().encode())' };
                const asked = kernel.requestExecute({ code: '', user_expressions: wanted });
                asked.done.then((reply) => done(reply.content.user_expressions.n.data['text/plain']));
            })"""
        )
    )


def main() -> None:
    home = Path(tempfile.mkdtemp())
    root = home / "root"
    root.mkdir()
    with jupyterlab(home, root) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(QUIET))
        lab = Lab(server, browser)
        print(f"{'':14}{'first picture':>16}{'step, median':>16}{'95th':>10}{'page of 50 steps':>20}")
        for name, (source, selector) in CELLS.items():
            first, work, size = measure(lab, name, source, selector)
            line = f"{name:14}{statistics.median(first):13.0f} ms"
            if work:
                p95 = statistics.quantiles(work, n=20)[18]
                line += f"{statistics.median(work):13.1f} ms{p95:7.1f} ms{size / 1000:17.0f} kB"
            print(line)
        browser.close()


if __name__ == "__main__":
    main()
