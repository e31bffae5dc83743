"""An IRC server that drops, stalls, repeats, refuses and talks nonsense: nothing is lost, nothing is said twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.e2e.conversation import conversation
from tests.e2e.irc_user import IrcUser
from tests.e2e.process import GatewayProcess, gateway, write_config
from tests.e2e.waiting import eventually, until

from homarus.testing.irc_behaviour import IRCV3, Behaviour
from homarus.testing.irc_server import IrcServer


def config(port: int) -> dict[str, object]:
    section = {
        "host": "127.0.0.1",
        "port": port,
        "tls": False,
        "nick": "lob",
        "dmPolicy": "open",
        "allowFrom": ["*"],
        "flood": {"burst": 50, "intervalSeconds": 0.01},
    }
    return {"channels": {"irc": section}, "messages": {"inbound": {"debounceMs": 0}}}


def has_joined(server: IrcServer) -> bool:
    return any(client.nick == "lob" and client.is_welcome for client in server.clients)


@asynccontextmanager
async def network(home: Path, behaviour: Behaviour) -> AsyncGenerator[tuple[IrcServer, IrcUser, GatewayProcess]]:
    """A server with that behaviour, a person on it, and a gateway that has connected to it."""
    async with IrcServer(behaviour) as server, IrcUser(server.port, "ines") as ines:
        write_config(home, config(server.port))
        async with gateway(home) as running:
            await until(lambda: has_joined(server), "the gateway is on the server")
            yield server, ines, running


async def messages(running: GatewayProcess) -> list[tuple[str, str]]:
    """Return text and state of the messages of IRC, oldest first."""
    async with running.client() as client:
        listed: Any = await client.call("messages.list", {"channel": "irc"})
    return [(row["text"], row["state"]) for row in reversed(listed["messages"])]


def answers(ines: IrcUser) -> list[str]:
    return [line for line in ines.heard if line.startswith(":lob!") and "PRIVMSG ines :It is " in line]


async def test_an_answer_that_a_dropped_connection_swallowed_is_sent_after_the_reconnect(home: Path) -> None:
    async with network(home, Behaviour(caps=dict(IRCV3))) as (server, ines, running):
        server.behaviour.drop_on = "PRIVMSG ines"
        ines.say("lob", "what time is it")
        await ines.expect("PRIVMSG ines :", "It is ")
        await until(lambda: server.connections >= 3, "the gateway has connected again")
        ines.say("lob", "what day is it")
        await ines.expect("PRIVMSG ines :", "It is ")
        await eventually(lambda: messages(running), [("what time is it", "delivered"), ("what day is it", "delivered")])
        assert len([line for line in ines.heard if "PRIVMSG ines" in line and "It is " in line]) == 2


async def test_a_server_that_falls_silent_holds_up_nobody_else_and_the_answer_comes_later(home: Path) -> None:
    async with network(home, Behaviour()) as (server, ines, running):
        server.behaviour.stall_on = "PRIVMSG ines"
        ines.say("lob", "what time is it")
        await server.expect("PRIVMSG ines")
        async with conversation(running.client()) as session:
            assert (await session.say("what time is it")).status == "ok"
        assert await messages(running) == [("what time is it", "replied")]
        server.behaviour.is_stalled = False
        next(client for client in server.clients if client.nick == "lob").writer.transport.abort()
        await ines.expect("PRIVMSG ines :", "It is ")
        await eventually(lambda: messages(running), [("what time is it", "delivered")])


async def test_a_message_the_server_repeats_is_answered_once(home: Path) -> None:
    async with network(home, Behaviour(caps=dict(IRCV3), repeat=3)) as (_server, ines, running):
        ines.say("lob", "what time is it")
        ines.say("lob", "what day is it")
        await ines.expect("PRIVMSG ines :", "It is ")
        both = [("what time is it", "delivered"), ("what day is it", "delivered")]
        await eventually(lambda: messages(running), both)


async def test_a_server_that_turns_us_away_is_named_and_tried_again(home: Path) -> None:
    behaviour = Behaviour()
    async with IrcServer(behaviour) as server, IrcUser(server.port, "ines") as ines:
        behaviour.greeting = "ERROR :Closing Link: lob (Down for maintenance)"
        write_config(home, config(server.port))
        async with gateway(home) as running:
            await until(lambda: server.connections >= 2, "the gateway has tried")
            async with running.client() as client:
                error = ""
                while not error:
                    found: Any = await client.call("channels.status", {})
                    error = found["channelAccounts"]["irc"][0].get("lastError") or ""
            # Whether the farewell is read before the reset that follows it is up to the kernel.
            assert "Down for maintenance" in error or "IRC connection was lost" in error
            behaviour.greeting = None
            await until(lambda: has_joined(server), "the gateway is on the server")
            ines.say("lob", "what time is it")
            await ines.expect("PRIVMSG ines :", "It is ")


async def test_lines_that_are_no_irc_do_no_harm(home: Path) -> None:
    async with network(home, Behaviour()) as (server, ines, _running):
        client = next(client for client in server.clients if client.nick == "lob")
        for line in (
            "",
            ":",
            "@",
            "@a=b",
            ":x",
            "PRIVMSG",
            ":ines PRIVMSG",
            ":ines!i@h PRIVMSG lob",
            "005",
            "\x00\x01",
        ):
            client.writer.write(f"{line}\r\n".encode())
        client.writer.write(b"\xff\xfe\x80 PRIVMSG\r\n:ines!ines@x PRIVMSG lob :\xff\xfe\r\n")
        client.writer.write(b":" + b"x" * 100_000 + b"\r\n")
        await until(lambda: has_joined(server), "the gateway is still or again on the server")
        ines.say("lob", "what time is it")
        if not answers(ines):
            await ines.expect("PRIVMSG ines :", "It is ")
