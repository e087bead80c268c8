"""Pictures of the patterns: pure scenes, one player that steps through them, charts and checked exercises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from widgets.results import table

if TYPE_CHECKING:
    from patterns.engine.history import History
    from patterns.engine.machine import Machine
    from widgets.controls import Controls
    from widgets.player import Player


def play(
    run: History[Any, Any] | Machine[Any, Any], *, controls: bool | Iterable[str] = False, **options: Any
) -> Player | Controls:
    """The player of a history, or of a machine from its start.

    With `controls`, the machine's parameters can be changed above the player: all that have a control, or those named.
    `options` are the Player's: `view`, `ask`, `always`, `until`, `subtitle`, `at`, `hide_quiet`.
    """
    from patterns.engine.history import History
    from widgets.player import Player

    player = Player(run if isinstance(run, History) else History(run), **options)
    if not controls:
        return player
    from widgets.controls import Controls

    return Controls(player, None if controls is True else controls)


__all__ = ["play", "table"]
