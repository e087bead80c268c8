"""What all charts share: colours, the template, an empty figure, bars. Named where they stand, not by colour alone.

The background is transparent. Every colour has the same contrast, about 4.3:1, on white and on JupyterLab's dark
background. So one figure is right in both themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from widgets.still_chart import still_chart

if TYPE_CHECKING:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped]

PALETTE = ("#4576d7", "#bf5e0f", "#12887c", "#9c5bcf", "#c64e87", "#857b16", "#3081a6", "#9e6f50")
"""The player's c1 to c8, each between its light and its dark value where it is as legible on white as on black."""
STROKES = ("solid", "dash", "dot", "dashdot")
"""Strokes of lines: no line is told by its colour alone."""
INK, ACCENT, GOOD, BAD = "#727a89", "#2879d6", "#238a55", "#d5474d"
GRID = "rgba(128, 134, 146, 0.28)"
FEW_NODES = 12
"""As many as have a bar of their own."""
LONGEST_NAME = 24
NO_BUTTONS = {"displayModeBar": False, "displaylogo": False}
"""A chart has no bar of buttons: none of them helps a learner, and one sends the chart to somebody else."""

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
        "title": {
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 12},
            "font": {"size": 15, "weight": 700},
        },
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


def figure_of(
    title: str, height: int, x: str, y: str, rows: int = 1, columns: int = 1, names: tuple[str, ...] = ()
) -> Figure:
    """An empty figure in the template, as wide as the cell."""
    import plotly.io  # type: ignore[import-untyped]
    from plotly.subplots import make_subplots  # type: ignore[import-untyped]

    if "still" not in plotly.io.renderers:
        _show_without_scripts()

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


def _show_without_scripts() -> None:
    """Let a notebook get each figure twice: for JupyterLab, and as a still picture for where no script runs.

    plotly's own way to show one there puts 5 MB of script into the notebook.
    """
    import plotly.io
    from plotly.io.base_renderers import MimetypeRenderer  # type: ignore[import-untyped]

    class Still(MimetypeRenderer):  # type: ignore[misc]
        def to_mimebundle(self, figure: Any) -> dict[str, str]:
            return {"text/html": still_chart(figure)}

    plotly.io.renderers["plotly_mimetype"].config = NO_BUTTONS
    plotly.io.renderers["still"] = Still()
    plotly.io.renderers.default = "plotly_mimetype+still"


def mark(figure: Figure, value: float, form: str, column: int = 1) -> None:
    """A dashed line at a value, its name above it."""
    figure.add_vline(
        x=value,
        line={"color": INK, "dash": "dash", "width": 1.5},
        layer="below",
        annotation={"text": form.format(value), "yanchor": "bottom", "xanchor": "left", "y": 1},
        row=1,
        col=column,
    )


def legend_above(figure: Figure) -> Figure:
    """The names of the lines, each with its stroke, above them: at their ends they could stand on one another."""
    return figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12, "x": 0})


def named_lines(
    title: str, x: str, y: str, series: Mapping[str, Sequence[tuple[float, float]]], form: str, mode: str = "lines"
) -> Figure:
    """One line for each name, through its points (x, y). `form` is the format of y in d3's notation.

    Raises ValueError if there is nothing to show.
    """
    require("series", series)
    figure = figure_of(title, 380, x, y)
    for at, (name, points) in enumerate(series.items()):
        require(f"series[{name!r}]", points)
        figure.add_scatter(
            mode=mode,
            name=name,
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            line={"color": PALETTE[at % len(PALETTE)], "dash": STROKES[at % len(STROKES)], "width": 2.5},
            hovertemplate=f"{name}: %{{y:{form}}} at %{{x:,}}<extra></extra>",
        )
    return legend_above(figure)


def bars(figure: Figure, values: Mapping[str, float], colour: str, form: str, column: int) -> None:
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


def extremes(title: str, found: Mapping[str, float], sentence: str, form: str) -> str:
    """The title that is given, or what was found: `sentence` has {most}, {least}, and {high}, {low} in this form."""
    if title or not found:
        return title
    most, least = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
    return sentence.format(most=most, least=least, high=form.format(found[most]), low=form.format(found[least]))


def short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def require(name: str, values: Sequence[Any] | Mapping[Any, Any]) -> None:
    if not len(values):
        raise ValueError(f"{name} is empty; there is nothing to show")
