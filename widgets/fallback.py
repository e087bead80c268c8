"""A stand-in for a widget without a kernel: in a reopened notebook, an export, a page on GitHub.

A still picture of the step stands above each player, with words; a question stands there as text. They are hidden as
long as the widget lives (player.css). With the environment variable DISTRIBUTED_PATTERNS_PAGES a run is embedded as a
page that steps without Python:

    DISTRIBUTED_PATTERNS_PAGES=1 jupyter nbconvert --to html --execute notebooks/05_consensus_raft.ipynb
"""

from __future__ import annotations

import html
import json
import os
from base64 import b64encode
from typing import Any

from widgets.still import still

PAGES = "DISTRIBUTED_PATTERNS_PAGES"
RUN = "application/vnd.distributed-patterns.run+json"
"""The same run as data, beside its page: for the recordings of the site (widgets/browser.py)."""
HIGH = 610
"""Pixels of an embedded page: a card, and the space around it."""


def show(player: Any, widget: Any) -> None:
    """Display a player, below a picture and a few words that stand for it; or its page alone."""
    from IPython.display import display

    if os.environ.get(PAGES):
        frame = (
            f'<iframe srcdoc="{html.escape(player.page(), quote=True)}" style="width:100%;height:{HIGH}px;border:0">'
        )
        display({"text/html": f"{frame}</iframe>", RUN: json.loads(player.saved)}, raw=True)
        return
    show_text(words_for(player), widget)


def show_text(text: str, widget: Any) -> None:
    """Display a widget, below a text in HTML that stands for it; in an export with pages, the text alone."""
    from IPython.display import HTML, display

    display(HTML(f'<div class="dp-still">{text}</div>'))
    if not os.environ.get(PAGES):
        display(widget, raw=True)


def words_for(player: Any) -> str:
    """What the player would show: its picture, what happens, and how to get it back."""
    step, machine = player.step, player.history.machine
    said = " ".join(machine.say(note) for note in step.notes).replace("**", "")
    where = f"{player.title}, step {step.depth} of {len(player.history.branch) - 1}."
    how = "Run this cell to step through it."
    scene = player.view.scene_of(step)
    told = html.escape(". ".join(panel.label for panel in scene.panels), quote=True)
    drawn = b64encode(still(scene).encode()).decode()
    picture = f'<img src="data:image/svg+xml;base64,{drawn}" alt="{told}" style="max-width:100%">'
    return f"<p>▶ <b>{html.escape(where)}</b> {html.escape(said)} <i>{how}</i></p>{picture}"
