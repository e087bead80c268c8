"""The rig itself, on notebooks made here: it sees what a learner would see, and no error gets past it."""

from __future__ import annotations

import nbformat
import pytest
from rig import Lab, Server

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


def write(server: Server, name: str, *cells: str) -> str:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(notebook, server.root / name)
    return name


def test_a_widget_drawn_by_a_cell_answers_a_click_and_its_kernel_sees_it(lab: Lab, server: Server) -> None:
    path = write(server, "counter.ipynb", COUNTER, "counter.count")
    with lab.open(path) as notebook:
        notebook.run_all()
        button = notebook.page.get_by_role("button", name="count 1")
        button.click()
        notebook.page.get_by_role("button", name="count 2").wait_for()
        notebook.run(1)
        assert notebook.cell(1).locator(".jp-OutputArea-output").inner_text() == "2"
        colour = "element => getComputedStyle(element).color"
        light = notebook.page.locator(".counter").evaluate(colour)
        notebook.theme(dark=True)
        assert notebook.page.locator(".counter").evaluate(colour) != light
        assert notebook.screenshot("rig").stat().st_size > 1000
