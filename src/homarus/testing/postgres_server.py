"""A PostgreSQL server for one test run, shared by every worker of it, from the binaries of the `pgserver` package."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

SETTINGS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=200")


class PostgresServer:
    """A server that the first worker to come starts and the last to leave stops. It listens in `root` only."""

    def __init__(self, root: Path, binaries: Path) -> None:
        self.root = root
        self._binaries = binaries
        self._data = root / "data"

    def url(self, database: str) -> str:
        """Return the address of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self.root}"

    @contextlib.contextmanager
    def running(self) -> Generator[PostgresServer]:
        """Start or join the server. Raises RuntimeError with its output when it does not start."""
        self.root.mkdir(mode=0o755, exist_ok=True)
        with self._locked() as users:
            if not users:
                self._start()
            self._set_users([*users, os.getpid()])
        try:
            yield self
        finally:
            with self._locked() as users:
                left = [pid for pid in users if pid != os.getpid()]
                self._set_users(left)
                if not left:
                    self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self._data))
                    shutil.rmtree(self.root)

    @contextlib.contextmanager
    def _locked(self) -> Generator[list[int]]:
        with (self.root / "lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = self.root / "users"
            yield [int(pid) for pid in users.read_text().split()] if users.exists() else []

    def _set_users(self, pids: list[int]) -> None:
        (self.root / "users").write_text(" ".join(map(str, pids)))

    def _start(self) -> None:
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            entry = pwd.getpwnam(self._user)
            for path in (self.root, self._data):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self._run(
            "initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )
        options = " ".join([f"-k {self.root}", *(f"-c {setting}" for setting in SETTINGS)])
        self._run(
            "pg_ctl", "start", "-w", "-t", "60", "-D", str(self._data), "-l", str(self.root / "log"), "-o", options
        )

    @property
    def _user(self) -> str | None:
        # PostgreSQL refuses to run as root.
        return "nobody" if os.geteuid() == 0 else None

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the server would keep a pipe open for as long as it runs.
        with tempfile.TemporaryFile("w+") as output:
            command = [str(self._binaries / program), *arguments]
            done = subprocess.run(command, stdout=output, stderr=output, user=self._user, cwd="/", check=False)  # noqa: S603 - paths of this test run only
            if done.returncode != 0:
                output.seek(0)
                log = self.root / "log"
                raise RuntimeError(f"{' '.join(command)}\n{output.read()}\n{log.read_text() if log.exists() else ''}")
