"""Charts of atomic commitment: what the protocols cost beside what is published, and how long a crash blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from widgets.charts import GRID, INK, PALETTE, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

Cost = tuple[int, int]
"""Messages, and forced writes."""
Published = tuple[int | None, int | None]
"""The published figures; None where the source gives no figure."""
KINDS = ("messages", "forced writes")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def commit_costs(
    counted: Mapping[str, Mapping[str, Cost]],
    published: Mapping[str, Mapping[str, Published]] | None = None,
    source: str = "published",
    title: str = "What one transaction costs",
) -> Figure:
    """What each protocol costs: `counted` is protocol -> how it ends (commit, abort) -> messages and forced writes.

    One bar for each value, messages on the left, forced writes on the right. A stroke marks a `published` value, named
    `source`. Raises ValueError for empty data, for a number below 0, and for a published cost that was not counted.
    """
    require("counted", counted)
    for protocol, ends in counted.items():
        require(f"counted[{protocol!r}]", ends)
        for end, cost in ends.items():
            if min(cost) < 0:
                raise ValueError(f"{protocol!r}, {end!r} costs {cost}; allowed is 0 or more")
    for protocol, said in (published or {}).items():
        for end in said:
            if end not in counted.get(protocol, {}):
                raise ValueError(f"published has {protocol!r}, {end!r}; counted has no such row")
    rows = [(protocol, end) for protocol, ends in counted.items() for end in ends]
    figure = figure_of(title, 120 + 30 * len(rows), KINDS[0], "", columns=2)
    figure.update_xaxes(title_text=KINDS[1], row=1, col=2)
    kinds_of_end = list(dict.fromkeys(end for _, end in rows))
    colours = [PALETTE[kinds_of_end.index(end) % len(PALETTE)] for _, end in rows]
    y = [[protocol for protocol, _ in rows], [end for _, end in rows]]
    for at, kind in enumerate(KINDS):
        values = [counted[protocol][end][at] for protocol, end in rows]
        figure.add_bar(
            name=kind,
            orientation="h",
            y=y,
            x=values,
            text=[f"{value:,}" for value in values],
            marker_color=colours,
            hovertemplate="%{y}: %{x:,} " + kind + "<extra></extra>",
            row=1,
            col=at + 1,
        )
        figure.update_xaxes(range=[0, 1.15 * max(1, *values)], row=1, col=at + 1)
        _published(figure, published or {}, rows, at)
    if published:
        figure.add_annotation(
            text=f"┃ {source}", xref="paper", yref="paper", x=1, y=1, xanchor="right", yanchor="bottom"
        )
    return figure.update_yaxes(autorange="reversed", dividercolor=GRID)


def _published(
    figure: Figure, published: Mapping[str, Mapping[str, Published]], rows: Sequence[tuple[str, str]], at: int
) -> None:
    """The strokes that mark the published figures for one kind of cost."""
    said = [
        (p, end, value) for p, end in rows if (value := published.get(p, {}).get(end, (None, None))[at]) is not None
    ]
    if not said:
        return
    figure.add_scatter(
        name=f"published {KINDS[at]}",
        mode="markers",
        y=[[protocol for protocol, _, _ in said], [end for _, end, _ in said]],
        x=[value for _, _, value in said],
        marker={"symbol": "line-ns", "size": 26, "line": {"width": 4, "color": INK}},
        cliponaxis=False,
        hovertemplate="%{y}: published %{x:,} " + KINDS[at] + "<extra></extra>",
        row=1,
        col=at + 1,
    )


def time_blocked(
    found: Mapping[str, Sequence[tuple[int, int]]],
    title: str = "How long rows stay locked when the coordinator crashes",
) -> Figure:
    """How long a participant that voted yes is in doubt: `found` is protocol -> (time of repair, time in doubt), in ms.

    One line for each protocol, named at its end. A climbing line is blocked until the repair. Raises ValueError if
    there is nothing to show, or for a time below 0.
    """
    require("found", found)
    figure = figure_of(title, 420, "ms until the coordinator is repaired", "longest time in doubt, ms")
    for at, (name, points) in enumerate(found.items()):
        require(f"found[{name!r}]", points)
        if wrong := [point for point in points if min(point) < 0]:
            raise ValueError(f"{name!r} has {wrong[0]}; allowed are times of 0 ms or more")
        colour, line = PALETTE[at % len(PALETTE)], sorted(points)
        figure.add_scatter(
            name=name,
            mode="lines+markers+text",
            x=[repair for repair, _ in line],
            y=[doubt for _, doubt in line],
            text=[""] * (len(line) - 1) + [f"  {name}"],
            textposition="middle right",
            textfont={"color": colour, "size": 13},
            cliponaxis=False,
            line={"color": colour, "width": 2.5, "dash": DASHES[at % len(DASHES)]},
            marker={"size": 7},
            hovertemplate="repaired after %{x:,} ms: in doubt for %{y:,} ms<extra>" + name + "</extra>",
        )
    figure.update_yaxes(rangemode="tozero").update_xaxes(rangemode="tozero")
    return figure.update_layout(margin_r=24 + 7 * max(map(len, found)))
