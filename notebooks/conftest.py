"""What a notebook must do to pass, beyond nbmake's own rule that no cell may fail.

pytest reads this file with and without `tests/`, so `pytest --nbmake notebooks` is as strict as the whole run. Each
notebook is run once, by nbmake, in a new kernel; here that one run also

- hears every error that the kernel publishes, whoever swallows it: an Output widget, a callback, a task nobody awaited;
- refuses a notebook that stores outputs or that asks for leniency (a tag, `allow_errors`, another kernel);
- uses the kernel of this very environment, whatever Jupyter's settings on this machine say.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.util import run_sync
from nbformat import NotebookNode
from nbmake import nb_run, pytest_items
from nbmake.nb_result import NotebookError, NotebookResult
from nbmake.nb_run import NotebookRun

TRACEBACK = "Traceback (most recent call last)"
LENIENT = {"raises-exception", "skip-execution"}
# A task that failed unseen says so when it is collected, so nothing may hold it any more.
LAST_CELL = "%reset -f\nimport gc; gc.collect()"


def stored(notebook: NotebookNode) -> Iterator[str]:
    """What the file keeps of an earlier run, or asks this run to overlook; each in a sentence."""
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield f"its kernelspec is {kernel!r}; it must be 'python3', which every installation has"
    if "widgets" in notebook.metadata:
        yield "it stores the state of widgets; run nbstripout on it"
    if notebook.metadata.get("execution", {}).get("allow_errors"):
        yield "its metadata allow errors; no cell may fail"
    for number, cell in enumerate(notebook.cells):
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield f"cell {number} stores its output or execution count; run nbstripout on it"
        if lenient := LENIENT & set(cell.metadata.get("tags", ())):
            yield f"cell {number} is tagged {', '.join(sorted(lenient))}; every cell must run and none may fail"


class ListeningClient(NotebookClient):
    """Keeps in the notebook's metadata what goes wrong outside a cell's own result, as `swallowed`."""

    async def async_start_new_kernel_client(self) -> Any:
        client = await super().async_start_new_kernel_client()
        receive, swallowed = client.iopub_channel.get_msg, self.nb.metadata.setdefault("swallowed", [])

        async def get_msg(*arguments: Any, **named: Any) -> dict[str, Any]:
            message: dict[str, Any] = await receive(*arguments, **named)
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "error":
                swallowed.append("\n".join(content["traceback"]))
            elif kind == "stream" and content["name"] == "stderr" and TRACEBACK in content["text"]:
                swallowed.append(content["text"])
            return message

        client.iopub_channel.get_msg = get_msg
        return client

    async def async_execute(self, *arguments: Any, **named: Any) -> NotebookNode:
        self.nb.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
        try:
            return await super().async_execute(*arguments, **named)
        finally:
            self.nb.cells.pop()

    execute = run_sync(async_execute)


class StrictRun(NotebookRun):
    """nbmake's run of one notebook, under the rules above."""

    def execute(self) -> NotebookResult:
        notebook = nbformat.read(self.filename, as_version=4)
        if refused := list(stored(notebook)):
            return NotebookResult(notebook, NotebookError(refused[0], "\n".join(refused), 0))
        result: NotebookResult = super().execute()
        if result.error is None and (swallowed := result.nb.metadata["swallowed"]):
            summary = f"an error that no cell shows: {swallowed[0].splitlines()[-1]}"
            return NotebookResult(result.nb, NotebookError(summary, "\n".join([summary, *swallowed]), 0))
        return result


def environment(home: Path) -> dict[str, str]:
    """This environment with Jupyter and IPython knowing nothing but the Python that runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    own = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"), str(home))
    return kept | own | {"JUPYTER_PREFER_ENV_PATH": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    if not isinstance(item, pytest_items.NotebookItem):
        return (yield)
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as home,
        patch.dict(os.environ, clear=True, values=environment(Path(home))),
        patch.object(pytest_items, "NotebookRun", StrictRun),
        patch.object(nb_run, "NotebookClient", ListeningClient),
    ):
        return (yield)
