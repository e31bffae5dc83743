"""PostgreSQL for every test that wants it: one server per test session, shared by all xdist workers."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from homarus.testing.postgres_server import PostgresServer


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
