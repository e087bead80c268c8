"""The rig itself, on notebooks made here: it sees what a learner would see, and no error gets past it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from chapter import before
from rig import REPOSITORY, Lab, Notebook, Server, write

COUNTER = '''
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """export default { render({ model, el }) {
        const button = Object.assign(document.createElement('button'), { className: 'counter' });
        const show = () => { button.textContent = `count ${model.get('count')}`; };
        button.onclick = () => { model.set('count', model.get('count') + 1); model.save_changes(); };
        model.on('change:count', show); show(); el.append(button);
    } };"""
    _css = ".counter { color: var(--jp-ui-font-color1); }"
    count = traitlets.Int(1).tag(sync=True)

counter = Counter()
counter'''

WIDGET = '''
import anywidget, traitlets

class Seeded(anywidget.AnyWidget):
    _esm = """export default { render({ model, el }) {
        const button = Object.assign(document.createElement('button'), { textContent: 'go' });
        button.onclick = () => { %s };
        el.append(button);
        %s
    } };"""
    value = traitlets.Int(0).tag(sync=True)

def fail(*_):
    raise RuntimeError("seeded")

seeded = Seeded()
%s
seeded'''

OUTPUT = """
import ipywidgets
with ipywidgets.Output():
    raise RuntimeError("seeded")"""

CALLBACK = """
import ipywidgets
button = ipywidgets.Button()
button.on_click(lambda _: 1 / 0)
button.click()"""

SET = "model.set('value', 1); model.save_changes();"


def test_a_widget_drawn_by_a_cell_answers_a_click_and_its_kernel_sees_it(lab: Lab, server: Server) -> None:
    with lab.open(write(server, "counter.ipynb", COUNTER, "counter.count")) as notebook:
        notebook.run_all()
        notebook.page.get_by_role("button", name="count 1").click()
        notebook.page.get_by_role("button", name="count 2").wait_for()
        notebook.run(1)
        assert notebook.cell(1).locator(".jp-OutputArea-output").inner_text() == "2"


def test_the_dark_theme_reaches_a_widget_and_the_next_notebook_begins_in_the_light_one(
    lab: Lab, server: Server
) -> None:
    path = write(server, "theme.ipynb", COUNTER)
    seen = []
    for dark in (True, False):
        with lab.open(path) as notebook:
            notebook.run_all()
            if dark:
                notebook.theme(dark=True)
            seen.append(notebook.page.locator(".counter").evaluate("element => getComputedStyle(element).color"))
            notebook.screenshot(f"rig_{'dark' if dark else 'light'}")
    assert len(set(seen)) == 2


def test_a_notebook_left_behind_keeps_no_kernel_and_changes_no_file(lab: Lab, server: Server) -> None:
    path = write(server, "left.ipynb", "1 + 1")
    before = (server.root / path).read_bytes()
    with lab.open(path) as notebook:
        notebook.run_all()
    with urlopen(f"{server.url}api/kernels?token={server.token}") as answer:
        assert json.load(answer) == []
    assert (server.root / path).read_bytes() == before


WHILE_IT_RUNS = {
    "a cell that raises": ("raise RuntimeError('seeded')", "RuntimeError: seeded"),
    "an error swallowed by an Output widget": (OUTPUT, "RuntimeError: seeded"),
    "an error in a callback": (CALLBACK, "ZeroDivisionError"),
}
AFTER_A_CLICK = {
    "a click handler in the page": (WIDGET % ("throw Error('seeded');", "", ""), "page error: Error: seeded"),
    "a custom message handler": (WIDGET % ("model.send({});", "", "seeded.on_msg(fail)"), "RuntimeError: seeded"),
    "an observer of a trait": (WIDGET % (SET, "", "seeded.observe(fail, 'value')"), "RuntimeError: seeded"),
}
"""Fault -> a cell, and the report of it."""
WRONG = [*WHILE_IT_RUNS, *AFTER_A_CLICK]


@pytest.fixture(scope="module")
def faulty(lab: Lab, server: Server) -> Iterator[Notebook]:
    """A notebook with a cell for each fault."""
    cells = [cell for cell, _ in (WHILE_IT_RUNS | AFTER_A_CLICK).values()]
    with lab.open(write(server, "faulty.ipynb", *cells)) as notebook:
        yield notebook


@pytest.mark.parametrize("fault", WHILE_IT_RUNS)
def test_what_goes_wrong_while_a_cell_runs_fails_the_notebook(faulty: Notebook, fault: str) -> None:
    with pytest.raises(AssertionError, match=WHILE_IT_RUNS[fault][1]):
        faulty.run(WRONG.index(fault))
    assert faulty.take_problems()


@pytest.mark.parametrize("fault", AFTER_A_CLICK)
def test_what_goes_wrong_after_a_click_fails_the_notebook(faulty: Notebook, fault: str) -> None:
    faulty.run(WRONG.index(fault))
    faulty.cell(WRONG.index(fault)).get_by_role("button", name="go").click()
    faulty.settle()
    assert AFTER_A_CLICK[fault][1] in "\n".join(faulty.take_problems())


@pytest.mark.slow
def test_a_problem_that_no_test_took_fails_it_at_the_end(lab: Lab, server: Server) -> None:
    path = write(server, "late.ipynb", "1 / 0")
    with pytest.raises(AssertionError, match="division by zero"), lab.open(path) as notebook:
        notebook.command("notebook:run-all-cells")


def test_a_widget_that_cannot_draw_itself_fails_the_notebook(lab: Lab, server: Server) -> None:
    with lab.open(write(server, "blank.ipynb", WIDGET % ("", "throw Error('seeded')", ""))) as notebook:
        with notebook.page.expect_console_message(lambda message: "seeded" in message.text):
            notebook.command("notebook:run-all-cells")
        assert "seeded" in "\n".join(notebook.take_problems())


def test_a_cell_is_run_with_those_that_make_or_change_what_it_uses() -> None:
    cells = ["import math", "run = [math.pi]", "other = 1", "run.append(3)", "print(other)", "print(run)"]
    assert before(cells, 5) == [0, 1, 3]
    assert before(cells, 4) == [2]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs_and_draws_itself_in_jupyterlab(lab: Lab, path: Path) -> None:
    with lab.open(f"notebooks/{path.name}") as notebook:
        notebook.run_all()
        assert notebook.page.locator(".jp-OutputArea-output").count() > 0
