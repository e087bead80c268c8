"""The notebooks in JupyterLite: JupyterLab and Python, both inside the browser, with nothing installed.

`write` makes a folder of static files. Everything that the page needs stands in it: it asks no other host.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from widgets import progress
from widgets.browser import RECORDINGS
from widgets.site.recordings import record
from widgets.site.wheels import (
    HERE,
    LOCK,
    OWN,
    NotBuilt,
    distribution,
    fetch_pyodide,
    fetch_released,
    fetch_wheels,
    lock_of,
    make_own_wheel,
    pip,
    run,
    slim,
)

ROOT = HERE.parents[1]
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
LABEXTENSIONS = "share/jupyter/labextensions"
STARTS_WITH = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython", OWN)
"""The packages that a kernel has from its start."""
SHOWN = ("notebooks", "patterns", "widgets", "tests", "README.md")
"""What the file browser shows: the notebooks, and the code that they link to."""
UNSHOWN = shutil.ignore_patterns("__pycache__", "node_modules", "conftest.py", ".*", progress.NAME)
"""What it leaves out: the progress in `notebooks` is that of whoever builds the site."""


def write(out: Path) -> None:
    """Write the notebooks that run in the browser into the folder `lite` of the site `out`.

    Raises NotBuilt if a program or a package is missing.
    """
    if not (ROOT / "notebooks").is_dir():
        raise NotBuilt(f"{ROOT} has no notebooks: run this command in a checkout of the project")
    target = (out / "lite").resolve()
    with TemporaryDirectory(prefix="lite-") as folder:
        work = Path(folder)
        copy_contents(work / "files")
        pip("install", "--quiet", "--target", work / "tools", "-r", HERE / "requirements.txt")
        missing = _python(work)
        _configure(work, target)
        shutil.rmtree(target, ignore_errors=True)
        paths = {**os.environ, "PYTHONPATH": str(work / "tools")}
        run([sys.executable, "-m", "jupyterlite_core", "build"], cwd=work / "site", env=paths)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"{target}: {size:,} bytes for the notebooks that run in the browser")
    if missing:
        print(
            f"Pyodide's release cannot be reached, so {', '.join(missing)} are not in it: some cells show a recording."
        )


def _python(work: Path) -> list[str]:
    """Put Pyodide and all wheels where the build takes them from. Return the packages that could not be fetched."""
    says = "from jupyterlite_pyodide_kernel import constants as c; print(c.PYODIDE_VERSION, c.PYODIDE_CDN_URL)"
    version, source = run([sys.executable, "-c", says], cwd=work / "tools").split()
    pyodide, wheels = work / "site" / "static" / "pyodide", work / "wheels"
    wheels.mkdir()
    lock = fetch_pyodide(version, work, pyodide)
    fetch_wheels(lock, wheels)
    missing = fetch_released(lock, source, wheels)
    recordings = json.dumps(record(sorted((ROOT / "notebooks").glob("*.ipynb")), ROOT))
    make_own_wheel(ROOT, {f"widgets/{RECORDINGS}": recordings.encode()}, wheels)
    for wheel in wheels.iterdir():
        _unpack_extensions(wheel, work / "tools" / LABEXTENSIONS)
    for wheel in (work / "tools" / LABEXTENSIONS).rglob("*.whl"):
        if distribution(wheel) in STARTS_WITH:
            shutil.copy(wheel, wheels)
    for wheel in wheels.iterdir():
        slim(wheel)
        shutil.copy(wheel, pyodide)
    (pyodide / LOCK).write_text(json.dumps(lock_of(lock, wheels.iterdir())))
    return missing


def _unpack_extensions(wheel: Path, into: Path) -> None:
    """Copy the part of JupyterLab's front end that a wheel brings with it."""
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            _, found, path = name.partition(f".data/data/{LABEXTENSIONS}/")
            if found:
                (into / path).parent.mkdir(parents=True, exist_ok=True)
                (into / path).write_bytes(archive.read(name))


def copy_contents(files: Path) -> None:
    """Copy what the file browser shows into a new folder."""
    for name in SHOWN:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, files / name, ignore=UNSHOWN)
        else:
            shutil.copy(ROOT / name, files / name)


def _configure(work: Path, target: Path) -> None:
    """Write the settings of the build, and those of the page."""
    packages = (work / "tools" / LABEXTENSIONS).rglob("package.json")
    build = {
        "contents": [str(work / "files")],
        "output_dir": str(target),
        "federated_extensions": [str(file.parent) for file in packages],
        "apps": ["lab", "notebooks"],
        "ignore_sys_prefix": True,
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "no_libarchive": True,
    }
    kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": [*STARTS_WITH]}}
    page = {"appName": "Distributed patterns", "exposeAppInBrowser": True, "litePluginSettings": {KERNEL: kernel}}
    (work / "site" / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": build}))
    (work / "site" / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": page})
    )
