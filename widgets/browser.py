"""Notebooks whose Python runs inside a web page: a cell that needs more than a page has shows a recording of itself.

The cell ends with one sentence instead of a traceback. Below it stands what the same cell gave on the computer that
built the site. Names that the cell did not come to are bound to `Absent`, so that a later cell says the sentence too.
"""

from __future__ import annotations

import html
import json
from hashlib import sha256
from importlib.resources import files
from types import TracebackType
from typing import Any, NoReturn

from patterns.runtime.here import NotInABrowser
from widgets.cells import names_from
from widgets.fallback import RUN

RECORDINGS = "recordings.json"
"""The file beside this module that the build of the site adds: the key of a cell -> the outputs of the cell."""
LEFT_OUT = ("numpy", "cryptography")
"""Packages that a site may have been built without."""

Output = dict[str, Any]


def key_of(source: str) -> str:
    """The key of a cell's recording. A cell that the learner has changed has another key, and no recording."""
    return sha256(source.strip().encode()).hexdigest()[:16]


class Absent:
    """Stands for a value that a cell did not come to. To use it raises NotInABrowser with the sentence of that cell."""

    def __init__(self, why: str) -> None:
        object.__setattr__(self, "_why", why)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise NotInABrowser(object.__getattribute__(self, "_why"))

    __getattr__ = __call__ = __getitem__ = __iter__ = __len__ = __bool__ = __enter__ = __fspath__ = _refuse
    __truediv__ = __add__ = __eq__ = __lt__ = __aenter__ = __await__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return str(object.__getattribute__(self, "_why"))


class Recorded:
    """Shows the recordings in one IPython shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.source = ""
        shell.events.register("pre_run_cell", self._remember)
        shell.display_formatter.ipython_display_formatter.for_type_by_name(
            "plotly.basedatatypes", "BaseFigure", show_figure
        )
        shell.set_custom_exc((NotInABrowser, ModuleNotFoundError), self._ended)

    def _remember(self, info: Any) -> None:
        self.source = info.raw_cell

    def _ended(self, shell: Any, kind: Any, problem: Any, trace: TracebackType, tb_offset: int | None = None) -> None:
        """Show what there is in place of a traceback; other missing modules get theirs."""
        if isinstance(problem, NotInABrowser):
            sentence = str(problem)
        elif problem.name in LEFT_OUT:
            sentence = f"This cell needs the package {problem.name}, which this site was built without."
        else:
            shell.showtraceback((kind, problem, trace), tb_offset=tb_offset)
            return
        for name in names_from(self.source, line_of(trace, shell.user_ns)):
            shell.user_ns[name] = Absent(sentence)
        show(sentence, recordings().get(key_of(self.source)))


def recordings() -> dict[str, list[Output]]:
    """What the site has: none where the notebooks run without having been built into one."""
    file = files("widgets") / RECORDINGS
    found: dict[str, list[Output]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found


def line_of(trace: TracebackType | None, names: dict[str, Any]) -> int:
    """The line of the cell, from 1, at which the error came. `names` are the globals of the cell."""
    while trace is not None:
        if trace.tb_frame.f_globals is names:
            return trace.tb_lineno
        trace = trace.tb_next
    return 1


def show_figure(figure: Any) -> None:
    """Display a chart of plotly, whose own way needs a package more."""
    from IPython.display import display

    display(figure._repr_mimebundle_(), raw=True)


def show(sentence: str, outputs: list[Output] | None) -> None:
    """Display the sentence, and below it the recorded outputs."""
    from IPython.display import HTML, display

    if outputs is None:
        then = "The cell has been changed, or this page has no recording of it: run it in JupyterLab on your computer."
    else:
        then = "Below is a recording: what this cell gave on the computer that built this site."
    display(HTML(f'<p class="dp-recorded">○ {html.escape(sentence)} <i>{html.escape(then)}</i></p>'))
    for output in outputs or ():
        if "text" in output:
            print(output["text"], end="")
        elif RUN in output["data"]:
            from widgets.player import Run

            display(Run(**output["data"][RUN]).bundle, raw=True)
        else:
            display(output["data"], raw=True)
