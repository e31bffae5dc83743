"""Updating, logging a channel out, and opening the configuration: what a gateway does for its own upkeep."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, cast

from annotated_types import Ge, MaxLen

import homarus
from homarus.errors import ProtocolError
from homarus.gateway.config_edit import change_config
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.services import ChannelAccount
from homarus.protocol.base import NonEmpty, NoParams, Params, Positive
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope

WEBCHAT = "webchat"


class UpdateRunParams(Params):
    """`update.run`."""

    session_key: Annotated[str, MaxLen(512)] | None = None
    note: Annotated[str, MaxLen(4096)] | None = None
    restart_delay_ms: Annotated[int, Ge(0)] | None = None
    timeout_ms: Positive | None = None


class ChannelsLogoutParams(Params):
    """`channels.logout`."""

    channel: NonEmpty
    account_id: Annotated[str, MaxLen(256)] | None = None


@operation("update.run", scope=Scope.ADMIN, is_control_write=True)
async def run_update(call: Call, params: UpdateRunParams) -> JsonObject:  # noqa: ARG001 - the signature of operations
    """Refuse: no installation updates itself; the answer says what to type instead."""
    mode, reason = await asyncio.to_thread(_how_to_update, Path(homarus.__file__).parent)
    version: JsonObject = {"version": homarus.__version__}
    result: JsonObject = {
        "status": "skipped",
        "mode": mode,
        "reason": reason,
        "before": version,
        "after": version,
        "steps": [],
        "durationMs": 0,
    }
    return {"ok": False, "result": result, "restart": None, "sentinel": None}


def _how_to_update(package: Path) -> tuple[str, str]:
    """Return how this was installed, and how it is updated."""
    if (package.parents[1] / ".git").exists():
        return "git", "this runs from a git checkout: type `git pull`, then `make setup`, and restart the gateway"
    return "pip", "this does not update itself: type `pip install --upgrade homarus`, and restart the gateway"


@operation("channels.logout", scope=Scope.ADMIN, rest=Post("/api/channels/{channel}/logout"))
async def log_out(call: Call, params: ChannelsLogoutParams) -> JsonObject:
    """Switch an account of a channel off in the configuration, and take out the secrets it logs in with."""
    account = _account(call, params.channel.strip().lower(), (params.account_id or "").strip())
    secrets = _secret_keys(account.channel)
    is_cleared = True
    try:
        await change_config(call.services, lambda tree: _log_out(tree, account, secrets))
    except ProtocolError:
        # Some channels are not valid without their secrets, even switched off.
        is_cleared = False
        await change_config(call.services, lambda tree: _log_out(tree, account, ()))
    return {"channel": account.channel, "accountId": account.account, "cleared": is_cleared, "loggedOut": True}


def _account(call: Call, channel: str, wanted: str) -> ChannelAccount:
    if channel == WEBCHAT:
        raise invalid("webchat has no login")
    mine = [each for each in call.services.channels.accounts() if each.channel == channel]
    if not mine:
        raise invalid(f"channel {channel[:64]!r} is not configured")
    found = next((each for each in mine if wanted in {"", each.account}), None)
    if found is None:
        raise invalid(f"channel {channel} has no account {wanted[:64]!r}")
    return found


def _secret_keys(channel: str) -> tuple[str, ...]:
    """Return the keys of a channel's section that hold secrets."""
    from pydantic import SecretStr  # noqa: PLC0415 - with what follows, only when somebody logs out

    from homarus.channels import registry  # noqa: PLC0415

    if channel not in registry.manifests():
        return ()
    fields = registry.load(channel).config_model.model_fields
    return tuple(field.alias or name for name, field in fields.items() if SecretStr.__name__ in str(field.annotation))


def _log_out(tree: JsonObject, account: ChannelAccount, secrets: tuple[str, ...]) -> None:
    section = cast("JsonObject", cast("JsonObject", tree.get("channels") or {}).get(account.channel) or {})
    accounts = cast("JsonObject", section.get("accounts") or {})
    place = cast("JsonObject", accounts[account.account]) if account.account in accounts else section
    place["enabled"] = False
    for name in secrets:
        place.pop(name, None)


@operation("config.openFile", scope=Scope.ADMIN)
async def open_config_file(call: Call, params: NoParams) -> JsonObject:  # noqa: ARG001
    """Tell where the configuration is; a gateway opens no editor on its machine."""
    path = str(call.services.config.current.path)
    return {"ok": False, "path": path, "error": f"open {path} in an editor on the gateway's machine"}
