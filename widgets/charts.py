"""Charts: numbers in, a plotly figure out. What the numbers mean is the caller's; nothing of a protocol is known here.

The background is transparent and every colour has the same contrast, about 4.3:1, on white and on JupyterLab's dark
background, so that one figure is right in both themes. Series are named where they stand, not by colour alone.

Plotly takes half a second to import; it is imported when the first chart is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

PALETTE = ("#4a7db1", "#ba6210", "#2f8865", "#9d62b6", "#bc5976", "#23858f", "#7f7c2b", "#6e75b1")
"""The player's c1 to c8, each between its light and its dark value where it is as legible on white as on black."""
INK, ACCENT, GOOD, BAD = "#727a89", "#2879d6", "#238a55", "#d5474d"
GRID = "rgba(128, 134, 146, 0.28)"
FEW_NODES = 12
"""As many as have a bar of their own."""
LONGEST_NAME = 24

_AXIS: dict[str, Any] = {
    "gridcolor": GRID,
    "linecolor": INK,
    "zeroline": False,
    "title": {"font": {"size": 13}, "standoff": 8},
    "tickfont": {"size": 13},
    "automargin": True,
    "fixedrange": True,  # the wheel scrolls the notebook
}
TEMPLATE: dict[str, Any] = {
    "layout": {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, 'Helvetica Neue', Arial, sans-serif", "size": 13, "color": INK},
        "title": {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 12}, "font": {"size": 15}},
        "colorway": list(PALETTE),
        "margin": {"l": 12, "r": 24, "t": 56, "b": 12},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "showlegend": False,
        "bargap": 0.3,
        "dragmode": False,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": ACCENT},
        "hoverlabel": {"font": {"size": 13}},
        "annotationdefaults": {"font": {"size": 13, "color": INK}, "showarrow": False},
    },
    "data": {
        "bar": [
            {
                "marker": {"line": {"width": 0}},
                "textposition": "auto",  # at the bar's end, and beside it where it is too short
                "insidetextanchor": "end",
                "insidetextfont": {"color": "#fff"},
                "textfont": {"size": 13},
                "textangle": 0,
                "cliponaxis": False,
            }
        ]
    },
}
"""The look of every chart."""


def load(loads: Mapping[str, Mapping[str, int]], title: str = "Keys a node") -> Figure:
    """How many keys each node has: `loads` is name of a ring or scheme -> node -> keys.

    A bar a node, and a dot a node where there are more than twelve. The mean is marked. Raises ValueError when there
    is nothing to show.
    """
    _require("loads", loads)
    for name, nodes in loads.items():
        _require(f"loads[{name!r}]", nodes)
    rows = sum(len(nodes) for nodes in loads.values())
    if max(map(len, loads.values())) > FEW_NODES:
        figure = _figure(title, 110 + 60 * len(loads), "keys a node", "")
        for at, (name, nodes) in enumerate(loads.items()):
            _dots(figure, name, nodes, PALETTE[at % len(PALETTE)])
        return figure.update_yaxes(autorange="reversed")
    figure = _figure(title, 110 + 26 * rows, "keys a node", "")
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
        _mark(figure, means.pop(), "mean {:,.0f}")
    return figure.update_yaxes(autorange="reversed")


def _dots(figure: Figure, name: str, nodes: Mapping[str, int], colour: str) -> None:
    """One row of a dot a node, its extremes named."""
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
            x=nodes[node], y=name, text=f"{_short(node)} {nodes[node]:,}", xanchor=anchor, yshift=16, font_size=12
        )


def balance(
    ratios: Mapping[int, Sequence[float]],
    bound: Mapping[int, float] | None = None,
    bound_name: str = "bound",
    title: str = "The fullest node against the number of points",
) -> Figure:
    """How much fuller than the mean the fullest node is: `ratios` is virtual nodes -> max/mean of some rings.

    A dot a ring, a line through their medians, and the `bound` (virtual nodes -> max/mean) that a paper gives.
    Raises ValueError when there is nothing to show, or a number of points is below 1.
    """
    _require("ratios", ratios)
    for vnodes, found in ratios.items():
        _require(f"ratios[{vnodes}]", found)
        if vnodes < 1:
            raise ValueError(f"ratios names {vnodes} virtual nodes; a node has at least one")
    figure = _figure(title, 380, "virtual nodes a node (logarithmic)", "fullest node, × mean")
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
    below_its_end = {"text": [""] * (len(ordered) - 1) + ["median"], "textposition": "bottom center"}
    _line(figure, "median", ordered, medians, PALETTE[0], dash="solid", symbol="circle", **below_its_end)
    if bound:
        x, y = sorted(bound), [bound[vnodes] for vnodes in sorted(bound)]
        at_its_beginning = {"text": [f"  {bound_name}"] + [""] * (len(x) - 1), "textposition": "top right"}
        _line(figure, bound_name, x, y, BAD, dash="dash", symbol="diamond", **at_its_beginning)
    return figure.update_xaxes(type="log", tickvals=ordered, ticktext=[f"{vnodes:,}" for vnodes in ordered])


def _line(
    figure: Figure, name: str, x: Sequence[float], y: Sequence[float], colour: str, dash: str, symbol: str, **label: Any
) -> None:
    figure.add_scatter(
        name=name,
        mode="lines+markers+text",
        x=list(x),
        y=list(y),
        textfont={"color": colour, "size": 13},
        cliponaxis=False,
        line={"color": colour, "dash": dash, "width": 2.5},
        marker={"symbol": symbol, "size": 8},
        hovertemplate="%{x} points: %{y:.2f} × mean<extra>" + name + "</extra>",
        **label,
    )


def moved(
    shares: Mapping[str, float],
    ideal: float | None = None,
    fullest: Mapping[str, float] | None = None,
    title: str = "Keys that move when one node joins",
) -> Figure:
    """What a change moves: `shares` is scheme -> part of the keys, from 0 to 1; `ideal` the part that must move.

    With `fullest` (scheme -> max/mean) how even the schemes are stands beside it. Raises ValueError for a part that is
    none, or a scheme that only one of the two names.
    """
    _require("shares", shares)
    for name, share in [*shares.items(), *([] if ideal is None else [("ideal", ideal)])]:
        if not 0 <= share <= 1:
            raise ValueError(f"the part of {name!r} is {share!r}; it is from 0 to 1")
    if fullest is not None and fullest.keys() != shares.keys():
        raise ValueError(f"fullest names {', '.join(fullest)}; shares names {', '.join(shares)}")
    figure = _figure(title, 110 + 34 * len(shares), "keys that move, %", "", columns=1 if fullest is None else 2)
    percents = {name: 100 * share for name, share in shares.items()}
    _bars(figure, percents, PALETTE[0], "{:.1f} %", column=1)
    if ideal is not None:
        _mark(figure, 100 * ideal, "ideal {:.1f} %", column=1)
    if fullest is not None:
        _bars(figure, fullest, PALETTE[1], "{:.2f}", column=2)
        _mark(figure, 1.0, "even", column=2)
        figure.update_xaxes(title_text="fullest node, × mean", row=1, col=2)
    return figure.update_yaxes(autorange="reversed")


def _bars(figure: Figure, values: Mapping[str, float], colour: str, form: str, column: int) -> None:
    figure.add_bar(
        orientation="h",
        y=list(values),
        x=list(values.values()),
        text=[form.format(value) for value in values.values()],
        marker_color=colour,
        hovertemplate="%{y}: %{text}<extra></extra>",
        row=1,
        col=column,
    )
    figure.update_xaxes(range=[0, 1.08 * max(1e-9, *values.values())], row=1, col=column)


def mixing(
    flips: Mapping[str, Sequence[float]],
    loads: Mapping[str, Mapping[str, int]] | None = None,
    title: str = "",
) -> Figure:
    """Why a ring needs a hash that mixes: `flips` is hash -> how often each output bit flips, highest bit first.

    A row a hash, its bits as a profile around one half; with `loads` (hash -> node -> keys) the ring that it makes
    stands beside it. Raises ValueError when there is nothing to show, or a hash that only one of the two names.
    """
    _require("flips", flips)
    if loads is not None and loads.keys() != flips.keys():
        raise ValueError(f"loads names {', '.join(loads)}; flips names {', '.join(flips)}")
    columns = 1 if loads is None else 2
    title = title or "How often each bit of a hash follows the key's last bit" + ", and the keys a node" * (columns - 1)
    figure = _figure(title, 110 + 110 * len(flips), "", "", rows=len(flips), columns=columns, names=tuple(flips))
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


def _figure(
    title: str, height: int, x: str, y: str, rows: int = 1, columns: int = 1, names: tuple[str, ...] = ()
) -> Figure:
    """An empty figure in the template, as wide as the cell."""
    from plotly.subplots import make_subplots  # type: ignore[import-untyped]

    titles = [name if column == 0 else "" for name in names for column in range(columns)]
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=titles or None,
        shared_yaxes=rows == 1,
        shared_xaxes=rows > 1,
        horizontal_spacing=0.1,
        vertical_spacing=0.34 / max(2, rows),
        column_widths=[0.62, 0.38] if columns == 2 else None,
    )
    figure.update_layout(template=TEMPLATE, title_text=title, height=height)
    figure.update_annotations(font_size=13, x=0, xanchor="left")  # the rows' names
    figure.update_xaxes(title_text=x, row=rows, col=1)
    figure.update_yaxes(title_text=y, row=1, col=1)
    return figure


def _mark(figure: Figure, value: float, form: str, column: int = 1) -> None:
    """A dashed line at a value, its name above it."""
    figure.add_vline(
        x=value,
        line={"color": INK, "dash": "dash", "width": 1.5},
        layer="below",
        annotation={"text": form.format(value), "yanchor": "bottom", "xanchor": "left", "y": 1},
        row=1,
        col=column,
    )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _require(name: str, values: Sequence[Any] | Mapping[Any, Any]) -> None:
    if not len(values):
        raise ValueError(f"{name} is empty; there is nothing to show")


Spread = tuple[int, float, float, float]
"""n, and the least, the mean and the most of something."""


def growth(
    found: Mapping[str, Sequence[Spread]],
    curves: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
    y: str = "messages",
    title: str = "Messages against the number of processes",
) -> Figure:
    """How something grows with n, both axes logarithmic: `found` is algorithm -> a spread for each n.

    A dot is a mean, its bar goes from the least to the most; algorithms stand a little beside one another. `curves`
    (algorithm -> name -> n -> value) are what theory says, dashed in the algorithm's colour, named where they are
    touched. Raises ValueError when there is nothing to show, for curves of an algorithm that is not among those found,
    and for a spread that is none or not above 0.
    """
    _require("found", found)
    if strange := [name for name in curves or {} if name not in found]:
        raise ValueError(f"curves names {', '.join(strange)}; found names {', '.join(found)}")
    figure = _figure(title, 460, "processes (logarithmic)", f"{y} (logarithmic)")
    for at, (name, spreads) in enumerate(found.items()):
        _require(f"found[{name!r}]", spreads)
        colour = PALETTE[at % len(PALETTE)]
        _spreads(figure, name, sorted(spreads), colour, beside=1 + 0.025 * (at - (len(found) - 1) / 2))
        for curve, values in (curves or {}).get(name, {}).items():
            figure.add_scatter(
                name=f"{name}, {curve}",
                mode="lines",
                x=sorted(values),
                y=[values[n] for n in sorted(values)],
                line={"color": colour, "dash": "dot", "width": 1.5},
                hovertemplate="%{x}: %{y:,.0f}<extra>" + f"{name}, {curve}" + "</extra>",
            )
    every = sorted({n for spreads in found.values() for n, *_ in spreads})
    figure.update_xaxes(type="log", tickvals=every, ticktext=[f"{n:,}" for n in every])
    return figure.update_yaxes(type="log").update_layout(margin_r=150)


def _spreads(figure: Figure, name: str, spreads: Sequence[Spread], colour: str, beside: float) -> None:
    """The line through one algorithm's means, a bar from least to most at each, its name at the end."""
    for n, least, middle, most in spreads:
        if not 0 < least <= middle <= most:
            raise ValueError(f"{name!r} at {n} goes from {least} over {middle} to {most}; they ascend, from above 0")
    figure.add_scatter(
        name=name,
        mode="lines+markers+text",
        x=[n * beside for n, *_ in spreads],
        y=[middle for _, _, middle, _ in spreads],
        text=[""] * (len(spreads) - 1) + [f"  {name}"],
        textposition="middle right",
        textfont={"color": colour, "size": 13},
        cliponaxis=False,
        line={"color": colour, "width": 2.5},
        marker={"size": 8},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [most - middle for _, _, middle, most in spreads],
            "arrayminus": [middle - least for _, least, middle, _ in spreads],
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=[[n, least, most] for n, least, _, most in spreads],
        hovertemplate="%{customdata[0]}: %{y:,.1f}, from %{customdata[1]:,} to %{customdata[2]:,}<extra>"
        + name
        + "</extra>",
    )


def split_votes(shares: Mapping[str, float], title: str = "Elections that nobody won") -> Figure:
    """How often votes split: `shares` is range of the election timeout -> part of the elections, from 0 to 1.

    Raises ValueError when there is nothing to show, or for a part that is none.
    """
    _require("shares", shares)
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"the part of {name!r} is {share!r}; it is from 0 to 1")
    figure = _figure(title, 110 + 34 * len(shares), "first elections without a winner, %", "election timeout")
    _bars(figure, {name: 100 * share for name, share in shares.items()}, PALETTE[0], "{:.0f} %", column=1)
    return figure.update_yaxes(autorange="reversed")


def waits(found: Mapping[str, Sequence[int]], patience: int, title: str = "Time without a leader") -> Figure:
    """How long runs waited: `found` is range of the election timeout -> ms of each run; as the paper's Figure 16.

    A line climbs by each run that has its leader: the further left and the steeper, the better. Runs that waited
    `patience` ms were given up, so a line that does not reach 100 % ends there. Raises ValueError when there is
    nothing to show.
    """
    _require("found", found)
    figure = _figure(title, 400, "ms since the leader crashed", "runs with a new leader, %")
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    for at, (name, times) in enumerate(found.items()):
        _require(f"found[{name!r}]", times)
        done = sorted(time for time in times if time < patience)
        climb = [100 * (nth + 1) / len(times) for nth in range(len(done))]
        x, y = [0, *done, patience], [0, *climb, climb[-1] if climb else 0]
        colour = PALETTE[at % len(PALETTE)]
        line = {"color": colour, "shape": "hv", "width": 2.5, "dash": dashes[at % len(dashes)]}
        over = f"%{{y:.0f}} % within %{{x:,}} ms<extra>{name}</extra>"
        figure.add_scatter(name=name, mode="lines", x=x, y=y, line=line, hovertemplate=over)
    figure.update_xaxes(range=[0, patience]).update_yaxes(range=[0, 103])
    return figure.update_layout(showlegend=True, legend={"title": {"text": "election timeout"}, "x": 1.02, "y": 1})
