"""The channel against a server with faults on demand."""

from __future__ import annotations

import asyncio

import pytest

from homarus.channels.contract import Ambiguous, ConnectionState, OutboundPart, Verdict
from homarus.channels.irc.channel import IrcChannel
from homarus.channels.irc.config import IrcConfig
from homarus.channels.irc.settings import Timings, settings_of
from homarus.clock import SystemClock
from homarus.errors import AuthFailed, ConfigError, Permanent, Transient
from homarus.ids import Address
from homarus.testing.ingress import MemoryIngress
from homarus.testing.irc_behaviour import IRCV3, Behaviour
from homarus.testing.irc_server import IrcServer
from homarus.testing.irc_start import Run, Start
from homarus.testing.manual_clock import ManualClock

INES = "ines!~i@boat.example"


def part(text: str, chat: str = "ines", name: str = "p1", reply_to: str | None = None) -> OutboundPart:
    return OutboundPart(name, Address("irc", "default", chat), text, reply_to=reply_to)


def modern(**values: str) -> Behaviour:
    return Behaviour(caps=dict(IRCV3) | values)


async def test_a_server_that_throttles_is_left_alone_for_a_while(run: Run) -> None:
    behaviour = Behaviour(greeting="ERROR :Closing Link: (Trying to reconnect too fast)")
    async with IrcServer(behaviour) as server:
        with pytest.raises(Transient, match="too fast") as caught:
            await run(server)
    assert caught.value.retry_after == 120.0


async def test_a_server_that_is_not_there_is_transient() -> None:
    async with IrcServer() as server:
        port = server.port
    channel_settings = settings_of(IrcConfig(host="127.0.0.1", port=port, tls=False), "default")
    with pytest.raises(Transient, match="cannot reach"):
        await IrcChannel(channel_settings, SystemClock()).run(MemoryIngress())


async def test_a_server_that_stalls_at_the_login_is_given_up(run: Run) -> None:
    async with IrcServer(Behaviour(stall_on="CAP LS")) as server:
        with pytest.raises(Transient, match="did not finish the login"):
            await run(server, timings=Timings(register=0.2))


async def test_a_server_that_drops_us_at_the_login_is_transient(run: Run) -> None:
    async with IrcServer(Behaviour(drop_on="USER")) as server:
        with pytest.raises(Transient):
            await run(server)


async def test_a_half_closed_connection_is_over(run: Run) -> None:
    async with IrcServer(Behaviour(half_close_on="USERHOST")) as server:
        with pytest.raises(Transient, match="closed the connection"):
            await run(server)


async def test_a_wrong_server_password_is_an_auth_failure(run: Run) -> None:
    async with IrcServer(Behaviour(password="right")) as server:
        with pytest.raises(AuthFailed, match="connection password") as caught:
            await run(server, password="wrong")
    assert caught.value.fix == "correct channels.irc.password"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256,PLAIN"])
async def test_sasl_logs_in_before_anything_else(start: Start, mechanism: str) -> None:
    behaviour = modern(sasl=mechanism)
    behaviour.accounts["homarus"] = "pier-9"
    async with IrcServer(behaviour) as server, start(server, sasl={"password": "pier-9"}):
        assert server.clients[0].account == "homarus"
        assert f"AUTHENTICATE {mechanism.partition(',')[0]}" in server.received


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_refused_sasl_login_ends_the_run(run: Run, mechanism: str) -> None:
    behaviour = modern(sasl=mechanism)
    behaviour.accounts["homarus"] = "pier-9"
    async with IrcServer(behaviour) as server:
        with pytest.raises(AuthFailed, match="refused the"):
            await run(server, sasl={"password": "guess"})
        assert not any(client.is_welcome for client in server.clients)


async def test_configured_sasl_is_not_skipped_when_the_server_has_none(run: Run) -> None:
    async with IrcServer(modern()) as server:
        with pytest.raises(AuthFailed, match="no SASL at all"):
            await run(server, sasl={"password": "pier-9"})


async def test_capabilities_refused_together_are_asked_for_alone(start: Start) -> None:
    behaviour = modern()
    behaviour.nak.add("echo-message")
    async with IrcServer(behaviour) as server, start(server):
        assert "echo-message" not in server.clients[0].caps
        assert {"message-tags", "account-tag"} <= server.clients[0].caps


async def test_nickserv_is_told_who_we_are_before_we_join(start: Start) -> None:
    behaviour = Behaviour(has_nickserv=True, accounts={"homarus": "pier-9"})
    rooms = ["#pier", "#vault key"]
    async with IrcServer(behaviour) as server, start(server, nickserv={"password": "pier-9"}, channels=rooms):
        await server.expect("PRIVMSG NickServ :IDENTIFY pier-9")
        assert await server.expect("JOIN") == "JOIN #pier"
        assert await server.expect("JOIN") == "JOIN #vault key"


async def test_an_unknown_nick_is_registered_once_when_that_is_configured(start: Start) -> None:
    behaviour = Behaviour(has_nickserv=True)
    nickserv = {"password": "pier-9", "register": True, "registerEmail": "me@x.test"}
    async with IrcServer(behaviour) as server, start(server, nickserv=nickserv, channels=["#pier"]):
        await server.expect("PRIVMSG NickServ :REGISTER pier-9 me@x.test")
        await server.expect("JOIN #pier")
    assert behaviour.accounts == {"homarus": "pier-9"}


async def test_a_refusal_of_nickserv_ends_the_run(run: Run) -> None:
    async with IrcServer(Behaviour(has_nickserv=True, accounts={"homarus": "pier-9"})) as server:
        with pytest.raises(AuthFailed, match="NickServ refused"):
            await run(server, nickserv={"password": "guess"})


async def test_a_network_without_nickserv_is_joined_all_the_same(start: Start) -> None:
    async with IrcServer() as server, start(server, nickserv={"password": "pier-9"}, channels=["#pier"]):
        await server.expect("JOIN #pier")


async def test_a_taken_nick_is_replaced_and_won_back_when_it_is_free(start: Start) -> None:
    clock = ManualClock()
    async with IrcServer(Behaviour(taken={"homarus"})) as server, start(server, clock=clock) as (channel, _):
        assert (await channel.probe()).detail.startswith("homarus_ on")
        server.behaviour.taken.clear()
        server.send(":homarus!a@b QUIT :gone")
        await server.expect("NICK homarus")
        assert (await channel.probe()).detail.startswith("homarus on")


async def test_an_echo_gives_the_receipt_its_id_and_answers_to_it_are_known(
    start: Start, ingress: MemoryIngress
) -> None:
    async with IrcServer(modern()) as server, start(server, channels=["#pier"]) as (channel, _):
        await server.expect("JOIN #pier")
        receipt = await channel.send(part("tide at six", "#pier", reply_to="q1"))
        sent = await server.expect("PRIVMSG #pier")
        assert receipt.platform_id
        assert "+reply=q1" in sent
        server.say(INES, "#pier", "thanks", **{"+reply": receipt.platform_id})
        assert (await ingress.wait()).is_reply_to_me
    assert len(ingress.calls) == 1


async def test_lines_the_server_repeats_are_recognised_by_their_id(start: Start, ingress: MemoryIngress) -> None:
    behaviour = modern()
    behaviour.repeat = 3
    async with IrcServer(behaviour) as server, start(server) as (channel, _):
        server.say(INES, "homarus", "once", msgid="7Qw1")
        await ingress.wait_for_calls(3)
        assert (await channel.probe()).is_ok
    assert [message.external_id for message in ingress.messages] == ["7Qw1"]


async def test_an_echo_is_never_taken_for_a_message(start: Start, ingress: MemoryIngress) -> None:
    async with IrcServer(modern()) as server, start(server, channels=["#pier"]) as (channel, _):
        await server.expect("JOIN #pier")
        await channel.send(part("homarus: talking to myself", "#pier"))
        assert (await channel.probe()).is_ok
    assert ingress.calls == []


async def test_notices_are_never_answered_nor_handed_in(start: Start, ingress: MemoryIngress) -> None:
    async with IrcServer() as server, start(server) as (channel, _):
        server.say(INES, "homarus", "homarus: hello", command="NOTICE")
        server.say(INES, "homarus", "\x01VERSION\x01", command="NOTICE")
        assert (await channel.probe()).is_ok
    assert ingress.calls == []
    assert not [line for line in server.received if line.startswith("NOTICE")]


async def test_client_requests_are_answered_rarely(start: Start) -> None:
    clock = ManualClock()
    async with IrcServer() as server, start(server, clock=clock) as (channel, _):
        server.clients[0].nick = "homarus"
        for _ in range(5):
            server.say(INES, "homarus", "\x01VERSION\x01")
        server.say(INES, "homarus", "\x01CLIENTINFO\x01")
        await server.expect("NOTICE ines :\x01VERSION Homarus\x01")
        await server.expect("NOTICE ines :\x01VERSION Homarus\x01")
        assert (await channel.probe()).is_ok
    assert len([line for line in server.received if line.startswith("NOTICE")]) == 2


@pytest.mark.parametrize("caps", [{}, IRCV3])
@pytest.mark.parametrize("numeric", ["401", "404", "531"])
async def test_a_refusal_of_the_target_is_permanent(start: Start, numeric: str, caps: dict[str, str]) -> None:
    behaviour = Behaviour(caps=dict(caps), refuse={"#Quiet": numeric, "#quiet": numeric})
    async with IrcServer(behaviour) as server, start(server) as (channel, _):
        with pytest.raises(Permanent, match=numeric):
            await channel.send(part("hello", "#quiet"))
        assert await channel.reconcile(part("hello", "#quiet")) is Verdict.UNKNOWN


async def test_a_server_that_stalls_after_our_lines_leaves_the_outcome_open_and_is_given_up(start: Start) -> None:
    timings = Timings(confirm=0.2)
    async with (
        IrcServer(Behaviour(stall_on="PRIVMSG ines")) as server,
        start(server, timings=timings) as (channel, task),
    ):
        with pytest.raises(Ambiguous):
            await channel.send(part("hello"))
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
        assert channel.state is ConnectionState.DISCONNECTED


async def test_lines_echoed_before_the_connection_broke_are_not_sent_again(ingress: MemoryIngress) -> None:
    clock = ManualClock()
    async with IrcServer(modern()) as server:
        config = IrcConfig.model_validate(
            {"host": "127.0.0.1", "port": server.port, "tls": False, "channels": ["#pier"],
             "flood": {"burst": 4, "intervalSeconds": 60}}
        )  # fmt: skip
        channel = IrcChannel(settings_of(config, "default"), clock)
        task = asyncio.create_task(channel.run(ingress))
        await server.expect("JOIN #pier")  # with USERHOST, half of the burst
        sending = asyncio.create_task(channel.send(part("one\ntwo\nthree", "#pier")))
        await server.expect("PRIVMSG #pier two")
        assert (await channel.probe()).is_ok  # both echoes have been read by now
        server.drop()
        with pytest.raises(Transient):
            await asyncio.wait_for(task, 45)
        clock.advance(600.0)
        with pytest.raises(Transient):
            await asyncio.wait_for(sending, 45)
        task = asyncio.create_task(channel.run(ingress))
        await server.expect("JOIN #pier")
        await channel.send(part("one\ntwo\nthree", "#pier"))
        assert await channel.reconcile(part("one\ntwo\nthree", "#pier")) is Verdict.SENT
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    sent = [line.partition("PRIVMSG #pier ")[2] for line in server.received if "PRIVMSG #pier" in line]
    assert sent == ["one", "two", "three"]


async def test_a_silent_server_is_asked_and_then_given_up(start: Start) -> None:
    clock = ManualClock()
    async with IrcServer() as server, start(server, clock=clock) as (channel, task):
        assert (await channel.probe()).is_ok
        server.behaviour.is_stalled = True
        await clock.sleeping(90.0)
        clock.advance(90.0)
        await server.expect("PING alive-")
        await clock.sleeping(45.0)
        clock.advance(45.0)
        with pytest.raises(Transient, match="silent for 135 s"):
            await asyncio.wait_for(task, 45)


async def test_a_server_that_answers_is_kept(start: Start) -> None:
    clock = ManualClock()
    async with IrcServer() as server, start(server, clock=clock) as (channel, task):
        assert (await channel.probe()).is_ok
        await clock.sleeping(90.0)
        clock.advance(90.0)
        await server.expect("PING alive-")
        await clock.sleeping(45.0)
        assert (await channel.probe()).is_ok
        clock.advance(45.0)
        await clock.sleeping(45.0)
        assert not task.done()


async def test_lines_go_out_at_a_pace_the_server_bears(start: Start) -> None:
    clock = ManualClock()
    flood = {"burst": 3, "intervalSeconds": 2.0}
    async with IrcServer() as server, start(server, clock=clock, flood=flood, channels=["#pier"]) as (channel, _):
        await server.expect("JOIN #pier")
        sending = asyncio.create_task(channel.send(part("one\ntwo\nthree", "#pier")))
        await server.expect("PRIVMSG #pier one")
        for word in ("two", "three"):
            await clock.sleeping(2.0)
            assert f"PRIVMSG #pier {word}" not in server.received
            clock.advance(2.0)
            await server.expect(f"PRIVMSG #pier {word}")
        await sending


async def test_the_server_is_answered_when_it_asks(start: Start) -> None:
    async with IrcServer() as server, start(server):
        server.send("PING :are you there")
        await server.expect("PONG :are you there")


async def test_garbage_and_endless_lines_do_no_harm(start: Start, ingress: MemoryIngress) -> None:
    async with IrcServer() as server, start(server):
        server.send("\x00\x01 garbage")
        server.send("x" * 300_000)
        server.send(":a!b@c PRIVMSG")
        server.send("BATCH")
        server.say(INES, "homarus", "after the garbage")
        assert (await ingress.wait()).text == "after the garbage"


async def test_after_a_kick_we_come_back_three_times_at_most(start: Start) -> None:
    clock = ManualClock()
    async with IrcServer() as server, start(server, clock=clock, channels=["#pier"]) as (channel, _):
        await server.expect("JOIN #pier")
        for _ in range(3):
            server.kick("homarus", "#pier")
            await clock.sleeping(60.0)
            clock.advance(60.0)
            await server.expect("JOIN #pier")
        server.kick("homarus", "#pier")
        assert "not in #pier: kicked by op" in (await channel.probe()).detail


async def test_a_refused_join_is_shown_by_the_probe(start: Start) -> None:
    behaviour = Behaviour(refuse={"#secret": "473"})
    async with IrcServer(behaviour) as server, start(server, channels=["#secret"]) as (channel, _):
        await server.expect("JOIN #secret")
        assert "not in #secret: Cannot join" in (await channel.probe()).detail


async def test_only_invitations_to_configured_channels_are_followed(start: Start) -> None:
    behaviour = Behaviour(refuse={"#secret": "473"})
    async with IrcServer(behaviour) as server, start(server, channels=["#secret"]) as (channel, _):
        await server.expect("JOIN #secret")
        behaviour.refuse.clear()
        server.send(f":{INES} INVITE homarus #spam")
        server.send(f":{INES} INVITE homarus #secret")
        await server.expect("JOIN #secret")
        assert (await channel.probe()).is_ok
    assert "JOIN #spam" not in server.received


async def test_typing_is_shown_at_most_every_three_seconds(start: Start) -> None:
    clock = ManualClock()
    async with IrcServer(modern()) as server, start(server, clock=clock) as (channel, _):
        address = part("").address
        for _ in range(3):
            await channel.set_typing(address, is_typing=True)
        clock.advance(3.0)
        await channel.set_typing(address, is_typing=True)
        await channel.set_typing(address, is_typing=False)
        await channel.set_typing(address, is_typing=False)
        assert (await channel.probe()).is_ok
    signs = [line for line in server.received if "TAGMSG" in line]
    assert signs == ["@+typing=active TAGMSG ines", "@+typing=active TAGMSG ines", "@+typing=done TAGMSG ines"]


async def test_a_missing_host_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(IrcConfig(), "default")
    assert caught.value.path == "channels.irc.host"
