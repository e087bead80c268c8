"""Charts of elections: what one costs as there are more processes, and how long a cluster is without a leader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .style import PALETTE, bars, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]


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
    require("found", found)
    if strange := [name for name in curves or {} if name not in found]:
        raise ValueError(f"curves names {', '.join(strange)}; found names {', '.join(found)}")
    figure = figure_of(title, 460, "processes (logarithmic)", f"{y} (logarithmic)")
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
    require("shares", shares)
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"the part of {name!r} is {share!r}; it is from 0 to 1")
    figure = figure_of(title, 110 + 34 * len(shares), "first elections without a winner, %", "election timeout")
    bars(figure, {name: 100 * share for name, share in shares.items()}, PALETTE[0], "{:.0f} %", column=1)
    return figure.update_yaxes(autorange="reversed")


def waits(found: Mapping[str, Sequence[int]], patience: int, title: str = "Time without a leader") -> Figure:
    """How long runs waited: `found` is range of the election timeout -> ms of each run; as the paper's Figure 16.

    A line climbs by each run that has its leader: the further left and the steeper, the better. Runs that waited
    `patience` ms were given up, so a line that does not reach 100 % ends there. Raises ValueError when there is
    nothing to show.
    """
    require("found", found)
    figure = figure_of(title, 400, "ms since the leader crashed", "runs with a new leader, %")
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    for at, (name, times) in enumerate(found.items()):
        require(f"found[{name!r}]", times)
        done = sorted(time for time in times if time < patience)
        climb = [100 * (nth + 1) / len(times) for nth in range(len(done))]
        x, y = [0, *done, patience], [0, *climb, climb[-1] if climb else 0]
        colour = PALETTE[at % len(PALETTE)]
        line = {"color": colour, "shape": "hv", "width": 2.5, "dash": dashes[at % len(dashes)]}
        over = f"%{{y:.0f}} % within %{{x:,}} ms<extra>{name}</extra>"
        figure.add_scatter(name=name, mode="lines", x=x, y=y, line=line, hovertemplate=over)
    figure.update_xaxes(range=[0, patience]).update_yaxes(range=[0, 103])
    return figure.update_layout(showlegend=True, legend={"title": {"text": "election timeout"}, "x": 1.02, "y": 1})
