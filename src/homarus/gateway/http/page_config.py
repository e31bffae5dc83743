"""What a Control UI reads before it connects: how its assistant is called and what this gateway has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from homarus import __version__
from homarus.gateway.http.probes import only_get
from homarus.gateway.http.responses import json_response

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore

PATHS: Final = (
    "/control-ui-config.json",
    "/__openclaw__/control-ui-config.json",
    "/__openclaw/control-ui-config.json",
)
"""Where versions of the page look for it (v4-differences §12)."""


def page_config(core: GatewayCore, request: web.Request) -> web.Response:
    """Answer without asking who asks: nothing here is more than `/health` tells, and the page cannot sign in yet."""
    if refusal := only_get(request):
        return refusal
    agent = next(each for each in core.services.agents.list() if each.is_default)
    avatar = agent.identity.get("avatar")
    return json_response(
        {
            "basePath": "",
            "assistantName": agent.identity.get("name") or agent.name or "Assistant",
            "assistantAvatar": avatar or "A",
            "assistantAvatarSource": avatar,
            "assistantAvatarStatus": "none" if avatar is None else "local",
            "assistantAvatarReason": None,
            "assistantAgentId": agent.id,
            "serverVersion": __version__,
            "serverBuildId": None,
            "embedSandbox": "scripts",
            "allowExternalEmbedUrls": False,
            "automaticallyFetchFavicons": False,
            "communityInvite": None,
            "terminalEnabled": False,
            "cliAgentsEnabled": False,
            "pluginAssetsRequireAuth": True,
            "pluginFrameGrants": [],
        }
    )
