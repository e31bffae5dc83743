"""From nothing to an assistant that answers: by options, by questions, and left alone when stopped."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import Done, environment, homarus
from tests.e2e.process import TOKEN, gateway

from homarus.cli.exits import ExitCode
from homarus.testing.irc_server import IrcServer
from homarus.testing.model_server import ModelServer, Refuse
from homarus.testing.telegram.rig import TelegramRig

pytestmark = pytest.mark.e2e

LISTENING_TO_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from homarus.cli.main import main
main()
"""
"""The workers of a parallel test run ignore Ctrl-C, and their children would as well."""

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer(("large", "small")) as server:
        yield server


@pytest.fixture
async def irc() -> AsyncIterator[IrcServer]:
    async with IrcServer() as server:
        yield server


def config_of(home: Path) -> dict[str, Any]:
    return json.loads((home / "homarus.json").read_text())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def said(done: Done) -> str:
    return done.out + done.err


async def test_the_built_in_rules_need_nothing(tmp_path: Path) -> None:
    done = await homarus(tmp_path, "onboard", "--non-interactive", "--provider", "basic", "--no-install-service")
    assert (done.code, done.err) == (ExitCode.OK, "")
    assert done.out.rstrip().endswith("next: homarus up")
    assert config_of(tmp_path)["agents"]["defaults"]["model"]["primary"] == "homarus/basic"


async def test_a_model_is_asked_before_it_is_written_and_the_key_stays_out_of_the_file(
    tmp_path: Path, model: ModelServer
) -> None:
    options = ("--provider", "custom", "--base-url", model.base_url, "--model", "large", "--api-key-env", "MY_KEY")
    done = await homarus(tmp_path, "onboard", "--non-interactive", *options, MY_KEY=KEY)
    assert done.code == ExitCode.OK, done
    assert "custom/large answered in" in done.out
    provider = config_of(tmp_path)["models"]["providers"]["custom"]
    assert provider["apiKey"] == "${MY_KEY}"
    assert provider["models"][0]["id"] == "large"
    asked = [request for request in model.requests if request.path.endswith("/chat/completions")]
    assert len(asked) == 1
    assert asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in said(done)
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("provider", ["ollama", "vllm"])
async def test_a_server_on_this_machine_says_itself_which_models_it_has(
    tmp_path: Path, model: ModelServer, provider: str
) -> None:
    done = await homarus(tmp_path, "onboard", "--non-interactive", "--provider", provider, "--base-url", model.base_url)
    assert done.code == ExitCode.OK, done
    assert config_of(tmp_path)["agents"]["defaults"]["model"]["primary"] == f"{provider}/large"


async def test_a_refused_key_is_said_with_its_fix_and_nothing_is_written(tmp_path: Path, model: ModelServer) -> None:
    model.will(Refuse(401, "Incorrect API key provided", "invalid_api_key"))
    options = ("--provider", "openai", "--base-url", model.base_url, "--model", "large")
    done = await homarus(tmp_path, "onboard", "--non-interactive", *options, OPENAI_API_KEY=KEY)
    assert done.code == ExitCode.FAILURE
    assert "refused the API key" in done.err
    assert "fix:" in done.err
    assert KEY not in said(done)
    assert not (tmp_path / "homarus.json").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--provider", "opneai"), "opneai"),
        (("--provider", "openai"), "OPENAI_API_KEY is not set"),
        (("--provider", "custom"), "no address"),
        (("--provider", "basic", "--channel", "carrier-pigeon"), "carrier-pigeon"),
        (("--provider", "basic", "--channel", "irc"), "channels.irc.host"),
        (("--provider", "basic", "--channel", "irc", "--irc-hots", "x"), "hots"),
        (("--provider", "basic", "--channel", "irc", "--irc-host", "127.0.0.1", "--irc-port", "many"), "whole number"),
        (("--provider", "basic", "--channel", "irc", "--irc-password", "x"), "secret"),
        (("--provider", "basic", "--irc-host"), "irc-host"),
    ],
)
async def test_what_is_missing_or_wrong_is_named_and_nothing_is_written(
    tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    done = await homarus(tmp_path, "onboard", "--non-interactive", *options)
    assert done.code != ExitCode.OK
    assert problem in done.err
    assert "Traceback" not in done.err
    assert names(tmp_path) == []


async def test_a_channel_is_connected_and_a_test_message_sent(tmp_path: Path, irc: IrcServer) -> None:
    address = ("--irc-host", "127.0.0.1", "--irc-port", str(irc.port), "--no-irc-tls", "--irc-nick", "lob")
    options = ("--provider", "basic", "--channel", "irc", *address)
    done = await homarus(tmp_path, "onboard", "--non-interactive", *options, "--send-test-to", "#room")
    assert done.code == ExitCode.OK, done
    assert "lob on irc.test" in done.out
    assert "homarus pairing approve irc CODE" in done.out
    assert any("PRIVMSG #room :Hello from Homarus" in line for line in irc.received)
    assert config_of(tmp_path)["channels"]["irc"]["nick"] == "lob"


async def test_questions_lead_to_the_same_and_a_typed_secret_is_kept_privately(
    tmp_path: Path, model: ModelServer, irc: IrcServer
) -> None:
    answers = ["custom", model.base_url, KEY, "large", "irc", "127.0.0.1", "lob", "#a, #b", "", "keep", "n"]
    # The attempt to connect fails, because there is no TLS: it is kept all the same.
    done = await homarus(tmp_path, "onboard", stdin="\n".join(answers) + "\n")
    assert done.code == ExitCode.OK, done
    assert "custom/large answered in" in done.out
    assert (tmp_path / ".env").read_text() == f"HOMARUS_MODEL_KEY={KEY}\n"
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    written = config_of(tmp_path)
    assert written["channels"]["irc"] == {"enabled": True, "host": "127.0.0.1", "nick": "lob", "channels": ["#a", "#b"]}
    assert KEY not in said(done)


async def test_a_refused_key_is_asked_for_again_and_the_rest_of_the_answers_offered(
    tmp_path: Path, model: ModelServer
) -> None:
    model.will(Refuse(401, "Incorrect API key provided", "invalid_api_key"))
    answers = ["custom", model.base_url, "sk-mistyped-0123456789", "large", "n", "", "", KEY, "", "none", "n"]
    done = await homarus(tmp_path, "onboard", stdin="\n".join(answers) + "\n")
    assert done.code == ExitCode.OK, done
    assert "refused the API key" in done.out
    assert (tmp_path / ".env").read_text() == f"HOMARUS_MODEL_KEY={KEY}\n"
    assert config_of(tmp_path)["models"]["providers"]["custom"]["baseUrl"] == model.base_url


async def test_a_channel_that_fails_is_asked_for_again_or_left_out_and_the_model_stays_chosen(
    tmp_path: Path, irc: IrcServer
) -> None:
    wrong, right = "127.0.0.2", "127.0.0.1"
    settings = ("--irc-port", str(irc.port), "--no-irc-tls")
    rounds = [wrong, "lob", "#a", "", "again", right, "", "", "", "n"]
    options = ("--provider", "basic", "--channel", "irc", *settings)
    done = await homarus(tmp_path / "one", "onboard", *options, stdin="\n".join(rounds) + "\n")
    assert done.code == ExitCode.OK, done
    assert f"cannot reach {wrong}" in done.err
    section = config_of(tmp_path / "one")["channels"]["irc"]
    assert (section["host"], section["nick"], section["channels"]) == (right, "lob", ["#a"])
    rounds = [wrong, "lob", "#a", "", "leave", "n"]
    done = await homarus(tmp_path / "two", "onboard", *options, stdin="\n".join(rounds) + "\n")
    assert done.code == ExitCode.OK, done
    assert "pairing approve" not in done.out
    assert "channels" not in config_of(tmp_path / "two")
    assert config_of(tmp_path / "two")["agents"]["defaults"]["model"]["primary"] == "homarus/basic"


async def test_a_test_message_that_does_not_arrive_does_not_undo_a_channel_that_works(tmp_path: Path) -> None:
    async with TelegramRig() as rig:
        options = ("--api-root", rig.server.root, "--token-env", "TELEGRAM_BOT_TOKEN")
        token = rig.server.bot.token
        done = await homarus(
            tmp_path, "channels", "add", "telegram", *options, stdin="99\n\n", TELEGRAM_BOT_TOKEN=token
        )
    assert done.code == ExitCode.OK, done
    assert "the test message did not go to 99" in done.err
    assert "chat not found" in done.err
    assert config_of(tmp_path)["channels"]["telegram"]["botToken"] == "${TELEGRAM_BOT_TOKEN}"


async def test_return_takes_every_default(tmp_path: Path) -> None:
    done = await homarus(tmp_path, "onboard", stdin="\n\n\n")
    assert done.code == ExitCode.OK, done
    assert config_of(tmp_path)["agents"]["defaults"]["model"]["primary"] == "homarus/basic"


async def test_input_that_ends_early_changes_nothing(tmp_path: Path) -> None:
    done = await homarus(tmp_path, "onboard", stdin="custom\n")
    assert done.code == ExitCode.FAILURE
    assert "nothing was changed" in done.err
    assert names(tmp_path) == []


async def test_ctrl_c_leaves_everything_as_it_was(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LISTENING_TO_CTRL_C, "onboard"),
        env=environment(tmp_path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(45):
        await process.stdout.readuntil(b"Provider [basic]: ")
        ended = asyncio.create_task(process.communicate())
        # A signal between the prompt and the read behind it is noticed only when the read ends: people press again.
        while not ended.done():
            process.send_signal(signal.SIGINT)
            await asyncio.wait([ended], timeout=3)
        _, err = await ended
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"nothing was changed" in err
    assert names(tmp_path) == []


async def test_channels_are_added_and_removed(tmp_path: Path, irc: IrcServer) -> None:
    address = ("--host", "127.0.0.1", "--port", str(irc.port), "--no-tls", "--channels", "#a,#b")
    added = await homarus(tmp_path, "channels", "add", "irc", *address, "--non-interactive")
    assert added.code == ExitCode.OK, added
    assert config_of(tmp_path)["channels"]["irc"]["channels"] == ["#a", "#b"]
    again = await homarus(tmp_path, "channels", "add", "irc", *address, "--non-interactive")
    assert again.code == ExitCode.FAILURE
    assert "configured already" in again.err
    assert (await homarus(tmp_path, "channels", "remove", "irc")).code == ExitCode.OK
    assert "irc" not in config_of(tmp_path)["channels"]
    gone = await homarus(tmp_path, "channels", "remove", "irc")
    assert gone.code == ExitCode.FAILURE
    assert "not configured" in gone.err


async def test_a_channel_that_cannot_be_reached_is_not_written(tmp_path: Path) -> None:
    address = ("--host", "127.0.0.1", "--port", "1", "--no-tls", "--non-interactive")
    done = await homarus(tmp_path, "channels", "add", "irc", *address)
    assert done.code == ExitCode.FAILURE
    assert "cannot reach 127.0.0.1:1" in done.err
    assert names(tmp_path) == []
    kept = await homarus(tmp_path, "channels", "add", "irc", *address, "--no-probe")
    assert kept.code == ExitCode.OK


async def test_telegram_is_connected_by_the_same_command(tmp_path: Path) -> None:
    async with TelegramRig() as rig:
        token = rig.server.bot.token
        options = ("--token-env", "TELEGRAM_BOT_TOKEN", "--api-root", rig.server.root, "--non-interactive")
        done = await homarus(tmp_path, "channels", "add", "telegram", *options, TELEGRAM_BOT_TOKEN=token)
        assert done.code == ExitCode.OK, done
        assert "homarus_bot" in done.out
        assert config_of(tmp_path)["channels"]["telegram"]["botToken"] == "${TELEGRAM_BOT_TOKEN}"
        assert token not in said(done)
        rig.refuse_credentials()
        other = tmp_path / "other"
        refused = await homarus(other, "channels", "add", "telegram", *options, TELEGRAM_BOT_TOKEN=token)
    assert refused.code == ExitCode.FAILURE
    assert "token" in refused.err
    assert not other.exists()


async def test_backups_are_made_checked_and_restored_by_command(tmp_path: Path) -> None:
    home, archive = tmp_path / "home", str(tmp_path / "out.tar.gz")
    await homarus(home, "onboard", "--non-interactive", "--provider", "basic")
    made = await homarus(home, "backup", "create", "--output", archive)
    assert (made.code, made.err) == (ExitCode.OK, "")
    assert (await homarus(home, "backup", "verify", archive)).code == ExitCode.OK
    (home / "homarus.json").write_text("{}")
    for answer, said_then in (("n\n", "not agreed"), ("", "nobody answered")):
        refused = await homarus(home, "backup", "restore", archive, stdin=answer)
        assert refused.code == ExitCode.FAILURE
        assert f"{said_then}; nothing was changed" in refused.err
    assert config_of(home) == {}
    done = await homarus(home, "backup", "restore", archive, "--yes")
    assert done.code == ExitCode.OK, done
    assert config_of(home)["agents"]["defaults"]["model"]["primary"] == "homarus/basic"
    assert (tmp_path / "home.before-restore" / "homarus.json").read_text() == "{}"


async def test_the_service_is_printed_and_what_is_missing_is_said(tmp_path: Path) -> None:
    shown = await homarus(tmp_path, "service", "install", "--print")
    assert shown.code == ExitCode.OK
    assert f"HOMARUS_HOME={tmp_path}" in shown.out
    status = await homarus(tmp_path, "service", "status", "--json", HOME=str(tmp_path))
    assert status.code == ExitCode.OK
    removed = await homarus(tmp_path, "service", "uninstall", HOME=str(tmp_path))
    assert removed.code == ExitCode.OK
    assert "nothing to do" in removed.err


async def test_a_running_gateway_is_backed_up_not_replaced_and_takes_a_new_channel_over(
    tmp_path: Path, irc: IrcServer
) -> None:
    home, archive = tmp_path / "home", str(tmp_path / "out.tar.gz")
    async with gateway(home):
        asked = await homarus(home, "agent", "--message", "hello", HOMARUS_GATEWAY_TOKEN=TOKEN)
        assert asked.code == ExitCode.OK, asked
        made = await homarus(home, "backup", "create", "--output", archive, "--json")
        assert made.code == ExitCode.OK, made
        assert "schema" in made.out
        refused = await homarus(home, "backup", "restore", archive, "--yes")
        assert refused.code == ExitCode.FAILURE
        assert "a gateway runs" in refused.err
        address = ("--host", "127.0.0.1", "--port", str(irc.port), "--no-tls", "--nick", "lob", "--channels", "#room")
        added = await homarus(home, "channels", "add", "irc", *address, "--no-probe", "--non-interactive")
        assert "takes it over now" in added.out, added
        await irc.expect("JOIN #room")
        told = ("--to", "#room", "--message", "nine o'clock", "--key", "once")
        sent = await homarus(home, "message", "send", *told, HOMARUS_GATEWAY_TOKEN=TOKEN)
        assert sent.code == ExitCode.OK, sent
        assert "Sent to #room on irc" in sent.out
        again = await homarus(home, "message", "send", *told, HOMARUS_GATEWAY_TOKEN=TOKEN)
        assert again.out == sent.out
    assert [line for line in irc.received if "nine o'clock" in line] == ["PRIVMSG #room :nine o'clock"]
    done = await homarus(home, "backup", "restore", archive, "--yes")
    assert done.code == ExitCode.OK, done
    checked = await homarus(home, "doctor")
    assert re.search(r"homarus.db is intact, \d+\.\d MB", checked.out)
