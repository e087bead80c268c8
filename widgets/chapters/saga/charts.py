"""Charts of transactions across services: how long rows are locked, and what others can read meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from widgets.charts import BAD, INK, PALETTE, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

Stretch = tuple[str, int, int, str]
"""Row, from when, until when (ms), and what a reader finds there: a key of `LOOKS`."""


class Look(NamedTuple):
    name: str
    colour: str
    hatch: str


LOOKS: Mapping[str, Look] = {
    "locked": Look("locked: others wait", BAD, "x"),
    "tentative": Look("readable, may be taken back", PALETTE[1], "/"),
    "committed": Look("final", INK, ""),
}
"""What a reader may find in a row, and how it is drawn: hatching distinguishes them without colour."""
THIN, THICK = 0.24, 0.72
"""How much of its line a bar takes: a committed value gets a thin bar."""


def exposure(runs: Mapping[str, Iterable[Stretch]], title: str = "What a reader finds in each row") -> Figure:
    """One line for each row, time to the right: `runs` is name of a run -> stretches of its rows, all on one scale.

    Raises ValueError when there is nothing to show, for a word that is not in `LOOKS`, and for a stretch that ends
    before it begins.
    """
    require("runs", runs)
    listed = {name: list(stretches) for name, stretches in runs.items()}
    for name, stretches in listed.items():
        require(f"runs[{name!r}]", stretches)
        _check(name, stretches)
    lines = sum(len(_rows(stretches)) for stretches in listed.values())
    height = 150 + 40 * len(listed) + 29 * lines
    figure = figure_of(title, height, "", "", rows=len(listed), names=tuple(listed))
    found = {seen for stretches in listed.values() for *_, seen in stretches}
    for at, (name, stretches) in enumerate(listed.items(), 1):
        for seen, look in LOOKS.items():
            of = [stretch for stretch in stretches if stretch[3] == seen]
            if of:
                first = not any(bars.name == look.name for bars in figure.data)
                _bars(figure, look, of, name, at, THIN if seen == "committed" else THICK, first)
        order = {"categoryorder": "array", "categoryarray": _rows(stretches), "autorange": "reversed"}
        figure.update_yaxes(order, row=at, col=1)
    end = max(ends for stretches in listed.values() for _, _, ends, _ in stretches)
    figure.update_xaxes(range=[0, max(1, end) * 1.02])
    figure.update_xaxes(title_text="ms since the request", row=len(listed), col=1)
    # Below the axis: in a narrow cell its names stand one below the other, and cover nothing.
    legend = {"orientation": "h", "x": 0, "y": 0, "xref": "container", "yref": "container", "yanchor": "bottom"}
    figure.update_layout(barmode="overlay", showlegend=True, legend=legend, legend_font_size=13)
    return figure.update_layout(margin_b=72 + 18 * (len(found) - 1))


def _rows(stretches: Iterable[Stretch]) -> list[str]:
    return list(dict.fromkeys(row for row, *_ in stretches))


def _check(name: str, stretches: Sequence[Stretch]) -> None:
    for row, begins, ends, seen in stretches:
        if seen not in LOOKS:
            raise ValueError(f"{name!r} has {seen!r} in {row}; allowed are {', '.join(LOOKS)}")
        if ends < begins:
            raise ValueError(
                f"{name!r} has a stretch of {row} from {begins} to {ends} ms; it must not end before it begins"
            )


def _bars(
    figure: Figure, look: Look, found: Sequence[Stretch], run: str, at: int, thick: float, in_legend: bool
) -> None:
    figure.add_bar(
        name=look.name,
        orientation="h",
        y=[row for row, *_ in found],
        base=[begins for _, begins, _, _ in found],
        x=[ends - begins for _, begins, ends, _ in found],
        width=thick,
        marker={"color": look.colour, "pattern": {"shape": look.hatch, "size": 7, "solidity": 0.35}},
        customdata=[[begins, ends] for _, begins, ends, _ in found],
        hovertemplate=run + ", %{y}: %{customdata[0]:,} to %{customdata[1]:,} ms<extra>" + look.name + "</extra>",
        legendgroup=look.name,
        showlegend=in_legend,
        row=at,
        col=1,
    )
