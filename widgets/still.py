"""A still picture of a scene, as SVG: it stands for a player where none can live.

Plain on purpose: the player settles messages, captions and words, and moves them; here each mark stands where its view
puts it. Colours are those of the charts, as legible on white as on black.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from widgets.charts import ACCENT, BAD, GOOD, INK, PALETTE
from widgets.kit.boxes import cut, wide
from widgets.scene import Mark, Panel, Scene, around

GAP, TITLE, TYPE = 16, 24, 12.5
COLOURS = {f"c{at + 1}": colour for at, colour in enumerate(PALETTE)} | {"bad": BAD, "good": GOOD, "accent": ACCENT}
SIZES = {"small": 12.5, "normal": 13, "large": 17}
ORDER = ("arc", "ticks", "box", "line", "label", "message", "disc")
"""The kinds, bottom to top, as in the player."""


def still(scene: Scene) -> str:
    """The panels of a scene side by side, as wide as they are or as there is room."""
    width = sum(panel.width + GAP for panel in scene.panels)
    height = max((panel.height for panel in scene.panels), default=0) + TITLE + 8
    drawn, x = "", GAP / 2
    for panel in scene.panels:
        drawn += f'<g transform="translate({x:.0f} {TITLE})">{_panel(panel)}</g>'
        x += panel.width + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'font-family="system-ui, sans-serif">{drawn}</svg>'
    )


def _panel(panel: Panel) -> str:
    marks = sorted(panel.marks, key=lambda mark: ORDER.index(_kind(mark)))
    title = _text(0, -9, cut(panel.title, panel.width), INK, bold=True) if panel.title else ""
    return title + "".join("".join(DRAW[_kind(mark)](mark, _colour(mark))) for mark in marks)


def _kind(mark: Mark) -> str:
    return str(mark.__struct_config__.tag)


def _colour(mark: Mark) -> str:
    return COLOURS.get(mark.hue or mark.role, INK)


def _text(
    x: float, y: float, text: str, colour: str, anchor: str = "start", size: float = TYPE, bold: bool = False
) -> str:
    weight = ' font-weight="650"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight} fill="{colour}">'
        f"{escape(text)}</text>"
    )


def _shape(mark: Mark, colour: str) -> str:
    """How a disc or a box is filled and drawn: what its role and its tone say of it."""
    solid = mark.tone == "solid" or mark.role == "leader"
    filled = 1 if solid else 0.14 if mark.tone == "soft" or mark.role == "follower" else 0
    dashed = mark.tone == "dashed" or mark.role in ("candidate", "down")
    strokes = f'stroke="{colour}" stroke-width="1.5"' + (' stroke-dasharray="5 4"' if dashed else "")
    return f'fill="{colour}" fill-opacity="{filled}" {strokes}'


def _disc(mark: Any, colour: str) -> Iterator[str]:
    x, y, r = mark.x, mark.y, mark.r
    yield f'<circle cx="{x}" cy="{y}" r="{r}" {_shape(mark, colour)}/>'
    if mark.role == "leader":
        yield f'<circle cx="{x}" cy="{y}" r="{r + 4}" fill="none" stroke="{colour}"/>'
    on = "#fff" if mark.tone == "solid" or mark.role == "leader" else INK
    inside = bool(mark.sub) and wide(mark.sub) < 1.85 * r
    if mark.text:
        yield _text(x, y + (0 if inside else 5), cut(mark.text, 2 * r), on, "middle", 14, bold=True)
    if inside:
        yield _text(x, y + 14, mark.sub, on, "middle")
    said = ", ".join(filter(None, ["" if inside else mark.sub, mark.caption]))
    if said:
        yield _text(x, y - r - 10 if mark.above else y + r + 18, said, colour, "middle", bold=True)


def _box(mark: Any, colour: str) -> Iterator[str]:
    x, y, w, h = mark.x, mark.y, mark.w, mark.h
    if mark.tone == "row":
        yield f'<path d="M{x} {y + h}h{w}" stroke="{INK}" stroke-opacity="0.3"/>'
    else:
        yield f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="4" {_shape(mark, colour)}/>'
    left, _, right = mark.text.partition("\t")
    on, low = "#fff" if mark.tone == "solid" else colour, y + h / 2 + 4.5
    if right or mark.tone == "row":
        yield _text(x + 5, low, cut(left, w - 14 - wide(right)), on)
        yield _text(x + w - 5, low, right, on, "end", bold=True)
    elif left:
        yield _text(x + w / 2, low, cut(left, w - 2), on, "middle")


def _line(mark: Any, colour: str) -> Iterator[str]:
    look = f'stroke="{BAD if mark.tone == "wall" else colour}" stroke-width="{3 if mark.tone == "wall" else mark.wide}"'
    dashes = ' stroke-dasharray="4 4"' if mark.tone in ("dashed", "wall") else ""
    yield f'<path d="M{mark.x} {mark.y}L{mark.x2} {mark.y2}" {look}{dashes} fill="none"/>'
    if mark.text:
        yield _text(mark.x2, mark.y2 + 14, mark.text, colour, "middle")


def _message(mark: Any, colour: str) -> Iterator[str]:
    """Its way, bent as the player bends it, and how far it has come."""
    x, y, x2, y2 = mark.x, mark.y, mark.x2, mark.y2
    bx, by = (x + x2) / 2 - 0.18 * (y2 - y), (y + y2) / 2 + 0.18 * (x2 - x)
    if mark.bend:
        bx, by = (x + x2) / 2, (y + y2) / 2 - 2 * mark.bend
    t = mark.part
    at = [(1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in ((x, bx, x2), (y, by, y2))]
    yield f'<path d="M{x} {y}Q{bx:.1f} {by:.1f} {x2} {y2}" stroke="{colour}" stroke-opacity="0.5" fill="none"/>'
    yield f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="7" {_shape(mark, colour)} />'
    if mark.tone != "soft":
        yield f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="5" fill="{colour}"/>'


def _arc(mark: Any, colour: str) -> Iterator[str]:
    span = max(0.0, min(mark.end - mark.start, 1.0))
    turns = [mark.start, mark.start + span / 2, mark.start + span]
    (a, b), (c, d), (e, f) = (around(mark.x, mark.y, mark.r, turn) for turn in turns)
    arc = f"A{mark.r} {mark.r} 0 0 1"
    yield f'<path d="M{a} {b}{arc} {c} {d}{arc} {e} {f}" stroke="{colour}" stroke-width="{mark.wide}" fill="none"/>'
    if mark.text:
        x, y = around(mark.x, mark.y, mark.r + mark.wide + 10, turns[1])
        yield _text(x, y + 4, mark.text, INK, "middle")


def _ticks(mark: Any, colour: str) -> Iterator[str]:
    lines = ""
    for turn in mark.at:
        (a, b), (c, d) = (around(mark.x, mark.y, r, turn) for r in (mark.r, mark.r2))
        lines += f"M{a} {b}L{c} {d}"
    yield f'<path d="{lines}" stroke="{colour}" stroke-width="{mark.wide}" fill="none"/>'


def _label(mark: Any, colour: str) -> Iterator[str]:
    yield _text(mark.x, mark.y, mark.text, colour, mark.anchor, SIZES[mark.size], bold=mark.strong)


DRAW: Mapping[str, Callable[[Any, str], Iterator[str]]] = {
    "disc": _disc,
    "box": _box,
    "line": _line,
    "message": _message,
    "arc": _arc,
    "ticks": _ticks,
    "label": _label,
}
