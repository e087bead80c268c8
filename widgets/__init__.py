"""Pictures of the patterns: pure scenes, one player that steps through them, charts and checked exercises."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from widgets.results import table

if TYPE_CHECKING:
    from patterns.engine.history import History
    from patterns.engine.machine import Machine
    from patterns.engine.planted import Found
    from widgets.controls import Controls
    from widgets.player import Player


def play(
    run: History[Any, Any] | Machine[Any, Any] | Found, *, controls: bool | Iterable[str] = False, **options: Any
) -> Player | Controls:
    """The player of a history, of a machine from its start, or of what a search found: `play(bug.found())`.

    With `controls`, the machine's parameters can be changed above the player: all that have a control, or those named.
    `options` are the Player's: `view`, `ask`, `always`, `until`, `subtitle`, `at`, `hide_quiet`. What a search found is
    shown with the property that it breaks. Raises ValueError if the search found no run that breaks a promise.
    """
    from patterns.engine.properties import NoFailure
    from widgets.player import Player

    history = _history_of(run)
    if (found := getattr(run, "counterexample", None)) is not None:
        always = history.machine.always
        unseen = found.property not in always and not isinstance(found.property, NoFailure)
        options.setdefault("always", (*always, found.property) if unseen else always)
    player = Player(history, **options)
    if not controls:
        return player
    from widgets.controls import Controls

    return Controls(player, None if controls is True else controls)


def _history_of(run: Any) -> History[Any, Any]:
    from patterns.engine.history import History

    if isinstance(run, History):
        return run
    if not hasattr(run, "counterexample"):
        return History(run)
    if run.counterexample is None:
        raise ValueError(f"the search found no run that breaks a promise, and has nothing to play. {run}")
    history: History[Any, Any] = run.counterexample.history
    return history


if sys.platform == "emscripten":  # inside a web page
    from IPython import get_ipython

    from widgets.browser import Recorded

    if (_shell := get_ipython()) is not None:
        Recorded(_shell)

__all__ = ["play", "table"]
