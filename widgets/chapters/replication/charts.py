"""Charts of replication: how stale a read is, what each way costs and loses, siblings, and bytes of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import TYPE_CHECKING

from widgets.charts import BAD, INK, PALETTE, figure_of, named_lines, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

Points = Sequence[tuple[float, float]]


def staleness(found: Mapping[str, tuple[float, float]], title: str = "Reads that see the last write") -> Figure:
    """How likely a read is fresh: `found` is R and W in words -> (by the formula, drawn), both from 0 to 1.

    A bar is the formula, a stroke what was drawn. Raises ValueError for empty data, and for a probability outside 0 to
    1.
    """
    require("found", found)
    for name, both in found.items():
        if not all(0 <= chance <= 1 for chance in both):
            raise ValueError(f"found[{name!r}] is {both}; allowed are chances from 0 to 1")
    figure = figure_of(title, 110 + 30 * len(found), "fresh reads; bar: formula, stroke: random draws", "")
    formula, drawn = ([100 * both[at] for both in found.values()] for at in (0, 1))
    names = [*found]
    figure.add_bar(
        orientation="h", y=names, x=formula, text=[f"{value:.0f} %" for value in formula], marker_color=PALETTE[0]
    )
    stroke = {"symbol": "line-ns", "size": 20, "line": {"width": 3, "color": INK}}
    figure.add_scatter(mode="markers", y=names, x=drawn, marker=stroke, cliponaxis=False)
    figure.update_traces(hovertemplate="%{y}: %{x:.1f} %<extra></extra>")
    return figure.update_xaxes(range=[0, 108], ticksuffix=" %").update_yaxes(autorange="reversed")


def lines(series: Mapping[str, Points], x: str, y: str, title: str, log: bool = False) -> Figure:
    """One line for each name, named above. With `log`, both axes are logarithmic.

    Raises ValueError if there is nothing to show.
    """
    figure = named_lines(title, x, y, series, ",.4~g")
    if log:
        figure.update_xaxes(type="log", dtick=1).update_yaxes(type="log", dtick=1)
    return figure


def losses(
    found: Mapping[str, tuple[float, int, int]], title: str = "The cost of an acknowledgement, and the lost writes"
) -> Figure:
    """Latency against loss: `found` is a way -> (ms to the acknowledgement, acknowledged writes, those that are gone).

    Raises ValueError if there is nothing to show, or if more are gone than were acknowledged.
    """
    require("found", found)
    for name, (_, acknowledged, gone) in found.items():
        if gone > acknowledged:
            raise ValueError(f"found[{name!r}] has {gone} gone of {acknowledged}; allowed are at most as many")
    figure = figure_of(title, 130 + 34 * len(found), "ms to the acknowledgement, on average", "", columns=2)
    figure.update_xaxes(title_text="acknowledged and gone", row=1, col=2)
    for column, values in ((1, [each[0] for each in found.values()]), (2, [each[2] for each in found.values()])):
        said = [f"{each[2]} of {each[1]}" for each in found.values()] if column == 2 else [f"{v:.0f}" for v in values]
        colour = BAD if column == 2 else PALETTE[0]
        figure.add_bar(orientation="h", y=[*found], x=values, text=said, marker_color=colour, row=1, col=column)
        figure.update_xaxes(range=[0, 1.3 * max(1, *values)], row=1, col=column)
    figure.update_traces(hovertemplate="%{y}: %{text}<extra></extra>", textposition="outside")
    return figure.update_yaxes(autorange="reversed")


# Staleness, after Bailis et al., Probabilistically Bounded Staleness, VLDB 2012: chances alone, no machine


def fresh(n: int, r: int, w: int, versions: int = 1) -> float:
    """How likely a read sees one of the last `versions`, if nothing spreads after W have a write (section 3.1)."""
    return float(1 - (comb(n - w, r) / comb(n, r)) ** versions)


def drawn_fresh(n: int, r: int, w: int, draws: int = 20_000, seed: int = 0) -> float:
    """The same by drawing a read quorum for each write: the part of the reads that meet it."""
    import numpy as np

    order = np.random.default_rng(seed).random((draws, n)).argsort(axis=1)
    return float((order[:, :r] < w).any(axis=1).mean())


def wars(times: Sequence[float], r: int, w: int, n: int = 3, draws: int = 100_000, seed: int = 0) -> list[float]:
    """How likely a read is fresh that begins so many ms after the write is acknowledged.

    The WARS model (section 4.1): write, acknowledgement, read, and response of each replica take a time of their own,
    each drawn from the distribution of LinkedIn's SSDs (table 3).
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    pareto = 0.235 * (1 + rng.pareto(10, (4, draws, n)))
    write, ack, read, response = np.where(
        rng.random(pareto.shape) < 0.9122, pareto, rng.exponential(1 / 1.66, pareto.shape)
    )
    done = np.sort(write + ack)[:, w - 1 : w]
    first = (read + response).argsort()[:, :r]
    lag = np.take_along_axis(write - read, first, axis=1).min(axis=1) - done[:, 0]
    return [float((lag <= time).mean()) for time in times]
