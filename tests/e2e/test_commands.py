"""Every command, as typed: those of the pages in a shell, and each command there is against a running gateway."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec import Struct
from tests.e2e.cli import homarus
from tests.e2e.irc_user import IrcUser
from tests.e2e.process import GatewayProcess, gateway, write_config

from homarus.cli import reference
from homarus.testing.irc_server import IrcServer

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|\| *)(?:\.venv/bin/)?homarus |>> ~/\.homarus/")
OURS_TO_START = re.compile(r"homarus (?:up|gateway run)\b")


def typed(page: Path) -> list[str]:
    """Return the commands a page tells people to type, in order; starting the gateway is the test's own part."""
    blocks = FENCE.findall(page.read_text(encoding="utf-8"))
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if COMMAND.search(line) and not OURS_TO_START.search(line)]


WITH_COMMANDS = [page for page in PAGES if typed(page)]


class Place(Struct):
    """A gateway on an IRC server, used by its main user; `code` was told to a stranger there."""

    running: GatewayProcess
    code: str
    ines: IrcUser


def irc_config(port: int) -> dict[str, object]:
    section = {"host": "127.0.0.1", "port": port, "tls": False, "nick": "lob", "channels": ["#room"]}
    return {"channels": {"irc": {**section, "flood": {"burst": 50, "intervalSeconds": 0.01}}}}


async def knock(server: IrcServer, ines: IrcUser) -> str:
    """Write as a stranger and return the code that is told."""
    await server.expect("JOIN #room")
    ines.say("lob", "hello")
    told = await ines.expect(":lob!", "approve irc ")
    return told.partition("approve irc ")[2].split()[0]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    home = tmp_path / ".homarus"
    async with IrcServer() as server, IrcUser(server.port, "ines") as ines:
        write_config(home, irc_config(server.port))
        async with gateway(home, {"HOME": str(tmp_path), "MY_KEY": "key"}) as running:
            yield Place(running, await knock(server, ines), ines)


def shell_environment(home: Path, bin_folder: Path) -> dict[str, str]:
    """Return the environment of a person who has activated the environment and set nothing else."""
    bin_folder.mkdir()
    command = bin_folder / "homarus"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m homarus "$@"\n')
    command.chmod(0o755)
    keep = {name: os.environ[name] for name in ("LANG", "PYTHONPATH") if name in os.environ}
    path = f"{bin_folder}:{os.environ['PATH']}"
    return {**keep, "PATH": path, "HOME": str(home), "MY_KEY": "key", "HOMARUS_GATEWAY_TOKEN": "test-token-0123456789"}


@pytest.fixture(autouse=True)
def ctrl_c() -> None:
    """Let commands hear Ctrl-C: those that a shell started in its background ignore it, and so do their children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


async def run_typed(line: str, environment: dict[str, str]) -> tuple[int, str]:
    """Run a line in a shell; one that follows something is ended with Ctrl-C once it has said something."""
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", f"exec {line}" if "--follow" in line else line),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(45):
            if "--follow" in line:
                said = await process.stdout.readline()
                process.send_signal(signal.SIGINT)
                return (0 if await process.wait() == 130 and said else 1), said.decode()
            out = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
async def test_what_a_page_tells_to_type_works_when_typed(page: Path, place: Place, tmp_path: Path) -> None:
    environment = shell_environment(tmp_path, tmp_path / "bin")
    failed: list[str] = []
    for line in typed(page):
        # Nothing here may reach out of this machine, whatever is configured.
        real = re.sub(r"\bCODE\b", place.code, line).replace(".venv/bin/homarus", "homarus")
        code, out = await run_typed(re.sub(r"irc\.[a-z.]+", "127.0.0.1", real), environment)
        if code != 0 or "Traceback" in out:
            failed.append(f"{line}\n  exit {code}: {out}")
    assert failed == [], "\n".join(failed)
    assert (await homarus(tmp_path / ".homarus", "config", "validate", extra={"MY_KEY": "key"})).code == 0


def test_pages_were_found_to_have_commands() -> None:
    assert {page.name for page in WITH_COMMANDS} >= {"README.md", "quickstart.md"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def used(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place]:
    """A gateway that has answered once and has a stranger waiting at its door."""
    home = tmp_path_factory.mktemp("commands") / "home"
    async with IrcServer() as server, IrcUser(server.port, "ines") as ines:
        write_config(home, irc_config(server.port))
        async with gateway(home) as running:
            code = await knock(server, ines)
            assert (await homarus(home, "agent", "--message", "what time is it")).code == 0
            yield Place(running, code, ines)


async def first_message(home: Path) -> str:
    listed: Any = (await homarus(home, "messages", "list", "--channel", "webchat", "--json")).json()
    return listed["messages"][-1]["id"]


# What is typed behind each command and what its answer has to hold; the order is that of a life.
CALLS: dict[str, tuple[tuple[str, ...], str]] = {
    "version": (("--json",), '"version"'),
    "status": (("--json",), '"waiting"'),
    "doctor": (("--json",), '"sandbox"'),
    "link": (("--json",), "#code="),
    "agent": (("--message", "help", "--json"), '"status": "ok"'),
    "message send": (("--channel", "irc", "--to", "ines", "--message", "hello ines", "--json"), '"chatId": "ines"'),
    "messages list": (("--json",), "what time is it"),
    "messages show": (("MESSAGE", "--json"), "delivered"),
    "sessions list": (("--json",), "agent:main:main"),
    "sessions show": (("agent:main:main", "--json"), "what time is it"),
    "channels status": (("--probe", "--json"), '"irc"'),
    "pairing list": (("--json",), "CODE"),
    "pairing approve": (("irc", "CODE", "--json"), '"ok": true'),
    "config file": (("--json",), "homarus.json"),
    "config get": (("channels.irc.nick", "--json"), '"lob"'),
    "config set": (("logging.level", "debug", "--json"), "logging.level"),
    "config unset": (("logging.level", "--json"), "logging.level"),
    "config validate": (("--json",), "true"),
    "gateway status": (("--json",), '"protocol": 4'),
    "gateway health": (("--probe", "--json"), '"ok": true'),
    "sessions cleanup": (("--dry-run", "--json"), '"dryRun": true'),
    "gateway operations": (("sessions.send",), "POST /api/sessions/{key}/messages"),
    "gateway call": (("sessions.list", "--params", '{"limit": 1}'), '"sessions"'),
    "logs": (("--limit", "5", "--json"), "message"),
    "sessions reset": (("agent:main:main", "--json"), "agent:main:main"),
    "sessions delete": (("agent:main:e2e:gone", "--yes", "--json"), ""),
}


def test_every_command_is_typed_by_some_test() -> None:
    every = {path.removeprefix("homarus ") for path in reference.command_paths()}
    groups = {path.rpartition(" ")[0] for path in every}
    tests = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py")))
    words = {path: ", ".join(f'"{word}"' for word in path.split()) for path in every - groups - set(CALLS)}
    assert sorted(path for path, as_typed in words.items() if as_typed not in tests) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_every_command_works_on_a_running_gateway(used: Place) -> None:
    home = used.running.home
    await homarus(home, "agent", "--message", "hello", "--session", "agent:main:e2e:gone")
    message = await first_message(home)
    failed: list[str] = []
    for command, (arguments, expected) in CALLS.items():
        known = {"MESSAGE": message, "CODE": used.code}
        ended = await homarus(home, *command.split(), *(known.get(each, each) for each in arguments))
        wanted = known.get(expected, expected)
        if ended.code != 0 or wanted not in ended.out or "Traceback" in ended.err:
            failed.append(f"{command} should hold {wanted!r}: {ended}")
    assert failed == [], "\n".join(failed)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_message_sent_by_hand_arrives_as_it_is_and_one_that_cannot_says_why(used: Place) -> None:
    home, target = used.running.home, ("--channel", "irc", "--to")
    sent = await homarus(home, "message", "send", *target, "ines", "--message", "the boat leaves at nine")
    assert sent.code == 0, sent
    await used.ines.expect(":lob!", "PRIVMSG ines :the boat leaves at nine")
    lost = await homarus(home, "message", "send", *target, "nobody", "--message", "hello")
    assert lost.code == 1
    assert "nobody" in lost.err
    assert "No such nick" in lost.err


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("messages", "show", "no-such-id"), 1),
        (("messages", "retry", "no-such-id"), 1),
        (("pairing", "approve", "irc", "WRONGCOD"), 1),
        (("message", "send", "--channel", "carrier-pigeon", "--to", "x", "--message", "y"), 1),
        (("gateway", "call", "no.such.method"), 1),
        (("gateway", "call", "health", "--params", "{"), 2),
        (("gateway", "operations", "no.such"), 2),
        (("agent", "--message", ""), 2),
        (("statsu",), 2),
        (("config", "set", "gateway.port", "many"), 5),
    ],
)
async def test_a_command_that_cannot_work_says_why_and_what_to_do(
    used: Place, arguments: tuple[str, ...], code: int
) -> None:
    ended = await homarus(used.running.home, *arguments)
    assert ended.code == code, ended
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert "fix:" in ended.err
    assert "Traceback" not in ended.err
