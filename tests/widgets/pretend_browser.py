"""Runs cells as a kernel inside a web page does: no threads, no processes, and packages that are missing.

Reads JSON from standard input: {"without": [modules], "notebooks": [[source of a cell, ...], ...]}. Writes JSON:
for each cell, what it displayed and printed, and the traceback that a learner would see.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.abc import MetaPathFinder
from io import StringIO
from threading import Thread
from types import ModuleType
from typing import Any


class Missing(MetaPathFinder):
    """Says of some modules that they are not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = set(names)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def start(self: Thread) -> None:
    raise RuntimeError("can't start new thread")


def main() -> None:
    sysconfig.get_config_vars()  # they are of the machine that this really runs on
    sys.platform = "emscripten"

    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    asked = json.loads(sys.stdin.read())
    sys.meta_path.insert(0, Missing(asked["without"]))

    class Shell(InteractiveShell):  # type: ignore[misc]
        shown = ""

        def _showtraceback(self, kind: Any, problem: Any, lines: list[str]) -> None:
            self.shown = "\n".join(lines)

    shell = Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.display_pub = CapturingDisplayPublisher(parent=shell)
    Thread.start = start  # type: ignore[method-assign]
    found = []
    for cells in asked["notebooks"]:
        shell.reset(new_session=False)
        found.append([run(shell, source) for source in cells])
    print(json.dumps(found))


def run(shell: Any, source: str) -> dict[str, Any]:
    shell.shown, printed = "", StringIO()
    shell.display_pub.outputs.clear()
    with redirect_stdout(printed):
        shell.run_cell(source, store_history=True)
    displayed = [next(iter(str(value) for value in output["data"].values())) for output in shell.display_pub.outputs]
    html = [output["data"].get("text/html", "") for output in shell.display_pub.outputs]
    return {"displayed": displayed, "html": html, "printed": printed.getvalue(), "traceback": shell.shown}


if __name__ == "__main__":
    main()
