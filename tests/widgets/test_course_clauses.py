"""Each rule of each chapter is found with its function and its tests, from the code alone."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from patterns.engine.params import ParameterError
from widgets.course import clauses as scan
from widgets.course.clauses import Place, clauses, clauses_of, coverage, covered
from widgets.course.concept_map import COURSE

ROOT = Path(__file__).resolve().parents[2]
each_chapter = pytest.mark.parametrize("chapter", COURSE.patterns)


@each_chapter
def test_each_rule_of_a_chapter_has_a_clause_and_a_function_that_exists(chapter: str) -> None:
    machines = import_module(f"patterns.{chapter}.lesson").CHAPTER.machines.values()
    found = {each.rule: each for each in clauses_of(chapter)}
    of_machines = {rule for machine in machines for rule in machine.rules}
    of_raft = {each.rule for each in clauses_of("consensus_raft")}  # leader election runs Raft, too
    assert set(found) <= of_machines <= set(found) | (of_raft if chapter == "leader_election" else set())
    for each in found.values():
        assert each.source
        assert each.functions, each.rule
        for path, name in each.functions:
            assert f"def {name.rpartition('.')[2]}(" in (ROOT / path).read_text(encoding="utf-8")


NAMED = {
    "consistent_hashing": 5,
    "replication": 15,
    "sharding": 10,
    "leader_election": 25,
    "consensus_raft": 41,
    "two_phase_commit": 37,
    "saga": 24,
    "event_sourcing": 12,
    "cqrs": 15,
}
"""Chapter -> how many of its rules a test named when this was written: 184 of 468. The contract holds the others."""


@each_chapter
def test_no_fewer_rules_of_a_chapter_are_named_by_a_test_than_before(chapter: str) -> None:
    assert (covered(chapter).named or 0) >= NAMED[chapter]


@pytest.mark.parametrize(
    ("chapter", "rule", "function"),
    [
        ("two_phase_commit", "C.ask", "Coordinator.ask_for_votes"),
        ("two_phase_commit", "C.commit", "Coordinator.decide"),  # made of parts: f"C.{outcome}"
        ("sharding", "S.Moved", "Shard.take"),  # "S." + type(...)
        ("cqrs", "R.rows", "Page.write"),  # a value of a constant
        ("consistent_hashing", "same-rack", "Ring.advance"),  # with a space in the code
    ],
)
def test_a_rule_is_found_however_the_code_names_it(chapter: str, rule: str, function: str) -> None:
    [found] = [each for each in clauses_of(chapter) if each.rule == rule]
    assert [place.name for place in found.functions] == [function]


MODULE = '''
SIZES = {"big": "T.big", "small": "T.small"}

class Thing:
    def sure(self):
        """Notes T.made, but this is a docstring."""
        self.note("T.sure", who="T.other")

    def beside(self, rule):
        rule = "T.beside" if rule == "T.sure" else rule
        self.note(rule)

    def constant(self, size):
        self.note(SIZES[size])

    def made(self, what):
        self.note(f"T.{what}")

def told(number, rule):
    return Note(rule, {})

def calls():
    return told(3, "T.told")
'''


def test_the_surest_function_counts_and_a_comparison_or_a_docstring_does_not() -> None:
    rules = ["T.sure", "T.beside", "T.big", "T.told", "T.made", "T.nowhere:x"]
    found = scan._noting({"thing.py": ast.parse(MODULE)}, rules)
    assert {rule: [place.name for place in places] for rule, places in found.items()} == {
        "T.sure": ["Thing.sure"],
        "T.beside": ["Thing.beside"],
        "T.big": ["Thing.constant"],
        "T.told": ["calls"],
        "T.made": ["Thing.made"],
        "T.nowhere:x": [],
    }


TESTS = """
from patterns.saga import Sagas

def test_one():
    assert fired("S.do")

def test_two():
    assert run.crash == "crash"

def helper():
    return "S.do"
"""


def test_a_test_names_what_it_holds_and_a_helper_is_no_test(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").write_text(TESTS)
    (tmp_path / "tests/test_other.py").write_text(TESTS.replace("patterns.saga", "elsewhere"))
    one, two = scan._tests(tmp_path)
    assert one.place == Place("tests/test_it.py", "test_one")
    assert (one.chapters, one.texts, one.about_rules) == ({"saga"}, {"S.do"}, True)
    assert (two.texts, two.about_rules) == ({"crash"}, False)


def test_a_table_links_files_that_exist_and_says_where_only_the_contract_holds_a_rule() -> None:
    shown = clauses("two_phase_commit")
    links = set(re.findall(r"\]\(([^)]*)\)", shown._repr_markdown_()))
    assert all((ROOT / "notebooks" / link).exists() for link in links)
    by_rule = {row[1]: row for row in shown.rows}
    page = "(../patterns/two_phase_commit/rules.toml)"
    assert by_rule[f"[C.lazy]{page}"][3] == "[the contract](../tests/test_chapters.py)"
    assert "c remembers until the last acknowledgement" in by_rule[f"[C.ack]{page}"][3]


def test_the_coverage_has_a_row_for_each_chapter() -> None:
    assert [row[2] for row in coverage().rows] == [str(len(clauses_of(chapter))) for chapter in COURSE.patterns]


def test_a_chapter_that_is_not_in_the_course_is_refused() -> None:
    with pytest.raises(ParameterError, match="paxos"):
        clauses("paxos")


def test_where_the_tests_are_not_installed_no_count_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "patterns").symlink_to(ROOT / "patterns")
    monkeypatch.setattr(scan, "ROOT", tmp_path)
    assert covered("cqrs") == (32, 19, None)
    assert {row[3] for row in clauses("cqrs").rows} == {"-"}
