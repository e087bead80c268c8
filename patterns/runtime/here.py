"""What Python lacks inside a web page: operating system processes, sockets and threads."""

from __future__ import annotations

import sys


class NotInABrowser(RuntimeError):
    """Python runs inside a web page, which lacks what was asked for. The message is one sentence for the learner."""


def require(what: str) -> None:
    """Raise NotInABrowser if Python runs inside a web page. `what` names the things that are needed, in the plural."""
    if sys.platform == "emscripten":
        raise NotInABrowser(f"This cell needs {what}, and Python inside a web page has none.")
