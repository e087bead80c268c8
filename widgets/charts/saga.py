"""Charts of transactions across services: how long rows are locked, and what others can read meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .style import BAD, INK, PALETTE, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

Stretch = tuple[str, int, int, str]
"""Row, from when, until when (ms), and what a reader finds there: a word of `LOOKS`."""


class Look(NamedTuple):
    name: str
    colour: str
    hatch: str


LOOKS: Mapping[str, Look] = {
    "locked": Look("locked: others wait", BAD, "x"),
    "tentative": Look("readable, may be taken back", PALETTE[1], "/"),
    "committed": Look("committed", INK, ""),
}
"""What a reader may find in a row, and how it is drawn: told apart by hatching, too."""
THIN, THICK = 0.24, 0.72
"""The part of its line that a bar takes: thin where nothing is the matter."""


def exposure(
    runs: Mapping[str, Iterable[Stretch]], title: str = "What a reader finds in each row while a transaction runs"
) -> Figure:
    """A line a row, time to the right: `runs` is name of a run -> stretches of its rows, all on one scale.

    Raises ValueError when there is nothing to show, for a word that is not in `LOOKS`, and for a stretch that ends
    before it begins.
    """
    require("runs", runs)
    listed = {name: list(stretches) for name, stretches in runs.items()}
    for name, stretches in listed.items():
        require(f"runs[{name!r}]", stretches)
        _check(name, stretches)
    lines = sum(len({row for row, *_ in stretches}) for stretches in listed.values())
    figure = figure_of(title, 160 + 31 * lines, "ms since the request", "")
    for seen, look in LOOKS.items():
        found = [
            (name, row, begins, ends)
            for name, stretches in listed.items()
            for row, begins, ends, what in stretches
            if what == seen
        ]
        if found:
            _bars(figure, look, found, THIN if seen == "committed" else THICK)
    legend = {"orientation": "h", "x": 0, "xref": "container", "y": 1, "yanchor": "bottom", "font": {"size": 13}}
    figure.update_layout(barmode="overlay", showlegend=True, legend=legend, margin_t=90)
    order = [[name for name, rows in _rows(listed) for _ in rows], [row for _, rows in _rows(listed) for row in rows]]
    # Bars come look by look; this keeps the rows in the order of the runs.
    figure.add_bar(orientation="h", y=order, x=[0] * len(order[0]), showlegend=False, hoverinfo="skip")
    figure.data = (figure.data[-1], *figure.data[:-1])
    return figure.update_yaxes(autorange="reversed")


def _rows(runs: Mapping[str, Sequence[Stretch]]) -> list[tuple[str, list[str]]]:
    return [(name, list(dict.fromkeys(row for row, *_ in stretches))) for name, stretches in runs.items()]


def _check(name: str, stretches: Sequence[Stretch]) -> None:
    for row, begins, ends, seen in stretches:
        if seen not in LOOKS:
            raise ValueError(f"{name!r} has {seen!r} in {row}; allowed are {', '.join(LOOKS)}")
        if ends < begins:
            raise ValueError(
                f"{name!r} has a stretch of {row} from {begins} to {ends} ms; it must not end before it begins"
            )


def _bars(figure: Figure, look: Look, found: Sequence[tuple[str, str, int, int]], thick: float) -> None:
    figure.add_bar(
        name=look.name,
        orientation="h",
        y=[[name for name, *_ in found], [row for _, row, *_ in found]],
        base=[begins for *_, begins, _ in found],
        x=[ends - begins for *_, begins, ends in found],
        width=thick,
        marker={"color": look.colour, "pattern": {"shape": look.hatch, "size": 7, "solidity": 0.35}},
        customdata=[[begins, ends] for *_, begins, ends in found],
        hovertemplate="%{y}: %{customdata[0]:,} to %{customdata[1]:,} ms<extra>" + look.name + "</extra>",
    )


def locked(
    lines: Mapping[str, Mapping[int, float]],
    x: str = "delay of one participant, ms",
    y: str = "ms, all rows added up",
    title: str = "Time that rows are locked against one slow participant",
) -> Figure:
    """A line each, named at its end: `lines` is name -> x -> y. Raises ValueError when there is nothing to show."""
    require("lines", lines)
    figure = figure_of(title, 400, x, y)
    for at, (name, values) in enumerate(lines.items()):
        require(f"lines[{name!r}]", values)
        points, colour = sorted(values), PALETTE[at % len(PALETTE)]
        figure.add_scatter(
            name=name,
            mode="lines+markers+text",
            x=points,
            y=[values[point] for point in points],
            text=[""] * (len(points) - 1) + [f"  {name}"],
            textposition="middle right",
            textfont={"color": colour, "size": 13},
            cliponaxis=False,
            line={"color": colour, "width": 2.5, "dash": ("solid", "dash", "dot", "dashdot")[at % 4]},
            marker={"size": 8, "symbol": ("circle", "square", "diamond", "triangle-up")[at % 4]},
            hovertemplate="%{x:,}: %{y:,.0f} ms<extra>" + name + "</extra>",
        )
    return figure.update_layout(margin_r=12 + 8 * max(map(len, lines))).update_yaxes(rangemode="tozero")
