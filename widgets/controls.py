"""Controls for a machine's parameters, above its player: a change restarts the run.

    play(TwoPhaseCommit(), controls=True)               every parameter that has a control
    play(TwoPhaseCommit(), controls=["participants"])   these only

Follows from `Machine.params`: bounds become sliders, Literal types drop-downs, docstrings tooltips. A parameter with an
inner structure, such as `budget`, is written as JSON in a field of text, and only shown if it is named.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import ipywidgets  # type: ignore[import-untyped]
import msgspec
from msgspec import inspect as types

from patterns.engine.history import History
from patterns.engine.params import documentation
from patterns.engine.simulation import Simulation
from widgets.fallback import show
from widgets.player import Player

SEARCHES_ONLY = frozenset({"timing"})
"""Parameters that change nothing in a run."""
STYLE = {"description_width": "165px"}
WIDTH = "385px"


class Control(NamedTuple):
    """The control of one parameter."""

    widget: Any
    read: Callable[[Any], Any] = lambda value: value
    """The parameter's value, from the widget's."""
    write: Callable[[Any], Any] = lambda value: value
    """The widget's value, from the parameter's."""
    plain: bool = True
    """Whether it is shown without being named."""


def control_of(kind: types.Type, value: Any) -> Control:
    """The control of a parameter of this type, set to this value."""
    look = {"style": STYLE, "layout": {"width": WIDTH}}
    match kind:
        case types.Metadata(type=inner):
            return control_of(inner, value)
        case types.BoolType():
            return Control(ipywidgets.Checkbox(value, **look))
        case types.LiteralType(values=values):
            return Control(ipywidgets.Dropdown(options=list(values), value=value, **look))
        case types.IntType(ge=None):
            return Control(ipywidgets.IntText(value, continuous_update=False, **look))
        case types.IntType(ge=low, le=high):
            most = most_of(value, high)
            return Control(ipywidgets.IntSlider(value, low, most, continuous_update=False, **look))
        case types.TupleType(item_types=(types.Metadata(type=types.IntType(ge=low, le=high)), _)):
            most = most_of(value[1], high)
            slider = ipywidgets.IntRangeSlider(value=value, min=low, max=most, continuous_update=False, **look)
            return Control(slider, tuple)
        case types.StrType():
            return Control(ipywidgets.Text(value, continuous_update=False, **look))
        case types.VarTupleType(item_type=types.StrType()):
            text = ipywidgets.Text(", ".join(value), continuous_update=False, **look)
            return Control(text, words_in, ", ".join)
    return Control(ipywidgets.Text(in_json(value), continuous_update=False, **look), from_json, in_json, plain=False)


def most_of(value: int, high: int | None) -> int:
    """The upper end of a slider, if the type has none: four times the value."""
    return max(10, 4 * value) if high is None else high


def words_in(text: str) -> tuple[str, ...]:
    """The words of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def in_json(value: Any) -> str:
    return json.dumps(msgspec.to_builtins(value))


def from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        raise ValueError(
            f'{text} is not JSON ({problem}); write it as in {{"crash": 1}}, [1, 2], true or null'
        ) from None


class Controls(ipywidgets.VBox):  # type: ignore[misc]
    """A player and, above it, the controls of its machine's parameters.

    `names` are the parameters to show; None: all but those written as JSON. Raises ValueError for an unknown name, and
    for a parameter that changes nothing in a run.
    """

    def __init__(self, player: Player, names: Iterable[str] | None = None) -> None:
        self.player = player
        self.machine = player.history.machine
        self.controls = self._made(names)
        self.said = ipywidgets.HTML()
        self._setting = False
        for control in self.controls.values():
            control.widget.observe(self._changed, "value")
        player.observe(self._opened, "frames")
        row = ipywidgets.Box([each.widget for each in self.controls.values()], layout={"flex_flow": "row wrap"})
        super().__init__([row, self.said, player])

    def _ipython_display_(self) -> None:
        show(self.player, self._repr_mimebundle_())

    def _made(self, names: Iterable[str] | None) -> dict[str, Control]:
        params = self.machine.params
        described = types.type_info(type(params))
        assert isinstance(described, types.StructType)
        found = {}
        for field in described.fields:
            if field.name not in SEARCHES_ONLY:
                control = control_of(field.type, getattr(params, field.name))
                control.widget.description = field.name.replace("_", " ") + unit_of(field.type)
                control.widget.tooltip = documentation(type(params)).get(field.name, "")
                found[field.name] = control
        if names is None:
            general = Simulation.Params.__struct_fields__
            return {name: found[name] for name in sorted(found, key=lambda name: name in general) if found[name].plain}
        for name in (names := list(names)):
            if name not in found:
                raise ValueError(f"controls: {name!r} has no control; these have one: {', '.join(found)}")
        return {name: found[name] for name in names}

    def _changed(self, _change: Any) -> None:
        """Restart the run with what all controls say; of a refused combination say why, and leave the run."""
        if self._setting:
            return
        try:
            values = {name: control.read(control.widget.value) for name, control in self.controls.items()}
            history = History(self.player.history.machine.again(**values))
        except (ValueError, TypeError) as problem:
            self.said.value = f'<span role="alert">✗ {html.escape(str(problem))}. This is the run before.</span>'
            return
        self.said.value = ""
        self.player.show(history)

    def _opened(self, _change: Any) -> None:
        """The player shows another run, of a replay code perhaps: the controls say what it was made with."""
        params = self.player.history.machine.params
        self._setting = True
        for name, control in self.controls.items():
            if hasattr(params, name):
                set_to(control, getattr(params, name))
        self._setting = False


def set_to(control: Control, value: Any) -> None:
    """Let the control show this value; a slider that ends before it is made longer."""
    most = value[-1] if isinstance(value, tuple) and value else value
    if isinstance(most, int) and getattr(control.widget, "max", most) < most:
        control.widget.max = most
    control.widget.value = control.write(value)


def unit_of(kind: types.Type) -> str:
    """The unit of a parameter, as ` (ms)`."""
    match kind:
        case types.Metadata(extra={"unit": unit}):
            return f" ({unit})"
        case types.TupleType(item_types=(first, *_)):
            return unit_of(first)
    return ""
