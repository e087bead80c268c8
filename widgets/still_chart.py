"""A still picture of a chart, as SVG: it stands for the chart where no script runs, in an export or on GitHub.

Plain on purpose: what the charts of this course use of plotly, and no more. `still_chart` takes a figure as a dict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any

Json = Mapping[str, Any]
WIDTH, TOP, LOW, TYPE = 800, 56, 44, 13
DASHES = {"dash": "9 5", "dot": "2 4", "dashdot": "9 4 2 4", "longdash": "14 6"}
ANCHORS = {"left": "start", "center": "middle", "right": "end"}


def wide(text: str) -> float:
    return 7.1 * len(text)


def words(x: float, y: float, text: str, colour: str = "", anchor: str = "start", more: str = "") -> str:
    said = escape(text.replace("<br>", " "))
    fill = f'fill="{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {fill} {more}>{said}</text>'


def stroke(colour: str, dash: str = "solid", width: float = 1.5) -> str:
    dashes = f' stroke-dasharray="{DASHES[dash]}"' if dash in DASHES else ""
    return f'fill="none" stroke="{colour}" stroke-width="{width}"{dashes}'


class Axis:
    """One axis: where a value stands on it, in pixels."""

    def __init__(self, declared: Json, values: Sequence[Any], ends: tuple[float, float], bars: str = "") -> None:
        """`bars`: whether bars stand `on` it, or lie `along` it."""
        low, high = declared.get("domain", (0, 1))
        self.ends: tuple[float, float] = (ends[0] + low * (ends[1] - ends[0]), ends[0] + high * (ends[1] - ends[0]))
        self.declared = declared
        self.log = declared.get("type") == "log"
        self.names = [*dict.fromkeys(declared.get("categoryarray") or [each for each in values if not _number(each)])]
        if self.names:
            self.range: tuple[float, float] = (-0.5, len(self.names) - 0.5)
        elif "range" in declared:
            self.range = declared["range"]
        else:
            found = [self._scaled(each) for each in values if _number(each)] or [0.0, 1.0]
            room = 0.5 if bars == "on" else 0.05 * (max(found) - min(found) or 1)
            zero = bars == "along" or declared.get("rangemode") == "tozero"
            self.range = (min(0.0, *found) if zero and not self.log else min(found) - room, max(found) + room)
        if declared.get("autorange") == "reversed":
            self.range = (self.range[1], self.range[0])

    def _scaled(self, value: float) -> float:
        return float(log10(max(value, 1e-9)) if self.log else value)

    def at(self, value: Any) -> float:
        place = self.names.index(value) if self.names and value in self.names else self._scaled(value)
        (low, high), (start, end) = self.range, self.ends
        return start + (place - low) / ((high - low) or 1) * (end - start)

    def part(self, share: float) -> float:
        """A part of the way along the axis."""
        return self.ends[0] + share * (self.ends[1] - self.ends[0])

    @property
    def pitch(self) -> float:
        """Pixels from one name, or whole number, to the next."""
        return abs(self.ends[1] - self.ends[0]) / (abs(self.range[1] - self.range[0]) or 1)

    @property
    def ticks(self) -> list[tuple[Any, str]]:
        """Values that are named, and their names."""
        if self.declared.get("showticklabels") is False:
            return []
        if "tickvals" in self.declared:
            values = self.declared["tickvals"]
            return [*zip(values, self.declared.get("ticktext") or map(_said, values), strict=True)]
        if self.names:
            return [(name, name if isinstance(name, str) else " · ".join(map(str, name))) for name in self.names]
        low, high = sorted(self.range)
        if self.log:
            values = [10.0**power for power in range(ceil(low - 1e-9), floor(high + 1e-9) + 1)]
        else:
            step = _step((high - low) / max(2, min(6, abs(self.ends[1] - self.ends[0]) / 60)))
            values = [round(at * step, 9) for at in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
        return [(value, _said(value)) for value in values]


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _said(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.0e}"


def _step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20, ..."""
    ten = 10.0 ** floor(log10(max(least, 1e-9)))
    return float(next(ten * each for each in (1, 2, 5, 10) if ten * each >= least * 0.999))


def _values(given: Any) -> list[Any]:
    """The values of a trace; those of two levels as pairs."""
    given = list(given if given is not None else ())
    return [*zip(*given, strict=True)] if given and isinstance(given[0], list | tuple) else given


def _each(given: Any, n: int) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given] * n


class Chart:
    """A figure, laid out."""

    def __init__(self, figure: Json) -> None:
        self.layout, self.traces = figure["layout"], figure["data"]
        look = self.layout["template"]["layout"]
        self.ink, self.palette, self.grid = look["font"]["color"], look["colorway"], look["xaxis"]["gridcolor"]
        self.high = float(self.layout.get("height", 360))
        margin = self.layout.get("margin", {})
        names = [text for name in self.axes("y") for text in self._names(name)]
        left = max([30, *map(wide, names)]) + 16 + (18 if any(self._title(name) for name in self.axes("y")) else 0)
        legend = 24 if self.layout.get("showlegend") else 0
        self.x_ends = (left, WIDTH - margin.get("r", 24))
        self.y_ends = (self.high - LOW - legend, float(TOP))
        self.of = {name: self._axis(name) for name in (*self.axes("x"), *self.axes("y"))}

    def axes(self, way: str) -> list[str]:
        return sorted({trace.get(f"{way}axis", way) for trace in self.traces})

    def _declared(self, name: str) -> Json:
        declared: Json = self.layout.get(f"{name[0]}axis{name[1:]}", {})
        return declared

    def _title(self, name: str) -> str:
        return str(self._declared(name).get("title", {}).get("text") or "")

    def _all(self, name: str) -> list[Any]:
        """Every value on an axis, of those that share its range, too."""
        shared = {name, self._declared(name).get("matches", name)}
        found: list[Any] = []
        for trace in self.traces:
            mine = trace.get(f"{name[0]}axis", name[0])
            if mine in shared or self._declared(mine).get("matches") in shared:
                values = _values(trace.get(name[0]))
                bases = _each(trace.get("base", 0), len(values))
                found += [v + b if _number(v) and _number(b) else v for v, b in zip(values, bases, strict=False)]
        return [each for each in found if each is not None]

    def _names(self, name: str) -> list[str]:
        bare = Axis(self._declared(name), self._all(name), (0, 300), bars="along")
        return [text for _, text in bare.ticks]

    def _axis(self, name: str) -> Axis:
        ends = self.x_ends if name[0] == "x" else self.y_ends
        mine = [t for t in self.traces if t["type"] == "bar" and t.get(f"{name[0]}axis", name[0]) == name]
        flat = [t.get("orientation", "v") == "h" for t in mine]
        bars = "" if not flat else "along" if flat[0] == (name[0] == "x") else "on"
        return Axis(self._declared(name), self._all(name), ends, bars)

    # what is drawn

    def svg(self) -> str:
        title = words(12, 26, self.layout.get("title", {}).get("text") or "", more='font-size="15" font-weight="700"')
        hatch = "".join(
            f'<pattern id="{name}" width="7" height="7" patternUnits="userSpaceOnUse">'
            f'<path d="{d}" stroke="{self.ink}" stroke-width="2"/></pattern>'
            for name, d in (("hatch", "M0 7L7 0"), ("cross", "M0 7L7 0M0 0L7 7"))
        )
        drawn = [title, *self.frame(), *self.shapes()]
        for at, trace in enumerate(self.traces):
            colour = (
                trace.get("line", {}).get("color")
                or trace.get("marker", {}).get("color")
                or self.palette[at % len(self.palette)]
            )
            x, y = (self.of[trace.get(f"{way}axis", way)] for way in "xy")
            drawn += (self.bars if trace["type"] == "bar" else self.points)(trace, colour, x, y)
        drawn += [*self.annotations(), *self.legend()]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.high:.0f}" width="{WIDTH}" role="img" '
            f'font-family="system-ui, sans-serif" font-size="{TYPE}" fill="{self.ink}" '
            f'style="max-width:100%;height:auto">'
            f"<defs>{hatch}</defs>{''.join(drawn)}</svg>"
        )

    def _partner(self, name: str) -> Axis:
        other = "y" if name[0] == "x" else "x"
        return self.of[self._declared(name).get("anchor", other)]

    def frame(self) -> Iterator[str]:
        """Grids, ticks, names of axes."""
        for name, axis in self.of.items():
            a, b = self._partner(name).ends
            across = name[0] == "x"
            middle = sum(axis.ends) / 2
            room = max([0, *(wide(text) for _, text in axis.ticks)])
            long = abs(axis.ends[1] - axis.ends[0])
            every = max(1, ceil((room + 8) * len(axis.ticks) / long)) if across else 1
            for nth, (value, text) in enumerate(axis.ticks):
                at = axis.at(value)
                if not axis.names:
                    grid = f"M{at:.1f} {a}V{b}" if across else f"M{a} {at:.1f}H{b}"
                    yield f'<path d="{grid}" stroke="{self.grid}"/>'
                if nth % every == 0:
                    px, py = (at, a + 18) if across else (a - 8, at + 4)
                    yield words(px, py, text, anchor="middle" if across else "end")
            (start, end), way = axis.ends, "H" if across else "V"
            yield f'<path d="M{f"{start} {a}" if across else f"{a} {start}"}{way}{end}" stroke="{self.ink}"/>'
            if (title := self._title(name)) and across:
                yield words(middle, a + 38, title, anchor="middle")
            elif title:
                x = 14 if a == self.x_ends[0] else a - 10
                yield words(x, middle, title, anchor="middle", more=f'transform="rotate(-90 {x:.1f} {middle:.1f})"')

    def bars(self, trace: Json, colour: Any, x: Axis, y: Axis) -> Iterator[str]:
        flat = trace.get("orientation") == "h"
        along, across = (x, y) if flat else (y, x)
        names, sizes = (_values(trace["y"]), trace["x"]) if flat else (_values(trace["x"]), trace["y"])
        n = len(names)
        gap = self.layout.get("bargap", 0.3)
        overlay = self.layout.get("barmode") == "overlay"
        bases, texts, colours = (_each(given, n) for given in (trace.get("base", 0), trace.get("text", ""), colour))
        shape = trace.get("marker", {}).get("pattern", {}).get("shape", "")
        for name, size, base, text, fill in zip(names, sizes, bases, texts, colours, strict=True):
            alike = [t for t in self.traces if t["type"] == "bar" and t.get("xaxis") == trace.get("xaxis")]
            alike = [t for t in alike if name in _values(t["y" if flat else "x"])] if not overlay else [trace]
            broad = across.pitch * trace.get("width", 1 - gap) / len(alike)
            at = across.at(name) + (alike.index(trace) - (len(alike) - 1) / 2) * broad
            low, high = sorted((along.at(base), along.at(base + size)))
            box = (low, at - broad / 2, high - low, broad) if flat else (at - broad / 2, low, broad, high - low)
            where = 'x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"'.format(*box)
            yield f'<rect {where} fill="{fill}" fill-opacity="{0.4 if shape else 1}"/>'
            if shape:
                yield f'<rect {where} fill="url(#{"cross" if shape == "x" else "hatch"})"/>'
            if text and flat:
                inside = high - low > wide(text) + 12 and trace.get("textposition") != "outside"
                x_at, anchor = (high - 6, "end") if inside else (high + 6, "start")
                yield words(x_at, at + 4.5, text, "#fff" if inside else "", anchor)
            elif text:
                yield words(at, low - 6, text, anchor="middle")

    def points(self, trace: Json, colour: Any, x: Axis, y: Axis) -> Iterator[str]:
        mode, line, marker = trace.get("mode", "lines"), trace.get("line", {}), trace.get("marker", {})
        pairs = zip(_values(trace["x"]), _values(trace["y"]), strict=True)
        at = [(x.at(a), y.at(b)) for a, b in pairs if a is not None and b is not None]
        if "lines" in mode and at:
            bend = "H{:.1f}V{:.1f}" if line.get("shape") == "hv" else "L{:.1f} {:.1f}"
            bends = "".join(bend.format(*point) for point in at[1:])
            look = stroke(colour, line.get("dash", "solid"), line.get("width", 2))
            yield f'<path d="M{at[0][0]:.1f} {at[0][1]:.1f}{bends}" {look}/>'
        error = trace.get("error_y", {})
        for (px, _), value, plus, minus in zip(
            at, trace["y"], error.get("array", ()), error.get("arrayminus", ()), strict=False
        ):
            yield f'<path d="M{px:.1f} {y.at(value - minus):.1f}V{y.at(value + plus):.1f}" {stroke(colour)}/>'
        if "markers" in mode:
            size, symbol = marker.get("size", 7) / 2, marker.get("symbol", "circle")
            edge, faint = marker.get("line", {}), f'opacity="{marker.get("opacity", 1)}"'
            for px, py in at:
                top = f"M{px:.1f} {py - size:.1f}"
                if symbol.startswith("line-ns"):
                    look = stroke(edge.get("color", colour), width=edge.get("width", 2))
                    yield f'<path d="{top}v{2 * size}" {look} {faint}/>'
                elif symbol == "diamond":
                    yield f'<path d="{top}l{size} {size}l-{size} {size}l-{size}-{size}z" fill="{colour}" {faint}/>'
                else:
                    yield f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{size}" fill="{colour}" {faint}/>'
        place = trace.get("textposition", "middle center")
        texts = _each(trace.get("text", ""), len(at)) if "text" in mode else []
        for (px, py), text in zip(at, texts, strict=False):
            if text:
                anchor = "start" if "right" in place else "end" if "left" in place else "middle"
                aside = 6 if anchor == "start" else -6 if anchor == "end" else 0
                low = py + (-8 if "top" in place else 18 if "bottom" in place else 4.5)
                yield words(px + aside, low, text.strip(), trace.get("textfont", {}).get("color", ""), anchor)

    def _place(self, ref: str, value: Any) -> float:
        """A value of an axis, or a part of it or of all, as pixels."""
        name, _, domain = ref.partition(" ")
        if name == "paper":
            a, b = self.x_ends if ref == "paper x" else self.y_ends
            return float(a + value * (b - a))
        return self.of[name].part(value) if domain else self.of[name].at(value)

    def _where(self, of: Json, way: str, key: str) -> float:
        ref = of.get(f"{way}ref", way)
        return self._place(f"paper {way}" if ref == "paper" else ref, of[key])

    def shapes(self) -> Iterator[str]:
        for line in self.layout.get("shapes", ()):
            x, x2, y, y2 = (self._where(line, key[0], key) for key in ("x0", "x1", "y0", "y1"))
            look = line.get("line", {})
            drawn = stroke(look.get("color", self.ink), look.get("dash", "solid"))
            yield f'<path d="M{x:.1f} {y:.1f}L{x2:.1f} {y2:.1f}" {drawn}/>'

    def annotations(self) -> Iterator[str]:
        for said in self.layout.get("annotations", ()):
            x = self._where(said, "x", "x") + said.get("xshift", 0) + (4 if said.get("xref") != "paper" else 0)
            y = self._where(said, "y", "y") - said.get("yshift", 0) - (5 if said.get("yanchor") == "bottom" else -4)
            yield words(x, y, said["text"], anchor=ANCHORS.get(said.get("xanchor", "center"), "middle"))

    def legend(self) -> Iterator[str]:
        if not self.layout.get("showlegend"):
            return
        x, low, seen = self.x_ends[0], self.high - 10, set()
        for trace in self.traces:
            name = trace.get("name", "")
            if name in seen or trace.get("showlegend") is False or not name:
                continue
            seen.add(name)
            line, marker = trace.get("line", {}), trace.get("marker", {})
            colour = line.get("color") or marker.get("color") or self.ink
            drawn = stroke(colour, line.get("dash", "solid"), 2.5 if line else 9)
            dot = f'<circle cx="{x + 11:.1f}" cy="{low - 4}" r="4" fill="{colour}"/>'
            yield dot if trace.get("mode") == "markers" else f'<path d="M{x:.1f} {low - 4}h22" {drawn}/>'
            yield words(x + 28, low, name)
            x += 28 + wide(name) + 22


def still_chart(figure: Json) -> str:
    """The figure as SVG, as wide as the cell or narrower."""
    return Chart(figure).svg()
