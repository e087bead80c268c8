"""What `tests/conftest.py` adds to pytest-xdist."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


def test_a_run_whose_process_died_ends_and_names_the_test_that_it_died_in(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text(encoding="utf-8"))
    for name in "abc":
        pytester.makepyfile(**{f"test_{name}": "def test_one(): pass\ndef test_two(): pass"})
    pytester.makepyfile(
        test_dies="import os\n\ndef test_one(): pass\ndef test_dies(): os._exit(3)\ndef test_two(): pass"
    )
    run = pytester.runpytest_subprocess("-p", "xdist", "-n2", "-p", "no:cacheprovider", timeout=60)
    run.assert_outcomes(passed=8, failed=1)
    run.stdout.fnmatch_lines(["*crashed while running 'test_dies.py::test_dies'*"])
