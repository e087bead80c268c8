"""A term stands in bold with its Chinese term at its first use in a notebook, and one term stands for one thing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from patterns.glossary import GLOSSARY

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted([*ROOT.glob("notebooks/0[1-9]_*.ipynb"), *ROOT.glob("notebooks/workshop*.ipynb")])
CHINESE = {term.english.lower(): term.chinese for term in GLOSSARY}
BOLD = re.compile(r"(?<!^- )(?<!^\| )\*\*([a-z][\w -]*)\*\*(?=(.{0,30}))", re.MULTILINE | re.DOTALL)
"""A term, and the text after it. A product may begin an item of a list or a row of a table."""


def first_uses(texts: Iterator[str]) -> dict[str, str]:
    """Each term of the glossary that stands in bold -> the text after it, where it stands first."""
    found: dict[str, str] = {}
    for text in texts:
        for bold, after in BOLD.findall(text):
            for term in (bold.lower(), bold.lower().removesuffix("s")):
                if term in CHINESE:
                    found.setdefault(term, after)
                    break
    return found


def without_chinese(texts: Iterator[str]) -> list[str]:
    return [f"{term} ({CHINESE[term]})" for term, after in first_uses(texts).items() if CHINESE[term] not in after]


def test_a_first_use_without_the_chinese_term_is_found_and_a_second_use_needs_none() -> None:
    english, chinese = GLOSSARY[0].english, GLOSSARY[0].chinese
    right, wrong = f"A **{english}** ({chinese}) is one.", f"A **{english}** is one."
    assert without_chinese(iter([wrong, right])) == [f"{english} ({chinese})"]
    assert without_chinese(iter([right, wrong])) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_term_has_its_chinese_term_at_its_first_use_in_a_notebook(notebook: Path) -> None:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert without_chinese(texts) == []


def plain(text: str) -> str:
    """Without code and addresses: a term in them is a name."""
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_term_of_the_chapter_that_its_text_uses_has_its_chinese_term_there(notebook: Path) -> None:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    text = "\n".join(plain("".join(cell["source"])) for cell in cells if cell["cell_type"] == "markdown")
    own = [term for term in GLOSSARY if notebook.stem.lstrip("0123456789_") in term.chapters]
    used = [term for term in own if re.search(rf"\b{re.escape(term.english)}s?\b", text, re.IGNORECASE)]
    assert [f"{term.english} ({term.chinese})" for term in used if term.chinese not in text] == []


def test_a_term_has_one_chinese_term_in_all_chapters() -> None:
    several = {term.english: term.chinese for term in GLOSSARY if CHINESE[term.english.lower()] != term.chinese}
    assert not several
