"""Records what some cells of the notebooks give on this computer, for readers whose browser cannot run them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat

from widgets.browser import Output, key_of
from widgets.fallback import PAGES, RUN
from widgets.site.wheels import run

TAG = "recorded"
"""The cells whose outputs are recorded have this tag."""
CELL_S = 120
"""Seconds that a cell may take."""
LIVE = "application/vnd.jupyter.widget-view+json"
"""An output that needs the kernel it came from. A page that steps without one stands in its place."""


def is_recorded(cell: Any) -> bool:
    return cell.cell_type == "code" and TAG in cell.metadata.get("tags", ())


def record(notebooks: Iterable[Path], root: Path) -> dict[str, list[Output]]:
    """Run the notebooks with the packages in `root`. Return key of a recorded cell -> its outputs.

    Raises NotBuilt with the cell's error if a cell fails.
    """
    with ThreadPoolExecutor(os.cpu_count()) as several:
        found = several.map(lambda path: _record(path, root), notebooks)
        return {key: outputs for each in found for key, outputs in each.items()}


def _record(path: Path, root: Path) -> dict[str, list[Output]]:
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    last = max((at for at, cell in enumerate(notebook.cells) if is_recorded(cell)), default=-1)
    if last == -1:
        return {}
    notebook.cells = notebook.cells[: last + 1]
    modules = os.pathsep.join((str(root), *filter(None, sys.path)))
    execute = ["--to", "notebook", "--execute", f"--ExecutePreprocessor.timeout={CELL_S}", "--inplace"]
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        nbformat.write(notebook, copy)  # type: ignore[no-untyped-call]
        environment = {**os.environ, PAGES: "1", "PYTHONPATH": modules}
        run([sys.executable, "-m", "nbconvert", *execute, copy], env=environment)
        notebook = nbformat.read(copy, as_version=4)  # type: ignore[no-untyped-call]
    return {key_of(cell.source): [*kept(cell.outputs)] for cell in notebook.cells if is_recorded(cell)}


def kept(outputs: Iterable[Any]) -> Iterator[Output]:
    """The outputs that can be shown again elsewhere."""
    for output in outputs:
        if output["output_type"] == "stream":
            yield {"text": output["text"]}
        elif data := {kind: value for kind, value in output.get("data", {}).items() if kind != LIVE}:
            yield {"data": {RUN: data[RUN]} if RUN in data else data}
