"""A database of each kind. PostgreSQL runs once per test session, shared by all xdist workers."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import psycopg
import pytest

from homarus.clock import SystemClock
from homarus.storage.database import Database
from homarus.storage.opening import open_database

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SETTINGS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=200")


class StillClock(SystemClock):
    def now_ms(self) -> int:
        return NOW


class PostgresServer:
    """A server that the first worker to come starts and the last to leave stops."""

    def __init__(self, root: Path, binaries: Path) -> None:
        self.root = root
        self._binaries = binaries
        self._data = root / "data"

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.root}"

    @contextlib.contextmanager
    def running(self) -> Generator[PostgresServer]:
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
            done = subprocess.run(command, stdout=output, stderr=output, user=self._user, cwd="/", check=False)
            if done.returncode != 0:
                output.seek(0)
                log = self.root / "log"
                pytest.fail(f"{' '.join(command)}\n{output.read()}\n{log.read_text() if log.exists() else ''}")


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    found = importlib.util.find_spec("pgserver")
    if found is None or found.origin is None:
        if os.environ.get("CI"):
            pytest.fail("pgserver is not installed: pip install pgserver")
        pytest.skip("pip install pgserver")
    return Path(found.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgres_server(testrun_uid: str, postgres_binaries: Path) -> Iterator[PostgresServer]:
    root = Path(tempfile.gettempdir()) / f"homarus-pg-{testrun_uid[:12]}"
    with PostgresServer(root, postgres_binaries).running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield postgres_server.url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/homarus.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def database(url: str, tmp_path: Path, clock: StillClock) -> AsyncIterator[Database]:
    opened = await open_database(url, tmp_path / "state", clock)
    yield opened
    await opened.close()


@pytest.fixture
async def other(database: Database, url: str, tmp_path: Path, clock: StillClock) -> AsyncIterator[Database]:
    """A second, independent connection to the same database."""
    opened = await open_database(url, tmp_path / "state", clock)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(tmp_path: Path, clock: StillClock) -> AsyncIterator[Database]:
    opened = await open_database(None, tmp_path / "state", clock)
    yield opened
    await opened.close()
