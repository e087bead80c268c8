"""From a clause of a source to the code: clause -> rule -> function -> test -> notebook, read from the files.

clauses("consensus_raft")       a row for each rule of the chapter
coverage()                      for each chapter: how many rules there are, and how many a test of its own names

The clause is the rule's source in `rules.toml` and the pages beside it. The function is the one that notes the rule. A
test is listed if it names the rule or, if none does, the function. The contract holds each rule, too:
`tests/test_chapters.py` fails if a rule fires in no run.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from patterns.engine.sentences import page_of
from widgets.course.concept_map import COURSE, ROOT, linked
from widgets.results import Rows

CONTRACT = "tests/test_chapters.py"
BREAK = "\u200b"
MOST = 2
"""How many tests of a rule a table lists."""
NOTES = {"note": 0, "Note": 0}
"""Name of a function that notes a rule -> the place of the rule among its arguments."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Text = re.Pattern[str]


class Place(NamedTuple):
    """A function: its file, from the root of the repository, and its name with its class."""

    path: str
    name: str


class Clause(NamedTuple):
    """A rule, with the clause of a source that it follows and where it is found."""

    chapter: str
    source: str
    rule: str
    says: str
    """The sentence, with the names of its values in braces."""
    page: str
    """The file that has the rule, from the root of the repository. Its head says what the sources' short names mean."""
    functions: tuple[Place, ...]
    """The functions that note the rule."""
    tests: tuple[Place, ...]
    """The tests that name the rule; if none does, those that name a function which notes it."""


def clauses_of(chapter: str) -> tuple[Clause, ...]:
    """The clauses of a chapter in the order of its pages.

    Without the folder `tests`, as in an installed package, no clause has tests. Raises ParameterError for a chapter
    that is not in the course.
    """
    COURSE.number(chapter)
    return _read(chapter, ROOT)


@cache
def _read(chapter: str, root: Path) -> tuple[Clause, ...]:
    folder = root / "patterns" / chapter
    pages = sorted((page.name for page in folder.glob("*.toml")), key=lambda name: (name != "rules.toml", name))
    rules = {
        name: (rule, f"patterns/{chapter}/{page}")
        for page in pages
        for name, rule in page_of(f"patterns.{chapter}", page).items()
        if isinstance(rule, Mapping) and {"says", "source"} <= set(rule)
    }
    trees = {
        file.relative_to(root).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*.py"))
    }
    noting = _noting(trees, rules)
    tests = [test for test in _tests(root) if chapter in test.chapters]
    once = _defined_once(trees.values()) - _defined_in_engine(root)
    found = []
    for name, (rule, page) in rules.items():
        functions = {place.name.rpartition(".")[2] for place in noting[name]} & once
        named = [test.place for test in tests if name in test.texts and ("." in name or test.about_rules)]
        named = named or [test.place for test in tests if test.names & functions and test.of_patterns]
        found.append(Clause(chapter, rule["source"], name, rule["says"], page, tuple(noting[name]), tuple(named)))
    return tuple(found)


def _defined_once(trees: Iterable[ast.Module]) -> set[str]:
    """The names of functions that a chapter has one of: a test that has such a name means this function."""
    names = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, Function))
    return {name for name, times in names.items() if times == 1}


@cache
def _defined_in_engine(root: Path) -> frozenset[str]:
    """The names of functions that all chapters share, such as `begin`."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (root / "patterns" / "engine").rglob("*.py")]
    return frozenset(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, Function))


# The function that notes a rule


class _Scope(NamedTuple):
    """A function, or a module without its functions and classes."""

    place: Place
    node: ast.AST


def _noting(trees: Mapping[str, ast.Module], rules: Iterable[str]) -> dict[str, list[Place]]:
    """Rule -> the functions that note it.

    The surest place counts: what a call notes; else a text beside such a call; else a constant that is used there; else
    a text anywhere. A text that is made of parts counts where no whole text is found.
    """
    notes = NOTES | {name: at for tree in trees.values() for name, at in _takes_a_rule(tree)}
    constants = {name: value for tree in trees.values() for name, value in _constants(tree)}
    found: dict[str, dict[int, list[Place]]] = {rule: defaultdict(list) for rule in rules}
    for scope in (scope for path, tree in trees.items() for scope in _scopes(tree, path)):
        for rank, texts in enumerate(_named(scope.node, notes, constants)):
            for rule, ranks in found.items():
                if any(text.fullmatch(rule) for text in texts) and scope.place not in ranks[rank]:
                    ranks[rank].append(scope.place)
    return {rule: next((ranks[rank] for rank in sorted(ranks) if ranks[rank]), []) for rule, ranks in found.items()}


def _named(scope: ast.AST, notes: Mapping[str, int], constants: Mapping[str, ast.AST]) -> Iterator[list[Text]]:
    """The texts with which a function may name the rule that it notes, the surest first."""
    own = [*_own(scope)]
    calls = [node for node in own if isinstance(node, ast.Call) and _called(node) in notes]
    first = [call.args[at] for call in calls if len(call.args) > (at := notes[_called(call)])]
    noted = [node for each in first for node in (each, *_own(each))]
    names = {node.id for node in own if isinstance(node, ast.Name)} if calls else set()
    used = [node for name in names & set(constants) for node in ast.walk(constants[name])]
    for texts in (_whole, _made):
        yield from ([*texts(noted)], [*texts(own if calls else [])], [*texts(used)], [*texts(own)])


def _scopes(tree: ast.Module, path: str) -> Iterator[_Scope]:
    def inside(node: ast.AST, names: tuple[str, ...]) -> Iterator[_Scope]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef):
                here = (*names, child.name)
                if isinstance(child, Function):
                    yield _Scope(Place(path, ".".join(here)), child)
                yield from inside(child, here)
            elif not isinstance(child, ast.expr):  # no function is defined inside an expression
                yield from inside(child, names)

    yield from inside(tree, ())


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it, its docstring and its comparisons."""
    for child in ast.iter_child_nodes(scope):
        lone_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if not lone_text and not isinstance(child, Function | ast.Compare):
            yield child
            yield from _own(child)


def _called(call: ast.Call) -> str:
    return _name(call.func)


def _takes_a_rule(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Functions with a parameter `rule`, and its place in a call."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            names = [each.arg for each in node.args.args if each.arg != "self"]
            if "rule" in names:
                yield node.name, names.index("rule")


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, value) if value is not None:
                yield name, value


def _whole(nodes: Iterable[ast.AST]) -> Iterator[Text]:
    """The texts among these nodes; a rule may have hyphens where a text has spaces."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.compile(re.escape(node.value.replace(" ", "-")) + "|" + re.escape(node.value))


def _made(nodes: Iterable[ast.AST]) -> Iterator[Text]:
    """The texts that are made of parts and begin with a known one. A part that is not known can be any word."""
    for node in nodes:
        match node:
            case ast.JoinedStr([ast.Constant(), *_] as parts):
                known = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in parts]
                yield re.compile("".join(known))
            case ast.BinOp(ast.Constant(str(text)), ast.Add()):
                yield re.compile(re.escape(text) + r"\w+")


# The tests that name a rule


class _Test(NamedTuple):
    """A test, with the names in it."""

    place: Place
    chapters: frozenset[str]
    """The chapters that its file imports."""
    texts: frozenset[str]
    names: frozenset[str]
    about_rules: bool
    """Whether it speaks of rules: `crash` is the name of a rule, and of much else."""

    @property
    def of_patterns(self) -> bool:
        """Whether it tests a protocol, and not a picture or the engine."""
        return self.place.path.startswith("tests/patterns/")


@cache
def _tests(root: Path) -> tuple[_Test, ...]:
    found = []
    for file in sorted((root / "tests").rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        chapters = frozenset(re.findall(r"\bpatterns\.(\w+)\b", text)) & set(COURSE.patterns)
        scopes = _scopes(ast.parse(text), file.relative_to(root).as_posix()) if chapters else ()
        for place, node in scopes:
            if place.name.rpartition(".")[2].startswith("test_"):
                parts = [*ast.walk(node)]
                texts = {each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str)}
                names = {_name(each) for each in parts}
                speaks = any(re.search(r"rule|note|fired", name) for name in names)
                found.append(_Test(place, chapters, frozenset(texts), frozenset(names), speaks))
    return tuple(found)


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
    return ""


# Tables


def clauses(chapter: str) -> Rows:
    """A row for each rule of a chapter: clause, rule, function, test, notebook; a link leads to the file.

    Raises ParameterError for a chapter that is not in the course.
    """
    notebook = f"[{COURSE.notebook(chapter)[:2]}]({COURSE.notebook(chapter)})"
    rows = [
        (each.source, f"[{each.rule}](../{each.page})", _links(each.functions), _listed(each.tests), notebook)
        for each in clauses_of(chapter)
    ]
    return Rows(("clause", "rule", "function", "test", "notebook"), rows)


def _links(places: Iterable[Place]) -> str:
    """A long name may break after a dot."""
    return "<br>".join(f"[{place.name.replace('.', '.' + BREAK)}](../{place.path})" for place in places)


def _sentence(test: Place) -> str:
    """The name of a test is a sentence."""
    return test.name.rpartition(".")[2].removeprefix("test_").replace("_", " ")


def _listed(places: tuple[Place, ...]) -> str:
    if not (ROOT / "tests").is_dir():
        return "-"
    if not places:
        return f"[the contract](../{CONTRACT})"
    more = f"<br>and {len(places) - MOST} more" if len(places) > MOST else ""
    return "<br>".join(f"[{_sentence(place)}](../{place.path})" for place in places[:MOST]) + more


class Covered(NamedTuple):
    """How many rules a chapter has, and how many of them a test of its own names."""

    rules: int
    sources: int
    """Clauses: two rules may follow one clause."""
    named: int | None
    """None where the tests are not installed."""


def covered(chapter: str) -> Covered:
    """The counts of a chapter. Raises ParameterError for a chapter that is not in the course."""
    every = clauses_of(chapter)
    named = sum(bool(each.tests) for each in every) if (ROOT / "tests").is_dir() else None
    return Covered(len(every), len({each.source for each in every}), named)


def coverage() -> Rows:
    """For each chapter: its clauses, its rules, and how many of the rules a test of its own names."""
    rows = []
    for name in COURSE.patterns:
        it = covered(name)
        rows.append((linked(name), it.sources, it.rules, "-" if it.named is None else it.named))
    return Rows(("chapter", "clauses", "rules", "rules that a test of the chapter names"), rows)
