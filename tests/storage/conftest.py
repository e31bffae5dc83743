"""A database of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homarus.clock import SystemClock
from homarus.storage.database import Database
from homarus.storage.opening import open_database

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class StillClock(SystemClock):
    def now_ms(self) -> int:
        return NOW


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
