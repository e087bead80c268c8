"""Fetches what Python in the browser runs on: Pyodide itself, and the wheels of the packages that the notebooks import.

`pip` and `npm` fetch from the sources that they are set up for. Pyodide's own release has two packages more, which
nobody else builds for the browser. Without access to it the site is built without them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from zipfile import ZIP_DEFLATED, ZipFile

HERE = Path(__file__).parent
PINS = HERE / "in_the_browser.txt"
LOCK = "pyodide-lock.json"
OWN = "distributed-patterns"
RELEASED = ("numpy", "cryptography", "cffi", "pycparser")
"""The packages that only Pyodide's own release has."""
UNUSED = (
    ".data/data/",
    "package_data/plotly.min.js",
    "package_data/datasets/",
    "/labextension/",
    "/nbextension/",
    "sqlite_extra_binaries",
    "apsw/tests/",
    "/tests/test_",
    "jedi/third_party/django-stubs/",
    "jedi/third_party/typeshed/third_party/",
)
"""Parts of wheels that do nothing in the browser, where Jupyter's front end is another copy. A third of all bytes."""
FETCHING_S = 120
"""Seconds that one fetched file may take."""

Lock = dict[str, Any]


class NotBuilt(RuntimeError):
    """A program or a file that the build needs is missing; the message says which."""


class NotFetched(NotBuilt):
    """A package cannot be fetched from here, or the program that fetches it is missing."""


def run(command: Iterable[str | Path], failure: type[NotBuilt] = NotBuilt, **options: Any) -> str:
    """The output of a program. Raises `failure` with the end of its complaint if it fails or does not exist."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    except FileNotFoundError:
        raise failure(f"`{words[0]}` is not installed, and the notebooks for the browser need it") from None
    if done.returncode:
        raise failure(f"`{' '.join(words[:6])} ...` ends with {done.returncode}: {done.stderr.strip()[-1500:]}")
    return str(done.stdout)


def pip(*words: str | Path, failure: type[NotBuilt] = NotFetched) -> None:
    """Run pip. Raises `failure`."""
    run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], failure)


def fetch_pyodide(version: str, work: Path, into: Path) -> Lock:
    """Put Pyodide's files into a new folder. Return its list of packages, most of which are not here."""
    packed = run(["npm", "pack", "--silent", f"pyodide@{version}"], NotFetched, cwd=work).split()[-1]
    with tarfile.open(work / packed) as archive:
        archive.extractall(work / "npm", filter="data")
    into.mkdir(parents=True)
    for file in (work / "npm" / "package").iterdir():
        if file.suffix in (".mjs", ".wasm", ".zip"):
            shutil.copy(file, into)
    lock: Lock = json.loads((work / "npm" / "package" / LOCK).read_text())
    return lock


def fetch_wheels(lock: Lock, into: Path) -> None:
    """Download the pinned wheels for the Python and the machine that the lock names."""
    python = lock["info"]["python"].rsplit(".", 1)[0]
    target = ["--python-version", python, "--implementation", "cp", "--abi", f"cp{python.replace('.', '')}"]
    platform = f"pyemscripten_{lock['info']['abi_version']}_{lock['info']['arch']}"
    kinds = ["--only-binary=:all:", *target, "--abi", "none", "--platform", platform, "--platform", "any"]
    pip("download", "--quiet", "--no-deps", "--dest", into, *kinds, "-r", PINS)


def fetch_released(lock: Lock, source: str, into: Path) -> list[str]:
    """Fetch the packages that only Pyodide's release has, at the address `source`. Return those that are missing.

    Raises NotBuilt if a file is not the one that the lock names, or if the release does not have it.
    """
    for name in RELEASED:
        file, wanted = lock["packages"][name]["file_name"], lock["packages"][name]["sha256"]
        try:
            with urlopen(f"{source}/{file}", timeout=FETCHING_S) as answer:
                content = answer.read()
        except (URLError, TimeoutError, ConnectionError) as problem:
            if isinstance(problem, HTTPError) and problem.code == HTTPStatus.NOT_FOUND:
                raise NotBuilt(f"there is no {source}/{file}, which {LOCK} names") from None
            return [*RELEASED[RELEASED.index(name) :]]
        if sha256(content).hexdigest() != wanted:
            raise NotBuilt(f"{source}/{file} is not the file that {LOCK} names: its SHA-256 is another one")
        (into / file).write_bytes(content)
    return []


def make_own_wheel(root: Path, extra: Mapping[str, bytes], into: Path) -> None:
    """Build the wheel of this project from a copy of its files, with further files: path in the wheel -> content.

    Raises NotBuilt with what pip says.
    """
    copy = into.parent / "project"
    for folder in ("patterns", "widgets"):
        shutil.copytree(root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, copy)
    for path, content in extra.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes(content)
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", into, copy, failure=NotBuilt)


def slim(wheel: Path) -> None:
    """Leave out of a wheel what does nothing in the browser."""
    with ZipFile(wheel) as old:
        kept = [name for name in old.namelist() if not any(part in name for part in UNUSED)]
        if len(kept) == len(old.namelist()):
            return
        smaller = wheel.with_suffix(".slim")
        with ZipFile(smaller, "w", ZIP_DEFLATED, compresslevel=9) as new:
            for name in kept:
                new.writestr(name, old.read(name))
    smaller.replace(wheel)


def lock_of(lock: Lock, wheels: Iterable[Path]) -> Lock:
    """The lock of the wheels that are here, and no others: the page can then ask no other host for one.

    The project's own wheel brings all others with it, because they are few and each notebook needs most of them.
    """
    packages: dict[str, Any] = {}
    for wheel in sorted(wheels):
        name, version = distribution(wheel), wheel.name.split("-")[1]
        released = lock["packages"].get(name, {})
        packages[name] = {
            "name": name,
            "version": version,
            "file_name": wheel.name,
            "install_dir": "site",
            "sha256": sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": released.get("imports") or _modules(wheel),
            "depends": released.get("depends", []),
            "unvendored_tests": False,
            "tool": {},
        }
    for package in packages.values():
        needed = packages if package["name"] == OWN else map(_normal, package["depends"])
        package["depends"] = sorted(each for each in needed if each in packages and each != package["name"])
    return {**lock, "packages": packages}


def distribution(wheel: Path) -> str:
    """The name of the package in a wheel, as a lock has it."""
    return _normal(wheel.name.split("-")[0])


def _normal(name: str) -> str:
    return name.replace("_", "-").lower()


def _modules(wheel: Path) -> list[str]:
    """The names under which a wheel is imported."""
    with ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    return sorted(top.removesuffix(".py") for top in tops if not top.endswith((".dist-info", ".data")))
