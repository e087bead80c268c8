"""The story of a chapter, out of its notebook: the words of its start, its guided runs, and how it is broken.

A page has no kernel. So the story leaves out the paragraphs that ask for one ("Run the next cell"), and the sections
without a run that a reader can predict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from widgets.exercise import Outcome, Prediction
from widgets.player import Player
from widgets.site.cells import Cell, Notebook
from widgets.tables import Tables

CORE = "Core pattern"
BREAK = "Break it"
PHRASES = (
    r"\bnext cells?\b",
    r"\bplay\(",
    "Break…",
    "Request…",
    "Do…",
    "⋯",
    r"\bRun until\b",
    r"\b[Cc]lick (?:a|the) message\b",
    r"\babove the picture\b",
    r"\b[Tt]he chart\b",
    r"\bfirst chart\b",
    r"\bsecond chart\b",
    r"\bthird chart\b",
    r"\bRead each row\b",
    r"\bsecond line tests\b",
    r"\bprints the\b",
    r"^\*\*Now you\.?\*\*",
)
"""What a paragraph or an item of a list says that is true only where a kernel answers, or where a chart stands."""
ASKS_FOR_A_KERNEL = re.compile("|".join(PHRASES))
LISTS_ALL = re.compile(r"\bin BUGS\b")
"""A cell that lists all planted bugs: the page has them in a list of its own."""
ITEM = re.compile(r"^(?=\d+\. |- )", re.MULTILINE)


class Words(NamedTuple):
    """A part of the story in markdown."""

    text: str


class Printed(NamedTuple):
    """What a cell prints."""

    text: str


class Guided(NamedTuple):
    """A run of the notebook in its player."""

    cell: str
    """The id of the cell; the second run of one cell has `-2` after it."""
    player: Player
    code: str


Part = Words | Printed | Guided | Prediction | Outcome


class Section(NamedTuple):
    """A part of the story under one heading."""

    title: str
    parts: tuple[Part, ...]


class Story(NamedTuple):
    """The story of a chapter."""

    title: str
    chinese: str
    tagline: str
    lead: str
    """The words right below the title, without its picture."""
    purpose: str
    first: tuple[Part, ...]
    """The question before anything moves."""
    sections: tuple[Section, ...]
    broken: tuple[Section, ...]
    """The sections in which a rule is taken out."""


def story_of(notebook: Notebook) -> Story:
    """The story that a notebook tells. Raises ValueError for a notebook without a title or a purpose."""
    headings = list(_headings(notebook))
    if len(headings) < 2 or headings[0].level != 1:
        raise ValueError(f"{notebook.path.name} does not begin with a title and a purpose")
    title, _, chinese = headings[0].title.partition(" · ")
    lead = re.sub(r"^!\[.*\)$", "", headings[0].text, flags=re.MULTILINE).strip()
    tagline = re.search(r"^\*(.+?)\*", headings[0].text)
    purpose = headings[1].text.partition("**You will**")[0]
    core = [each for each in headings if each.chapter.startswith(CORE) and each.level == 3]
    opening = [each for each in headings if each.chapter.startswith("Purpose")]
    first = tuple(part for each in opening for part in _shown(notebook, each.cells) if isinstance(part, Prediction))
    broken = [_section(notebook, each) for each in core if each.title.startswith(BREAK)]
    unbroken = [each for each in core if not each.title.startswith(BREAK)]
    guided = [_section(notebook, each) for each in _chosen(notebook, unbroken, first)]
    return Story(
        title,
        chinese,
        tagline[1].rstrip(".") if tagline else "",
        lead,
        purpose.strip(),
        first,
        tuple(guided),
        tuple(broken),
    )


class _Heading(NamedTuple):
    level: int
    title: str
    chapter: str
    """The heading of the second level that it stands under, or is."""
    cells: list[Cell]
    """The cells under it; of a cell with several headings only its own part."""

    @property
    def text(self) -> str:
        return "\n\n".join(cell.source for cell in self.cells if cell.kind == "markdown")


def _headings(notebook: Notebook) -> Iterator[_Heading]:
    """The headings of a notebook, each with what stands under it up to the next one."""
    chapter, now = "", _Heading(0, "", "", [])
    for cell in notebook.cells:
        if cell.kind == "code":
            now.cells.append(cell)
            continue
        for at, part in enumerate(re.split(r"^(?=#{1,3} )", cell.source, flags=re.MULTILINE)):
            found = re.match(r"(#{1,3}) (.+)", part) if at or part.startswith("#") else None
            if found:
                if now.level:
                    yield now
                level = len(found[1])
                chapter = found[2] if level == 2 else chapter
                now = _Heading(level, found[2], chapter, [])
                part = part[found.end() :]
            if part.strip():
                now.cells.append(Cell(cell.id, cell.kind, part.strip()))
    yield now


def _chosen(notebook: Notebook, headings: Iterable[_Heading], first: Iterable[Part]) -> Iterator[_Heading]:
    """The headings with a run that asks, or with the outcome of the first question, and the words right after these."""
    before = False
    for heading in headings:
        code = [cell for cell in heading.cells if cell.kind == "code"]
        asks = any("ask=" in cell.source for cell in code)
        answers = any(outcome.prediction in first for cell in code for outcome in notebook.outcomes(cell))
        before = asks or answers or (before and not code)
        if before:
            yield heading


def _section(notebook: Notebook, heading: _Heading) -> Section:
    return Section(heading.title, tuple(_shown(notebook, heading.cells)))


def _shown(notebook: Notebook, cells: Iterable[Cell]) -> Iterator[Part]:
    unshown = False  # whether the cell before has a run that only a kernel can show: the words after it are about it
    for cell in cells:
        if cell.kind == "markdown":
            if (text := without_kernel(cell.source)) and not unshown:
                yield Words(text)
            unshown = False
        elif notebook.shows(cell):
            shown, printed = notebook.executed(cell)
            unshown = any(isinstance(each, Player) and len(each.frames) == 1 for each in shown)
            if printed.strip() and not LISTS_ALL.search(cell.source):
                yield Printed(printed.strip())
            yield from _parts(notebook, cell, shown)
        else:
            unshown = "play(" in cell.source
            yield from notebook.outcomes(cell)


def _parts(notebook: Notebook, cell: Cell, shown: Iterable[Any]) -> Iterator[Part]:
    number = 0
    for each in shown:
        if isinstance(each, Player) and len(each.frames) > 1:  # the other runs are for a learner with a kernel
            number += 1
            yield Guided(cell.id + (f"-{number}" if number > 1 else ""), each, notebook.code(cell))
        elif isinstance(each, Prediction | Outcome):
            yield each
        elif isinstance(each, Tables):
            yield Words(each._repr_markdown_())


def without_kernel(text: str) -> str:
    """The text without the paragraphs and the items of lists that ask for a kernel."""
    blocks = (_kept(block) for block in re.split(r"\n\s*\n", text.strip()))
    return "\n\n".join(block for block in blocks if block)


def _kept(block: str) -> str:
    if ITEM.match(block):
        items = [
            item.rstrip()
            for item in ITEM.split(block)
            if item.strip() and not ASKS_FOR_A_KERNEL.search(" ".join(item.split()))
        ]
        return "\n".join(items)
    return "" if ASKS_FOR_A_KERNEL.search(" ".join(block.split())) else block
