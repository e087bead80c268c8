"""What stands in place of a player where none can live: a reopened notebook, an export, a page on GitHub.

A sentence stands above each player, and is hidden as long as the player lives (player.css). With the environment
variable DISTRIBUTED_PATTERNS_PAGES the whole run is embedded instead, as a page that steps without Python:

    DISTRIBUTED_PATTERNS_PAGES=1 jupyter nbconvert --to html --execute notebooks/05_consensus_raft.ipynb
"""

from __future__ import annotations

import html
import os
from typing import Any

PAGES = "DISTRIBUTED_PATTERNS_PAGES"
HIGH = 610
"""Pixels of an embedded page: a card, and what is around it."""


def show(player: Any, widget: Any) -> None:
    """Display a player, below a few words that stand for it; or its page alone."""
    from IPython.display import HTML, display

    if os.environ.get(PAGES):
        frame = (
            f'<iframe srcdoc="{html.escape(player.page(), quote=True)}" style="width:100%;height:{HIGH}px;border:0">'
        )
        display(HTML(f"{frame}</iframe>"))
        return
    display(HTML(words_for(player)))
    display(widget, raw=True)


def words_for(player: Any) -> str:
    """What the player would show, in a sentence, and how to get it back."""
    step, machine = player.step, player.history.machine
    said = " ".join(machine.say(note) for note in step.notes).replace("**", "")
    where = f"{player.title}, step {step.depth} of {len(player.history.branch) - 1}."
    how = "Run this cell to step through it."
    return f'<p class="dp-still">▶ <b>{html.escape(where)}</b> {html.escape(said)} <i>{how}</i></p>'
