"""A machine's parameters are declared once; what is not allowed is refused by name, and nothing is built."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from models.replicas import Replicas
from msgspec import Meta

from patterns.engine.machine import Choice, Machine
from patterns.engine.params import Count, Ms, ParameterError, Params, documentation, refuse


class Lamp(Machine[bool, str]):
    """A lamp that can be switched on."""

    class Params(Params, frozen=True):
        bulbs: Annotated[int, Meta(ge=1, le=9)] = 3
        """How many bulbs it has."""
        colours: tuple[Literal["red", "green"], ...] = ("red",)
        """Their colours,
        in order."""
        delay: Ms = 5
        dark: dict[str, Count] = {}
        owner: str | None = None

        def check(self) -> None:
            if len(self.colours) > self.bulbs:
                refuse("colours", self.colours, f"at most {self.bulbs} colours, one for each bulb")

    params: Params
    name = "lamp"
    rules: ClassVar = {}
    events = str

    def start(self) -> bool:
        return False

    def apply(self, state: bool, event: str) -> tuple[bool, tuple[()]]:
        return True, ()

    def choices(self, state: bool) -> tuple[Choice[str], ...]:
        return ()


def test_json_values_build_the_same_machine() -> None:
    lamp = Lamp(bulbs=4, colours=["red", "green"], dark={"left": 1})
    again = Lamp(**msgspec.json.decode(msgspec.json.encode(lamp.params)))
    assert again.params == lamp.params
    assert again.params.colours == ("red", "green")


def test_again_changes_only_what_is_named() -> None:
    assert Lamp(bulbs=4, delay=7).again(bulbs=5).params == Lamp.Params(bulbs=5, delay=7)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"bulbs": 0}, "bulbs is 0; allowed is 1 to 9"),
        ({"bulbs": 1.5}, "bulbs is 1.5; allowed is 1 to 9"),
        ({"bulbs": None}, "bulbs is None; allowed is 1 to 9"),
        ({"bulbs": True}, "bulbs is True; allowed is 1 to 9"),
        ({"delay": 0}, "delay is 0; allowed is a whole number, at least 1 ms"),
        ({"colours": "red"}, "colours is 'red'; allowed is a list, each item 'green', 'red'"),
        ({"colours": ["red", "blue"]}, "colours[1] is 'blue'; allowed is 'green', 'red'"),
        ({"bulbs": 1, "colours": ["red", "red"]}, "colours is ('red', 'red'); allowed is at most 1 colours"),
        ({"dark": {"left": -1}}, "dark['left'] is -1; allowed is a whole number, at least 0"),
        ({"dark": {1: 1}}, "a name in dark is 1; allowed is a text"),
        ({"owner": 3}, "owner is 3; allowed is a text or None"),
        ({"bulb": 3}, "Lamp has no parameter 'bulb'; it has bulbs, colours, delay, dark, owner"),
    ],
)
def test_a_bad_parameter_is_named_with_its_value_and_what_is_allowed(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError) as refused:
        Lamp(**given)
    assert str(refused.value).startswith(sentence)
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, TypeError)


def test_the_documentation_is_read_from_the_class() -> None:
    assert documentation(Lamp.Params) == {"bulbs": "How many bulbs it has.", "colours": "Their colours,\nin order."}
    assert documentation(Replicas.Params)["fifo"] == "Messages of one link never overtake one another."
