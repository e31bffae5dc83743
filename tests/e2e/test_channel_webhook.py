"""A program speaks on IRC as docs/api.md says, and the agent answers there; the same call again says nothing."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from tests.e2e.irc_user import IrcUser
from tests.e2e.process import gateway, write_config
from tests.e2e.test_api_page import PAGE, SHELL

from homarus.testing.irc_server import IrcServer

SECRET = "a-secret-that-no-person-types"


def block() -> str:
    (found,) = [each for each in SHELL.findall(PAGE) if "/webhook/irc" in each]
    return found


def config(port: int) -> dict[str, object]:
    server = {"host": "127.0.0.1", "port": port, "tls": False, "nick": "lob", "channels": ["#room"]}
    section = {**server, "allowFrom": ["webhook:monitor"], "dmPolicy": "allowlist"}
    return {"channels": {"irc": section}, "gateway": {"http": {"webhooks": {"irc": {"secret": SECRET}}}}}


async def run(script: str) -> dict[str, object]:
    environment = {"PATH": "/usr/bin:/bin", "SECRET": SECRET}
    process = await asyncio.create_subprocess_exec("sh", "-ec", script, env=environment, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(45):
        output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


async def test_a_program_speaks_on_irc_and_is_answered_there(home: Path) -> None:
    async with IrcServer() as server, IrcUser(server.port, "ines") as ines:
        write_config(home, config(server.port))
        async with gateway(home) as running:
            await server.expect("JOIN #room")
            script = block().replace("http://127.0.0.1:18789", running.url)
            once = re.sub(r"\$\(date \+%s%N\)", "call-1", script)
            assert await run(once) == {"ok": True, "duplicate": False}
            assert "PRIVMSG ines" in await ines.expect(":lob!", "PRIVMSG ines")
            assert await run(once) == {"ok": True, "duplicate": True}
        async with gateway(home) as running:
            again = re.sub(r"http://127.0.0.1:\d+", running.url, once)
            assert await run(again) == {"ok": True, "duplicate": True}
