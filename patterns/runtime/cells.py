"""The classes of a notebook's cells as the source of a module, so that another OS process can import them.

A cell's class is in `__main__`, which no other process can import, and cloudpickle loses the fields of a
`msgspec.Struct`. So the source goes along: that of the class, and of all that it uses of the notebook, as its names
stand now. A script's classes are treated in the same way.
"""

from __future__ import annotations

import ast
import linecache
import symtable
import sys
from ast import AsyncFunctionDef, ClassDef, FunctionDef
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

MODULE = "notebook_cells"
"""The name of the module."""


def source_of(kinds: Iterable[type]) -> str:
    """The source of a module with these classes of `__main__`; empty if none of them is from there.

    Raises ValueError for a class whose source is out of reach, and for one that uses a value that no source can stand
    for, such as an open file.
    """
    names = vars(sys.modules["__main__"])
    asked = [kind for kind in dict.fromkeys(kinds) if kind.__module__ == "__main__"]
    if not asked:
        return ""
    module = _Module(names, cells_of(names))
    for kind in asked:
        module.define(kind)
    return "\n\n".join(module.parts) + "\n"


def cells_of(names: Mapping[str, Any]) -> Sequence[str]:
    """The cells that were run, in their order; for a script its only one. `names` are those of `__main__`."""
    if "_ih" in names:  # IPython's input history
        return list(names["_ih"])
    file = names.get("__file__")
    return [Path(file).read_text(encoding="utf-8")] if file and Path(file).is_file() else []


class _Module:
    """A module in the making: the parts that others use come first."""

    def __init__(self, names: Mapping[str, Any], cells: Sequence[str]) -> None:
        self.names, self.cells = names, cells
        self.parts: list[str] = []
        self._done: set[str] = set()

    def define(self, thing: Any) -> None:
        """Add a class or a function, after all that it uses."""
        name = thing.__name__
        if f"def {name}" in self._done:
            return
        self._done.add(f"def {name}")
        text = self._text(thing)
        for used in sorted(set(_globals(symtable.symtable(text, name, "exec")))):
            if used in self.names and used != name and used not in self._done:
                self._done.add(used)
                self._use(used, self.names[used], name)
        self.parts.append(text)

    def _use(self, name: str, value: Any, user: str) -> None:
        if isinstance(value, type | FunctionType) and value.__module__ == "__main__":
            self.define(value)
            if name != value.__name__:
                self.parts.append(f"{name} = {value.__name__}")
        elif found := self._imported(name, value):
            self.parts.append(found)
        elif _is_literal(value):
            self.parts.append(f"{name} = {value!r}")
        else:
            raise ValueError(
                f"{user} uses {name}, which is of type {type(value).__name__}. In a process for real, allowed are "
                f"classes, functions and imports of the notebook, and numbers, texts and tuples of them"
            )

    def _imported(self, name: str, value: Any) -> str:
        """The import that gives this value its name; empty where nothing imports it."""
        if isinstance(value, ModuleType):
            return f"import {value.__name__} as {name}"
        if isinstance(value, type | FunctionType) and _is_at(value.__module__, value.__qualname__, value):
            return f"from {value.__module__} import {value.__qualname__} as {name}"
        for statement in self._statements(ast.ImportFrom):  # of what does not know where it is from
            for alias in statement.names:
                module, known = statement.module or "", alias.asname or alias.name
                if known == name and not statement.level and _is_at(module, alias.name, value):
                    return f"from {module} import {alias.name} as {name}"
        return ""

    def _text(self, thing: Any) -> str:
        """The source of a class or of a function, its decorators included."""
        own = [thing, *vars(thing).values()] if isinstance(thing, type) else [thing]
        code = next((each.__code__ for each in own if isinstance(each, FunctionType)), None)
        cell = "" if code is None else "".join(linecache.getlines(code.co_filename))
        for text in [cell, *reversed(self.cells)]:
            for node in reversed(_parsed(text)):
                if isinstance(node, ClassDef | FunctionDef | AsyncFunctionDef) and node.name == thing.__name__:
                    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
        raise ValueError(f"{thing.__qualname__} is in __main__, and no cell defines it at its top level")

    def _statements(self, kind: type[Any]) -> Iterator[Any]:
        for text in reversed(self.cells):
            yield from (node for node in reversed(_parsed(text)) if isinstance(node, kind))


def _parsed(text: str) -> list[ast.stmt]:
    """The statements of a cell; none of one that Python cannot read."""
    try:
        tree = compile(text, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return []
    assert isinstance(tree, ast.Module)
    return tree.body


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a source uses without giving them a value itself."""
    whole = table.get_type() == "module"
    yield from (s.get_name() for s in table.get_symbols() if s.is_referenced() and (whole or s.is_global()))
    for child in table.get_children():
        yield from _globals(child)


def _is_at(module: str, name: str, value: Any) -> bool:
    """Whether an import of this name gives this very value."""
    try:
        return getattr(import_module(module), name, None) is value
    except (ImportError, ValueError):
        return False


def _is_literal(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
