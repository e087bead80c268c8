"""Small, and nothing twice: how many lines of code there are, and which lines two chapters share."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED_BY_ALL = ("engine", "runtime")
CHAPTERS = sorted({path.parent.name for path in ROOT.glob("patterns/*/__init__.py")} - {*SHARED_BY_ALL})
FIRST = ["consensus_raft", "consistent_hashing", "leader_election", "saga", "two_phase_commit"]
LATER = [name for name in CHAPTERS if name not in FIRST]
WIDE = {"replication": 1_800, "sharding": 1_800}
"""Two chapters hold several protocols each, and may be wider than the other chapters that came later."""
RUNTIME = 2_600
"""Lines of code: the runtime holds what no chapter sees, such as disks, sockets and damage."""
SHARED = 6
"""So many lines in a row, the same in two chapters, belong into the engine or the kit."""


Run = tuple[str, ...]


@cache
def lines_of_code(file: Path) -> frozenset[int]:
    """The numbers of a file's lines without blank lines, comments, docstrings and imports."""
    text = file.read_text(encoding="utf-8")
    none = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in none]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(text)):
        match node:
            # a text that stands alone is a docstring: of a module, class, function, or of the field above it (PEP 258)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                lines -= {*range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return frozenset(lines)


def size(files: Iterable[Path]) -> int:
    return sum(len(lines_of_code(file)) for file in files)


def files_of_chapter(name: str) -> list[Path]:
    return sorted((ROOT / "patterns" / name).rglob("*.py"))


def files_of_view(name: str) -> list[Path]:
    files = sorted((ROOT / "widgets" / "chapters" / name).rglob("*.py"))
    return [file for file in files if file.name not in ("questions.py", "charts.py")]


def test_a_line_of_code_is_no_blank_line_comment_docstring_or_import(tmp_path: Path) -> None:
    file = tmp_path / "seen.py"
    file.write_text(
        '"""A module."""\n\nimport os\n\n# a comment\nx = (\n    1,\n)\n"""A field."""\n'
        '\ndef f():\n    """F."""\n    return x\n'
    )
    assert lines_of_code(file) == {6, 7, 8, 11, 13}


def test_the_first_five_chapters_have_at_most_8500_lines_of_code() -> None:
    sizes = {name: size(files_of_chapter(name)) for name in FIRST}
    assert sum(sizes.values()) <= 8_500, sizes


def test_the_first_five_chapters_with_the_engine_have_at_most_11900_lines_of_code() -> None:
    """11,300, 400 for Raft's snapshots, 40 to send each entry once, 60 for refused messages and hints, 100 for
    protocols of a learner's own."""
    others = sum(size(files_of_chapter(name)) for name in [*LATER, "runtime"])
    assert size((ROOT / "patterns").rglob("*.py")) - others <= 11_900


def test_the_runtime_has_at_most_2600_lines_of_code() -> None:
    assert size(files_of_chapter("runtime")) <= RUNTIME


def test_the_first_five_views_have_at_most_2000_lines_of_code() -> None:
    sizes = {name: size(files_of_view(name)) for name in FIRST}
    assert sum(sizes.values()) <= 2_000, sizes


@pytest.mark.parametrize("name", LATER)
def test_a_later_chapter_has_at_most_1400_lines_of_code_and_its_view_250(name: str) -> None:
    assert size(files_of_chapter(name)) <= WIDE.get(name, 1_400)
    assert size(files_of_view(name)) <= 250


def test_the_example_chapter_has_about_150_lines_of_code() -> None:
    assert 120 <= size((ROOT / "tests" / "example_chapter").rglob("*.py")) <= 160


def runs(file: Path) -> set[Run]:
    """Every run of lines that count, white space folded."""
    text = file.read_text(encoding="utf-8").splitlines()
    numbers = [n for n in sorted(lines_of_code(file)) if any(letter.isalnum() for letter in text[n - 1])]
    lines = [" ".join(text[number - 1].split()) for number in numbers]
    return {tuple(lines[at : at + SHARED]) for at in range(len(lines) - SHARED + 1)}


class _Shape(ast.NodeTransformer):
    """Code with one name for all names, and one value for all texts and numbers; without docstrings and imports."""

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [line for line in body if not _is_left_out(line)]  # type: ignore[attr-defined]
        match self.generic_visit(node):
            case ast.Constant() | ast.JoinedStr():
                return ast.Constant(0)
            case other:
                for field in {"id", "attr", "arg", "name"} & {*other._fields}:
                    setattr(other, field, "n")
                return other


def _is_left_out(line: ast.stmt) -> bool:
    return isinstance(line, ast.Import | ast.ImportFrom | ast.Expr) and not isinstance(
        getattr(line, "value", None), ast.Call | ast.Await | ast.Yield | ast.YieldFrom
    )


FIELD = re.compile(r"class n.*:|n: .+|@n(\.n)*|pass")
"""A line that declares a class or a field. Any two lists of fields look alike: such lines alone have no shape."""


def shapes(file: Path) -> set[Run]:
    """Every run of lines by its shape, in which two lines or more do more than declare."""
    shape = _Shape().visit(ast.parse(file.read_text(encoding="utf-8")))
    lines = [line.strip() for line in ast.unparse(shape).splitlines() if line.strip()]
    found = {tuple(lines[at : at + SHARED]) for at in range(len(lines) - SHARED + 1)}
    return {run for run in found if sum(not FIELD.fullmatch(line) for line in run) > 1}


ONE = '''
def f(a):
    """Does it."""
    a = f(1)
    if a.b > 2:
        return f"{a} and {b}"
    for c in a.d:
        e(c, key="x")
    return None
'''


def test_names_and_values_are_not_part_of_a_shape(tmp_path: Path) -> None:
    one, other, longer = tmp_path / "one.py", tmp_path / "other.py", tmp_path / "longer.py"
    one.write_text(ONE)
    other.write_text(ONE.replace("Does", "Says").replace("a.b", "zz.b_c").replace('"x"', "7"))
    longer.write_text(ONE.replace("a.b > 2", "a.b >= 2"))
    assert shapes(one) == shapes(other)
    assert not shapes(one) & shapes(longer)


def test_a_list_of_fields_has_no_shape_and_a_class_that_does_something_has_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    names = "\n".join(f"{name} = ask({name!r}, at=fired('{name}.1'))" for name in "ABCDEF")
    one.write_text(f"import x\n{names}\n")
    other.write_text(names.replace("ask", "of").lower())
    assert shapes(one) == shapes(other) != set()
    fields = "\n".join(f"    {name}: int = {at}" for at, name in enumerate("abcdef"))
    one.write_text(f"class One:\n{fields}\n")
    assert not shapes(one)
    words = '    def __str__(self):\n        return f"{self.a}"\n'
    one.write_text(f"class One:\n{fields}\n{words}")
    other.write_text(f"class Other(One):\n{fields.upper()}\n{words.replace('a', 'b')}")
    assert shapes(one) & shapes(other)


@pytest.mark.parametrize("found_in", [runs, shapes], ids=["the same", "the same shape"])
@pytest.mark.parametrize("where", ["patterns", "widgets/chapters"])
def test_no_two_chapters_share_six_lines(where: str, found_in: Callable[[Path], set[Run]]) -> None:
    found: dict[str, dict[Run, Path]] = {}
    for name in CHAPTERS:
        files = sorted((ROOT / where / name).rglob("*.py"))
        found[name] = {run: file.relative_to(ROOT) for file in files for run in found_in(file)}
    shared = [
        "\n    ".join([f"{found[one][run]} ~ {found[other][run]}", *run])
        for one, other in combinations(CHAPTERS, 2)
        for run in found[one].keys() & found[other].keys()
    ]
    assert not shared, "\n".join(shared)
