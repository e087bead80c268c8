"""Controls above a player: they follow from the declared parameters, and a change restarts the run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import ipywidgets  # type: ignore[import-untyped]
import pytest
from msgspec import Meta

from patterns.engine.history import History
from patterns.engine.params import Ms, refuse
from patterns.engine.process import Process, on_timer
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from widgets import play
from widgets.controls import Controls
from widgets.player import Player


class Beater(Process):
    every: int

    def on_start(self) -> None:
        self.set_timer("beat", self.every)

    @on_timer("beat")
    def beat(self) -> None:
        self.note("B.1")
        self.on_start()


class Beats(Simulation):
    """Processes that beat."""

    class Params(Simulation.Params, frozen=True):
        beaters: Annotated[int, Meta(ge=1, le=5)] = 2
        """How many processes beat."""
        every: Ms = 30
        """The time between two beats."""
        mood: Literal["calm", "hasty"] = "calm"
        loud: bool = False
        refuse: tuple[str, ...] = ()

        def check(self) -> None:
            if self.mood == "hasty" and self.beaters > 2:
                refuse("mood", self.mood, "calm, with more than 2 beaters")

    params: Params
    name = "beats"
    rules = {"B.1": Rule("{who} beats", "this test")}

    def processes(self) -> list[Process]:
        return [Beater(id=f"B{n}", every=self.params.every) for n in range(1, self.params.beaters + 1)]


def controls(names: Any = True, **params: Any) -> Controls:
    made = play(Beats(**params), controls=names)
    assert isinstance(made, Controls)
    return made


def widget(of: Controls, name: str) -> Any:
    return of.controls[name].widget


def test_bounds_become_sliders_and_words_drop_downs_the_machines_own_parameters_first() -> None:
    made = controls()
    kinds = {name: type(control.widget) for name, control in made.controls.items()}
    assert kinds == {
        "beaters": ipywidgets.IntSlider,
        "every": ipywidgets.IntSlider,
        "loud": ipywidgets.Checkbox,
        "mood": ipywidgets.Dropdown,
        "refuse": ipywidgets.Text,
        "crash_stop": ipywidgets.Checkbox,
        "fifo": ipywidgets.Checkbox,
        "latency": ipywidgets.IntRangeSlider,
        "seed": ipywidgets.IntText,
    }
    assert list(kinds)[:5] == ["beaters", "every", "mood", "loud", "refuse"]
    assert (widget(made, "beaters").min, widget(made, "beaters").max) == (1, 5)


def test_a_control_has_the_parameters_name_unit_value_and_docstring() -> None:
    every = widget(controls(every=45), "every")
    assert (every.description, every.value, every.tooltip) == ("every (ms)", 45, "The time between two beats.")
    assert widget(controls(), "latency").value == (5, 15)


def test_a_change_restarts_the_run_with_the_new_parameters() -> None:
    made = controls()
    for _ in range(3):
        made.player.history.advance()
    widget(made, "beaters").value = 4
    assert made.player.history.machine.params.beaters == 4
    assert (len(made.player.frames), made.player.cursor) == (1, 0)
    assert made.player.head["lanes"] == ["B1", "B2", "B3", "B4"]
    widget(made, "refuse").value = "ann, bob"
    assert made.player.history.machine.params.refuse == ("ann", "bob")


def test_a_refused_combination_is_said_in_words_and_leaves_the_run() -> None:
    made = controls(beaters=3)
    made.player.history.advance()
    history = made.player.history
    widget(made, "mood").value = "hasty"
    assert "mood is &#x27;hasty&#x27;; allowed is calm, with more than 2 beaters" in made.said.value
    assert made.player.history is history
    widget(made, "beaters").value = 2
    assert made.said.value == ""
    assert made.player.history.machine.params == Beats(mood="hasty").params


def test_a_replay_code_sets_the_controls_and_a_slider_reaches_its_value() -> None:
    made = controls(("every", "beaters"))
    made.player.replay(History(Beats(every=700, beaters=5)).code)
    assert (widget(made, "every").value, widget(made, "beaters").value) == (700, 5)
    assert made.player.history.machine.params.every == 700


def test_only_the_named_controls_are_shown_and_an_unknown_name_is_refused() -> None:
    assert [*controls(["mood", "beaters"]).controls] == ["mood", "beaters"]
    with pytest.raises(ValueError, match="'timing' has no control; these have one: seed, "):
        controls(["timing"])


def test_a_parameter_with_an_inner_structure_is_written_as_json_if_it_is_named() -> None:
    made = controls(["budget", "speed"], speed={"B1": 50})
    assert (widget(made, "budget").value, widget(made, "speed").value) == ("null", '{"B1": 50}')
    widget(made, "budget").value = '{"crash": 1}'
    assert made.player.history.machine.params.budget == {"crash": 1}
    history = made.player.history
    for wrong, said in (("{crash", "{crash is not JSON"), ('{"fire": 1}', "budget")):
        widget(made, "budget").value = wrong
        assert said in made.said.value
        assert made.player.history is history


def test_without_controls_there_is_only_the_player() -> None:
    assert isinstance(play(Beats()), Player)
