"""Types, style, the direction of imports and the layout: the rules that a tool can hold, held in the same run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP = {"notebooks", "patterns", "widgets", "tests", "requirements.txt", "README.md", "pyproject.toml", "LICENSE"}
TEXT = {".py", ".js", ".css", ".md", ".toml", ".txt", ".ipynb", ".yml", ".svg", ".html", ""}
ONE_SITTING = 450  # lines


def tracked() -> list[Path]:
    """The repository's files: what git tracks or would, or without git (an unpacked archive) what is not hidden."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        inside = [file for name in sorted(TOP) for file in [ROOT / name, *(ROOT / name).rglob("*")]]
        return [file for file in inside if file.is_file() and "__pycache__" not in file.parts]


def tool(name: str, *arguments: str, where: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The tool of this very environment, run to its end."""
    command = [str(Path(sys.executable).parent / name), *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, encoding="utf-8", check=False)


TOOLS = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
    "import-linter": ("lint-imports", "--no-logo"),
}


@pytest.mark.parametrize("name", TOOLS)
def test_the_whole_tree_pleases(name: str) -> None:
    run = tool(*TOOLS[name])
    assert run.returncode == 0, run.stdout + run.stderr


SEEDED = {
    "ruff check": ("patterns/engine/seeded.py", "import random\n", "randomness is stateless"),
    "ruff format": ("patterns/engine/seeded.py", "x = (1,\n   2)\n", "seeded.py"),
    "mypy": ("patterns/engine/seeded.py", "def grow(x):\n    return x + 1\n", "missing a type annotation"),
    "import-linter": ("patterns/engine/seeded.py", "import widgets.scene\n", "BROKEN"),
}
"""Each tool, on a tree of the same modules, all empty -> a file with one fault in it, and what the tool says of it."""


@pytest.mark.parametrize("name", SEEDED)
def test_a_fault_in_the_engine_is_refused_by(name: str, tmp_path: Path) -> None:
    file, fault, said = SEEDED[name]
    for module in [*ROOT.glob("patterns/**/*.py"), *ROOT.glob("widgets/**/*.py")]:
        empty = tmp_path / module.relative_to(ROOT)
        empty.parent.mkdir(parents=True, exist_ok=True)
        empty.touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / file).write_text(fault, encoding="utf-8")
    run = tool(*TOOLS[name], where=tmp_path)
    assert run.returncode != 0
    assert said in run.stdout


def test_the_top_level_holds_four_folders_and_four_files() -> None:
    top = {file.relative_to(ROOT).parts[0] for file in tracked()}
    assert {name for name in top if not name.startswith(".")} == TOP


def test_every_module_is_read_in_one_sitting() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for folder in ("patterns", "widgets")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".js", ".css"} and (lines := len(file.read_text("utf-8").splitlines())) > ONE_SITTING
    }
    assert not long, f"more than {ONE_SITTING} lines: make a folder of it"


def test_no_file_names_the_machine_it_was_written_on_or_where_its_packages_came_from() -> None:
    # written apart, so that this file is not found by itself
    home = re.compile(r"(?<![\w.$~])/(?:" + "|".join(["work", "root", "Users", "home", "opt"]) + r")/[\w.]+")
    host = re.compile(
        "|".join(["py" + r"pi\.org/simple", "files.python" + "hosted", "registry.npm" + "js", "file:" + "///"])
    )
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in tracked()
        if file.suffix in TEXT
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if home.search(line) or host.search(line)
    ]
    assert not found, "\n".join(found)


def requirements(file: str) -> list[str]:
    lines = (ROOT / file).read_text("utf-8").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]  # why it is wanted may stand behind it
    return [line for line in wanted if line]


def test_every_requirement_has_a_lower_and_an_upper_bound() -> None:
    itself, *learners = requirements("requirements.txt")
    assert itself == "-e .", "patterns and widgets import from any folder"
    wanted = [*learners, *requirements("tests/requirements.txt")]
    assert not [line for line in wanted if not re.fullmatch(r"[a-z\d-]+(\[[a-z]+\])?>=[\d.]+,<[\d.]+", line)]
    names = [line.split(">=")[0] for line in wanted]
    assert len(names) == len({*names}), "what a learner needs is not listed again for the tests"


EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
OPTIONAL = {line for extra in EXTRAS.values() for line in extra}
"""Real systems, which a learner may have."""
TEST_ONLY = [
    line for line in requirements("tests/requirements.txt") if not line.startswith("types-") and line not in OPTIONAL
]


def test_what_a_learner_installs_imports_no_tool_of_the_tests() -> None:
    tools = "|".join(line.split(">=")[0].replace("-", "_") for line in TEST_ONLY)
    imports = re.compile(rf"""^\s*"?(?:import|from) (?:{tools})\b""", re.MULTILINE)
    importing = [
        str(file.relative_to(ROOT))
        for folder in ("patterns", "widgets", "notebooks")
        for file in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).glob("*.ipynb")]
        if file.name != "conftest.py" and imports.search(file.read_text("utf-8"))
    ]
    assert not importing


def test_the_readme_the_ci_and_the_workflow_run_the_same_test_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"^python3 -m venv .*/pytest -n2$", readme, re.MULTILINE)
    assert len(commands) == 1, "the README tells one command that runs all tests"
    assert commands[0] in (ROOT / ".ci/run").read_text("utf-8").splitlines()
    assert f"- run: {commands[0]}" in [
        line.strip() for line in (ROOT / ".github/workflows/tests.yml").read_text("utf-8").splitlines()
    ]


def test_every_file_that_the_readme_links_to_exists() -> None:
    # `../../` leads out of the folder, to pages of the host that shows this file
    links = re.findall(r"\]\((?!https?:|#|\.\./\.\./)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    missing = [link for link in links if not (ROOT / link).exists()]
    assert links
    assert not missing


def test_every_hook_before_a_commit_runs_a_tool_of_the_tests() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    tools = re.findall(r"entry: \.venv/bin/(\S+)", hooks)
    assert {*tools} == {"ruff", "nbstripout"}
    assert {*tools} <= {line.split(">=")[0] for line in requirements("tests/requirements.txt")}
    assert hooks.count("entry:") == hooks.count("language: system") == len(tools), "no host is named"
