"""The JavaScript of the widgets: its own tests, its types, its style, and how its modules become one.

`node --test` runs where there is a node; types and style need what `npm ci --prefix tests/js` installs. With `CI=true`
nothing of it is skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from widgets.bundle import FOLDER, IMPORT, bundle
from widgets.declarations import frame_declarations

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tests" / "js"
REQUIRED = os.environ.get("CI", "").lower() not in ("", "0", "false")


def run(command: str | None, *arguments: str | Path, missing: str) -> None:
    """Run a tool from the repository's root; without it skip, or fail where CI is true."""
    if command is None or shutil.which(command) is None:
        if REQUIRED:
            pytest.fail(f"CI must not skip this: {missing}", pytrace=False)
        pytest.skip(missing)
    ran = subprocess.run([command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]


def tool(name: str) -> str:
    return str(TOOLS / "node_modules" / ".bin" / name)


def test_the_modules_do_what_their_own_tests_say() -> None:
    run("node", "--test", TOOLS, missing="no node found")


def test_the_types_of_the_modules_agree_with_each_other_and_with_a_frame() -> None:
    run(tool("tsc"), "-p", TOOLS, missing="no TypeScript: npm ci --prefix tests/js")


def test_the_modules_are_formatted_and_without_what_a_linter_finds() -> None:
    files = [*FOLDER.glob("*.js"), *TOOLS.glob("*.js"), *(ROOT / "tests" / "browser").glob("*.js")]
    config = f"--config-path={TOOLS / 'lint' / 'biome.json'}"
    run(tool("biome"), "check", config, "--error-on-warnings", *files, missing="no biome: npm ci --prefix tests/js")


def test_the_declared_frame_is_the_one_that_a_page_gets() -> None:
    """Made anew by `python -m widgets.declarations > widgets/js/frame.d.ts`."""
    assert (FOLDER / "frame.d.ts").read_text(encoding="utf-8") == frame_declarations()


@pytest.mark.parametrize("name", ["player", "question", "outcome"])
def test_a_bundle_is_one_module_that_asks_for_no_other(name: str, tmp_path: Path) -> None:
    source = bundle(name)
    assert not re.search(r"^import ", source, re.MULTILINE)
    assert source.count("export ") == source.count("export default ") == 1
    file = tmp_path / f"{name}.mjs"
    file.write_text(source, encoding="utf-8")
    run("node", "--check", file, missing="no node found")


def test_what_a_module_imports_is_exported_by_the_other() -> None:
    for module in FOLDER.glob("*.js"):
        for found in IMPORT.finditer(module.read_text(encoding="utf-8")):
            other = (FOLDER / f"{found['module']}.js").read_text(encoding="utf-8")
            for name in filter(None, (each.strip() for each in found["names"].split(","))):
                exported = re.search(rf"^export (?:const|let|function|class) {name}\b", other, re.MULTILINE)
                assert exported, f"{module.name} imports {name}, which {found['module']}.js does not export"
