"""The one glossary: every term in English and Chinese, with a line that says what it means, and its chapters.

    terms("consistent_hashing")       the terms of one chapter, a table where a notebook shows it
    term("virtual node").chinese      '虚拟节点'

The terms stand in `glossary.md`. A later chapter adds its name to the terms it shares, and a table of its own terms.
`index` is the chapter of terms that all of them use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import NamedTuple, overload


class Term(NamedTuple):
    """A term of the field."""

    english: str
    chinese: str
    meaning: str
    chapters: tuple[str, ...]
    """The patterns whose chapter uses it, by their one name; `index` for those that all use."""


class Terms(Sequence[Term]):
    """Some terms of the glossary: a sequence of `Term`, and a table where a notebook shows it."""

    def __init__(self, listed: Sequence[Term]) -> None:
        self._listed = tuple(listed)

    @overload
    def __getitem__(self, at: int) -> Term: ...
    @overload
    def __getitem__(self, at: slice) -> Terms: ...
    def __getitem__(self, at: int | slice) -> Term | Terms:
        return self._listed[at] if isinstance(at, int) else Terms(self._listed[at])

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[Term]:
        return iter(self._listed)

    def _repr_markdown_(self) -> str:
        rows = (f"| **{term.english}** | <nobr>{term.chinese}</nobr> | {term.meaning} |" for term in self)
        return "\n".join(("| Term | 术语 | Meaning |", "|:--|:--|:--|", *rows))

    def __repr__(self) -> str:
        return "\n".join(f"{term.english} ({term.chinese}): {term.meaning}" for term in self)


def terms(chapter: str = "") -> Terms:
    """The terms of a chapter in the order they are met; all of them, by their English names, where none is given.

    Raises ValueError for a chapter that has no terms.
    """
    if not chapter:
        return Terms(sorted(GLOSSARY, key=lambda term: term.english.lower()))
    found = [term for term in GLOSSARY if chapter in term.chapters]
    if not found:
        chapters = sorted({name for term in GLOSSARY for name in term.chapters})
        raise ValueError(f"chapter is {chapter!r}; there are terms of {', '.join(chapters)}")
    return Terms(found)


def term(english: str) -> Term:
    """The term of this English name. Raises KeyError."""
    for known in GLOSSARY:
        if known.english.lower() == english.lower():
            return known
    raise KeyError(f"term {english!r} is not in the glossary")


def _read(page: str) -> Iterator[Term]:
    """The rows of a page of tables: a heading of level 2 names the chapter, a row has its term, and other chapters."""
    for table in page.split("\n## ")[1:]:
        chapter, _, rows = table.partition("\n")
        for row in rows.strip().splitlines()[2:]:
            english, chinese, meaning, others = (cell.strip() for cell in row.strip("|").split("|"))
            yield Term(english, chinese, meaning, (chapter, *others.split()))


GLOSSARY = tuple(_read(files("patterns").joinpath("glossary.md").read_text(encoding="utf-8")))
