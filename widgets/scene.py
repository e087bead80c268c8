"""What a picture is made of: marks as frozen values - position, role, text. No colours, no library.

Lengths are in pixels at the panel's nominal width; a picture scales as one, but its type is never smaller than 12.5 px.
Angles are in turns, 0 at the top, clockwise. `hue` says which term or transaction a mark belongs to, and nothing else.
`role` is a shape, and `tone` a stroke or a fill, so that nothing is told by colour alone. Marks with the same id in two
steps are the same thing, and move. What a step changed is found by the player: nothing is marked as new.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi, sin
from typing import Any, Literal, Protocol

import msgspec

Role = str
"""`leader candidate follower down`: the shape of a disc, in the colour of its hue. `bad` is red: a fault, a break.
`ink soft line good accent` have no hue. `c1` ... `c8`: the nth term or transaction."""
Tone = Literal["outline", "soft", "solid", "dashed", "ghost", "wall", "row"]
"""`wall`: of a line, a zigzag that nothing gets through. `row`: of a box, a line of a ledger, with no frame."""


class Mark(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="k"):
    id: str
    role: Role = "ink"
    hue: Role = ""
    """`c1` ... `c8`, if the role is another one."""
    tone: Tone = "outline"
    text: str = ""
    title: str = ""
    """The mark in words: its tooltip and its name for a screen reader."""
    of: str = ""
    """The id of the mark that it is a part of: a click on the part is a click on the whole."""


class Disc(Mark, frozen=True, tag="disc"):
    """A process, a node, a key: a circle with text in it, a smaller line under the text, and a caption below it."""

    x: float
    y: float
    r: float = 30
    sub: str = ""
    caption: str = ""
    above: bool = False
    """The caption stands above rather than below, if there is room."""
    heavy: bool = False


class Box(Mark, frozen=True, tag="box"):
    """A log entry, a record, a bar of a bar chart: a rectangle from its top left corner, its text in the middle.

    A tab in the text divides it: the first part stands on the left, the second on the right.
    """

    x: float
    y: float
    w: float
    h: float


class Message(Mark, frozen=True, tag="message"):
    """A message on its way from one end of its link to the other. The player finds it a free place near `part` of it.

    Its text is shown when it is sent, when it arrives or is lost, and when a learner asks. Messages that are sent to
    several receivers share one text. `sign` is a letter or two in its token, or one of `yes no commit append beat ask`:
    these have a glyph.
    """

    x: float
    y: float
    x2: float
    y2: float
    part: float = 0
    bend: float = 0
    """How far the middle of its way lies above the straight line; 0 for a bow to the right of it."""
    sender: str = ""
    to: str = ""
    sign: str = ""
    reply: bool = False
    """An answer: drawn hollow."""


class Line(Mark, frozen=True, tag="line"):
    """A link, an arrow, its text beside its end."""

    x: float
    y: float
    x2: float
    y2: float
    arrow: bool = False
    wide: float = 1.5


class Arc(Mark, frozen=True, tag="arc"):
    """A part of a circle, clockwise from `start` to `end` turns: a timer that runs out, a range of a ring."""

    x: float
    y: float
    r: float
    start: float
    end: float
    wide: float = 3


class Ticks(Mark, frozen=True, tag="ticks"):
    """Many short radial lines drawn as one, each at its turn: virtual nodes, keys."""

    x: float
    y: float
    r: float
    r2: float
    at: tuple[float, ...]
    wide: float = 1.5


class Label(Mark, frozen=True, tag="label"):
    """Text by itself, its baseline at y."""

    x: float
    y: float
    anchor: Literal["start", "middle", "end"] = "start"
    size: Literal["small", "normal", "large"] = "normal"
    strong: bool = False


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One drawing. A scene's panels stand side by side if there is room, else below one another."""

    id: str
    width: float
    height: float
    marks: tuple[Mark, ...]
    label: str
    """Text alternative for screen readers: the panel in a sentence."""
    title: str = ""


class Moment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a step stands in the space-time diagram: what happened, on which process's line, and what caused it."""

    lane: str
    kind: str
    """`deliver drop fire crash restart request local` ...: the glyph, named in the legend."""
    label: str = ""
    role: Role = "ink"
    sent: int = -1
    """For a message that arrived or was lost: the depth of the step that sent it; -1 for none."""
    sender: str = ""


class Era(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of a run: a term, an epoch, a phase. Neighbouring steps of the same key are one bar."""

    key: str
    label: str
    role: Role = "ink"
    tone: Tone = "solid"


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The picture of one step."""

    panels: tuple[Panel, ...]
    clock: str = ""
    moment: Moment | None = None
    era: Era | None = None
    lanes: tuple[str, ...] = ()
    """The lines of the space-time diagram, top to bottom; none if there are no messages."""
    quiet: bool = False
    """Can be hidden without losing the story: a heartbeat."""
    fault: bool = False
    """Marked on the scrubber."""


class Fact(msgspec.Struct, frozen=True):
    """One field of a process (or node, service, ...). `where` it is kept: `disk`, `memory`, `in flight` or empty."""

    who: str
    name: str
    value: str
    where: str = ""


class View(Protocol):
    """What `VIEW` in `widgets/chapters/<name>/view.py` has. Pure: it computes no protocol facts and changes nothing.

    A view of messages also has `sends_of(step) -> tuple[Fact, ...]`: the messages sent in this step. `signs` maps each
    sign of the view, or a description of it, to its meaning; the player lists them under `?`. `quiet` names the quiet
    steps, if they are not heartbeats.
    """

    title: str

    def scene_of(self, step: Any) -> Scene: ...

    def facts_of(self, state: Any) -> tuple[Fact, ...]:
        """The fields of every process, to be shown before -> after."""
        ...

    def costs_of(self, step: Any) -> Mapping[str, int]:
        """What this one step cost: messages, disk writes, keys moved. The player adds them up along the branch."""
        ...


def around(x: float, y: float, r: float, turn: float) -> tuple[float, float]:
    """The point of a circle at `turn`."""
    return round(x + r * sin(2 * pi * turn), 2), round(y - r * cos(2 * pi * turn), 2)
