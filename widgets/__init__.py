"""Pictures of the patterns: pure scenes, one player that steps through them, charts and checked exercises."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patterns.engine.history import History
    from patterns.engine.machine import Machine
    from widgets.player import Player


def play(run: History[Any, Any] | Machine[Any, Any], **options: Any) -> Player:
    """The player of a history, or of a machine from its start, with the view of the machine's chapter.

    `options` are the Player's: `ask`, `always`, `until`, `subtitle`, `at`, `hide_quiet`.
    """
    from patterns.engine.history import History
    from widgets.player import Player

    history = run if isinstance(run, History) else History(run)
    chapter = history.machine.view or history.machine.name
    return Player(history, import_module(f"widgets.chapters.{chapter}.view"), **options)
