"""A class that a cell defines runs in an OS process of its own: its source goes along, and all that it uses."""

from __future__ import annotations

import asyncio
import linecache
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from patterns.engine.process import Process
from patterns.runtime import Cluster
from patterns.runtime.cells import MODULE, source_of

IMPORTS = (
    "import math\nfrom patterns.engine.process import Message, Process, on\nfrom patterns.engine.params import Ms\n"
)
PING = "class Ping(Message):\n    count: int\n"
PLAYER = """
LIMIT = 3
text = open

def fits(count):
    return math.floor(count) < LIMIT

class Player(Process):
    wait: Ms

    @on(Ping)
    def ping(self, sender, message):
        text = message.count
        if fits(text):
            self.send(sender, Ping(text + 1))
"""


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs cells as a notebook does, and gives its names."""
    main = ModuleType("__main__")
    main._ih = [""]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)

    def run(*cells: str) -> ModuleType:
        for cell in cells:
            file = f"cell-{len(main._ih)}"
            monkeypatch.setitem(linecache.cache, file, (len(cell), None, cell.splitlines(True), file))
            main._ih.append(cell)
            exec(compile(cell, file, "exec", dont_inherit=True), vars(main))
        return main

    return run


def loaded(source: str) -> dict[str, Any]:
    """The names of a module with this source."""
    names: dict[str, Any] = {"__name__": MODULE}
    exec(source, names)
    return names


def test_the_source_of_a_class_has_what_it_uses_of_the_notebook_and_nothing_else(notebook: Any) -> None:
    main = notebook(IMPORTS, PING, "unused = Ping(7)", PLAYER)
    source = source_of([main.Player])
    assert "unused" not in source
    assert "text = " not in source.replace("text = message", "")  # a local name hides the notebook's
    made = loaded(source)
    assert made["Player"](id="A", wait=3).after_message("B", made["Ping"](2))[1].sends == [("B", made["Ping"](3))]
    assert made["Player"](id="A", wait=3).after_message("B", made["Ping"](3))[1].sends == []


def test_names_stand_for_what_they_stand_for_now(notebook: Any) -> None:
    """A cell that was changed and run again; a name given to another function."""
    main = notebook(IMPORTS, PING, PLAYER, "LIMIT = 10", "def always(count):\n    return True", "fits = always")
    made = loaded(source_of([main.Player]))
    assert made["Player"](id="A", wait=3).after_message("B", made["Ping"](50))[1].sends
    main = notebook("class Ping(Message):\n    count: int\n    more: int = 0")
    assert loaded(source_of([main.Player]))["Ping"](1).more == 0


def test_a_class_of_a_module_needs_no_source(notebook: Any) -> None:
    main = notebook(IMPORTS)
    assert source_of([main.Message]) == ""


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["file = open(0, closefd=False)", "class Bad(Process):\n    def on_start(self):\n        file.read()"],
            "TextIO",
        ),
        (["if True:\n    class Bad(Process):\n        pass"], "no cell defines it at its top level"),
    ],
)
def test_what_cannot_go_along_is_refused_in_words(notebook: Any, cells: Sequence[str], said: str) -> None:
    main = notebook(IMPORTS, *cells)
    with pytest.raises(ValueError, match=said):
        source_of([main.Bad])


SCRIPT = """
import asyncio
from patterns.engine.process import Message, Process, on, on_timer
from patterns.engine.simulation import Simulation
from patterns.runtime import Cluster

class Ping(Message):
    count: int

class Player(Process):
    other: str
    rallies: int = 0

    def on_start(self):
        self.set_timer("serve", 20)

    @on_timer("serve")
    def serve(self):
        self.send(self.other, Ping(self.rallies))

    @on(Ping)
    def ping(self, sender, message):
        self.rallies += 1
        self.set_timer("serve", 20)

class Table(Simulation):
    def processes(self):
        return [Player(id="A", other="B"), Player(id="B", other="A")]

async def main():
    async with Cluster(Table()) as cluster:
        await cluster.until(lambda states: states["A"].rallies > 1)
        await cluster.pause("A")
        try:
            await cluster.pause("A")
        except ValueError as problem:
            print(problem)
        await cluster.resume("A")
        rallies = cluster.states["A"].rallies
        await cluster.until(lambda states: states["A"].rallies > rallies)
        await cluster.pause("B")
        await cluster.kill("B")
        await cluster.restart("B")
        await cluster.pause("B")
    history = cluster.recording().history()
    print(*(step.event for step in history.branch if type(step.event).__name__ in ("Pause", "Resume")))
    print(*(sorted(step.state.paused) for step in history.branch if type(step.event).__name__ in ("Pause", "Resume")))

asyncio.run(main())
"""


def test_the_classes_of_a_script_run_for_real_and_one_is_paused_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    ran = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, timeout=60)
    refused, events, paused = ran.stdout.splitlines() or [ran.stderr, "", ""]
    assert refused == "'A' is paused already; paused are A"
    assert events == "Pause(process='A') Resume(process='A') Pause(process='B') Pause(process='B')"
    assert paused == "['A'] [] ['B'] ['B']", "a process that is killed is paused no more"


def test_a_process_that_does_not_run_is_not_paused() -> None:
    class Idle(Process):
        pass

    Idle.__qualname__ = "Idle"
    cluster = Cluster([Idle(id="A")])
    with pytest.raises(ValueError, match="'A' does not run"):
        asyncio.run(cluster.pause("A"))
    with pytest.raises(ValueError, match="'A' is not paused; paused are none"):
        asyncio.run(cluster.resume("A"))
