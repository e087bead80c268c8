"""The concept map: which pattern builds on, competes with or completes which, and the sentence that says why.

concept_map(done={"saga"})      the map in a notebook: a box opens its notebook, a sign on a line says why
questions()                     which question each pattern answers, and which chapters come before
reading("First course")         an order of reading, with minutes

The texts stand in `concept_map.toml`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from patterns.engine.arguments import listed
from patterns.engine.params import refuse
from patterns.engine.sentences import page_of
from widgets.results import Rows

if TYPE_CHECKING:
    from networkx import DiGraph  # type: ignore[import-untyped]


def repository(here: Path = Path(__file__)) -> Path:
    """The folder that has the notebooks: above this package, or above the notebook if the package is installed apart
    from them, as in a browser."""
    apart = here.resolve().parents[2]
    return next((each for each in (apart, Path.cwd().parent, Path.cwd()) if (each / "notebooks").is_dir()), apart)


ROOT = repository()
SIGNS: Mapping[str, str] = {"builds on": "on", "competes with": "or", "completes": "+"}
"""Kind of a line -> the sign that stands on it."""
OWN_KEYS = ' data-lm-suppress-shortcuts="true"'
"""On what has the focus: JupyterLab then leaves the arrows and Enter to it."""


class Pattern(msgspec.Struct, frozen=True):
    """A pattern: a box of the map."""

    title: str
    chinese: str
    question: str
    """What the pattern answers."""
    answer: str
    place: tuple[int, int]
    """Column and row of its box, from 0."""


class Kind(msgspec.Struct, frozen=True):
    """What a kind of line means."""

    says: str


class Edge(msgspec.Struct, frozen=True, rename={"tail": "from", "head": "to"}):
    """A line of the map, from the pattern that the sentence is about."""

    tail: str
    head: str
    kind: str
    because: str
    source: str
    """Where the sentence can be checked."""


class Reader(msgspec.Struct, frozen=True):
    """A kind of reader, and the order in which it reads."""

    why: str
    order: tuple[str, ...]


class Course(msgspec.Struct, frozen=True):
    """What `concept_map.toml` says."""

    patterns: dict[str, Pattern]
    kinds: dict[str, Kind]
    edges: tuple[Edge, ...]
    readers: dict[str, Reader]

    def number(self, chapter: str) -> int:
        """The number of a chapter, from 1. Raises ParameterError for a chapter that is not in the course."""
        if chapter not in self.patterns:
            refuse("chapter", chapter, f"one of {', '.join(self.patterns)}")
        return [*self.patterns].index(chapter) + 1

    def notebook(self, chapter: str) -> str:
        """The file name of a chapter's notebook: `07_saga.ipynb`."""
        return f"{self.number(chapter):02}_{chapter}.ipynb"


COURSE = msgspec.convert(page_of("widgets.course", "concept_map.toml"), Course)


@cache
def _builds() -> DiGraph:
    """The lines `builds on` of the map as a graph, from the pattern that is read first to the one that builds on it."""
    from networkx import DiGraph

    made = DiGraph((edge.head, edge.tail) for edge in COURSE.edges if edge.kind == "builds on")
    made.add_nodes_from(COURSE.patterns)
    return made


def built_on(chapter: str) -> tuple[str, ...]:
    """The patterns that a pattern builds on, directly or through others, in an order in which they can be read.

    Raises ParameterError for a chapter that is not in the course.
    """
    from networkx import ancestors, lexicographical_topological_sort

    COURSE.number(chapter)
    before = _builds().subgraph(ancestors(_builds(), chapter))
    return tuple(lexicographical_topological_sort(before, key=COURSE.number))


# Minutes: the chapters' own words


_HOW_LONG = re.compile(r"\b(?:(an hour and a half)|(\d+) minutes|(an hour))\b", re.IGNORECASE)


@cache
def minutes(chapter: str) -> int:
    """How long a chapter takes, as its notebook says after **You need**.

    Raises ValueError if the notebook does not say it, ParameterError for a chapter that is not in the course.
    """
    path = ROOT / "notebooks" / COURSE.notebook(chapter)
    cells = msgspec.json.decode(path.read_bytes())["cells"]
    for cell in cells:
        _, _, needs = "".join(cell["source"]).partition("**You need**")
        if found := _HOW_LONG.search(needs.replace("\n", " ")):
            return 90 if found[1] else int(found[2]) if found[2] else 60
    raise ValueError(f"{path.name} does not say after **You need** how many minutes or hours it takes")


def in_words(time: int) -> str:
    """Minutes as hours: `1 h`, `1 h 30 min`."""
    hours, rest = divmod(time, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


# Tables for a notebook


def linked(chapter: str) -> str:
    """A chapter's number and title with a link to its notebook, in Markdown.

    Raises ParameterError for a chapter that is not in the course.
    """
    return f"[{COURSE.number(chapter)} · {COURSE.patterns[chapter].title}]({COURSE.notebook(chapter)})"


def questions(done: Collection[str] = ()) -> Rows:
    """Which question each pattern answers, its answer in short, and the chapters to read before it.

    The chapters in `done` are marked.
    """
    done = _chapters(done)
    rows = [
        (
            linked(name),
            pattern.chinese,
            pattern.question,
            pattern.answer,
            "<br>".join(map(linked, built_on(name))) or "-",
            in_words(minutes(name)),
            _tick(name, done),
        )
        for name, pattern in COURSE.patterns.items()
    ]
    return Rows(("pattern", "模式", "question", "answer", "builds on", "time", "done"), rows)


def _chapters(done: Collection[str]) -> frozenset[str]:
    """The names in `done`. Raises ParameterError for one name alone, and for anything that has no names."""
    allowed = "a list or a set of chapters' names"
    if isinstance(done, str):
        refuse("done", done, allowed)
    return frozenset(listed("done", done, allowed))


def _tick(name: str, done: Collection[str]) -> str:
    return "✓" if name in done else ""


def reading(reader: str = "", done: Collection[str] = ()) -> Rows:
    """The order of reading for a kind of reader, or for each kind, with the time that the chapters take.

    Raises ParameterError for a reader that is not in `concept_map.toml`.
    """
    if reader and reader not in COURSE.readers:
        refuse("reader", reader, f"one of {', '.join(COURSE.readers)}")
    done = _chapters(done)
    rows = []
    for name in [reader] if reader else COURSE.readers:
        it = COURSE.readers[name]
        order = " → ".join(linked(each) + (" ✓" if each in done else "") for each in it.order)
        left = sum(minutes(each) for each in it.order if each not in done)
        rows.append((f"**{name}**<br>{it.why}", order, in_words(sum(map(minutes, it.order))), in_words(left) or "-"))
    return Rows(("you are", "read in this order", "time", "time left"), rows)


# The picture


class Layout(NamedTuple):
    """A picture's measures, in px at its full width."""

    turned: bool
    """Whether columns and rows change places: for a narrow page."""
    cell: tuple[int, int]
    box: tuple[int, int]


WIDE = Layout(False, (220, 108), (150, 60))
NARROW = Layout(True, (130, 136), (114, 78))


def centre(name: str, layout: Layout) -> tuple[float, float]:
    """Where the middle of a pattern's box is, in px."""
    column, row = COURSE.patterns[name].place[:: -1 if layout.turned else 1]
    return (column + 0.5) * layout.cell[0], (row + 0.5) * layout.cell[1]


def size(layout: Layout) -> tuple[int, int]:
    """Width and height of a picture, in px."""
    places = [pattern.place[:: -1 if layout.turned else 1] for pattern in COURSE.patterns.values()]
    return (1 + max(x for x, _ in places)) * layout.cell[0], (1 + max(y for _, y in places)) * layout.cell[1]


def line(edge: Edge, layout: Layout) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an edge's line begins and ends, in px: at the borders of its boxes."""
    (x, y), (to_x, to_y) = centre(edge.tail, layout), centre(edge.head, layout)
    across, down = to_x - x, to_y - y
    half_width, half_height = layout.box[0] / 2 + 3, layout.box[1] / 2 + 3
    share = min(half_width / abs(across) if across else 1, half_height / abs(down) if down else 1)
    return (x + share * across, y + share * down), (to_x - share * across, to_y - share * down)


_ids = count()


class ConceptMap:
    """The map as a picture in HTML that needs no script: links, and a sentence for each line."""

    def __init__(self, done: Collection[str] = (), link: Callable[[str], str] = COURSE.notebook) -> None:
        self.done, self.link = _chapters(done), link

    def _repr_html_(self) -> str:
        return f"<style>{STYLE}</style>{self.markup()}"

    def markup(self) -> str:
        """The map without its style, which stands in `STYLE`."""
        page = f"map{next(_ids)}"
        pictures = "".join(self._picture(page, layout) for layout in (WIDE, NARROW))
        says = "".join(self._says(number, edge) for number, edge in enumerate(COURSE.edges))
        legend = "".join(f"<li>{_sign(kind)} {kind}: {it.says}</li>" for kind, it in COURSE.kinds.items())
        words = "".join(f"<li>{_sentence(edge)} {html.escape(edge.because)}</li>" for edge in COURSE.edges)
        checked = "".join(
            f'.dp-map:has([data-line="{page}-{number}"]:checked) .at-{number} {{ --line: var(--strong); --wide: 3; }}'
            f'.dp-map:has([data-line="{page}-{number}"]:checked) .says-{number} {{ display: block; }}'
            for number in range(len(COURSE.edges))
        )
        return (
            f'<style>{checked}</style><div class="dp-map">{pictures}'
            f'<div class="dp-map-says" aria-live="polite"><p class="none">Press a sign on a line to read why the line'
            f' is there. Press a box to open its chapter.</p>{says}</div><ul class="dp-map-legend">{legend}</ul>'
            f"<details><summary>All {len(COURSE.edges)} lines in words</summary><ul>{words}</ul></details></div>"
        )

    def _picture(self, page: str, layout: Layout) -> str:
        width, height = size(layout)
        kind = "narrow" if layout.turned else "wide"
        head = f"{page}-{kind}"
        lines = "".join(_line(number, edge, layout, head) for number, edge in enumerate(COURSE.edges))
        signs = "".join(_button(page, number, edge, layout) for number, edge in enumerate(COURSE.edges))
        boxes = "".join(self._box(name, layout) for name in COURSE.patterns)
        arrow = f'<marker id="{head}" class="dp-map-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
        arrow += ' markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
        return (
            f'<div class="dp-map-{kind}" style="aspect-ratio:{width}/{height};max-width:{width}px">'
            f'<svg viewBox="0 0 {width} {height}" aria-hidden="true"><defs>{arrow}</defs>{lines}</svg>{boxes}'
            f'<fieldset><legend class="dp-map-hidden">Lines of the map</legend>{signs}</fieldset></div>'
        )

    def _box(self, name: str, layout: Layout) -> str:
        pattern, done = COURSE.patterns[name], name in self.done
        (x, y), (width, height) = centre(name, layout), size(layout)
        style = (
            f"left:{100 * x / width:.3f}%;top:{100 * y / height:.3f}%;"
            f"width:{100 * layout.box[0] / width:.3f}%;min-height:{100 * layout.box[1] / height:.3f}%"
        )
        tick = ' <span class="tick" title="you have done this chapter">✓</span>' if done else ""
        title = f"{COURSE.number(name)} {html.escape(pattern.title)}{tick}"
        return (
            f'<a class="box{" done" if done else ""}" style="{style}" href="{html.escape(self.link(name))}"'
            f' title="{html.escape(pattern.question)}"{OWN_KEYS}><b>{title}</b>'
            f'<span lang="zh">{html.escape(pattern.chinese)}</span></a>'
        )

    def _says(self, number: int, edge: Edge) -> str:
        source = f'<span class="source">{html.escape(edge.source)}</span>'
        return f'<p class="says-{number}">{_sentence(edge)} {html.escape(edge.because)} {source}</p>'

    def __repr__(self) -> str:
        return "\n".join(f"{re.sub('<.*?>', '', _sentence(edge))} {edge.because}" for edge in COURSE.edges)


def _sign(kind: str) -> str:
    return f'<span class="sign {kind.split()[0]}">{SIGNS[kind]}</span>'


def _sentence(edge: Edge) -> str:
    tail, head = (html.escape(COURSE.patterns[name].title) for name in (edge.tail, edge.head))
    inside = head if head[:2].isupper() else head[0].lower() + head[1:]  # an abbreviation keeps its capitals
    return f"<b>{tail} {edge.kind} {inside}.</b>"


def _line(number: int, edge: Edge, layout: Layout, head: str) -> str:
    """An edge's line; `head` is the id of the marker that is its arrow."""
    (x, y), (to_x, to_y) = line(edge, layout)
    arrow = f' marker-end="url(#{head})"' if edge.kind != "competes with" else ""
    path = f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"
    return f'<path class="line at-{number} {edge.kind.split()[0]}" d="{path}"{arrow}/>'


def _button(page: str, number: int, edge: Edge, layout: Layout) -> str:
    (x, y), (to_x, to_y) = line(edge, layout)
    width, height = size(layout)
    style = f"left:{50 * (x + to_x) / width:.3f}%;top:{50 * (y + to_y) / height:.3f}%"
    tail, head = COURSE.patterns[edge.tail].title, COURSE.patterns[edge.head].title
    name = html.escape(f"{tail} {edge.kind} {head}: why?")
    return (
        f'<label class="sign at-{number} {edge.kind.split()[0]}" style="{style}" title="{name}">'
        f'<input type="radio" name="{page}" data-line="{page}-{number}" aria-label="{name}"{OWN_KEYS}>'
        f"{SIGNS[edge.kind]}</label>"
    )


def concept_map(done: Collection[str] = (), link: Callable[[str], str] = COURSE.notebook) -> ConceptMap:
    """The concept map. `done` names the chapters to be marked; a name without a box marks nothing. `link` gives the
    address of a pattern. Raises ParameterError if `done` is one name alone."""
    return ConceptMap(done, link)


STYLE = files("widgets.course").joinpath("concept_map.css").read_text(encoding="utf-8")
