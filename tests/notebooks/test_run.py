"""A notebook fails the run when anything in it fails, seen or not: proved on notebooks with one seeded fault each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

SWALLOWED_BY_OUTPUT = """import ipywidgets
with ipywidgets.Output():
    raise RuntimeError("seeded")"""

SWALLOWED_BY_CALLBACK = """import ipywidgets
button = ipywidgets.Button()
@button.on_click
def press(_):
    raise RuntimeError("seeded")
button.click()"""

OBSERVER = """import ipywidgets
slider = ipywidgets.IntSlider()
def move(change):
    raise RuntimeError("seeded")
slider.observe(move, "value")
slider.value = 3"""

OBSERVER_OVER_COMM = OBSERVER.replace(
    "slider.value = 3",
    "slider.comm.handle_msg({'content': {'data': {'method': 'update', 'state': {'value': 3}}}})",
)

MESSAGE_HANDLER = """import ipywidgets
widget = ipywidgets.DOMWidget()
def answer(widget, content, buffers):
    raise RuntimeError("seeded")
widget.on_msg(answer)
widget._handle_custom_msg({}, [])"""

NOBODY_AWAITED = """import asyncio
async def fail():
    raise RuntimeError("seeded")
task = asyncio.create_task(fail())"""

THREAD = """import threading
def fail():
    raise RuntimeError("seeded")
thread = threading.Thread(target=fail)
thread.start()
thread.join()"""

FAULTS = {
    "a cell that raises": ["raise RuntimeError('seeded')"],
    "swallowed by an Output widget": [SWALLOWED_BY_OUTPUT],
    "swallowed by a button's callback": [SWALLOWED_BY_CALLBACK],
    "an observer": [OBSERVER],
    "an observer, set from the page": [OBSERVER_OVER_COMM],
    "a custom message handler": [MESSAGE_HANDLER],
    "a task nobody awaited": [NOBODY_AWAITED, "await asyncio.sleep(0)"],
    "a thread": [THREAD],
}
"""Fault -> the notebook's code cells. Each raises RuntimeError("seeded")."""


def notebook(*sources: str) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return made


def lenient() -> dict[str, tuple[nbformat.NotebookNode, str]]:
    """What a notebook may not keep or ask for -> such a notebook, and what the refusal says."""
    output, count, tagged, allowing, other, widgets = (notebook("1 + 1") for _ in range(6))
    output.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    count.cells[0].execution_count = 1
    tagged.cells[0].metadata.tags = ["raises-exception"]
    allowing.metadata.execution = {"allow_errors": True}
    other.metadata.kernelspec["name"] = "my-env"
    widgets.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return {
        "a stored output": (output, "cell 0 stores its output"),
        "a stored execution count": (count, "cell 0 stores its output or execution count"),
        "a tag that lets a cell fail": (tagged, "cell 0 is tagged raises-exception"),
        "metadata that let every cell fail": (allowing, "no cell may fail"),
        "another kernel": (other, "its kernelspec is 'my-env'"),
        "the state of widgets": (widgets, "it stores the state of widgets"),
    }


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One run of `pytest --nbmake` over all the notebooks made here: name -> why it was refused, empty if it passed.

    The machine is set against it: a `python3` kernel of the user's own that cannot start stands first in line.
    """
    folder = tmp_path_factory.mktemp("seeded")
    shutil.copy(NOTEBOOKS / "conftest.py", folder)
    made = {name: notebook(*cells) for name, cells in FAULTS.items()} | {
        name: nb for name, (nb, _) in lenient().items()
    }
    made["nothing wrong"] = notebook("import ipywidgets\nwith ipywidgets.Output():\n    print('shown')", "1 + 1")
    for name, contents in made.items():
        nbformat.write(contents, folder / f"{name}.ipynb")
    rogue = folder / "share" / "kernels" / "python3"
    rogue.mkdir(parents=True)
    (rogue / "kernel.json").write_text(
        json.dumps({"argv": ["no-such-python"], "display_name": "x", "language": "python"})
    )
    command = [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=60", "--junitxml=report.xml", "-q", "."]
    environment = os.environ | {"JUPYTER_PATH": str(folder / "share"), "JUPYTER_PREFER_ENV_PATH": "0"}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    cases = ElementTree.parse(folder / "report.xml").iter("testcase")
    return {case.attrib["name"].removesuffix(".ipynb"): "".join(case.itertext()) for case in cases}


def test_a_notebook_with_nothing_wrong_passes_whatever_kernels_the_machine_has(verdicts: dict[str, str]) -> None:
    assert verdicts["nothing wrong"] == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_fails_its_notebook_whoever_swallows_it(verdicts: dict[str, str], fault: str) -> None:
    assert "RuntimeError" in verdicts[fault]
    assert "seeded" in verdicts[fault]


@pytest.mark.parametrize("kept", lenient())
def test_a_notebook_keeps_nothing_of_an_earlier_run_and_asks_for_no_leniency(
    verdicts: dict[str, str], kept: str
) -> None:
    assert lenient()[kept][1] in verdicts[kept]
