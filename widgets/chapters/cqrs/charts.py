"""The charts of notebooks/09_cqrs.ipynb: lag against the rate of writes, a rebuild over time, the cost of a query."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from patterns.cqrs.lesson.measure import HOP, Lag, Moment
from patterns.cqrs.lesson.real import Cost
from widgets.charts import INK, PALETTE, figure_of, mark, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

DASHES = ("solid", "dot", "dash")


def _line(figure: Figure, name: str, x: Sequence[float], y: Sequence[float], at: int, row: int, hover: str) -> None:
    """A line with its name at its end."""
    colour = PALETTE[at]
    figure.add_scatter(
        name=name,
        mode="lines+markers+text",
        x=x,
        y=y,
        text=[""] * (len(x) - 1) + [f"  {name}"],
        textposition="middle right",
        textfont={"color": colour, "size": 13},
        cliponaxis=False,
        line={"color": colour, "width": 2.5, "dash": DASHES[at]},
        marker={"size": 6},
        hovertemplate=hover + f"<extra>{name}</extra>",
        row=row,
        col=1,
    )


def lag(found: Sequence[Lag], title: str = "Above the projector's capacity, lag grows") -> Figure:
    """The lag of a read model against the rate of writes: in events above, in time below. One line for each size of a
    transaction. The dashed line is the capacity of a projector that takes one event at a time.

    Raises ValueError if there is nothing to show.
    """
    require("found", found)
    figure = figure_of(title, 460, "orders each second", "events behind, at most", rows=2)
    for at, (batch, each) in enumerate(groupby(found, key=lambda lag: lag.batch)):
        points = list(each)
        name = f"{batch} {'event' if batch == 1 else 'events'} in a write"
        rates = [round(point.rate, 1) for point in points]
        _line(figure, name, rates, [point.events for point in points], at, 1, "%{x}/s: %{y} events behind")
        _line(figure, name, rates, [point.ms for point in points], at, 2, "%{x}/s: %{y} ms behind")
    mark(figure, 1000 / (4 * HOP), "one event in a write: at most {:.0f}/s")
    figure.add_vline(x=1000 / (4 * HOP), line={"color": INK, "dash": "dash", "width": 1.5}, row=2, col=1)
    figure.update_yaxes(title_text="ms behind, at most", row=2, col=1)
    return figure.update_layout(margin_r=130)


def rebuild(moments: Sequence[Moment], title: str = "The new version catches up, and queries switch") -> Figure:
    """Positions over time: the store, the old version, the new version. A dashed line marks the switch.

    Raises ValueError if there is nothing to show.
    """
    require("moments", moments)
    figure = figure_of(title, 400, "ms since the rebuild began", "position")
    times = [moment.ms for moment in moments]
    middle = next((at for at, moment in enumerate(moments) if 2 * (moment.new or 0) > moment.old), 0)
    lines: dict[str, tuple[list[int | None], int, int]] = {
        "store": ([moment.store for moment in moments], -1, 14),
        "old version": ([moment.old for moment in moments], -1, -14),
        "new version": ([moment.new for moment in moments], middle, -14),
    }
    for at, (name, (positions, end, shift)) in enumerate(lines.items()):
        figure.add_scatter(
            name=name,
            mode="lines",
            x=times,
            y=positions,
            line={"color": PALETTE[at], "width": 2.5, "dash": DASHES[at], "shape": "hv"},
            hovertemplate="%{x} ms: at %{y}<extra>" + name + "</extra>",
        )
        of = {"text": name, "yshift": shift, "font": {"color": PALETTE[at]}}
        figure.add_annotation(x=times[end], y=positions[end], xanchor="left" if end > 0 else "right", **of)
    switch = next((moment.ms for moment in moments if moment.live > 1), None)
    if switch is not None:
        mark(figure, switch, "queries read the new version: {} ms")
    return figure.update_yaxes(rangemode="tozero").update_layout(margin_r=130)  # for the words at the switch


def query_cost(costs: Sequence[Cost], title: str = "A query on the events costs more with every event") -> Figure:
    """The time of one query against the length of the history, both on logarithmic scales: from the events, and from a
    read model. Raises ValueError if there is nothing to show.
    """
    require("costs", costs)
    figure = figure_of(title, 380, "events of the shelf", "ms for one query")
    lengths = [cost.events for cost in costs]
    for at, (name, values) in enumerate(
        {"from the events": [c.events_ms for c in costs], "from the read model": [c.model_ms for c in costs]}.items()
    ):
        _line(figure, name, lengths, values, at, 1, "%{x:,} events: %{y:.3f} ms")
    figure.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=1)
    return figure.update_layout(margin_r=150)
