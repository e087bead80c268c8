"""What the JupyterLite part of the site is made of. The build itself, and a walk in the browser: tests/browser."""

from __future__ import annotations

import json
import re
import tomllib
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

import pytest

from widgets import progress
from widgets.browser import LEFT_OUT, RECORDINGS, recordings
from widgets.site import lite
from widgets.site.lite import ROOT, SHOWN, STARTS_WITH, copy_contents
from widgets.site.wheels import (
    OWN,
    PINS,
    RELEASED,
    NotBuilt,
    NotFetched,
    distribution,
    fetch_released,
    lock_of,
    make_own_wheel,
    run,
    slim,
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def wheel(folder: Path, name: str, *files: str) -> Path:
    path = folder / name
    with ZipFile(path, "w") as archive:
        for file in files:
            archive.writestr(file, "x" * 1_000)
    return path


def released(folder: Path, **changed: bytes) -> dict[str, Any]:
    """A release of Pyodide with the packages that nobody else has, as files in `folder`, and its lock."""
    packages = {}
    for name in RELEASED:
        content = name.encode()
        (folder / f"{name}-1.whl").write_bytes(changed.get(name, content))
        packages[name] = {"file_name": f"{name}-1.whl", "sha256": sha256(content).hexdigest(), "depends": []}
    return {"info": {"python": "3.14.2"}, "packages": packages}


def test_the_lock_names_the_wheels_that_are_there_and_no_others(tmp_path: Path) -> None:
    wheels = [
        wheel(tmp_path, "distributed_patterns-0.1.0-py3-none-any.whl", "patterns/a.py", "widgets/b.py"),
        wheel(tmp_path, "ipython-9.12.0-py3-none-any.whl", "IPython/c.py", "ipython-9.12.0.dist-info/RECORD"),
        wheel(tmp_path, "prompt_toolkit-3.0.52-py3-none-any.whl", "prompt_toolkit/d.py"),
    ]
    known = {"ipython": {"imports": ["IPython"], "depends": ["prompt_toolkit", "traitlets"]}, "numpy": {}}
    lock = lock_of({"info": {"python": "3.14.2"}, "packages": known}, wheels)
    assert lock["info"] == {"python": "3.14.2"}
    found = lock["packages"]
    assert sorted(found) == ["distributed-patterns", "ipython", "prompt-toolkit"]
    assert found[OWN]["depends"] == ["ipython", "prompt-toolkit"]
    assert found[OWN]["imports"] == ["patterns", "widgets"]
    assert found["ipython"]["depends"] == ["prompt-toolkit"]
    assert found["ipython"]["sha256"] == sha256(wheels[1].read_bytes()).hexdigest()


def test_a_wheel_loses_the_parts_that_only_a_front_end_needs(tmp_path: Path) -> None:
    both = wheel(tmp_path, "plotly-7.1.0-py3-none-any.whl", "plotly/a.py", "plotly-7.1.0.data/data/share/b.js")
    plain = wheel(tmp_path, "six-1.17.0-py3-none-any.whl", "six.py")
    before = plain.read_bytes()
    for each in (both, plain):
        slim(each)
    assert ZipFile(both).namelist() == ["plotly/a.py"]
    assert plain.read_bytes() == before


def test_packages_of_the_release_are_taken_if_it_can_be_reached(tmp_path: Path) -> None:
    source, into = tmp_path / "release", tmp_path / "wheels"
    source.mkdir(), into.mkdir()
    lock = released(source)
    assert fetch_released(lock, source.as_uri(), into) == []
    assert sorted(file.name for file in into.iterdir()) == sorted(f"{name}-1.whl" for name in RELEASED)
    assert fetch_released(lock, (tmp_path / "nowhere").as_uri(), into) == [*RELEASED]


def test_another_file_than_the_lock_names_is_refused(tmp_path: Path) -> None:
    lock = released(tmp_path, cryptography=b"another")
    with pytest.raises(NotBuilt, match=r"cryptography-1\.whl is not the file that pyodide-lock\.json names"):
        fetch_released(lock, tmp_path.as_uri(), tmp_path)


def test_a_release_that_answers_without_a_file_of_the_lock_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    (tmp_path / "empty").mkdir()
    lock = released(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "empty"))) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        source = f"http://127.0.0.1:{server.server_port}/v1"
        with pytest.raises(NotBuilt, match=re.escape(f"{source}/{RELEASED[0]}-1.whl")):
            fetch_released(lock, source, tmp_path)
        server.shutdown()


def test_the_packages_that_may_be_left_out_are_those_of_the_release() -> None:
    assert set(LEFT_OUT) <= set(RELEASED)


def test_every_package_that_the_kernel_starts_with_is_pinned_or_comes_with_the_kernel() -> None:
    pinned = {line.split("==")[0] for line in PINS.read_text().splitlines() if "==" in line}
    assert set(STARTS_WITH) - pinned == {"piplite", "ipykernel", "pyodide-kernel", OWN}


def test_the_library_that_the_questions_of_the_index_need_is_pinned() -> None:
    assert re.search(r"(?m)^networkx==\d", PINS.read_text())


def test_a_wheel_takes_every_kind_of_file_that_the_packages_have() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    kinds = {pattern.removeprefix("*") for pattern in settings["tool"]["setuptools"]["package-data"]["*"]}
    for folder in ("patterns", "widgets"):
        files = [file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        assert {file.suffix for file in files} <= {".py", ".ts", *kinds}  # types in .ts are for the checker alone


@pytest.mark.slow
def test_the_wheel_of_the_project_has_its_data_and_the_recordings(tmp_path: Path) -> None:
    into = tmp_path / "wheels"
    make_own_wheel(ROOT, {f"widgets/{RECORDINGS}": b'{"key": []}'}, into)
    [path] = into.iterdir()
    assert distribution(path) == OWN
    names = set(ZipFile(path).namelist())
    wanted = ("*.py", "*.toml", "*.js", "*.css", "*.sql", "*.md")
    for folder in ("patterns", "widgets"):
        for file in (found for kind in wanted for found in (ROOT / folder).rglob(kind)):
            assert file.relative_to(ROOT).as_posix() in names
    assert json.loads(ZipFile(path).read(f"widgets/{RECORDINGS}")) == {"key": []}


def test_a_project_that_cannot_be_built_is_no_missing_network(tmp_path: Path) -> None:
    """The walk in the browser skips where packages cannot be fetched, and must fail here."""
    for folder in ("patterns", "widgets"):
        (tmp_path / "project" / folder).mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / "project" / name).write_text("[build-system")
    with pytest.raises(NotBuilt) as failed:
        make_own_wheel(tmp_path / "project", {}, tmp_path / "build" / "wheels")
    assert not isinstance(failed.value, NotFetched)


def test_a_checkout_has_no_recordings() -> None:
    assert recordings() == {}


def test_each_link_of_a_notebook_leads_to_a_file_that_the_page_has(tmp_path: Path) -> None:
    copy_contents(tmp_path / "files")
    notebooks = sorted((tmp_path / "files" / "notebooks").glob("*.ipynb"))
    assert len(notebooks) >= 10
    for notebook in notebooks:
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            for link in re.findall(r"\]\((?!\w+:|#)([^)\s#]+)", "".join(cell["source"])):
                assert (notebook.parent / unquote(link)).exists(), (notebook.name, link)


def test_the_progress_of_whoever_builds_the_site_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SHOWN:
        (tmp_path / "checkout" / name).mkdir(parents=True)
    for name in ("01_ring.ipynb", progress.NAME):
        (tmp_path / "checkout" / "notebooks" / name).write_text("{}")
    monkeypatch.setattr(lite, "ROOT", tmp_path / "checkout")
    copy_contents(tmp_path / "files")
    assert [file.name for file in (tmp_path / "files").rglob("*") if file.is_file()] == ["01_ring.ipynb"]


def test_a_program_that_is_missing_or_fails_is_named() -> None:
    with pytest.raises(NotBuilt, match="`no-such-program` is not installed"):
        run(["no-such-program"])
    with pytest.raises(NotBuilt, match=r"ends with 1: .*No module named nonsuch"):
        run(["python3", "-m", "nonsuch"])
