from __future__ import annotations

from typing import Any

from tests.gateway.conftest import Running
from tests.gateway.raw_client import RawClient, connected


async def act(client: RawClient, channel: str = "irc", action: str = "send", **params: object) -> dict[str, Any]:
    body = {"channel": channel, "action": action, "params": params, "idempotencyKey": "k1"}
    return await client.call("message.action", body)


async def test_a_message_goes_out_once_however_often_it_is_sent(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        sent = (await act(client, target="#chat", message="hello"))["payload"]
        assert (sent["ok"], sent["channel"], sent["chatId"], sent["to"]) == (True, "irc", "#chat", "#chat")
        again = (await act(client, to="#chat", message="hello"))["payload"]
        assert again["messageId"] == sent["messageId"]


async def test_a_dry_run_sends_nothing(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        dry = (await act(client, target="#chat", message="x", dryRun=True))["payload"]
        assert dry == {"ok": True, "dryRun": True, "action": "send", "channel": "irc", "to": "#chat"}


async def test_what_cannot_be_done_is_said(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        foreign = (await act(client, channel="telegram", target="1", message="x"))["error"]
        assert (foreign["code"], "telegram is not configured" in foreign["message"]) == ("UNAVAILABLE", True)
        for action in ("react", "edit", "delete", "poll", "pin"):
            refused = (await act(client, action=action, target="#c"))["error"]
            assert refused == {
                "code": "UNAVAILABLE", "message": f"Error: irc has no action {action!r}; supported: send",
            }  # fmt: skip
        assert "/params/target" in (await act(client, message="x"))["error"]["message"]
        assert "at /message" in (await act(client, target="#c", message=5))["error"]["message"]
