from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace
from tests.gateway.fake_services import FakeChannels
from tests.gateway.operations.desk import desk

from homarus.gateway.services import ChannelAccount, Services

IRC = {"host": "irc.example.org", "nick": "bot", "password": "hunter2", "channels": ["#room"]}


class TwoAccounts(FakeChannels):
    """Two accounts on IRC and the web chat."""

    def accounts(self) -> tuple[ChannelAccount, ...]:
        named = (("irc", "default"), ("irc", "work"), ("webchat", "default"))
        return tuple(ChannelAccount(channel, channel, account) for channel, account in named)


def with_accounts(services: Services) -> Services:
    return replace(services, channels=TwoAccounts())


async def test_an_update_is_refused_with_what_to_type(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        found = await here.ok("update.run", {"timeoutMs": 1000})
        assert (found["ok"], found["restart"], found["result"]["status"]) == (False, None, "skipped")
        assert found["result"]["mode"] in {"git", "pip"}
        assert "restart the gateway" in found["result"]["reason"]
        assert "must be >= 1" in await here.refusal("update.run", {"timeoutMs": 0})
        for _ in range(2):
            await here.ok("update.run", {})
        assert "rate limit exceeded" in await here.refusal("update.run", {})


async def test_logging_out_switches_an_account_off_and_takes_its_secret_out(tmp_path: Path) -> None:
    config = json.dumps({"channels": {"irc": {**IRC, "accounts": {"work": {"password": "other"}}}}})
    async with desk(tmp_path, config, with_accounts) as here:
        done = await here.ok("channels.logout", {"channel": "irc", "accountId": "work"})
        assert done == {"channel": "irc", "accountId": "work", "cleared": True, "loggedOut": True}
        section = json.loads((tmp_path / "homarus.json").read_text())["channels"]["irc"]
        assert (section["accounts"]["work"], section["password"]) == ({"enabled": False}, "hunter2")
        await here.ok("channels.logout", {"channel": "irc"})
        section = json.loads((tmp_path / "homarus.json").read_text())["channels"]["irc"]
        assert (section["enabled"], "password" in section, section["nick"]) == (False, False, "bot")


async def test_what_has_no_login_cannot_be_logged_out(tmp_path: Path) -> None:
    async with desk(tmp_path, "{}", with_accounts) as here:
        assert await here.refusal("channels.logout", {"channel": "webchat"}) == "webchat has no login"
        assert "is not configured" in await here.refusal("channels.logout", {"channel": "telegram"})
        assert "has no account 'x'" in await here.refusal("channels.logout", {"channel": "irc", "accountId": "x"})
        assert "channel" in await here.refusal("channels.logout", {})
    assert (tmp_path / "homarus.json").read_text() == "{}"


async def test_the_configuration_file_is_named_not_opened(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        found = await here.ok("config.openFile", {})
        assert (found["ok"], found["path"]) == (False, str(tmp_path / "homarus.json"))
        assert "config.openFile" not in here.client.hello["features"]["methods"]
