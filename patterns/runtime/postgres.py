"""A PostgreSQL server for one notebook or test: in a folder of its own, reached by a socket, removed at the end.

    with Postgres() as primary, primary.standby() as standby:
        psycopg.connect(primary.address)

Nothing of a server that is installed and running is touched. Debian has the programs as `apt install postgresql`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from .here import require


class NoPostgres(RuntimeError):
    """There is no PostgreSQL that can be started here; the message says what is missing."""


def programs() -> Path:
    """The folder of `initdb`, `pg_ctl` and `pg_basebackup`. Raises NoPostgres."""
    require("servers such as PostgreSQL")
    found = shutil.which("pg_ctl")
    places = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    for place in places:
        if (place / "initdb").exists():
            return place
    raise NoPostgres("PostgreSQL is not installed here; on Debian: apt install postgresql")


class Postgres:
    """A server in a folder of its own. `with` starts it, and at the end stops it and removes the folder."""

    def __init__(self, *settings: str, copy_of: Postgres | None = None) -> None:
        """`settings` are such as `synchronous_commit=off`. With `copy_of` it is a standby of that server.

        Raises NoPostgres.
        """
        self._programs, self._settings, self._primary = programs(), settings, copy_of
        self._user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None  # it refuses to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        try:
            if self._user:
                shutil.chown(self.folder, self._user)
            self._make()
        except BaseException as problem:
            self.close()
            if isinstance(problem, LookupError):
                raise NoPostgres("PostgreSQL does not run as root, and there is no user `postgres` here") from None
            raise

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def _make(self) -> None:
        if self._primary is None:
            self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        else:
            self._run(
                "pg_basebackup", "-D", "data", "-d", self._primary.address, "-R", "--checkpoint=fast", "--no-sync"
            )

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        with (self.folder / f"{program}.log").open("w+") as said:
            run = subprocess.run(command, cwd=self.folder, user=self._user, stdout=said, stderr=said, check=False)
            said.seek(0)
            if run.returncode:
                raise NoPostgres(f"{program} ends with {run.returncode}: {said.read()[-500:].strip()}")

    def control(self, action: str, *arguments: str) -> None:
        """`start`, `stop`, `restart` or `promote`, as `pg_ctl` does it, and wait until it is done."""
        self._run("pg_ctl", action, "-D", "data", "-w", *arguments)

    def start(self) -> None:
        options = [f"-k {self.folder}", *(f"-c {each}" for each in ("listen_addresses=", *self._settings))]
        self.control("start", "-l", "server.log", "-o", " ".join(options))

    def kill(self) -> None:
        """Stop as in a crash: no process of it says goodbye to its clients, and nothing more is written."""
        self.control("stop", "-m", "immediate")

    def standby(self, *settings: str) -> Postgres:
        """A copy of this running server, which follows it."""
        return Postgres(*settings, copy_of=self)

    def close(self) -> None:
        """Stop it if it runs, and remove its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
