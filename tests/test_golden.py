"""Golden traces: a text that changed fails, and one flag writes it anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A folder with the real fixture and one test, whose story stands in `story.txt`."""
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "story.txt").write_text("C walks to B · 一致性哈希\n", encoding="utf-8")
    (tmp_path / "test_story.py").write_text(
        "from pathlib import Path\n"
        "def test_story(golden):\n"
        "    golden('walk', Path('story.txt').read_text(encoding='utf-8'))\n"
    )
    return tmp_path


def run(folder: Path, *flags: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flags]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # starts in a fraction of the time
    done = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout


def test_a_trace_is_written_on_request_and_held_from_then_on(told: Path) -> None:
    assert run(told, "--rewrite-golden")[0] == 0
    assert (told / "golden" / "walk.txt").read_text("utf-8") == (told / "story.txt").read_text("utf-8")
    assert run(told)[0] == 0
    (told / "story.txt").write_text("C walks to A\n")
    code, said = run(told)
    assert code == 1
    assert "says otherwise; if the change is meant" in said


def test_a_trace_that_nobody_wrote_fails(told: Path) -> None:
    code, said = run(told)
    assert code == 1
    assert "no golden trace golden/walk.txt" in said.replace("\\", "/")
    assert not (told / "golden").exists()
