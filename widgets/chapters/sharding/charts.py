"""Charts of sharding: keys that move, load by range and by hash, a hot key, the tail of a fan-out, writes in a move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from widgets.charts import PALETTE, bars, figure_of, named_lines, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

Line = Mapping[int, float]
"""x -> y"""


def _lines(title: str, x: str, y: str, lines: Mapping[str, Line], percent: bool) -> Figure:
    """One line for each name, named above."""
    series = {name: [*points.items()] for name, points in lines.items()}
    figure = named_lines(title, x, y, series, ".1%" if percent else ".3g", "lines+markers")
    return figure.update_yaxes(rangemode="tozero", **({"tickformat": ".0%"} if percent else {}))


def moved_share(shares: Mapping[str, Line]) -> Figure:
    """Scheme -> number of machines before one joins -> the share of the keys that move."""
    return _lines("One machine joins: what share of the keys moves", "machines before", "keys that move", shares, True)


def load_by_shard(loads: Mapping[str, Sequence[float]]) -> Figure:
    """Scheme -> the load of each shard, in the order of the key space."""
    require("loads", loads)
    figure = figure_of("By range one shard has most keys, by hash none", 200 * len(loads), "", "keys", rows=len(loads))
    for at, (name, each) in enumerate(loads.items(), 1):
        colour, labels = PALETTE[at - 1], [str(shard) for shard in range(1, len(each) + 1)]
        figure.add_bar(x=labels, y=list(each), name=name, marker_color=colour, row=at, col=1)
        figure.update_xaxes(title_text=f"{name}: shard", row=at, col=1)
        figure.update_yaxes(title_text="keys", row=at, col=1)
    return figure


def salt_price(prices: Mapping[str, Line]) -> Figure:
    """Measure -> number of salts -> operations in a second."""
    return _lines("Salt cools writes, and multiplies reads", "salts", "operations in a second", prices, False)


def tail(slow: Mapping[str, Line]) -> Figure:
    """With or without hedging -> number of legs -> how likely the answer is slow."""
    return _lines("The more legs, the slower: each leg is slow in 1 % of cases", "legs", "slow answers", slow, True)


def longest_write(ms: Mapping[str, float]) -> Figure:
    """Phase -> the longest write in ms."""
    require("ms", ms)
    figure = figure_of("The longest write during a move, in ms", 90 + 40 * len(ms), "ms", "")
    bars(figure, ms, PALETTE[0], "{:.1f}", 1)
    return figure.update_yaxes(autorange="reversed")
