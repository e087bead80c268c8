"""The process that runs a notebook's cells, seen from outside. It is started, heard, and killed if it hangs."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from widgets.grading.messages import MESSAGES, Checking, Message, Task

GRACE = 5.0
"""Seconds after an interruption. A process that does not answer by then is killed."""
START = 60.0
"""Seconds that the process may take to start."""
ROOT = Path(__file__).resolve().parents[2]


class Gone(NamedTuple):
    """The process was killed or has died, before its end."""

    words: str
    hung: bool = False


def told(task: Task, folder: Path) -> Iterator[Message | Gone]:
    """The messages of a process that does this task."""
    read, write = os.pipe()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with TemporaryDirectory(ignore_cleanup_errors=True) as home, open(read, "rb", buffering=0) as pipe:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from widgets.grading.worker import work; work({write})"],
            cwd=folder,
            env=os.environ | {"IPYTHONDIR": home, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[write],
            start_new_session=True,
        )
        os.close(write)
        try:
            assert process.stdin is not None
            with process.stdin as stdin, suppress(BrokenPipeError):
                stdin.write(msgspec.json.encode(task))
            limit, buffer = START, b""
            while True:
                ready, _, _ = select.select([pipe], [], [], limit)
                if not ready:
                    yield Gone(f"no answer after {limit - GRACE:g} seconds", hung=True)
                    return
                if not (more := os.read(read, 1 << 16)):
                    yield Gone(_how_it_ended(process))
                    return
                *lines, buffer = (buffer + more).split(b"\n")
                for line in lines:
                    try:
                        message = MESSAGES.decode(line)
                    except msgspec.MsgspecError:
                        yield Gone("the notebook wrote into the grader's channel")
                        return
                    yield message
                    limit = GRACE + (task.seconds if isinstance(message, Checking) else task.cell_seconds)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that the notebook started
            process.wait()


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(GRACE)
    except subprocess.TimeoutExpired:
        return "the process closed its channel"
    return f"the process ended by signal {-code}" if code < 0 else f"the process ended with exit code {code}"
