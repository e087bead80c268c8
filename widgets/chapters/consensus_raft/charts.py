"""Charts of Raft: elections that nobody won, and how long a cluster is without a leader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from widgets.charts import PALETTE, bars, extremes, figure_of, require

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]


def split_votes(shares: Mapping[str, float], title: str = "") -> Figure:
    """How often votes split: `shares` is range of the election timeout -> part of the elections, from 0 to 1.

    Raises ValueError if there is nothing to show, or a part is out of range.
    """
    require("shares", shares)
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"the part of {name!r} is {share!r}; it is from 0 to 1")
    found = {name: 100 * share for name, share in shares.items()}
    title = extremes(
        title, found, "Timeout {most}: {high} % of first elections have no winner. {least}: {low} %", "{:.0f}"
    )
    figure = figure_of(title, 110 + 34 * len(shares), "first elections without a winner, %", "election timeout")
    bars(figure, found, PALETTE[0], "{:.0f} %", column=1)
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
