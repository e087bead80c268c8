"""The browser rig: one real JupyterLab, one headless Chromium, and a notebook open in them.

Nothing here sleeps: a process is waited for by its own output, the page by Playwright's waits.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, Playwright

REPOSITORY = Path(__file__).resolve().parents[2]
SCREENSHOTS = REPOSITORY / ".screenshots"
KEEP_SCREENSHOTS = os.environ.get("SCREENSHOTS", "") not in ("", "0")  # pictures to be looked at take time
START = 90  # seconds that JupyterLab may take to start, on a machine busy with other tests
WAIT = 60_000  # milliseconds that anything in the page may take

HOW_TO_GET_CHROMIUM = (
    "no Chromium found: install it (Debian: apt install chromium; anywhere: .venv/bin/playwright install chromium), "
    "or name one in the environment variable CHROMIUM"
)
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
QUIET = (
    "--no-sandbox",  # a container's root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SETTINGS: dict[str, dict[str, Any]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "apputils-extension/themes": {"theme": "JupyterLab Light", "adaptive-theme": False},
    "docmanager-extension/plugin": {"autosave": False},
}


class CannotStart(RuntimeError):
    """JupyterLab did not start; the message holds what it wrote."""


def find_chromium(playwright: Playwright) -> str | None:
    """The path of a Chromium: the one named in CHROMIUM, the system's, or the one Playwright downloaded."""
    if named := os.environ.get("CHROMIUM"):
        return named
    candidates = [shutil.which(command) for command in _COMMANDS] + [*_PLACES, playwright.chromium.executable_path]
    return next((path for path in candidates if path and Path(path).exists()), None)


@dataclass
class Server:
    """A JupyterLab on loopback, serving `root`. `log` grows by every line that it or one of its kernels writes."""

    process: subprocess.Popen[str]
    root: Path
    token: str
    url: str = ""
    log: list[str] = field(default_factory=list)

    def await_url(self) -> None:
        """Read the log until it names the address, then leave the reading to a thread of its own."""
        found: queue.Queue[str] = queue.Queue()

        def read() -> None:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                self.log.append(line)
                if address := re.search(r"http://127\.0\.0\.1:\d+/", line):
                    found.put(address[0])
            found.put("")  # it ended

        threading.Thread(target=read, name="log of JupyterLab", daemon=True).start()
        try:
            self.url = found.get(timeout=START)
        except queue.Empty:
            raise CannotStart(f"JupyterLab gave no address in {START} s:\n{''.join(self.log)}") from None
        if not self.url:
            raise CannotStart(f"JupyterLab ended at once:\n{''.join(self.log)}")


@contextmanager
def jupyterlab(home: Path, root: Path, *, options: Sequence[str] = ()) -> Iterator[Server]:
    """JupyterLab of this very Python on loopback and a free port, serving `root`; all it keeps is kept in `home`.

    With `options`, it starts in `root` with these, and serves what they say.

    It knows nothing of the user's own settings, kernels and extensions. Raises CannotStart.
    """
    for plugin, values in _SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    token = os.urandom(16).hex()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        *(options or [f"--ServerApp.root_dir={root}"]),
        "--ServerApp.terminals_enabled=False",
        f"--IdentityProvider.token={token}",
        "--LanguageServerManager.autodetect=False",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))} | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(home / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(
        command, cwd=root, env=environment, text=True, encoding="utf-8", errors="replace", **pipes
    )
    try:
        server = Server(process, root, token)
        server.await_url()
        yield server
    finally:
        process.terminate()  # it shuts its kernels down
        try:
            process.wait(START)
        except subprocess.TimeoutExpired:
            process.kill()  # its kernels notice, and end
            process.wait()


_LOADED = """() => window.jupyterapp && ['docmanager:open', 'notebook:run-all-cells', 'apputils:change-theme'].every(
    command => window.jupyterapp.commands.hasCommand(command))"""
# Every error that the kernel publishes, from any request, and whether or not a cell shows it (an Output widget or
# a callback may swallow it), and every traceback on stderr (a message handler's, or an exception nobody awaited).
_OPEN = """async (path) => {
    const panel = await window.jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook'});
    await panel.context.ready; await panel.revealed;
    const {sessionContext} = panel.context;
    await sessionContext.ready; await sessionContext.session.kernel.info;
    window.panel = panel;
    window.kernelErrors = [];
    sessionContext.iopubMessage.connect((_, {header, content}) => {
        if (header.msg_type === 'error') window.kernelErrors.push(`${content.ename}: ${content.evalue}`);
        if (header.msg_type === 'stream' && content.name === 'stderr' && content.text.includes('Traceback'))
            window.kernelErrors.push(content.text);
    });
}"""
_CLOSE = """async () => {
    await window.panel.sessionContext.shutdown();
    await window.jupyterapp.serviceManager.sessions.shutdownAll(); // and of what a link has opened
    window.panel.dispose();
}"""
_IDLE = "() => window.panel.sessionContext.session.kernel.status === 'idle'"


class Notebook:
    """A notebook, open in JupyterLab with its kernel running. `page` is Playwright's, for everything else."""

    def __init__(self, page: Page, path: str) -> None:
        self.page = page
        self.path = path
        self._heard: list[str] = []
        page.on("pageerror", self._on_page_error)
        page.on("console", self._on_console)
        page.evaluate(_OPEN, path)
        self.wait_idle()

    def close(self) -> None:
        """End the kernel and close the notebook, unsaved."""
        self.page.remove_listener("pageerror", self._on_page_error)
        self.page.remove_listener("console", self._on_console)
        self.page.evaluate(_CLOSE)

    def _on_page_error(self, error: Error) -> None:
        said = str(error.stack or error)
        # JupyterLab 4.6 fails to take out a node of its own when a tab or a narrow window is laid out anew. Scripts of
        # the notebooks run from a `blob:`.
        if "removeChild" not in said or "blob:" in said:
            self._heard.append(f"page error: {said}")

    def _on_console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and "/static/lab/" not in url:  # what JupyterLab says of itself is not ours
            self._heard.append(f"console error: {message.text} ({url})")

    def command(self, name: str, **arguments: Any) -> Any:
        """Run a command of JupyterLab, such as `notebook:run-all-cells`, and wait until it is done."""
        return self.page.evaluate(
            "([name, arguments]) => window.jupyterapp.commands.execute(name, arguments).then(() => null)",
            [name, arguments],
        )

    def wait_idle(self) -> None:
        self.page.wait_for_function(_IDLE, polling=50)  # not at each frame

    def settle(self) -> None:
        """Wait until the kernel has done everything it was asked for so far, by asking one thing more."""
        self.page.evaluate("() => window.panel.sessionContext.session.kernel.requestKernelInfo().then(() => null)")
        self.wait_idle()

    def run_all(self) -> None:
        """Run every cell; when they have run and the kernel is idle again, fail on whatever went wrong."""
        self.command("notebook:run-all-cells")
        self.wait_idle()
        self.check()

    def run(self, index: int) -> None:
        """Run the cell at `index`, as a learner would; then as `run_all`."""
        self.page.evaluate("index => { window.panel.content.activeCellIndex = index; }", index)
        self.command("notebook:run-cell")
        self.wait_idle()
        self.check()

    def theme(self, *, dark: bool) -> None:
        if self.page.locator(f"body[data-jp-theme-light={'false' if dark else 'true'}]").count():
            return  # to load the same theme again takes seconds
        self.command("apputils:change-theme", theme=f"JupyterLab {'Dark' if dark else 'Light'}")
        self.page.locator(f"body[data-jp-theme-light={'false' if dark else 'true'}]").wait_for(state="attached")

    @contextmanager
    def dark(self) -> Iterator[None]:
        """In the dark theme, and then in the light one again."""
        self.theme(dark=True)
        try:
            yield
        finally:
            self.theme(dark=False)

    def cell(self, index: int) -> Locator:
        """The cell at `index`, markdown cells counted, from 0."""
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')

    @property
    def cells(self) -> int:
        """How many cells the notebook has now."""
        return int(self.page.evaluate("() => window.panel.content.widgets.length"))

    def screenshot(self, name: str, of: Locator | None = None) -> None:
        """With SCREENSHOTS=1, keep a picture of the page, or of one element, as `.screenshots/<name>.png`."""
        if KEEP_SCREENSHOTS:
            (of or self.page).screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def screenshots(self, name: str, of: Locator) -> None:
        """With SCREENSHOTS=1, keep a picture of it in each theme: `<name>_light.png` and `<name>_dark.png`."""
        if KEEP_SCREENSHOTS:
            self.screenshot(f"{name}_light", of)
            with self.dark():
                self.screenshot(f"{name}_dark", of)

    @property
    def problems(self) -> list[str]:
        """What went wrong since the notebook was opened, in the page or in the kernel, shown or not."""
        kernel = self.page.evaluate("() => window.kernelErrors")
        return [*self._heard, *(f"kernel: {error}" for error in kernel)]

    def take_problems(self) -> list[str]:
        """The problems so far, for a test that expects them; they are then forgotten."""
        problems = self.problems
        self._heard.clear()
        self.page.evaluate("() => { window.kernelErrors.length = 0; }")
        return problems

    def check(self) -> None:
        """Fail on whatever went wrong since the notebook was opened."""
        problems = self.problems
        assert not problems, f"{self.path}: " + "\n".join(problems)


def write(server: Server, name: str, *cells: str) -> str:
    """Write a notebook of these code cells under the server's root; its path, to be opened."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(notebook, server.root / name)
    return name


class Lab:
    """A JupyterLab and a browser to open its notebooks in.

    A page that a test left as it should serves the next one: loading JupyterLab takes seconds.
    """

    def __init__(self, server: Server, browser: Browser) -> None:
        self.server = server
        self.browser = browser
        self._free: list[Page] = []

    def _page(self) -> Page:
        if self._free:
            return self._free.pop()
        context = self.browser.new_context()
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.goto(f"{self.server.url}lab/workspaces/test-{uuid4().hex}?token={self.server.token}")
        page.wait_for_function(_LOADED)
        page.evaluate("() => window.jupyterapp.restored")
        return page

    @contextmanager
    def open(self, path: str, *, width: int = 1280, height: int = 900, motion: bool = False) -> Iterator[Notebook]:
        """Open the notebook at `path` (under the server's root) with a new kernel, in the light theme.

        Without `motion` it is as for a learner who asks for reduced motion: what moves takes much of the time.

        On leaving it fails on any error of the page or the kernel since; the kernel ends in any case.
        Sizes in CSS pixels.
        """
        page = self._page()
        clean = False
        try:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
            notebook = Notebook(page, path)
            try:
                notebook.theme(dark=False)
                yield notebook
                clean = True  # an error in the notebook goes when the notebook is closed
                notebook.check()
            finally:
                notebook.close()
        finally:
            if clean:
                self._free.append(page)
            else:
                page.context.close()
