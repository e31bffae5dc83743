"""Channel methods."""

from __future__ import annotations

import asyncio
from typing import Final

from homarus.gateway.health import account_row
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Get, operation
from homarus.gateway.services import ChannelAccount
from homarus.protocol.frames import JsonObject
from homarus.protocol.gateway_admin import ChannelsStatusParams
from homarus.protocol.scopes import Scope

DEFAULT_PROBE_MS: Final = 10_000
MIN_PROBE_MS: Final = 1000


@operation("channels.status", scope=Scope.READ, rest=Get("/api/channels"))
async def channels_status(call: Call, params: ChannelsStatusParams) -> JsonObject:
    """Return how every channel account stands; `probe` makes a round trip to each."""
    accounts = call.services.channels.accounts()
    timeout = max(MIN_PROBE_MS, DEFAULT_PROBE_MS if params.timeout_ms is None else params.timeout_ms) / 1000
    rows = await _rows(call, accounts, timeout if params.probe else None)
    labels = {account.channel: account.name for account in accounts}
    by_channel: dict[str, list[JsonObject]] = {}
    for account, row in zip(accounts, rows, strict=True):
        by_channel.setdefault(account.channel, []).append(row)
    return {
        "ts": call.services.clock.now_ms(),
        "channelOrder": list(by_channel),
        "channelLabels": labels,
        "channelDetailLabels": labels,
        "channelSystemImages": {},
        "channelMeta": [{"id": name, "label": label, "detailLabel": label} for name, label in labels.items()],
        "channels": {name: {**listed[0], "configured": True} for name, listed in by_channel.items()},
        "channelAccounts": by_channel,
        "channelDefaultAccountId": {name: listed[0]["accountId"] for name, listed in by_channel.items()},
    }


async def _rows(call: Call, accounts: tuple[ChannelAccount, ...], timeout: float | None) -> list[JsonObject]:
    rows = [account_row(account) for account in accounts]
    if timeout is None:
        return rows

    async def probe(account: ChannelAccount, row: JsonObject) -> None:
        row["lastProbeAt"] = call.services.clock.now_ms()
        try:
            async with asyncio.timeout(timeout):
                outcome = await call.services.channels.probe(account.channel, account.account)
        except TimeoutError:
            row["probe"] = {"ok": False, "error": f"no answer within {timeout:.0f} s"}
            return
        detail = {"detail" if outcome.is_ok else "error": outcome.detail}
        row["probe"] = {"ok": outcome.is_ok, **detail, "elapsedMs": outcome.latency_ms}

    async with asyncio.TaskGroup() as tasks:
        for account, row in zip(accounts, rows, strict=True):
            tasks.create_task(probe(account, row))
    return rows
