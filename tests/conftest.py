"""What every test can use. Golden traces are texts in a folder `golden` beside the test that tells them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# a busy machine is no failure; what fails says how to run it again
settings.register_profile("steady", deadline=None, print_blob=True)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write the golden traces anew from what the code says now (then read the difference before committing)",
    )


SITE = "tests/widgets/test_site.py"  # runs the searches of all planted bugs
LONGEST_FIRST = (
    "tests/browser/",
    SITE,
    "tests/runtime/",
    "notebooks/",
    "tests/notebooks/",
    "tests/test_",
    "tests/patterns/",
)
"""The parts of the tests in the order they begin in, so that at the end no process waits for a long one of another."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((at for at, part in enumerate(LONGEST_FIRST) if item.nodeid.startswith(part)), len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What stays together where there are two processes (`pytest -n2`): a file, and all that needs the browser."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # not `loadgroup`: xdist 3.8 marks groups in a field that pytest 9.2 has no more
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "browser" if file.startswith("tests/browser/") else file

        def remove_node(self, node: Any) -> str | None:
            """The test that a process died in, if it died. xdist 3.8 would run it again, and then wait for ever."""
            units = {name: unit for name, unit in self.assigned_work.pop(node).items() if not all(unit.values())}
            died_in = next((test for unit in units.values() for test, done in unit.items() if not done), None)
            for name, unit in units.items():
                left = {test: False for test, done in unit.items() if not done and test != died_in}
                if left:  # a process that is given no test asks for no more
                    self.workqueue[name] = left
            for other in self.assigned_work:
                self._reschedule(other)
            return died_in

    config.option.loadscopereorder = False  # by the number of tests; they stand in order
    return ByFile(config, log)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: `text` is what `golden/<name>.txt` beside the test says, or it is rewritten on request."""

    def compare(name: str, text: str) -> None:
        file = request.path.parent / "golden" / f"{name}.txt"
        if request.config.getoption("rewrite_golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        elif not file.exists():
            pytest.fail(f"no golden trace {_relative(file, request)}; run `pytest --rewrite-golden` once, and read it")
        assert text == file.read_text(encoding="utf-8"), (
            f"{_relative(file, request)} says otherwise; if the change is meant, run `pytest --rewrite-golden`"
        )

    return compare


def _relative(file: Path, request: pytest.FixtureRequest) -> Path:
    return file.relative_to(request.config.rootpath) if file.is_relative_to(request.config.rootpath) else file
