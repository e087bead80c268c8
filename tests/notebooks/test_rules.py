"""Every notebook keeps the rules that make nine of them one course: chapters, lengths, links, no drawing code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CHAPTERS = (
    "Purpose · 目的",
    "Core pattern · 核心模式",
    "From Rust to Python · Rust 化要点",
    "Terminology · 术语",
    "Practice · 实践与样例",
    "Related · 相关索引",
    "Navigation · 导航",
)
CELLS = range(25, 51)
WORDS = range(1_000, 2_501)
TEXT = 150
"""Words of running text in a cell, at most. Lists and tables do not count: a learner does one item after the other."""
CODE_LINES = 10
LONGER = {"exercise": 25, "process": 40, "view": 30, "part": 20}
"""Lines of a cell with this tag: the code that the learner writes, or builds in the workshop."""
OTHERS = {
    "10_same_story.ipynb": range(25, 36),
    "workshop.ipynb": range(25, 36),
    "workshop_tasks.ipynb": range(12, 26),
}
"""Notebooks of no pattern, and how many cells each may have."""
DRAWING = re.compile(
    r"^\s*(?:import|from)\s+(?:plotly|matplotlib|anywidget|IPython\.display)\b|<svg|<div", re.MULTILINE
)


def headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    """(level, text) of every heading, in order; fenced code is not prose."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
            found += [(len(marks), text.strip()) for marks, text in re.findall(r"^(#{1,6}) (.+)$", prose, re.MULTILINE)]
    return found


def words(notebook: NotebookNode) -> int:
    """How many words a learner reads: those of the prose, without addresses of links and without code."""
    return words_in("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))


def words_in(prose: str) -> int:
    prose = re.sub(r"```.*?```|\]\([^)]*\)|<[^>]*>", " ", prose, flags=re.DOTALL)
    return len(re.findall(r"[A-Za-z0-9][\w'’./-]*", prose))


def running(source: str) -> str:
    """The paragraphs of a text cell, without headings, tables and lists. A list ends with an empty line."""
    plain = re.sub(r"^(?:#|\|).*$", "", source, flags=re.MULTILINE)
    return re.sub(r"^ *(?:\d+\.|[-*]) .*?(?=\n\s*\n|\Z)", "", plain, flags=re.MULTILINE | re.DOTALL)


def broken_rules_of_every_notebook(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    levels = [level for level, _ in headings(notebook)]
    if levels.count(1) != 1 or levels[0] != 1:
        yield "it has one first-level heading, and begins with it"
    for before, level in pairwise(levels):
        if level > before + 1:
            yield f"a heading of level {level} follows one of level {before}"
    for number, cell in enumerate(notebook.cells):
        lines = len(cell.source.splitlines())
        allowed = max([CODE_LINES, *(LONGER.get(tag, 0) for tag in cell.metadata.get("tags", ()))])
        if cell.cell_type == "code" and not 1 <= lines <= allowed:
            yield f"code cell {number} has {lines} lines; 1 to {allowed} are allowed"
        if cell.cell_type == "code" and (drawing := DRAWING.search(cell.source)):
            yield f"code cell {number} draws by itself ({drawing[0].strip()}); pictures live in widgets/"
        if cell.cell_type == "markdown":
            if (text := words_in(running(cell.source))) > TEXT:
                yield f"text cell {number} has {text} words of running text; at most {TEXT} are read at once"
            for link in re.findall(r"\]\((?!\w+:|#)([^)\s#]+)", cell.source):
                if not (folder / unquote(link)).is_file():  # JupyterLab refuses to open a folder
                    yield f"cell {number} links to {link}, which is no file"


def broken_rules_of_a_pattern(notebook: NotebookNode) -> Iterator[str]:
    """The rules of a notebook of one pattern; the index keeps only those of every notebook."""
    chapters = tuple(text for level, text in headings(notebook) if level == 2)
    if chapters != CHAPTERS:
        yield f"its chapters are {chapters}; they must be {CHAPTERS}"
    yield from too_long_or_too_short(notebook, CELLS)


def too_long_or_too_short(notebook: NotebookNode, cells: range) -> Iterator[str]:
    if len(notebook.cells) not in cells:
        yield f"it has {len(notebook.cells)} cells; {cells[0]} to {cells[-1]} are read in one sitting"
    if (count := words(notebook)) not in WORDS:
        yield f"it has {count} words; {WORDS[0]} to {WORDS[-1]} are read in one sitting"


def broken_rules(notebook: NotebookNode, name: str, folder: Path = NOTEBOOKS) -> list[str]:
    if name in OTHERS:
        own = too_long_or_too_short(notebook, OTHERS[name])
    else:
        own = iter(()) if name.startswith("00_") else broken_rules_of_a_pattern(notebook)
    return [*broken_rules_of_every_notebook(notebook, folder), *own]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_notebook_keeps_the_rules(path: Path) -> None:
    broken = broken_rules(nbformat.read(path, as_version=4), path.name)
    assert not broken, "\n".join(broken)


def test_there_is_an_index_and_every_other_notebook_is_named_after_a_pattern() -> None:
    names = {path.name for path in NOTEBOOKS.glob("*.ipynb")}
    assert "00_index.ipynb" in names
    patterns = NOTEBOOKS.parent / "patterns"
    for name in names - {"00_index.ipynb", *OTHERS}:
        assert (numbered := re.fullmatch(r"(?!00)\d\d_(\w+)\.ipynb", name)), name
        assert (patterns / numbered[1]).is_dir() or (patterns / f"{numbered[1]}.py").exists(), name


# The rules refuse what they are there to refuse.


def good() -> NotebookNode:
    prose = [nbformat.v4.new_markdown_cell("# A pattern"), nbformat.v4.new_markdown_cell("- " + "word " * 1200)]
    chapters = [nbformat.v4.new_markdown_cell(f"## {chapter}\n### A part") for chapter in CHAPTERS]
    code = [nbformat.v4.new_code_cell("1 + 1") for _ in range(16)]
    return nbformat.v4.new_notebook(cells=[*prose, *chapters, *code])


def test_a_good_notebook_is_accepted() -> None:
    assert broken_rules(good(), "01_good.ipynb") == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        pytest.param(nbformat.v4.new_markdown_cell("# Another"), "one first-level heading", id="two titles"),
        pytest.param(nbformat.v4.new_markdown_cell("##### Deep"), "level 5 follows", id="a level left out"),
        pytest.param(nbformat.v4.new_markdown_cell("## More"), "its chapters are", id="a chapter of its own"),
        pytest.param(nbformat.v4.new_markdown_cell("- " + "word " * 1400), "words;", id="too many words"),
        pytest.param(nbformat.v4.new_markdown_cell("word " * 151), "151 words of running text", id="a long text cell"),
        pytest.param(nbformat.v4.new_markdown_cell("[gone](no/such.py)"), "is no file", id="a dead link"),
        pytest.param(nbformat.v4.new_markdown_cell("[images](images)"), "is no file", id="a link to a folder"),
        pytest.param(nbformat.v4.new_code_cell("1\n" * 11), "has 11 lines", id="a long code cell"),
        pytest.param(nbformat.v4.new_code_cell(""), "has 0 lines", id="an empty code cell"),
        pytest.param(nbformat.v4.new_code_cell("import plotly"), "draws by itself", id="drawing code"),
        pytest.param(
            nbformat.v4.new_code_cell("1\n" * 26, metadata={"tags": ["exercise"]}), "has 26 lines", id="a long exercise"
        ),
    ],
)
def test_a_notebook_is_refused_for(cell: NotebookNode, said: str) -> None:
    notebook = good()
    notebook.cells.append(cell)
    [broken] = broken_rules(notebook, "01_seeded.ipynb")
    assert said in broken


def test_the_workshop_has_chapters_and_a_length_of_its_own() -> None:
    notebook = good()
    notebook.cells = [cell for cell in notebook.cells if not cell.source.startswith("## ")]
    assert broken_rules(notebook, "01_seeded.ipynb")
    [broken] = broken_rules(notebook, "workshop.ipynb")
    assert "18 cells; 25 to 35" in broken
    notebook.cells += [nbformat.v4.new_code_cell("1\n" * 40, metadata={"tags": ["process"]})] * 17
    assert broken_rules(notebook, "workshop.ipynb") == []


def test_an_exercise_may_be_longer_than_other_code() -> None:
    notebook = good()
    notebook.cells.append(nbformat.v4.new_code_cell("1\n" * 25, metadata={"tags": ["exercise"]}))
    assert broken_rules(notebook, "01_seeded.ipynb") == []


@pytest.mark.parametrize("cells", [24, 51])
def test_a_notebook_too_short_or_too_long_is_refused(cells: int) -> None:
    notebook = good()
    notebook.cells = notebook.cells[:24] + [nbformat.v4.new_code_cell("1")] * (cells - 24)
    [broken] = broken_rules(notebook, "01_seeded.ipynb")
    assert f"{cells} cells" in broken
