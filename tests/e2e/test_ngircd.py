"""A real ngircd, a real gateway, and a person."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.e2e.cli import homarus
from tests.e2e.irc_user import IrcUser
from tests.e2e.process import gateway, write_config
from tests.e2e.waiting import until
from tests.ports import reserved_port

ROOM = "#harbour"
NGIRCD = """[Global]
Name = irc.homarus.test
Info = test server
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = hello
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""


def executable() -> str:
    """Return ngircd; without it the test is skipped on a user's machine and fails where all must run."""
    found = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        complaint = "no ngircd. Debian and Ubuntu: sudo apt-get install ngircd"
        if os.environ.get("CI") == "true":
            pytest.fail(complaint)
        pytest.skip(complaint)
    return found


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def ngircd(folder: Path) -> AsyncGenerator[int]:
    """Run the server and yield its port."""
    with reserved_port() as port, (folder / "ngircd.log").open("wb") as log:
        file = folder / "ngircd.conf"
        file.write_text(NGIRCD.format(port=port))
        process = await asyncio.create_subprocess_exec(executable(), "-n", "-f", file, stdout=log, stderr=log)
        try:
            await until(lambda: is_listening(port), "ngircd listens")
            yield port
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def irc_config(port: int, **keys: object) -> dict[str, object]:
    section = {
        "host": "127.0.0.1",
        "port": port,
        "tls": False,
        "nick": "lob",
        "channels": [ROOM],
        "groups": {ROOM: {"requireMention": True}},
        "groupAllowFrom": ["*"],
        "flood": {"burst": 50, "intervalSeconds": 0.01},
        **keys,
    }
    return {"channels": {"irc": section}, "messages": {"inbound": {"debounceMs": 0}}}


async def pair(ines: IrcUser, home: Path) -> None:
    """Let a person in by the code they were told."""
    ines.say("lob", "hello")
    told = await ines.expect(":lob!", "PRIVMSG ines", "homarus pairing approve irc ")
    code = re.search(r"approve irc (\w+)", told)
    assert code is not None
    approved = await homarus(home, "pairing", "approve", "irc", code[1])
    assert approved.code == 0, approved
    assert "ines" in approved.out
    await ines.expect(":lob!", "PRIVMSG ines", "My owner has let you in")


async def states(home: Path) -> list[tuple[str, str, str]]:
    """Return text, state and reason of every message, oldest first."""
    listed = (await homarus(home, "messages", "list", "--channel", "irc", "--json")).json()
    return [(row["text"], row["state"], row["reason"] or "") for row in reversed(listed["messages"])]


async def test_a_stranger_gets_a_code_is_let_in_and_is_answered_a_room_only_when_it_addresses_us(
    tmp_path: Path, home: Path
) -> None:
    async with ngircd(tmp_path) as port:
        write_config(home, irc_config(port))
        async with gateway(home) as running, IrcUser(port, "ines") as ines:
            await ines.expect_nick("lob")
            await pair(ines, home)
            ines.say("lob", "what time is it")
            await ines.expect(":lob!", "PRIVMSG ines", "It is ")

            ines.send(f"JOIN {ROOM}")
            await ines.expect(" 366 ")
            ines.say(ROOM, "what day is it")
            ines.say(ROOM, "lob: what time is it")
            answer = await ines.expect(":lob!", f"PRIVMSG {ROOM}")
            assert "It is " in answer
            assert await running.stop() == 0
            said = [line for line in ines.heard if line.startswith(":lob!") and f"PRIVMSG {ROOM}" in line]
            assert len([line for line in said if "It is " in line]) == 1, (
                "the message that did not address us was answered"
            )
        async with gateway(home):
            ended = await states(home)
        assert [(text, state) for text, state, _ in ended[-3:]] == [
            ("what time is it", "delivered"),
            ("what day is it", "dropped"),
            ("what time is it", "delivered"),
        ]
        assert "not mentioned" in ended[-2][2]


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
async def test_a_restart_in_the_middle_of_a_command_loses_nothing_and_says_nothing_twice(
    tmp_path: Path, home: Path, is_killed: bool
) -> None:
    async with ngircd(tmp_path) as port:
        write_config(home, irc_config(port))
        async with IrcUser(port, "ines") as ines:
            async with gateway(home) as running:
                await ines.expect_nick("lob")
                await pair(ines, home)
                ines.say("lob", "run `touch begun; sleep 300`")
                ines.say("lob", "what time is it")
                await until((home / "workspace" / "begun").exists, "the command runs")
                if is_killed:
                    running.kill()
                    await running.process.wait()
                else:
                    assert await running.stop() == 0
            (home / "workspace" / "begun").unlink()
            async with gateway(home):
                await ines.expect(":lob!", "PRIVMSG ines", "It is ")
                ended = await states(home)
                assert [state for _, state, _ in ended[-2:]] == ["delivered", "delivered"], ended
            said = " ".join(line.partition(" :")[2] for line in ines.heard if line.startswith(":lob!"))
            assert said.count("It is ") == 1
            assert "unknown" in said, "the command was cut off, and nobody said so"
            assert not (home / "workspace" / "begun").exists(), "the command was run a second time"
