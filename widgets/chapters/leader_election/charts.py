"""Charts of elections: the cost against the number of processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from widgets.charts import PALETTE, extremes, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]


Spread = tuple[int, float, float, float]
"""n, and the least, the mean and the greatest of a quantity."""


def growth(
    found: Mapping[str, Sequence[Spread]],
    curves: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
    y: str = "messages",
    title: str = "",
) -> Figure:
    """How a quantity grows with n, on logarithmic axes: `found` is algorithm -> a spread for each n.

    A dot is a mean, and its bar goes from the least to the greatest. Algorithms are drawn slightly apart. `curves`
    (algorithm -> name -> n -> value) are theory: dotted in the algorithm's colour, named on hover. Raises ValueError if
    `found` is empty, if `curves` has an algorithm that `found` lacks, and for a spread that is not ascending from above
    0.
    """
    require("found", found)
    if strange := [name for name in curves or {} if name not in found]:
        raise ValueError(f"curves names {', '.join(strange)}; found names {', '.join(found)}")
    found = {named(name): spreads for name, spreads in found.items()}
    curves = {named(name): lines for name, lines in (curves or {}).items()}
    last = {name: sorted(spreads)[-1] for name, spreads in found.items() if spreads}
    if len({spread[0] for spread in last.values()}) == 1:
        n = next(iter(last.values()))[0]
        means = {name: spread[2] for name, spread in last.items()}
        title = extremes(title, means, f"{{most}}: {{high}} {y} of {n} processes. {{least}}: {{low}}", "{:,.0f}")
    figure = figure_of(title or f"How many {y} an election takes", 460, "processes (logarithmic)", f"{y} (logarithmic)")
    for at, (name, spreads) in enumerate(found.items()):
        require(f"found[{name!r}]", spreads)
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


def named(algorithm: str) -> str:
    """`chang_roberts` as its authors are written: Chang-Roberts."""
    words = algorithm.split("_")
    return "-".join(word.capitalize() for word in words) if len(words) > 1 else algorithm


def _spreads(figure: Figure, name: str, spreads: Sequence[Spread], colour: str, beside: float) -> None:
    """The line through one algorithm's means, each with a bar from least to greatest. Its name is at the end."""
    for n, least, middle, most in spreads:
        if not 0 < least <= middle <= most:
            raise ValueError(f"{name!r} at {n} is {least}, {middle}, {most}; allowed are ascending numbers above 0")
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
