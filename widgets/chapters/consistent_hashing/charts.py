"""Charts of placement: how many keys a node has, how even that is, how many move, how well a hash mixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import TYPE_CHECKING

from patterns.engine.sentences import counted
from widgets.charts import BAD, FEW_NODES, INK, PALETTE, bars, extremes, figure_of, legend_above, mark, require, short

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]


def load(loads: Mapping[str, Mapping[str, int]], title: str = "") -> Figure:
    """How many keys each node has: `loads` is name of a ring or scheme -> node -> keys.

    One bar for each node, or one dot if there are more than twelve. The mean is marked. Raises ValueError when there
    is nothing to show.
    """
    require("loads", loads)
    for name, nodes in loads.items():
        require(f"loads[{name!r}]", nodes)
    fullest = {name: max(nodes.values()) / max(1e-9, mean(nodes.values())) for name, nodes in loads.items()}
    one, several = (
        "The fullest machine has {high} × the mean",
        "{most}: the fullest machine has {high} × the mean. {least}: {low} × the mean",
    )
    title = extremes(title, fullest, several if len(loads) > 1 else one, "{:.2f}")
    rows = sum(len(nodes) for nodes in loads.values())
    if max(map(len, loads.values())) > FEW_NODES:
        figure = figure_of(title, 110 + 60 * len(loads), "keys of each machine", "")
        for at, (name, nodes) in enumerate(loads.items()):
            _dots(figure, name, nodes, PALETTE[at % len(PALETTE)])
        return figure.update_yaxes(autorange="reversed")
    figure = figure_of(title, 110 + 26 * rows, "keys of each machine", "")
    for name, nodes in loads.items():
        figure.add_bar(
            orientation="h",
            y=[[name] * len(nodes), list(nodes)] if len(loads) > 1 else list(nodes),
            x=list(nodes.values()),
            text=[f"{keys:,}" for keys in nodes.values()],
            marker_color=[PALETTE[at % len(PALETTE)] for at in range(len(nodes))],
            hovertemplate="%{y}: %{x:,} keys<extra></extra>",
        )
    means = {mean(nodes.values()) for nodes in loads.values()}
    if len(means) == 1:
        mark(figure, means.pop(), "mean {:,.0f}")
    return figure.update_yaxes(autorange="reversed")


def _dots(figure: Figure, name: str, nodes: Mapping[str, int], colour: str) -> None:
    """One row with a dot for each node, its extremes named."""
    most, least = max(nodes, key=nodes.__getitem__), min(nodes, key=nodes.__getitem__)
    figure.add_scatter(
        mode="markers",
        y=[name] * len(nodes),
        x=list(nodes.values()),
        customdata=list(nodes),
        marker={"color": colour, "size": 10, "opacity": 0.55, "symbol": "line-ns-open", "line": {"width": 2}},
        hovertemplate="%{customdata}: %{x:,} keys<extra></extra>",
    )
    for node, anchor in ((least, "right"), (most, "left")):
        figure.add_annotation(
            x=nodes[node], y=name, text=f"{short(node)} {nodes[node]:,}", xanchor=anchor, yshift=16, font_size=12
        )


def balance(
    ratios: Mapping[int, Sequence[float]],
    bound: Mapping[int, float] | None = None,
    bound_name: str = "bound",
    title: str = "",
) -> Figure:
    """How much fuller than the mean the fullest node is: `ratios` is virtual nodes -> max/mean of some rings.

    A dot a ring, a line through their medians, and the `bound` (virtual nodes -> max/mean) that a paper gives.
    Raises ValueError when there is nothing to show, or a number of points is below 1.
    """
    require("ratios", ratios)
    for vnodes, found in ratios.items():
        require(f"ratios[{vnodes}]", found)
        if vnodes < 1:
            raise ValueError(f"ratios names {vnodes} virtual nodes; a node has at least one")
    middle = {counted(vnodes, "point"): median(found) for vnodes, found in sorted(ratios.items())}
    said = "The fullest node has {high} × the mean with {most}, {low} × with {least}"
    title = extremes(title, middle, said, "{:.2f}")
    figure = figure_of(title, 380, "virtual nodes of each node (logarithmic)", "fullest node, × mean")
    figure.add_scatter(
        name="one ring each",
        mode="markers",
        x=[vnodes for vnodes, found in ratios.items() for _ in found],
        y=[ratio for found in ratios.values() for ratio in found],
        marker={"color": PALETTE[0], "size": 7, "opacity": 0.5},
        hovertemplate="%{x} points: %{y:.2f} × mean<extra></extra>",
    )
    ordered = sorted(ratios)
    medians = [median(ratios[vnodes]) for vnodes in ordered]
    _line(figure, "median", ordered, medians, PALETTE[0], dash="solid", symbol="circle")
    if bound:
        x, y = sorted(bound), [bound[vnodes] for vnodes in sorted(bound)]
        _line(figure, bound_name, x, y, BAD, dash="dash", symbol="diamond")
    return legend_above(figure).update_xaxes(
        type="log", tickvals=ordered, ticktext=[f"{vnodes:,}" for vnodes in ordered]
    )


def _line(
    figure: Figure, name: str, x: Sequence[float], y: Sequence[float], colour: str, dash: str, symbol: str
) -> None:
    figure.add_scatter(
        name=name,
        mode="lines+markers",
        x=list(x),
        y=list(y),
        cliponaxis=False,
        line={"color": colour, "dash": dash, "width": 2.5},
        marker={"symbol": symbol, "size": 8},
        hovertemplate="%{x} points: %{y:.2f} × mean<extra>" + name + "</extra>",
    )


def moved(
    shares: Mapping[str, float],
    ideal: float | None = None,
    fullest: Mapping[str, float] | None = None,
    title: str = "",
) -> Figure:
    """What a change moves: `shares` is scheme -> part of the keys, from 0 to 1; `ideal` the part that must move.

    With `fullest` (scheme -> max/mean) how even the schemes are stands beside it. Raises ValueError for a share outside
    0 to 1, and for a scheme that stands in one of the two mappings only.
    """
    require("shares", shares)
    for name, share in [*shares.items(), *([] if ideal is None else [("ideal", ideal)])]:
        if not 0 <= share <= 1:
            raise ValueError(f"the part of {name!r} is {share!r}; it is from 0 to 1")
    if fullest is not None and fullest.keys() != shares.keys():
        raise ValueError(f"fullest names {', '.join(fullest)}; shares names {', '.join(shares)}")
    percents = {name: 100 * share for name, share in shares.items()}
    title = extremes(title, percents, "{most} moves {high} % of the keys, {least} {low} %", "{:.0f}")
    figure = figure_of(title, 110 + 34 * len(shares), "keys that move, %", "", columns=1 if fullest is None else 2)
    bars(figure, percents, PALETTE[0], "{:.1f} %", column=1)
    if ideal is not None:
        mark(figure, 100 * ideal, "ideal {:.1f} %", column=1)
    if fullest is not None:
        bars(figure, fullest, PALETTE[1], "{:.2f}", column=2)
        mark(figure, 1.0, "even", column=2)
        figure.update_xaxes(title_text="fullest node, × mean", row=1, col=2)
    return figure.update_yaxes(autorange="reversed")


def mixing(
    flips: Mapping[str, Sequence[float]],
    loads: Mapping[str, Mapping[str, int]] | None = None,
    title: str = "",
) -> Figure:
    """Why a ring needs a hash that mixes: `flips` is hash -> how often each output bit flips, highest bit first.

    A row a hash, its bits as a profile around one half; with `loads` (hash -> node -> keys) the ring that it makes
    stands beside it. Raises ValueError when there is nothing to show, or a hash that only one of the two names.
    """
    require("flips", flips)
    if loads is not None and loads.keys() != flips.keys():
        raise ValueError(f"loads names {', '.join(loads)}; flips names {', '.join(flips)}")
    columns = 1 if loads is None else 2
    title = title or "How often each bit of a hash flips with the key's last bit" + ", and the keys of each machine" * (
        columns - 1
    )
    figure = figure_of(title, 110 + 110 * len(flips), "", "", rows=len(flips), columns=columns, names=tuple(flips))
    most = max((keys for nodes in (loads or {}).values() for keys in nodes.values()), default=0)
    for row, (name, shares) in enumerate(flips.items(), 1):
        figure.add_bar(
            name=name,
            x=list(range(len(shares))),
            y=list(shares),
            marker_color=PALETTE[(row - 1) % len(PALETTE)],
            hovertemplate="bit %{x} from the top: %{y:.2f}<extra>" + name + "</extra>",
            row=row,
            col=1,
        )
        figure.add_hline(y=0.5, line={"color": INK, "dash": "dash", "width": 1.5}, row=row, col=1)
        figure.update_yaxes(range=[0, 1.02], tickvals=[0, 0.5, 1], row=row, col=1)
        if loads is not None:
            _small_load(figure, loads[name], row, most)
    figure.update_xaxes(title_text="bit of the hash, 0 = highest", row=len(flips), col=1)
    figure.update_yaxes(title_text="share of flips", row=(len(flips) + 1) // 2, col=1)
    return figure.update_layout(bargap=0.15)


def _small_load(figure: Figure, nodes: Mapping[str, int], row: int, most: int) -> None:
    """The keys a node; `most` is what any node of any row has, so that all rows have one scale."""
    figure.add_bar(
        x=list(nodes),
        y=list(nodes.values()),
        text=[f"{keys:,}" for keys in nodes.values()],
        textposition="outside",
        marker_color=INK,
        hovertemplate="%{x}: %{y:,} keys<extra></extra>",
        row=row,
        col=2,
    )
    figure.update_yaxes(range=[0, 1.3 * max(1, most)], showticklabels=False, title_text="keys", row=row, col=2)
