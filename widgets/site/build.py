"""Builds the site: one script, one style, a page for each chapter, a start page, and a small file for each run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from patterns.engine.chapter import Chapter
from patterns.engine.params import refuse
from patterns.engine.sentences import counted
from widgets.assets import STYLE
from widgets.bundle import bundle
from widgets.course.concept_map import COURSE, concept_map
from widgets.course.concept_map import STYLE as MAP_STYLE
from widgets.exercise import Outcome, Prediction
from widgets.site.cells import Notebook
from widgets.site.prose import rendered
from widgets.site.runs import Run, address_of, broken_of, gallery_of, guided, timeless, write_all
from widgets.site.story import Guided, Part, Printed, Section, Words, story_of

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
Json = dict[str, Any]
LARGEST = 4_000_000
"""Bytes that the whole site may have, without the notebooks that run in the browser."""


def size_of(folder: Path) -> int:
    """The bytes of the site's own files."""
    own = (file for file in folder.rglob("*") if file.relative_to(folder).parts[0] != "lite")
    return sum(file.stat().st_size for file in own if file.is_file())


HERO = ("consensus_raft", "A leader keeps one follower of four")
"""Chapter and title of the run that moves at the top of the start page; without this chapter it is another run."""


class Card(NamedTuple):
    """A chapter on the start page."""

    name: str
    number: int
    title: str
    chinese: str
    tagline: str
    question: str
    run: str
    """The run that moves in its picture: `chapter/address`."""
    still: str
    questions: int
    """How many steps of its runs are locked by a question."""
    bugs: int
    runs: int


def notebooks() -> dict[str, Path]:
    """The notebook of each chapter that has a lesson, in the order of their numbers."""
    found = {path.stem[3:]: path for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))}
    return {name: path for name, path in found.items() if (ROOT / "patterns" / name / "lesson").is_dir()}


class Site:
    """The site in the folder `out`. With `lite`, its pages link to the notebooks that run in the browser beside it.

    `source` is the address under which the repository's files can be read; by default the way from `out` to them.
    """

    def __init__(self, out: Path, source: str = "", lite: bool = False) -> None:
        self.out, self.lite = out, lite
        self._source = source or os.path.relpath(ROOT, out.resolve())
        self.pages = Environment(
            loader=PackageLoader("widgets.site", ""),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.pages.globals["counted"] = counted

    def source(self, path: str) -> str:
        """The address of a file of the repository. Raises ValueError for a path that the repository does not have."""
        if not (ROOT / path.partition("#")[0]).exists():
            raise ValueError(f"a page links to {path}, which the repository does not have")
        return f"{self._source}/{path}"

    def write(self, names: Iterable[str] | None = None) -> None:
        """Write the pages: all, or those of the chapters that are named, and the start page. Old runs are deleted.

        Raises ParameterError for a name that is not a chapter's, or for no name.
        """
        known = notebooks()
        chosen = [*known] if names is None else [*dict.fromkeys(names)]
        if not chosen or {*chosen} - {*known}:
            refuse("names", chosen, f"one or more of {', '.join(known)}")
        chosen.sort(key=[*known].index)
        self.out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.out / "runs", ignore_errors=True)
        (self.out / "site.js").write_text(_script(), encoding="utf-8")
        (self.out / "site.css").write_text(STYLE + (HERE / "site.css").read_text(encoding="utf-8"), encoding="utf-8")
        made = [self._made(name, known[name]) for name in chosen]
        cards = [card for card, _ in made]
        for at, (card, page) in enumerate(made):
            before = cards[at - 1] if at else None
            after = cards[at + 1] if at + 1 < len(cards) else None
            self._page(f"{card.name}.html", "chapter.html", page, chapters=cards, before=before, after=after)
        galleries = {card.name: {run.title: run for run in page["gallery"]} for card, page in made}
        chapter, title = HERO if HERO[0] in galleries else (chosen[0], next(iter(galleries[chosen[0]])))
        self._start(cards, _moving(chapter, galleries[chapter][title]))

    def _start(self, cards: Sequence[Card], hero: Json) -> None:
        """The start page: its words are those of the index."""
        there = {card.name for card in cards}
        pattern_map = concept_map(link=lambda name: f"{name}.html" if name in there else "#chapters")
        index = story_of(Notebook(ROOT / "notebooks" / "00_index.ipynb"))
        count = counted(len(COURSE.patterns), "pattern")
        values = {
            "name": "",
            "heading": index.title,
            "description": f"{count} of distributed systems: step through each of them, and break it.",
            "title": index.title,
            "chinese": index.chinese,
            "lead": rendered(index.lead, self.source),
            "hero": hero,
            "workshop": self._workshop(),
            "map": f"<style>{MAP_STYLE}</style>{pattern_map.markup()}",
        }
        self._page("index.html", "start.html", values, chapters=cards)

    def _workshop(self) -> Json:
        """The card of the notebook in which a learner builds a protocol: its title, and what its first cell says."""
        path = "notebooks/workshop.ipynb"
        first = Notebook(ROOT / path).cells[0].source.partition("**You need**")[0]
        title, _, words = first.partition("\n")
        _, _, plain = words.strip().partition("\n")
        return {"address": self._notebook(path), "title": title.lstrip("# "), "words": rendered(plain, self.source)}

    def _notebook(self, path: str) -> str:
        """Where a notebook is opened: in the browser, or its source."""
        return f"lite/notebooks/index.html?path={path}" if self.lite else self.source(path)

    def _page(self, name: str, template: str, values: Json, **more: Any) -> None:
        made = self.pages.get_template(template).render(**values, **more, source=self.source)
        (self.out / name).write_text(made, encoding="utf-8")

    def _made(self, name: str, path: Path) -> tuple[Card, Json]:
        """The card of a chapter, and what its page shows. Its runs are written."""
        chapter: Chapter = import_module(f"patterns.{name}.lesson").CHAPTER
        story = story_of(Notebook(path))
        page = _Page(lambda text: rendered(text, self.source))
        first = [page.part(part, "") for part in story.first]
        sections = [page.section(section) for section in story.sections]
        broken = [page.section(section, veiled=True) for section in story.broken]
        gallery, bugs = [*gallery_of(chapter)], [*broken_of(chapter)]
        folder = self.out / "runs" / name
        folder.mkdir(parents=True, exist_ok=True)
        write_all(folder, [*gallery, *bugs, *page.runs])
        notebook = f"notebooks/{path.name}"
        values = {
            "name": name,
            "number": COURSE.number(name),
            "heading": f"{story.title} · Distributed patterns",
            "description": f"{story.title}: step through it, predict, break it.",
            "course": len(COURSE.patterns),
            "title": story.title,
            "chinese": story.chinese,
            "tagline": story.tagline,
            "purpose": page.html(story.purpose),
            "first": first,
            "sections": sections,
            "broken": broken,
            "gallery": gallery,
            "bugs": bugs,
            "notebook": notebook,
            "lite": self._notebook(notebook) if self.lite else "",
        }
        asked = sum("ask" in frame for run in page.runs for frame in run.player.frames)
        about = (name, COURSE.number(name), story.title, story.chinese, story.tagline, COURSE.patterns[name].question)
        return Card(
            *about, f"{name}/{page.runs[0].address}", page.runs[0].still, asked, len(bugs), len(gallery)
        ), values


class _Page:
    """The parts of a story as a template shows them; the runs are collected."""

    def __init__(self, html: Callable[[str], str]) -> None:
        self.html = html
        self.runs: list[Run] = []
        self._questions: list[Prediction] = []

    def section(self, section: Section, veiled: bool = False) -> Json:
        """A section; if it is `veiled`, what stands below a question opens when it is answered."""
        parts: list[Json] = []
        into = parts
        for each in section.parts:
            into.append(self.part(each, section.title))
            if veiled and isinstance(each, Prediction):
                parts.append({"kind": "veil", "id": len(self._questions), "parts": []})
                into = parts[-1]["parts"]
        return {"id": f"part-{address_of(section.title)}", "title": section.title, "parts": parts}

    def part(self, part: Part, title: str) -> Json:
        match part:
            case Words():
                return {"kind": "words", "html": self.html(part.text)}
            case Printed():
                return {"kind": "printed", "text": timeless(part.text)}
            case Guided():
                self.runs.append(guided(part, title))
                return {"kind": "run", "run": self.runs[-1]}
            case Prediction():
                self._questions.append(part)
                return {"kind": "question", "id": len(self._questions), "asked": _asked(part)}
            case Outcome():
                at = next((n for n, each in enumerate(self._questions, 1) if each is part.prediction), 0)
                return {"kind": "outcome", "id": at}


def _asked(prediction: Prediction) -> str:
    """A question as JSON that can stand in a page, with what its outcome says before an answer and after each."""
    answers = (*range(len(prediction.asked.options)), -1)
    outcomes = [prediction.words_for(taken).shown for taken in answers]
    asked = {"question": prediction.question, "outcomes": outcomes}
    return json.dumps(asked, ensure_ascii=False).replace("</", "<\\/")


def _moving(name: str, run: Run) -> Json:
    return {
        "run": f"{name}/{run.address}",
        "page": f"{name}.html#{run.address}",
        "title": run.title,
        "still": run.still,
    }


def _script() -> str:
    """The script of all pages: a plain script, because a page from a disk may load no module."""
    return "(() => {\n" + bundle("site").replace("export default ", "const start = ") + "start();\n})();\n"
