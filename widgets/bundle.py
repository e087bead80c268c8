"""Several ES modules as one, without a build step: a page gets a single script, the source stays modules.

The modules of `widgets/js` import each other by name, from `./` only, and nothing under another name. Each keeps its
own scope: it becomes a function that returns what the module exports.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "js"
IMPORT = re.compile(r'^import \{(?P<names>[^}]*)\} from "\./(?P<module>\w+)\.js";\n', re.MULTILINE)
COMMENT = re.compile(r"[ \t]*/\*\*[\s\S]*?\*/[ ]?\n?|^[ \t]*//.*\n|^[ \t]+", re.MULTILINE)
"""Comments as they stand in these modules, and what lines are indented by."""
EXPORT = re.compile(r"^export (?:const|let|function|class) (?P<name>\w+)", re.MULTILINE)


@cache
def bundle(name: str) -> str:
    """The module of this name and all that it imports, as one module with the same default export."""
    order: list[str] = []

    def visit(module: str) -> None:
        for found in IMPORT.finditer(_source(module)):
            visit(found["module"])
        if module not in order:
            order.append(module)

    visit(name)
    return COMMENT.sub("", "\n".join([*map(_scope, order), f"export default {name}_js.main;\n"]))


def _scope(module: str) -> str:
    """A module as a function that is called once."""
    source = _source(module)
    names = [found["name"] for found in EXPORT.finditer(source)]
    main = "main, " if "export default " in source else ""
    body = IMPORT.sub(lambda found: f"const {{{found['names']}}} = {found['module']}_js;\n", source)
    body = body.replace("\nexport default ", "\nconst main = ").replace("\nexport ", "\n")
    return f"const {module}_js = (() => {{\n{body}return {{ {main}{', '.join(names)} }};\n}})();"


def _source(module: str) -> str:
    return (FOLDER / f"{module}.js").read_text(encoding="utf-8")


def style() -> str:
    """The style sheet, without its comments."""
    return re.sub(r"/\*.*?\*/\n?", "", (FOLDER.parent / "player.css").read_text(encoding="utf-8"), flags=re.DOTALL)
