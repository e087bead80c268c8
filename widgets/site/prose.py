"""Markdown of the notebooks as HTML, with links that lead where they should on the site."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import mistune

from widgets.site.runs import address_of

CHAPTER = re.compile(r"(?:\./)?\d\d_(\w+)\.ipynb")
RUN = re.compile(r'(GALLERY|BUGS)\["([^"]+)"\]')
Link = Callable[[str], str]


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, leads: Link) -> None:
        super().__init__()
        self._leads = leads

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, self._leads(url), title)

    def codespan(self, text: str) -> str:
        """Code; the name of a run of this chapter is a link to it."""
        if run := RUN.fullmatch(text):
            broken = "broken-" if run[1] == "BUGS" else ""
            return super().link(escape(run[2]), f"#{broken}{address_of(run[2])}")
        return super().codespan(text)


def rendered(text: str, source: Link) -> str:
    """The text as HTML. `source` gives the address of a file of the repository, from its path there."""

    def address(url: str) -> str:
        if re.match(r"[a-z]+:|#", url):
            return url
        if chapter := CHAPTER.fullmatch(url):
            return "index.html" if chapter[1] == "index" else f"{chapter[1]}.html"
        return source(url.removeprefix("../") if url.startswith("../") else f"notebooks/{url}")

    made = mistune.create_markdown(renderer=_Renderer(address), plugins=["table", "strikethrough"])(text)
    assert isinstance(made, str)
    return made
