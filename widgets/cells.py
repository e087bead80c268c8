"""The code cells of a notebook that some of its cells need, found by the names that each cell binds and uses.

cells = code_cells("notebooks/07_saga.ipynb")
needed(cells, [cell for cell in cells if cell.calls("check")])
"""

from __future__ import annotations

import ast
import copy
import re
import symtable
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
from IPython.core.inputtransformer2 import TransformerManager

MEASURING = re.compile(r"^\s*%%(?:time|timeit|prun|capture)\b.*\n|^[ \t]*%(?:time|prun)\s", re.MULTILINE)


class Cell(msgspec.Struct, frozen=True):
    """A code cell, with the names that it binds for later cells and those that it uses of earlier ones."""

    number: int
    """Its place among all cells of the notebook, from 1."""
    source: str
    """Its code, without magics that measure time or catch output."""
    problem: str = ""
    """Why Python cannot read it; empty for a cell in order."""
    binds: frozenset[str] = frozenset()
    """The names that it gives a value, or whose value it may change: `table[1] = 2`, `run.append(3)`."""
    uses: frozenset[str] = frozenset()
    """The names that it takes from cells before it."""
    renews: frozenset[str] = frozenset()
    """The names among those that it binds which it gives a new value in any case: what they were before is gone."""
    tags: tuple[str, ...] = ()

    def calls(self, function: str) -> bool:
        """Whether it calls a function of this name, `check(...)` or `exercise.check(...)`."""
        return any(isinstance(node, ast.Call) and _called(node) == function for node in ast.walk(_parsed(self)))

    @property
    def statements(self) -> list[str]:
        """Its statements, each as code of its own, without comments."""
        return [ast.unparse(statement) for statement in _parsed(self).body]


def code_cells(notebook: str | Path) -> list[Cell]:
    """The code cells of a notebook, in order. Raises OSError, or ValueError for a file that is not a notebook."""
    import nbformat  # a web page has none, and no need of it

    try:
        cells = nbformat.read(Path(notebook), as_version=4).cells  # type: ignore[no-untyped-call]
    except OSError:
        raise
    except Exception as problem:  # of JSON, of its version, of a field that is missing
        raise ValueError(f"{notebook} is not a notebook: {_brief(problem)}") from None
    found = [(at, cell) for at, cell in enumerate(cells, 1) if cell.cell_type == "code"]
    return [cell_of(at, cell.source, tuple(cell.metadata.get("tags", ()))) for at, cell in found]


def needed(cells: Iterable[Cell], ends: Iterable[Cell]) -> list[Cell]:
    """The cells that must run so that the cells `ends` can: those that bind a name in use later, and so on.

    Of several cells that give a name a new value, the last one counts.
    """
    ends = list(ends)
    found, names = list[Cell](), set[str]()
    for cell in reversed(list(cells)):
        if cell in ends or cell.binds & names or "*" in cell.binds:
            found.append(cell)
            names = names - cell.renews | cell.uses
    return found[::-1]


def cell_of(number: int, source: str, tags: tuple[str, ...] = ()) -> Cell:
    """The code cell with this source."""
    plain = MEASURING.sub("", source)
    try:
        code = TransformerManager().transform_cell(plain)
        binds, uses, renews = set[str](), set[str](), set[str]()
        for statement in ast.parse(code).body:
            bound, used = _names_in(statement)
            binds |= bound | {name for node in ast.walk(statement) for name in _changed(node)}
            uses |= used - renews
            renews |= {*_renewed(statement)}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        return Cell(number, source, f"{type(problem).__name__}: {_brief(problem)}", tags=tags)
    return Cell(number, plain, "", frozenset(binds), frozenset(uses), frozenset(renews), tags)


def names_from(source: str, line: int) -> set[str]:
    """The names that a cell's statements from this line on bind. Raises SyntaxError for a cell that is not Python."""
    left = [statement for statement in ast.parse(source).body if (statement.end_lineno or 0) >= line]
    return _names_in(*left)[0]


def _names_in(*statements: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that statements of a cell bind in the notebook, and those that they take from there."""
    plain = ast.Module([_Plain().visit(statement) for statement in copy.deepcopy(statements)], [])
    return _names(symtable.symtable(ast.unparse(plain), "<cell>", "exec"))


class _Plain(ast.NodeTransformer):
    """The same names without `await` and `async for`: from Python 3.14 on, symtable refuses them outside a function."""

    def visit_Await(self, node: ast.Await) -> Any:
        return self.visit(node.value)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self.generic_visit(ast.copy_location(ast.With(node.items, node.body), node))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        plain = ast.For(node.target, node.iter, node.body, node.orelse)
        return self.generic_visit(ast.copy_location(plain, node))

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        return self.generic_visit(ast.comprehension(node.target, node.iter, node.ifs, 0))


def _names(table: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """The names that a piece of code binds in the notebook, and those that it takes from there."""
    binds, uses = set[str](), set[str]()
    for symbol in table.get_symbols():
        outside = table.get_type() == "module" or symbol.is_global()
        if outside and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
            binds.add(symbol.get_name())
        if outside and symbol.is_referenced():
            uses.add(symbol.get_name())
    for part in table.get_children():
        more, others = _names(part)
        binds, uses = binds | more, uses | others
    return binds, uses


def _parsed(cell: Cell) -> ast.Module:
    return ast.Module([], []) if cell.problem else ast.parse(TransformerManager().transform_cell(cell.source))


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _changed(node: ast.AST) -> Iterator[str]:
    """The names whose value a piece of code may change, apart from those that it binds."""
    match node:
        case ast.ImportFrom(names=[ast.alias("*")]):
            yield "*"  # any name may come of it
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name)))):
            yield name
        case ast.Attribute(ast.Name(name), ctx=ast.Store()) | ast.Subscript(ast.Name(name), ctx=ast.Store()):
            yield name


def _renewed(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a cell gives a new value, if the cell comes to its end."""
    match statement:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.Import(aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.Assign(targets):
            yield from (node.id for target in targets for node in ast.walk(target) if _is_stored(node))
        case ast.AnnAssign(ast.Name(name), value=value) if value:
            yield name


def _is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _brief(problem: BaseException) -> str:
    if isinstance(problem, SyntaxError):
        return f"{problem.msg} (line {problem.lineno})"
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]
